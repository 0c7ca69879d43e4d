"""Propose a way out of a case, confirm it, or take the proposal back. What is then done is a verb of what it moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.endings.commands import RepayRecovery
from lifecycle.endings.facts import left_of
from lifecycle.errors import Unmet, unmet
from lifecycle.ledger.cases import set_aside_by, set_aside_of
from lifecycle.payouts.batches import Abandon
from lifecycle.payouts.learning import Learn
from lifecycle.payouts.write_off import WriteOff
from models.agreements import RecoveryOrder
from models.funds import Fund
from models.holds import ExceptionCase, Hold
from models.money import said
from models.payouts import PaymentBatch, PaymentInstruction
from models.people import User
from models.reading import rows_by
from models.statements import StatementLine
from models.states import BankEventKind, BankSource, RecoveryState

OBJECT_TYPE = "exception"
_SHA256 = 64


class Action(StrEnum):
    """The ways out (`docs/contract.md` 3.6)."""

    MATCH = "match"
    CONFIRM_PAID = "confirm_paid"
    CONFIRM_REJECTED = "confirm_rejected"
    ABANDON_BATCH = "abandon_batch"
    WRITE_OFF = "write_off"
    LIFT_HOLD = "lift_hold"
    CLOSE = "close"


POSSIBLE: Mapping[str, frozenset[Action]] = {
    "statement_line": frozenset({Action.MATCH, Action.WRITE_OFF, Action.LIFT_HOLD, Action.CLOSE}),
    "instruction": frozenset(
        {Action.MATCH, Action.CONFIRM_PAID, Action.CONFIRM_REJECTED, Action.LIFT_HOLD, Action.CLOSE}
    ),
    "batch": frozenset({Action.CONFIRM_PAID, Action.CONFIRM_REJECTED, Action.ABANDON_BATCH}),
    "statement": frozenset({Action.LIFT_HOLD, Action.CLOSE}),
}
"""What a case is about -> its ways out. A case about all disbursement ends with the freeze, when two people lift it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCommand(Command):
    """Base of what is asked of one case."""

    exception_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeWayOut(CaseCommand):
    """Say how the case ends, why, and which written word of the bank it rests on."""

    action: Action
    reason: str
    evidence_sha256: str
    end_to_end_id: str | None = None
    """The payment that a booking belongs to, for `match`."""
    kind: BankEventKind | None = None
    """What the booking is for that payment: settle, return or fee; for `match`."""
    recovery_id: UUID | None = None
    """The recovery order that a credit repays, instead of a payment; for `match`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmWayOut(CaseCommand):
    """Agree to the proposal as the second person; it is carried out in the same transaction."""

    action: Action
    """The way out that was seen: another one may have been proposed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """A case, what it is about, and who proposed."""

    command: Any
    stamp: Stamp
    case: Any
    fund: Any = None
    line: Any = None
    aside_minor: int = 0
    """What of that booking the case is about and lies in suspense still; a debit negative."""
    instruction: Any = None
    """The payment that the proposal names, or that the case is about."""
    batch: Any = None
    """The batch which carried it."""
    order: Any = None
    """The recovery order that the proposal names."""
    holds: tuple[Any, ...] = ()
    person_of: Mapping[UUID, UUID] = field(default_factory=dict)


