"""What workers share in one run: how far they have come in each part of its work, and the sums of what they did."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session

from flows.run_log import tail
from flows.turns import MOST_EFFECTS, Effect, Outcome
from models.agreements import Agreement
from models.payouts import PaymentBatch, Payout
from models.projects import Project
from models.reading import rows_by, table_of
from models.runs import ScheduledRun

COUNTS = {name: f"{name}_count" for name in ("found", "done", "refused", "failed")}
"""What a run says -> the column that keeps it."""
_RUN = table_of(ScheduledRun)
_NUMBERED = {"project": Project, "payout": Payout, "batch": PaymentBatch, "agreement": Agreement}


def reached(session: Session, run_id: UUID, part: str) -> str:
    """Return the last of a part of the work that a worker of this run has taken; empty where nobody began it.

    Who asks holds a lock of the part, so that what is read stays true until the transaction ends.
    """
    known = session.execute(select(_RUN.c.progress).where(_RUN.c.id == run_id)).scalar_one()
    return str(known.get(part, ""))


def reach(session: Session, run_id: UUID, part: str, last: str) -> None:
    """Note how far this transaction brings a part; last in it, for workers with other parts wait until it ends."""
    known = session.execute(select(_RUN.c.progress).where(_RUN.c.id == run_id).with_for_update()).scalar_one()
    session.execute(update(_RUN).where(_RUN.c.id == run_id).values(progress={**known, part: last}))


def add(session: Session, run_id: UUID, outcome: Outcome) -> None:
    """Add what a second worker did to the run of another one, also where that one has ended or died meanwhile."""
    row = session.execute(select(_RUN).where(_RUN.c.id == run_id).with_for_update()).one()
    session.execute(update(_RUN).where(_RUN.c.id == run_id).values(added(session, row, outcome)))


def added(session: Session, row: Any, outcome: Outcome) -> dict[str, Any]:
    """Return the sums of what stands in the row of a run and what was done besides."""
    sums = {column: getattr(row, column) + getattr(outcome, name) for name, column in COUNTS.items()}
    more = outcome.effects[: MOST_EFFECTS - len(row.effects)]
    said = {"log": tail([*(row.log or ()), *outcome.log])} if outcome.log else {}
    return {**sums, **said, "effects": [*row.effects, *_with_numbers(session, more)]}


def _with_numbers(session: Session, effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """Return what is kept of effects, each with the number by which people know its object."""
    known: dict[str, str] = {}
    for object_type, model in _NUMBERED.items():
        wanted = {UUID(one.object_id) for one in effects if one.object_type == object_type and one.object_id}
        known |= {str(key): row.number for key, (row,) in rows_by(session, model, "id", wanted).items()}
    return [{**(said := one.document()), "ref": one.ref or known.get(str(said["object_id"]), "")} for one in effects]
