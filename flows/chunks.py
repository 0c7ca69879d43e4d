"""The next payouts of a fund, judged and put into a batch: one chunk of a payment run, in one transaction.

Workers that share a run take chunk after chunk. The lock of the fund is the claim: nobody else judges its payouts
meanwhile, and it ends with the transaction, or with the connection of a worker that was killed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlmodel import Session

from flows.sharing import reach, reached
from lifecycle.banking.template import Template
from lifecycle.commands import Answer, Stamp
from lifecycle.engine import execute
from lifecycle.payouts.batches import PrepareBatch
from lifecycle.payouts.commands import Instruct
from models.funds import Fund
from models.limits import INSTRUCTIONS_PER_BATCH
from models.payouts import Payout
from models.reading import table_of
from models.states import PayoutState

_SPACE = UUID("7d5f3c1e-2a44-5b8e-8f0d-52a1d7a90c33")
_FUND, _PAYOUT = table_of(Fund), table_of(Payout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Where the next chunk comes from: a fund, the row of the run that is shared, and how far we came ourselves."""

    fund_id: UUID
    run_id: UUID | None
    after: str = ""
    """Number of the last payout that we judged; a shared run keeps its own, which others raise too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What was said of the payouts that were taken; without any the fund is done."""

    numbers: dict[UUID, str]
    judged: Sequence[Answer] = ()
    made: Sequence[Answer] = ()
    """The batch of those that may leave, if any may."""

    @property
    def last(self) -> str:
        """The number of the last payout."""
        return max(self.numbers.values(), default="")


def due_payouts(session: Session) -> dict[UUID, int]:
    """Return fund -> how many of its payouts are approved: the last gate judges them, one by one."""
    approved = select(_PAYOUT.c.fund_id, func.count().label("waiting")).where(_PAYOUT.c.state == PayoutState.APPROVED)
    rows = session.execute(approved.group_by(_PAYOUT.c.fund_id).order_by(_PAYOUT.c.fund_id))
    return {row.fund_id: row.waiting for row in rows}


def next_chunk(session: Session, lane: Lane, template_of: Any, stamp: Stamp, *, waits: bool) -> Chunk | None:
    """Take the next payouts of a fund and prepare their batch; None where somebody else has the fund just now.

    `waits` stands in line for it, for as long as the database lets a statement wait.
    """
    mine = select(_FUND.c.id, _FUND.c.debtor_bank).where(_FUND.c.id == lane.fund_id)
    fund = session.execute(mine.with_for_update(skip_locked=not waits)).first()
    if fund is None:
        return None
    after = lane.after if lane.run_id is None else reached(session, lane.run_id, str(fund.id))
    approved = (_PAYOUT.c.fund_id == fund.id, _PAYOUT.c.state == PayoutState.APPROVED, _PAYOUT.c.number > after)
    due = select(_PAYOUT.c.id, _PAYOUT.c.number).where(*approved).order_by(_PAYOUT.c.number)
    payouts = session.execute(due.limit(INSTRUCTIONS_PER_BATCH)).all()
    if not payouts:
        return Chunk(numbers={})
    chunk = _prepared(session, fund.id, payouts, template_of(fund.debtor_bank), stamp)
    if lane.run_id is not None:
        reach(session, lane.run_id, str(fund.id), payouts[-1].number)
    return chunk


def _prepared(
    session: Session, fund_id: UUID, payouts: Sequence[Any], template: Template | None, stamp: Stamp
) -> Chunk:
    """Judge every payout once more and write batch and instructions."""
    batch_id, numbers = stamp.new_id(), {row.id: row.number for row in payouts}
    instruct = [
        Instruct(command_id=key_of("instruct", one, batch_id), payout_id=one, batch_id=batch_id) for one in numbers
    ]
    judged = execute(session, instruct, stamp=stamp)
    accepted = tuple(UUID(answer.document["object_id"]) for answer in judged if answer.is_done)
    if not accepted:
        return Chunk(numbers=numbers, judged=judged)
    prepare = PrepareBatch(
        command_id=key_of("prepare", batch_id, batch_id),
        fund_id=fund_id,
        batch_id=batch_id,
        payout_ids=accepted,
        execution_on=stamp.calendar.next_working_day(stamp.today),
        template=template,
    )
    made = execute(session, [prepare], stamp=stamp)
    if not made[0].is_done:
        raise RuntimeError(f"a batch of judged payouts was refused: {made[0].unmet}")
    return Chunk(numbers=numbers, judged=judged, made=made)


def key_of(what: str, subject: UUID, more: UUID) -> str:
    """Return the command id of what a payment run does with a payout or a batch: the same each time."""
    return str(uuid5(_SPACE, f"{what}:{subject}:{more}"))
