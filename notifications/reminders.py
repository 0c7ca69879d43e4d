"""Accountable reminders: each rung of a deadline is a row before it is told, and keeps what became of it.

`plan` writes what is to come, `decide` what is due: sent, suppressed or missed, each with its reason (`docs/clock.md`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    column,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
    values,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.commands import Stamp
from lifecycle.writing import insert_rows
from models.clock import SKEW
from models.db import is_sqlite, row_key
from models.deliveries import PlannedReminder
from models.holds import Hold
from models.journal import OutboxMessage
from models.projects import Project
from models.reading import table_of
from models.states import ENDED, DeliveryStatus, ReminderStatus
from models.types import Day, JSONText, UTCDateTime
from notifications.asked import Asked, Directory, Person
from notifications.deadlines import BY_NAME, DEADLINES, Deadline, deadline_day
from notifications.labels import called, labels_of

KIND = "reminder.due"
TOLD_AT = time(9)
"""Local time at which a rung falls due."""
AHEAD = timedelta(days=45)
"""How far ahead rungs are planned: what a preview of thirty days shows is mostly there as rows."""
STALE = timedelta(days=7)
"""A rung that is older is told no more: it is marked as missed (`docs/contract.md`, 3.5); see `oldest`."""
MOST_ITEMS = 200
"""Lines of one message; the count tells of the others."""
_RUNGS_AT_ONCE = 1000
_CHUNK = 500
_COLUMNS = (
    "id",
    "what",
    "object_type",
    "object_id",
    "project_id",
    "fund_id",
    "deadline_on",
    "rung",
    "due_at",
    "audience",
    "status",
    "reason",
    "decided_at",
    "created_at",
)
_reminder = table_of(PlannedReminder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """When one rung of the deadlines of one day is told, and to whom."""

    anchor_on: date
    months: int
    deadline_on: date
    rung: int
    due_at: datetime
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How far rungs are looked for, and where nine in the morning is."""

    zone: ZoneInfo
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one pass made of what was due."""

    planned: int = 0
    sent: int = 0
    people: int = 0
    """How many messages: one for each person."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Code -> how many were not told for it."""


def plan(session: Session, stamp: Stamp, zone: ZoneInfo) -> int:
    """Write the rungs of every open deadline that fall due within `AHEAD`; return how many are new.

    Rungs that are older than `STALE` become `missed` at once. One statement for each kind of deadline, another for
    each calendar that it is counted by, and more only for many different days: never more for more rows.
    """
    span = Span(zone=zone, until=stamp.now + AHEAD)
    _open_again(session, stamp)
    _date_anew(session, stamp, zone)
    return sum(
        _insert(session, deadline, rungs, is_theirs, stamp)
        for deadline in DEADLINES
        for rungs, is_theirs in rungs_of(session, deadline, deadline.days_to_plan, stamp.calendar, span)
    )


def oldest(stamp: Stamp) -> datetime:
    """Return since when a rung is still told: a week, and all days off in a row, on which nobody tells any.

    A spring festival is longer than a week, and a late payment is counted on each of its days.
    """
    off = stamp.today - stamp.calendar.add_working_days(stamp.today, -1)
    return stamp.now - max(STALE, off)


def _open_again(session: Session, stamp: Stamp) -> None:
    """Plan anew what a clock that ran ahead has not told, as too late or on hold: its time is still to come."""
    untold = _reminder.c.status.in_((ReminderStatus.MISSED, ReminderStatus.SUPPRESSED))
    ahead = (untold, _reminder.c.due_at >= oldest(stamp), _reminder.c.decided_at > stamp.now + SKEW)
    anew = {"status": ReminderStatus.PLANNED, "reason": "", "decided_at": None}
    session.connection().execute(update(_reminder).where(*ahead).values(anew))


