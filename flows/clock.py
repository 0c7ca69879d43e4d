"""The clock: every pass over the schedules, and the one way in which a slot is run, whoever woke us.

`tick`, `run`, `worker` and Prefect all come through `run_slot`; what is due, merged, missed or skipped says the book of
slots alone, so two of them at once do each slot once (`safety.md` 3.5). Where a body can be shared, whoever comes while
it runs takes a part of its work, and the row of the run sums up.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from flows import slots as book
from flows.claims import worker_name
from flows.run_log import Line, RunLog, logged, masked, note, places_of
from flows.sharing import COUNTS, add
from flows.slots import Held, Runner, Slot
from flows.turns import Body, Effect, Outcome, Run, Turn, never
from lifecycle.canonical import instant
from lifecycle.commands import Stamp
from lifecycle.schedules.queries import is_paused, lock_schedule, pauses_of
from lifecycle.schedules.times import SCHEDULES, Schedule, in_zone, is_slot, latest_slot
from models.db import is_away, is_sqlite, reading, run_in_transaction
from models.journal import OutboxMessage
from models.reading import table_of
from models.runs import RunRequest
from models.settings import Settings
from models.states import DeliveryStatus, SlotStatus

OUTBOX = "outbox"
MOST_TOLD = 200
"""Slots that one document lists besides those that ran; `v_schedule_slot` has all."""
WORTH_SHARING = 100
"""Due payouts or messages; with fewer the run is over before another process has begun."""
_NOT_RUN = (SlotStatus.SKIPPED, SlotStatus.MERGED, SlotStatus.MISSED)
_OUTBOX_COUNTS = ("sent", "failed", "given_up")


class UnknownScheduleError(LookupError):
    """Nothing of this name runs here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """What a pass works with. `stamp.now` is business time and stands still during the pass."""

    engine: Engine
    settings: Settings
    stamp: Stamp
    bodies: Mapping[str, Body]
    schedules: Sequence[Schedule] = SCHEDULES
    is_stopped: Callable[[], bool] = never
    """Whether this process was asked to end."""
    now: Callable[[], datetime] | None = None
    """Business time at the end of a run; without it that of the stamp."""
    is_played: bool = False
    """Whether business time is not the machine's: then nobody who wakes by the machine's clock knows our slots."""
    outside_run: str | None = None
    """The scheduler's own run that woke this process."""

    @property
    def by(self) -> Runner:
        """How this process calls itself, and for how long it claims."""
        lease = timedelta(seconds=self.settings.lease_seconds)
        return Runner(holder=self.settings.worker or worker_name(), lease=lease, outside_run=self.outside_run)

    def on_duty(self) -> tuple[Schedule, ...]:
        """Return the schedules that have a body, by the clock of this installation."""
        found = (in_zone(one, self.settings.timezone) for one in self.schedules)
        return tuple(one for one in found if one.id in self.bodies)

    def schedule(self, name: str) -> Schedule:
        """Return one of them; `UnknownScheduleError` for any other name."""
        for one in self.on_duty():
            if one.id == name:
                return one
        raise UnknownScheduleError(name)

    def turn(self, slot_at: datetime, is_over: Callable[[], bool] = never, *, run_id: UUID | None = None) -> Turn:
        """Return what a body gets."""
        return Turn(
            engine=self.engine,
            settings=self.settings,
            stamp=self.stamp,
            slot_at=slot_at,
            is_over=is_over,
            run_id=run_id,
        )

    def help_of(self, schedule: Schedule) -> Run | None:
        """Return what a second worker may do of this schedule; nothing on SQLite, which has one writer."""
        return None if is_sqlite(self.engine) else self.bodies[schedule.id].help

    def ended_at(self) -> datetime:
        """Return the instant at which something ends."""
        return self.now() if self.now is not None else self.stamp.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass did, as `pilotway-tick/1` says it."""

    now: datetime
    slots: Sequence[Slot] = ()
    outbox: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Say whether nothing failed (else exit 6)."""
        return all(slot.is_well for slot in self.slots)

    def document(self) -> dict[str, Any]:
        """Return the contract's document."""
        return {
            "format": "pilotway-tick/1",
            "now": instant(self.now),
            "slots": [slot.document() for slot in self.slots],
            "outbox": dict(self.outbox),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What a decision about a schedule left: perhaps a slot to run, and those that are settled without."""

    held: Held | None = None
    settled: tuple[datetime, ...] = ()
    shared: Any = None
    """The row of a run that another worker has in hand."""


def tick(work: Clockwork) -> Pass:
    """Run every schedule that is due at this instant, once; what is asked for too; then tell what is to be told."""
    done: list[Slot] = []
    counts: Mapping[str, int] | None = None
    for schedule in work.on_duty():
        for slot_at, asked in [] if work.is_stopped() else _wanted(work, schedule):
            found, outcome = _run(work, schedule, slot_at, asked)
            done += found
            if schedule.id == OUTBOX and outcome is not None:
                counts = outcome.counts
    if counts is None and OUTBOX in work.bodies and not work.is_stopped():
        counts = work.bodies[OUTBOX].run(work.turn(work.stamp.now, work.is_stopped)).counts
    return Pass(now=work.stamp.now, slots=done, outbox=outbox_counts(work, counts or {}))


def run_slot(work: Clockwork, name: str, slot_at: datetime, *, asked: str = "") -> list[Slot]:
    """Run a slot of a schedule unless it was run; return what became of it and of those that it settles.

    All slots up to now that have no row are settled by the latest one: merged, missed or skipped. `asked` says why
    somebody wants a run besides the schedule, at an instant of its own: between two slots it settles no other, and no
    pause holds it. A slot that another process runs is not run again; one whose process died is. An instant that is
    no slot (a holiday, when a plain cron wakes us) finds nothing. Raises `UnknownScheduleError`.
    """
    return _run(work, work.schedule(name), slot_at, asked)[0]


def help_run(work: Clockwork, name: str) -> list[Slot]:
    """Take a part of what another process runs of a schedule now; nothing where nobody does. `UnknownScheduleError`."""
    schedule = work.schedule(name)
    with reading(work.engine) as session:
        shared = [row for row in book.running(session, schedule.id) if row.is_held]
    if not shared or _helped(work, schedule, shared[-1]) is None:
        return []
    with reading(work.engine) as session:
        return [book.slot_of(schedule.id, book.row_of(session, schedule.id, shared[-1].slot_at))]


def worth_sharing(work: Clockwork, name: str) -> bool:
    """Say whether so much of a schedule is due that a second process is worth its start."""
    schedule = work.schedule(name)
    look = work.bodies[schedule.id].look
    return bool(work.help_of(schedule) and look and look(work.turn(work.stamp.now)) >= WORTH_SHARING)


def run_waiting(work: Clockwork) -> list[Slot]:
    """Run what people asked for and what a dead process left, of every schedule: for who is woken for one only."""
    done: list[Slot] = []
    for schedule in work.on_duty():
        with reading(work.engine) as session:
            begun = book.running(session, schedule.id)
            asked = [] if any(row.is_held for row in begun) else _requests(session, schedule.id)
        waiting = [(row.slot_at, "") for row in begun[-1:] if not row.is_held]
        for slot_at, reason in waiting + [(row.asked_at, row.reason) for row in asked]:
            done += _run(work, schedule, slot_at, reason)[0]
    return done


def _wanted(work: Clockwork, schedule: Schedule) -> list[tuple[datetime, str]]:
    """Return what is to be run of a schedule: its latest due slot, else one whose process died, and what is asked for.

    What is asked for waits while the schedule still runs.
    """
    now, calendar = work.stamp.now, work.stamp.calendar
    with reading(work.engine) as session:
        due = book.due_slots(session, schedule, until=now, calendar=calendar)
        begun = book.running(session, schedule.id)
        asked = [] if any(row.is_held for row in begun) else _requests(session, schedule.id)
        newest = None if due else latest_slot(schedule, until=now, calendar=calendar)
        row = None if newest is None else book.row_of(session, schedule.id, newest)
    dead = [row.slot_at for row in begun if not row.is_held]
    shared = [row.slot_at for row in begun] if work.help_of(schedule) else []
    open_again = [row.slot_at] if row is not None and book.is_settled_ahead(row, now) else []
    return [(slot_at, "") for slot_at in (due or dead or shared or open_again)[-1:]] + [
        (one.asked_at, one.reason) for one in asked
    ]


def _run(work: Clockwork, schedule: Schedule, slot_at: datetime, asked: str) -> tuple[list[Slot], Outcome | None]:
    taken = run_in_transaction(work.engine, lambda session: _taken(session, work, schedule, slot_at, asked))
    shown = list(taken.settled[-MOST_TOLD:])
    outcome = None
    if taken.held is not None:
        outcome = _worked(work, schedule, taken.held)
        shown.append(taken.held.slot_at)
    elif taken.shared is not None:
        outcome = _helped(work, schedule, taken.shared)
        shown += [] if outcome is None or taken.shared.slot_at in shown else [taken.shared.slot_at]
    with reading(work.engine) as session:
        return [book.slot_of(schedule.id, row) for row in book.rows_of(session, schedule.id, shown)], outcome


def _taken(session: Session, work: Clockwork, schedule: Schedule, slot_at: datetime, asked: str) -> _Taken:
    """Decide under the lock of the schedule what becomes of a slot and of the others that wait."""
    now, calendar = work.stamp.now, work.stamp.calendar
    lock_schedule(session, schedule.id)
    begun = book.running(session, schedule.id)
    shared = next((row for row in begun if row.is_held), None)
    is_running = shared is not None
    if asked:
        _take_request(session, schedule.id, slot_at, now)
    known = book.row_of(session, schedule.id, slot_at)
    if known is not None:
        is_back = book.is_settled_ahead(known, now) and not is_paused(session, schedule, now)
        is_open = known.status == SlotStatus.RUNNING or is_back or (asked and known.status in _NOT_RUN)
        if is_open and not is_running:
            why = asked or ("" if is_back else known.why)
            return _Taken(held=book.take_over(session, known, now=now, by=work.by, why=why))
        return _Taken(settled=(slot_at,), shared=shared)
    if asked and not is_slot(schedule, slot_at, calendar):
        due, pauses = [slot_at], []
    else:
        due = book.due_slots(session, schedule, until=max(now, slot_at), calendar=calendar)
        pauses = [] if asked else pauses_of(session, [schedule.id])
    told = book.fates(due, schedule, now=now, pauses=pauses, is_running=is_running)
    rest = [one for one in told if one.status is not None]
    book.write_fates(session, schedule.id, rest, now=now, by=work.by)
    for row in begun:
        if not row.is_held:
            book.close_dead(session, row, now=now)
    settled = tuple(one.slot_at for one in rest)
    for one in told:
        if one.status is None:
            held = book.begin(session, schedule.id, one.slot_at, now=now, by=work.by, why=asked)
            return _Taken(held=held, settled=settled)
    return _Taken(settled=settled, shared=shared)


def _late(schedule: Schedule) -> Callable[[], bool]:
    """Return what says whether the minutes of a schedule are used up, counted from now."""
    until = time.monotonic() + 60 * schedule.limit_minutes
    return lambda: time.monotonic() >= until


def _said(run: Run, turn: Turn) -> tuple[Outcome, str]:
    """Run a body and return what it did and why it failed; one that fails stops nobody.

    A database that is away is no fault of the work: the turn is cut, and whoever comes next takes the slot over.
    """
    try:
        return run(turn), ""
    except Exception as error:  # noqa: BLE001 - one broken schedule must not stop the others
        if isinstance(error, DBAPIError) and is_away(error):
            return Outcome(is_cut=True), ""
        said = _in_one_line(error)
        note("broke", "bad", said=said, where=places_of(error))
        return Outcome(failed=1), said


def _helped(work: Clockwork, schedule: Schedule, row: Any) -> Outcome | None:
    """Take a part of a run that another worker has, and add what we did; None where there is nothing to share."""
    body, is_late = work.bodies[schedule.id], _late(schedule)
    turn = work.turn(row.slot_at, lambda: work.is_stopped() or is_late(), run_id=row.id)
    run = work.help_of(schedule)
    if run is None or (body.look is not None and not body.look(turn)):
        return None
    with logged(work.ended_at) as log:
        note("helped", holder=work.by.holder)
        outcome, failure = _said(run, turn)
        note("ended", **_counts(outcome))
    outcome = replace(outcome, log=_worth_keeping(log, outcome, failure))
    if failure:
        effect = Effect(effect="failed", object_type=book.OBJECT_TYPE, object_id=str(row.id), detail=failure)
        outcome = replace(outcome, effects=(effect,))
    run_in_transaction(work.engine, lambda session: add(session, row.id, outcome))
    return outcome


def _worked(work: Clockwork, schedule: Schedule, held: Held) -> Outcome:
    """Run the body of a slot that we hold and write down what it did."""
    is_late = _late(schedule)
    turn = work.turn(held.slot_at, lambda: work.is_stopped() or is_late(), run_id=held.id)
    with logged(work.ended_at) as log:
        note("begun", holder=work.by.holder, attempt=held.fence)
        with book.kept(work.engine, held, lease=work.by.lease, is_over=is_late):
            outcome, failure = _said(work.bodies[schedule.id].run, turn)
        if outcome.is_cut and is_late():
            failure = failure or f"time_limit: {schedule.limit_minutes}"
            note("out_of_time", "bad", minutes=schedule.limit_minutes)
        note("ended", **_counts(outcome))
    outcome = replace(outcome, log=_worth_keeping(log, outcome, failure))

    def record(session: Session) -> None:
        if outcome.is_cut and not failure:
            book.let_go(session, held)  # whoever comes next takes it over and does the rest
        else:
            book.end(session, schedule.id, held, outcome, now=work.ended_at(), failure=failure)

    run_in_transaction(work.engine, record)
    return outcome


def _counts(outcome: Outcome) -> dict[str, int]:
    return {name: getattr(outcome, name) for name in COUNTS}


def _worth_keeping(log: RunLog, outcome: Outcome, failure: str) -> Sequence[Line]:
    """Return the lines that the row keeps: none of a run that had nothing to do, which happens each minute."""
    is_idle = not (failure or outcome.refusal or log.is_alarmed or any(_counts(outcome).values()))
    return () if is_idle else log.lines()


def _in_one_line(error: Exception) -> str:
    """Return what went wrong in one line; a database names whole rows, with the secrets in them, behind the first."""
    return masked(f"{type(error).__name__}: {error}".partition("\n")[0])


def _requests(session: Session, schedule_id: str) -> list[Any]:
    asked = table_of(RunRequest)
    waiting = (asked.c.schedule_id == schedule_id, asked.c.taken_at.is_(None))
    return list(session.execute(select(asked).where(*waiting).order_by(asked.c.asked_at)))


def _take_request(session: Session, schedule_id: str, asked_at: datetime, now: datetime) -> None:
    asked = table_of(RunRequest)
    this = (asked.c.schedule_id == schedule_id, asked.c.asked_at == asked_at, asked.c.taken_at.is_(None))
    session.execute(update(asked).where(*this).values(taken_at=now))


def outbox_counts(work: Clockwork, counts: Mapping[str, int]) -> dict[str, int]:
    """Return the contract's figures of the outbox: what a pass sent, and how many messages wait now."""
    box = table_of(OutboxMessage)
    waiting = select(func.count()).select_from(box).where(box.c.status == DeliveryStatus.WAITING)
    with reading(work.engine) as session:
        left = session.execute(waiting).scalar_one()
    return {**{name: counts.get(name, 0) for name in _OUTBOX_COUNTS}, "waiting": counts.get("waiting", left)}
