"""The process whose children are killed, started once for each module."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import pytest

from tests.factories import House
from tests.lifecycle.crashes import victim

KILLED = -9


@dataclass(frozen=True)
class Victims:
    """The process that sends its children to their death."""

    pipe: Connection

    def send(self, house: House, work: victim.Work, boundary: int) -> tuple[int, int]:
        """Let a child do the work and die at the boundary; return its exit code and the boundaries it passed."""
        url = house.engine.url.render_as_string(hide_password=False)
        self.pipe.send((url, replace(house, engine=None), work, boundary))  # type: ignore[arg-type]
        ended: tuple[int, int] = self.pipe.recv()
        return ended


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=victim.run, args=(theirs,))
    process.start()
    theirs.close()
    yield Victims(ours)
    ours.send(None)
    process.join(timeout=30)