def _date_anew(session: Session, stamp: Stamp, zone: ZoneInfo) -> None:
    """Move planned rungs of which the calendar says another day since: a holiday was published, a Saturday worked."""
    project, programmes = table_of(Project), stamp.calendar.programmes
    own = case((project.c.programme_id.in_(list(programmes)), project.c.programme_id), else_=None)
    waiting = (_reminder.c.status == ReminderStatus.PLANNED, _reminder.c.due_at > stamp.now)
    key = (_reminder.c.what, _reminder.c.deadline_on, _reminder.c.rung, _reminder.c.due_at, own.label("programme_id"))
    asked = select(*key).outerjoin(project, project.c.id == _reminder.c.project_id).where(*waiting).distinct()
    for row in session.execute(asked).all():
        day = BY_NAME[row.what].ladder.day(row.deadline_on, row.rung, stamp.calendar.of(row.programme_id))
        at = told_at(day, zone)
        if at != row.due_at:
            counted = own.is_(None) if row.programme_id is None else own == row.programme_id
            of_them = select(project.c.id).where(counted)
            theirs = or_(
                _reminder.c.project_id.in_(of_them), _reminder.c.project_id.is_(None) & (row.programme_id is None)
            )
            same = (
                *(_reminder.c.what == row.what, _reminder.c.deadline_on == row.deadline_on),
                *(_reminder.c.rung == row.rung, _reminder.c.due_at == row.due_at),
            )
            session.connection().execute(update(_reminder).where(*waiting, *same, theirs).values(due_at=at))


def rungs_of(
    session: Session, deadline: Deadline, asked: Select[Any], calendar: Calendar, span: Span
) -> Iterator[tuple[list[Rung], ColumnElement[bool]]]:
    """Yield the rungs up to an instant of the days that were asked for, some at a time.

    Beside them stands the condition on the rows that are counted by the same calendar: those of a programme with days
    of its own, or all others.
    """
    # The first rung may lie weeks before its deadline: days further ahead are asked for too, and left out below.
    last = span.until.astimezone(span.zone).date() + AHEAD
    days = session.execute(asked, {"last": last}).all()
    if not days:
        return
    programme = deadline.rows.c.programme_id
    others = or_(programme.is_(None), programme.not_in(list(calendar.programmes))) if calendar.programmes else true()
    counted = [*((own, programme == key) for key, own in calendar.programmes.items()), (calendar, others)]
    for one, is_theirs in counted:
        found = [rung for day in days for rung in _climbed(deadline, day, one, span)]
        for start in range(0, len(found), _RUNGS_AT_ONCE):
            yield found[start : start + _RUNGS_AT_ONCE], is_theirs


def _climbed(deadline: Deadline, day: Any, calendar: Calendar, span: Span) -> Iterator[Rung]:
    due = deadline_day(day.anchor_on, day.months)
    for rung, on, audience in deadline.ladder.days(due, span.until.astimezone(span.zone).date(), calendar):
        at = told_at(on, span.zone)
        if at <= span.until:
            known = {"anchor_on": day.anchor_on, "months": day.months, "deadline_on": due}
            yield Rung(**known, rung=rung, due_at=at, audience=audience)


