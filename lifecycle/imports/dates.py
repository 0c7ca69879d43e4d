"""Dates as a source gives them: to the day, the month or the year, never completed by guessing."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from lifecycle.imports.problems import ValueProblem
from models.limits import FIRST_YEAR

Precision: TypeAlias = Literal["year", "month", "day"]
DateFormat: TypeAlias = Literal[
    "YYYY-MM-DD", "YYYY/M/D", "YYYY.M.D", "YYYYMMDD", "D.M.YYYY", "D/M/YYYY", "M/D/YYYY", "YYYY年M月D日",
    "YYYY-MM", "YYYY/M", "YYYY年M月", "Mon YYYY", "YYYY", "YYYY年",
]  # fmt: skip
LAST_YEAR = 2100
"""Years after are slips of the keyboard, not projects [design]."""

_YEAR, _MONTH, _DAY = "(?P<year>[0-9]{4})", "(?P<month>[0-9]{1,2})", "(?P<day>[0-9]{1,2})"
_PATTERNS: dict[str, re.Pattern[str]] = {
    "YYYY-MM-DD": re.compile(f"{_YEAR}-{_MONTH}-{_DAY}"),
    "YYYY/M/D": re.compile(f"{_YEAR}/{_MONTH}/{_DAY}"),
    "YYYY.M.D": re.compile(rf"{_YEAR}\.{_MONTH}\.{_DAY}"),
    "YYYYMMDD": re.compile(f"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})"),
    "D.M.YYYY": re.compile(rf"{_DAY}\.{_MONTH}\.{_YEAR}"),
    "D/M/YYYY": re.compile(f"{_DAY}/{_MONTH}/{_YEAR}"),
    "M/D/YYYY": re.compile(f"{_MONTH}/{_DAY}/{_YEAR}"),
    "YYYY年M月D日": re.compile(f"{_YEAR}年{_MONTH}月{_DAY}日"),
    "YYYY-MM": re.compile(f"{_YEAR}-{_MONTH}"),
    "YYYY/M": re.compile(f"{_YEAR}/{_MONTH}"),
    "YYYY年M月": re.compile(f"{_YEAR}年{_MONTH}月"),
    "Mon YYYY": re.compile(f"(?P<name>[A-Za-z]{{3,9}})\\.? {_YEAR}"),
    "YYYY": re.compile(_YEAR),
    "YYYY年": re.compile(f"{_YEAR}年"),
}
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date with the precision of its source; `on` is the first day of the period that is meant."""

    on: date
    precision: Precision

    @property
    def last(self) -> date:
        """The last day of the period that is meant."""
        if self.precision == "year":
            return self.on.replace(month=12, day=31)
        if self.precision == "month":
            return self.on.replace(day=calendar.monthrange(self.on.year, self.on.month)[1])
        return self.on


def parse_date(text: str, formats: tuple[DateFormat, ...]) -> PartialDate:
    """Return the date that the first fitting format reads; `ValueProblem` when none fits or the day does not exist."""
    rule = "date " + " | ".join(formats)
    for name in formats:
        matched = _PATTERNS[name].fullmatch(text)
        if matched is not None:
            return _dated(matched.groupdict(), rule)
    raise ValueProblem("date_malformed", rule, formats=", ".join(formats))


def _dated(parts: dict[str, str], rule: str) -> PartialDate:
    year = int(parts["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueProblem("date_year", rule, first=FIRST_YEAR, last=LAST_YEAR)
    month = _month(parts["name"], rule) if "name" in parts else int(parts.get("month", "1"))
    precision: Precision = "day" if "day" in parts else "month" if {"month", "name"} & parts.keys() else "year"
    try:
        return PartialDate(date(year, month, int(parts.get("day", "1"))), precision)
    except ValueError:
        raise ValueProblem("date_impossible", rule) from None


def _month(name: str, rule: str) -> int:
    """Return the number of an English month name or its first three letters; never by the locale of the machine."""
    lowered = name.lower()
    for number, full in enumerate(_MONTHS, start=1):
        if lowered in (full, full[:3]):
            return number
    raise ValueProblem("date_impossible", rule)