def case_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CaseFacts]:
    """Read the lines and instructions that the cases are about, and the holds of their funds."""
    about = [task.row.object_id for task in tasks]
    lines = rows_by(session, StatementLine, "id", about)
    aside = set_aside_by(session, about)
    own = rows_by(session, PaymentInstruction, "id", about)
    named = {getattr(task.command, "end_to_end_id", None) or task.row.proposal.get("end_to_end_id") for task in tasks}
    by_end = rows_by(session, PaymentInstruction, "end_to_end_id", named - {None})
    carried_by = {row.batch_id for rows in (*own.values(), *by_end.values()) for row in rows}
    batches = rows_by(session, PaymentBatch, "id", carried_by)
    orders = rows_by(session, RecoveryOrder, "id", {_order_named(task) for task in tasks} - {None})
    holds = rows_by(session, Hold, "object_id", {task.row.fund_id for task in tasks} - {None})
    users = rows_by(session, User, "id", {task.row.proposed_by for task in tasks} - {None})
    facts = []
    for task in tasks:
        end = getattr(task.command, "end_to_end_id", None) or task.row.proposal.get("end_to_end_id")
        found = by_end.get(end, ()) if end else own.get(task.row.object_id, ())
        facts.append(
            CaseFacts(
                command=task.command,
                stamp=stamp,
                case=task.row,
                fund=task.fund,
                line=next(iter(lines.get(task.row.object_id, ())), None),
                aside_minor=set_aside_of(task.row, aside),
                instruction=next(iter(found), None),
                batch=next((one for row in found for one in batches[row.batch_id]), None),
                order=next(iter(orders.get(_order_named(task), ())), None),
                holds=tuple(row for row in holds.get(task.row.fund_id, ()) if row.lifted_at is None),
                person_of={key: rows[0].person_id for key, rows in users.items()},
            )
        )
    return facts


def _order_named(task: Task[Any]) -> Any:
    stored = task.row.proposal.get("recovery_id")
    return getattr(task.command, "recovery_id", None) or (UUID(stored) if stored else None)


def still_open(facts: CaseFacts) -> tuple[Unmet, ...]:
    """What is closed stays closed."""
    return () if facts.case.closed_at is None else (unmet("exception_closed"),)


@about_input
def way_out_known(facts: CaseFacts) -> tuple[Unmet, ...]:
    """The way out fits what the case is about, and says what it needs."""
    command, kind = facts.command, facts.case.object_type
    reasons = []
    possible = POSSIBLE.get(kind, frozenset())
    if command.action not in possible:
        reasons.append(unmet("way_out_not_possible", action=str(command.action), possible=sorted(possible)))
    if command.action == Action.MATCH and command.recovery_id is not None:
        reasons.extend(_repays(facts))
    elif command.action == Action.MATCH and (facts.instruction is None or command.kind is None):
        reasons.append(unmet("match_names_nothing", end_to_end_id=command.end_to_end_id or ""))
    elif command.action == Action.MATCH:
        reasons.extend(_fits(facts))
    if not command.reason.strip():
        reasons.append(unmet("reason_missing"))
    if len(command.evidence_sha256) != _SHA256 or set(command.evidence_sha256) - set("0123456789abcdef"):
        reasons.append(unmet("file_hash_wrong"))
    return tuple(reasons)


def _fits(facts: CaseFacts) -> tuple[Unmet, ...]:
    """A booking is of the fund and the currency of the payment; money that left pays or is a fee, what came returns."""
    if facts.line is None:
        allowed: tuple[BankEventKind, ...] = (BankEventKind.SETTLE, BankEventKind.RETURN, BankEventKind.FEE)
    else:
        is_debit = facts.line.amount_minor < 0
        allowed = (BankEventKind.SETTLE, BankEventKind.FEE) if is_debit else (BankEventKind.RETURN,)
    reasons = []
    if facts.command.kind not in allowed:
        reasons.append(unmet("match_kind_wrong", allowed=[str(one) for one in allowed]))
    if facts.line is not None and facts.line.currency != facts.instruction.currency:
        reasons.append(unmet("foreign_currency"))
    if facts.batch is not None and facts.batch.fund_id != facts.case.fund_id:
        reasons.append(unmet("match_of_another_fund", end_to_end_id=facts.instruction.end_to_end_id))
    return tuple(reasons)


def _repays(facts: CaseFacts) -> tuple[Unmet, ...]:
    """A credit repays an order of the same fund that is open, wholly: a line is explained whole or not at all."""
    line, order = facts.line, facts.order
    is_credit = line is not None and line.amount_minor > 0 and facts.command.end_to_end_id is None
    if not is_credit or order is None or order.fund_id != facts.case.fund_id:
        return (unmet("match_names_nothing", end_to_end_id=str(facts.command.recovery_id)),)
    if line.amount_minor <= left_of(order) and order.state == RecoveryState.OPEN:
        return ()
    values = said(order.currency, asked=line.amount_minor, left=left_of(order))
    return (Unmet(code="recovery_over_left", values=values),)


