"""The overview of a project: its money for who may read it, and its yields, at the same cost however much there is."""

import re
from collections.abc import Callable

import pytest

from lifecycle.trials.commands import CloseBatch
from models.states import ProjectState, Role
from tests.factories import House, a_project, batches, key
from tests.money import AMOUNT, Money, a_fund, a_payout, an_agreement
from tests.web.browser import Browser
from tests.web.test_plans import asked_of
from tests.web.test_projects import number

SignedIn = Callable[..., Browser]


@pytest.fixture
def money(house: House) -> Money:
    """Give a project with a payout that was paid, one that waits and one that came back."""
    made = a_fund(house)
    an_agreement(made, tranches=5)
    for place, state in enumerate(("paid", "requested", "returned")):
        a_payout(made, state, place=place)
    return made


class TestTheOverview:
    def test_says_what_became_of_the_award_and_what_comes_next(
        self, house: House, signed_in: SignedIn, money: Money
    ) -> None:
        assert money.project_id is not None
        one = number(house, money.project_id)
        visitor = signed_in("fund_manager")

        page = visitor.open(f"/projects/{one}")

        box = page.text.partition("Tranches and payouts")[2].partition("People")[0]
        assert [f"{said} ¥{AMOUNT * times / 100:.2f}" in box for said, times in (("Awarded", 5), ("for yet", 2))] == [
            True
        ] * 2
        for said in ("Awarded", "Paid", "In approval", "Returned by the bank", "Not asked for yet"):
            assert said in box
        assert "Next tranche T2" in box
        assert page.link("Tranches and payouts") == f"/projects/{one}/money"
        assert visitor.follow("Tranches and payouts").status == 200
        assert "下一期 T2" in signed_in("fund_manager", lang="zh-CN").open(f"/projects/{one}").text

    @pytest.mark.parametrize(("lang", "said"), [("en", "Term from {}"), ("zh-CN", "期限 自 {} 起")])
    def test_says_from_when_an_agreement_lasts_that_names_no_end(
        self, house: House, signed_in: SignedIn, money: Money, lang: str, said: str
    ) -> None:
        assert money.project_id is not None
        page = signed_in("fund_manager", lang=lang).open(f"/projects/{number(house, money.project_id)}/money")

        assert house.one("SELECT ends_on FROM agreement") is None
        assert said.format(house.today) in page.text

    @pytest.mark.parametrize("login", ["lab_lead", "process_engineer", "operator"])
    def test_says_nothing_of_money_to_who_may_not_read_it(
        self, house: House, signed_in: SignedIn, money: Money, login: str
    ) -> None:
        assert money.project_id is not None

        page = signed_in(login).open(f"/projects/{number(house, money.project_id)}")

        assert page.status == 200
        assert "¥" not in page.text
        assert "/payouts/" not in page.answer.text

    def test_draws_the_yields_as_the_tab_of_batches_does(self, house: House, signed_in: SignedIn) -> None:
        one = a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
        visitor = signed_in("coordinator")
        before = visitor.open(f"/projects/{number(house, one)}").answer.text
        batches(house, one)

        pages = [visitor.open(f"/projects/{number(house, one)}{tab}").answer.text for tab in ("", "/batches")]

        drawings = [page.partition('<div class="scroll" tabindex="0" role="group"')[2] or page for page in pages]
        assert "First-pass yield of each batch" not in before
        assert ["48/50 · 96.0%, at least 87.9%" in one for one in drawings] == [True, True]

    def test_lists_projects_with_what_their_last_closed_batch_says(self, house: House, signed_in: SignedIn) -> None:
        first, second = (a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default") for _ in range(2))
        batches(house, first, second)
        close = CloseBatch(command_id=key(), project_id=first, number="B-01", is_conforming=True)
        house.do(close, by=Role.PROCESS_ENGINEER)
        visitor = signed_in("process_engineer")

        page = visitor.open("/batches").text
        one, other = (number(house, each) for each in (first, second))
        assert "96.0 87.9" in page.partition(one)[2].partition(other)[0]
        assert "87.9" not in page.partition(other)[2]
        rows = visitor.ask("GET", "/batches.json").json()["data"]
        assert [one.get("lower_percent") for one in rows] == [87.9, None]
        assert visitor.open(f"/batches?q={one}").answer.text.count("/do/trial-batch-add") == 1
        assert "Nothing" in visitor.open("/batches?stage=intake").text
        assert visitor.open("/batches?stage=nowhere").status == 422

    def test_draws_no_threshold_through_the_figures_and_says_what_is_still_made(
        self, house: House, signed_in: SignedIn
    ) -> None:
        one = a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
        for passed in (84, 41, 89):
            batches(house, one, started=90, passed=passed)
        at = f"/projects/{number(house, one)}/batches"

        page = signed_in("process_engineer").open(at)
        drawn = page.answer.text.partition("<figure")[2].partition("</figure>")[0]
        lines = [
            (float(top), float(top) + float(down) if is_by else float(down))
            for path in re.findall(r'class="limit" d="([^"]+)"', drawn)
            for top, is_by, down in re.findall(r"M[\d.]+ ([\d.]+)(?:V|(v))([\d.]+)", path)
        ]
        words = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>\d+/90', drawn)]

        assert len(words) == 3
        assert len(lines) == 4, "it goes on between them"
        assert not [y for y in words for top, down in lines if top < y + 3 and down > y - 11]
        assert drawn.count("· open</text>") == 3
        assert "· 进行中</text>" in signed_in("process_engineer", lang="zh-CN").open(at).answer.text

    def test_costs_the_same_statements_however_much_money_goes_with_it(
        self, house: House, signed_in: SignedIn, money: Money
    ) -> None:
        assert money.project_id is not None
        visitor, counts = signed_in("fund_manager"), []
        path = f"/projects/{number(house, money.project_id)}"
        for _ in range(2):
            with asked_of(house) as asked:
                assert visitor.open(path).status == 200
            counts.append(len(asked))
            for place in (3, 4):
                a_payout(money, "requested", place=place)

        assert counts[0] == counts[1]
