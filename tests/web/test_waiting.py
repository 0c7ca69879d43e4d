"""The number in the bar: judged once for many tabs, forgotten with a deed, and nobody's session lives longer by it."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from models.db import transaction
from models.ids import new_id
from models.projects import StageRun
from models.reading import table_of
from models.states import ProjectState
from notifications.reminders import plan
from tests.factories import House, projects
from tests.web.browser import Browser
from tests.web.conftest import console_of
from tests.web.test_meter import Ticks
from tests.web.test_plans import asked_of
from web.waiting import LASTS, Number, Waiting

ONE, TWO = Number(count=1, is_cut=False), Number(count=2, is_cut=True)


@pytest.fixture
def made(house: House) -> UUID:
    """Give a project at gate G2 of the lean standard, of which its firm's lead owes much."""
    return projects(house, stage=ProjectState.FEASIBILITY, pack="lean")[0]


class TestWhatIsRemembered:
    def test_is_judged_anew_after_half_a_minute_and_for_everybody_by_themselves(self) -> None:
        ticks, own, other = Ticks(), new_id(), new_id()
        waiting = Waiting(clock=ticks)

        assert waiting.known(own) is None
        assert waiting.asked(own, lambda: ONE) == ONE
        assert waiting.asked(own, lambda: TWO) == ONE
        assert waiting.asked(other, lambda: TWO) == TWO
        ticks.now += LASTS
        assert waiting.known(own) is None
        assert waiting.asked(own, lambda: TWO) == TWO

    def test_is_forgotten_with_a_deed_also_while_it_is_judged(self) -> None:
        own, waiting = new_id(), Waiting()

        def judged_while_somebody_acts() -> Number:
            waiting.forget(own)
            return ONE

        assert waiting.asked(own, judged_while_somebody_acts) == ONE
        assert waiting.known(own) is None
        assert waiting.asked(own, lambda: TWO) == TWO

    def test_is_judged_once_for_ten_tabs_that_ask_at_once(self) -> None:
        own, waiting, judged = new_id(), Waiting(), Counter[str]()
        together = threading.Barrier(10)
        found: list[Number] = []

        def judge() -> Number:
            judged["times"] += 1
            return TWO

        def tab() -> None:
            together.wait()
            found.append(waiting.asked(own, judge))

        tabs = [threading.Thread(target=tab) for _ in range(10)]
        for one in tabs:
            one.start()
        for one in tabs:
            one.join()

        assert (found, judged["times"]) == ([TWO] * 10, 1)

    def test_of_others_is_dropped_when_it_is_old(self) -> None:
        ticks, gone = Ticks(), new_id()
        waiting = Waiting(clock=ticks)
        waiting.asked(gone, lambda: ONE)
        ticks.now += LASTS

        waiting.asked(new_id(), lambda: ONE)

        assert gone not in waiting._places


def _number(visitor: Browser) -> str:
    answer = visitor.ask("GET", "/inbox/count", headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    return answer.text


class TestTheNumberInTheBar:
    @pytest.mark.usefixtures("made")
    def test_comes_by_itself_in_words_too_and_is_that_of_the_inbox(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("project_lead")
        assert 'data-polls="/inbox/count?lang=en"></span>' in visitor.open("/projects").answer.text

        said = _number(visitor)
        todo = visitor.open("/inbox").text.count("It is yours")

        assert todo > 1
        assert said == f'{todo}<span class="sr"> waiting for you</span>'
        assert visitor.open("/projects").link(f"Inbox {todo} waiting for you") == "/inbox"

    def test_is_nothing_where_nothing_waits(self, signed_in: Callable[..., Browser]) -> None:
        assert _number(signed_in("project_lead")) == ""

    @pytest.mark.usefixtures("made")
    def test_costs_a_page_nothing_and_a_second_tab_no_judgement(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("project_lead")
        visitor.open("/projects")
        with asked_of(house) as before:
            visitor.open("/projects")
        with asked_of(house) as judged:
            _number(visitor)
        with asked_of(house) as again:
            _number(visitor)
        with asked_of(house) as after:
            visitor.open("/projects")

        assert len(before) == len(after)
        assert len(judged) > 10
        assert len(again) == 1  # who has this session

    def test_is_judged_anew_when_somebody_has_done_something(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("project_lead")
        assert _number(visitor) == ""

        visitor.open("/projects/new")
        places = {"programme_id": house.programmes["lean"], "platform_id": house.parties["platform"]}
        places |= {"organisation_id": house.parties["sme"]}
        visitor.send("Hand the application in", name="robot arm", **{name: str(one) for name, one in places.items()})

        assert visitor.page.path.startswith("/receipts/")
        assert int(_number(visitor).partition("<")[0]) > 0

    def test_is_for_who_is_signed_in(self, browser: Browser) -> None:
        answer = browser.ask("GET", "/inbox/count")

        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login")

    def test_lets_no_session_live_longer(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        began = house.one("SELECT seen_at FROM web_session")
        house.now += timedelta(minutes=20)
        with Browser(console_of(house)) as later:
            later.client.cookies = visitor.client.cookies
            _number(later)
            assert house.one("SELECT seen_at FROM web_session") == began
            later.open("/projects")
            assert house.one("SELECT seen_at FROM web_session") > began


def _plan(house: House) -> None:
    """Let every stage be due on the sixteenth, and have the clock plan who is reminded of it."""
    with transaction(house.engine) as session:
        session.execute(update(table_of(StageRun)).values(due_on=date(2025, 7, 16)))
        plan(session, house.stamp(), ZoneInfo("Asia/Shanghai"))


class TestAnEmptyInbox:
    def test_says_which_day_of_ones_projects_is_next(
        self, house: House, signed_in: Callable[..., Browser], made: UUID
    ) -> None:
        number = str(house.one("SELECT number FROM project WHERE id = :id", id=str(made)))
        visitor = signed_in("coordinator")
        assert "Nothing waits for you. What is your turn comes here. Board" in visitor.open("/inbox").text

        _plan(house)

        page = visitor.open("/inbox")
        assert (
            f"Nothing waits for you. What is your turn comes here. The next is expected on 07-16: {number}" in page.text
        )
        assert "stage due · Feasibility" in page.text
        assert page.link(number) == f"/projects/{number}"

    @pytest.mark.usefixtures("made")
    @pytest.mark.parametrize("login", ["other.coordinator", "auditor", "stranger"])
    def test_tells_nothing_of_the_projects_of_others(
        self, house: House, signed_in: Callable[..., Browser], login: str
    ) -> None:
        _plan(house)

        page = signed_in(login).open("/inbox")

        assert "Nothing waits for you." in page.text
        assert "is expected" not in page.text

    @pytest.mark.usefixtures("made")
    def test_asks_as_little_for_many_projects_as_for_one(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        _plan(house)
        visitor.open("/inbox")
        with asked_of(house) as one:
            visitor.open("/inbox")
        projects(house, 4, stage=ProjectState.FEASIBILITY, pack="lean")
        _plan(house)
        with asked_of(house) as many:
            assert "is expected" in visitor.open("/inbox").text

        assert len(many) == len(one)
