"""Two people say what a booking is: of it as much is moved as lies in suspense, and once."""

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest

from flows.reconciliation import take_file
from lifecycle.endings.commands import OrderRecovery, RepayRecovery
from lifecycle.engine import execute
from lifecycle.errors import LifecycleError
from lifecycle.exceptions.carrying_out import carry_out
from lifecycle.funds.commands import Contribute, HoldFund, ResumeFund
from lifecycle.invariants.check import all_checks, check
from lifecycle.payouts.batches import Send
from lifecycle.payouts.commands import Instruct, Reapprove
from models.db import reading, transaction
from models.ids import new_id
from models.states import Role
from tests import payments as pay
from tests.factories import House, ids_of, key

HEAD = "booked_on,amount,currency,direction,counterparty_account,counterparty_name,end_to_end_id,bank_ref\n"


def booked(house: House, *lines: str) -> None:
    text = HEAD + "".join(f"2025-07-08,{one}\n" for one in lines)
    assert take_file(house.engine, "a.csv", lambda: BytesIO(text.encode()), house.stamp()).status == "imported"


def paid(house: House) -> str:
    """Return the end-to-end id of a payment that the bank has booked."""
    pay.batches(house, state="sent")
    end = str(house.one("SELECT end_to_end_id FROM v_instruction"))
    booked(house, f"100.00,CNY,debit,,sme,{end},B1")
    return end


def only_case(house: House) -> UUID:
    return UUID(house.one("SELECT id FROM v_exception WHERE closed_at IS NULL"))


def refused(house: House, case: UUID, action: str, **more: Any) -> set[str]:
    (answer,) = house.ask(pay.propose(case, action, **more), by=Role.ACCOUNTANT)
    return {reason.code for reason in answer.unmet}


def decide(house: House, case: UUID, action: str, **more: Any) -> LifecycleError | None:
    """Let two people agree on a way out and carry it out; return what stands in its way."""
    house.do(pay.propose(case, action, **more), by=Role.ACCOUNTANT)
    confirm = pay.confirm(house, case, action)
    with transaction(house.engine) as session:
        answers = execute(session, [confirm], stamp=house.stamp(Role.FUND_MANAGER))
        answers += carry_out(session, case, confirm.command_id, house.stamp(Role.FUND_MANAGER))
        error = next((answer.error for answer in answers if answer.error is not None), None)
        if error is not None:
            session.rollback()
    return error


def balances(house: House) -> dict[str, int]:
    rows = house.rows("SELECT kind, SUM(balance_minor) AS minor FROM v_account GROUP BY kind")
    return {row.kind: int(row.minor) for row in rows}


def broken(house: House) -> list[str]:
    with reading(house.engine) as session:
        report = check(session, all_checks({}), now=house.now)
    return [one["id"] for one in report.document()["checks"] if not one["ok"]]


class TestAWriteOff:
    def test_of_a_part_return_is_refused_for_nothing_of_it_lies_aside(self, house: House) -> None:
        end = paid(house)
        booked(house, f"40.00,CNY,credit,,sme,{end},R1")

        assert refused(house, only_case(house), "write_off") == {"booking_explained"}

    def test_of_what_came_back_too_much_moves_the_rest_only(self, house: House) -> None:
        end = paid(house)
        booked(house, f"120.00,CNY,credit,,sme,{end},R1")
        before = balances(house)
        assert before["suspense"] == 2_000

        assert decide(house, only_case(house), "write_off") is None

        after = balances(house)
        assert (after["suspense"], after["available"]) == (0, before["available"] + 2_000)
        assert broken(house) == []


class TestAMatch:
    def test_of_what_came_back_too_much_explains_the_rest_only(self, house: House) -> None:
        end = paid(house)
        booked(house, "20.00,CNY,debit,,,,F1", f"120.00,CNY,credit,,sme,{end},R1")
        before = balances(house)
        of_fee = house.one("SELECT id FROM v_exception WHERE kind = 'unmatched'")

        assert decide(house, UUID(of_fee), "match", end_to_end_id=end, kind="fee") is None
        assert decide(house, only_case(house), "write_off") is None

        after = balances(house)
        assert (before["suspense"], after["suspense"], after["fee"]) == (0, 0, 2_000)
        assert broken(house) == []

    @pytest.mark.parametrize("kind", ["return", "fee"])
    def test_that_is_carried_out_again_under_another_key_moves_nothing_more(self, house: House, kind: str) -> None:
        end = paid(house)
        booked(house, "60.00,CNY,credit,,,,R1" if kind == "return" else "60.00,CNY,debit,,,,F1")
        case = only_case(house)
        assert decide(house, case, "match", end_to_end_id=end, kind=kind) is None
        before = balances(house)

        with transaction(house.engine) as session:
            answers = carry_out(session, case, key(), house.stamp(Role.FUND_MANAGER))

        assert [code for one in answers if one.error is not None for code in one.error.codes] == ["booking_explained"]
        assert balances(house) == before
        assert broken(house) == []

    def test_of_a_case_without_a_booking_is_said_once_too(self, house: House) -> None:
        """That of a payment came back, by the bank's letter alone."""
        pay.batches(house, state="sent")
        end = str(house.one("SELECT end_to_end_id FROM v_instruction"))
        pay.tell(house, UUID(house.one("SELECT id FROM v_payout")), kind="settle", amount_minor=pay.AMOUNT - 1)
        case = UUID(house.one("SELECT id FROM v_exception WHERE object_type = 'instruction'"))
        assert decide(house, case, "match", end_to_end_id=end, kind="return") is None
        before = balances(house)

        with transaction(house.engine) as session:
            answers = carry_out(session, case, key(), house.stamp(Role.FUND_MANAGER))

        assert [one.error is not None and one.error.codes for one in answers] == [("booking_explained",)]
        assert balances(house) == before


