"""A process that forks children which are killed (SIGKILL) at a chosen point of a piece of work.

Every statement, and the commit, has two boundaries: just before it is sent and just after it came back. So has every
step of a file that is handed over or filed away, and a file that is written has one at its half. The process plays
the first work to its end itself, so that its children find all statements compiled; it keeps no connection.
"""

import functools
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, TypeAlias

from sqlalchemy import event

from flows import bank_channel
from lifecycle import engine as melody
from lifecycle.commands import Command
from models.db import make_engine, run_in_transaction
from tests.factories import House

NOBODY_IS_KILLED = 0
Work: TypeAlias = Callable[[House], bool]
"""Does something in a world, and says whether it was done."""


def given(command: Command, by: str, house: House) -> bool:
    """Give one command."""
    stamp = house.stamp(by)
    (answer,) = run_in_transaction(house.engine, lambda session: melody.execute(session, [command], stamp=stamp))
    return answer.is_done


def run(pipe: Connection) -> None:
    """Play each (address, house, work, boundary) that comes, and say how it ended."""
    watched: _Watched | None = None
    while (job := pipe.recv()) is not None:
        url, house, work, boundary = job
        if watched is None or watched.url != url:
            watched = _Watched(url)
        if boundary == NOBODY_IS_KILLED:
            pipe.send((0 if watched.play(house, work) else 1, watched.passed))
            watched.engine.dispose()
        else:
            pipe.send(watched.kill_a_child(house, work, boundary))


class _Watched:
    """An engine that counts the boundaries it passes, and dies at one of them."""

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, make_engine(url)
        self.passed = self.deadly = 0
        self.told = -1
        event.listen(self.engine, "before_cursor_execute", self._pass_by)
        event.listen(self.engine, "after_cursor_execute", self._pass_by)
        commit = self.engine.dialect.do_commit

        def commit_between(connection: Any) -> None:
            self._pass_by()
            commit(connection)
            self._pass_by()

        self.engine.dialect.do_commit = commit_between  # type: ignore[method-assign, assignment]
        _watch_files(self._pass_by)

    def _pass_by(self, *_: Any) -> None:
        self.passed += 1
        if self.told >= 0:
            os.write(self.told, b".")
        if self.passed == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def play(self, house: House, work: Work) -> bool:
        """Do the work; say whether it was done."""
        self.passed, house.engine = 0, self.engine
        return work(house)

    def kill_a_child(self, house: House, work: Work, boundary: int) -> tuple[int, int]:
        """Let a child do the work and die at the boundary; return its exit code and the boundaries it passed."""
        counter, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(counter)
            self.told, self.deadly = told, boundary
            try:
                self.play(house, work)
            finally:
                os._exit(2)  # it should be dead; and nothing of its parent's is cleaned up twice
        os.close(told)
        _, status = os.waitpid(child, 0)
        passed = os.read(counter, 100_000).count(b".")
        os.close(counter)
        return os.waitstatus_to_exitcode(status), passed


def _watch_files(pass_by: Callable[[], None]) -> None:
    """Put a boundary before and after every step with which a file is handed over or filed away, and within one."""

    def between(step: Callable[..., Any]) -> Callable[..., Any]:
        step = getattr(step, "__wrapped__", step)  # another database before this one has watched it

        @functools.wraps(step)
        def watched(*args: Any, **named: Any) -> Any:
            pass_by()
            done = step(*args, **named)
            pass_by()
            return done

        return watched

    of_system = {name: getattr(os, name) for name in ("getpid", "open", "close", "O_RDONLY")}
    steps = {name: between(getattr(os, name)) for name in ("fsync", "link")}
    bank_channel.os = SimpleNamespace(**of_system, **steps)  # type: ignore[assignment, attr-defined]
    for name in ("rename", "unlink"):
        setattr(Path, name, between(getattr(Path, name)))
    opened = getattr(Path.open, "__wrapped__", Path.open)

    @functools.wraps(opened)
    def open_torn(path: Path, mode: str = "r", *args: Any, **named: Any) -> Any:
        file = opened(path, mode, *args, **named)
        return _Torn(file, pass_by) if mode == "wb" else file

    Path.open = open_torn  # type: ignore[method-assign, assignment]


class _Torn:
    """A file that stands half written for a moment."""

    def __init__(self, file: Any, pass_by: Callable[[], None]) -> None:
        self._file, self._pass_by = file, pass_by

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        half = len(data) // 2
        self._pass_by()
        written: int = self._file.write(data[:half])
        self._file.flush()
        self._pass_by()
        written += self._file.write(data[half:])
        self._pass_by()
        return written
