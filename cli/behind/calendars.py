"""The working calendar in words."""

from datetime import date, timedelta

from cli.door import Door
from cli.output import Column
from lifecycle.calendars.book import announced_years, overrides_told

_LISTED = (
    Column(key="day"),
    Column(key="is_working_day"),
    Column(key="name", is_wide=True),
    Column(key="notice", is_wide=True),
    Column(key="programme"),
    Column(key="version"),
    Column(key="by"),
    Column(key="at"),
)
_DAYS = (Column(key="day"), Column(key="weekday", kind="weekday"), Column(key="is_working_day"))
_SATURDAY = 5


def show_overrides(door: Door) -> None:
    """Print our own table of days, and below it the years announced by it."""
    rows, years = door.read(overrides_told), door.read(announced_years)
    door.output.table(_LISTED, [{**row, "at": door.local(row["at"])} for row in rows])
    for row in years:
        door.output.say("year_was_announced", year=row.year, notice=row.notice)


def show_year(door: Door, year: int, programme: str) -> None:
    """Print every day of a year that differs from its weekday; say whether they are only guessed."""
    programme_id = door.read(lambda session: door.lookup(session).programme(programme)) if programme else None
    calendar = door.calendar.of(programme_id)
    first = date(year, 1, 1)
    days = (first + timedelta(days=ahead) for ahead in range((date(year + 1, 1, 1) - first).days))
    is_provisional = calendar.is_provisional(first)
    door.output.table(
        _DAYS,
        [
            {"day": day, "weekday": day.weekday(), "is_working_day": works, "is_provisional": is_provisional}
            for day in days
            for works in (calendar.is_working_day(day),)
            if works != (day.weekday() < _SATURDAY)
        ],
    )
    door.output.say("year_is_provisional" if is_provisional else "year_is_announced", year=year)
