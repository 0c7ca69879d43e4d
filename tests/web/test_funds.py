"""Funds and agreements in the console: numbers lead to lines that sum to them, to those whose money it is."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest

from lifecycle.funds.queries import positions
from lifecycle.reports.fund_page import fund_projects
from models.db import reading
from tests import payments as pay
from tests.factories import House, agreements, funds, papers, pay_in, sources
from tests.web.browser import Browser


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
        said = amounts(page.text.partition("lines sum to")[2])
        assert f"{len(lines)} lines sum to" in page.text
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
            connection.exec_driver_sql("UPDATE agreement SET settled_on = starts_on")
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
        assert "Reason code" not in sponsor.open("/funds/new").text

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
