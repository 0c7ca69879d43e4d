"""A process that forks children which are killed (SIGKILL) at a chosen point of a command.

Every statement, and the commit, has two boundaries: just before it is sent and just after it came back. The process
plays the first command to its end itself, so that its children find all statements compiled; it keeps no connection.
"""

import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import event

from lifecycle import engine as melody
from lifecycle.commands import Command
from models.db import make_engine, run_in_transaction
from tests.factories import House

NOBODY_IS_KILLED = 0


def run(pipe: Connection) -> None:
    """Play each (address, house, command, actor, boundary) that comes, and say how it ended."""
    watched: _Watched | None = None
    while (job := pipe.recv()) is not None:
        url, house, command, by, boundary = job
        if watched is None or watched.url != url:
            watched = _Watched(url)
        if boundary == NOBODY_IS_KILLED:
            pipe.send((0 if watched.play(house, command, by) else 1, watched.passed))
            watched.engine.dispose()
        else:
            pipe.send(watched.kill_a_child(house, command, by, boundary))


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

    def _pass_by(self, *_: Any) -> None:
        self.passed += 1
        if self.told >= 0:
            os.write(self.told, b".")
        if self.passed == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def play(self, house: House, command: Command, by: str) -> bool:
        """Carry the command out; say whether it was."""
        self.passed, stamp = 0, house.stamp(by)
        (answer,) = run_in_transaction(self.engine, lambda session: melody.execute(session, [command], stamp=stamp))
        return answer.is_done

    def kill_a_child(self, house: House, command: Command, by: str, boundary: int) -> tuple[int, int]:
        """Let a child play the command and die at the boundary; return its exit code and the boundaries it passed."""
        counter, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(counter)
            self.told, self.deadly = told, boundary
            try:
                self.play(house, command, by)
            finally:
                os._exit(2)  # it should be dead; and nothing of its parent's is cleaned up twice
        os.close(told)
        _, status = os.waitpid(child, 0)
        passed = os.read(counter, 100_000).count(b".")
        os.close(counter)
        return os.waitstatus_to_exitcode(status), passed
