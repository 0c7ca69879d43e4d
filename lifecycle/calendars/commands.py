"""Days set against the calendar, and years whose schedule was published: what is open moves with them, and is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.calendars.book import built, calendar_of, overrides
from lifecycle.calendars.moving import Change, Moved, judged_again, moved_by
from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.verdicts.cache import refresh
from models.base import Row as TableRow
from models.base import Subject
from models.programmes import Programme
from models.projects import Project
from models.reading import rows_by, table_of
from models.runs import CALENDAR_ID, AnnouncedYear, CalendarOverride, WorkingCalendar
from models.tables import object_type_of

OBJECT_TYPE = "calendar"
YEARS = range(2000, 2100)
MOST_TOLD = 20
"""Moved deadlines that a message lists; it says how many there are."""
_CHUNK = 400
_ONE_DAY = timedelta(days=1)
_FIVE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDay(Command):
    """Set one day against the calendar, for the whole installation or one programme, with the notice that says so."""

    day: date
    is_working_day: bool
    name: str
    notice: str
    programme_id: UUID | None = None
    calendar_id: UUID = CALENDAR_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceYear(Command):
    """Enter the published schedule of a year: its days off and the weekends on which people work.

    Without any day the days that were guessed are right.
    """

    year: int
    notice: str
    off: tuple[date, ...] = ()
    works: tuple[date, ...] = ()
    calendar_id: UUID = CALENDAR_ID


@dataclass(frozen=True, kw_only=True)
class CalendarFacts:
    """A change of the calendar, and all that moves with it."""

    command: Any
    row: Any
    stamp: Stamp
    before: Calendar
    is_announced: bool
    """By our own table."""
    has_programme: bool
    entries: tuple[Mapping[str, Any], ...] = ()
    """New rows of the table of days."""
    moved: tuple[Moved, ...] = ()
    projects: Mapping[UUID, Any] = field(default_factory=dict)
    """Those of moved deadlines that have no chain of their own."""
    touched: tuple[UUID, ...] = ()


def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CalendarFacts]:
    """Read the table as it is and work out what moves; the commands of a wave speak of one object, so there is one."""
    known = overrides(session)
    years = set(session.execute(select(table_of(AnnouncedYear).c.year)).scalars())
    before = built(known, years)
    versions = {(row.programme_id, row.day): row.version for row in known}
    found = []
    for task in tasks:
        command = task.command
        programme_id = getattr(command, "programme_id", None)
        entries = tuple(_entries(command, before, versions, stamp)) if _is_sound(command) else ()
        after = _after(known, entries, years, command)
        seen = CalendarFacts(
            command=command,
            row=task.row,
            stamp=stamp,
            before=before,
            is_announced=getattr(command, "year", None) in before.announced,
            has_programme=programme_id is None or bool(rows_by(session, Programme, "id", [programme_id])),
            entries=entries,
        )
        if entries:
            since = min(entry["day"] for entry in entries)
            change = Change(before=before, after=after, since=since, today=stamp.today, programme_id=programme_id)
            moved = tuple(moved_by(session, change, is_locked=task.is_locked))
            chainless = sorted({one.project_id for one in moved if not issubclass(one.table, Subject)})
            projects = {key: rows[0] for key, rows in rows_by(session, Project, "id", chainless).items()}
            seen = replace(seen, moved=moved, projects=projects, touched=tuple(judged_again(session, change)))
        found.append(seen)
    return found


def _is_sound(command: Any) -> bool:
    return isinstance(command, OverrideDay) or command.year in YEARS


def _entries(
    command: Any, before: Calendar, versions: Mapping[tuple[UUID | None, date], int], stamp: Stamp
) -> Iterator[dict[str, Any]]:
    """Yield the new rows: the one day, or every day of the year that is other than it was guessed."""
    programme_id = getattr(command, "programme_id", None)
    wanted = {command.day: command.is_working_day} if isinstance(command, OverrideDay) else _days_of(command)
    for day, works in sorted(wanted.items()):
        if before.of(programme_id).is_working_day(day) != works:
            yield {
                "id": stamp.new_id(),
                "programme_id": programme_id,
                "day": day,
                "is_working_day": works,
                "name": getattr(command, "name", command.notice),
                "notice": command.notice,
                "version": versions.get((programme_id, day), 0) + 1,
                "entered_by": stamp.actor.user_id,
                "at": stamp.now,
            }


def _days_of(command: AnnounceYear) -> dict[date, bool]:
    if not command.off and not command.works:
        return {}
    first = date(command.year, 1, 1)
    year = [first + timedelta(days=ahead) for ahead in range((date(command.year + 1, 1, 1) - first).days)]
    return {day: day in command.works or (day.weekday() < _FIVE and day not in command.off) for day in year}


@dataclass(frozen=True, slots=True)
class _Entry:
    day: date
    is_working_day: bool
    name: str
    notice: str
    version: int
    programme_id: UUID | None


def _after(known: Sequence[Any], entries: Sequence[Mapping[str, Any]], years: set[int], command: Any) -> Calendar:
    new = [_Entry(**{name: entry[name] for name in _Entry.__slots__}) for entry in entries]
    return built([*known, *new], years | ({command.year} if isinstance(command, AnnounceYear) else set()))


@about_input
def notice_said(facts: CalendarFacts) -> tuple[Unmet, ...]:
    """A change rests on a notice or a decision; the name of the day is said with it."""
    said = (facts.command.notice, getattr(facts.command, "name", "x"))
    return () if all(text.strip() for text in said) else (unmet("notice_not_named"),)


@about_input
def programme_there(facts: CalendarFacts) -> tuple[Unmet, ...]:
    """A programme that is named exists."""
    return () if facts.has_programme else (unmet("programme_not_found"),)


@about_input
def something_changes(facts: CalendarFacts) -> tuple[Unmet, ...]:
    """The day is not so already."""
    return () if facts.entries else (unmet("nothing_to_change"),)


@about_input
def days_of_the_year(facts: CalendarFacts) -> tuple[Unmet, ...]:
    """The days lie in the year, and none is both off and worked."""
    command = facts.command
    if command.year not in YEARS:
        return (unmet("days_not_of_year", year=command.year),)
    days = [*command.off, *command.works]
    if len(set(days)) < len(days) or any(day.year != command.year for day in days):
        return (unmet("days_not_of_year", year=command.year),)
    return ()


@about_input
def not_announced(facts: CalendarFacts) -> tuple[Unmet, ...]:
    """A year is announced once; what changes after that is a day of its own."""
    return (unmet("year_announced", year=facts.command.year),) if facts.is_announced else ()


def changed(facts: CalendarFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the days; move what is open, each with the day that it had before in the history of its object."""
    command, moved = facts.command, facts.moved
    is_year = isinstance(command, AnnounceYear)
    verb, year = ("announce", command.year) if is_year else ("override", command.day.year)
    days = [{"day": entry["day"], "is_working_day": entry["is_working_day"]} for entry in facts.entries]
    detail = {"notice": command.notice, "year": year, "days": days, "moved": len(moved)}
    told = sorted(moved, key=lambda one: -abs((one.is_on - one.was_on).days))[:MOST_TOLD]
    items = [one.said() for one in told]
    rows: list[tuple[type[TableRow], Mapping[str, Any]]] = [(CalendarOverride, entry) for entry in facts.entries]
    if is_year:
        entered = {"year": year, "notice": command.notice, "entered_by": stamp.actor.user_id, "at": stamp.now}
        rows.append((AnnouncedYear, entered))
    message = {"year": year, "notice": command.notice, "moved": len(moved), "items": items}
    act = Act(
        table=WorkingCalendar,
        object_type=OBJECT_TYPE,
        id=facts.row.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.row,
        detail=detail,
    )
    return Effects(
        acts=(act, *_acts(facts, year)),
        rows=tuple(rows),
        updates=tuple(
            (one.table, one.row.id, {one.column: one.is_on}) for one in moved if not issubclass(one.table, Subject)
        ),
        messages=(
            Message(kind="calendar.changed", object_type=OBJECT_TYPE, object_id=facts.row.id, facts=message),
            *_told_to_owners(moved, message),
        ),
        says={"days": len(days), "moved": [one.said() for one in moved]},
        touched=facts.touched,
    )


