"""The day a criterion is due, from its anchor day and the working-day calendar."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from lifecycle.calendar import Calendar
from lifecycle.stages.records import Records
from lifecycle.standards.pack import Criterion, DueAnchor
from models.states import STAGES


def due_day(criterion: Criterion, records: Records, calendar: Calendar) -> date | None:
    """Return the day a criterion is due, or None while its anchor day is not known (`domain.md` 3.0, section 6).

    The days of a stage and of its panel say nothing about the criteria of another stage. A calendar-day term that ends
    on a day off moves to the next working day (W3).
    """
    due = criterion.due
    is_of_present_stage = records.stage in STAGES and criterion.id.startswith(f"G{STAGES.index(records.stage) + 1}.")
    if due.anchor != "application" and not is_of_present_stage:
        return None
    anchor = _ANCHOR_DAY[due.anchor](records)
    if anchor is None:
        return None
    if due.unit == "working_days":
        return calendar.add_working_days(anchor, due.days)
    return calendar.next_working_day(anchor + timedelta(days=due.days))


def _first_placement(records: Records) -> date | None:
    return min((one.started_on for one in records.scenarios if one.started_on is not None), default=None)


_ANCHOR_DAY: Mapping[DueAnchor, Callable[[Records], date | None]] = {
    "application": lambda records: records.received_on,
    "stage_start": lambda records: records.stage_started_on,
    "panel": lambda records: records.planned_panel_on,
    "proposal": lambda records: records.proposed_on,
    "placement": _first_placement,
    "stage_end": lambda records: records.stage_due_on,
    "always": lambda _records: None,
}
"""`always` has no day: it is asked at any time."""
