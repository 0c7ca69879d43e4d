"""The clock: every pass over the schedules, and the one way in which a slot is run, whoever woke us.

`tick`, `run`, `worker` and Prefect all come through `run_slot`; what is due, merged, missed or skipped says the book of
slots alone, so two of them at once do each slot once (`safety.md` 3.5).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlmodel import Session

from flows import slots as book
from flows.claims import worker_name
from flows.slots import Held, Runner, Slot
from flows.turns import Body, Outcome, Turn, never
from lifecycle.canonical import instant
from lifecycle.commands import Stamp
from lifecycle.runs.queries import lock_schedule, pauses_of
from lifecycle.runs.schedules import SCHEDULES, Schedule, in_zone, is_slot
from models.db import reading, run_in_transaction
from models.journal import OutboxMessage
from models.reading import table_of
from models.runs import RunRequest
from models.settings import Settings
from models.states import DeliveryStatus, SlotStatus

OUTBOX = "outbox"
MOST_TOLD = 200
"""Slots that one document lists besides those that ran; `v_schedule_slot` has all."""
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

    @property
    def by(self) -> Runner:
        """How this process calls itself, and for how long it claims."""
        lease = timedelta(seconds=self.settings.lease_seconds)
        return Runner(holder=self.settings.worker or worker_name(), lease=lease)

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

    def turn(self, slot_at: datetime, is_over: Callable[[], bool] = never) -> Turn:
        """Return what a body gets."""
        return Turn(engine=self.engine, settings=self.settings, stamp=self.stamp, slot_at=slot_at, is_over=is_over)

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
    with reading(work.engine) as session:
        due = book.due_slots(session, schedule, until=work.stamp.now, calendar=work.stamp.calendar)
        begun = book.running(session, schedule.id)
        asked = [] if any(row.is_held for row in begun) else _requests(session, schedule.id)
    dead = [row.slot_at for row in begun if not row.is_held]
    return [(slot_at, "") for slot_at in (due or dead)[-1:]] + [(row.asked_at, row.reason) for row in asked]


def _run(work: Clockwork, schedule: Schedule, slot_at: datetime, asked: str) -> tuple[list[Slot], Outcome | None]:
    taken = run_in_transaction(work.engine, lambda session: _taken(session, work, schedule, slot_at, asked))
    outcome = None if taken.held is None else _worked(work, schedule, taken.held)
    shown = [*taken.settled[-MOST_TOLD:], *([] if taken.held is None else [taken.held.slot_at])]
    with reading(work.engine) as session:
        return [book.slot_of(schedule.id, book.row_of(session, schedule.id, one)) for one in shown], outcome


def _taken(session: Session, work: Clockwork, schedule: Schedule, slot_at: datetime, asked: str) -> _Taken:
    """Decide under the lock of the schedule what becomes of a slot and of the others that wait."""
    now, calendar = work.stamp.now, work.stamp.calendar
    lock_schedule(session, schedule.id)
    begun = book.running(session, schedule.id)
    is_running = any(row.is_held for row in begun)
    if asked:
        _take_request(session, schedule.id, slot_at, now)
    known = book.row_of(session, schedule.id, slot_at)
    if known is not None:
        is_open = known.status == SlotStatus.RUNNING or (asked and known.status in _NOT_RUN)
        if is_open and not is_running:
            return _Taken(held=book.take_over(session, known, now=now, by=work.by, why=asked or known.why))
        return _Taken(settled=(slot_at,))
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
    return _Taken(settled=settled)


def _worked(work: Clockwork, schedule: Schedule, held: Held) -> Outcome:
    """Run the body of a slot that we hold and write down what it did; a body that fails stops nobody."""
    until = time.monotonic() + 60 * schedule.limit_minutes

    def is_late() -> bool:
        return time.monotonic() >= until

    def is_over() -> bool:
        return work.is_stopped() or is_late()

    failure = ""
    with book.kept(work.engine, held, lease=work.by.lease, is_over=is_late):
        try:
            outcome = work.bodies[schedule.id].run(work.turn(held.slot_at, is_over))
        except Exception as error:  # noqa: BLE001 - one broken schedule must not stop the others
            outcome, failure = Outcome(failed=1), f"{type(error).__name__}: {error}"
    if outcome.is_cut and is_late():
        failure = failure or f"time_limit: {schedule.limit_minutes}"

    def record(session: Session) -> None:
        if outcome.is_cut and not failure:
            book.let_go(session, held)  # whoever comes next takes it over and does the rest
        else:
            book.end(session, schedule.id, held, outcome, now=work.ended_at(), failure=failure)

    run_in_transaction(work.engine, record)
    return outcome


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
