"""The book of slots: which one is due, who has it, what it did. One row per schedule and slot, whoever woke us.

Whoever writes holds the lock of the schedule, and the last write of a run names the fence it began with.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, select, update
from sqlmodel import Session

from flows.alarms import put_out
from flows.claims import renewed
from flows.run_log import line, tail
from flows.sharing import COUNTS, added
from flows.turns import Outcome
from lifecycle.calendar import Calendar
from lifecycle.canonical import instant
from lifecycle.schedules.queries import pause_at
from lifecycle.schedules.times import Schedule, is_slot, latest_slot, slots
from models.clock import SKEW
from models.db import db_now
from models.ids import new_id
from models.journal import Claim, OutboxMessage
from models.reading import table_of
from models.runs import ScheduledRun
from models.states import SlotStatus

OBJECT_TYPE = "schedule"
FIRST = timedelta(days=7)
"""How far back the first slot of a schedule may lie."""
_RUN, _CLAIM, _OUTBOX = (table_of(model) for model in (ScheduledRun, Claim, OutboxMessage))
_ROWS, _PAGE = 1000, 50
_WHY = 1000
"""Characters of `scheduled_run.why`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one slot that is due: it runs (no status), or it leaves a row with the reason."""

    slot_at: datetime
    status: SlotStatus | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A slot that this process runs now."""

    id: UUID
    fence: int
    slot_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What the book says of one slot, in the words of `pilotway-tick/1`."""

    schedule_id: str
    slot_at: datetime
    status: str
    run_id: UUID | None = None
    done_count: int = 0
    refused_count: int = 0
    failed_count: int = 0
    why: str = ""
    effects: Sequence[dict[str, Any]] = field(default=(), repr=False)

    @property
    def is_well(self) -> bool:
        """Say whether nothing failed."""
        return self.status != SlotStatus.FAILED and not self.failed_count

    def document(self) -> dict[str, Any]:
        """Return its part of the contract's document."""
        names = ("status", "run_id", "done_count", "refused_count", "failed_count")
        head = {"schedule_id": self.schedule_id, "slot_at": instant(self.slot_at)}
        found = {**head, **{name: getattr(self, name) for name in names}}
        return {**found, "status": str(self.status), "run_id": self.run_id and str(self.run_id)}


def due_slots(session: Session, schedule: Schedule, *, until: datetime, calendar: Calendar) -> list[datetime]:
    """Return the slots up to an instant that have no row, oldest first; of a schedule without any row only the latest.

    Runs that somebody asked for are no slots of the schedule and put off none of them. A first slot that lies further
    back than `FIRST` belongs to the time before this installation.
    """
    last = _last_planned(session, schedule, until, calendar)
    if last is not None:
        return list(slots(schedule, after=last, until=until, calendar=calendar))
    newest = latest_slot(schedule, until=until, calendar=calendar)
    return [newest] if newest is not None and until - newest <= FIRST else []


def _last_planned(session: Session, schedule: Schedule, until: datetime, calendar: Calendar) -> datetime | None:
    """Return the newest slot of the schedule that has a row; rows of the future wait until time comes to them."""
    newest_first = select(_RUN.c.slot_at).where(_RUN.c.schedule_id == schedule.id).order_by(_RUN.c.slot_at.desc())
    behind = until + timedelta(microseconds=1)
    while found := list(session.execute(newest_first.where(_RUN.c.slot_at < behind).limit(_PAGE)).scalars()):
        for slot_at in found:
            if is_slot(schedule, slot_at, calendar):
                return slot_at  # type: ignore[no-any-return]
        behind = found[-1]
    return None


def is_settled_ahead(row: Any, now: datetime) -> bool:
    """Say whether a slot was given up by a clock that ran ahead and was put right: it did not run, and may."""
    return row.status in (SlotStatus.MERGED, SlotStatus.MISSED) and row.started_at > now + SKEW


def fates(
    due: Sequence[datetime], schedule: Schedule, *, now: datetime, pauses: Sequence[Any], is_running: bool
) -> list[Fate]:
    """Say what becomes of each due slot: the latest one runs for all, unless it is paused, too late or still running.

    `safety.md` 3.5: earlier ones are merged, one older than its window is missed, one beside a running one skipped.
    """
    told, open_slots = [], []
    oldest = now - timedelta(days=schedule.catch_up_days)
    for slot_at in due:
        reason = pause_at(pauses, slot_at, schedule)
        if reason is not None:
            told.append(Fate(slot_at=slot_at, status=SlotStatus.SKIPPED, why=f"paused: {reason}"))
        elif slot_at < oldest:
            told.append(Fate(slot_at=slot_at, status=SlotStatus.MISSED, why="too_late"))
        else:
            open_slots.append(slot_at)
    stands = pause_at(pauses, now, schedule)
    if stands is not None or is_running:
        why = "still_running" if stands is None else f"paused: {stands}"
        return told + [Fate(slot_at=one, status=SlotStatus.SKIPPED, why=why) for one in open_slots]
    merged = [Fate(slot_at=one, status=SlotStatus.MERGED, why="merged") for one in open_slots[:-1]]
    return told + merged + [Fate(slot_at=one) for one in open_slots[-1:]]


