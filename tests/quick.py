"""What makes many small tests quick: files in memory, and statements that are compiled once for all engines."""

import os
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.util import LRUCache

from models.types import StrictSQLite

_IN_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30
"""Bytes that must be free there: databases of tests are small, some files are not."""
_STATEMENTS = 4_000
"""More than the whole suite sends."""

_SLOW = {
    "cli": "doctor door installation main runs scenarios",
    "flows": "outbox sandbox workbooks years",
    "lifecycle/commands": "refusals",
    "lifecycle/endings": "settlement tranches",
    "lifecycle/engine": "agreement every_verb statements",
    "lifecycle/imports": "portfolio",
    "lifecycle/replays": "playing",
    "lifecycle/scenarios": "load",
    "notifications": "fan_out messages",
    "stories": "robot",
    "web": (
        "admin api api_answers api_bad_input api_questions attacks bank board drafts entrance funds hardening"
        " invitations links matrix ops outer_door papers payouts people plans projects reference safety security"
    ),
}
SLOW = frozenset(f"{room}/test_{name}.py" for room, names in _SLOW.items() for name in names.split())
"""Files whose tests take a quarter of a minute or more together: what is done before each commit leaves them out."""

_compiled: dict[type[Dialect], tuple[Dialect, LRUCache[Any, Any]]] = {}


def folder_in_memory() -> Path | None:
    """Return a folder that no commit has to wait for, or None where memory is short."""
    has_room = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free >= _ROOM
    return _IN_MEMORY if has_room else None


def compile_once() -> None:
    """Let every engine of this process use what SQLAlchemy compiled for the first one of its kind.

    Each test opens a database of its own, and would spend a third of its time on compiling the same statements.
    """
    for kind in (StrictSQLite, PGDialect_psycopg):
        kind.engine_created = staticmethod(_share)  # type: ignore[method-assign]


def _share(engine: Engine) -> None:
    kind = type(engine.dialect)
    if kind in _compiled:
        engine.dialect, engine._compiled_cache = _compiled[kind]
        return

    def remember(*_: object) -> None:
        # Not before it is connected: then only does the dialect know its database.
        _compiled.setdefault(kind, (engine.dialect, LRUCache(_STATEMENTS)))

    event.listen(engine, "first_connect", remember)
