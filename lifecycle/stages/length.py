"""How long a stage lasts: its due day and its last day, counted over all visits (rule book 3.0)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

from lifecycle.calendar import Calendar, add_months
from lifecycle.standards.pack import Stage

Unit: TypeAlias = Literal["working_days", "months"]


def due_days(stage: Stage, earlier: Sequence[Any], opened_on: date, calendar: Calendar) -> tuple[date, date]:
    """Return (due day, last day) of a visit that opens now: what the stage's last visit left of both, or all of it.

    What was left counts to the days as they were moved in the end, so a hold uses nothing up. Working-day lengths
    count working days from the day after; month lengths end on the same day of a later month.
    """
    visits = [visit for visit in earlier if visit.stage == stage.id and visit.closed_on]
    last = visits[-1] if visits else None

    def end(length: int, unit: Unit, column: str) -> date:
        if last is None:
            return _full(length, unit, opened_on, calendar)
        was = getattr(last, column) or _full(length, unit, last.opened_on, calendar)
        return _left(unit, last.closed_on, was, opened_on, calendar)

    due = end(stage.default_days, stage.default_unit, "due_on")
    return due, end(stage.maximum_days, stage.maximum_unit, "maximum_on")


def _full(length: int, unit: Unit, start: date, calendar: Calendar) -> date:
    return calendar.add_working_days(start, length) if unit == "working_days" else add_months(start, length)


def _left(unit: Unit, closed_on: date, end: date, opened_on: date, calendar: Calendar) -> date:
    """Return as long after the opening as the end lay after the close; nothing is left of what was overdue."""
    if unit == "working_days":
        return calendar.add_working_days(opened_on, max(calendar.working_days_between(closed_on, end), 0))
    return opened_on + max(end - closed_on, timedelta())
