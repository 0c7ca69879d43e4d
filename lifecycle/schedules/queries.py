"""What the book of scheduled work says: runs, pauses, what people asked for. It reads; a schedule can be locked too."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.schedules.times import SCHEDULES, Schedule, in_zone, latest_slot, slots
from models.db import is_sqlite
from models.people import User
from models.reading import table_of
from models.runs import Pause, RunRequest, ScheduledRun
from models.states import SlotStatus

_RUN, _PAUSE, _ASKED, _USER = (table_of(model) for model in (ScheduledRun, Pause, RunRequest, User))
_SPACE = UUID("5a7d2e90-3b1c-5f64-9c1e-0f6a4b8d7e21")
"""Name space of the numbers that lock a schedule."""
PATIENCE = timedelta(minutes=10)
"""A schedule of every minute, and a message, may wait so long: one pass of the clock may take as long."""
_AHEAD = timedelta(days=120)
"""The rarest schedule runs once in a quarter."""
_LISTED = (
    "id",
    "schedule_id",
    "slot_at",
    "status",
    "started_at",
    "ended_at",
    "found_count",
    "done_count",
    "refused_count",
    "failed_count",
    "why",
)


def lock_schedule(session: Session, schedule_id: str) -> None:
    """Let nobody else decide about this schedule until the transaction ends; on SQLite a writer is alone anyway."""
    if not is_sqlite(session):
        number = uuid5(_SPACE, schedule_id).int >> 65  # PostgreSQL wants 63 bits
        session.execute(select(func.pg_advisory_xact_lock(number)))


def pauses_of(session: Session, schedule_ids: Collection[str]) -> list[Any]:
    """Return all pauses of these schedules, the oldest first."""
    wanted = select(_PAUSE).where(_PAUSE.c.schedule_id.in_(sorted(schedule_ids)))
    return list(session.execute(wanted.order_by(_PAUSE.c.from_at)))


def standing(pauses: Sequence[Any], at: datetime, schedule: Schedule) -> Any | None:
    """Return the pause that holds a schedule at an instant; None where none does."""
    day = at.astimezone(ZoneInfo(schedule.timezone)).date()
    for one in pauses:
        is_its_own = one.schedule_id == schedule.id
        if is_its_own and one.from_at <= at and day <= one.until_on and (one.ended_at is None or at < one.ended_at):
            return one
    return None


def pause_at(pauses: Sequence[Any], at: datetime, schedule: Schedule) -> str | None:
    """Return why a schedule is paused at an instant; None when it is not."""
    found = standing(pauses, at, schedule)
    return None if found is None else str(found.reason)


def is_paused(session: Session, schedule: Schedule, now: datetime) -> bool:
    """Say whether a pause stands on a schedule now."""
    return standing(pauses_of(session, [schedule.id]), now, schedule) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """One schedule as an operator sees it: its last run, its next slot, what holds it, what is asked of it."""

    schedule: Schedule
    last: Any | None
    """The newest row in its book that ran, or shall have run; merged ones tell nothing."""
    next_at: datetime | None
    pause: Any | None
    is_late: bool = False
    """Its newest slot lies too far back: nobody runs it."""
    asked: Sequence[Any] = ()
    """Runs that somebody asked for and no pass has taken up."""


def schedules(session: Session, timezone: str, *, now: datetime, calendar: Calendar) -> list[Scheduled]:
    """Return all that runs by itself, in the order of one pass; five reads."""
    pauses = pauses_of(session, {one.id for one in SCHEDULES})
    last, waiting, newest = newest_runs(session), requests(session), newest_slots(session, now)
    found = []
    for one in (in_zone(schedule, timezone) for schedule in SCHEDULES):
        following = next(slots(one, after=now, until=now + _AHEAD, calendar=calendar), None)
        asked = tuple(row for row in waiting if row.schedule_id == one.id)
        found.append(
            Scheduled(
                schedule=one,
                last=last.get(one.id),
                next_at=following,
                pause=standing(pauses, now, one),
                is_late=is_late(one, newest.get(one.id), now=now, calendar=calendar),
                asked=asked,
            )
        )
    return found


def newest_runs(session: Session) -> Mapping[str, Any]:
    """Return schedule -> the newest row of its book that is more than a note that a later one did its work."""
    told = _RUN.c.status != SlotStatus.MERGED
    newest = select(_RUN.c.schedule_id, func.max(_RUN.c.slot_at).label("slot_at")).where(told)
    last = newest.group_by(_RUN.c.schedule_id).subquery()
    both = and_(_RUN.c.schedule_id == last.c.schedule_id, _RUN.c.slot_at == last.c.slot_at)
    columns = (*(_RUN.c[name] for name in _LISTED), _RUN.c.effects)
    return {row.schedule_id: row for row in session.execute(select(*columns).join(last, both))}


def newest_slots(session: Session, now: datetime) -> Mapping[str, Any]:
    """Return the newest slot of each schedule; those that a clock has run ahead to say nothing of today."""
    newest = select(_RUN.c.schedule_id, func.max(_RUN.c.slot_at).label("slot_at")).where(_RUN.c.slot_at <= now)
    last = newest.group_by(_RUN.c.schedule_id).subquery()
    both = (_RUN.c.schedule_id == last.c.schedule_id) & (_RUN.c.slot_at == last.c.slot_at)
    rows = session.execute(select(_RUN.c.schedule_id, _RUN.c.slot_at, _RUN.c.status).join(last, both))
    return {row.schedule_id: row for row in rows}


def is_late(schedule: Schedule, newest: Any, *, now: datetime, calendar: Calendar) -> bool:
    """Say whether the newest slot with a row lies further back than two intervals (and `PATIENCE`)."""
    due = latest_slot(schedule, until=now - PATIENCE, calendar=calendar)
    before = None if due is None else latest_slot(schedule, until=due - timedelta(microseconds=1), calendar=calendar)
    if before is None or newest is None:
        return False  # a schedule that came with a new release has its first row at its next slot
    return bool(newest.slot_at < before)


def requests(session: Session) -> list[Any]:
    """Return the runs that were asked for and that no pass has taken up, with the name of who asked."""
    statement = select(_ASKED, _USER.c.name.label("by")).outerjoin(_USER, _USER.c.id == _ASKED.c.asked_by)
    return list(session.execute(statement.where(_ASKED.c.taken_at.is_(None)).order_by(_ASKED.c.asked_at)))


def runs(
    session: Session,
    *,
    schedule_id: str = "",
    status: SlotStatus | None = None,
    without: Collection[SlotStatus] = (),
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[Any]:
    """Return the newest rows of the book, of one schedule or of all, behind a slot of the list before."""
    statement = select(*(_RUN.c[name] for name in _LISTED))
    if schedule_id:
        statement = statement.where(_RUN.c.schedule_id == schedule_id)
    if status is not None:
        statement = statement.where(_RUN.c.status == status)
    if without:
        statement = statement.where(_RUN.c.status.not_in(without))
    if before is not None:
        at, run_id = before
        statement = statement.where((_RUN.c.slot_at < at) | ((_RUN.c.slot_at == at) & (_RUN.c.id < run_id)))
    return list(session.execute(statement.order_by(_RUN.c.slot_at.desc(), _RUN.c.id.desc()).limit(limit)))


def run_of(session: Session, run_id: UUID) -> Any | None:
    """Return one row of the book with everything that it did; None for an id that nobody has."""
    return session.execute(select(_RUN).where(_RUN.c.id == run_id)).one_or_none()


def request_of(session: Session, schedule_id: str, asked_at: datetime) -> Any | None:
    """Return what asked for the run at an instant, with the name of who did; None for a slot of the schedule."""
    statement = select(_ASKED, _USER.c.name.label("by")).outerjoin(_USER, _USER.c.id == _ASKED.c.asked_by)
    this = (_ASKED.c.schedule_id == schedule_id, _ASKED.c.asked_at == asked_at)
    return session.execute(statement.where(*this).limit(1)).first()


def missed(session: Session, *, since: datetime) -> list[Any]:
    """Return the slots since an instant that nobody ran in time, the newest first."""
    late = (_RUN.c.status == SlotStatus.MISSED, _RUN.c.slot_at >= since)
    statement = select(_RUN.c.id, _RUN.c.schedule_id, _RUN.c.slot_at, _RUN.c.why).where(*late)
    return list(session.execute(statement.order_by(_RUN.c.slot_at.desc()).limit(200)))
