"""The day a criterion is due, from its anchor day and the working-day calendar."""

from datetime import date, timedelta

from lifecycle.calendar import Calendar
from lifecycle.stages.records import Records
from lifecycle.standards.pack import Criterion, Due
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
    anchor = _anchor_day(due, records)
    if anchor is None:
        return None
    if due.unit == "working_days":
        return calendar.add_working_days(anchor, due.days)
    return calendar.next_working_day(anchor + timedelta(days=due.days))


def _anchor_day(due: Due, records: Records) -> date | None:
    """`always` has no day: it is asked at any time."""
    placed = (scenario.started_on for scenario in records.scenarios if scenario.started_on is not None)
    return {
        "application": records.received_on,
        "stage_start": records.stage_started_on,
        "panel": records.planned_panel_on,
        "proposal": records.proposed_on,
        "placement": min(placed, default=None),
        "stage_end": records.stage_due_on,
        "always": None,
    }[due.anchor]
