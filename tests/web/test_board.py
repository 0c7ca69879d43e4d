"""A card says what is missing, who owes it, whom it waits for and what money waits; the views share one query."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qsl
from uuid import UUID

import icalendar
import pytest
from sqlalchemy import update

from lifecycle.disbursement.commands import Freeze
from lifecycle.funds.commands import HoldFund
from lifecycle.projects.commands import Recycle
from models.db import transaction
from models.projects import StageRun
from models.reading import table_of
from models.states import ProjectState, Role
from tests.factories import House, a_project, key, projects, put_on_hold, reviews
from tests.money import a_fund, a_payout, an_agreement
from tests.paying import Paying, a_paying_fund
from tests.web.browser import Browser, Page
from tests.web.test_plans import asked_of
from tests.web.test_projects import number
from web.pages import board

WORDS = {"sme": ("firm", "企业"), "platform": ("platform", "平台")}
SignedIn = Callable[..., Browser]


@pytest.fixture
def paying(house: House) -> Paying:
    """Give a fund with a project that asked for money of its first tranche."""
    found = a_paying_fund(house)
    found.requested()
    return found


def due_on(house: House, *days: int) -> list[UUID]:
    """Return projects in intake that are due so many days from today, in this order."""
    made = projects(house, len(days))
    run = table_of(StageRun)
    with transaction(house.engine) as session:
        for one, after in zip(made, days, strict=True):
            due = house.today + timedelta(days=after)
            session.execute(update(run).where(run.c.project_id == one).values(due_on=due))
    return made


def card(page: Page, named: str) -> str:
    """Return the markup of the card of a project."""
    (found,) = [one for one in page.answer.text.split("<article")[1:] if f"/projects/{named}" in one]
    return found.partition("</article>")[0]


class TestACard:
    def test_says_how_much_is_missing_and_who_owes_it_as_last_judged(self, house: House, signed_in: SignedIn) -> None:
        a_project(house, stage=ProjectState.FEASIBILITY, pack="default")
        rows = house.rows("SELECT owed_by FROM requirement WHERE verdict NOT IN ('met', 'waived')")
        owed = Counter(party for row in rows for party in (row.owed_by or "").split())

        said = {lang: signed_in("coordinator", lang=lang).open("/board").text for lang in ("en", "zh-CN")}

        assert set(owed) == {"platform", "sme"}
        assert f"{len(rows)} missing (" in said["en"]
        assert f"缺 {len(rows)} 项（" in said["zh-CN"]
        for party, many in owed.items():
            assert f"{WORDS[party][0]} {many}" in said["en"].partition(" missing (")[2].partition(")")[0]
            assert f"{WORDS[party][1]} {many}" in said["zh-CN"].partition(" 项（")[2].partition("）")[0]

    def test_counts_what_two_parties_owe_together_so_that_it_adds_up(self, house: House, signed_in: SignedIn) -> None:
        one = a_project(house, stage=ProjectState.FEASIBILITY, pack="default")
        present = "stage_run_id = (SELECT stage_run_id FROM project WHERE id = :id)"
        rows = house.rows(f"SELECT owed_by, verdict FROM requirement WHERE {present}", id=str(one))
        lacking = [row.owed_by.split() for row in rows if row.verdict not in {"met", "waived"}]
        shared = sum(len(parties) == 2 for parties in lacking)
        visitor = signed_in("coordinator")
        with transaction(house.engine) as session:
            session.execute(update(table_of(StageRun)).values(due_on=house.today))

        (row,) = visitor.ask("GET", "/projects.json").json()["data"]
        parts = re.search(r"(\d+) missing \(\w+ (\d+)\W+\w+ (\d+); (\d+) of", visitor.open("/board").text)

        assert shared
        assert max(map(len, lacking)) == 2, "with three it would take more words"
        assert row["shared_count"] == shared
        assert parts
        missing, some, others, together = map(int, parts.groups())
        assert (missing, together) == (len(lacking), shared)
        assert some + others - together == missing
        for path in ("/board", "/projects", "/projects/calendar"):
            assert f"{shared} of them together" in visitor.open(path).text
            assert f"其中 {shared} 项共同承担" in signed_in("coordinator", lang="zh-CN").open(path).text
        assert "Owed together" in visitor.ask("GET", "/projects.csv").text

    def test_says_the_one_party_that_owes_everything(self, house: House, signed_in: SignedIn) -> None:
        a_project(house, pack="lean")

        assert "1 missing (firm)" in signed_in("coordinator").open("/board").text

    def test_says_the_same_as_the_list(self, house: House, signed_in: SignedIn) -> None:
        one = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
        visitor = signed_in("coordinator")

        (row,) = visitor.ask("GET", "/projects.json").json()["data"]

        assert (row["number"], row["open_count"], row["owed_by"]) == (number(house, one), 2, ["sme"])
        assert "2 missing (firm)" in visitor.open("/board").text
        assert "2 firm 2" in visitor.open("/projects").text

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ("called", "votes of the panel still out: 3"),
            ("voted", "the panel has voted; its outcome is still to be proposed"),
            ("proposed", "the outcome of the panel is proposed and still to be decided"),
        ],
    )
    def test_says_what_of_its_panel_it_waits_for(
        self, house: House, signed_in: SignedIn, state: str, said: str
    ) -> None:
        reviews(house, state=state)

        assert said in signed_in("coordinator").open("/board").text

    def test_is_marked_in_colour_and_in_words_when_it_is_late(self, house: House, signed_in: SignedIn) -> None:
        late, soon = due_on(house, -7, 7)
        page = signed_in("coordinator").open("/board")

        assert 'class="pc late"' not in card(page, number(house, soon))
        assert " late" in card(page, number(house, late)).partition(">")[0]
        assert "overdue by 5 d" in card(page, number(house, late))


class TestTheMoneyOfACard:
    def test_is_the_payout_that_waits_with_the_way_to_it(
        self, house: House, signed_in: SignedIn, paying: Paying
    ) -> None:
        (payout,) = house.rows("SELECT number FROM payout")

        page = signed_in("fund_manager").open("/board")

        assert page.link("T1 Requested") == f"/payouts/{payout.number}"
        assert "T1 待批" in signed_in("fund_manager", lang="zh-CN").open("/board").text

    @pytest.mark.parametrize("login", ["lab_lead", "process_engineer", "operator"])
    def test_is_not_shown_to_who_reads_no_payouts(
        self, house: House, signed_in: SignedIn, paying: Paying, login: str
    ) -> None:
        page = signed_in(login).open("/board")

        assert paying.money.project_id is not None
        assert number(house, paying.money.project_id) in page.text
        assert "T1" not in page.text
        assert "/payouts/" not in page.answer.text

    @pytest.mark.parametrize("login", [*Role, "stranger", "other.coordinator", "nobody"])
    def test_is_shown_to_exactly_those_who_may_open_it(
        self, house: House, signed_in: SignedIn, paying: Paying, login: str
    ) -> None:
        (payout,) = house.rows("SELECT number FROM payout")
        visitor = signed_in(login)

        is_readable = visitor.open(f"/payouts/{payout.number}").status == 200

        assert (f"/payouts/{payout.number}" in visitor.open("/board").answer.text) == is_readable

    def test_that_the_bank_sent_back_comes_first(self, house: House, signed_in: SignedIn) -> None:
        money = a_fund(house)
        an_agreement(money)
        a_payout(money, "requested")
        a_payout(money, "returned", place=1)

        page = signed_in("fund_manager").open("/board")

        assert "T2 Returned and 1 more" in page.text
        assert 'class="tag bad" href="/payouts/' in page.answer.text

    def test_that_is_paid_is_no_flag(self, house: House, signed_in: SignedIn) -> None:
        money = a_fund(house)
        an_agreement(money)
        a_payout(money, "paid")

        assert "/payouts/" not in signed_in("fund_manager").open("/board").answer.text

    @pytest.mark.parametrize("which", ["fund", "everything"])
    def test_says_that_nothing_leaves(self, house: House, signed_in: SignedIn, paying: Paying, which: str) -> None:
        visitor = signed_in("fund_manager")
        before = visitor.open("/board").text
        until = house.today + timedelta(days=3)
        if which == "fund":
            hold = HoldFund(
                command_id=key(), fund_id=paying.fund_id, code="mismatch", reason="0.01 differs", until_on=until
            )
            house.do(hold, by=Role.FUND_DIRECTOR)
        else:
            house.do(Freeze(command_id=key(), reason="a wrong payee"), by=Role.ACCOUNTANT)

        after = visitor.open("/board").text

        assert ("payments stopped" in before, "payments stopped" in after) == (False, True)
        assert "出款已停止" in signed_in("fund_manager", lang="zh-CN").open("/board").text


class TestTheBoard:
    def test_costs_the_same_statements_for_many_cards_as_for_one(
        self, house: House, signed_in: SignedIn, paying: Paying
    ) -> None:
        projects(house, stage=ProjectState.FEASIBILITY, pack="lean")
        visitor, counts = signed_in("coordinator"), []
        for _ in range(2):
            with asked_of(house) as asked:
                visitor.open("/board")
            counts.append(len(asked))
            projects(house, 8)
            projects(house, 4, stage=ProjectState.FEASIBILITY)
            projects(house, 8, stage=ProjectState.FEASIBILITY, pack="lean")

        assert visitor.open("/board").answer.text.count("<article") > 20
        assert counts[0] == counts[1]

    def test_says_how_long_a_stage_takes_beside_what_the_standard_asks(
        self, house: House, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        projects(house, 3, stage=ProjectState.FEASIBILITY)
        projects(house)
        visitor = signed_in("coordinator")

        few = visitor.open("/board").text
        monkeypatch.setattr(board, "DWELT", 3)
        many = visitor.open("/board").text

        assert re.search(r"Intake 1 median stay 0 d / target \d+ (d|months) ", few)
        assert "Feasibility 3 target ~126 d" in few, "nobody has left it"
        assert re.search(r"Intake 1 target \d+ (d|months) ", many)

    @pytest.mark.parametrize("lang", ["en", "zh-CN"])
    def test_counts_the_days_of_a_project_that_was_sent_back_as_its_page_does(
        self, house: House, signed_in: SignedIn, lang: str
    ) -> None:
        one = a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="lean")
        house.do(Recycle(command_id=key(), project_id=one, code="other", reason="thin"), by=Role.COORDINATOR)
        run = table_of(StageRun)
        first, second = (house.today - timedelta(days=days) for days in (14, 7))
        with transaction(house.engine) as session:
            session.execute(update(run).where(run.c.closed_on.is_(None)).values(opened_on=second))
            session.execute(update(run).where(run.c.closed_on.is_not(None)).values(opened_on=first, closed_on=second))
        visitor = signed_in("coordinator", lang=lang)

        board, page = visitor.open("/board").text, visitor.open(f"/projects/{number(house, one)}").answer.text

        said = {"en": "10 d in 2 visits", "zh-CN": "2 次共 10 天"}[lang]
        assert said in board
        assert f"{second:%m-%d} · {said}<" in page
        assert {"en": "10 d / target ~252 d", "zh-CN": "10 天 / 目标约 252 天"}[lang] in page

    def test_of_one_stage_or_of_those_on_hold_shows_no_others(self, house: House, signed_in: SignedIn) -> None:
        early, held = projects(house, 2)
        (later,) = projects(house, stage=ProjectState.FEASIBILITY)
        put_on_hold(house, held)
        shown = {}
        for login in ("coordinator", "auditor"):
            visitor = signed_in(login)
            for query in ("stage=feasibility", "hold=true"):
                page = visitor.open(f"/board?{query}")
                shown[login, query] = [one for one in (early, held, later) if number(house, one) in page.text]

        assert shown == {
            **{(login, "stage=feasibility"): [later] for login in ("coordinator", "auditor")},
            **{(login, "hold=true"): [held] for login in ("coordinator", "auditor")},
        }

    @pytest.mark.parametrize("login", ["coordinator", "auditor"])
    def test_says_that_nothing_fits_its_filter_and_counts_only_what_does(
        self, house: House, signed_in: SignedIn, login: str
    ) -> None:
        late, _, held = due_on(house, -7, 7, 7)
        due_on(house, -7)
        put_on_hold(house, held)
        visitor = signed_in(login)

        every, nothing = visitor.open("/board"), visitor.open("/board?q=zzzz")
        way = nothing.link("Take the filter off")
        one, idle = (visitor.open(f"/board?q={number(house, it)}") for it in (late, held))
        elsewhere = visitor.open("/board?stage=feasibility")

        assert ("Overdue 2" in every.text, "On hold 1" in every.text) == (True, True)
        assert "No project under way fits the filter" in nothing.text
        assert "进行中的项目没有符合筛选条件的" in signed_in(login, lang="zh-CN").open("/board?q=zzzz").text
        assert way == "/board"
        assert ("Overdue 0" in nothing.text, "On hold 0" in nothing.text) == (True, True)
        assert ("Overdue 1" in one.text, "On hold 0" in one.text) == (True, True)
        assert ("Overdue 0" in idle.text, "On hold 1" in idle.text) == (True, True)
        assert one.text.count("No project fits the filter.") == 4, "the other columns"
        assert ("Overdue 0" in elsewhere.text, "On hold 0" in elsewhere.text) == (True, True)
        assert "They come here when" in every.text
        assert "They come here when" not in one.text + nothing.text

    def test_refuses_a_stage_that_there_is_not(self, signed_in: SignedIn) -> None:
        assert signed_in("coordinator").open("/board?stage=nowhere").status == 422

    @pytest.mark.parametrize("login", ["coordinator", "auditor"])
    def test_of_a_party_shows_what_waits_for_it_as_list_and_calendar_do(
        self, house: House, signed_in: SignedIn, login: str
    ) -> None:
        idle = number(house, a_project(house))
        waits = number(house, a_project(house, stage=ProjectState.FEASIBILITY, pack="lean"))
        visitor = signed_in(login)
        with transaction(house.engine) as session:
            session.execute(update(table_of(StageRun)).values(due_on=house.today))
        paths = ("/board?", "/projects?", "/projects/calendar?")

        shown = [[visitor.open(f"{path}owed_by={one}").text for path in paths] for one in ("sme", "customer")]

        assert [[waits in text for text in texts] for texts in shown] == [[True] * 3, [False] * 3]
        assert not [text for texts in shown for text in texts if idle in text]
        assert "Feasibility 1" in shown[0][0]


class TestTheMenuOfACard:
    def test_leads_to_the_page_that_confirms_the_first_act(self, house: House, signed_in: SignedIn) -> None:
        one = number(house, a_project(house))
        visitor = signed_in("coordinator")
        visitor.open("/board")

        page = visitor.follow("Next act")

        assert page.path == f"/projects/{one}/do/advance"
        assert page.form("/do/advance")

    def test_leads_to_the_project_where_somebody_can_do_nothing(self, house: House, signed_in: SignedIn) -> None:
        one = number(house, a_project(house))

        assert signed_in("auditor").open(f"/projects/{one}/next").path.partition("#")[0] == f"/projects/{one}"
        assert signed_in("stranger").open(f"/projects/{one}/next").status == 404

    def test_offers_to_assign_and_to_remind_the_firm_only_to_who_may(self, house: House, signed_in: SignedIn) -> None:
        one = number(house, a_project(house, stage=ProjectState.FEASIBILITY, pack="lean"))
        idle = number(house, a_project(house))

        coordinator, auditor = (signed_in(login).open("/board") for login in ("coordinator", "auditor"))

        acts = [f"/projects/{one}/do/{verb}" for verb in ("notice-issue", "assign")]
        assert [act in card(coordinator, one) for act in acts] == [True, True]
        assert [act in card(auditor, one) for act in acts] == [False, False]
        assert "notice-issue" not in card(coordinator, idle)


class TestTheViews:
    def test_share_one_query(self, signed_in: SignedIn) -> None:
        visitor = signed_in("coordinator")
        key = UUID(int=7)
        query = "&".join(
            [
                "q=robot&overdue=true&mine=true&stage=intake&hold=true&owed_by=sme&since=2025-01&until=2025-12",
                f"platform={key}&programme={key}&standard=lean&ever=intake&decided=true",
            ]
        )

        for path in ("/board", "/projects", "/projects/calendar"):
            page = visitor.open(f"{path}?{query}")
            views = [page.link(words) for words in ("List", "Calendar")]
            (form,) = [one for one in page.forms if one.action == path]
            assert {name for name, value in form.fields if value} - {"month"} == {*dict(parse_qsl(query))}
            assert f"/board?{query}" in [target for _, target in page.links]
            assert views == [f"/projects?{query}", f"/projects/calendar?{query}"]


class TestTheCalendar:
    def test_lists_by_day_what_is_due_in_a_month(self, house: House, signed_in: SignedIn) -> None:
        second, first, later = due_on(house, 9, 2, 60)
        visitor = signed_in("coordinator")

        page = visitor.open("/projects/calendar")
        later_page = visitor.open(f"/projects/calendar?month={house.today + timedelta(days=60):%Y-%m}")

        assert page.text.index(number(house, first)) < page.text.index(number(house, second))
        assert number(house, later) not in page.text
        assert number(house, later) in later_page.text
        assert "Stages due in this month: 2" in page.text

    def test_goes_on_behind_the_last_one(self, house: House, signed_in: SignedIn) -> None:
        made = due_on(house, *([3] * 52))
        visitor = signed_in("coordinator")

        first = visitor.open("/projects/calendar").text
        second = visitor.follow("Next page").text

        shown = [[one for one in made if number(house, one) in text] for text in (first, second)]
        assert [len(part) for part in shown] == [50, 2]
        assert set(shown[0]) | set(shown[1]) == set(made)

    def test_is_told_as_a_calendar_and_as_tables(self, house: House, signed_in: SignedIn) -> None:
        due_on(house, 1, 2, 60)
        visitor = signed_in("coordinator")

        told = [visitor.ask("GET", f"/projects/calendar.{form}") for form in ("json", "csv", "xlsx", "ics")]

        assert [one.status_code for one in told] == [200] * 4
        assert len(told[0].json()["data"]) == 2
        assert len(icalendar.Calendar.from_ical(told[3].content).walk("VEVENT")) == 2

    def test_shows_nothing_of_others(self, house: House, signed_in: SignedIn) -> None:
        (made,) = due_on(house, 1)

        page = signed_in("stranger").open(f"/projects/calendar?after={number(house, made)}")

        assert number(house, made) not in page.text
        assert "None is due in this month" in page.text

    @pytest.mark.parametrize("month", ["2025-13", "x", "9999-12", "0001-01"])
    def test_refuses_what_is_no_month(self, signed_in: SignedIn, month: str) -> None:
        assert signed_in("coordinator").open(f"/projects/calendar?month={month}").status == 422
