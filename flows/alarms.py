"""What the clock itself has to tell: messages whose key is derived from what they are about, so a repeat adds none."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session

from flows.turns import Turn
from lifecycle.canonical import instant, sha256
from lifecycle.invariants.check import Result
from models.db import run_in_transaction
from models.journal import Checkpoint, OutboxMessage
from models.reading import table_of
from models.states import DeliveryStatus

_OUTBOX = table_of(OutboxMessage)
_SPACE = UUID("5a7d2e90-3b1c-5f64-9c1e-0f6a4b8d7e21")
"""Name space of the ids of these messages."""
_DETAIL = 800
"""Characters of what went wrong that a mail repeats."""


def put_out(
    session: Session, kind: str, key: str, facts: Mapping[str, Any], *, about: tuple[str, UUID | None], now: datetime
) -> None:
    """Put a message into the outbox unless it is there already; `about` is type and id of what it is about."""
    dedupe_key = f"{kind}:{key}"
    if session.execute(select(_OUTBOX.c.id).where(_OUTBOX.c.dedupe_key == dedupe_key)).first() is not None:
        return
    message_id = uuid5(_SPACE, dedupe_key)
    message = OutboxMessage(
        id=message_id,
        kind=kind,
        dedupe_key=dedupe_key,
        object_type=about[0],
        object_id=about[1] or message_id,
        facts=dict(facts),
        status=DeliveryStatus.WAITING,
        created_at=now,
    )
    session.execute(_OUTBOX.insert().values(message.model_dump()))


def tell_broken(turn: Turn, broken: Sequence[Result]) -> None:
    """Tell which invariants are broken: once a day for the same ones, however often they are asked."""
    ids = sorted(one.id for one in broken)
    key = f"{turn.stamp.today.isoformat()}:{sha256(','.join(ids))[:16]}"
    detail = "; ".join(f"{one.id} {one.name}: {one.rows_count}" for one in broken)
    _tell(turn, "invariant.broken", key, {"checks": ids, "detail": detail[:_DETAIL]}, "invariant")


def tell_backup_failed(turn: Turn, why: str) -> None:
    """Tell that the backup of this slot was not made."""
    _tell(turn, "backup.failed", instant(turn.slot_at), {"detail": why[:_DETAIL]}, "backup")


def tell_signed(turn: Turn, file: str) -> None:
    """Tell the auditors of the checkpoint signed at this instant: what they compare the file with, kept by them.

    Who changed the database later would also have to change their mail boxes (`docs/contract.md`, checkpoints).
    """
    stored = table_of(Checkpoint)

    def work(session: Session) -> None:
        newest_first = select(stored).where(stored.c.at == turn.stamp.now).order_by(stored.c.seq.desc()).limit(1)
        row = session.execute(newest_first).first()
        if row is not None:
            names = ("seq", "audit_seq", "heads_count", "heads_sha256", "key_id", "signature")
            said = {name: getattr(row, name) for name in names}
            facts = {**said, "file": file, "sha256": row.file_sha256, "at": instant(row.at)}
            put_out(session, "checkpoint.signed", str(row.seq), facts, about=("checkpoint", None), now=turn.stamp.now)

    run_in_transaction(turn.engine, work)


def _tell(turn: Turn, kind: str, key: str, facts: Mapping[str, Any], about: str) -> None:
    def work(session: Session) -> None:
        put_out(session, kind, key, facts, about=(about, None), now=turn.stamp.now)

    run_in_transaction(turn.engine, work)