def row_of(session: Session, schedule_id: str, slot_at: datetime) -> Any:
    """Return the row of a slot, None where it has none."""
    this = select(_RUN).where(_RUN.c.schedule_id == schedule_id, _RUN.c.slot_at == slot_at)
    return session.execute(this).first()


def rows_of(session: Session, schedule_id: str, slots_at: Sequence[datetime]) -> list[Any]:
    """Return the rows of slots, the oldest first."""
    these = select(_RUN).where(_RUN.c.schedule_id == schedule_id, _RUN.c.slot_at.in_(slots_at))
    return list(session.execute(these.order_by(_RUN.c.slot_at)))


def running(session: Session, schedule_id: str) -> list[Any]:
    """Return the slots of a schedule that were begun and not ended, each with `is_held`: somebody's lease runs."""
    alive = (_CLAIM.c.object_type == OBJECT_TYPE) & (_CLAIM.c.object_id == _RUN.c.id) & (_CLAIM.c.until_at > db_now())
    statement = (
        select(_RUN, _CLAIM.c.object_id.is_not(None).label("is_held"))
        .select_from(_RUN.outerjoin(_CLAIM, alive))
        .where(_RUN.c.schedule_id == schedule_id, _RUN.c.status == SlotStatus.RUNNING)
        .order_by(_RUN.c.slot_at)
    )
    return list(session.execute(statement))


def begin(session: Session, schedule_id: str, slot_at: datetime, *, now: datetime, by: "Runner", why: str) -> Held:
    """Write the row of a slot that nobody has, and claim it."""
    row = ScheduledRun(
        schedule_id=schedule_id,
        slot_at=slot_at,
        status=SlotStatus.RUNNING,
        holder=by.holder,
        fence=1,
        started_at=now,
        why=why[:_WHY],
        outside_run=by.outside_run,
    )
    session.add(row)
    session.flush()
    _claim(session, row.id, fence=1, by=by)
    return Held(id=row.id, fence=1, slot_at=slot_at)


def take_over(session: Session, row: Any, *, now: datetime, by: "Runner", why: str) -> Held:
    """Claim a slot whose holder died, or that did not run: its fence rises, so what a dead one still writes is void."""
    fence = int(row.fence) + 1
    change = {"status": SlotStatus.RUNNING, "holder": by.holder, "fence": fence, "started_at": now, "why": why[:_WHY]}
    change["outside_run"] = by.outside_run
    change["log"] = tail([*(row.log or ()), line("taken_over", {"holder": row.holder}, at=now, level="warn")])
    change["progress"] = {}  # what a dead one judged and could not tell is judged again
    session.execute(update(_RUN).where(_RUN.c.id == row.id).values(change))
    _claim(session, row.id, fence=fence, by=by)
    return Held(id=row.id, fence=fence, slot_at=row.slot_at)


def close_dead(session: Session, row: Any, *, now: datetime) -> None:
    """End a slot whose holder died where a later one does its work."""
    change = {"status": SlotStatus.MERGED, "why": f"died: {row.holder}"[:_WHY], "ended_at": now, "fence": row.fence + 1}
    session.execute(update(_RUN).where(_RUN.c.id == row.id).values(change))
    _forget(session, row.id)


def write_fates(session: Session, schedule_id: str, told: Sequence[Fate], *, now: datetime, by: "Runner") -> None:
    """Write a row for each slot that does not run; those that were missed are told once."""
    same: dict[str, Any] = {
        "schedule_id": schedule_id,
        "holder": by.holder,
        "fence": 0,
        "started_at": now,
        "ended_at": now,
    }
    nothing = {**dict.fromkeys(COUNTS.values(), 0), "effects": [], "progress": {}}
    rows = [
        {**same, **nothing, "id": new_id(), "slot_at": one.slot_at, "status": one.status, "why": one.why[:_WHY]}
        for one in told
    ]
    for start in range(0, len(rows), _ROWS):
        session.connection().execute(_RUN.insert(), rows[start : start + _ROWS])
    missed = [row for row in rows if row["status"] == SlotStatus.MISSED]
    if missed:
        first, last = missed[0], missed[-1]
        facts = {"schedule": schedule_id, "from": instant(first["slot_at"]), "until": instant(last["slot_at"])}
        tell(session, "run.missed", last["id"], last["slot_at"], {**facts, "count": len(missed)}, now=now)


