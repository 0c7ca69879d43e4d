"""Invitations: who may invite whom to what, the one mail, the one use, and that the link stands nowhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from lifecycle.access.queries import account_of, fingerprint
from lifecycle.entrance.commands import RevokeInvitation
from lifecycle.entrance.links import token_of
from lifecycle.people.commands import RevokeRole
from models.db import reading
from models.ids import new_id
from models.states import Role
from tests.factories import House, a_project, key
from tests.lifecycle.entrance_recipes import an_invitation
from tests.web.browser import Browser
from tests.web.conftest import KEY, console_of
from tests.web.letters import letters, link_in
from web import listing

PASSWORD = "correct horse battery"
LI = {"email": "li@firm.example", "name": "Li", "language": "en"}


@pytest.fixture
def looked_after(house: House) -> str:
    """Give the firm of a project that is with the coordinator's platform."""
    a_project(house)
    return str(house.parties["sme"])


def invited(visitor: Browser, organisation_id: str, *roles: str) -> str:
    """Invite Li by the form."""
    visitor.open("/admin/invitations/new")
    return visitor.send("invite", **LI, roles=list(roles), organisation_id=organisation_id).path


class TestAnInvitation:
    def test_leads_from_the_form_by_its_mail_to_an_account_with_these_roles(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser], looked_after: str
    ) -> None:
        assert invited(signed_in("coordinator"), looked_after, "project_lead").startswith("/receipts/")
        (message,) = letters(house)
        assert (message["To"], "coordinator invites you" in message.as_string()) == ("li@firm.example", True)

        page = browser.open(link_in(message))
        assert "Welcome, Li" in page.text
        browser.send("Set the password and open the account", password=PASSWORD, again=PASSWORD)
        browser.follow("Sign in")
        page = browser.send("Sign in", login="li@firm.example", password=PASSWORD)

        assert (page.status, page.path) == (200, "/my")
        acts = house.rows("SELECT action FROM audit_record ORDER BY seq DESC LIMIT 5")
        said = ["user.sign_in", "user.set_password", "user.grant", "user.add", "invitation.accept"]
        assert [row.action for row in acts] == said

    def test_link_stands_nowhere_in_the_database(
        self, house: House, signed_in: Callable[..., Browser], looked_after: str
    ) -> None:
        invited(signed_in("coordinator"), looked_after, "project_lead")
        (message,) = letters(house)
        token = link_in(message).rpartition("/")[2]

        with house.engine.connect() as connection:
            dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]

        assert len(token) == 43
        assert token not in dump

    @pytest.mark.parametrize(
        ("password", "again", "said"),
        [
            ("short", "short", "12 to 128"),
            (PASSWORD, "another horse battery", "differ"),
            ("li@firm.example", "li@firm.example", "too easily"),
            ("firm.example.9", "firm.example.9", "too easily"),
            ("qwerty123456", "qwerty123456", "have leaked"),
        ],
    )
    def test_takes_no_weak_password_and_still_holds(
        self, house: House, browser: Browser, password: str, again: str, said: str
    ) -> None:
        house.do(an_invitation(house, **self._with_link(house)), by=Role.ADMIN)
        browser.open(link_in(letters(house)[0]))

        page = browser.send("Set the password and open the account", password=password, again=again)

        assert (page.status, said in page.text) == (422, True)
        assert browser.send("Set the password and open the account", password=PASSWORD, again=PASSWORD).status == 200

    @pytest.mark.parametrize("end", ["used", "revoked", "expired", "inviter left"])
    def test_opens_nothing_once_it_is(
        self, house: House, signed_in: Callable[..., Browser], looked_after: str, end: str
    ) -> None:
        invited(signed_in("coordinator"), looked_after, "project_lead")
        path = link_in(letters(house)[0])
        with Browser(console_of(house)) as early:
            csrf = dict(early.open(path).form(path).fields)["csrf"]
            self._end(house, end, early, signed_in)
            with Browser(console_of(house)) as late:
                seen = late.open(path)
                form = {"csrf": csrf, "password": PASSWORD, "again": PASSWORD}
                sent = late.ask("POST", path, data=form, headers={"sec-fetch-site": "same-origin"})

        assert sent.status_code == 410
        assert seen.status == (200 if end == "inviter left" else 410)
        accounts = house.one("SELECT count(*) FROM app_user WHERE email = 'li@firm.example'")
        assert accounts == (1 if end == "used" else 0)

    @staticmethod
    def _end(house: House, end: str, early: Browser, signed_in: Callable[..., Browser]) -> None:
        if end == "used":
            early.send("Set the password and open the account", password=PASSWORD, again=PASSWORD)
        elif end == "revoked":
            visitor = signed_in("coordinator")
            visitor.open("/admin/invitations")
            visitor.follow("Take back")
            visitor.send("take an invitation back")
        elif end == "expired":
            house.now += timedelta(days=7, seconds=1)
        else:
            own = house.people["coordinator"].user_id
            (grant,) = house.rows("SELECT id FROM role_grant WHERE user_id = :own", own=str(own))
            house.do(RevokeRole(command_id=key(), user_id=own, grant_id=UUID(str(grant.id))), by=Role.ADMIN)

    @staticmethod
    def _with_link(house: House) -> dict[str, object]:
        made = new_id()
        return {"invitation_id": made, "token_sha256": fingerprint(token_of(KEY, made)), "email": LI["email"]}