def told_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which what is told on a day is due: nine in the morning, where the installation is."""
    return datetime.combine(day, TOLD_AT, zone).astimezone(UTC)


def table_of_rungs(rungs: Sequence[Rung]) -> Any:
    """Return the rungs as a table of the statement that they are joined in."""
    return (
        values(
            column("anchor_on", Day()),
            column("months", _reminder.c.rung.type),
            column("deadline_on", Day()),
            column("rung", _reminder.c.rung.type),
            column("due_at", UTCDateTime()),
            column("audience", JSONText()),
            name="rungs",
        )
        .data([(one.anchor_on, one.months, one.deadline_on, one.rung, one.due_at, list(one.audience)) for one in rungs])
        .cte("rungs")
    )


def joined(deadline: Deadline, rungs: Any, columns: Sequence[Any], is_theirs: ColumnElement[bool]) -> Any:
    """Return the statement that gives every open deadline of these days its rungs."""
    rows = deadline.rows
    same_day = and_(rungs.c.anchor_on == rows.c.anchor_on, rungs.c.months == rows.c.months)
    return select(*columns).join_from(rows, rungs, same_day).where(is_theirs)


def known(deadline: Deadline, rungs: Any) -> ColumnElement[bool]:
    """Say that a row stands for this rung already; the columns of the unique index, in its order."""
    return and_(
        _reminder.c.what == deadline.name,
        _reminder.c.object_id == deadline.rows.c.object_id,
        _reminder.c.deadline_on == rungs.c.deadline_on,
        _reminder.c.rung == rungs.c.rung,
    )


def _insert(
    session: Session, deadline: Deadline, found: Sequence[Rung], is_theirs: ColumnElement[bool], stamp: Stamp
) -> int:
    rows, rungs = deadline.rows, table_of_rungs(found)
    is_stale = rungs.c.due_at < oldest(stamp)
    columns = (
        row_key(stamp.new_id()),
        literal(deadline.name),
        literal(deadline.object_type),
        rows.c.object_id,
        rows.c.project_id,
        rows.c.fund_id,
        rungs.c.deadline_on,
        rungs.c.rung,
        rungs.c.due_at,
        rungs.c.audience,
        case((is_stale, literal(str(ReminderStatus.MISSED))), else_=literal(str(ReminderStatus.PLANNED))),
        case((is_stale, literal("too_late")), else_=literal("")),
        case((is_stale, literal(stamp.now, UTCDateTime()))),
        literal(stamp.now, UTCDateTime()),
    )
    # What stands already is left to the unique index. PostgreSQL looked for it row by row in a table that it took for
    # empty, past every row that the same statement had written.
    wanted = joined(deadline, rungs, columns, is_theirs)
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    statement = dialect.insert(_reminder).from_select(_COLUMNS, wanted, include_defaults=False)
    done: Any = session.connection().execute(
        statement.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}
    )
    # The driver of SQLite does not count where a statement begins with its table of rungs.
    return int(session.execute(select(func.changes())).scalar_one() if is_sqlite(session) else done.rowcount)


def decide(session: Session, stamp: Stamp) -> Outcome:
    """Say of every rung that is due what becomes of it, and write one message for each person that is told.

    Whatever a person is told of in this pass comes in one message: nobody is flooded after an outage.
    """
    reasons: Counter[str] = Counter()
    for what in session.execute(select(_reminder.c.what).where(_is_due(stamp)).distinct()).scalars():
        reasons += _suppressed(session, BY_NAME[what], stamp)
    heap: dict[Person, _Heap] = {}
    sent = 0
    while chunk := _taken(session, stamp):
        sent += len(chunk)
        _heaped(session, chunk, heap, stamp)
    insert_rows(session, OutboxMessage, [_message(person, one, stamp) for person, one in heap.items()])
    return Outcome(sent=sent, people=len(heap), reasons=dict(reasons))


def _is_due(stamp: Stamp) -> ColumnElement[bool]:
    return and_(_reminder.c.status == ReminderStatus.PLANNED, _reminder.c.due_at <= stamp.now)


def verdict_of(deadline: Deadline, stamp: Stamp) -> ColumnElement[str]:
    """Return the expression of why a planned rung is not told now; empty where it is told."""
    rows, project = deadline.rows, table_of(Project)
    same = rows.c.object_id == _reminder.c.object_id
    ended = exists().where(project.c.id == _reminder.c.project_id, project.c.stage.in_(ENDED))
    whens = [
        (and_(~exists().where(same), ended), literal("project_ended")),
        (~exists().where(same), literal("done_already")),
        (
            ~exists().where(same, or_(rows.c.months > 0, rows.c.anchor_on == _reminder.c.deadline_on)),
            literal("day_moved"),
        ),
    ]
    if deadline.moved is not None:
        whens.insert(1, (and_(~exists().where(same), deadline.moved(_reminder.c.object_id)), literal("day_moved")))
    if deadline.is_service:
        whens.append((on_hold(_reminder.c.project_id, stamp), literal("on_hold")))
    whens.append((_reminder.c.due_at < oldest(stamp), literal("too_late")))
    return case(*whens, else_=literal(""))


def on_hold(project_id: Any, stamp: Stamp) -> ColumnElement[bool]:
    """Say that the project of a row stands still today."""
    hold = table_of(Hold)
    return exists().where(
        hold.c.object_id == project_id,
        hold.c.object_type == "project",
        hold.c.lifted_at.is_(None),
        or_(hold.c.needs_decision, hold.c.until_on >= stamp.today),
    )


def _suppressed(session: Session, deadline: Deadline, stamp: Stamp) -> Counter[str]:
    """Close the due rungs of one kind that are not told; return how many for which reason. Two statements."""
    verdict = verdict_of(deadline, stamp)
    due = and_(_is_due(stamp), _reminder.c.what == deadline.name)
    judged = select(verdict.label("verdict"), func.count()).where(due).group_by(literal_column("verdict"))
    found = Counter({reason: count for reason, count in session.execute(judged).tuples() if reason})
    if found:
        missed, suppressed = (literal(str(one)) for one in (ReminderStatus.MISSED, ReminderStatus.SUPPRESSED))
        status = case((verdict == "too_late", missed), else_=suppressed)
        changed = update(_reminder).where(due, verdict != "")
        session.connection().execute(changed.values(status=status, reason=verdict, decided_at=stamp.now))
    return found


def _taken(session: Session, stamp: Stamp) -> Sequence[Any]:
    """Mark the next due rungs as sent and return them: a second pass finds them taken."""
    next_ones = select(_reminder.c.id).where(_is_due(stamp)).order_by(_reminder.c.due_at, _reminder.c.id).limit(_CHUNK)
    if is_sqlite(session):
        these = _reminder.c.id.in_(next_ones)
    else:  # an array is read once; what stands behind IN may be read anew, and locked, for each row of the table
        locked = func.array(next_ones.with_for_update(skip_locked=True).scalar_subquery())
        these = _reminder.c.id == func.any(locked)
    marked = (
        update(_reminder).where(these).values(status=ReminderStatus.SENT, decided_at=stamp.now).returning(_reminder)
    )
    return sorted(session.connection().execute(marked), key=lambda row: row.due_at)


@dataclass(slots=True)
class _Heap:
    """What one person is told in one pass."""

    count: int = 0
    items: dict[tuple[str, UUID], dict[str, Any]] = field(default_factory=dict)


def _heaped(session: Session, chunk: Sequence[Any], heap: dict[Person, _Heap], stamp: Stamp) -> None:
    asked = [asked_of(row) for row in chunk]
    directory, names = Directory(session, asked, today=stamp.today), called(session, chunk, labels_of(session, chunk))
    for row, one in zip(chunk, asked, strict=True):
        item = {**item_of(row, one, directory, stamp), "label": names[row.what, row.object_id]}
        for person, why in directory.told(one).items():
            mine = heap.setdefault(person, _Heap())
            known = mine.items.get((row.what, row.object_id))
            if known is None:
                mine.count += 1
            if known is not None or len(mine.items) < MOST_ITEMS:
                mine.items[row.what, row.object_id] = {**item, "why": why}  # later rungs of a thing tell the newer day


def asked_of(row: Any) -> Asked:
    """Return what a row says of whom it is for."""
    return Asked(row.what, row.object_id, row.project_id, row.fund_id, tuple(row.audience))


def item_of(row: Any, one: Asked, directory: Directory, stamp: Stamp) -> dict[str, Any]:
    """Return one line of a message: what is due where, when, how many working days are left, which verb settles it."""
    place, calendar = directory.place(one), stamp.calendar
    return {
        "what": row.what,
        "object_type": row.object_type,
        "object_id": str(row.object_id),
        "number": place.number,
        "name": place.name,
        "on": row.deadline_on.isoformat(),
        "working_days_left": calendar.working_days_between(stamp.today, row.deadline_on),
        "is_provisional": calendar.is_provisional(row.deadline_on),
        "step": BY_NAME[row.what].step,
    }


def _message(person: Person, heap: _Heap, stamp: Stamp) -> dict[str, Any]:
    items = sorted(heap.items.values(), key=lambda item: (item["on"], item["number"], item["what"]))
    return {
        "id": stamp.new_id(),
        "kind": KIND,
        "dedupe_key": f"{KIND}:{person.user_id}:{stamp.now.isoformat()}",
        "object_type": "user",
        "object_id": person.user_id,
        "facts": {"items": items, "count": heap.count},
        "status": DeliveryStatus.WAITING,
        "created_at": stamp.now,
    }
