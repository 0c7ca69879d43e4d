"""The sandbox bank through the real payment run and reconciliation: each of its ways leads where it should."""

from datetime import date
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from flows.bank_channel import BankInMemory, DropFolders
from flows.disbursement import Teller, disburse
from flows.reconciliation import Taken, take_inbox
from flows.sandbox import Desk, SandboxBank, incoming_money
from lifecycle.funds.commands import Contribute
from lifecycle.invariants.check import all_checks, check
from lifecycle.milestones.commands import AcceptMilestone
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount
from models.db import reading
from models.ports import NotPut
from models.states import Role
from tests import payments as pay
from tests.factories import House, agreements, call_capital, ids_of, key, reported, sources

ZONE = ZoneInfo("Asia/Shanghai")
START = 500_000_000


@pytest.fixture
def house(each_house: House) -> House:
    """Give the world on both databases."""
    return each_house


def paid_to(house: House, ending: str) -> UUID:
    """Have a hundred yuan released to an account with this ending; its fund has five million on the bank's slip."""
    (tranche,) = reported(house, *agreements(house))
    propose = ProposeAccount(
        command_id=key(), organisation_id=house.parties["sme"], **pay.ACCOUNT | {"account_number": f"62220202{ending}"}
    )
    (account,) = ids_of(house.do(propose, by=Role.FINANCE_OFFICER))
    house.do(ConfirmAccount(command_id=key(), payee_account_id=account, called="Mrs Lin"), by=Role.ACCOUNTANT)
    house.do(AcceptMilestone(command_id=key(), milestone_id=tranche, reason="seen"), by=Role.CERTIFIER)
    fund = pay.fund_of(house, tranche)
    (source,) = sources(house, fund)
    call_capital(house, fund)
    money = Contribute(
        command_id=key(),
        fund_id=fund,
        source_id=source,
        amount_minor=START,
        received_on=house.today,
        bank_ref="SLIP-1",
    )
    house.do(money, by=Role.ACCOUNTANT)
    (payout,) = ids_of(house.do(pay.request(house, tranche), by=Role.FINANCE_OFFICER))
    pay.approve(house, payout)
    pay.release(house, payout)
    return payout


def visit(house: House, desk: Desk) -> list[Taken]:
    """Read what the bank has written, then hand over what is due."""
    with reading(house.engine) as session:
        bank = SandboxBank(desk, today=house.today, incoming=incoming_money(session, ZONE))
    taken = take_inbox(house.engine, bank, house.stamp())
    disburse(house.engine, Teller(bank=bank, holder="me", takes="keep"), house.stamp())
    return taken


def days(house: House, desk: Desk, count: int) -> list[Taken]:
    """Visit the bank today and on the days after."""
    taken = visit(house, desk)
    for _ in range(count):
        house.later(days=1)
        taken += visit(house, desk)
    return taken


def state(house: House) -> str:
    return str(house.one("SELECT state FROM v_payout"))


def cases(house: House) -> list[str]:
    return [row.kind for row in house.rows("SELECT kind FROM v_exception WHERE closed_at IS NULL ORDER BY kind")]


def held(house: House) -> int:
    return len(house.rows("SELECT 1 FROM v_hold WHERE lifted_at IS NULL"))


def is_sound(house: House) -> bool:
    with reading(house.engine) as session:
        return check(session, all_checks({}), now=house.now).is_ok


def compared(house: House) -> list[tuple[int, int]]:
    """Return the bank's closing balances with ours, as they were compared."""
    rows = house.rows("SELECT closing_minor FROM bank_statement WHERE closing_minor IS NOT NULL ORDER BY sequence_no")
    ours = house.one("SELECT sum(balance_minor) FROM v_account WHERE kind IN ('available', 'reserved', 'suspense')")
    return [(int(row.closing_minor), int(ours)) for row in rows[-1:]]


class TestAPayment:
    def test_is_booked_and_the_statement_of_the_day_agrees_with_the_ledger(self, house: House) -> None:
        paid_to(house, "0001")

        taken = days(house, BankInMemory(), 1)

        assert [one.name.split("-")[2] for one in taken] == ["pain002", "camt054", "camt053"]
        assert (state(house), cases(house), held(house)) == ("paid", [], 0)
        assert compared(house) == [(START - pay.AMOUNT, START - pay.AMOUNT)]
        assert is_sound(house)

    def test_to_a_closed_account_is_rejected_with_the_reason(self, house: House) -> None:
        paid_to(house, "9004")

        days(house, BankInMemory(), 1)

        assert (state(house), cases(house)) == ("returned", [])
        assert house.one("SELECT status FROM v_instruction") == "rejected"
        told = house.rows("SELECT body FROM v_audit WHERE action = 'payout.bounce'")
        assert "AC04" in told[0].body
        assert is_sound(house)

    def test_comes_back_days_later(self, house: House) -> None:
        paid_to(house, "9103")
        desk = BankInMemory()

        days(house, desk, 2)
        assert state(house) == "paid"
        days(house, desk, 2)

        assert (state(house), cases(house), held(house)) == ("returned", [], 0)
        assert compared(house) == [(START, START)]
        assert is_sound(house)

    def test_comes_back_less_a_fee_that_the_fund_bears(self, house: House) -> None:
        paid_to(house, "9201")

        days(house, BankInMemory(), 3)

        assert (state(house), cases(house), held(house)) == ("returned", [], 0)
        assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'fee'") == 2_500
        assert compared(house) == [(START - 2_500, START - 2_500)]

    def test_of_which_half_comes_back_is_put_before_two_people(self, house: House) -> None:
        paid_to(house, "9301")

        days(house, BankInMemory(), 3)

        assert (state(house), cases(house)) == ("paid", ["returned_in_part"])
        assert compared(house) == [(START - pay.AMOUNT // 2, START - pay.AMOUNT // 2)]

    def test_of_which_nothing_is_heard_is_unknown_and_never_sent_again(self, house: House) -> None:
        paid_to(house, "9400")
        desk = BankInMemory()

        days(house, desk, 3)

        assert (state(house), house.one("SELECT state FROM v_batch")) == ("instructed", "unknown")
        assert (len(desk.out), len(cases(house))) == (1, 1)

    def test_of_which_everything_is_said_twice_is_paid_once(self, house: House) -> None:
        paid_to(house, "9500")

        taken = days(house, BankInMemory(), 1)

        assert [one.name.split("-")[2] for one in taken] == ["pain002", "pain002", "camt054", "camt054", "camt053"]
        assert (state(house), cases(house), held(house)) == ("paid", [], 0)
        assert compared(house) == [(START - pay.AMOUNT, START - pay.AMOUNT)]


class TestAFile:
    def test_that_is_no_payment_file_is_not_taken(self) -> None:
        desk = BankInMemory()

        with pytest.raises(NotPut, match="bank_"):
            SandboxBank(desk, today=date(2025, 7, 8)).put("a.xlsx", b"PK")

        assert desk.out == {}


class TestTheFolders:
    def test_hold_all_it_knows_so_that_another_process_goes_on(self, house: House, tmp_path: Path) -> None:
        paid_to(house, "9102")
        for _ in range(4):
            visit(house, DropFolders(tmp_path / "out", tmp_path / "in"))
            house.later(days=1)

        assert (state(house), cases(house)) == ("returned", [])
        assert len(list((tmp_path / "in" / "done").iterdir())) == 5
        assert [path for path in (tmp_path / "in").iterdir() if path.is_file()] == []
