"""What the bank answers is taken once and whole, in whatever order it comes."""

from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from flows.bank_channel import BankInMemory
from flows.disbursement import Run, Teller, deliver
from flows.reconciliation import Taken, doubt_silent, take_file, take_inbox
from lifecycle.commands import Answer
from lifecycle.exceptions.carrying_out import carry_out
from lifecycle.funds.commands import Contribute
from lifecycle.invariants.check import all_checks, check
from lifecycle.payouts.statements import ComparePosition
from lifecycle.payouts.write_off import WriteOff
from models.db import reading, transaction
from models.states import Role
from tests import payments as pay
from tests.digest import changed, digest
from tests.factories import House, call_capital, ids_of, key, sources
from tests.lifecycle.banking.statements import camt053, entry, pain002, statement
from tests.paying import ACCOUNT

HEAD = "booked_on,amount,currency,direction,counterparty_account,counterparty_name,end_to_end_id,bank_ref\n"


@pytest.fixture
def house(each_house: House) -> House:
    """Give the world on both databases."""
    return each_house


def line(house: House, direction: str = "debit", ref: str = "B1", amount: str = "100.00") -> str:
    end = house.one("SELECT end_to_end_id FROM v_instruction")
    return f"2025-07-08,{amount},CNY,{direction},6222020200112233,sme,{end},{ref}\n"


def fee(ref: str) -> str:
    return f"2025-07-08,12.00,CNY,debit,,,,{ref}\n"


def take(house: House, text: str, name: str = "a.csv") -> Taken:
    return take_file(house.engine, name, lambda: BytesIO(text.encode()), house.stamp())


def batch_booking(amount: str, message: str) -> bytes:
    """Return a statement that books a whole file under its message id."""
    part = f"<Btch><MsgId>{message}</MsgId></Btch>"
    one = statement(entry(amount, details=part), opening="5000000.00", closing="4999900.00")
    return camt053(one.replace("62220000", ACCOUNT))


def states(house: House) -> tuple[str, str]:
    return house.one("SELECT state FROM v_payout"), house.one("SELECT state FROM v_batch")


def balance(house: House, kind: str) -> int:
    return int(house.one("SELECT balance_minor FROM v_account WHERE kind = :kind", kind=kind))


def broken(house: House) -> list[str]:
    with reading(house.engine) as session:
        report = check(session, all_checks({}), now=house.now)
    return [one["id"] for one in report.document()["checks"] if not one["ok"]]


class TestAFile:
    def test_is_taken_once_whatever_its_name(self, house: House) -> None:
        pay.batches(house, state="sent")
        text = HEAD + line(house)
        assert take(house, text).status == "imported"
        before = digest(house.engine)

        assert take(house, text, "b.csv").status == "duplicate"

        assert changed(before, digest(house.engine)) == set()
        assert states(house) == ("paid", "settled")

    def test_that_is_wrong_at_its_last_line_leaves_nothing_but_its_case(self, house: House) -> None:
        pay.batches(house, state="sent")
        before = digest(house.engine)

        taken = take(house, HEAD + line(house) + "2025-07-08,ten,CNY,debit,,,,B2\n")

        assert (taken.status, taken.document()["why"], taken.counts) == ("quarantined", "bank_amount", {})
        assert states(house) == ("instructed", "sent")
        assert house.one("SELECT kind FROM v_exception") == "file_quarantined"
        assert changed(before, digest(house.engine)) <= {
            *("bank_statement", "exception_case", "audit_record", "command_record", "outbox_message")
        }

    def test_that_overlaps_another_brings_only_what_is_new(self, house: House) -> None:
        pay.batches(house, state="sent")
        take(house, HEAD + line(house) + fee("F1"))

        again = take(house, HEAD + line(house) + fee("F1") + fee("F2"))

        assert again.document() | {"sha256": ""} == {
            "name": "a.csv",
            "sha256": "",
            "status": "imported",
            "matched": 0,
            "duplicate": 2,
            "exception": 1,
            "why": None,
        }
        assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == -2_400

    def test_is_filed_away_by_what_became_of_it(self, house: House) -> None:
        pay.batches(house, state="sent")
        bank = BankInMemory()
        bank.answers = {"a.csv": (HEAD + line(house)).encode(), "b.csv": b"nonsense"}

        take_inbox(house.engine, bank, house.stamp())

        assert bank.filed == {"a.csv": "done", "b.csv": "quarantine"}


