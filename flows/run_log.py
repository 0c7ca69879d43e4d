"""The log of a run: its last lines, as codes with their values, kept in the row of the run. No account number stays.

Whoever works inside a run says `note(…)`; outside of one nobody listens. What libraries warn of is heard too.
"""

import json
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal, TypeAlias

from lifecycle.canonical import instant

Level: TypeAlias = Literal["info", "warn", "bad"]
Line: TypeAlias = dict[str, Any]
"""`{"at", "ms", "level", "code", "values"}`: business time, milliseconds since the run began, what was said."""

MOST_LINES = 200
MOST_BYTES = 32_768
_LONGEST = 400
"""Characters of one value."""
_PLACES = 4
"""Places in the code that the line of a failure names, the innermost first."""
_SECRET = re.compile(
    r"(?<![0-9A-Za-z-])(?P<account>[A-Z]{2}\d{2}(?: ?[A-Z0-9]){10,30}|\d(?: ?\d){9,33})(?![0-9A-Za-z-])"  # accounts
    r"|\b(?:pt_|whsec_)[\w+/=-]+"  # tokens, secrets of webhooks
    r"|(?<=://)[^/\s@]+(?=@)"  # name and password in an address
)


class RunLog:
    """The lines of one run by one worker, the newest `MOST_LINES` of them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin now; `now` tells business time."""
        self._now, self._begun = now, time.monotonic()
        self._lines: deque[Line] = deque(maxlen=MOST_LINES)
        self.is_alarmed = False
        """Whether anything but plain talk was said."""

    def say(self, code: str, values: Mapping[str, Any], level: Level = "info") -> None:
        """Add a line."""
        self.is_alarmed = self.is_alarmed or level != "info"
        passed = round(1000 * (time.monotonic() - self._begun))
        self._lines.append(line(code, values, at=self._now(), level=level, ms=passed))

    def lines(self) -> Sequence[Line]:
        """Return what was said, the oldest first."""
        return tuple(self._lines)


_CURRENT: ContextVar[RunLog | None] = ContextVar("run_log", default=None)


def note(code: str, level: Level = "info", /, **values: Any) -> None:
    """Say something in the log of the run that this thread works in; elsewhere nothing happens."""
    log = _CURRENT.get()
    if log is not None:
        log.say(code, values, level)


@contextmanager
def logged(now: Callable[[], datetime]) -> Iterator[RunLog]:
    """Keep what this thread says while the block works, and what libraries warn of in it."""
    log, root = RunLog(now), logging.getLogger()
    ear, token = _Ear(log), _CURRENT.set(log)
    root.addHandler(ear)
    try:
        yield log
    finally:
        root.removeHandler(ear)
        _CURRENT.reset(token)


def line(code: str, values: Mapping[str, Any], *, at: datetime, level: Level = "info", ms: int = 0) -> Line:
    """Return one line; figures stay figures, everything else is masked and cut."""
    kept = {name: one if isinstance(one, int) else masked(str(one))[:_LONGEST] for name, one in values.items()}
    return {"at": instant(at), "ms": ms, "level": level, "code": code, "values": kept}


def masked(text: str) -> str:
    """Return a text without account numbers (their last four characters stay), tokens and passwords."""
    return _SECRET.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    return f"…{found[0].replace(' ', '')[-4:]}" if found["account"] else "…"


def tail(lines: Sequence[Line]) -> list[Line]:
    """Return the last lines that a row keeps: at most `MOST_LINES`, together at most `MOST_BYTES`."""
    kept: deque[Line] = deque()
    size = 0
    for one in reversed(lines[-MOST_LINES:]):
        size += len(json.dumps(one, ensure_ascii=False).encode()) + 2
        if size > MOST_BYTES:
            break
        kept.appendleft(one)
    return list(kept)


def places_of(error: BaseException) -> str:
    """Return where something went wrong, the innermost place first: files and lines, no value."""
    frames = reversed(extract_tb(error.__traceback__)[-_PLACES:])
    return " ← ".join(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames)


class _Ear(logging.Handler):
    """Hears what libraries warn of in the thread of a run; where nobody else listens it goes to stderr as before."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if _CURRENT.get() is self._log:
            said = record.getMessage().partition("\n")[0]
            self._log.say("heard", {"by": record.name, "said": said}, "warn")
        others = [one for one in logging.getLogger().handlers if not isinstance(one, _Ear)]
        if not others and logging.lastResort is not None:
            logging.lastResort.handle(record)
