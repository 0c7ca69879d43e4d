"""Which way the batches go of which the bank, or two people in its place, have spoken."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

from sqlmodel import Session

from lifecycle.commands import Command
from lifecycle.payouts.batches import Acknowledge, Send, Settle
from lifecycle.payouts.outcomes import ENDED
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import rows_by
from models.states import InstructionStatus, PaymentBatchState

_SPACE = UUID("c1a5b0c6-6f0e-5a53-9f2a-0b2b8a0b8f6d")
_OVER = (PaymentBatchState.SETTLED, PaymentBatchState.ABANDONED)


def batch_moves(session: Session, ids: Iterable[UUID]) -> list[Command]:
    """Return what these batches do next: the bank has them, and perhaps it is done with them.

    The commands of one batch follow each other; their keys follow from the version that was read.
    """
    wanted = sorted(set(ids))
    rows = rows_by(session, PaymentBatch, "id", wanted)
    instructions = rows_by(session, PaymentInstruction, "batch_id", wanted)
    found: list[Command] = []
    for batch_id in wanted:
        row = rows[batch_id][0]
        if row.state not in _OVER:
            found += _next(row, {InstructionStatus(one.status) for one in instructions[batch_id]})
    return found


def _next(row: Any, statuses: set[InstructionStatus]) -> list[Command]:
    # The bank speaks of it, so it did leave, whatever we had time to write down.
    left = row.state == PaymentBatchState.PREPARED
    found: list[Command] = [Send(command_id=_key(row, "send"), batch_id=row.id, fence=row.fence)] if left else []
    if statuses <= set(ENDED):
        return [*found, Settle(command_id=_key(row, "settle"), batch_id=row.id)]
    if row.state == PaymentBatchState.ACKNOWLEDGED:
        return found
    return [*found, Acknowledge(command_id=_key(row, "acknowledge"), batch_id=row.id)]


def _key(row: Any, verb: str) -> str:
    return str(uuid5(_SPACE, f"{row.id}:{row.version}:{verb}"))