def end(session: Session, schedule_id: str, held: Held, outcome: Outcome, *, now: datetime, failure: str) -> bool:
    """Write down what a run did and let it go; False where somebody took it over meanwhile: then nothing is written.

    What others did in it stays and is added up. A failed one is told; one that fails again and again for the same
    reason once a day.
    """
    ours = (_RUN.c.id == held.id, _RUN.c.fence == held.fence, _RUN.c.status == SlotStatus.RUNNING)
    row = session.execute(select(_RUN).where(*ours).with_for_update()).first()
    if row is None:
        return False
    change = added(session, row, outcome)
    change |= {"status": SlotStatus.FAILED if failure else SlotStatus.DONE, "ended_at": now}
    if failure or outcome.refusal:
        change["why"] = (failure or outcome.refusal)[:_WHY]
    session.execute(update(_RUN).where(_RUN.c.id == row.id).values(change))
    let_go(session, held)
    if failure and not _is_told(session, schedule_id, held.slot_at, failure):
        facts = {"schedule": schedule_id, "slot_at": instant(held.slot_at), "why": failure[:_WHY]}
        tell(session, "run.failed", held.id, held.slot_at, facts, now=now)
    return True


def _is_told(session: Session, schedule_id: str, slot_at: datetime, why: str) -> bool:
    """Say whether the run before failed on the same day in the same way: what goes on is told once a day."""
    tried = (_RUN.c.schedule_id == schedule_id, _RUN.c.status.in_((SlotStatus.DONE, SlotStatus.FAILED)))
    before = select(_RUN.c.status, _RUN.c.why, _RUN.c.slot_at).where(*tried, _RUN.c.slot_at < slot_at)
    last = session.execute(before.order_by(_RUN.c.slot_at.desc()).limit(1)).first()
    if last is None or last.status != SlotStatus.FAILED or last.slot_at.date() != slot_at.date():
        return False
    return bool(last.why.partition(":")[0] == why.partition(":")[0])


def let_go(session: Session, held: Held) -> None:
    """End our claim on a slot; one that somebody took over since is theirs."""
    session.execute(delete(_CLAIM).where(*_own(held)))


def tell(session: Session, kind: str, run_id: UUID, slot_at: datetime, facts: dict[str, Any], *, now: datetime) -> None:
    """Put a message about a run into the outbox; its key is derived from schedule and slot, so a repeat adds none."""
    key = f"{facts['schedule']}:{instant(slot_at)}"
    put_out(session, kind, key, facts, about=(OBJECT_TYPE, run_id), now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The process that runs: its name in claims, for how long it claims, and the scheduler's own run that woke it."""

    holder: str
    lease: timedelta
    outside_run: str | None = None


def kept(engine: Engine, held: Held, *, lease: timedelta, is_over: Callable[[], bool]) -> AbstractContextManager[None]:
    """Renew our claim while the block works, until its minutes are used up: from then on anybody may take it over."""
    return renewed(engine, OBJECT_TYPE, {held.id: held.fence}, lease=lease, is_over=is_over)


def slot_of(schedule_id: str, row: Any) -> Slot:
    """Return what is told of a row."""
    return Slot(
        schedule_id=schedule_id,
        slot_at=row.slot_at,
        status=row.status,
        run_id=row.id,
        done_count=row.done_count,
        refused_count=row.refused_count,
        failed_count=row.failed_count,
        why=row.why,
        effects=row.effects,
    )


def _claim(session: Session, run_id: UUID, *, fence: int, by: Runner) -> None:
    _forget(session, run_id)
    until_at = _lease_end(session, by.lease)
    values = {"object_type": OBJECT_TYPE, "object_id": run_id, "holder": by.holder, "fence": fence}
    session.execute(_CLAIM.insert().values(**values, until_at=until_at))


def _forget(session: Session, run_id: UUID) -> None:
    session.execute(delete(_CLAIM).where(_CLAIM.c.object_type == OBJECT_TYPE, _CLAIM.c.object_id == run_id))


def _own(held: Held) -> tuple[Any, ...]:
    return _CLAIM.c.object_type == OBJECT_TYPE, _CLAIM.c.object_id == held.id, _CLAIM.c.fence == held.fence


def _lease_end(session: Session, lease: timedelta) -> datetime:
    now: datetime = session.execute(select(db_now())).scalar_one()
    return now + lease
