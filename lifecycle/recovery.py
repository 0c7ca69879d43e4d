"""One pass over what a crash may have left unfinished. Safe to repeat, to run beside others, and to kill.

An act is one transaction, so nothing of it is ever half done. What may be left lies outside the database: uploads that
broke off, and files whose row was never written. Payment files are finished by `flows/recovery.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.canonical import instant
from models.evidence import Evidence
from models.holds import CaseFile, Hold
from models.ports import OutsideError

ORPHAN_AGE = timedelta(hours=24)
"""How long a file may wait for its row: longer than any upload takes (`safety.md` 2.10)."""

_CHUNK = 400


class Leftovers(Protocol):
    """What recovery asks of a file store besides the port."""

    def old_files(self, age: timedelta) -> Iterator[str]:
        """Yield the hash of every stored file that nobody has put for that long."""

    def remove(self, sha256: str, age: timedelta) -> bool:
        """Remove a stored file unless it was put again meanwhile."""

    def sweep_incoming(self, age: timedelta) -> int:
        """Remove what broken-off uploads left that long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the database says about what is left."""

    orphans: tuple[str, ...] = ()
    """Hashes of old files that no row refers to."""
    holds_due: tuple[UUID, ...] = ()
    """Holds that are past their last day and end by themselves; the deadline sweep ends them."""


def look(session: Session, old_files: Sequence[str], *, today: date) -> Found:
    """Return which of these stored files no row refers to, and which holds wait for their sweep."""
    known: set[str] = set()
    for start in range(0, len(old_files), _CHUNK):
        chunk = old_files[start : start + _CHUNK]
        for table in _FILED:
            known.update(session.execute(select(table.c.sha256).where(table.c.sha256.in_(chunk))).scalars())
    due = select(_HOLD.c.id).where(
        _HOLD.c.lifted_at.is_(None), _HOLD.c.needs_decision.is_(False), _HOLD.c.until_on < today
    )
    return Found(
        orphans=tuple(sha256 for sha256 in old_files if sha256 not in known),
        holds_due=tuple(session.execute(due.order_by(_HOLD.c.id)).scalars()),
    )


def sweep(found: Found, files: Leftovers, *, now: datetime) -> dict[str, Any]:
    """Remove what is left over, and return `pilotway-recover/1`. Use it outside transactions: it works on files."""
    failed: list[dict[str, Any]] = []
    orphan_files = temp_files = 0
    for sha256 in found.orphans:
        try:
            orphan_files += files.remove(sha256, ORPHAN_AGE)
        except OutsideError as error:
            failed.append({"object_type": "evidence", "object_id": sha256, "error": str(error)})
    try:
        temp_files = files.sweep_incoming(ORPHAN_AGE)
    except OutsideError as error:
        failed.append({"object_type": "evidence", "object_id": None, "error": str(error)})
    return {
        "format": "pilotway-recover/1",
        "at": instant(now),
        "moved": [],
        "claims_taken": 0,
        "unknown": [],
        "waiting": [],
        "holds_due": [str(hold_id) for hold_id in found.holds_due],
        "swept": {"temp_files": temp_files, "orphan_files": orphan_files},
        "failed": failed,
    }


def _table(model: Any) -> Any:
    return model.__table__


_FILED, _HOLD = (_table(Evidence), _table(CaseFile)), _table(Hold)
