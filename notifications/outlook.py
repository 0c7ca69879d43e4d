"""What will be told in the days to come, and what became of what was to be told: both from the same rows and rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, false, or_, select
from sqlmodel import Session

from lifecycle.commands import Stamp
from models.deliveries import PlannedReminder
from models.reading import table_of
from models.states import ReminderStatus
from notifications.asked import Directory
from notifications.deadlines import BY_NAME, DEADLINES, Deadline
from notifications.labels import called, labels_of
from notifications.reminders import (
    Span,
    asked_of,
    item_of,
    joined,
    known,
    oldest,
    on_hold,
    rungs_of,
    table_of_rungs,
    verdict_of,
)

_CHUNK = 500
_reminder = table_of(PlannedReminder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A rung that will fall due, planned already or not."""

    what: str
    object_type: str
    object_id: UUID
    project_id: UUID | None
    fund_id: UUID | None
    deadline_on: Any
    rung: int
    due_at: datetime
    audience: tuple[str, ...]
    is_on_hold: bool
    label: str


def preview(
    session: Session, stamp: Stamp, *, zone: ZoneInfo, days: int, project_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Return what goes out within so many days as things stand now, to whom and why, in the order of its instants.

    Nothing is written: what is not planned yet is worked out by the statement that plans. A service clock on hold is
    shown with `on_hold`: it is told only if the hold ends before. A day of a year not announced is provisional (W6).
    """
    span = Span(zone=zone, until=stamp.now + timedelta(days=days))
    found = [one for deadline in DEADLINES for one in _coming(session, deadline, stamp, span, project_id)]
    found.sort(key=lambda one: (one.due_at, one.deadline_on, one.what))
    return [line for start in range(0, len(found), _CHUNK) for line in _lines(session, found[start:][:_CHUNK], stamp)]


def _coming(
    session: Session, deadline: Deadline, stamp: Stamp, span: Span, project_id: UUID | None
) -> Iterator[Coming]:
    rows = deadline.rows
    is_held = on_hold(rows.c.project_id, stamp) if deadline.is_service else false()
    for batch, is_theirs in rungs_of(session, deadline, deadline.days, stamp.calendar, span):
        rungs = table_of_rungs(batch)
        columns = (
            *(rows.c[name] for name in ("object_id", "project_id", "fund_id", "label")),
            *(rungs.c[name] for name in ("deadline_on", "rung", "due_at", "audience")),
            is_held.label("is_on_hold"),
        )
        statement = joined(deadline, rungs, columns, is_theirs).outerjoin(_reminder, known(deadline, rungs))
        is_new = and_(_reminder.c.id.is_(None), rungs.c.due_at >= oldest(stamp))
        statement = statement.where(or_(is_new, _reminder.c.status == ReminderStatus.PLANNED))
        if project_id is not None:
            statement = statement.where(rows.c.project_id == project_id)
        for row in session.execute(statement):
            seen = {**row._mapping, "audience": tuple(row.audience), "is_on_hold": bool(row.is_on_hold)}  # noqa: SLF001
            yield Coming(what=deadline.name, object_type=deadline.object_type, **seen)


def _lines(session: Session, chunk: Sequence[Coming], stamp: Stamp) -> Iterator[dict[str, Any]]:
    asked = [asked_of(one) for one in chunk]
    directory = Directory(session, asked, today=stamp.today)
    names = called(session, chunk, {(row.what, row.object_id): str(row.label) for row in chunk})
    for row, one in zip(chunk, asked, strict=True):
        told = directory.told(one)
        yield {
            **item_of(row, one, directory, stamp),
            "label": names[row.what, row.object_id],
            "due_at": row.due_at,
            "rung": row.rung,
            "people": [person.name for person in told],
            "why": sorted(set(told.values())),
            "reason": "on_hold" if row.is_on_hold else "",
        }


def explain(
    session: Session, stamp: Stamp, *, reminder_id: UUID | None = None, about: UUID | None = None
) -> list[dict[str, Any]]:
    """Return the reminders of a project, fund or thing (or one by its id), past and planned, with what became of each.

    A planned one carries the reason for which it would not be told if it were due now.
    """
    one = _reminder.c.id == reminder_id
    of_it = or_(*(_reminder.c[name] == about for name in ("project_id", "object_id", "fund_id")))
    statement = select(_reminder).where(one if reminder_id is not None else of_it)
    rows = session.execute(statement.order_by(_reminder.c.due_at, _reminder.c.what, _reminder.c.id)).all()
    waiting = [row for row in rows if row.status == ReminderStatus.PLANNED]
    would_be = _verdicts(session, waiting, stamp)
    return [
        line for start in range(0, len(rows), _CHUNK) for line in _told(session, rows[start:][:_CHUNK], would_be, stamp)
    ]


def _verdicts(session: Session, waiting: Iterable[Any], stamp: Stamp) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    by_kind: dict[str, list[UUID]] = {}
    for row in waiting:
        by_kind.setdefault(row.what, []).append(row.id)
    for what, ids in by_kind.items():
        judged = select(_reminder.c.id, verdict_of(BY_NAME[what], stamp)).where(_reminder.c.id.in_(ids))
        found |= {row[0]: row[1] for row in session.execute(judged)}
    return found


def _told(session: Session, chunk: Sequence[Any], would_be: dict[UUID, str], stamp: Stamp) -> Iterator[dict[str, Any]]:
    asked = [asked_of(row) for row in chunk]
    directory, names = Directory(session, asked, today=stamp.today), called(session, chunk, labels_of(session, chunk))
    for row, one in zip(chunk, asked, strict=True):
        yield {
            **item_of(row, one, directory, stamp),
            "id": row.id,
            "label": names[row.what, row.object_id],
            "due_at": row.due_at,
            "rung": row.rung,
            "audience": list(row.audience),
            "status": str(row.status),
            "reason": row.reason or would_be.get(row.id, ""),
            "decided_at": row.decided_at,
        }
