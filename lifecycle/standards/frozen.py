"""Packs as projects have frozen them: read from the database once per process, for a published pack never changes."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.standards.pack import Pack
from models.programmes import StandardPack

_KEPT: dict[str, Pack] = {}


def packs_of(session: Session, sha256s: Iterable[str]) -> dict[str, Pack]:
    """Return the packs with these hashes; raises `KeyError` when one was never published."""
    wanted = set(sha256s)
    unknown = wanted - _KEPT.keys()
    if unknown:
        table: Any = StandardPack.__table__  # type: ignore[attr-defined]
        for row in session.execute(select(table.c.sha256, table.c.body).where(table.c.sha256.in_(unknown))):
            _KEPT[row.sha256] = Pack.model_validate(row.body)
    return {sha256: _KEPT[sha256] for sha256 in wanted}
