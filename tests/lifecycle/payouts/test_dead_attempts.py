"""An attempt that was over is paid after all, or may be: nothing is paid beside it, and people find the way out."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from lifecycle.funds.commands import ResumeFund
from lifecycle.ledger.sums import paid_by_agreement
from lifecycle.payouts.commands import Cancel, Instruct
from lifecycle.projects.commands import Stop
from models.db import reading, transaction
from models.ids import new_id
from models.states import BankEventKind, Role
from tests import payments as pay
from tests.factories import House, ids_of, key
from tests.flows.test_ways_out import booked, broken, decide, only_case


def kinds(house: House) -> list[str]:
    return [row.kind for row in house.rows("SELECT kind FROM v_exception WHERE closed_at IS NULL ORDER BY opened_at")]


def refusal(house: House, payout: UUID) -> set[str]:
    (answer,) = house.ask(Instruct(command_id=key(), payout_id=payout, batch_id=new_id()))
    return {reason.code for reason in answer.unmet}


def lift(house: House, payout: UUID) -> None:
    """Let two people end the hold, and leave the case open."""
    resume = ResumeFund(command_id=key(), fund_id=pay.payer_of(house, payout), reason="the bank looks for it")
    house.do(resume, by=Role.ACCOUNTANT)
    house.do(replace(resume, command_id=key()), by=Role.FUND_DIRECTOR)


class TestAcceptance:
    def test_of_an_abandoned_attempt_holds_the_fund_and_no_second_one_is_made(self, house: House) -> None:
        (batch,) = pay.batches(house, state="abandoned")
        payout = pay.payout_of(house, batch)

        pay.tell(house, payout, kind="acknowledge", source="pain002")

        assert kinds(house) == ["accepted_after_rejection"]
        assert refusal(house, payout) == {"fund_on_hold", "batch_may_be_alive"}

    def test_of_a_rejected_attempt_holds_the_fund(self, house: House) -> None:
        (batch,) = pay.batches(house, state="sent")
        payout = pay.payout_of(house, batch)
        pay.tell(house, payout, kind="reject", source="pain002")

        pay.tell(house, payout, kind="acknowledge", source="pain002")

        assert kinds(house) == ["accepted_after_rejection"]
        assert house.one("SELECT reason FROM v_hold WHERE lifted_at IS NULL") == "contradiction"

    def test_keeps_the_next_attempt_back_where_only_the_hold_was_lifted(self, house: House) -> None:
        (batch,) = pay.batches(house, state="abandoned")
        payout = pay.payout_of(house, batch)
        pay.tell(house, payout, kind="acknowledge", source="pain002")
        lift(house, payout)
        assert refusal(house, payout) == {"batch_may_be_alive"}

        pay.agree(house, pay.case_of(house, UUID(house.one("SELECT id FROM v_instruction"))), action="confirm_rejected")

        assert refusal(house, payout) == set()

    def test_keeps_a_new_request_for_the_same_tranche_back(self, house: House) -> None:
        """The firm cancels what it asked for, and asks for it under another number."""
        (batch,) = pay.batches(house, state="abandoned")
        payout = pay.payout_of(house, batch)
        milestone = UUID(house.one("SELECT milestone_id FROM v_payout"))
        pay.tell(house, payout, kind="acknowledge", source="pain002")
        lift(house, payout)
        house.do(Cancel(command_id=key(), payout_id=payout, reason="asked anew"), by=Role.FINANCE_OFFICER)
        (again,) = ids_of(house.do(pay.request(house, milestone), by=Role.FINANCE_OFFICER))
        pay.approve(house, again)

        assert refusal(house, again) == {"batch_may_be_alive"}


class TestAPaymentThatTheBankHasMadeAfterAll:
    """Rejected by the bank and given up here; then it is booked, and two people say what it is."""

    def booked(self, house: House, *, project_ends: bool = False) -> UUID:
        """Return the case about the booking of a payout that was given up."""
        (batch,) = pay.batches(house, state="sent")
        payout = pay.payout_of(house, batch)
        pay.tell(house, payout, kind="reject", source="pain002")
        if project_ends:
            project = UUID(house.one("SELECT project_id FROM v_payout"))
            house.do(Stop(command_id=key(), project_id=project, code="misuse", reason="why"), by=Role.FUND_MANAGER)
        else:
            house.do(Cancel(command_id=key(), payout_id=payout, reason="no"), by=Role.FINANCE_OFFICER)
        paid(house, "B1")
        return only_case(house)

    @pytest.mark.parametrize("project_ends", [False, True])
    def test_counts_as_paid(self, house: House, *, project_ends: bool) -> None:
        case = self.booked(house, project_ends=project_ends)

        assert decide(house, case, "match", **settles(house)) is None

        assert house.one("SELECT state FROM v_payout") == "paid"
        agreement = UUID(house.one("SELECT id FROM v_agreement"))
        with reading(house.engine) as session:
            assert paid_by_agreement(session, [agreement]) == {agreement: pay.AMOUNT}
        assert broken(house) == []

    def test_has_no_room_beside_what_was_paid_for_its_tranche_since(self, house: House) -> None:
        case = self.booked(house)
        milestone = UUID(house.one("SELECT milestone_id FROM v_payout"))
        command = pay.request(house, milestone, amount_minor=40_000_000)
        with transaction(house.engine) as session:
            session.execute(text("UPDATE hold SET lifted_at = from_at, lifted_on = from_on"))
        house.do(command, by=Role.FINANCE_OFFICER)

        error = decide(house, case, "match", **settles(house))

        assert error is not None
        assert error.codes == ("milestone_exceeded",)


def paid(house: House, ref: str) -> None:
    end = house.one("SELECT end_to_end_id FROM v_instruction")
    booked(house, f"100.00,CNY,debit,,sme,{end},{ref}")


def settles(house: House) -> dict[str, Any]:
    end = house.one("SELECT end_to_end_id FROM v_instruction")
    return {"end_to_end_id": end, "kind": BankEventKind.SETTLE}
