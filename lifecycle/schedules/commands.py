"""What operators may do about scheduled work: let its slots pass for a while, go on, have it run besides.

It stands in the history of the account that acts, as what is done about messages does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.canonical import instant
from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from models.limits import LONG_TEXT
from models.people import User
from models.reading import table_of
from models.runs import Pause, RunRequest, ScheduledRun

OBJECT_TYPE = "schedule"
_TICK = timedelta(microseconds=1)
KEPT = 1000
"""Characters of a reason that the rows of pauses and requests keep; the audit trail keeps all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCommand(Command):
    """Something about one schedule, by its name."""

    user_id: UUID
    schedule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSchedule(ScheduleCommand):
    """Let the slots of a schedule pass up to a day; each leaves a row with the reason."""

    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSchedule(ScheduleCommand):
    """End every pause that stands on a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRun(ScheduleCommand):
    """Have a schedule run besides its slots: the next pass of the clock takes it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFacts:
    """A command about a schedule, and the pauses that were put on it and not ended."""

    command: Any
    row: Any
    """The account that acts."""
    today: date
    pauses: tuple[Any, ...] = ()
    taken: frozenset[datetime] = frozenset()
    """Instants from now on that a slot or a request of this schedule has."""

    @property
    def is_paused(self) -> bool:
        """Say whether one of them still holds."""
        return any(one.until_on >= self.today for one in self.pauses)


def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[ScheduleFacts]:
    """Read the pauses of all schedules that are named."""
    pause = table_of(Pause)
    names = {task.command.schedule for task in tasks}
    asked = select(pause).where(pause.c.schedule_id.in_(names), pause.c.ended_at.is_(None)).order_by(pause.c.from_at)
    found = session.connection().execute(asked).all()
    return [
        ScheduleFacts(
            command=task.command,
            row=task.row,
            today=stamp.today,
            pauses=tuple(one for one in found if one.schedule_id == task.command.schedule),
        )
        for task in tasks
    ]


def requests(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[ScheduleFacts]:
    """Read which instants the schedules that are named have given away."""
    names, taken = {task.command.schedule for task in tasks}, set[tuple[str, datetime]]()
    for model, name in ((ScheduledRun, "slot_at"), (RunRequest, "asked_at")):
        table = table_of(model)
        later = (table.c.schedule_id.in_(names), table.c[name] >= stamp.now)
        taken |= set(session.connection().execute(select(table.c.schedule_id, table.c[name]).where(*later)).tuples())
    return [
        ScheduleFacts(
            command=task.command,
            row=task.row,
            today=stamp.today,
            taken=frozenset(at for schedule, at in taken if schedule == task.command.schedule),
        )
        for task in tasks
    ]


def own_instant(taken: frozenset[datetime], now: datetime) -> datetime:
    """Return an instant that no slot has and no other request: where time stands still, each is a run of its own."""
    at = now if now.second or now.microsecond else now + _TICK
    while at in taken:
        at += _TICK
    return at


@about_input
def has_reason(facts: ScheduleFacts) -> tuple[Unmet, ...]:
    """Whoever changes what runs by itself says why."""
    return () if 0 < len(facts.command.reason.strip()) <= LONG_TEXT else (unmet("reason_missing"),)


@about_input
def ends_later(facts: ScheduleFacts) -> tuple[Unmet, ...]:
    """A pause ends today at the earliest."""
    until_on = facts.command.until_on
    return () if until_on >= facts.today else (unmet("pause_is_over", until=until_on.isoformat()),)


@about_input
def has_pause(facts: ScheduleFacts) -> tuple[Unmet, ...]:
    """Only what is paused can go on."""
    return () if facts.is_paused else (unmet("not_paused", schedule=facts.command.schedule),)


def paused(facts: ScheduleFacts, _target: str, stamp: Stamp) -> Effects:
    """Put the pause."""
    command = facts.command
    row = {
        "id": stamp.new_id(),
        "schedule_id": command.schedule,
        "reason": command.reason.strip()[:KEPT],
        "put_by": stamp.actor.user_id,
        "from_at": stamp.now,
        "until_on": command.until_on,
        "ended_at": None,
    }
    act = _act(facts, "pause", {"until_on": command.until_on})
    return Effects(
        acts=(act,), rows=((Pause, row),), says={"schedule": command.schedule, "until": command.until_on.isoformat()}
    )


def resumed(facts: ScheduleFacts, _target: str, stamp: Stamp) -> Effects:
    """End the pauses; each keeps both reasons."""
    said = facts.command.reason.strip()
    ended = tuple(
        (Pause, one.id, {"ended_at": stamp.now, "reason": f"{one.reason} / {said}"[:KEPT]}) for one in facts.pauses
    )
    act = _act(facts, "resume", {"pauses": [one.id for one in facts.pauses]})
    return Effects(acts=(act,), updates=ended, says={"schedule": facts.command.schedule, "pauses": len(ended)})


def requested(facts: ScheduleFacts, _target: str, stamp: Stamp) -> Effects:
    """Leave word for the next pass of the clock."""
    command, at = facts.command, own_instant(facts.taken, stamp.now)
    row = {
        "id": stamp.new_id(),
        "schedule_id": command.schedule,
        "asked_by": stamp.actor.user_id,
        "reason": command.reason.strip()[:KEPT],
        "asked_at": at,
        "taken_at": None,
    }
    act = _act(facts, "request", {})
    return Effects(
        acts=(act,), rows=((RunRequest, row),), says={"schedule": command.schedule, "asked_at": instant(stamp.now)}
    )


def _act(facts: ScheduleFacts, verb: str, detail: dict[str, Any]) -> Act:
    command = facts.command
    return Act(
        table=User,
        object_type="user",
        id=facts.row.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.row,
        detail={"schedule": command.schedule, "reason": command.reason.strip(), **detail},
    )


PAUSE = Verb(
    object_type=OBJECT_TYPE,
    name="pause",
    command=PauseSchedule,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts,
    rules=(has_reason, ends_later),
    effects=paused,
)
RESUME = Verb(
    object_type=OBJECT_TYPE,
    name="resume",
    command=ResumeSchedule,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts,
    rules=(has_reason, has_pause),
    effects=resumed,
)
REQUEST = Verb(
    object_type=OBJECT_TYPE,
    name="request",
    command=RequestRun,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=requests,
    rules=(has_reason,),
    effects=requested,
)
