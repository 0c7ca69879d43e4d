"""What people may ask of scheduled work: a run besides its slots, a pause up to a day, the end of a pause.

Nothing here runs anything: each leaves rows that the clock finds at its next pass. The act stands on the account of who
asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.runs.queries import lock_schedule, pauses_of
from lifecycle.runs.schedules import SCHEDULES
from models.people import User
from models.runs import Pause, RunRequest
from models.tables import object_type_of

OBJECT_TYPE = "schedule"
_REASON = 900
"""Characters of a reason: one that ends a pause is written behind the one that put it."""
_ROW = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCommand(Command):
    """Something about one schedule, in the name of one account."""

    user_id: UUID
    schedule_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRun(ScheduleCommand):
    """Ask for a run besides the schedule: the next pass of the clock takes it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSchedule(ScheduleCommand):
    """Let the slots of a schedule pass, up to a day; each leaves a row with the reason."""

    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSchedule(ScheduleCommand):
    """End every pause that stands on a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFacts:
    """A command about a schedule, and the pauses that nobody has ended."""

    command: Any
    row: Any
    """The account that acts."""
    today: date
    standing: tuple[Any, ...] = ()


def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[ScheduleFacts]:
    """Read the pauses under the lock of their schedule, so that no pass of the clock decides meanwhile."""
    found = []
    for name in sorted({task.command.schedule_id for task in tasks if task.is_locked}):
        lock_schedule(session, name)
    pauses = pauses_of(session, {task.command.schedule_id for task in tasks})
    for task in tasks:
        standing = [one for one in pauses if one.schedule_id == task.command.schedule_id and one.ended_at is None]
        found.append(ScheduleFacts(command=task.command, row=task.row, today=stamp.today, standing=tuple(standing)))
    return found


@about_input
def is_known(seen: ScheduleFacts) -> tuple[Unmet, ...]:
    """There is a schedule of this name."""
    known = [one.id for one in SCHEDULES]
    name = seen.command.schedule_id
    return () if name in known else (unmet("schedule_unknown", value=name, known=known),)


@about_input
def has_reason(seen: ScheduleFacts) -> tuple[Unmet, ...]:
    """Whoever changes what runs by itself says why; the reason stands in the rows of the runs."""
    said = len(seen.command.reason.strip())
    if said > _REASON:
        return (unmet("text_over_limit", field="reason", limit=_REASON, length=said),)
    return () if said else (unmet("reason_missing"),)


@about_input
def is_to_come(seen: ScheduleFacts) -> tuple[Unmet, ...]:
    """The last day of a pause is not before today."""
    until = seen.command.until_on
    return () if until >= seen.today else (unmet("pause_is_over", until=until.isoformat()),)


def is_paused(seen: ScheduleFacts) -> tuple[Unmet, ...]:
    """A pause stands."""
    stands = any(one.until_on >= seen.today for one in seen.standing)
    return () if stands or is_known(seen) else (unmet("not_paused", schedule=seen.command.schedule_id),)


def requested(seen: ScheduleFacts, _target: str, stamp: Stamp) -> Effects:
    """Leave word for the clock."""
    row = {**_common(seen, stamp), "asked_by": seen.row.id, "asked_at": stamp.now, "taken_at": None}
    return Effects(acts=(_act(seen, "run"),), rows=((RunRequest, row),), says={"request_id": str(row["id"])})


def paused(seen: ScheduleFacts, _target: str, stamp: Stamp) -> Effects:
    """Put the pause."""
    until = seen.command.until_on
    by = {"put_by": seen.row.id, "from_at": stamp.now, "until_on": until, "ended_at": None}
    row = {**_common(seen, stamp), **by}
    act = _act(seen, "pause", until_on=until.isoformat())
    return Effects(acts=(act,), rows=((Pause, row),), says={"pause_id": str(row["id"])})


def resumed(seen: ScheduleFacts, _target: str, stamp: Stamp) -> Effects:
    """End every pause; the reason is written behind the one that put it."""
    said = seen.command.reason.strip()
    ended = tuple(
        (Pause, one.id, {"ended_at": stamp.now, "reason": f"{one.reason} / {said}"[:_ROW]}) for one in seen.standing
    )
    count = sum(one.until_on >= seen.today for one in seen.standing)
    return Effects(acts=(_act(seen, "resume"),), updates=ended, says={"pauses": count})


def _common(seen: ScheduleFacts, stamp: Stamp) -> dict[str, Any]:
    command = seen.command
    return {"id": stamp.new_id(), "schedule_id": command.schedule_id, "reason": command.reason.strip()}


def _act(seen: ScheduleFacts, verb: str, **more: Any) -> Act:
    said = {"schedule": seen.command.schedule_id, "reason": seen.command.reason.strip()}
    return Act(
        table=User,
        object_type=object_type_of(str(User.__tablename__)),
        id=seen.row.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=seen.row,
        detail={**said, **more},
    )


def _account(command: ScheduleCommand) -> UUID:
    return command.user_id


RUN = Verb(
    object_type=OBJECT_TYPE,
    name="run",
    command=RequestRun,
    subject=User,
    subject_id=_account,
    facts=facts,
    rules=(is_known, has_reason),
    effects=requested,
)
PAUSE = Verb(
    object_type=OBJECT_TYPE,
    name="pause",
    command=PauseSchedule,
    subject=User,
    subject_id=_account,
    facts=facts,
    rules=(is_known, has_reason, is_to_come),
    effects=paused,
)
RESUME = Verb(
    object_type=OBJECT_TYPE,
    name="resume",
    command=ResumeSchedule,
    subject=User,
    subject_id=_account,
    facts=facts,
    rules=(is_known, has_reason, is_paused),
    effects=resumed,
)
