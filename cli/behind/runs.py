"""Passes of the clock without a scheduler, and what its book says."""

from typing import Any

import typer

from cli.door import Door
from cli.errors import PARTLY
from cli.output import Column
from flows.bodies import BODIES
from flows.clock import Clockwork, Pass, UnknownScheduleError, outbox_counts, run_slot
from flows.clock import tick as pass_of
from flows.slots import Slot
from lifecycle.actor import Actor
from lifecycle.errors import Invalid, Refused, unmet
from models.states import Door as DoorName
from models.states import SlotStatus

_SLOT = (
    Column(key="schedule_id", kind="schedule"),
    Column(key="slot_at"),
    Column(key="status", kind="slot"),
    Column(key="done_count"),
    Column(key="refused_count"),
    Column(key="failed_count"),
)


def work_of(door: Door) -> Clockwork:
    """Return what a pass works with, at the instant of this door."""
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
    work = work_of(door)
    try:
        found = run_slot(work, name, work.stamp.now, asked=_asked())
    except UnknownScheduleError:
        raise _unknown(work, name) from None
    mine = found[-1]
    if mine.why in _REFUSALS and not mine.done_count:
        raise Refused(unmet(mine.why))
    _tell(door, Pass(now=work.stamp.now, slots=found, outbox=outbox_counts(work, {})))


def look_at(door: Door, name: str) -> None:
    """Print how much a run would find, and write nothing."""
    work = work_of(door)
    try:
        look = work.bodies[work.schedule(name).id].look
    except UnknownScheduleError:
        raise _unknown(work, name) from None
    if look is None:
        raise Invalid(unmet("no_dry_run", schedule=name))
    due = Slot(schedule_id=name, slot_at=work.stamp.now, status="due", done_count=look(work.turn(work.stamp.now)))
    _tell(door, Pass(now=work.stamp.now, slots=[due], outbox=outbox_counts(work, {})))


_REFUSALS = frozenset({"frozen", "private_key_missing", "backup_dir_missing"})
"""Codes of runs that were refused as a whole."""


def _asked() -> str:
    return "asked for at the command line"


def _unknown(work: Clockwork, name: str) -> Invalid:
    return Invalid(unmet("schedule_unknown", value=name, known=[one.id for one in work.on_duty()]))


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
