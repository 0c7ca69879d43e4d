"""The worker: a clock that goes on by itself, tells each pass in a line of JSON, and ends when it is told to."""

import os
import select
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import typer

from cli.behind.runs import work_of
from cli.behind.soundness import recovered, recovered_payments
from cli.door import Door
from cli.errors import PARTLY, error_document, problem_of
from cli.output import json_text
from flows.clock import tick

MOST_SECONDS = 9
"""After this long what is not finished is left to whoever comes next, as after a kill (`docs/contract.md` 5)."""


@dataclass(slots=True)
class Ending:
    """Whether this process was told to end. Nothing here takes a lock: a signal may come at any line."""

    is_asked: bool = False

    def __post_init__(self) -> None:
        """Listen, and stand by for a pass that does not end."""
        self._wake, self._bell = os.pipe()
        wake, self._alarm = os.pipe()
        threading.Thread(target=_leave, args=(wake,), daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    _wake: int = 0
    _bell: int = 0
    _alarm: int = 0

    def _ask(self, _number: int, _frame: object) -> None:
        if not self.is_asked:
            self.is_asked = True
            os.write(self._bell, b".")
            os.write(self._alarm, b".")

    def wait(self, seconds: float) -> None:
        """Wait, unless told to end."""
        select.select([self._wake], [], [], seconds)


def _leave(wake: int) -> None:
    os.read(wake, 1)
    time.sleep(MOST_SECONDS)
    os._exit(0)


def work_once(door: Door) -> None:
    """Recover, make one pass and print both; leaves with exit 6 when something failed."""
    document = {"recover": recovered(door)}
    found = tick(work_of(door))
    door.output.document({**document, "tick": found.document()})
    if document["recover"]["failed"] or not found.is_well:
        raise typer.Exit(PARTLY)


def work_on(door: Door, every: float) -> None:
    """Recover and make a pass, again and again, until told to end; a pass that fails is told and tried again later.

    Each pass opens the database anew: it may have been moved, migrated or restarted meanwhile.
    """
    ending = Ending()
    first: dict[str, Any] | None = recovered(door)  # also says whether there is anything to work on
    door.close()
    _line({"ready": True, "pid": os.getpid(), "port": None})
    while not ending.is_asked:
        _line(_one_pass(door, ending, first))
        first = None
        ending.wait(every)


def _one_pass(door: Door, ending: Ending, first: dict[str, Any] | None) -> Mapping[str, Any]:
    fresh = Door(output=door.output, caller=door.caller)
    try:
        work = replace(work_of(fresh), is_stopped=lambda: ending.is_asked)
        found = {"recover": first or recovered_payments(fresh)}
        return {**found, "tick": tick(work).document()}
    except Exception as error:  # noqa: BLE001 - a database that is away comes back; the worker waits for it
        return {"error": error_document(problem_of(error, door.output))}
    finally:
        fresh.close()


def _line(document: Mapping[str, Any]) -> None:
    print(json_text(document), flush=True)