def still_set_aside(facts: CaseFacts) -> tuple[Unmet, ...]:
    """What a booking is, is said once, of what lies in suspense: not of what was posted, or taken out, already."""
    action = getattr(facts.command, "action", None) or facts.case.action
    is_about = facts.line is not None and action in (Action.MATCH, Action.WRITE_OFF)
    foreign = is_about and facts.fund is not None and facts.line.currency != facts.fund.currency
    return (unmet("booking_explained"),) if is_about and not foreign and not facts.aside_minor else ()


def proposed(facts: CaseFacts) -> tuple[Unmet, ...]:
    """There is a proposal to agree to."""
    return () if facts.case.proposed_by is not None else (unmet("nothing_proposed"),)


@about_input
def as_seen(facts: CaseFacts) -> tuple[Unmet, ...]:
    """Who confirms names the way out; one that was proposed in its place meanwhile was not seen (P09)."""
    action = facts.case.action
    if action is None or facts.command.action == action:
        return ()
    return (unmet("another_way_out", proposed=str(action), asked=str(facts.command.action)),)


def second_person(facts: CaseFacts) -> tuple[Unmet, ...]:
    """Nobody agrees with themselves, with no account of theirs."""
    proposer = facts.case.proposed_by
    own = proposer is not None and facts.person_of.get(proposer, proposer) == facts.stamp.actor.person_id
    return (unmet("four_eyes"),) if own else ()


def _act(facts: CaseFacts, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any]) -> Act:
    return Act(
        table=ExceptionCase,
        object_type=OBJECT_TYPE,
        id=facts.case.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.case,
        values=values,
        detail={"kind": facts.case.kind, **detail},
    )


def _told(facts: CaseFacts, kind: str) -> Message:
    said = {"kind": facts.case.kind, "about": facts.case.object_type}
    return Message(kind=f"{OBJECT_TYPE}.{kind}", object_type=OBJECT_TYPE, object_id=facts.case.id, facts=said)


