"""What every benchmark needs: a database of either kind and its equal copy, people, projects, and captured statements.

The bare work that a figure is compared with is the very same statements, captured once and sent again by the driver
alone, with the same commits, to an equal database.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine, event

from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.engine import execute
from lifecycle.installation import initialise
from lifecycle.people.commands import AddOrganisation, AddProgramme, PublishStandard
from lifecycle.projects.registration import RegisterProject
from lifecycle.standards import library
from models.db import make_engine, transaction
from models.ids import new_id
from models.migrate import upgrade
from models.states import Door, OrganisationKind
from tests import postgres

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
CLOCK = Actor.clock(Door.CLI)
DURABLE = ("fsync=on", "full_page_writes=on", "shared_buffers=128MB", "max_wal_size=2GB")
"""What a server for measuring has and one for testing has not."""


def stamp(actor: Actor = CLOCK, now: datetime = NOW) -> Stamp:
    """Return the stamp of a benchmark: by default the one instant of all of them, by the clock."""
    return Stamp(now=now, today=now.date(), actor=actor, calendar=china(), new_id=new_id)


def done(engine: Engine, *commands: Command, by: Stamp | None = None) -> list[Answer]:
    """Carry out commands in one transaction; fail loudly when one is refused."""
    with transaction(engine) as session:
        answers = execute(session, commands, stamp=by or stamp())
    refused = [answer.error.unmet for answer in answers if answer.error]
    if refused:
        raise RuntimeError(str(refused[0]))
    return answers


def born(engine: Engine, command: Command) -> UUID:
    """Carry out one command and return the id of what it made."""
    return UUID(done(engine, command)[0].document["object_id"])


@dataclass(frozen=True, slots=True)
class Ground:
    """A programme with its parties."""

    programme: UUID
    firm: UUID
    platform: UUID


def ground(engine: Engine) -> Ground:
    """Lay a programme of the bare standard with one firm and one platform."""
    pack = library.bare()
    sha256 = library.sha256(pack)
    done(engine, PublishStandard(command_id="pack", sha256=sha256, body=pack.canonical()))
    programme = born(engine, AddProgramme(command_id="programme", code="B", name="bench", pack_sha256=sha256))
    firm = born(engine, AddOrganisation(command_id="firm", name="甲公司", kind=OrganisationKind.SME))
    platform = born(engine, AddOrganisation(command_id="platform", name="平台", kind=OrganisationKind.PLATFORM))
    return Ground(programme, firm, platform)


def registered(engine: Engine, on: Ground, count: int, key: str = "register") -> list[UUID]:
    """Register projects, four hundred a transaction."""
    ids: list[UUID] = []
    for start in range(0, count, 400):
        commands = [
            RegisterProject(
                command_id=f"{key}-{number}",
                programme_id=on.programme,
                organisation_id=on.firm,
                platform_id=on.platform,
                name=f"project {number}",
            )
            for number in range(start, min(start + 400, count))
        ]
        ids += [UUID(answer.document["object_id"]) for answer in done(engine, *commands)]
    return ids


@dataclass(slots=True)
class Place:
    """A migrated database to measure on; `copy` gives an equal one that the driver speaks to alone."""

    kind: str
    engine: Engine
    copy: Callable[[], str]
    """Returns where the copy is: a file, or what psycopg connects to."""
    driver: Callable[[str], Any]
    """Opens a bare connection to such a copy."""


def _found(engine: Engine) -> None:
    """Lay the tables, and the row that says what the database is for."""
    upgrade(engine)
    with transaction(engine) as session:
        initialise(session, mode="rehearsal", now=NOW, new_id=new_id)


@contextmanager
def sqlite() -> Iterator[tuple[Engine, Callable[[], Path]]]:
    """Give a fresh SQLite database, and a function that copies it as it stands."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(str(Path(folder) / "bench.db"))
        _found(engine)
        numbers = count(1)

        def copy() -> Path:
            target = Path(folder) / f"bare{next(numbers)}.db"
            with (
                closing(sqlite3.connect(Path(folder) / "bench.db")) as source,
                closing(sqlite3.connect(target)) as bare,
            ):
                source.backup(bare)
            return target

        yield engine, copy
        engine.dispose()


@contextmanager
def on_sqlite() -> Iterator[Place]:
    """Give a place on SQLite."""
    with sqlite() as (engine, copy):
        yield Place("SQLite", engine, lambda: str(copy()), _bare_sqlite)


def _bare_sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


_numbers = count(1)


@contextmanager
def on_postgres(address: str) -> Iterator[Place]:
    """Give a place on the server with this address."""
    name = f"bench_{next(_numbers)}"
    _on_server(address, f"CREATE DATABASE {name}")
    engine = make_engine(address.format(name))
    _found(engine)

    def copy() -> str:
        engine.dispose()  # a database that somebody uses cannot be copied
        target = f"bench_{next(_numbers)}"
        _on_server(address, f"CREATE DATABASE {target} TEMPLATE {name}")
        return _conninfo(address.format(target))

    yield Place("PostgreSQL", engine, copy, psycopg.connect)
    engine.dispose()


def _on_server(address: str, statement: str) -> None:
    with psycopg.connect(_conninfo(address.format("postgres")), autocommit=True) as connection:
        connection.execute(statement.encode())


def _conninfo(address: str) -> str:
    return address.replace("postgresql+psycopg", "postgresql")


@contextmanager
def server() -> Iterator[str | None]:
    """Give the address of a durable PostgreSQL server; None, with a visible line, where none is installed."""
    if postgres.programs() is None:
        sys.stderr.write(f"left out what needs PostgreSQL. {postgres.WHAT_TO_INSTALL}\n")
        yield None
        return
    with postgres.server(DURABLE) as address:
        yield address


def places(address: str | None) -> Iterator[Place]:
    """Give a fresh place on each kind of database, one after the other."""
    with on_sqlite() as place:
        yield place
    if address is not None:
        with on_postgres(address) as place:
            yield place


@contextmanager
def captured(engine: Engine) -> Iterator[list[tuple[str, Any, bool]]]:
    """Collect (statement, parameters, many) of everything that is executed inside the block; None marks a commit.

    What opens a transaction for reading on SQLite is left out: it would keep the driver from writing after it.
    """
    kept: list[Any] = []

    def execute_seen(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's form
        if statement != "BEGIN" and not statement.startswith("PRAGMA query_only"):
            kept.append((statement, parameters, many))

    def commit_seen(_c: Any) -> None:
        kept.append(None)

    event.listen(engine, "before_cursor_execute", execute_seen)
    event.listen(engine, "commit", commit_seen)
    try:
        yield kept
    finally:
        event.remove(engine, "before_cursor_execute", execute_seen)
        event.remove(engine, "commit", commit_seen)


def timed(work: Callable[[], object]) -> float:
    """Return the wall seconds that the work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_of_memory() -> int:
    """Return the most memory that this process ever held, in bytes; on Linux, where the kernel writes it down.

    `getrusage` will not do: a fresh process begins there with the peak of the one that started it.
    """
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def replay(connection: Any, kept: Sequence[Any]) -> None:
    """Send captured statements again by the driver alone, fetch what they return, and commit where they did."""
    cursor = connection.cursor()
    is_sqlite = isinstance(connection, sqlite3.Connection)
    for item in kept:
        if item is None:
            if not is_sqlite:
                connection.commit()
            elif connection.in_transaction:  # what only read was captured without its beginning
                cursor.execute("COMMIT")
            continue
        statement, parameters, many = item
        (cursor.executemany if many else cursor.execute)(statement, parameters)
        if cursor.description is not None:
            cursor.fetchall()
