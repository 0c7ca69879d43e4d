"""Administration: people, roles, tokens, organisations, programmes, days."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lifecycle.access.queries import fingerprint
from models.ids import new_id
from tests.factories import House
from tests.web.browser import Browser


class TestAdministration:
    @pytest.mark.parametrize("path", ["/admin/people", "/admin/programmes", "/admin/people/new", "/users/payer"])
    def test_is_for_administrators(self, signed_in: Callable[..., Browser], path: str) -> None:
        assert signed_in("admin").open(path).status == 200
        assert signed_in("coordinator").open(path).status in (403, 404)

    @pytest.mark.parametrize("path", ["/admin/people", "/admin/organisations", "/admin/programmes", "/admin/calendar"])
    def test_speaks_both_languages(self, signed_in: Callable[..., Browser], path: str) -> None:
        found = {lang: signed_in("admin", lang=lang).open(path) for lang in ("zh-CN", "en")}

        assert {lang: page.answer.headers["content-language"] for lang, page in found.items()} == {
            "zh-CN": "zh-CN",
            "en": "en",
        }
        assert found["zh-CN"].text != found["en"].text

    def test_finds_people_by_name_and_role(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")

        found = visitor.ask("GET", "/admin/people.json?role=payer").json()["data"]

        assert "payer" in {row["login"] for row in found}
        assert all("payer" in row["roles"] for row in found)
        assert visitor.ask("GET", "/admin/people.json?q=nobody-is-called-so").json() == {"data": []}


class TestAPerson:
    def test_is_entered_given_a_role_and_loses_it_again(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/admin/people/new")
        visitor.send("add an account", login="li", email="li@example.org", name="Li", language="en")
        visitor.open("/users/li/do/grant")
        visitor.send("grant a role", role="payer", organisation_id=str(house.parties["funder"]))
        visitor.open("/users/li")
        assert "payer take a role back funder" in visitor.page.text
        visitor.follow("take a role back")

        visitor.send("take a role back")

        assert "No role" in visitor.open("/users/li").text
        assert house.one("SELECT count(*) FROM role_grant WHERE revoked_at IS NULL AND role = 'payer'") == 1

    def test_entered_twice_keeps_what_was_typed(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/admin/people/new")

        page = visitor.send("add an account", login="payer", email="p@example.org", name="Another", language="en")

        assert page.status == 409
        assert ("name", "Another") in page.form("/admin/people/new").fields

    def test_is_disabled_and_enabled_again(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor, theirs = signed_in("admin"), signed_in("payer")
        visitor.open("/users/payer/do/disable")
        visitor.send("disable an account")
        assert "Sign in" in theirs.open("/board").title

        visitor.open("/users/payer/do/enable")
        visitor.send("enable an account")

        assert house.one("SELECT status FROM app_user WHERE login = 'payer'") == "active"

    def test_sees_their_own_page_only(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")

        assert (visitor.open("/users/coordinator").status, visitor.open("/users/admin").status) == (200, 404)


class TestAToken:
    def test_is_shown_once_kept_as_its_hash_and_ends_when_said(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("admin")
        visitor.open("/users/operator/do/add-token")

        page = visitor.send("give a token", days="30", scopes=["read"])

        (sha256, scopes, expires_at) = house.rows("SELECT token_sha256, scopes, expires_at FROM api_token")[0]
        text = next(word for word in page.text.split() if word.startswith("pt_"))
        assert (fingerprint(text), scopes) == (sha256, '["read"]')
        assert str(expires_at)[:10] == (house.now + timedelta(days=30)).date().isoformat()
        assert text not in visitor.open("/users/operator").text

    def test_is_listed_with_its_use_and_taken_back(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/users/operator/do/add-token")
        visitor.send("give a token", days="30", scopes=["read"])
        assert "not used yet" in visitor.open("/users/operator").text

        visitor.follow("take a token back")
        assert "read" in visitor.page.text
        visitor.send("take a token back")

        assert house.one("SELECT count(*) FROM api_token WHERE revoked_at IS NOT NULL") == 1
        assert "over" in visitor.open("/users/operator").text

    def test_is_not_given_to_oneself(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/users/admin/do/add-token")

        assert visitor.send("give a token", days="30", scopes=["read"]).status in (403, 409)


class TestAnOrganisation:
    def test_is_entered_and_tied_to_another(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/admin/organisations/new")
        visitor.send("add an organisation", name="New Lab", kind="lab")
        ref = house.one("SELECT id FROM organisation WHERE name = 'New Lab'")
        visitor.open(f"/organisations/{ref}/do/tie")

        visitor.send("tie organisations", other_id=str(house.parties["sme"]), share_basis_points="2500")

        assert "25%" in visitor.open(f"/organisations/{ref}").text

    def test_of_others_does_not_exist_for_a_firm(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("project_lead")

        assert visitor.open(f"/organisations/{house.parties['funder']}").status == 404
        assert visitor.open(f"/organisations/{new_id()}").status == 404


class TestTheCalendar:
    def test_takes_a_day_of_our_own_and_tells_it_as_a_calendar(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("admin")
        visitor.open("/calendars/working-days/do/override")
        typed = {"day": "2025-07-11", "is_working_day": "no", "name": "Typhoon", "notice": "No. 7"}

        visitor.send("set a day", **typed)

        assert "2025-07-11" in visitor.open("/admin/calendar").text
        assert "Typhoon" in visitor.ask("GET", "/admin/calendar.ics").text