def way_out_proposed(facts: CaseFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the proposal down; a later one takes its place."""
    command = facts.command
    proposal = {
        "end_to_end_id": command.end_to_end_id,
        "kind": str(command.kind) if command.kind else None,
        "recovery_id": str(command.recovery_id) if command.recovery_id else None,
    }
    values = {
        "action": str(command.action),
        "proposal": proposal,
        "reason": command.reason,
        "evidence_sha256": command.evidence_sha256,
        "proposed_by": stamp.actor.user_id,
        "proposed_at": stamp.now,
    }
    detail = {
        "action": values["action"],
        "reason": command.reason,
        "evidence_sha256": command.evidence_sha256,
        **proposal,
    }
    return Effects(acts=(_act(facts, "propose", values, detail),), messages=(_told(facts, "proposed"),))


def _is_of(case: Any, hold: Any) -> bool:
    """Say whether this case put the hold on its fund, in the same act: what others hold it for stays."""
    note = f"{case.facts.get('payout')}: {case.kind}"
    is_its_reason = hold.reason == case.kind or (hold.reason, hold.note) == ("contradiction", note)
    return bool(hold.from_at == case.opened_at and is_its_reason)


def way_out_confirmed(facts: CaseFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the case; a hold of the fund that it caused is lifted here, everything else by the verb that follows."""
    values = {"confirmed_by": stamp.actor.user_id, "closed_at": stamp.now}
    acts = [_act(facts, "confirm", values, {"action": facts.case.action, "proposed_by": facts.case.proposed_by})]
    updates: tuple[Any, ...] = ()
    own = [row for row in facts.holds if _is_of(facts.case, row)]
    if facts.case.action == Action.LIFT_HOLD and own:
        lifted = {"lifted_at": stamp.now, "lifted_on": stamp.today, "lifted_by": stamp.actor.user_id}
        updates = tuple((Hold, row.id, lifted) for row in own)
        acts.append(
            Act(
                table=Fund,
                object_type="fund",
                id=facts.fund.id,
                action="fund.resume",
                row=facts.fund,
                detail={"exception_id": facts.case.id, "reason": facts.case.reason},
            )
        )
    return Effects(acts=tuple(acts), updates=updates, messages=(_told(facts, "closed"),))


def follow_up(session: Session, case_id: UUID, command_id: str) -> list[Command]:
    """Return what the confirmed proposal of a case does: run it in the transaction that confirmed it.

    A case about a batch speaks of every instruction of it that may still be alive.
    """
    case = rows_by(session, ExceptionCase, "id", [case_id])[case_id][0]
    if case.action == Action.ABANDON_BATCH:
        return [
            Abandon(
                command_id=f"{command_id}:abandon", batch_id=case.object_id, reason=case.reason, exception_id=case.id
            )
        ]
    line = next(iter(rows_by(session, StatementLine, "id", [case.object_id]).get(case.object_id, ())), None)
    if case.action == Action.WRITE_OFF and line is not None:
        return [
            WriteOff(
                command_id=f"{command_id}:write-off",
                statement_id=line.statement_id,
                statement_line_id=line.id,
                exception_id=case.id,
                reason=case.reason,
            )
        ]
    if case.action == Action.MATCH and case.proposal.get("recovery_id") and line is not None:
        return [_repay(case, line, command_id)]
    if case.action not in (Action.MATCH, Action.CONFIRM_PAID, Action.CONFIRM_REJECTED):
        return []
    if case.object_type == "batch":
        spoken_of = rows_by(session, PaymentInstruction, "batch_id", [case.object_id], "end_to_end_id")[case.object_id]
    elif case.action == Action.MATCH:
        end = case.proposal["end_to_end_id"]
        spoken_of = rows_by(session, PaymentInstruction, "end_to_end_id", [end])[end]
    else:
        spoken_of = rows_by(session, PaymentInstruction, "id", [case.object_id])[case.object_id]
    aside = 0 if line is None else set_aside_of(case, set_aside_by(session, [line.id]))
    return [_learn(case, one, line, aside, command_id) for one in spoken_of]


def _repay(case: Any, line: Any, command_id: str) -> Command:
    return RepayRecovery(
        command_id=f"{command_id}:repay",
        recovery_id=UUID(case.proposal["recovery_id"]),
        amount_minor=line.amount_minor,
        bank_ref=line.bank_ref or line.line_ref,
        received_on=line.booked_on,
        exception_id=case.id,
        statement_line_id=line.id,
    )


def _learn(case: Any, instruction: Any, line: Any, aside_minor: int, command_id: str) -> Command:
    kinds = {Action.CONFIRM_PAID: BankEventKind.SETTLE, Action.CONFIRM_REJECTED: BankEventKind.REJECT}
    kind = kinds.get(Action(case.action)) or BankEventKind(case.proposal["kind"])
    return Learn(
        command_id=f"{command_id}:{instruction.id}",
        payout_id=instruction.payout_id,
        instruction_id=instruction.id,
        source=BankSource.PEOPLE,
        kind=kind,
        amount_minor=instruction.amount_minor if line is None else abs(aside_minor),
        bank_ref=None if line is None else line.bank_ref,
        booked_on=None if line is None else line.booked_on,
        reason=case.reason,
        exception_id=case.id,
        statement_line_id=None if line is None else line.id,
        set_aside_minor=aside_minor,
    )


X = TypeVar("X", bound=CaseCommand)


def _verb(name: str, command: type[X], rules: tuple[Any, ...], effects: Any) -> Verb[X, CaseFacts]:
    return Verb(
        object_type=OBJECT_TYPE,
        name=name,
        command=command,
        subject=ExceptionCase,
        subject_id=lambda command: command.exception_id,
        facts=case_facts,
        rules=rules,
        effects=effects,
    )


PROPOSE = _verb("propose", ProposeWayOut, (still_open, way_out_known, still_set_aside), way_out_proposed)
CONFIRM = _verb(
    "confirm", ConfirmWayOut, (still_open, proposed, as_seen, second_person, still_set_aside), way_out_confirmed
)
