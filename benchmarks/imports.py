"""B6: a portfolio brought in against the driver's `executemany` of the very rows it stores; peak memory of both sizes.

Each row becomes a project with its visit, its requirements, its claim, its organisation and the journal of all of them.
"""

import sqlite3
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import yaml
from sqlalchemy import Engine
from sqlmodel import Session

from benchmarks.stage import born, captured, done, sqlite, stamp
from lifecycle.actor import Actor
from lifecycle.imports.arrivals import Destination
from lifecycle.imports.mapping import Mapping
from lifecycle.imports.portfolio import Door, How, bring_in
from lifecycle.people.commands import AddProgramme, AddUser, GrantRole, PublishStandard
from lifecycle.standards import library
from models.db import make_engine, reading, run_in_transaction
from models.migrate import upgrade
from models.states import Door as DoorName
from models.states import Role
from tests import postgres

T = TypeVar("T")
ROWS = (3_000, 30_000)
MAPPING = """
source: bench
about: {zh: 测速, en: a benchmark}
row_key: [number]
columns:
  - {column: title, to: name}
  - {column: firm, to: organisation}
  - {column: trl, to: trl_current}
  - {column: award, to: money, label: award, currency: CNY}
stages: [{stage: feasibility, why: {zh: 测速, en: a benchmark}}]
"""


def run() -> dict[str, Any]:
    """Return rows a second, the ratio and the peak of memory, on each database that is there."""
    figures = _measured("sqlite", _on_sqlite)
    if postgres.programs() is not None:
        figures |= _measured("postgresql", _on_postgres)
    return figures


def _measured(name: str, place: Callable[[], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rows in ROWS:
        with place() as (engine, bare), TemporaryDirectory() as folder:
            work = _prepared(engine, _file(Path(folder), rows))
            connection = bare()
            with captured(engine) as kept, _watched(found, f"{name}_{rows}"):
                work()
            inserts = [item for item in kept if item is not None and item[0].lstrip().startswith("INSERT")]
            seconds = _again(connection, inserts)
            found[f"{name}_{rows}_rows_per_second"] = round(rows / found[f"{name}_{rows}_seconds"])
            found[f"{name}_{rows}_ratio"] = round(seconds / found[f"{name}_{rows}_seconds"], 3)
        with place() as (engine, _), TemporaryDirectory() as folder:
            work = _prepared(engine, _file(Path(folder), rows))
            tracemalloc.start()
            work()
            found[f"{name}_{rows}_peak_mib"] = round(tracemalloc.get_traced_memory()[1] / 2**20, 1)
            tracemalloc.stop()
    return found


@contextmanager
def _watched(found: dict[str, Any], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    found[f"{name}_seconds"] = time.perf_counter() - start


def _prepared(engine: Engine, path: Path) -> Callable[[], None]:
    """Lay a programme on the default standard; return what brings the file in, whole or not at all."""
    pack = library.default()
    done(engine, PublishStandard(command_id="pack", sha256=library.sha256(pack), body=pack.canonical()))
    programme = born(engine, AddProgramme(command_id="p", code="B", name="bench", pack_sha256=library.sha256(pack)))
    user = born(engine, AddUser(command_id="u", login="admin", email="admin@example.org", name="admin"))
    done(engine, GrantRole(command_id="g", user_id=user, role=Role.ADMIN))
    mapping = Mapping.model_validate(yaml.safe_load(MAPPING))

    def read(work: Callable[[Session], T]) -> T:
        with reading(engine) as session:
            return work(session)

    def write(work: Callable[[Session], T]) -> T:
        return run_in_transaction(engine, work)

    def bring() -> None:
        into = Destination(source=mapping.source, programme_id=programme)
        door = Door(read=read, write=write, tell=lambda _: None)
        report = bring_in(path, mapping, into=into, stamp=stamp(_admin(user)), how=How.WHOLE, door=door)
        if not report.is_written or report.wrong:
            raise RuntimeError(str(report.errors[:1]))

    return bring


def _admin(user: UUID) -> Actor:
    return Actor(user_id=user, person_id=user, name="admin", door=DoorName.CLI)


def _file(folder: Path, rows: int) -> Path:
    path = folder / "book.csv"
    lines = (f"P{n},机器人 {n},Firm {n // 3},{1 + n % 9},{n}.50" for n in range(rows))
    path.write_text("\n".join(["number,title,firm,trl,award", *lines]), encoding="utf-8")
    return path


def _again(connection: Any, inserts: list[Any]) -> float:
    """Send the rows again by the driver alone, in one transaction, and return the seconds."""
    cursor = connection.cursor()
    start = time.perf_counter()
    cursor.execute("BEGIN")
    for statement, parameters, many in inserts:
        (cursor.executemany if many else cursor.execute)(statement, parameters)
    cursor.execute("COMMIT")
    connection.close()
    return time.perf_counter() - start


@contextmanager
def _on_sqlite() -> Iterator[tuple[Engine, Callable[[], Any]]]:
    with sqlite() as (engine, copy):

        def bare() -> sqlite3.Connection:
            connection = sqlite3.connect(copy(), isolation_level=None)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}").close()
            return connection

        yield engine, bare


@contextmanager
def _on_postgres() -> Iterator[tuple[Engine, Callable[[], Any]]]:
    with postgres.server(("fsync=on",)) as address:
        with closing(_plain(address, "postgres")) as admin:
            admin.execute("CREATE DATABASE bench")
        engine = make_engine(address.format("bench"))
        upgrade(engine)

        def bare() -> psycopg.Connection[Any]:
            engine.dispose()  # a database that somebody uses cannot be copied
            with closing(_plain(address, "postgres")) as admin:
                admin.execute("CREATE DATABASE bare TEMPLATE bench")
            return _plain(address, "bare")

        yield engine, bare
        engine.dispose()


def _plain(address: str, name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(address.format(name).replace("postgresql+psycopg", "postgresql"), autocommit=True)
