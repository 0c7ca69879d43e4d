"""Funds and agreements in the console: numbers lead to lines that sum to them, to those whose money it is."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import update

from lifecycle.funds.queries import positions
from lifecycle.reports.fund_page import fund_projects
from models.db import reading, transaction
from models.payouts import Payout
from models.reading import table_of
from tests import payments as pay
from tests.factories import House, agreements, funds, papers, pay_in, sources
from tests.money import AMOUNT
from tests.paying import a_paying_fund
from tests.web.browser import Browser
from web.charts.burn import Month, burn_curve, round_step


@pytest.fixture
def code(house: House) -> str:
    """Give the code of a fund that has paid once."""
    pay.payouts(house, state="paid")
    return str(house.one("SELECT code FROM v_fund"))


def amounts(text: str) -> list[int]:
    """Return the amounts of a text in fen."""
    found = re.findall(r"(-?)¥([\d,]+)\.(\d\d)", text)
    return [int(f"{sign}{whole.replace(',', '')}{cents}") for sign, whole, cents in found]


class TestTheLedger:
    @pytest.mark.parametrize("account", ["available", "reserved", "paid"])
    def test_has_lines_that_sum_to_what_the_page_says(
        self, house: House, signed_in: Callable[..., Browser], code: str, account: str
    ) -> None:
        page = signed_in("accountant").open(f"/funds/{code}/ledger?account={account}")

        lines = house.rows(
            "SELECT p.amount_minor AS minor FROM v_posting p JOIN v_account a ON a.id = p.account_id"
            " WHERE a.kind = :kind AND a.fund_id IS NOT NULL",
            kind=account,
        )
        total = sum(int(line.minor) for line in lines)
        counted = "1 line sums to" if len(lines) == 1 else f"{len(lines)} lines sum to"
        assert counted in page.text
        said = amounts(page.text.partition(counted)[2])
        assert said[0] == total
        assert sum(said[1::2]) == total  # amount and balance of each line take turns
        assert said[2::2][-1] == total

    def test_goes_on_behind_the_last_line(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (fund,) = funds(house)
        for _ in range(26):  # two lines each, one of them of the fund's own account
            pay_in(house, fund, amount_minor=100)
        for _ in range(26):
            pay_in(house, fund, amount_minor=200)
        code = house.one("SELECT code FROM v_fund")
        visitor = signed_in("accountant")

        first = visitor.open(f"/funds/{code}/ledger").text
        second = visitor.follow("Next page").text

        assert first.count("paid in available") + second.count("paid in available") == 52
        assert "¥78.00" in second  # the balance after the last of them


class TestTheFund:
    def test_says_its_position_as_the_ledger_has_it(
        self, house: House, signed_in: Callable[..., Browser], code: str
    ) -> None:
        page = signed_in("fund_manager").open(f"/funds/{code}")

        with reading(house.engine) as session:
            fund = UUID(house.one("SELECT id FROM v_fund"))
            place = positions(session, [fund])[fund]
        assert place.paid_minor == pay.AMOUNT
        position = amounts(page.text.partition(" Position ")[2])
        assert position[:4] == [place.paid_minor, place.reserved_minor, place.committed_minor, place.free_minor]
        assert page.link("paid").endswith("/ledger?account=paid")

    def test_promises_nothing_more_by_an_agreement_that_is_over(self, house: House, code: str) -> None:
        fund = UUID(house.one("SELECT id FROM v_fund"))
        with reading(house.engine) as session:
            (living,) = fund_projects(session, fund, house.today, limit=9)
            assert living["left_minor"] == positions(session, [fund])[fund].committed_minor
        with house.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE agreement SET status = 'closed'")
        with reading(house.engine) as session:
            assert [one["left_minor"] for one in fund_projects(session, fund, house.today, limit=9)] == [0]

    def test_tells_who_opens_it_first_to_enter_investors(self, house: House, signed_in: Callable[..., Browser]) -> None:
        funds(house)
        code = house.one("SELECT code FROM v_fund")

        assert "Begin by entering what the investors commit." in signed_in("sponsor").open(f"/funds/{code}").text

    def test_keeps_its_investors_apart(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (fund,) = funds(house)
        sources(house, fund)
        code = house.one("SELECT code FROM v_fund")

        page = signed_in("sponsor").open(f"/funds/{code}/investors")

        assert "other firm" in page.text
        assert "¥10,000,000.00" in page.text
        assert "Nothing was called." in page.text

    @pytest.mark.parametrize("days", [90, 91])
    def test_tells_the_payouts_whose_firm_was_promised_a_day(
        self, house: House, signed_in: Callable[..., Browser], days: int
    ) -> None:
        (one, *_) = a_paying_fund(house).requested(2)
        payout = table_of(Payout)
        with transaction(house.engine) as session:
            promised = update(payout).where(payout.c.id == one)
            session.execute(promised.values(pay_by_on=house.today + timedelta(days=days)))
            others = update(payout).where(payout.c.id != one)
            session.execute(others.values(pay_by_on=None))
        code, number = (
            house.one("SELECT code FROM v_fund"),
            house.one("SELECT number FROM payout WHERE id = :i", i=str(one)),
        )

        page = signed_in("fund_manager").open(f"/funds/{code}")

        is_due = days <= 90
        assert (f"/payouts/{number}" in [to for _, to in page.links]) == is_due
        assert f"Due within 90 days: {int(is_due)}, ¥{AMOUNT // 100 * is_due}" in page.text
        assert "payouts whose firm was promised a day" in page.text
        assert "已向企业承诺付款日的拨付" in signed_in("fund_manager", lang="zh-CN").open(f"/funds/{code}").text

    @pytest.mark.parametrize("login", ["stranger", "finance_officer", "operator", "coordinator"])
    def test_is_for_its_funder_and_auditors(self, signed_in: Callable[..., Browser], code: str, login: str) -> None:
        visitor = signed_in(login)

        assert visitor.open(f"/funds/{code}").status == 404
        assert visitor.open(f"/funds/{code}/ledger").status == 404

    def test_shows_its_totals_to_who_coordinates(self, signed_in: Callable[..., Browser], code: str) -> None:
        page = signed_in("coordinator").open("/funds")

        assert "pilot fund" in page.text
        assert not [target for _, target in page.links if target == f"/funds/{code}"]

    def test_is_opened_by_its_sponsor(self, house: House, signed_in: Callable[..., Browser]) -> None:
        sponsor = signed_in("sponsor")
        assert "Kind of reason" not in sponsor.open("/funds/new").text

        assert sponsor.send("open a fund", code="F9").status == 422
        page = sponsor.send(
            "open a fund",
            code="F9",
            name="second fund",
            organisation_id=str(house.parties["funder"]),
            commitment_minor="1,000,000",
            debtor_name="fund",
            debtor_account="6222020200112299",
            debtor_bank="102100099996",
        )

        assert page.path.startswith("/receipts/"), page.text
        assert house.one("SELECT commitment_minor FROM v_fund WHERE code = 'F9'") == 100_000_000


class TestTheCurve:
    def test_names_each_line_that_it_draws_where_it_ends_and_has_round_amounts(self) -> None:
        names = {"planned": "Planned", "in": "Came in", "paid": "Paid"}
        months = [
            Month(name=f"2025-0{at}", planned_minor=0, paid_minor=at * 100, in_minor=at * 100) for at in (1, 2, 3)
        ]
        with_plan = [*months[:2], replace(months[2], planned_minor=1_740)]

        drawn = [burn_curve(those, label="Burn", names=names, money=str) for those in (months, with_plan)]

        said = [re.findall(r'<text x="692" y="([\d.]+)" class="v">([^<]+)<', one) for one in drawn]
        assert [{name for _, name in those} for those in said] == [{"Came in", "Paid"}, set(names.values())]
        assert ['class="planned"' in one for one in drawn] == [False, True]
        for those in said:
            heights = sorted(float(y) for y, _ in those)
            assert all(below - above >= 15 for above, below in pairwise(heights))
        assert re.findall(r'text-anchor="end">(\d+)<', drawn[0]) == ["0", "200", "400", "600"]
        assert re.findall(r'text-anchor="end">(\d+)<', drawn[1]) == ["0", "500", "1000", "1500", "2000"]

    @pytest.mark.parametrize(
        ("most", "step"), [(1, 1), (5, 1), (6, 2), (1_740_000_000, 500_000_000), (10**15, 2 * 10**14)]
    )
    def test_has_steps_of_one_two_or_five(self, most: int, step: int) -> None:
        assert round_step(most) == step


class TestAnAgreement:
    def test_shows_its_plan_and_leads_to_each_tranche(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (made,) = agreements(house)
        number = house.one("SELECT number FROM agreement WHERE id = :id", id=str(made))
        visitor = signed_in("finance_officer")
        visitor.open("/agreements")

        page = visitor.follow(number)
        assert "¥1,000,000.00" in page.text
        tranche = visitor.follow("T1")

        assert f"Tranche T1 of {number}" in tranche.text
        assert "¥400,000.00" in tranche.text

    def test_takes_stated_cost_by_category(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (made,) = agreements(house)
        number = house.one("SELECT number FROM agreement WHERE id = :id", id=str(made))
        (sha256,) = papers(house, made)
        visitor = signed_in("finance_officer")
        visitor.open(f"/agreements/{number}/do/cost-submit")

        page = visitor.send(
            "state cost",
            from_on="2025-07-08",
            until_on="2025-07-08",
            by_category="equipment=1,200.50",
            own_money_minor="100",
            evidence_sha256=sha256,
        )

        assert page.path.startswith("/receipts/"), page.text
        assert house.one("SELECT claimed_minor FROM cost_statement") == 120_050

    @pytest.mark.parametrize("login", ["stranger", "expert"])
    def test_is_nothing_for_strangers(self, house: House, signed_in: Callable[..., Browser], login: str) -> None:
        (made,) = agreements(house)
        number = house.one("SELECT number FROM agreement WHERE id = :id", id=str(made))

        assert signed_in(login).open(f"/agreements/{number}").status == 404

    def test_knows_every_verb_of_its_own(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (made,) = agreements(house)
        number = house.one("SELECT number FROM agreement WHERE id = :id", id=str(made))

        found = signed_in("sponsor").ask("GET", f"/api/v1/agreements/{number}/commands").json()

        assert {"sign", "supplement", "settle", "close", "cost-submit", "recovery-order"} <= {
            one["name"] for one in found
        }
