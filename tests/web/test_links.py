"""The link from a mail: the same answer for all, one use, fifteen minutes, and nothing but the own pages of a firm."""

from collections.abc import Callable

import pytest

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from lifecycle.people.commands import DisableUser, GrantRole
from lifecycle.permissions import ON_OWN_PAGE, PERMISSIONS
from models.states import Role
from tests.factories import House, a_project, key
from tests.web.browser import Browser
from tests.web.conftest import console_of
from tests.web.letters import letters, link_in

SAME = {"sec-fetch-site": "same-origin"}
PASSWORD = "correct horse battery"


def ask_for(visitor: Browser, login: str) -> tuple[int, str]:
    """Ask for a link on the sign-in page, and return what is said."""
    visitor.open("/login")
    visitor.follow("Sign in by a link from a mail (firms)")
    page = visitor.send("Send the link", login=login)
    return page.status, page.text


@pytest.fixture
def number(house: House) -> str:
    """Give the number of a project of the firm."""
    made = a_project(house)
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(made)))


@pytest.fixture
def own_page(house: House, browser: Browser, number: str) -> Browser:
    """Give a browser that came in by the link; its person is an administrator besides."""
    lead = house.people[Role.PROJECT_LEAD].user_id
    house.do(GrantRole(command_id=key(), user_id=lead, role=Role.ADMIN), by=Role.ADMIN)
    ask_for(browser, "project_lead")
    browser.open(link_in(letters(house)[0]))
    browser.send("Come in")
    return browser


class TestAsking:
    def test_is_answered_alike_whoever_it_is_and_sent_to_firms_only(self, house: House, browser: Browser) -> None:
        house.do(DisableUser(command_id=key(), user_id=house.people["finance_officer"].user_id), by=Role.ADMIN)
        said = {ask_for(browser, login) for login in ("project_lead", "nobody-at-all", "payer", "finance_officer")}

        assert len(said) == 1
        assert {message["To"] for message in letters(house)} == {"project_lead@example.org"}

    def test_again_and_again_fills_no_mailbox_and_keeps_the_links_that_were_sent(
        self, house: House, browser: Browser
    ) -> None:
        for _ in range(5):
            ask_for(browser, "project_lead")
        sent = letters(house)

        assert len(sent) == 3
        browser.open(link_in(sent[0]))
        assert browser.send("Come in").path == "/my"

    def test_is_limited_by_place_and_keeps_nobody_out_elsewhere(self, house: House, browser: Browser) -> None:
        said = [ask_for(browser, f"nobody{number}")[0] for number in range(11)]

        assert said == [200] * 10 + [429]
        own = house.people[Role.PROJECT_LEAD].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed(PASSWORD)), by=Role.PROJECT_LEAD)
        with Browser(console_of(house)) as elsewhere:
            elsewhere.client._transport.client = ("192.0.2.99", 1)  # type: ignore[attr-defined]
            elsewhere.open("/login")
            assert elsewhere.send("Sign in", login="project_lead", password=PASSWORD).path == "/my"


class TestALink:
    def test_is_not_used_up_by_opening_it(self, house: House, browser: Browser) -> None:
        ask_for(browser, "project_lead")
        path = link_in(letters(house)[0])
        before = house.one("SELECT count(*) FROM audit_record")

        statuses = [browser.open(path).status for _ in range(3)]
        browser.ask("HEAD", path)

        assert statuses == [200, 200, 200]
        assert house.one("SELECT count(*) FROM audit_record") == before
        assert browser.send("Come in").path == "/my"

    def test_works_once(self, house: House, own_page: Browser) -> None:
        path = link_in(letters(house)[0])
        form = {"csrf": dict(own_page.page.form("/logout").fields)["csrf"]}

        assert own_page.open(path).status == 410
        assert own_page.ask("POST", path, data=form, headers=SAME).status_code == 410
        assert house.one("SELECT count(*) FROM web_session") == 1

    def test_runs_out_after_fifteen_minutes(self, house: House, browser: Browser) -> None:
        ask_for(browser, "project_lead")
        path = link_in(letters(house)[0])
        house.later(minutes=15)

        with Browser(console_of(house)) as late:
            page = late.open(path)

        assert (page.status, "run out" in page.text) == (410, True)

    def test_is_no_invitation(self, house: House, browser: Browser) -> None:
        ask_for(browser, "project_lead")
        token = link_in(letters(house)[0]).rpartition("/")[2]

        assert browser.open(f"/invite/{token}").status == 410


