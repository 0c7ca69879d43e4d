"""Real processes at one barrier: nothing is shared but the database."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from sqlalchemy import Engine
from sqlmodel import Session

from lifecycle.commands import Command
from lifecycle.invariants.check import all_checks, check
from lifecycle.verdicts.soundness import fresh_verdicts
from models.db import reading
from tests.factories import House
from tests.lifecycle.concurrency import racer

Outcome: TypeAlias = tuple[Any, dict[str, Any]]
"""`done` or the codes of the refusal, and the answer."""


@dataclass(frozen=True)
class Racers:
    """Processes that wait for their commands."""

    pipes: tuple[Connection, ...]

    def tell(self, what: Any) -> None:
        """Send the same to all."""
        for pipe in self.pipes:
            pipe.send(what)

    @contextmanager
    def at(self, house: House) -> Iterator["Racers"]:
        """Let all of them open this house's database, and close it in the end."""
        url = house.engine.url.render_as_string(hide_password=False)
        self.tell((url, replace(house, engine=None)))  # type: ignore[arg-type]
        assert [pipe.recv() for pipe in self.pipes] == ["ready"] * len(self.pipes)
        yield self
        self.tell(None)
        assert [pipe.recv() for pipe in self.pipes] == ["gone"] * len(self.pipes)

    def race(self, *entries: tuple[Command, str]) -> list[Outcome]:
        """Let each process give its command, by its actor, at the same moment; return what became of each."""
        return [outcomes[0] for outcomes in self.race_batches(*(([command], by) for command, by in entries))]

    def race_works(self, *works: Callable[[House], Any] | tuple[Command, str]) -> list[Any]:
        """Let each process do its work, a function of the world or a command by its actor; return what came of each."""
        entries: list[Any] = [(work, "") if callable(work) else ([work[0]], work[1]) for work in works]
        return [outcomes[0] for outcomes in self.race_batches(*entries)]

    def race_batches(self, *entries: tuple[list[Command], str]) -> list[list[Outcome]]:
        """Let each process give its batch."""
        for pipe, entry in zip(self.pipes, entries, strict=True):
            pipe.send(entry)
        outcomes = [pipe.recv() for pipe in self.pipes]
        for outcome in outcomes:
            assert not isinstance(outcome, str), outcome
        return outcomes


@contextmanager
def racers(count: int = 2) -> Iterator[Racers]:
    """Start processes that wait for a world."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    ends = [context.Pipe() for _ in range(count)]
    processes = [context.Process(target=racer.run, args=(theirs, barrier)) for _, theirs in ends]
    for process in processes:
        process.start()
    for _, theirs in ends:
        theirs.close()
    started = Racers(tuple(ours for ours, _ in ends))
    try:
        yield started
        started.tell(None)
    finally:
        for ours, process in zip(started.pipes, processes, strict=True):
            ours.close()
            process.join(timeout=30)
            if process.is_alive():
                process.kill()


def assert_sound(engine: Engine, house: House) -> None:
    """Ask every invariant of the database, the audit trail and the stored verdicts too."""
    with reading(engine) as session:
        _assert_sound(session, house)


def _assert_sound(session: Session, house: House) -> None:
    checks = (*all_checks(), fresh_verdicts(house.stamp()))
    broken = {one.id: one.sample for one in check(session, checks, now=house.now).results if not one.is_ok}
    assert broken == {}, broken


def done(outcomes: Sequence[Outcome]) -> int:
    """Return how many were carried out."""
    return sum(1 for said, _ in outcomes if said == "done")
