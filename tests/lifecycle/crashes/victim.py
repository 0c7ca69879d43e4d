"""A process that forks children which are killed (SIGKILL) at a chosen point of a command.

Every statement, and the commit, has two boundaries: just before it is sent and just after it came back. The parent
process imports once and opens no database; each child opens its own.
"""

import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine, event

from lifecycle import engine as melody
from lifecycle.commands import Command
from models.db import make_engine, run_in_transaction
from tests.factories import House

NOBODY_IS_KILLED = 0


def run(pipe: Connection) -> None:
    """Fork a child for each (address, house, command, actor, boundary) that comes; say how it ended."""
    while (job := pipe.recv()) is not None:
        counter, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(counter)
            _die_at(told, *job)
        os.close(told)
        _, status = os.waitpid(child, 0)
        passed = os.read(counter, 100_000).count(b".")
        os.close(counter)
        pipe.send((os.waitstatus_to_exitcode(status), passed))


def _die_at(told: int, url: str, house: House, command: Command, by: str, boundary: int) -> None:
    passed = 0

    def pass_by(*_: Any) -> None:
        nonlocal passed
        passed += 1
        os.write(told, b".")
        if passed == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = make_engine(url)
    _watch(engine, pass_by)
    stamp = house.stamp(by)
    status = 2
    try:
        (answer,) = run_in_transaction(engine, lambda session: melody.execute(session, [command], stamp=stamp))
        status = 0 if answer.is_done else 1
    finally:
        os._exit(status)  # nothing of the parent's is cleaned up twice


def _watch(engine: Engine, pass_by: Callable[..., None]) -> None:
    event.listen(engine, "before_cursor_execute", pass_by)
    event.listen(engine, "after_cursor_execute", pass_by)
    commit = engine.dialect.do_commit

    def commit_between(connection: Any) -> None:
        pass_by()
        commit(connection)
        pass_by()

    engine.dialect.do_commit = commit_between  # type: ignore[method-assign, assignment]