class TestItsSession:
    def test_opens_the_own_pages(self, own_page: Browser, number: str) -> None:
        own = ("batch-table", "batch-table.xlsx", "files", "do/evidence-add")
        for path in ("/my", f"/my/{number}", *(f"/projects/{number}/{one}" for one in own)):
            assert own_page.open(path).status == 200, path
        assert "only your firm's own pages are open" in own_page.page.text

    def test_opens_no_other_page(self, own_page: Browser, number: str) -> None:
        staff = ("inbox", "board", "projects", "payouts", "funds", "search", "portfolio", "step-up", "ops", "audit")
        more = ("admin/people", "preferences", "projects/new", "users/project_lead", f"projects/{number}/money")
        pages = {path: own_page.open(f"/{path}") for path in (*staff, *more, f"projects/{number}")}

        said = {(page.status, "sign in with your password" in page.text) for page in pages.values()}
        assert said == {(403, True)}
        assert own_page.ask("GET", f"/api/v1/projects/{number}").status_code == 403

    def test_calls_no_verb_besides(self, house: House, own_page: Browser, number: str) -> None:
        page = own_page.open(f"/projects/{number}/do/withdraw")
        assert "only" in page.text
        form = {"csrf": dict(own_page.page.form("/logout").fields)["csrf"], "reason": "no more"}

        answer = own_page.ask("POST", f"/projects/{number}/do/withdraw", data=form, headers=SAME)

        assert answer.status_code == 403
        assert house.one("SELECT stage FROM project") == "intake"
        last = house.one("SELECT action FROM audit_record ORDER BY seq DESC LIMIT 1")
        assert last == "project.withdraw.refused"

    def test_is_named_as_such_in_the_row_of_the_session(self, house: House, own_page: Browser) -> None:
        (row,) = house.rows("SELECT kind, is_own_page_only FROM web_session")

        assert (row.kind, row.is_own_page_only) == ("link", 1)

    def test_ends_with_signing_out(self, own_page: Browser) -> None:
        own_page.open("/my")
        own_page.send("Sign out")

        assert own_page.open("/my").path.startswith("/login")

    def test_never_lets_anybody_near_money_or_administration(self) -> None:
        of_money = (
            "payout",
            "payee_account",
            "agreement",
            "fund",
            "cost",
            "milestone",
            "batch",
            "statement",
            "recovery",
        )
        closed = (*of_money, "user", "invitation", "organisation", "programme", "standard", "disbursement", "webhook")

        assert {one for one in ON_OWN_PAGE if one.partition(".")[0] in closed} == {"user.sign_out"}
        firm = {Role.PROJECT_LEAD, Role.FINANCE_OFFICER, Role.PROCESS_ENGINEER}
        assert all(PERMISSIONS[one] & firm for one in ON_OWN_PAGE - {"user.sign_out"})


def test_signs_a_person_of_staff_out_of_what_was_open(
    house: House, signed_in: Callable[..., Browser], number: str
) -> None:
    staff = signed_in("coordinator")
    with Browser(console_of(house)) as other:
        ask_for(other, "project_lead")
    staff.open(link_in(letters(house)[0]))

    staff.send("Come in")

    ended = house.rows("SELECT kind FROM web_session WHERE ended_at IS NULL")
    assert [row.kind for row in ended] == ["link"]
