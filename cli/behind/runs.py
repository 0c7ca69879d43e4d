"""Passes of the clock without a scheduler, and what its book says."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import typer
from sqlalchemy import select, update
from sqlmodel import Session

from cli.door import Door
from cli.errors import PARTLY
from cli.output import Column
from flows import slots as book
from flows.bodies import BODIES
from flows.clock import Clockwork, Pass, UnknownScheduleError, outbox_counts, run_slot
from flows.clock import tick as pass_of
from flows.schedules import Schedule, cron_of, slots
from flows.slots import Slot
from flows.workbooks import templates_in
from lifecycle.actor import Actor
from lifecycle.errors import Forbidden, Invalid, NotFound, Refused, Unmet, unmet
from models.db import run_in_transaction
from models.people import RoleGrant
from models.reading import table_of
from models.runs import Pause, RunRequest, ScheduledRun
from models.states import Door as DoorName
from models.states import Role, SlotStatus

_SLOT = (
    Column(key="schedule_id", kind="schedule"),
    Column(key="slot_at"),
    Column(key="status", kind="slot"),
    Column(key="done_count"),
    Column(key="refused_count"),
    Column(key="failed_count"),
)


def work_of(door: Door) -> Clockwork:
    """Return what a pass works with, at the instant of this door; `SettingsError` before anything runs (exit 2)."""
    templates_in(door.settings.bank_templates)
    stamp = door.stamp(Actor.clock(DoorName.FLOW))
    return Clockwork(engine=door.engine, settings=door.settings, stamp=stamp, bodies=BODIES, now=door.clock.now)


def tick_once(door: Door) -> None:
    """Make one pass and print `pilotway-tick/1`; leaves with exit 6 when something failed."""
    _tell(door, pass_of(work_of(door)))


def run_now(door: Door, name: str) -> None:
    """Run a schedule at this instant and print `pilotway-tick/1`.

    Leaves with exit 3 when the run was refused as a whole, 6 when something in it failed. The same run at the same
    instant is done once: the second tells what the first did.
    """
    work, schedule = work_of(door), _schedule(door, name)
    found = run_slot(work, schedule.id, work.stamp.now, asked=_ASKED)
    mine = found[-1]
    code, _, detail = mine.why.partition(": ")
    if code in _REFUSALS and mine.refused_count:
        raise Refused(Unmet(code=code, values={"program": detail}))
    _tell(door, Pass(now=work.stamp.now, slots=found, outbox=outbox_counts(work, {})))


def look_at(door: Door, name: str) -> None:
    """Print how much a run would find, and write nothing."""
    work, schedule = work_of(door), _schedule(door, name)
    look = work.bodies[schedule.id].look
    if look is None:
        raise Invalid(unmet("no_dry_run", schedule=name))
    due = Slot(schedule_id=name, slot_at=work.stamp.now, status="due", done_count=look(work.turn(work.stamp.now)))
    _tell(door, Pass(now=work.stamp.now, slots=[due], outbox=outbox_counts(work, {})))


_TICK = timedelta(microseconds=1)
_REFUSALS = frozenset({"frozen", "private_key_missing", "backup_dir_missing", "program_missing"})
"""Codes of runs that were refused as a whole."""
_ASKED = "run"
"""Why there is a run besides the schedule: somebody typed it."""


def _tell(door: Door, found: Pass) -> None:
    document = found.document()
    if door.output.as_json:
        door.output.document(document)
    else:
        door.output.table(_SLOT, [_row(slot, door) for slot in found.slots])
        for slot in found.slots:
            for one in slot.effects:
                if one["effect"] in ("failed", "refused"):
                    door.output.warn(f"{one['ref'] or one['object_id'] or one['object_type']}: {one['detail']}")
            if slot.status == SlotStatus.FAILED:
                door.output.warn(f"{slot.schedule_id}: {slot.why}", "red")
    if not found.is_well:
        raise typer.Exit(PARTLY)


def _row(slot: Slot, door: Door) -> dict[str, Any]:
    return {**slot.document(), "slot_at": door.local(slot.slot_at)}


def list_all(door: Door, name: str, limit: int) -> None:
    """Print the newest runs, of one schedule or of all."""
    run = table_of(ScheduledRun)
    wanted = select(run).order_by(run.c.slot_at.desc(), run.c.id.desc()).limit(limit)
    if name:
        wanted = wanted.where(run.c.schedule_id == name)
    rows = door.read(lambda session: list(session.execute(wanted)))
    found = [{**_row(book.slot_of(row.schedule_id, row), door), "why": row.why} for row in rows]
    door.output.table((*_SLOT, Column(key="why", is_wide=True), Column(key="run_id")), found)


def show_one(door: Door, run_id: str) -> None:
    """Print one run with its effects; NotFound for an id that nobody has."""
    run = table_of(ScheduledRun)
    try:
        wanted = select(run).where(run.c.id == UUID(run_id))
    except ValueError:
        raise NotFound(unmet("not_found", ref=run_id)) from None
    row = door.read(lambda session: session.execute(wanted).first())
    if row is None:
        raise NotFound(unmet("not_found", ref=run_id))
    slot = _row(book.slot_of(row.schedule_id, row), door)
    more = {"started_at": door.local(row.started_at), "ended_at": row.ended_at and door.local(row.ended_at)}
    found = {**slot, **more, "holder": row.holder, "why": row.why, "effects": row.effects}
    if door.output.as_json:
        door.output.record(_WHOLE, found)
        return
    door.output.record(_WHOLE, found)
    if row.effects:
        door.output.table(_EFFECT, row.effects)


def list_schedules(door: Door) -> None:
    """Print what runs by itself, when it runs next, and the pause that holds it."""
    work = work_of(door)
    now, calendar = work.stamp.now, work.stamp.calendar
    rows = []
    for one in work.on_duty():
        pauses = door.read(partial(book.pauses_of, schedule_id=one.id))
        following = next(slots(one, after=now, until=now + timedelta(days=120), calendar=calendar), None)
        cron, timezone = cron_of(one)
        said = {"schedule_id": one.id, "cron": cron, "timezone": timezone, "reason": one.reason}
        held = book.pause_at(pauses, now, one)
        rows.append({**said, "next_at": following and door.local(following), "paused": held or ""})
    door.output.table(_SCHEDULE, rows)


def pause(door: Door, name: str, *, reason: str, until: str) -> None:
    """Put a pause on a schedule up to a day."""
    try:
        until_on = date.fromisoformat(until)
    except ValueError:
        raise Invalid(unmet("value_wrong", field="until", value=until, form="YYYY-MM-DD")) from None
    if until_on < door.today:
        raise Invalid(unmet("pause_is_over", until=until_on.isoformat()))
    schedule = _schedule(door, name)

    def work(session: Session) -> Pause:
        row = Pause(
            schedule_id=schedule.id,
            reason=_said(reason),
            put_by=_operator(door, session),
            from_at=door.now,
            until_on=until_on,
        )
        session.add(row)
        return row

    row = run_in_transaction(door.engine, work)
    door.output.record(_PAUSE, {"schedule_id": name, "reason": row.reason, "until": row.until_on, "id": str(row.id)})


def resume(door: Door, name: str, *, reason: str) -> None:
    """End every pause that stands on a schedule; Refused where none does."""
    schedule = _schedule(door, name)
    table = table_of(Pause)

    def work(session: Session) -> list[Any]:
        _operator(door, session)
        book.lock_schedule(session, schedule.id)
        standing = [one for one in book.pauses_of(session, schedule.id) if one.ended_at is None]
        for one in standing:
            said = f"{one.reason} / {_said(reason)}"[:1000]
            session.execute(update(table).where(table.c.id == one.id).values(ended_at=door.now, reason=said))
        return [one for one in standing if one.until_on >= door.today]

    found = run_in_transaction(door.engine, work)
    if not found:
        raise Refused(unmet("not_paused", schedule=name))
    door.output.record(_RESUMED, {"schedule_id": name, "ended_at": door.now, "pauses": len(found)})


def request(door: Door, name: str, *, reason: str) -> None:
    """Leave word that a run is wanted now."""
    schedule = _schedule(door, name)

    def work(session: Session) -> RunRequest:
        asked_by = _operator(door, session)
        at = _own_instant(session, schedule.id, door.now)
        row = RunRequest(schedule_id=schedule.id, asked_by=asked_by, reason=_said(reason), asked_at=at)
        session.add(row)
        return row

    row = run_in_transaction(door.engine, work)
    found = {"schedule_id": name, "reason": row.reason, "asked_at": row.asked_at, "id": str(row.id)}
    door.output.record(_REQUEST, found)


def _own_instant(session: Session, name: str, now: datetime) -> datetime:
    """Return an instant that no slot has and no other request: where time stands still, each is a run of its own."""
    run, asked = table_of(ScheduledRun), table_of(RunRequest)
    at = now if now.second or now.microsecond else now + _TICK
    while any(
        session.execute(select(table.c.id).where(table.c.schedule_id == name, instant == at).limit(1)).first()
        for table, instant in ((run, run.c.slot_at), (asked, asked.c.asked_at))
    ):
        at += _TICK
    return at


def _schedule(door: Door, name: str) -> Schedule:
    work = work_of(door)
    try:
        return work.schedule(name)
    except UnknownScheduleError:
        known = [one.id for one in work.on_duty()]
        raise Invalid(unmet("schedule_unknown", value=name, known=known)) from None


def _said(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise Invalid(unmet("reason_missing"))
    return said[:900]


def _operator(door: Door, session: Session) -> UUID:
    """Return who acts; `Forbidden` unless it is an operator or administrator of the installation."""
    actor, grant = door.actor(session), table_of(RoleGrant)
    needs = (Role.ADMIN, Role.OPERATOR)
    held = select(grant.c.id).where(
        grant.c.user_id == actor.user_id, grant.c.role.in_(needs), grant.c.revoked_at.is_(None)
    )
    if actor.user_id is None or session.execute(held.limit(1)).first() is None:
        raise Forbidden(unmet("role", needs=sorted(needs)))
    return actor.user_id


_WHOLE = (
    *_SLOT,
    *(Column(key=key) for key in ("started_at", "ended_at", "holder", "run_id")),
    Column(key="why", is_wide=True),
)
_EFFECT = (
    Column(key="effect", kind="effect"),
    Column(key="object_type", kind="object"),
    Column(key="ref"),
    Column(key="detail", is_wide=True),
    Column(key="object_id"),
)
_SCHEDULE = (
    Column(key="schedule_id", kind="schedule"),
    *(Column(key=key) for key in ("cron", "timezone", "next_at", "paused")),
    Column(key="reason", is_wide=True),
)
_PAUSE = tuple(Column(key=key) for key in ("schedule_id", "until", "reason", "id"))
_RESUMED = tuple(Column(key=key) for key in ("schedule_id", "ended_at", "pauses"))
_REQUEST = tuple(Column(key=key) for key in ("schedule_id", "asked_at", "reason", "id"))