class TestABooking:
    def test_that_comes_before_we_wrote_down_that_the_file_left_pays(self, house: House) -> None:
        pay.batches(house)

        take(house, HEAD + line(house))

        assert states(house) == ("paid", "settled")
        assert [row.to_state for row in house.rows(MOVES)] == ["prepared", "sent", "settled"]
        assert broken(house) == []

    def test_that_comes_after_its_return_changes_nothing_more(self, house: House) -> None:
        pay.batches(house, state="sent")
        take(house, HEAD + line(house, "credit", "R1"))
        assert states(house) == ("returned", "settled")

        taken = take(house, HEAD + line(house))

        assert (taken.document()["exception"], states(house)) == (0, ("returned", "settled"))
        assert house.rows("SELECT * FROM v_exception") == []
        assert broken(house) == []


MOVES = "SELECT to_state FROM v_transition WHERE object_type = 'batch' ORDER BY seq"


class TestSilence:
    def test_makes_a_batch_unknown_when_the_hours_are_over(self, house: House) -> None:
        (batch,) = pay.batches(house, state="sent")
        house.later(hours=23, minutes=59)
        assert doubt_silent(house.engine, house.stamp()) == []
        house.later(minutes=1)

        assert doubt_silent(house.engine, house.stamp()) == [batch]

        assert states(house)[1] == "unknown"


class TestTwoPeople:
    def test_end_a_batch_by_saying_that_it_was_paid(self, house: House) -> None:
        """Else it would stay unknown with its case closed, and nobody would look again."""
        (batch,) = pay.batches(house, state="unknown")
        case = pay.case_of(house, batch)
        house.do(pay.propose(case, "confirm_paid"), by=Role.ACCOUNTANT)
        confirm = pay.confirm(house, case, "confirm_paid")
        house.do(confirm, by=Role.FUND_MANAGER)

        with transaction(house.engine) as session:
            answers = carry_out(session, case, confirm.command_id, house.stamp(Role.FUND_MANAGER))

        assert all(answer.is_done for answer in answers)
        assert states(house) == ("paid", "settled")
        assert broken(house) == []


class TestPosition:
    def test_that_differs_holds_the_fund(self, house: House) -> None:
        (one,) = pay.statements(house, opening_minor=0, closing_minor=pay.PAID_IN - 1)

        (answer,) = house.do(ComparePosition(command_id=key(), statement_id=one))

        assert (answer["bank_minor"], answer["ledger_minor"]) == (pay.PAID_IN - 1, pay.PAID_IN)
        assert house.one("SELECT reason FROM v_hold WHERE lifted_at IS NULL") == "position_differs"
        assert house.one("SELECT kind FROM v_exception") == "position_differs"

    def test_is_not_compared_with_a_balance_in_another_currency(self, house: House) -> None:
        (one,) = pay.statements(house, opening_minor=5, closing_minor=5, currency="USD")

        house.do(ComparePosition(command_id=key(), statement_id=one))

        assert house.rows("SELECT 1 FROM v_hold") == []

    def test_does_not_count_what_was_booked_on_days_after_the_statement(self, house: House) -> None:
        """A notice of today is here before the statement of yesterday."""
        pay.batches(house, state="sent")
        take(house, HEAD + line(house))
        fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
        before, after = (house.today - timedelta(days=1), pay.PAID_IN), (house.today, pay.PAID_IN - pay.AMOUNT)
        for day, closing in (before, after):
            terms: dict[str, Any] = {"opening_minor": closing, "closing_minor": closing, "booked_until_on": day}
            (one,) = ids_of(house.do(pay.take(fund, **terms)))

            (answer,) = house.do(ComparePosition(command_id=key(), statement_id=one))

            assert (answer["bank_minor"], answer["ledger_minor"]) == (closing, closing)
        assert house.rows("SELECT * FROM v_hold") == []

    def test_counts_no_longer_aside_what_was_written_off(self, house: House) -> None:
        (one,) = pay.statements(house, opening_minor=pay.PAID_IN, closing_minor=pay.PAID_IN - 1_200)
        (row,) = pay.set_aside(house, one)
        house.do(ComparePosition(command_id=key(), statement_id=one))
        case = pay.case_of(house, row)
        pay.agree(house, case, action="write_off")
        off: dict[str, Any] = {"statement_line_id": row, "exception_id": case, "reason": "fee"}
        house.do(WriteOff(command_id=key(), statement_id=one, **off), by=Role.FUND_MANAGER)
        fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
        (later,) = ids_of(house.do(pay.take(fund, opening_minor=0, closing_minor=pay.PAID_IN - 1_200)))

        (answer,) = house.do(ComparePosition(command_id=key(), statement_id=later))

        assert answer["bank_minor"] == answer["ledger_minor"]
        assert house.rows("SELECT * FROM v_hold") == []


