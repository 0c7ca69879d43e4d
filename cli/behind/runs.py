"""One pass of a scheduled run, without a scheduler."""

from collections.abc import Callable, Mapping

import typer

from cli.behind.banking import channel, folders, teller
from cli.door import Door
from cli.errors import PARTLY
from cli.output import Column
from flows.deadlines import STAGE_DEADLINES
from flows.disbursement import Frozen, disburse, due_payouts
from flows.reconciliation import take_inbox
from flows.runtime import Tally, run
from lifecycle.actor import Actor
from lifecycle.canonical import instant
from lifecycle.commands import Stamp
from lifecycle.errors import Refused, unmet
from models.db import reading
from models.states import Door as DoorName

_COLUMNS = tuple(Column(key=key) for key in ("schedule_id", "status", "done_count", "refused_count", "failed_count"))


def run_now(door: Door, name: str, *, look_only: bool) -> None:
    """Run a schedule and print `pilotway-tick/1`; leaves with exit 6 when a row failed, 3 when all is frozen."""
    stamp = door.stamp(Actor.clock(DoorName.FLOW))
    looked, done = _RUNS[name]
    tally = (looked if look_only else done)(door, stamp)
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


def _deadlines_due(door: Door, stamp: Stamp) -> Tally:
    with reading(door.engine) as session:
        return Tally(done=sum(len(sweep.due(session, stamp)) for sweep in STAGE_DEADLINES))


def _deadlines(door: Door, stamp: Stamp) -> Tally:
    return sum((run(door.engine, sweep, stamp) for sweep in STAGE_DEADLINES), Tally())


def _payouts_due(door: Door, _stamp: Stamp) -> Tally:
    return Tally(done=sum(map(len, door.read(due_payouts).values())))


def _disbursement(door: Door, stamp: Stamp) -> Tally:
    """Files handed over count as done, those that nobody can be sure of as failed."""
    try:
        found = disburse(door.engine, teller(door), stamp)
    except Frozen:
        raise Refused(unmet("frozen")) from None
    for number, codes in found.refused:
        door.output.warn(f"{number}: {', '.join(codes)}")
    for batch_id, why in found.failed:
        door.output.warn(f"{batch_id}: {why}", "red")
    return Tally(done=len(found.sent), refused=len(found.refused), failed=len(found.failed) + len(found.unknown))


def _answers_there(door: Door, _stamp: Stamp) -> Tally:
    return Tally(done=sum(1 for _ in folders(door).inbox()))


def _reconciliation(door: Door, stamp: Stamp) -> Tally:
    """Files taken count as done, those in quarantine as failed, those that were there already as refused."""
    taken = take_inbox(door.engine, channel(door), stamp)
    status = [one.status for one in taken]
    return Tally(done=status.count("imported"), refused=status.count("duplicate"), failed=status.count("quarantined"))


_RUNS: Mapping[str, tuple[Callable[[Door, Stamp], Tally], Callable[[Door, Stamp], Tally]]] = {
    "stage-deadlines": (_deadlines_due, _deadlines),
    "disbursement": (_payouts_due, _disbursement),
    "reconciliation": (_answers_there, _reconciliation),
}
"""Schedule -> what only looks, and what does it."""
