"""A line of a statement is explained whole or not at all."""

from types import SimpleNamespace
from typing import Any

import pytest

from lifecycle.banking.answers import BatchMark, Charge, Detail, EntryStatus, StatementLine
from lifecycle.payouts.matching import Match, Register, match
from models.states import BankEventKind, LineStatus
from tests.payments import booked

ONE = SimpleNamespace(amount_minor=100, account_number="6222 0001")
TWO = SimpleNamespace(amount_minor=50, account_number="6222 0002")
REGISTER = Register(currency="CNY", by_end_to_end={"E1": ONE, "E2": TWO}, by_message={"M1": [ONE, TWO]})


def detail(end: str | None, amount: int | None, **more: Any) -> Detail:
    return Detail(end_to_end_id=end, amount_minor=amount, currency="CNY", **more)


def one(line: StatementLine, register: Register = REGISTER) -> Match:
    (found,) = match([line], register)
    return found


def meant(found: Match) -> list[tuple[BankEventKind, int, Any]]:
    return [(intent.kind, intent.amount_minor, intent.instruction) for intent in found.intents]


class TestALine:
    def test_of_one_payment_settles_it(self) -> None:
        assert meant(one(booked(-100, "E1"))) == [(BankEventKind.SETTLE, 100, ONE)]

    @pytest.mark.parametrize(
        ("account", "exception"), [("62220001", None), (None, None), ("62220002", "account_differs")]
    )
    def test_names_the_account_that_was_instructed_or_none(self, account: str | None, exception: str | None) -> None:
        line = booked(-100, details=(detail("E1", -100, counterparty_account=account),))

        assert one(line).exception == exception

    def test_that_gives_money_back_returns_it(self) -> None:
        assert meant(one(booked(100, "E1"))) == [(BankEventKind.RETURN, 100, ONE)]

    def test_of_several_payments_settles_each(self) -> None:
        line = booked(-150, details=(detail("E1", -100), detail("E2", -50)))

        assert meant(one(line)) == [(BankEventKind.SETTLE, 100, ONE), (BankEventKind.SETTLE, 50, TWO)]

    def test_of_a_whole_batch_settles_all_of_it(self) -> None:
        mark = BatchMark(msg_id="M1", payment_id=None, count=2, total_minor=150, currency="CNY")

        assert one(booked(-150, batches=(mark,))).status == LineStatus.MATCHED
        assert one(booked(-149, batches=(mark,))).exception == "batch_amount_differs"

    def test_with_the_fee_beside_the_payment_books_both(self) -> None:
        line = booked(-103, details=(detail("E1", -100),), charges=(Charge(amount_minor=-3, currency="CNY"),))

        assert meant(one(line)) == [(BankEventKind.SETTLE, 100, ONE), (BankEventKind.FEE, 3, ONE)]

    def test_that_the_bank_calls_a_fee_is_one_of_the_account(self) -> None:
        assert meant(one(booked(-3, transaction_code="PMNT/MDOP/CHRG"))) == [(BankEventKind.FEE, 3, None)]

    def test_of_money_that_was_entered_as_an_investors_moves_nothing_again(self) -> None:
        entered = Register(currency="CNY", contributions={("B7", 500): True})

        found = one(booked(500, bank_ref="B7"), entered)

        assert (found.status, found.intents) == (LineStatus.MATCHED, ())
        for line in (booked(501, bank_ref="B7"), booked(-500, bank_ref="B7"), booked(500)):
            assert one(line, entered).exception == "unmatched"

    def test_of_money_that_one_person_said_went_out_is_a_case_and_moves_nothing_again(self) -> None:
        entered = Register(currency="CNY", contributions={("B8", -200): False})

        found = one(booked(-200, bank_ref="B8"), entered)

        assert (found.status, found.intents, found.exception) == (LineStatus.EXCEPTION, (), "entered_alone")

    def test_alone_is_what_was_entered_once(self) -> None:
        entered = Register(currency="CNY", contributions={("B7", 500): True})

        found = match([booked(500, bank_ref="B7"), booked(500, bank_ref="B7")], entered)

        assert [each.exception for each in found] == [None, "unmatched"]

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (booked(-100), "unmatched"),
            (booked(-100, "E9"), "end_to_end_id_unknown"),
            (booked(-100, "E1", currency="USD"), "foreign_currency"),
            (booked(-150, details=(detail("E1", -100), detail(None, -50))), "partly_named"),
            (booked(-151, details=(detail("E1", -100), detail("E2", -50))), "amount_differs"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_that_nothing_explains_is_set_aside_whole(self, line: StatementLine, code: str) -> None:
        found = one(line)

        assert (found.status, found.exception) == (LineStatus.EXCEPTION, code)
        assert sum(intent.signed_minor for intent in found.intents) == line.amount_minor

    def test_that_is_only_pending_is_passed_over(self) -> None:
        assert match([booked(-100, "E1", status=EntryStatus.PENDING)], REGISTER) == []


class TestARepeat:
    def test_is_known_as_often_as_another_statement_has_booked_it(self) -> None:
        """Two equal fees of one day are two; a statement that overlaps the first one brings none."""
        line = booked(-3, transaction_code="PMNT/MDOP/CHRG")
        known = Register(currency="CNY", known={line.content_hash: 1})

        assert [found.status for found in match([line, line], known)] == [LineStatus.DUPLICATE, LineStatus.MATCHED]
