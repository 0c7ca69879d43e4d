"""Claims: one process works on a thing at a time; a claim ends with its lease, by the database's own clock.

Each claim raises the fence of the thing, and the last write of the work names the fence it began with: a process that
slept past its lease writes nothing (`safety.md` 2.1, rule 7).
"""

import os
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Select, delete, select, tuple_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from flows.turns import never
from models.db import LostTransactionError, db_now, run_in_transaction
from models.journal import Claim
from models.payouts import PaymentBatch
from models.reading import rows_by, table_of
from models.states import PaymentBatchState
from models.tables import object_type_of

LEASE = timedelta(seconds=60)
_SHORTEST_BEAT = 0.2
"""Seconds."""


def worker_name() -> str:
    """Return how this process calls itself in claims."""
    return f"{socket.gethostname()}:{os.getpid()}"


def claim_batch(session: Session, batch_id: UUID, holder: str, *, lease: timedelta = LEASE) -> int | None:
    """Return the new fence of a prepared batch that nobody works on; None while somebody else's lease runs.

    None too where it is no longer prepared: whoever handed it over is done, and its absence would say nothing.
    """
    batch, claim = table_of(PaymentBatch), table_of(Claim)
    locked = select(batch.c.fence, batch.c.state).where(batch.c.id == batch_id).with_for_update()
    row = session.execute(locked).one()
    if row.state != PaymentBatchState.PREPARED:
        return None
    fence = row.fence + 1
    now = session.execute(select(db_now())).scalar_one()
    known = session.execute(select(claim).where(claim.c.object_type == "batch", claim.c.object_id == batch_id)).first()
    if known is not None and known.until_at > now:
        return None
    session.execute(delete(claim).where(claim.c.object_type == "batch", claim.c.object_id == batch_id))
    session.execute(
        claim.insert().values(object_type="batch", object_id=batch_id, holder=holder, fence=fence, until_at=now + lease)
    )
    session.execute(update(batch).where(batch.c.id == batch_id).values(fence=fence))
    return int(fence)


def claim_due(session: Session, model: Any, due: Select[Any], *, holder: str, lease: timedelta = LEASE) -> list[Any]:
    """Claim those rows of a table, found by `due`, that nobody works on; return them, each with its new fence.

    For many small things at once (deliveries, outbox messages). What somebody else locks or claims at the same moment
    is left to them; on PostgreSQL the second of two claims fails on the key of `claim`, and is made again.
    """
    table, claim = table_of(model), table_of(Claim)
    kind = object_type_of(table.name)
    of_row = (claim.c.object_type == kind, claim.c.object_id == table.c.id)
    worked_on = select(claim.c.object_id).where(*of_row, claim.c.until_at > db_now()).exists()
    rows = session.execute(due.where(~worked_on).with_for_update(of=table, skip_locked=True)).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    now = session.execute(select(db_now())).scalar_one()
    ended = (claim.c.object_type == kind, claim.c.object_id.in_(ids), claim.c.until_at <= now)
    session.execute(delete(claim).where(*ended))
    values = [
        {"object_type": kind, "object_id": row.id, "holder": holder, "fence": row.fence + 1, "until_at": now + lease}
        for row in rows
    ]
    session.execute(claim.insert(), values)
    session.execute(update(table).where(table.c.id.in_(ids)).values(fence=table.c.fence + 1))
    claimed = rows_by(session, model, "id", ids)
    return [claimed[one][0] for one in ids]


@contextmanager
def renewed(
    engine: Engine,
    object_type: str,
    fences: Mapping[UUID, int],
    *,
    lease: timedelta,
    is_over: Callable[[], bool] = never,
) -> Iterator[None]:
    """Renew claims of ours (id -> fence) while the block works on them, however long the other side takes to answer.

    A process that is stopped renews nothing, and its claims end by the clock of the database.
    """
    is_done, claim = Event(), table_of(Claim)
    ours = (claim.c.object_type == object_type, tuple_(claim.c.object_id, claim.c.fence).in_(list(fences.items())))

    def renew(session: Session) -> None:
        now: datetime = session.execute(select(db_now())).scalar_one()
        session.execute(update(claim).where(*ours).values(until_at=now + lease))

    def beat() -> None:
        while not is_done.wait(max(lease.total_seconds() / 3, _SHORTEST_BEAT)) and not is_over():
            try:
                run_in_transaction(engine, renew)
            except (SQLAlchemyError, LostTransactionError):
                continue  # the database is away; whether the claims still hold it says when it is back

    heart = Thread(target=beat, name=f"leases of {object_type}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        is_done.set()
        heart.join()


def let_all_go(session: Session, object_type: str, fences: Mapping[UUID, int]) -> None:
    """End claims of ours (id -> fence) under which nothing was begun, or all is recorded."""
    for fence, ids in _by_fence(fences).items():
        claim = table_of(Claim)
        own = (claim.c.object_type == object_type, claim.c.object_id.in_(ids), claim.c.fence == fence)
        session.execute(delete(claim).where(*own))


def _by_fence(fences: Mapping[UUID, int]) -> dict[int, Collection[UUID]]:
    found: dict[int, list[UUID]] = {}
    for one, fence in fences.items():
        found.setdefault(fence, []).append(one)
    return dict(found)


def give_back(session: Session, batch_id: UUID, fence: int) -> None:
    """End a claim of ours under which nothing was handed over: the batch stands as it did before."""
    batch = table_of(PaymentBatch)
    still_ours = (batch.c.id == batch_id, batch.c.fence == fence)
    session.execute(update(batch).where(*still_ours).values(fence=fence - 1))
    let_go(session, batch_id, fence)


def let_go(session: Session, batch_id: UUID, fence: int) -> None:
    """End a claim of ours; one that somebody took over since is theirs."""
    claim = table_of(Claim)
    own = (claim.c.object_type == "batch", claim.c.object_id == batch_id, claim.c.fence == fence)
    session.execute(delete(claim).where(*own))


def end_claims(session: Session) -> int:
    """Remove the claims whose lease is over, and count them: whoever works next takes a new one anyway."""
    claim = table_of(Claim)
    ended = session.execute(delete(claim).where(claim.c.until_at < db_now()))
    assert isinstance(ended, CursorResult)  # noqa: S101 - a DELETE has no other
    return ended.rowcount
