"""The working calendar in words."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from cli.door import Door
from cli.output import Column
from lifecycle.calendars.book import overrides
from models.people import User
from models.programmes import Programme
from models.reading import table_of
from models.runs import AnnouncedYear

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
    rows, years = door.read(_own_table)
    door.output.table(_LISTED, [{**row, "at": door.local(row["at"])} for row in rows])
    for row in years:
        door.output.say("year_was_announced", year=row.year, notice=row.notice)


def _own_table(session: Session) -> tuple[list[dict[str, Any]], list[Any]]:
    programme, user = table_of(Programme), table_of(User)
    codes = dict(session.execute(select(programme.c.id, programme.c.code)).tuples().all())
    rows = overrides(session)
    people = {row.entered_by for row in rows} - {None}
    names = dict(session.execute(select(user.c.id, user.c.name).where(user.c.id.in_(people))).tuples().all())
    shown = ("id", "day", "is_working_day", "name", "notice", "version", "at")
    listed = [
        {
            **{name: getattr(row, name) for name in shown},
            "programme": codes.get(row.programme_id),
            "by": names.get(row.entered_by),
        }
        for row in rows
    ]
    return listed, list(session.execute(select(table_of(AnnouncedYear)).order_by("year")))


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
