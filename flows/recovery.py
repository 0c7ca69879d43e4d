"""What a killed payment run left: prepared batches are delivered, broken-off puts swept. Safe to repeat and to kill."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Engine, select
from sqlmodel import Session

from flows.claims import end_claims
from flows.disbursement import Frozen, Run, Teller, deliver
from lifecycle.commands import Stamp
from models.db import reading, run_in_transaction
from models.journal import Claim
from models.payouts import PaymentBatch
from models.reading import table_of
from models.states import PaymentBatchState


class Sweepable(Protocol):
    """A channel that may have leftovers of its own."""

    def sweep(self) -> int:
        """Remove what broken-off puts left; return how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What was brought to its end, and what was not, in the words of `pilotway-recover/1`."""

    moved: list[dict[str, Any]] = field(default_factory=list)
    claims_taken: int = 0
    unknown: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    temp_files: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)


def finish(engine: Engine, teller: Teller, folder: Sweepable, stamp: Stamp) -> Finished:
    """Deliver every prepared batch that nobody works on; sweep the drop folder and the claims whose lease is over.

    A freeze keeps the files here.
    """
    with reading(engine) as session:
        claimed = set(session.execute(select(_CLAIM.c.object_id).where(_CLAIM.c.object_type == "batch")).scalars())
    run = Run()
    failed: list[dict[str, Any]] = []
    with suppress(Frozen):  # what is prepared waits until two people lift the hold
        deliver(engine, teller, stamp, run)
    run_in_transaction(engine, end_claims)
    try:
        temp_files = folder.sweep()
    except OSError as error:
        temp_files = 0
        failed.append({"object_type": "batch", "object_id": None, "error": str(error)})
    failed += [{"object_type": "batch", "object_id": str(one), "error": why} for one, why in run.failed]
    with reading(engine) as session:
        unknown = _in_state(session, PaymentBatchState.UNKNOWN)
        waiting = _in_state(session, PaymentBatchState.PREPARED)
    broken = {one for one, _ in run.failed}
    return Finished(
        moved=[*_moved(run)],
        claims_taken=len(claimed & {*run.sent, *run.unknown, *run.taken_back, *broken}),
        unknown=[str(one) for one in unknown],
        waiting=[str(one) for one in waiting if one not in broken],
        temp_files=temp_files,
        failed=failed,
    )


def _moved(run: Run) -> list[dict[str, Any]]:
    why = {one: "file-found" if one in run.found else "file-put" for one in run.sent}
    steps = [(one, "sent", why[one]) for one in run.sent] + [(one, "unknown", "file-gone") for one in run.unknown]
    steps += [(one, "abandoned", "taken-back") for one in run.taken_back]
    return [
        {"object_type": "batch", "object_id": str(one), "from": "prepared", "to": target, "why": reason}
        for one, target, reason in steps
    ]


def _in_state(session: Session, state: PaymentBatchState) -> list[UUID]:
    batch = table_of(PaymentBatch)
    return list(session.execute(select(batch.c.id).where(batch.c.state == state).order_by(batch.c.number)).scalars())


_CLAIM = table_of(Claim)