class TestWhoInvites:
    def test_a_coordinator_is_offered_their_firms_and_the_roles_of_firms_only(
        self, signed_in: Callable[..., Browser], looked_after: str
    ) -> None:
        page = signed_in("coordinator").open("/admin/invitations/new")

        source = page.answer.text
        assert looked_after in source
        assert "fund_manager" not in source
        assert "project_lead" in source

    @pytest.mark.parametrize(
        ("by", "role", "party", "code"),
        [
            ("coordinator", Role.FUND_MANAGER, "funder", "invitation_exceeds"),
            ("coordinator", Role.COORDINATOR, "platform", "invitation_exceeds"),
            ("coordinator", Role.PROJECT_LEAD, "other firm", "invitation_exceeds"),
            ("coordinator", Role.ADMIN, None, "invitation_exceeds"),
            ("other coordinator", Role.PROJECT_LEAD, "sme", "invitation_exceeds"),
            ("fund_manager", Role.PROJECT_LEAD, "sme", "role"),
            ("admin", Role.PROJECT_LEAD, None, "role_needs_organisation"),
        ],
    )
    def test_gives_no_more_than_they_may_give(
        self, house: House, looked_after: str, by: str, role: Role, party: str | None, code: str
    ) -> None:
        place = house.parties[party] if party else None

        (answer,) = house.ask(an_invitation(house, roles=(role,), organisation_id=place), by=by)

        assert answer.error is not None
        assert code in answer.error.codes
        assert house.one("SELECT count(*) FROM invitation") == 0

    def test_invites_nobody_twice_and_nobody_who_has_an_account(self, house: House) -> None:
        once = an_invitation(house, email="li@firm.example")
        house.do(once, by=Role.ADMIN)

        again = an_invitation(house, email="LI@firm.example")
        known = an_invitation(house, email="payer@example.org")
        answers = house.ask(again, known, by=Role.ADMIN)

        assert [one.error.codes if one.error else () for one in answers] == [("invitation_open",), ("already_exists",)]

    def test_of_others_is_taken_back_by_administrators_only(self, house: House, looked_after: str) -> None:
        sent = an_invitation(house)
        house.do(sent, by="coordinator")
        asked = RevokeInvitation(command_id=key(), invitation_id=sent.invitation_id)

        (refused,) = house.ask(asked, by="second")
        (done,) = house.ask(replace(asked, command_id=key()), by="admin")

        assert refused.error is not None
        assert done.error is None

    def test_an_account_is_nobody_before_the_invitation_is_accepted(self, house: House) -> None:
        house.do(an_invitation(house, email="li@firm.example"), by=Role.ADMIN)

        with reading(house.engine) as session:
            assert account_of(session, "li@firm.example") is None


def test_of_a_project_leads_from_its_people_to_the_form_for_its_firm(
    house: House, signed_in: Callable[..., Browser], looked_after: str
) -> None:
    visitor = signed_in("coordinator")
    number = house.one("SELECT number FROM project")
    visitor.open(f"/projects/{number}/people")

    page = visitor.follow("Invite somebody")

    assert ("organisation_id", looked_after) in page.form("/admin/invitations/new").fields


def test_are_listed_by_pages_the_newest_first(
    house: House, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PER_PAGE", 2)
    names = ["An", "Bai", "Cao", "Du", "E"]
    house.do(*(an_invitation(house, name=one) for one in names[:3]), by=Role.ADMIN)
    house.later(hours=1)
    house.do(*(an_invitation(house, name=one) for one in names[3:]), by=Role.ADMIN)
    visitor = signed_in("admin")

    seen = [visitor.open("/admin/invitations").text]
    while "Next page" in seen[-1]:
        seen.append(visitor.follow("Next page").text)
    told = [one["name"] for one in visitor.ask("GET", "/admin/invitations.json").json()["data"]]

    assert sorted(told) == names
    assert set(told[:2]) == set(names[3:])
    assert [[one for one in names if f" {one} " in page] for page in seen] == [
        sorted(told[:2]),
        sorted(told[2:4]),
        told[4:],
    ]
    assert visitor.open("/admin/invitations").status == 200
    assert signed_in("coordinator").ask("GET", "/admin/invitations.json").json()["data"] == []
