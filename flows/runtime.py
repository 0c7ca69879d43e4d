"""A sweep: the due ids in one indexed read, then chunks of commands through the engine. No rules, no Prefect here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from lifecycle.commands import Command, Stamp
from lifecycle.engine import execute
from models.db import reading, run_in_transaction

CHUNK = 400
"""Commands per transaction (`docs/contract.md`, limits)."""

Due: TypeAlias = Callable[[Session, Stamp], Sequence[Command]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is due, as commands whose ids are derived: two overlapping passes do one thing."""

    name: str
    due: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a pass did."""

    done: int = 0
    refused: int = 0
    failed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Add two tallies."""
        return Tally(
            done=self.done + other.done, refused=self.refused + other.refused, failed=self.failed + other.failed
        )


def run(engine: Engine, sweep: Sweep, stamp: Stamp) -> Tally:
    """Do all that is due, chunk by chunk; one bad row stops nobody."""
    with reading(engine) as session:
        due = list(sweep.due(session, stamp))
    tally = Tally()
    for start in range(0, len(due), CHUNK):
        tally += _done(engine, due[start : start + CHUNK], stamp)
    return tally


def _done(engine: Engine, commands: Sequence[Command], stamp: Stamp) -> Tally:
    def work(session: Session) -> Tally:
        answers = execute(session, commands, stamp=stamp)
        fresh = [answer for answer in answers if not answer.is_replay]
        done = sum(answer.is_done for answer in fresh)
        return Tally(done=done, refused=len(fresh) - done)

    try:
        return run_in_transaction(engine, work)
    except DBAPIError:
        if len(commands) == 1:
            return Tally(failed=1)  # the poison row stands alone; the others go on
        half = len(commands) // 2
        return _done(engine, commands[:half], stamp) + _done(engine, commands[half:], stamp)


def ids_of(rows: Any) -> list[Any]:
    """Return the first column of a result."""
    return list(rows.scalars())
