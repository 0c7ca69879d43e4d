"""How money ends: the final settlement of an agreement, and what is owed back (rule book F11 to F14)."""

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from lifecycle.commands import Command, Verb
from lifecycle.endings import effects, rules, stopping
from lifecycle.endings.facts import (
    OrderFacts,
    RecoveryFacts,
    SettleFacts,
    order_facts,
    recovery_facts,
    set_off_facts,
    settle_facts,
)
from lifecycle.milestones.rules import agreement_active, behind_no_wall, has_reason
from lifecycle.payouts.write_off import booking_open
from models.agreements import Agreement, RecoveryOrder

OBJECT_TYPE = effects.OBJECT_TYPE
STOPPING = (stopping.STOP, stopping.WITHDRAW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAgreement(Command):
    """Settle an agreement on its accepted cost: what is still paid, what is owed back, what the fund gets back."""

    agreement_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecovery(Command):
    """Ask the firm to pay back what it was not entitled to; due as many days later as its standard says."""

    agreement_id: UUID
    amount_minor: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCommand(Command):
    """Base of what is asked of one recovery order."""

    recovery_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RepayRecovery(RecoveryCommand):
    """Book money that the firm paid back."""

    amount_minor: int
    bank_ref: str
    received_on: date
    exception_id: UUID | None = None
    """The case in which two people agreed that a booking is this repayment; without one the accountant says so."""
    statement_line_id: UUID | None = None
    """That booking of the bank: what it had set aside is taken out of suspense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOffRecovery(RecoveryCommand):
    """Set the debt off against a released tranche of the same firm and fund; the firm was told before."""

    milestone_id: UUID
    amount_minor: int
    notified_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffRecovery(RecoveryCommand):
    """Give up what is still owed: the first of two people proposes, the second confirms."""

    reason: str


SETTLE: Verb[SettleAgreement, SettleFacts] = Verb(
    object_type="agreement",
    name="settle",
    command=SettleAgreement,
    subject=Agreement,
    subject_id=lambda asked: asked.agreement_id,
    facts=settle_facts,
    rules=(
        agreement_active,
        rules.reached_its_end,
        rules.cost_is_final,
        rules.audit_there,
        rules.nothing_on_its_way,
        rules.changes_something,
        rules.not_who_stated,
        behind_no_wall,
        has_reason,
    ),
    effects=effects.settled,
)
ORDER: Verb[OrderRecovery, OrderFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="order",
    command=OrderRecovery,
    subject=Agreement,
    subject_id=lambda asked: asked.agreement_id,
    facts=order_facts,
    rules=(rules.order_sound, behind_no_wall, has_reason),
    effects=effects.ordered,
)

R = TypeVar("R", bound=RecoveryCommand)


def _verb(name: str, command: type[R], effect: Any, *own: Any, facts: Any = recovery_facts) -> Verb[R, RecoveryFacts]:
    return Verb(
        object_type=OBJECT_TYPE,
        name=name,
        command=command,
        subject=RecoveryOrder,
        subject_id=lambda asked: asked.recovery_id,
        state=lambda facts: str(facts.order.state),
        facts=facts,
        rules=(rules.still_open, *own),
        effects=effect,
    )


REPAY = _verb(
    "repay",
    RepayRecovery,
    effects.repaid,
    rules.accountant_books,
    rules.is_a_booking,
    booking_open,
    rules.within_order,
    rules.booking_named,
)
SET_OFF = _verb(
    "set_off",
    SetOffRecovery,
    effects.set_off,
    rules.within_order,
    rules.same_funder,
    rules.within_tranche,
    rules.within_caps,
    rules.firm_was_told,
    behind_no_wall,
    has_reason,
    facts=set_off_facts,
)
WRITE_OFF = _verb(
    "write_off",
    WriteOffRecovery,
    effects.written_off,
    rules.not_the_orderer,
    rules.may_forgive,
    behind_no_wall,
    has_reason,
)
