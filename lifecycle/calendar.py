"""Working days, calendar-day terms and months. Pure: the days that differ from Monday to Friday are passed in.

`china()` reads them from `china_days.txt`, made from the `holidays` library (importing it takes longer than a command).
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from uuid import UUID

WORKING_DAYS_OF_A_MONTH = 21
"""Rounded up: where a length in months stands beside one in working days, they are compared about as this."""
_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One day that our own table sets against the library, with the notice that says so (W5, W7)."""

    day: date
    is_working_day: bool
    name: str
    notice: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The working days of one country, and how far they are officially known."""

    exceptions: Mapping[date, bool] = field(default_factory=dict, repr=False)
    """Day -> is it a working day, for the days that differ from Monday to Friday."""
    announced: frozenset[int] = field(default=frozenset(), repr=False)
    """Years whose schedule is officially known; days of any other year are provisional (W6)."""
    programmes: Mapping[UUID, "Calendar"] = field(default_factory=dict, repr=False)
    """Programmes with days of their own, and the calendar that they follow."""

    def of(self, programme_id: UUID | None) -> "Calendar":
        """Return the calendar that a programme follows: this one where it has no days of its own."""
        return self.programmes.get(programme_id, self) if programme_id is not None else self

    def is_working_day(self, day: date) -> bool:
        """Say whether people work on this day; a make-up Saturday or Sunday counts (W4)."""
        return self.exceptions.get(day, day.weekday() < _SATURDAY)

    def is_provisional(self, day: date) -> bool:
        """Say whether the schedule of this day's year is only guessed (W6)."""
        return day.year not in self.announced

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`, or before it when negative; 0 returns the day itself (W2)."""
        step = _ONE_DAY if count > 0 else -_ONE_DAY
        left = abs(count)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Count the working days after `start` up to and including `end`; negative when `end` lies before (W2)."""
        if end < start:
            return -self.working_days_between(end, start)
        return sum(self.is_working_day(start + timedelta(days=ahead)) for ahead in range(1, (end - start).days + 1))

    def next_working_day(self, day: date) -> date:
        """Return the day, or the next working day when it is a day off: for what is handed in (W3)."""
        return day if self.is_working_day(day) else self.add_working_days(day, 1)

    def previous_working_day(self, day: date) -> date:
        """Return the day, or the last working day before it when it is a day off: for what we pay (W3)."""
        return day if self.is_working_day(day) else self.add_working_days(day, -1)

    def with_overrides(self, overrides: Iterable[Override]) -> "Calendar":
        """Return this calendar with our own table on top; of two entries for a day the later version wins (W5)."""
        days = {entry.day: entry.is_working_day for entry in sorted(overrides, key=lambda entry: entry.version)}
        return replace(self, exceptions={**self.exceptions, **days})


def add_months(day: date, count: int) -> date:
    """Return the same day `count` months later, or the last day of that month when it is shorter (W1)."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1)
def china() -> Calendar:
    """Return the calendar of the State Council's notices, guessed for the years after the last one (W5, W6)."""
    return parse_days(files("lifecycle").joinpath("china_days.txt").read_text(encoding="utf-8"))


def parse_days(text: str) -> Calendar:
    """Return the calendar written as one line a year: `2026 -01-01 +01-04`, `2027? …` where no notice is out yet.

    `-` is a weekday off, `+` a Saturday or Sunday on which people work; `#` begins a comment line.
    """
    exceptions: dict[date, bool] = {}
    announced: set[int] = set()
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        year, *days = line.split()
        if not year.endswith("?"):
            announced.add(int(year))
        exceptions |= {date.fromisoformat(f"{year[:4]}-{day[1:]}"): day[0] == "+" for day in days}
    return Calendar(exceptions=exceptions, announced=frozenset(announced))