class TestMoneyEnteredByHand:
    """What comes in, or goes out, told by the bank and entered by the accountant: it counts once, whoever is first."""

    def booked(self, house: House, amount: str = "500.00", direction: str = "credit", ref: str = "IN-1") -> None:
        take(house, HEAD + f"2025-07-08,{amount},CNY,{direction},6222,大企业,,{ref}\n", f"{key()}.csv")

    def enter(self, house: House, amount_minor: int = 50_000, source: UUID | None = None) -> Answer:
        fund = UUID(house.one("SELECT id FROM v_fund"))
        said: dict[str, Any] = {"amount_minor": amount_minor, "received_on": house.today, "bank_ref": "IN-1"}
        command = Contribute(command_id=key(), fund_id=fund, source_id=source, note="as called", **said)
        (answer,) = house.ask(command, by=Role.ACCOUNTANT)
        return answer

    @pytest.fixture
    def source(self, house: House) -> UUID:
        """Give an investor of the one fund that was called."""
        pay.batches(house, state="sent")
        fund = UUID(house.one("SELECT id FROM v_fund"))
        (source,) = sources(house, fund)
        call_capital(house, fund)
        return source

    @pytest.mark.parametrize("bank_first", [True, False])
    def test_of_an_investor_counts_once(self, house: House, source: UUID, *, bank_first: bool) -> None:
        before = balance(house, "available")

        acts = (lambda: self.booked(house), lambda: self.enter(house, source=source))
        for act in acts if bank_first else reversed(acts):
            act()

        assert balance(house, "available") == before + 50_000
        assert balance(house, "suspense") == 0
        assert house.rows("SELECT 1 FROM v_exception WHERE closed_at IS NULL") == []
        assert broken(house) == []

    def test_is_not_another_amount_under_its_reference(self, house: House, source: UUID) -> None:
        self.booked(house, "499.99")
        assert self.enter(house, source=source).is_done

        assert balance(house, "suspense") == 49_999

    def test_is_one_booking_only(self, house: House, source: UUID) -> None:
        self.booked(house)
        assert self.enter(house, source=source).is_done
        before = balance(house, "available")

        take(house, HEAD + "2025-07-09,500.00,CNY,credit,6222,大企业,,IN-1\n")

        assert (balance(house, "available"), balance(house, "suspense")) == (before, 50_000)

    @pytest.mark.parametrize(("amount_minor", "direction"), [(-50_000, "debit"), (50_000, "credit")])
    def test_that_no_investor_paid_in_is_a_case_where_the_bank_says_it_later(
        self, house: House, source: UUID, amount_minor: int, direction: str
    ) -> None:
        assert source
        assert self.enter(house, amount_minor).is_done
        before = balance(house, "available")

        self.booked(house, direction=direction)

        assert house.one("SELECT kind FROM v_exception WHERE closed_at IS NULL") == "entered_alone"
        assert (balance(house, "available"), balance(house, "suspense")) == (before, 0)
        assert broken(house) == []

    @pytest.mark.parametrize(("amount_minor", "direction"), [(-50_000, "debit"), (50_000, "credit")])
    def test_that_no_investor_paid_in_waits_for_two_people_where_the_bank_said_it_first(
        self, house: House, source: UUID, amount_minor: int, direction: str
    ) -> None:
        assert source
        before = balance(house, "available")
        self.booked(house, direction=direction)
        refused = self.enter(house, amount_minor)
        assert refused.error is not None
        assert refused.error.codes == ("two_people_missing",)
        pay.agree(house, UUID(house.one("SELECT id FROM v_exception WHERE closed_at IS NULL")), action="close")

        assert self.enter(house, amount_minor).is_done

        assert (balance(house, "available"), balance(house, "suspense")) == (before + amount_minor, 0)
        assert broken(house) == []

    def test_is_not_what_comes_back_of_a_payment(self, house: House, source: UUID) -> None:
        """The accountant enters a return as if an investor had paid it in, before its statement comes."""
        take(house, HEAD + line(house))
        assert self.enter(house, pay.AMOUNT, source).is_done

        take(house, HEAD + line(house, "credit", "IN-1"), "b.csv")

        assert house.one("SELECT state FROM v_payout") == "returned"

    def test_of_a_booking_that_names_a_payment_waits_for_two_people(self, house: House, source: UUID) -> None:
        end = house.one("SELECT end_to_end_id FROM v_instruction")[:-1] + "9"
        take(house, HEAD + f"2025-07-08,500.00,CNY,credit,6222,sme,{end},IN-1\n")

        refused = self.enter(house, source=source)

        assert refused.error is not None
        assert refused.error.codes == ("two_people_missing",)


