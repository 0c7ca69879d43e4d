"""The log of a run: its last lines, as codes with their values, kept in the row of the run. No account number stays.

Whoever works inside a run says `note(…)`; outside of one nobody listens. What libraries warn of is heard too.
"""

import json
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
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
_APART = r"[ \u00a0.\-]?"
_SECRET = re.compile(
    r"(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{64}\b)"  # rows and files: stay
    r"|(?P<day>(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?:T[\d:.]+Z?)?)"  # days and instants stay, too
    rf"|(?P<account>[a-z]{{2}}\d{{2}}(?:{_APART}[a-z0-9]{{4}}){{2,}}(?:{_APART}[a-z0-9]{{1,4}})?|\d(?:{_APART}\d){{9,}})"
    r"|\b(?:pt_|whsec_)[\w+/=-]+"  # tokens, secrets of webhooks
    r"|\bauthorization\s*:\s*\w+\s+\S+|\bbearer\s+\S+"
    r"|\b(?:\w+_)?(?:password|passwd|pwd|token|secret|key)[\"']?\s*[=:]\s*[^\s&]+"
    r"|(?<=://)\S+(?=@)"  # name and password in an address
    r"|(?<=://)hooks\.\S+",  # addresses of chats are secrets of their owners
    re.IGNORECASE,
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


class _Ear(logging.Handler):
    """Hears what libraries warn of in the thread of a run; where nobody else listens it goes to stderr as before.

    There is one, and it listens while any run goes on: a warning is said once, however many runs there are.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._runs = 0

    def listen(self, more: int) -> None:
        with self.lock or nullcontext():
            self._runs += more
            (logging.getLogger().addHandler if self._runs else logging.getLogger().removeHandler)(self)

    def emit(self, record: logging.LogRecord) -> None:
        if (log := _CURRENT.get()) is not None:
            log.say("heard", {"by": record.name, "said": record.getMessage().partition("\n")[0]}, "warn")
        if logging.getLogger().handlers == [self] and logging.lastResort is not None:
            logging.lastResort.handle(record)


_EAR = _Ear()


def note(code: str, level: Level = "info", /, **values: Any) -> None:
    """Say something in the log of the run that this thread works in; elsewhere nothing happens."""
    log = _CURRENT.get()
    if log is not None:
        log.say(code, values, level)


@contextmanager
def logged(now: Callable[[], datetime]) -> Iterator[RunLog]:
    """Keep what this thread says while the block works, and what libraries warn of in it."""
    log = RunLog(now)
    token = _CURRENT.set(log)
    _EAR.listen(1)
    try:
        yield log
    finally:
        _EAR.listen(-1)
        _CURRENT.reset(token)


def line(code: str, values: Mapping[str, Any], *, at: datetime, level: Level = "info", ms: int = 0) -> Line:
    """Return one line; figures stay figures, everything else is masked and cut."""
    kept = {name: one if isinstance(one, int) else masked(str(one))[:_LONGEST] for name, one in values.items()}
    return {"at": instant(at), "ms": ms, "level": level, "code": code, "values": kept}


def masked(text: str) -> str:
    """Return a text without account numbers (their last four characters stay), tokens and passwords."""
    return _SECRET.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    if found["id"] or found["day"]:
        return found[0]
    return f"…{''.join(filter(str.isalnum, found[0]))[-4:]}" if found["account"] else "…"


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
