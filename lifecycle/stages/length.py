"""How long a stage lasts: its due day and its last day, counted over all visits (rule book 3.0)."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from lifecycle.calendar import Calendar, add_months
from lifecycle.standards.pack import Stage


def due_days(stage: Stage, earlier: Iterable[Any], opened_on: date, calendar: Calendar) -> tuple[date, date]:
    """Return (due day, last day) of a visit that opens now; earlier visits of the stage have used some of both.

    Working-day lengths count working days from the day after; month lengths end on the same day of a later month.
    """
    spent = [(visit.opened_on, visit.closed_on) for visit in earlier if visit.stage == stage.id and visit.closed_on]
    due = _end(stage.default_days, stage.default_unit, spent, opened_on, calendar)
    last = _end(stage.maximum_days, stage.maximum_unit, spent, opened_on, calendar)
    return due, last


def _end(length: int, unit: str, spent: list[tuple[date, date]], opened_on: date, calendar: Calendar) -> date:
    if unit == "working_days":
        used = sum(calendar.working_days_between(start, end) for start, end in spent)
        return calendar.add_working_days(opened_on, max(length - used, 0))
    used = sum((end - start).days for start, end in spent)
    return max(add_months(opened_on, length) - timedelta(days=used), opened_on)