class TestALostPayment:
    """A backup is older than a payment that the bank then books under an id which only we give."""

    def booked_for(self, house: House, payout: UUID, amount: str = "100.00") -> UUID:
        booked(house, f"{amount},CNY,debit,,sme,{pay.lost_end(house, payout)},B1")
        return only_case(house)

    def test_is_adopted_as_an_attempt_of_the_payout_that_its_id_names(self, house: House) -> None:
        (payout,) = pay.payouts(house, state="approved")
        case = self.booked_for(house, payout)
        before = balances(house)

        assert decide(house, case, "adopt") is None

        after = balances(house)
        assert (house.one("SELECT state FROM v_payout"), house.one("SELECT state FROM v_batch")) == ("paid", "settled")
        assert (before["suspense"], after["suspense"], after["reserved"], after["paid"]) == (-10_000, 0, 0, 10_000)
        assert after["available"] == before["available"]
        assert broken(house) == []

    def test_is_known_to_the_next_statement_and_may_come_back(self, house: House) -> None:
        (payout,) = pay.payouts(house, state="approved")
        assert decide(house, self.booked_for(house, payout), "adopt") is None
        end = str(house.one("SELECT end_to_end_id FROM v_instruction"))

        booked(house, f"100.00,CNY,credit,,sme,{end},R1")

        assert house.one("SELECT state FROM v_payout") == "returned"
        assert broken(house) == []

    def test_that_was_approved_after_the_backup_is_approved_anew_and_then_adopted_but_not_paid_again(
        self, house: House
    ) -> None:
        (payout,) = pay.payouts(house)
        case = self.booked_for(house, payout)
        for role in (Role.ACCOUNTANT, Role.FUND_DIRECTOR):
            resume = ResumeFund(command_id=key(), fund_id=pay.payer_of(house, payout), reason="looked")
            house.do(resume, by=role)
        pay.approve(house, payout)
        (again,) = house.ask(Instruct(command_id=key(), payout_id=payout, batch_id=new_id()))
        assert [one.code for one in again.unmet] == ["batch_may_be_alive"]

        assert decide(house, case, "adopt") is None

        assert house.one("SELECT state FROM v_payout") == "paid"
        assert broken(house) == []

    @pytest.mark.parametrize(
        ("state", "amount", "code"),
        [
            ("requested", "100.00", "adopt_needs_approval"),
            ("approved", "99.99", "adopt_names_nothing"),
        ],
    )
    def test_is_adopted_by_an_approved_payout_of_its_amount_only(
        self, house: House, state: str, amount: str, code: str
    ) -> None:
        (payout,) = pay.payouts(house, state=state)

        assert refused(house, self.booked_for(house, payout, amount), "adopt") == {code}


class TestADeadAttempt:
    def test_that_was_paid_after_it_was_abandoned_takes_what_is_reserved(self, house: House) -> None:
        pay.batches(house, state="abandoned")
        end = str(house.one("SELECT end_to_end_id FROM v_instruction"))
        booked(house, f"100.00,CNY,debit,,sme,{end},B1")

        assert decide(house, only_case(house), "match", end_to_end_id=end, kind="settle") is None

        after = balances(house)
        assert (house.one("SELECT state FROM v_payout"), after["reserved"], after["suspense"]) == ("paid", 0, 0)
        assert broken(house) == []

    def test_is_not_said_to_be_paid_while_the_next_one_is_alive(self, house: House) -> None:
        (batch,) = pay.batches(house, state="sent")
        payout = pay.payout_of(house, batch)
        first = str(house.one("SELECT end_to_end_id FROM v_instruction"))
        pay.tell(house, payout, kind="reject", source="pain002")
        again = Reapprove(command_id=key(), payout_id=payout, amount_minor=pay.AMOUNT)
        house.do(again, by=Role.FUND_MANAGER)
        (second,) = pay.instruct(house, payout)
        house.do(Send(command_id=key(), batch_id=second, fence=0))
        booked(house, f"100.00,CNY,debit,,sme,{first},B1")

        error = decide(house, only_case(house), "match", end_to_end_id=first, kind="settle")

        assert error is not None
        assert {reason.code for reason in error.unmet} == {"batch_may_be_alive"}
        assert broken(house) == []


