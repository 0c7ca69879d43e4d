"""Clocks: the machine's, a fixed instant, or an instant kept in a file that a rehearsal moves. Business time only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.ports import Clock, OutsideError

SKEW = timedelta(minutes=5)
"""Machines differ by less. What is dated further ahead was written by a clock that ran ahead and was put right since:
what it put off or gave up waits for nobody."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks the machine


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until somebody sets `at`."""

    at: datetime

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self.at


@dataclass(frozen=True, slots=True)
class FileClock:
    """A clock whose instant stands in a file and is read at each use, so that another process can move it."""

    path: Path

    def now(self) -> datetime:
        """Return the instant in the file; OutsideError when it cannot be read."""
        try:
            return parse_instant(self.path.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            message = f"the clock file {self.path} cannot be read: {error}"
            raise OutsideError(message) from error


def parse_instant(text: str) -> datetime:
    """Return an ISO 8601 instant in UTC; text without an offset raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.utcoffset() is None:
        message = f"expected an instant with an offset such as 2026-03-02T01:00:00Z, got {text!r}"
        raise ValueError(message)
    return instant.astimezone(UTC)


def clock_from(text: str) -> Clock:
    """Return the clock that `PILOTWAY_CLOCK` names: `system`, an ISO 8601 instant or `file:PATH`, else ValueError."""
    if text == "system":
        return SystemClock()
    if text.startswith("file:"):
        return FileClock(Path(text.removeprefix("file:")))
    return FixedClock(parse_instant(text))
