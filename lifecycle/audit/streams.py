"""The rows that a verification reads, one after another: through the views of the contract, never all at once."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from models.db import is_sqlite
from models.tables import subject_tables

_AT_ONCE = 2_000


def audit_rows(session: Session) -> Iterator[Any]:
    """Stream the audit rows, chain by chain, in the order of each chain."""
    yield from _stream(session, f"SELECT * FROM v_audit ORDER BY {_by_object(session)}, chain_seq, seq")


def transitions(session: Session) -> Iterator[Any]:
    """Stream the transitions, object by object."""
    yield from _stream(session, f"SELECT * FROM v_transition ORDER BY {_by_object(session)}, seq")


def numbered(session: Session, view: str) -> Iterator[Any]:
    """Stream the rows of a view that only grows, in the order of their numbers."""
    yield from _stream(session, f"SELECT * FROM {view} ORDER BY seq")


def audit_row(session: Session, seq: int) -> Any:
    """Return where one audit row stands: its object and its place in the chain."""
    wanted = "SELECT object_type, object_id, chain_seq FROM v_audit WHERE seq = :seq"
    return session.execute(text(wanted), {"seq": seq}).one()


def subject_heads(session: Session) -> Iterator[Any]:
    """Stream (object_type, object_id, chain_seq, hash) as each subject has them."""
    each = " UNION ALL ".join(
        f"SELECT '{name}' AS object_type, CAST(id AS text) AS object_id, audit_seq AS chain_seq, audit_head AS hash"
        f" FROM {table}"
        for name, table in subject_tables().items()
    )
    yield from _stream(session, f"SELECT * FROM ({each}) AS heads ORDER BY {_by_object(session)}")


def chain_heads(session: Session) -> Iterator[Any]:
    """Stream (object_type, object_id, chain_seq, hash) of the last row of each chain."""
    last = "SELECT object_type, object_id, MAX(chain_seq) AS chain_seq FROM v_audit GROUP BY object_type, object_id"
    yield from _stream(
        session,
        f"SELECT object_type, object_id, chain_seq, hash FROM v_audit JOIN ({last}) AS ends"
        f" USING (object_type, object_id, chain_seq) ORDER BY {_by_object(session)}",
    )


def chain_links(session: Session) -> Iterator[Any]:
    """Stream (object_type, object_id, chain_seq, hash, seq) of every audit row, chain by chain."""
    columns = "object_type, object_id, chain_seq, hash, seq"
    yield from _stream(session, f"SELECT {columns} FROM v_audit ORDER BY {_by_object(session)}, chain_seq, seq")


@contextmanager
def any_bytes(session: Session) -> Iterator[None]:
    """Let SQLite hand over text that is no UTF-8: somebody who changed bytes must be reported, not crash the reader."""
    driver: Any = session.connection().connection.dbapi_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    kept, driver.text_factory = driver.text_factory, _readable
    try:
        yield
    finally:
        driver.text_factory = kept


def _readable(stored: bytes) -> str:
    return stored.decode(errors="backslashreplace")


def _by_object(session: Session) -> str:
    collation = "BINARY" if is_sqlite(session) else '"C"'  # the order in which Python compares
    return f"object_type COLLATE {collation}, object_id COLLATE {collation}"


def _stream(session: Session, statement: str) -> Iterator[Any]:
    yield from session.execute(text(statement), execution_options={"yield_per": _AT_ONCE})