def _told_to_owners(moved: Sequence[Moved], message: Mapping[str, Any]) -> Iterator[Message]:
    """Yield one message for each project, with its deadlines that move, the earliest first."""
    held: dict[UUID, list[Moved]] = {}
    for one in moved:
        held.setdefault(one.project_id, []).append(one)
    for project_id, own in held.items():
        items = [one.said() for one in sorted(own, key=lambda one: one.is_on)[:MOST_TOLD]]
        facts = {**message, "moved": len(own), "items": items}
        yield Message(kind="calendar.deadlines_moved", object_type="project", object_id=project_id, facts=facts)


def _acts(facts: CalendarFacts, year: int) -> Iterator[Act]:
    """Yield one act for each object that moves; what has no chain of its own is written down with its project."""
    held: dict[tuple[type[Subject], UUID], list[Moved]] = {}
    for one in facts.moved:
        if issubclass(one.table, Subject):
            held.setdefault((one.table, one.row.id), []).append(one)
        else:
            held.setdefault((Project, one.project_id), []).append(one)
    for (table, row_id), moved in held.items():
        own = [one for one in moved if one.table is table]
        row = own[0].row if own else facts.projects[row_id]
        kind = object_type_of(table_of(table).name)
        state = str(getattr(row, "stage" if table is Project else "state", ""))
        yield Act(
            table=table,
            object_type=kind,
            id=row_id,
            action=f"{kind}.move_due_day",
            row=row,
            from_state=state,
            to_state=state,
            values={one.column: one.is_on for one in own},
            detail={"reason": "calendar", "year": year, "moved": [one.said() for one in moved]},
        )


def judge_again(session: Session, project_ids: Sequence[UUID], stamp: Stamp) -> None:
    """Bring cached verdicts and their days up to date by the calendar as it is now."""
    current = replace(stamp, calendar=calendar_of(session))
    for start in range(0, len(project_ids), _CHUNK):
        refresh(session, project_ids[start : start + _CHUNK], current)


OVERRIDE = Verb(
    object_type=OBJECT_TYPE,
    name="override",
    command=OverrideDay,
    subject=WorkingCalendar,
    subject_id=lambda command: command.calendar_id,
    facts=facts,
    rules=(notice_said, programme_there, something_changes),
    effects=changed,
    follow=judge_again,
)
ANNOUNCE = Verb(
    object_type=OBJECT_TYPE,
    name="announce",
    command=AnnounceYear,
    subject=WorkingCalendar,
    subject_id=lambda command: command.calendar_id,
    facts=facts,
    rules=(notice_said, days_of_the_year, not_announced),
    effects=changed,
    follow=judge_again,
)
