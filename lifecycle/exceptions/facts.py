"""What the rules and effects of a case may ask: what it is about, what is proposed, and whose payments it touches."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.banking.own_ids import payout_named
from lifecycle.commands import Stamp, Task
from lifecycle.endings.facts import left_of
from lifecycle.exceptions.interest import Apart, Concern, apart_from
from lifecycle.ledger.cases import (
    BANK_HOLDS,
    CONTRADICTIONS,
    holds_its_fund,
    put_by_the_bank,
    set_aside_by,
    set_aside_of,
)
from lifecycle.payouts.rules import lost_id
from models.agreements import RecoveryOrder
from models.holds import ExceptionCase, Hold
from models.payouts import PaymentBatch, PaymentInstruction, Payout
from models.people import User
from models.reading import Groups, rows_by, table_of
from models.statements import StatementLine


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
    lost: Any = None
    """The payout that the one id of the booking names, where that is of our form."""
    order: Any = None
    """The recovery order that the proposal names."""
    order_left_minor: int = 0
    """What of it the firm owes still."""
    apart: Apart = field(default_factory=Apart)
    """Who has no word on this case."""
    names: Mapping[UUID, str] = field(default_factory=dict)
    holds: tuple[Any, ...] = ()
    """Those that the bank's word has put on its fund."""
    others_hold: int = 0
    """How many other open cases hold the fund."""
    person_of: Mapping[UUID, UUID] = field(default_factory=dict)


def case_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CaseFacts]:
    """Read the lines and instructions that the cases are about, and the holds of their funds."""
    about = [task.row.object_id for task in tasks]
    lines = rows_by(session, StatementLine, "id", about)
    aside = set_aside_by(session, about)
    own = rows_by(session, PaymentInstruction, "id", about)
    named = {_end_named(task) for task in tasks}
    by_end = rows_by(session, PaymentInstruction, "end_to_end_id", named - {None})
    carried_by = {row.batch_id for rows in (*own.values(), *by_end.values()) for row in rows}
    batches = rows_by(session, PaymentBatch, "id", carried_by)
    orders = rows_by(session, RecoveryOrder, "id", {_order_named(task) for task in tasks} - {None})
    holds = rows_by(session, Hold, "object_id", {task.row.fund_id for task in tasks} - {None})
    holding = _holding(session, {task.row.fund_id for task in tasks} - {None})
    users = rows_by(session, User, "id", {task.row.proposed_by for task in tasks} - {None})
    numbers = {_lost_number(lines.get(task.row.object_id, ())) for task in tasks}
    lost = rows_by(session, Payout, "number", numbers - {None})
    apart = apart_from(session, [_concern(task, lines, orders, lost) for task in tasks])
    facts = []
    for task, kept_apart in zip(tasks, apart, strict=True):
        order = next(iter(orders.get(_order_named(task), ())), None)
        end = _end_named(task)
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
                lost=next(iter(lost.get(_lost_number(lines.get(task.row.object_id, ())), ())), None),
                order=order,
                order_left_minor=0 if order is None else left_of(order),
                apart=kept_apart,
                names={key: rows[0].name for key, rows in users.items()},
                holds=put_by_the_bank(holds.get(task.row.fund_id, ())),
                others_hold=len(holding.get(task.row.fund_id, set()) - {task.row.id}),
                person_of={key: rows[0].person_id for key, rows in users.items()},
            )
        )
    return facts


def _holding(session: Session, fund_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return fund -> its open cases that hold it. One statement."""
    case = table_of(ExceptionCase)
    kinds = case.c.kind.in_((*BANK_HOLDS, *CONTRADICTIONS))
    statement = select(case.c.id, case.c.fund_id, case.c.kind, case.c.facts).where(
        case.c.fund_id.in_(list(fund_ids)), case.c.closed_at.is_(None), kinds
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.connection().execute(statement):
        if holds_its_fund(row):
            found.setdefault(row.fund_id, set()).add(row.id)
    return found


def _lost_number(lines: Sequence[Any]) -> Any:
    end = lost_id(next(iter(lines), None))
    return None if end is None else payout_named(end)


def _concern(task: Task[Any], lines: Groups, orders: Groups, lost: Groups) -> Concern:
    case = task.row
    line = next(iter(lines.get(case.object_id, ())), None)
    ends = {_end_named(task), case.facts.get("instruction")}
    ends |= set() if line is None else set(line.details.get("end_to_end_ids", ()))
    return Concern(
        about=case.object_id,
        ends=frozenset(one for one in ends if one),
        messages=frozenset(() if line is None else line.details.get("messages", ())),
        project_ids=frozenset(
            row.project_id
            for rows in (orders.get(_order_named(task), ()), lost.get(_lost_number(lines.get(case.object_id, ())), ()))
            for row in rows
        ),
        fund_id=case.fund_id,
    )


def _end_named(task: Task[Any]) -> Any:
    return getattr(task.command, "end_to_end_id", None) or task.row.proposal.get("end_to_end_id")


def _order_named(task: Task[Any]) -> Any:
    stored = task.row.proposal.get("recovery_id")
    return getattr(task.command, "recovery_id", None) or (UUID(stored) if stored else None)
