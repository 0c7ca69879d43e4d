"""The calendar as it stands: the library's days, our own table above them, years announced since (W5, W6)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.calendar import Calendar, Override, china
from models.people import User
from models.programmes import Programme
from models.reading import table_of
from models.runs import AnnouncedYear, CalendarOverride


def calendar_of(session: Session) -> Calendar:
    """Return the calendar of this installation, with those of its programmes that have days of their own.

    A programme's own day stands above the installation's. Two reads.
    """
    return built(overrides(session), session.execute(select(table_of(AnnouncedYear).c.year)).scalars())


def overrides(session: Session) -> list[Any]:
    """Return every entry of our own table, by day and version; of one day and programme the last counts."""
    table = table_of(CalendarOverride)
    return list(session.execute(select(table).order_by(table.c.day, table.c.version, table.c.id)))


def built(rows: Iterable[Any], announced: Iterable[int]) -> Calendar:
    """Return the calendar that these entries and years make of the library's."""
    entries: dict[UUID | None, list[Override]] = {}
    for row in rows:
        names = ("day", "is_working_day", "name", "notice", "version")
        entry = Override(**{name: getattr(row, name) for name in names})
        entries.setdefault(row.programme_id, []).append(entry)
    base = china().with_overrides(entries.get(None, ()))
    base = replace(base, announced=base.announced | frozenset(announced))
    return replace(base, programmes={key: base.with_overrides(own) for key, own in entries.items() if key is not None})


def overrides_told(session: Session) -> list[dict[str, Any]]:
    """Return every entry of our own table with its programme and the name of who entered it; three reads."""
    programme, user = table_of(Programme), table_of(User)
    codes = dict(session.execute(select(programme.c.id, programme.c.code)).tuples().all())
    rows = overrides(session)
    people = {row.entered_by for row in rows} - {None}
    names = dict(session.execute(select(user.c.id, user.c.name).where(user.c.id.in_(people))).tuples().all())
    shown = ("id", "day", "is_working_day", "name", "notice", "version", "at")
    return [
        {
            **{name: getattr(row, name) for name in shown},
            "programme": codes.get(row.programme_id),
            "by": names.get(row.entered_by),
        }
        for row in rows
    ]


def announced_years(session: Session) -> list[Any]:
    """Return the years whose schedule was entered here, each with its notice."""
    return list(session.execute(select(table_of(AnnouncedYear)).order_by("year")))
