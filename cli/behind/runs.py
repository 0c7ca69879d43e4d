"""Passes of the clock without a scheduler, and what its book says."""

from collections import Counter
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

import typer
from sqlmodel import Session

from cli.door import Door
from cli.errors import PARTLY, REFUSED
from cli.lookup import Lookup
from cli.output import Column
from flows.bodies import BODIES
from flows.clock import Clockwork, Pass, UnknownScheduleError, outbox_counts, run_slot
from flows.clock import tick as pass_of
from flows.foresight import foreseen
from flows.slots import Slot
from flows.workbooks import templates_in
from lifecycle.actor import Actor
from lifecycle.errors import Invalid, NotFound, Refused, Unmet, unmet
from lifecycle.schedules.commands import PauseSchedule, RequestRun, ResumeSchedule
from lifecycle.schedules.queries import Scheduled, run_of, runs, schedules
from lifecycle.schedules.times import Schedule, cron_of
from models.states import Door as DoorName
from models.states import SlotStatus
from notifications.words import title

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

    Leaves with exit 3 when the run was refused as a whole, or from a moment in it on: then what it did before is
    printed. 6 when something in it failed. The same run at the same
    instant is done once: the second tells what the first did.
    """
    work, schedule = work_of(door), _schedule(door, name)
    found = run_slot(work, schedule.id, work.stamp.now, asked=_ASKED)
    mine = found[-1]
    code, _, detail = mine.why.partition(": ")
    is_refused = code in _REFUSALS and mine.refused_count > 0
    if is_refused and not mine.effects:
        raise Refused(Unmet(code=code, values={"program": detail}))
    _tell(door, Pass(now=work.stamp.now, slots=found, outbox=outbox_counts(work, {})))
    if is_refused:
        raise typer.Exit(REFUSED)


def look_at(door: Door, name: str) -> None:
    """Print how much a run would find, and write nothing."""
    work, schedule = work_of(door), _schedule(door, name)
    look = work.bodies[schedule.id].look
    if look is None:
        raise Invalid(unmet("no_dry_run", schedule=name))
    turn = work.turn(work.stamp.now)
    due = Slot(schedule_id=name, slot_at=work.stamp.now, status="due", done_count=look(turn))
    _tell(door, Pass(now=work.stamp.now, slots=[due], outbox=outbox_counts(work, {})))
    effects = foreseen(schedule.id, turn)
    if effects and not door.output.as_json:
        door.output.table(_EFFECT, [one.document() for one in effects])


_REFUSALS = frozenset({"frozen", "private_key_missing", "backup_dir_missing", "program_missing"})
"""Codes of runs that were refused as a whole."""
_ASKED = "run"
"""Why there is a run besides the schedule: somebody typed it."""


def _tell(door: Door, found: Pass) -> None:
    document = found.document()
    if door.output.as_json:
        door.output.document(document)
    else:
        merged = Counter(slot.schedule_id for slot in found.slots if slot.status == SlotStatus.MERGED)
        door.output.table(_SLOT, [_row(slot, door) for slot in found.slots if slot.status != SlotStatus.MERGED])
        for schedule, count in merged.items():
            door.output.say("slots_merged", schedule=title("schedule", schedule, door.output.lang), count=count)
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
    rows = door.read(lambda session: runs(session, schedule_id=name, limit=limit))
    found = [{**_row_of(row, door), "why": row.why} for row in rows]
    door.output.table((*_SLOT, Column(key="why", kind="why", is_wide=True), Column(key="run_id")), found)


def show_one(door: Door, run_id: str) -> None:
    """Print one run with its effects; NotFound for an id that nobody has."""
    try:
        wanted = UUID(run_id)
    except ValueError:
        raise NotFound(unmet("not_found", ref=run_id)) from None
    row = door.read(lambda session: run_of(session, wanted))
    if row is None:
        raise NotFound(unmet("not_found", ref=run_id))
    more = {"started_at": door.local(row.started_at), "ended_at": row.ended_at and door.local(row.ended_at)}
    found = {**_row_of(row, door), **more, "holder": row.holder, "why": row.why, "effects": row.effects}
    door.output.record(_WHOLE, found)
    if row.effects and not door.output.as_json:
        door.output.table(_EFFECT, row.effects)


def _row_of(row: Any, door: Door) -> dict[str, Any]:
    names = ("schedule_id", "done_count", "refused_count", "failed_count")
    head = {name: getattr(row, name) for name in names}
    return {**head, "status": str(row.status), "slot_at": door.local(row.slot_at), "run_id": str(row.id)}


def list_schedules(door: Door) -> None:
    """Print what runs by itself, when it runs next, and the pause that holds it."""

    def work(session: Session) -> list[Scheduled]:
        return schedules(session, door.settings.timezone, now=door.now, calendar=door.calendar)

    rows = []
    for one in door.read(work):
        cron, timezone = cron_of(one.schedule)
        said = {"schedule_id": one.schedule.id, "cron": cron, "timezone": timezone, "reason": one.schedule.reason}
        held = one.pause.reason if one.pause else ""
        rows.append({**said, "next_at": one.next_at and door.local(one.next_at), "paused": held})
    door.output.table(_SCHEDULE, rows)


def pause(door: Door, name: str, *, reason: str, until: str) -> None:
    """Put a pause on a schedule up to a day."""
    try:
        until_on = date.fromisoformat(until)
    except ValueError:
        raise Invalid(unmet("value_wrong", field="until", value=until, form="YYYY-MM-DD")) from None
    _act(door, name, partial(PauseSchedule, reason=reason, until_on=until_on))


def resume(door: Door, name: str, *, reason: str) -> None:
    """End every pause that stands on a schedule; refused where none does."""
    _act(door, name, partial(ResumeSchedule, reason=reason))


def request(door: Door, name: str, *, reason: str) -> None:
    """Leave word that a run is wanted now."""
    _act(door, name, partial(RequestRun, reason=reason))


def _act(door: Door, name: str, command: Any) -> None:
    schedule = _schedule(door, name)

    def make(lookup: Lookup, key: str) -> Any:
        return command(command_id=key, user_id=door.actor(lookup.session).user_id, schedule=schedule.id)

    door.act(make, ref=name)


def _schedule(door: Door, name: str) -> Schedule:
    work = work_of(door)
    try:
        return work.schedule(name)
    except UnknownScheduleError:
        known = [one.id for one in work.on_duty()]
        raise Invalid(unmet("schedule_unknown", value=name, known=known)) from None


_WHOLE = (
    *_SLOT,
    *(Column(key=key) for key in ("started_at", "ended_at", "holder", "run_id")),
    Column(key="why", kind="why", is_wide=True),
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
