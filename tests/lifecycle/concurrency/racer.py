"""One of several processes that give a command at the same moment: reads jobs from a pipe, answers with what became.

Started by `tests.lifecycle.concurrency.races`; the world comes over the pipe, the database by its address.
"""

import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from lifecycle import engine as melody
from lifecycle.commands import Command
from models.db import make_engine, run_in_transaction
from tests.factories import House


def run(url: str, house: House, pipe: Connection, barrier: Barrier) -> None:
    """Give each job's commands at the barrier, until an empty job comes."""
    engine = make_engine(url)
    own = replace(house, engine=engine)
    with engine.connect():
        pass  # the first connection is made before the start
    while (job := pipe.recv()) is not None:
        pipe.send(_played(own, barrier, *job))
    engine.dispose()


def _played(house: House, barrier: Barrier, commands: list[Command], by: str) -> list[Any] | str:
    stamp = house.stamp(by)
    barrier.wait(timeout=60)
    try:
        answers = run_in_transaction(house.engine, lambda session: melody.execute(session, commands, stamp=stamp))
    except Exception:  # noqa: BLE001 - the parent shows it
        return traceback.format_exc()
    return [("done" if answer.is_done else answer.error.codes, dict(answer.document)) for answer in answers if answer]  # type: ignore[union-attr]
