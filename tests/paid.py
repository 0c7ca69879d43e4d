"""Money that was paid, for tests of what comes after: through every verb from the report to the bank's word."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lifecycle import engine as melody
from lifecycle.agreements.commands import SubmitCost, VerifyCost
from lifecycle.milestones.commands import AcceptMilestone
from lifecycle.payouts.batches import PrepareBatch, Send
from lifecycle.payouts.commands import Approve, Instruct, RequestPayout, RequestSettlement
from lifecycle.payouts.learning import Learn
from models.db import transaction
from models.ids import new_id
from models.states import BankEventKind, BankSource, Role
from tests import factories as make
from tests.factories import House, key
from tests.payments import payee


def fund_of(house: House, agreement: UUID) -> UUID:
    """Return the fund of an agreement."""
    return UUID(house.one("SELECT fund_id FROM v_agreement WHERE id = :id", id=str(agreement)))


def released(house: House, *agreements: UUID, number: int = 1) -> list[UUID]:
    """Have a tranche of each agreement reported and accepted; return the tranches."""
    ids = make.reported(house, *agreements, number=number)
    house.do(*(AcceptMilestone(command_id=key(), milestone_id=one, reason="seen") for one in ids), by=Role.COORDINATOR)
    return ids


def request(house: House, milestone: UUID, amount: int) -> RequestPayout:
    """Return the command that asks for money of a tranche."""
    return RequestPayout(
        command_id=key(), milestone_id=milestone, payee_account_id=payee(house), new_amount_minor=amount
    )


def ask_settlement(house: House, agreement: UUID, amount: int) -> RequestSettlement:
    """Return the command that asks for what the settlement pays besides the tranches."""
    return RequestSettlement(
        command_id=key(), agreement_id=agreement, payee_account_id=payee(house), new_amount_minor=amount
    )


def asked(house: House, *commands: Any) -> list[UUID]:
    """Ask for money; return the payouts."""
    return make.ids_of(house.do(*commands, by=Role.FINANCE_OFFICER))


def approve(house: House, payout: UUID, by: Sequence[str] = (Role.FUND_MANAGER, Role.FUND_DIRECTOR)) -> None:
    """Give every approval that the payout needs."""
    ((amount, needed),) = house.rows("SELECT amount_minor, approvals_needed FROM payout WHERE id = :id", id=str(payout))
    for person in by[:needed]:
        house.do(Approve(command_id=key(), payout_id=payout, amount_minor=int(amount)), by=person)


def send(house: House, payout: UUID) -> UUID:
    """Put an approved payout into a file of its own at the bank; return its instruction."""
    batch = new_id()
    fund = UUID(house.one("SELECT fund_id FROM payout WHERE id = :id", id=str(payout)))
    prepare = PrepareBatch(
        command_id=key(), fund_id=fund, batch_id=batch, payout_ids=(payout,), execution_on=house.today
    )
    with transaction(house.engine) as session:
        for command in (Instruct(command_id=key(), payout_id=payout, batch_id=batch), prepare):
            (answer,) = melody.execute(session, [command], stamp=house.stamp())
            assert answer.is_done, answer.unmet
    house.do(Send(command_id=key(), batch_id=batch, fence=0))
    return UUID(house.one("SELECT id FROM v_instruction WHERE batch_id = :id", id=str(batch)))


def hear(house: House, payout: UUID, instruction: UUID, kind: BankEventKind = BankEventKind.SETTLE) -> None:
    """Hear from the bank what became of it."""
    amount = int(house.one("SELECT amount_minor FROM payout WHERE id = :id", id=str(payout)))
    house.do(
        Learn(
            command_id=key(),
            payout_id=payout,
            instruction_id=instruction,
            source=BankSource.CAMT053,
            kind=kind,
            amount_minor=amount,
            bank_ref=key(),
            content_hash=key(),
        )
    )


def pay(house: House, payout: UUID) -> UUID:
    """Take a request all the way to the bank's booking; return its instruction."""
    approve(house, payout)
    instruction = send(house, payout)
    hear(house, payout, instruction)
    return instruction


def paid(house: House, *agreements: UUID, number: int = 1, amount: int = 40_000_000) -> list[UUID]:
    """Have an amount of a tranche of each agreement paid, from money that its fund gets for it; return the payouts."""
    funds = [fund_of(house, one) for one in agreements]
    make.pay_in(house, *dict.fromkeys(funds))
    payouts = asked(house, *(request(house, one, amount) for one in released(house, *agreements, number=number)))
    for one in payouts:
        pay(house, one)
    return payouts


def accept_cost(house: House, *agreements: UUID, cost: int, is_final: bool = True) -> None:
    """State the cost of today under each agreement, three tenths of it own money, and have it accepted."""
    commands = [
        SubmitCost(
            command_id=key(),
            agreement_id=one,
            from_on=house.today,
            until_on=house.today,
            by_category={"equipment": cost},
            own_money_minor=-(-cost * 3 // 10),
            evidence_sha256=paper,
            is_final=is_final,
        )
        for one, paper in zip(agreements, make.papers(house, *agreements), strict=True)
    ]
    stated = make.ids_of(house.do(*commands, by=Role.FINANCE_OFFICER))
    said: dict[str, Any] = {"accepted_minor": cost, "accepted_own_minor": -(-cost * 3 // 10), "reason": "as stated"}
    house.do(*(VerifyCost(command_id=key(), cost_id=one, **said) for one in stated), by=Role.CERTIFIER)
