"""One pass of a scheduled run, without a scheduler."""

import typer

from cli.door import Door
from cli.errors import PARTLY
from cli.output import Column
from flows.deadlines import STAGE_DEADLINES
from flows.runtime import Tally, run
from lifecycle.actor import Actor
from lifecycle.canonical import instant
from models.db import reading
from models.states import Door as DoorName

_COLUMNS = tuple(Column(key=key) for key in ("schedule_id", "status", "done_count", "refused_count", "failed_count"))


def run_now(door: Door, name: str, *, look_only: bool) -> None:
    """Run all sweeps of a schedule and print `pilotway-tick/1`; leaves with exit 6 when a row failed."""
    stamp = door.stamp(Actor.clock(DoorName.FLOW))
    if look_only:
        with reading(door.engine) as session:
            tally = Tally(done=sum(len(sweep.due(session, stamp)) for sweep in STAGE_DEADLINES))
    else:
        tally = sum((run(door.engine, sweep, stamp) for sweep in STAGE_DEADLINES), Tally())
    slot = {
        "schedule_id": name,
        "slot_at": instant(stamp.now),
        "status": "due" if look_only else "done",
        "run_id": None,
        "done_count": tally.done,
        "refused_count": tally.refused,
        "failed_count": tally.failed,
    }
    if door.output.as_json:
        door.output.document({"format": "pilotway-tick/1", "now": instant(stamp.now), "slots": [slot]})
    else:
        door.output.record(_COLUMNS, slot)
    if tally.failed:
        raise typer.Exit(PARTLY)
