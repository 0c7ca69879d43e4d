"""What lies in the bank's book is counted once, however, how often and in how many parts the bank tells of it."""

import re
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from flows import statement_parts
from flows.reconciliation import Taken, take_file
from lifecycle.funds.commands import CloseFund, Contribute
from lifecycle.invariants.check import all_checks, check
from models.db import reading
from models.states import LineStatus, Role
from tests import payments as pay
from tests.factories import House, call_capital, funds, key, sources
from tests.paying import ACCOUNT
from tests.witness.bank import Bank, Booking, Order


@pytest.fixture
def house(each_house: House) -> House:
    """Give the world on both databases."""
    return each_house


@pytest.fixture
def bank() -> Bank:
    """Give the bank with what was paid in."""
    return Bank(account=ACCOUNT, opening=pay.PAID_IN)


def sent(house: House) -> Order:
    """Send a payment of a hundred yuan; return it as the bank has read it."""
    pay.batches(house, state="sent")
    end = house.one("SELECT end_to_end_id FROM v_instruction")
    return Order(file="a", message="m", end_to_end_id=end, amount=pay.AMOUNT, account="", name="sme")


def take(house: House, data: bytes, name: str = "a.xml") -> Taken:
    return take_file(house.engine, name, lambda: BytesIO(data), house.stamp())


def cases(house: House) -> list[str]:
    return [row.kind for row in house.rows("SELECT kind FROM v_exception ORDER BY opened_at, kind")]


def balance(house: House, kind: str) -> int:
    return int(house.one("SELECT SUM(balance_minor) FROM v_account WHERE kind = :kind", kind=kind))


def assert_as_the_bank(house: House, bank: Bank) -> None:
    """The ledger says what lies at the bank, and breaks no invariant."""
    assert sum(balance(house, kind) for kind in ("available", "reserved", "suspense")) == bank.balance
    with reading(house.engine) as session:
        report = check(session, all_checks(), now=house.now)
    assert {one.id: one.sample for one in report.results if not one.is_ok} == {}


def by_place(data: bytes) -> bytes:
    """Name each entry by its place in its statement only, as some banks do."""
    return re.sub(rb"<AcctSvcrRef>\w+</AcctSvcrRef>", b"", data).replace(b"<Ntry>", b"<Ntry><NtryRef>1</NtryRef>")


class TestTwoBookingsUnderOnePlaceInTheirStatements:
    def told(self, house: House, bank: Bank) -> None:
        """Take a statement of each booking alone, of a day of its own."""
        for place in range(len(bank.book)):
            bank.day = f"2025-07-{place + 1:02d}"
            taken = take(house, by_place(bank.statement(first=place, last=place + 1)))
            assert taken.status == "imported"

    def test_are_two_part_returns(self, house: House, bank: Bank) -> None:
        order = sent(house)
        bank.pay(order)
        bank.send_back(order, 4_000)
        bank.send_back(order, 4_000)

        self.told(house, bank)

        assert balance(house, "available") == pay.PAID_IN - 2_000
        assert_as_the_bank(house, bank)

    def test_are_two_payments_and_a_case(self, house: House, bank: Bank) -> None:
        order = sent(house)
        bank.pay(order)
        bank.pay(order)

        self.told(house, bank)

        assert cases(house) == ["paid_twice_by_bank"]
        assert_as_the_bank(house, bank)


class TestAFileInQuarantine:
    def test_is_taken_when_its_fund_is_there(self, house: House, bank: Bank) -> None:
        bank.account, bank.opening = "ACC9", 0
        bank.book_unknown(5_000)
        data = bank.statement()
        assert [take(house, data).status for _ in range(2)] == ["quarantined", "quarantined"]
        assert cases(house) == ["file_quarantined"]

        funds(house, debtor_account="ACC9")

        assert [take(house, data).status for _ in range(2)] == ["imported", "duplicate"]
        assert_as_the_bank(house, bank)


class TestAFeeThatTheFundHasNotTheMoneyFor:
    def test_is_set_aside_with_a_case(self, house: House, bank: Bank) -> None:
        """Else it lies there for ever: nothing could be said of it, and nobody would know."""
        funds(house, debtor_account="ACC9")
        bank.account, bank.opening = "ACC9", 0
        bank.charge(1_200)

        assert take(house, bank.statement()).status == "imported"

        assert cases(house) == ["fee_not_covered"]
        assert_as_the_bank(house, bank)


