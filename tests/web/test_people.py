"""Inbox, the firm's own pages, batches, messages, delegation, search and intake, as people use them."""

from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import pytest

from lifecycle.requirements.commands import IssueNotice
from models.states import ProjectState, Role
from tests.factories import House, batches, hand_in, key, projects, sign_contract
from tests.web.browser import Browser
from tests.web.conftest import console_of, sign_in
from web.pages import delegations


def number(house: House, project_id: UUID) -> str:
    """Return what people call a project."""
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


@pytest.fixture
def made(house: House) -> UUID:
    """Give a project at gate G2 of the lean standard."""
    return projects(house, stage=ProjectState.FEASIBILITY, pack="lean")[0]


class TestTheInbox:
    def test_says_what_is_owed_what_it_blocks_and_why_one_sees_it(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        page = signed_in("project_lead").open("/inbox")

        assert number(house, made) in page.text
        assert "G2.1" in page.text
        assert "It is yours (project lead)" in page.text
        assert "blocks “Small-batch trial”" in page.text
        assert "Your roles: project lead" in page.text

    def test_moves_a_thing_to_whom_it_is_handed_on(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        assert "G2.1" not in signed_in("coordinator").open("/inbox").text

        hand_in(house, made)

        assert "G2.1" in signed_in("coordinator").open("/inbox").text
        assert "G2.1" not in signed_in("project_lead").open("/inbox").text

    def test_is_grouped_by_project_when_asked_for(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        visitor = signed_in("project_lead")
        visitor.open("/inbox")

        page = visitor.follow("By project")

        assert f"<header><h2>{number(house, made)} " in page.answer.text
        assert "G2.1" in page.text

    def test_keeps_the_overdue_apart(self, house: House, visitors: ExitStack) -> None:
        (made,) = projects(house, pack="default")
        house.later(days=200)
        visitor = visitors.enter_context(Browser(console_of(house)))
        sign_in(visitor, "project_lead")
        visitor.open("/inbox")

        page = visitor.follow("Only overdue")

        assert "overdue by" in page.text
        assert number(house, made) in page.text

    def test_shows_nothing_of_others(self, house: House, signed_in: Callable[..., Browser], made: UUID) -> None:
        for login in ("stranger", "other.coordinator", "nobody"):
            assert number(house, made) not in signed_in(login).open("/inbox").text

    def test_remembers_what_was_done_and_begun(self, signed_in: Callable[..., Browser], house: House) -> None:
        visitor = signed_in("project_lead")
        visitor.open("/projects/new")
        programme, platform = str(house.programmes["lean"]), str(house.parties["platform"])
        firm = str(house.parties["sme"])

        visitor.send(
            "Hand the application in",
            name="robot arm",
            programme_id=programme,
            platform_id=platform,
            organisation_id=firm,
        )

        assert visitor.page.path.startswith("/receipts/")
        assert "robot arm" in visitor.open("/inbox?tab=begun").text
        assert "robot arm" in visitor.open("/inbox?tab=done").text


class TestReading:
    def test_of_any_page_changes_nothing(self, house: House, signed_in: Callable[..., Browser], made: UUID) -> None:
        (paper,) = hand_in(house, made)
        one = number(house, made)
        visitors = [signed_in("coordinator"), signed_in("project_lead")]
        tables = ("audit_record", "command_record", "outbox_message", "evidence", "notification", "preference")
        before = [house.one(f"SELECT count(*) FROM {table}") for table in tables]

        for path in (
            *(
                f"/projects/{one}/{tab}"
                for tab in ("gate", "gate/G2.1", "batches", "files", "people", "timeline", "money")
            ),
            *("/inbox", "/inbox?tab=begun", "/inbox?tab=done", "/inbox?tab=told", "/notifications", "/preferences"),
            *(
                "/delegations",
                "/search",
                "/search?q=robot",
                "/projects/new",
                "/batches",
                "/import",
                "/my",
                f"/my/{one}",
            ),
            *(f"/evidence/{paper}", f"/projects/{one}/do/evidence-add", f"/projects/{one}/do/evidence-add?type=plan"),
            *(f"/projects/{one}/timeline?kind=decisions", f"/projects/{one}/files?every=true"),
        ):
            for visitor in visitors:
                assert visitor.open(path).status in (200, 403), path

        assert [house.one(f"SELECT count(*) FROM {table}") for table in tables] == before


class TestTheFirstPage:
    @pytest.mark.parametrize(("login", "path"), [("project_lead", "/my"), ("coordinator", "/inbox")])
    def test_is_that_of_the_part_one_has(self, signed_in: Callable[..., Browser], login: str, path: str) -> None:
        assert signed_in(login).open("/").path == path


class TestTheFirmsOwnPage:
    def test_says_whose_turn_it_is_and_hands_in_from_there(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        visitor = signed_in("project_lead")
        visitor.open(f"/my/{number(house, made)}")
        assert "Whose turn it is now Yours" in visitor.page.text

        visitor.follow("Hand in: Paper")
        visitor.send("Hand in", v_title="the paper", file=("paper.pdf", b"%PDF-1.7\n"))

        page = visitor.open(f"/my/{number(house, made)}")
        assert "What others are doing" in page.text
        assert "What you have to do: 1" in page.text

    def test_is_for_firms(self, signed_in: Callable[..., Browser]) -> None:
        page = signed_in("coordinator").open("/my")

        assert page.status == 403
        assert "project lead" in page.text

    def test_prints_the_notice_once_and_completely(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        house.do(IssueNotice(command_id=key(), project_id=made), by=Role.COORDINATOR)

        page = signed_in("project_lead").open(f"/my/{number(house, made)}/notice/1")

        assert "Completion notice 1" in page.text
        assert "G2.1" in page.text
        assert signed_in("project_lead").open(f"/my/{number(house, made)}/notice/2").status == 404


class TestBatches:
    @pytest.fixture
    def trial(self, house: House) -> str:
        """Give a project in its trial stage, with its contract."""
        (one,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
        sign_contract(house, one)
        return number(house, one)

    def test_are_recorded_with_their_defects_and_corrected_with_a_reason(
        self, house: House, signed_in: Callable[..., Browser], trial: str
    ) -> None:
        visitor = signed_in("process_engineer")
        visitor.open(f"/projects/{trial}/batches")
        visitor.follow("add a batch")
        visitor.send(
            "add a batch", made_on="2025-07-08", started="90", passed_first_time="80", defects="heating=4\nmotor = 6"
        )
        assert visitor.page.path.startswith("/receipts/")

        visitor.open(f"/projects/{trial}/batches/B-01")
        visitor.follow("correct")
        visitor.send("correct a batch", started="90", passed_first_time="84", reason="six were counted twice")

        page = visitor.open(f"/projects/{trial}/batches/B-01")
        assert "84/90" in page.text
        assert "80/90" in page.text
        assert "six were counted twice" in page.text

    def test_stand_in_a_drawing_that_says_the_same_in_words(
        self, house: House, signed_in: Callable[..., Browser], trial: str
    ) -> None:
        made = UUID(house.one("SELECT id FROM project WHERE number = :n", n=trial))
        batches(house, made, started=90, passed=84)

        page = signed_in("coordinator").open(f"/projects/{trial}/batches")

        assert "<title>First-pass yield" in page.answer.text
        assert "84/90 · 93.3%, at least 87.3%" in page.text
        assert "Clopper-Pearson" in page.text


class TestMessages:
    def test_are_preferred_by_topic_and_quiet_hours_are_kept(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        visitor.open("/preferences")

        page = visitor.send("Save", **{"email.project": "daily", "quiet_from": "22:00", "quiet_until": "08:00"})

        assert "Saved." in page.text
        fields = dict(page.form("/preferences").fields)
        assert (fields["email.project"], fields["quiet_from"]) == ("daily", "22:00")

    def test_that_cannot_be_quiet_keep_what_was_typed(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        visitor.open("/preferences")

        page = visitor.send("Save", **{"email.project": "daily", "quiet_from": "25:99", "quiet_until": ""})

        assert page.status == 422
        assert ("quiet_from", "25:99") in page.form("/preferences").fields
        assert "Nothing was changed" in page.text

    def test_of_others_are_not_marked(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        form = visitor.open("/preferences").form("/preferences")
        data = {"csrf": dict(form.fields)["csrf"], "id": "00000000-0000-0000-0000-000000000001"}

        answer = visitor.ask("POST", "/notifications", data=data, headers={"sec-fetch-site": "same-origin"})

        assert answer.status_code == 404


class TestADelegation:
    def test_offers_colleagues_and_nobody_of_another_house(self, signed_in: Callable[..., Browser]) -> None:
        def offered(login: str) -> str:
            visitor = signed_in(login)
            visitor.open("/delegations")
            return " ".join(str(one) for one in _options(visitor, "user_id"))

        assert "(sponsor)" in offered("fund_manager")
        assert "(project_lead)" not in offered("fund_manager")
        assert "(sponsor)" not in offered("project_lead")

    def test_is_given_by_login_where_there_are_too_many_to_choose_from(
        self, house: House, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delegations, "CHOICES", 1)
        visitor = signed_in("fund_manager")
        visitor.open("/delegations")
        role = next(value for name, value in _options(visitor, "role") if "fund manager" in name)
        asked = {"role": role, "from_on": "2025-07-08", "until_on": "2025-07-18", "reason": "leave"}

        for stranger in ("project_lead", "fund_manager", "who"):
            visitor.send("delegate a role", login=stranger, **asked)
            assert "There is no such active account" in visitor.page.text
        visitor.send("delegate a role", login="sponsor", **asked)

        assert visitor.page.path.startswith("/receipts/"), visitor.page.text
        sponsor = house.people["sponsor"].user_id
        assert house.one("SELECT count(*) FROM delegation WHERE delegate_id = :id", id=str(sponsor)) == 1

    def test_is_given_and_ended_by_who_goes_away(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("fund_manager")
        visitor.open("/delegations")
        role = next(value for name, value in _options(visitor, "role") if "fund manager" in name)
        second = str(house.people["sponsor"].user_id)

        visitor.send(
            "delegate a role", user_id=second, role=role, from_on="2025-07-08", until_on="2025-07-18", reason="leave"
        )

        assert visitor.page.path.startswith("/receipts/"), visitor.page.text
        visitor.open("/delegations")
        names = [house.one("SELECT name FROM app_user WHERE login = :l", l=one) for one in ("fund_manager", "sponsor")]
        assert f"{names[0]} → {names[1]}" in visitor.page.text
        assert 'title="sponsor"' in visitor.page.answer.text
        assert f"{names[1]} stands in for {names[0]}" in signed_in("admin").open("/users/sponsor").text
        visitor.send("end a delegation")
        assert "No delegation holds now" in visitor.open("/delegations").text


def _options(visitor: Browser, name: str) -> list[tuple[str, str]]:
    import re  # noqa: PLC0415 - once

    (inner,) = re.findall(rf'<select id="f-{name}".*?</select>', visitor.page.answer.text, re.DOTALL)
    return [(words, value) for value, words in re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)', inner)]


class TestTheSearch:
    def test_opens_a_whole_number_and_finds_files_by_name_and_hash(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        (paper,) = hand_in(house, made)
        sha256 = house.one("SELECT sha256 FROM evidence WHERE id = :id", id=str(paper))
        visitor = signed_in("coordinator")

        assert visitor.open(f"/search?q={number(house, made).lower()}").path == f"/projects/{number(house, made)}"
        assert "paper.pdf" in visitor.open(f"/search?q={sha256[:12]}").text
        assert "paper.pdf" not in signed_in("stranger").open("/search?q=paper").text


class TestTheLanguage:
    def test_that_somebody_chooses_is_kept_with_the_account(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("coordinator", lang="zh-CN")
        visitor.open("/inbox")

        page = visitor.send("English")

        assert page.answer.headers["content-language"] == "en"
        assert house.one("SELECT language FROM app_user WHERE login = 'coordinator'") == "en"
        assert house.one("SELECT COUNT(*) FROM audit_record WHERE action = 'user.set_language'") == 1

    def test_of_the_account_wins_over_one_that_somebody_chose_at_this_browser_before(
        self, browser: Browser, house: House
    ) -> None:
        browser.client.cookies.clear()
        browser.open("/login")
        browser.send("English")
        sign_in(browser, "coordinator")
        switched = browser.open("/inbox").answer.headers["content-language"]

        browser.send("Sign out")
        sign_in(browser, "auditor")

        assert switched == "en"
        assert browser.open("/inbox").answer.headers["content-language"] == "zh-CN"