class TestAFeeOfAPayment:
    def test_that_the_fund_cannot_bear_is_written_off_once_it_can(self, house: House) -> None:
        end = paid(house)
        fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
        by_hand: dict[str, Any] = {"fund_id": fund, "received_on": house.today, "note": "by hand"}
        left = balances(house)["available"]
        house.do(Contribute(command_id=key(), amount_minor=-left, **by_hand), by=Role.ACCOUNTANT)
        booked(house, "12.00,CNY,debit,,bank,,F1")
        assert decide(house, only_case(house), "match", end_to_end_id=end, kind="fee") is None
        assert house.one("SELECT kind FROM v_exception WHERE closed_at IS NULL") == "fee_not_covered"
        assert balances(house)["suspense"] == -1_200
        house.do(Contribute(command_id=key(), amount_minor=1_200, **by_hand), by=Role.ACCOUNTANT)

        assert decide(house, only_case(house), "write_off") is None

        assert (balances(house)["suspense"], balances(house)["available"]) == (0, 0)
        assert broken(house) == []


class TestALiftedHold:
    def test_is_the_one_that_the_case_caused_and_no_other(self, house: House) -> None:
        end = paid(house)
        fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
        until = house.today + timedelta(days=30)
        hold = HoldFund(command_id=key(), fund_id=fund, code="misuse", reason="police", until_on=until)
        house.do(hold, by=Role.FUND_DIRECTOR)
        booked(house, f"100.00,CNY,debit,,sme,{end},B2")

        assert decide(house, only_case(house), "lift_hold") is None

        assert [row.reason for row in house.rows(HOLDS)] == ["misuse"]

    def test_is_one_that_the_bank_gives_a_reason_for_beside_what_people_hold_the_fund_for(self, house: House) -> None:
        """Else two people who end their own hold let the fund pay while the bank contradicts itself."""
        end = paid(house)
        fund = UUID(house.one("SELECT fund_id FROM v_agreement"))
        until = house.today + timedelta(days=30)
        hold = HoldFund(command_id=key(), fund_id=fund, code="misuse", reason="police", until_on=until)
        house.do(hold, by=Role.FUND_DIRECTOR)
        booked(house, f"100.00,CNY,debit,,sme,{end},B2")

        for by in (Role.FUND_DIRECTOR, Role.ACCOUNTANT):
            house.do(ResumeFund(command_id=key(), fund_id=fund, reason="all is well"), by=by)

        assert [row.reason for row in house.rows(HOLDS)] == ["contradiction"]

    def test_stays_until_the_last_case_that_holds_the_fund(self, house: House) -> None:
        end = paid(house)
        booked(house, f"99.00,CNY,debit,,sme,{end},B2", f"98.00,CNY,debit,,sme,{end},B3")
        sql = "SELECT id FROM v_exception WHERE closed_at IS NULL ORDER BY opened_at, id"
        first, second = (UUID(row.id) for row in house.rows(sql))

        held = []
        for case in (first, second):
            assert decide(house, case, "lift_hold") is None
            held.append([row.reason for row in house.rows(HOLDS)])

        assert held == [["contradiction"], []]

    def test_of_a_lost_payment_ends_with_its_adoption(self, house: House) -> None:
        (payout,) = pay.payouts(house, state="approved")

        assert decide(house, pay.lost(house, payout), "adopt") is None

        assert house.rows(HOLDS) == []

    def test_is_lifted_with_the_case(self, house: House) -> None:
        end = paid(house)
        booked(house, f"100.00,CNY,debit,,sme,{end},B2")
        assert [row.reason for row in house.rows(HOLDS)] == ["contradiction"]

        assert decide(house, only_case(house), "lift_hold") is None

        assert house.rows(HOLDS) == []


HOLDS = "SELECT reason FROM v_hold WHERE lifted_at IS NULL"


class TestARepayment:
    def test_is_not_a_return_that_was_posted_already(self, house: House) -> None:
        """Else an accountant alone counts the same money in the fund twice."""
        end = paid(house)
        agreement = UUID(house.one("SELECT id FROM v_agreement"))
        asked: dict[str, Any] = {"amount_minor": 4_000, "code": "misuse", "reason": "why"}
        (order,) = ids_of(house.do(OrderRecovery(command_id=key(), agreement_id=agreement, **asked), by="fund_manager"))
        booked(house, f"40.00,CNY,credit,,sme,{end},R1")
        line = UUID(house.one("SELECT object_id FROM v_exception"))
        booking: dict[str, Any] = {"bank_ref": "R1", "received_on": house.today, "statement_line_id": line}

        repay = RepayRecovery(command_id=key(), recovery_id=order, amount_minor=4_000, **booking)
        (answer,) = house.ask(repay, by=Role.ACCOUNTANT)

        assert {reason.code for reason in answer.unmet} == {"repayment_without_booking", "booking_explained"}