class TestABookingOnTheAccountOfAClosedFund:
    def test_is_taken_and_put_before_two_people(self, house: House, bank: Bank) -> None:
        (closed,) = funds(house, debtor_account="ACC9")
        house.do(CloseFund(command_id=key(), fund_id=closed, reason="over"), by=Role.SPONSOR)
        bank.account, bank.opening = "ACC9", 0
        bank.book_unknown(5_000)

        assert take(house, bank.statement()).status == "imported"

        assert cases(house) == ["unmatched"]
        assert_as_the_bank(house, bank)

    def test_is_one_of_the_active_fund_that_has_the_account_now(self, house: House, bank: Bank) -> None:
        (closed,) = funds(house, debtor_account="ACC9")
        house.do(CloseFund(command_id=key(), fund_id=closed, reason="over"), by=Role.SPONSOR)
        house.later(days=1)
        (active,) = funds(house, debtor_account="ACC9")
        bank.account, bank.opening = "ACC9", 0
        bank.book_unknown(5_000)

        take(house, bank.statement())

        assert UUID(str(house.one("SELECT fund_id FROM exception_case"))) == active


class TestTwoEqualBookings:
    """Of one day, one amount and no reference, in a statement that is read in parts."""

    @pytest.fixture(autouse=True)
    def parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(statement_parts, "LINES", 1)

    def test_are_one_that_is_new_where_another_statement_has_one(self, house: House, bank: Bank) -> None:
        sent(house)
        fee = Booking(amount=-1_200, ref="")
        bank.book = [fee]
        take(house, bank.table([fee]), "a.csv")
        bank.book = [fee, fee]

        taken = take(house, bank.table([fee, fee]), "a.csv")

        assert (taken.counts[LineStatus.DUPLICATE], taken.counts[LineStatus.EXCEPTION]) == (1, 1)
        assert_as_the_bank(house, bank)

    def test_are_two_part_returns_of_a_payment(self, house: House, bank: Bank) -> None:
        order = sent(house)
        back = Booking(amount=4_000, ref="", end_to_end_id=order.end_to_end_id)
        bank.pay(order)
        bank.book += [back, back]

        take(house, bank.table(bank.book), "a.csv")

        assert balance(house, "available") == pay.PAID_IN - 2_000
        assert_as_the_bank(house, bank)


class TestWhatIsToldInOtherWords:
    """A statement and a table of the same book: their lines have other hashes."""

    @pytest.mark.parametrize("first", ["statement", "table"])
    def test_is_counted_once(self, house: House, bank: Bank, first: str) -> None:
        sent(house)
        bank.charge(1_200)
        bank.book_unknown(7_000)
        files = [(bank.statement(), "a.xml"), (bank.table(bank.book), "a.csv")]

        one, two = files if first == "statement" else reversed(files)
        take(house, *one)
        again = take(house, *two)

        assert again.counts == {LineStatus.DUPLICATE: 2}
        assert_as_the_bank(house, bank)

    def test_is_counted_once_more_where_it_is_booked_once_more(self, house: House, bank: Bank) -> None:
        sent(house)
        fee = bank.charge(1_200)
        take(house, bank.statement())
        bank.book.append(fee)

        again = take(house, bank.table(bank.book), "a.csv")

        assert (again.counts[LineStatus.DUPLICATE], again.counts[LineStatus.EXCEPTION]) == (1, 1)
        assert_as_the_bank(house, bank)

    def test_is_money_of_an_investor_that_was_entered(self, house: House, bank: Bank) -> None:
        sent(house)
        fund = UUID(house.one("SELECT id FROM v_fund"))
        (source,) = sources(house, fund)
        call_capital(house, fund)
        said: dict[str, Any] = {"amount_minor": 7_000, "received_on": house.today, "bank_ref": "B1"}
        house.do(Contribute(command_id=key(), fund_id=fund, source_id=source, **said), by=Role.ACCOUNTANT)
        bank.book_unknown(7_000)

        take(house, bank.statement())
        take(house, bank.table(bank.book), "a.csv")

        assert cases(house) == []
        assert_as_the_bank(house, bank)