class TestAPaymentThatARestoreHasLost:
    """The bank books what this database never instructed, under an id that only we give."""

    def other(self, house: House) -> str:
        return "ABCD" if house.one("SELECT epoch FROM installation") != "ABCD" else "DCBA"

    def lost(self, house: House) -> str:
        return f"2025-07-08,100.00,CNY,debit,6222020200112233,sme,PW{self.other(house)}PO20250099A1,B7\n"

    def test_opens_a_case_of_its_own_and_holds_the_fund_once(self, house: House) -> None:
        pay.batches(house, state="sent")

        taken = take(house, HEAD + line(house) + self.lost(house) + self.lost(house).replace("B7", "B8"))

        assert taken.status == "imported"
        assert [row.kind for row in house.rows("SELECT kind FROM v_exception")] == ["own_id_unknown"] * 2
        (hold,) = house.rows("SELECT object_type, reason FROM v_hold")
        assert tuple(hold) == ("fund", "own_id_unknown")
        assert (states(house), broken(house)) == (("paid", "settled"), [])

    def test_is_a_case_too_where_only_its_file_is_named(self, house: House) -> None:
        """The bank books the whole file at once, under its message id."""
        pay.batches(house, state="sent")
        whole = batch_booking("100.00", f"PW{self.other(house)}PB20250007")

        take_file(house.engine, "a.xml", lambda: BytesIO(whole), house.stamp())

        assert house.one("SELECT kind FROM v_exception WHERE object_type = 'statement_line'") == "own_id_unknown"
        assert house.one("SELECT reason FROM v_hold WHERE object_type = 'fund'") == "own_id_unknown"
        assert broken(house) == []

    @pytest.mark.parametrize(("message", "stops"), [("PW{other}PB20250007", True), ("E1B7", False)])
    def test_stops_all_disbursement_where_the_bank_answers_its_file(
        self, house: House, message: str, *, stops: bool
    ) -> None:
        pay.batches(house)
        told = pain002().replace(b"E1B7", message.format(other=self.other(house)).encode())
        more = told.replace(b"T10:00:00Z", b"T11:00:00Z")

        taken = [take_file(house.engine, "a.xml", partial(BytesIO, data), house.stamp()) for data in (told, more)]

        assert [one.document()["why"] for one in taken] == ["bank_message_unknown"] * 2
        assert [row.kind for row in house.rows("SELECT kind FROM v_exception")] == ["file_quarantined"] * 2
        holds = house.rows("SELECT reason FROM v_hold WHERE object_type = 'disbursement'")
        assert [row.reason for row in holds] == ["restored"] * stops
        assert broken(house) == []

    def test_lets_no_file_of_the_fund_leave(self, house: House) -> None:
        pay.batches(house)
        take(house, HEAD + self.lost(house))
        bank = BankInMemory()

        run = Run()
        deliver(house.engine, Teller(bank=bank, holder="me"), house.stamp(), run)

        assert (run.sent, len(run.waiting), bank.out) == ([], 1, {})

    def test_of_another_form_is_only_unknown(self, house: House) -> None:
        pay.batches(house, state="sent")

        take(house, HEAD + line(house) + self.lost(house).replace(",PW", ",XW"))

        assert house.one("SELECT kind FROM v_exception") == "end_to_end_id_unknown"
        assert house.rows("SELECT 1 FROM v_hold") == []
