"""Engines and transactions: the only place that commits, retries and knows how each database is spoken to."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Text, create_engine, event, literal  # noqa: TID251 - the place it is for
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session

from models.look import Look
from models.types import STRICT_DRIVER, Id, UTCDateTime

T = TypeVar("T")

ATTEMPTS = 5
"""How often a transaction is tried at most (`safety.md` 2.2)."""

_SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout = 10000",  # first: switching to WAL may have to wait itself
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)
POSTGRES_OPTIONS = (
    "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s"
    " -c synchronous_commit=on -c timezone=UTC"
    " -c jit=off"  # compiling cost seconds where a plan looked dear
    " -c random_page_cost=1.1"  # disks without arms; at 4.0 a thousand rows of 100,000 were read by reading all
)
_LOST_RACES = frozenset({"40001", "40P01", "23505"})
"""Serialization failure, deadlock, and a unique value that another writer stored meanwhile: asked again, the rule that
looks for it finds it. On SQLite nobody writes meanwhile."""
_READING = "pilotway_reading"
_TIME_AND_VERSION = 15
"""Characters of a UUIDv7 that say when, and that it is one."""


class LostTransactionError(Exception):
    """The database ended the transaction by itself (a full disk, for example): nothing of it was stored."""


def make_engine(database: str | URL) -> Engine:
    """Return an engine for a file name, `sqlite:///file.db` or `postgresql+psycopg://…`; ValueError for others."""
    url = _url(database)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    # Our options last: what the address says must not loosen a limit.
    options = f"{url.query.get('options', '')} {POSTGRES_OPTIONS}".strip()
    return create_engine(
        url,
        connect_args={"options": options},
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=10,
        hide_parameters=True,  # errors are logged and mailed, values may be secrets
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Give a session whose work is committed at the end of the block, or not at all.

    A writer on SQLite holds the database from its first statement, on PostgreSQL what it locks. After a database
    error the connection is thrown away, not used again: SQLite may have rolled back by itself and be in autocommit.
    """
    with Session(engine, expire_on_commit=False) as session:
        try:
            yield session
            session.commit()
        except (DBAPIError, LostTransactionError):
            session.invalidate()
            raise
        # Anything else leaves through Session.__exit__, which rolls back.


def run_in_transaction(
    engine: Engine,
    work: Callable[[Session], T],
    *,
    attempts: int = ATTEMPTS,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Do the work in a transaction, again from the start when it lost a race (40001, 40P01, 23505, busy).

    The work must do nothing but use the session. The last error is raised when no attempt is left.
    """
    for attempt in range(1, attempts):
        try:
            with transaction(engine) as session:
                return work(session)
        except DBAPIError as error:
            if not is_retryable(error):
                raise
            pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - spreads racers, keeps no secret
    with transaction(engine) as session:
        return work(session)


@contextmanager
def reading(engine: Engine, kind: type[Session] = Session) -> Iterator[Session]:
    """Give a session that sees one snapshot and cannot write; it is rolled back at the end."""
    options: dict[str, Any] = {_READING: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with kind(engine.execution_options(**options), expire_on_commit=False) as session:
        try:
            yield session
        except DBAPIError:
            session.invalidate()
            raise


def looking(engine: Engine) -> AbstractContextManager[Session]:
    """Give such a session for what one person is shown at once: it sends no statement twice (`models.look`)."""
    return reading(engine, Look)


def is_retryable(error: DBAPIError) -> bool:
    """Return whether the same transaction may succeed when it is run again from the start."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None)
        return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(error.orig, "sqlstate", None) in _LOST_RACES


def is_away(error: DBAPIError) -> bool:
    """Return whether the server could not be asked at all, so that the error says nothing about what was asked."""
    if not isinstance(error, OperationalError | InterfaceError) or isinstance(error.orig, sqlite3.Error):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P"))


def is_lock_timeout(error: DBAPIError) -> bool:
    """Return whether PostgreSQL gave up waiting for a lock that another transaction holds."""
    return getattr(error.orig, "sqlstate", None) == "55P03"


def is_sqlite(bind: Session | Connection | Engine) -> bool:
    """Return whether this speaks to SQLite."""
    if isinstance(bind, Session):
        return bind.get_bind().dialect.name == "sqlite"
    return bind.dialect.name == "sqlite"


class _DbNow(FunctionElement[datetime]):
    type = UTCDateTime()
    inherit_cache = True


def db_now() -> ColumnElement[datetime]:
    """Return the expression of the database's own clock, for leases; business time comes from the `Clock` port."""
    return _DbNow()


@compiles(_DbNow, "sqlite")
def _sqlite_now(_element: _DbNow, _compiler: SQLCompiler, **_: object) -> str:
    return "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"


@compiles(_DbNow, "postgresql")
def _postgres_now(_element: _DbNow, _compiler: SQLCompiler, **_: object) -> str:
    return "clock_timestamp()"  # not now(): a lease is taken when the wait for the lock is over


class _RowKey(FunctionElement[UUID]):
    type = Id()
    inherit_cache = True


def row_key(first: UUID) -> ColumnElement[UUID]:
    """Return the expression of a new key for each row that a statement makes: the time of `first`, the rest random."""
    return _RowKey(literal(str(first)[:_TIME_AND_VERSION], Text()))


@compiles(_RowKey, "sqlite")
def _sqlite_key(element: _RowKey, compiler: SQLCompiler, **kw: Any) -> str:
    time = compiler.process(element.clauses, **kw)
    return (
        f"({time} || substr(lower(hex(randomblob(2))), 2) || '-' || substr('89ab', 1 + (random() & 3), 1)"
        " || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))))"
    )


@compiles(_RowKey, "postgresql")
def _postgres_key(element: _RowKey, compiler: SQLCompiler, **kw: Any) -> str:
    time = compiler.process(element.clauses, **kw)
    return f"CAST(overlay(CAST(gen_random_uuid() AS text) placing {time} from 1 for {_TIME_AND_VERSION}) AS uuid)"


def _url(database: str | URL) -> URL:
    if isinstance(database, URL):
        url = database
    elif "://" in database:
        url = make_url(database)
    else:
        url = URL.create("sqlite", database=database)
    if url.drivername not in {"sqlite", STRICT_DRIVER, "postgresql+psycopg"}:
        message = f"expected a file name, sqlite:///… or postgresql+psycopg://…, got {url.drivername}://…"
        raise ValueError(message)
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        message = "an SQLite database needs a file: in memory it would end with its connection"
        raise ValueError(message)
    return url


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url.set(drivername=STRICT_DRIVER), pool_timeout=10, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "commit", _refuse_lost_transaction)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Manual mode: the driver would begin a transaction only before the first write, after the reads that led to it.
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    """Begin; after a transaction that only read, the connection goes on refusing to write until one begins that may.

    So a statement past SQLAlchemy, on the driver's own connection, may find it so.
    """
    reads = bool(connection.get_execution_options().get(_READING))
    # Only where it was otherwise: this pragma makes SQLite prepare every statement of the connection anew.
    if reads is not connection.info.get(_READING, False):
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.info[_READING] = reads
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _refuse_lost_transaction(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    if not driver.in_transaction:
        message = "SQLite has rolled back by itself; nothing of this transaction was stored"
        raise LostTransactionError(message)
