"""B6: a portfolio brought in against the driver's `executemany` of the very rows that it stores; peak of memory.

Each row becomes a project with its visit, its requirements, its claim, its organisation and the journal of all of them;
where memory is measured it becomes an ended project, which has no visit, so that many rows come in soon.
"""

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import UUID

import yaml
from sqlalchemy import Engine
from sqlmodel import Session

from benchmarks.stage import Place, born, captured, done, peak_of_memory, places, replay, server, stamp, timed
from benchmarks.table import Result
from lifecycle.actor import Actor
from lifecycle.imports.arrivals import Destination
from lifecycle.imports.mapping import Mapping
from lifecycle.imports.portfolio import Door, How, bring_in
from lifecycle.people.commands import AddProgramme, AddUser, GrantRole, PublishStandard
from lifecycle.standards import library
from models.db import make_engine, reading, run_in_transaction
from models.states import Door as DoorName
from models.states import Role

T = TypeVar("T")
FEW, MANY = 3_000, 30_000
RUNS = 3
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
ENDED = MAPPING.replace("feasibility", "stopped")
DRIVER = {"SQLite": "sqlite", "PostgreSQL": "postgresql+psycopg"}


def run() -> Iterator[Result]:
    """Measure on both databases."""
    with server() as address:
        for place in places(address):
            yield from _on(place)


@dataclass(frozen=True, slots=True)
class _Into:
    """A programme on the default standard, and who brings projects into it."""

    programme: UUID
    admin: UUID


def _on(place: Place) -> Iterator[Result]:
    with TemporaryDirectory() as name:
        folder, into = Path(name), _laid(place)
        ratios, seconds = [], []
        for number in range(RUNS + 1):
            path = _file(folder, number * FEW, FEW)
            bare = place.copy()
            with captured(place.engine) as kept:
                seconds.append(timed(lambda path=path: _bring(place.engine, into, path, MAPPING)))  # type: ignore[misc]
            rows = [item for item in kept if item is None or item[0].lstrip().startswith("INSERT")]
            with closing(place.driver(bare)) as connection:
                ratios.append(timed(lambda rows=rows: _sent(connection, rows)) / seconds[-1])  # type: ignore[misc]
        rate = f"{FEW / sorted(seconds[1:])[RUNS // 2]:,.0f} rows/s"
        yield Result(
            mark="B6", work=f"import, {FEW:,} rows, {place.kind}", figure=rate, ratios=tuple(ratios[1:]), at_least=0.25
        )
        few = _peak(place, into, _file(folder, 10 * MANY, FEW))
        many = _peak(place, into, _file(folder, 11 * MANY, MANY))
        work = f"import, peak of {MANY:,} rows over that of {FEW:,}, {place.kind}"
        yield Result(mark="B6", work=work, figure=f"{many / 2**20:.0f} MiB", ratios=(many / few,), at_most=1.2)


def _sent(connection: Any, rows: list[Any]) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("BEGIN")  # one transaction, as ours; psycopg begins by itself
    replay(connection, rows)


def _laid(place: Place) -> _Into:
    pack = library.default()
    sha256 = library.sha256(pack)
    done(place.engine, PublishStandard(command_id="pack", sha256=sha256, body=pack.canonical()))
    programme = born(place.engine, AddProgramme(command_id="programme", code="B", name="bench", pack_sha256=sha256))
    admin = born(place.engine, AddUser(command_id="user", login="admin", email="admin@example.org", name="admin"))
    done(place.engine, GrantRole(command_id="grant", user_id=admin, role=Role.ADMIN))
    return _Into(programme, admin)


def _file(folder: Path, first: int, rows: int) -> Path:
    path = folder / f"{first}.csv"
    lines = (f"P{n},机器人 {n},Firm {n // 3},{1 + n % 9},{n}.50" for n in range(first, first + rows))
    path.write_text("\n".join(["number,title,firm,trl,award", *lines]), encoding="utf-8")
    return path


def _bring(engine: Engine, into: _Into, path: Path, how: str) -> None:
    mapping = Mapping.model_validate(yaml.safe_load(how))

    def read(work: Callable[[Session], T]) -> T:
        with reading(engine) as session:
            return work(session)

    def write(work: Callable[[Session], T]) -> T:
        return run_in_transaction(engine, work)

    report = bring_in(
        path,
        mapping,
        into=Destination(source=mapping.source, programme_id=into.programme),
        stamp=stamp(Actor(user_id=into.admin, person_id=into.admin, name="admin", door=DoorName.CLI)),
        how=How.WHOLE,
        door=Door(read=read, write=write, tell=lambda _: None),
    )
    if not report.is_written or report.wrong:
        raise RuntimeError(str(report.errors[:1]))


def _peak(place: Place, into: _Into, path: Path) -> int:
    """Bring a file in from a fresh process; return the most memory that it held, in bytes."""
    url = place.engine.url.set(drivername=DRIVER[place.kind]).render_as_string(hide_password=False)
    fresh = multiprocessing.get_context("spawn")
    ours, its = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_brought, args=(url, into, path, its), daemon=True)
    process.start()
    its.close()  # only the process holds it now: should it die, `recv` says so
    peak: int = ours.recv()
    process.join()
    return peak


def _brought(url: str, into: _Into, path: Path, told: Connection) -> None:
    engine = make_engine(url)
    _bring(engine, into, path, ENDED)
    told.send(peak_of_memory())
    engine.dispose()
