"""One of several processes that do something at the same moment: reads jobs from a pipe, answers with what became.

Started by `tests.lifecycle.concurrency.races`; the world comes over the pipe, the database by its address. A job is a
list of commands with who gives them, or a function of the world.
"""

import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from lifecycle import engine as melody
from lifecycle.commands import Command
from models.db import make_engine, run_in_transaction
from tests.factories import House


def run(pipe: Connection, barrier: Barrier) -> None:
    """Open each world that comes, do its jobs at the barrier, and leave it; until nothing more comes."""
    while (world := pipe.recv()) is not None:
        url, house = world
        house.engine = make_engine(url)
        with house.engine.connect():
            pipe.send("ready")  # the first connection is made before the first start
        while (job := pipe.recv()) is not None:
            pipe.send(_played(house, barrier, *job))
        house.engine.dispose()
        pipe.send("gone")


def _played(house: House, barrier: Barrier, work: list[Command] | Callable[[House], Any], by: str) -> Any:
    if not callable(work):
        return _given(house, barrier, work, by)
    barrier.wait(timeout=60)
    try:
        return [work(house)]
    except Exception:  # noqa: BLE001 - the parent shows it
        return traceback.format_exc()


def _given(house: House, barrier: Barrier, commands: list[Command], by: str) -> list[Any] | str:
    stamp = house.stamp(by)
    barrier.wait(timeout=60)
    try:
        answers = run_in_transaction(house.engine, lambda session: melody.execute(session, commands, stamp=stamp))
    except Exception:  # noqa: BLE001 - the parent shows it
        return traceback.format_exc()
    return [(answer.error.codes if answer.error else "done", dict(answer.document)) for answer in answers]
