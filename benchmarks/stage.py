"""What every benchmark needs: a fresh database with people, a programme and projects, and the statements of a piece of work.

The bare work that a figure is compared with is the very same statements, captured once and sent again by the driver
alone, with the same commits, to an equal database.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, event

from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.engine import execute
from lifecycle.people.commands import AddOrganisation, AddProgramme, PublishStandard
from lifecycle.projects.registration import RegisterProject
from lifecycle.standards import library
from models.db import make_engine, transaction
from models.ids import new_id
from models.migrate import upgrade
from models.states import Door, OrganisationKind

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
CLOCK = Actor.clock(Door.CLI)


def stamp(actor: Actor = CLOCK) -> Stamp:
    """Return the stamp of all benchmarks: one instant, one calendar."""
    return Stamp(now=NOW, today=NOW.date(), actor=actor, calendar=china(), new_id=new_id)


def done(engine: Engine, *commands: Command) -> list[Answer]:
    """Carry out commands in one transaction; fail loudly when one is refused."""
    with transaction(engine) as session:
        answers = execute(session, commands, stamp=stamp())
    refused = [answer for answer in answers if not answer.is_done]
    if refused:
        raise RuntimeError(str(refused[0].error))
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


def registered(engine: Engine, on: Ground, count: int) -> list[UUID]:
    """Register projects, four hundred a transaction."""
    ids: list[UUID] = []
    for start in range(0, count, 400):
        commands = [
            RegisterProject(
                command_id=f"register-{number}",
                programme_id=on.programme,
                organisation_id=on.firm,
                platform_id=on.platform,
                name=f"project {number}",
            )
            for number in range(start, min(start + 400, count))
        ]
        ids += [UUID(answer.document["object_id"]) for answer in done(engine, *commands)]
    return ids


@contextmanager
def sqlite() -> Iterator[tuple[Engine, Callable[[], Path]]]:
    """Give a fresh SQLite database, and a function that copies it as it stands."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(str(Path(folder) / "bench.db"))
        upgrade(engine)

        def copy() -> Path:
            target = Path(folder) / "bare.db"
            with (
                closing(sqlite3.connect(Path(folder) / "bench.db")) as source,
                closing(sqlite3.connect(target)) as bare,
            ):
                source.backup(bare)
            return target

        yield engine, copy
        engine.dispose()


@contextmanager
def captured(engine: Engine) -> Iterator[list[tuple[str, Any, bool]]]:
    """Collect (statement, parameters, many) of everything that is executed inside the block; None marks a commit."""
    kept: list[Any] = []

    def execute_seen(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's form
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


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that the work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
