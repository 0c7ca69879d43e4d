"""What a run would find and do, before it does it: the same reads and rehearsals, nothing written."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from flows.deadlines import STAGE_DEADLINES
from flows.desk import folders_of
from flows.disbursement import is_frozen
from flows.reconciliation import silent_batches
from flows.runtime import effect_of
from flows.soundness import ask
from flows.turns import MOST_EFFECTS, Effect, Turn
from lifecycle.engine import rehearse
from lifecycle.payouts.commands import Instruct
from models.db import reading
from models.journal import OutboxMessage
from models.payouts import PaymentBatch, Payout
from models.projects import Project
from models.reading import table_of
from models.states import DeliveryStatus, PaymentBatchState, PayoutState
from notifications.outlook import preview

Foresight: TypeAlias = Callable[[Turn], Sequence[Effect]]


def foreseen(schedule_id: str, turn: Turn) -> Sequence[Effect] | None:
    """Return the first effects that a run would have; None where nobody can tell before it runs."""
    look = FORESIGHT.get(schedule_id)
    return None if look is None else _named(turn, look(turn)[:MOST_EFFECTS])


def _named(turn: Turn, effects: Sequence[Effect]) -> Sequence[Effect]:
    """Return the effects with the numbers of their projects, by which people know them."""
    project = table_of(Project)
    ids = {UUID(one.object_id) for one in effects if one.object_type == "project" and one.object_id}
    with reading(turn.engine) as session:
        rows = session.execute(select(project.c.id, project.c.number).where(project.c.id.in_(ids))) if ids else ()
        numbers = {str(row.id): row.number for row in rows}
    return [replace(one, ref=one.ref or numbers.get(one.object_id or "", "")) for one in effects]


def _deadlines(turn: Turn) -> list[Effect]:
    with reading(turn.engine) as session:
        due = [command for sweep in STAGE_DEADLINES for command in sweep.due(session, turn.stamp)]
        answers = rehearse(session, due[:MOST_EFFECTS], stamp=turn.stamp)
    return [effect_of(answer) for answer in answers]


def _payments(turn: Turn) -> list[Effect]:
    """Judge each approved payout once more, as the run will; frozen, it does nothing."""
    payout = table_of(Payout)
    approved = select(payout.c.id, payout.c.number).where(payout.c.state == PayoutState.APPROVED)
    with reading(turn.engine) as session:
        if is_frozen(session):
            return [Effect(effect="refused", object_type="disbursement", detail="frozen")]
        found = session.execute(approved.order_by(payout.c.number).limit(MOST_EFFECTS)).all()
        batch_id = turn.stamp.new_id()
        asked = [Instruct(command_id=f"foreseen:{row.id}", payout_id=row.id, batch_id=batch_id) for row in found]
        answers = rehearse(session, asked, stamp=turn.stamp)
    return [
        Effect(
            effect="payout.instruct" if answer.error is None else "refused",
            object_type="payout",
            object_id=str(row.id),
            ref=row.number,
            detail=", ".join(answer.error.codes) if answer.error is not None else "",
        )
        for row, answer in zip(found, answers, strict=True)
    ]


def _answers(turn: Turn) -> list[Effect]:
    with reading(turn.engine) as session:
        silent = _numbers(session, silent_batches(session, turn.stamp))
    files = islice(folders_of(turn.settings).inbox(), MOST_EFFECTS)
    doubts = [Effect(effect="batch.doubt", object_type="batch", object_id=key, ref=ref) for key, ref in silent]
    return [*doubts, *(Effect(effect="file.waiting", object_type="statement", ref=one.name) for one in files)]


def _left_behind(turn: Turn) -> list[Effect]:
    batch = table_of(PaymentBatch)
    left = select(batch.c.id).where(batch.c.state == PaymentBatchState.PREPARED)
    with reading(turn.engine) as session:
        found = _numbers(session, session.execute(left).scalars().all())
    return [Effect(effect="batch.waiting", object_type="batch", object_id=key, ref=ref) for key, ref in found]


def _numbers(session: Any, ids: Sequence[Any]) -> list[tuple[str, str]]:
    batch = table_of(PaymentBatch)
    named = select(batch.c.id, batch.c.number).where(batch.c.id.in_(ids)).order_by(batch.c.number)
    return [(str(row.id), row.number) for row in session.execute(named)] if ids else []


def _broken(turn: Turn) -> list[Effect]:
    found = ask(turn.engine, turn.settings, turn.stamp).results
    return [
        Effect(effect="invariant.broken", object_type="invariant", ref=one.name, detail=str(one.rows_count))
        for one in found
        if not one.is_ok
    ]


def _messages(turn: Turn) -> list[Effect]:
    box = table_of(OutboxMessage)
    waiting = select(box.c.kind, func.count().label("waiting")).where(box.c.status == DeliveryStatus.WAITING)
    with reading(turn.engine) as session:
        rows = session.execute(waiting.group_by(box.c.kind).order_by(box.c.kind)).all()
    topics: Counter[str] = Counter()
    for row in rows:
        topics[row.kind.partition(".")[0]] += row.waiting
    return [
        Effect(effect="outbox.waiting", object_type="message", ref=topic, detail=str(count))
        for topic, count in topics.items()
    ]


def _reminders(turn: Turn) -> list[Effect]:
    zone = ZoneInfo(turn.settings.timezone)
    with reading(turn.engine) as session:
        rows = preview(session, turn.stamp, zone=zone, days=0)
    return [
        Effect(
            effect="reminder.on_hold" if row["reason"] else "reminder.due",
            object_type=row["object_type"],
            object_id=str(row["object_id"]),
            ref=row["number"],
            detail=" · ".join(filter(None, (row["on"], ", ".join(row["people"])))),
            label=row["label"],
        )
        for row in rows
    ]


FORESIGHT: Mapping[str, Foresight] = {
    "recovery": _left_behind,
    "stage-deadlines": _deadlines,
    "reconciliation": _answers,
    "disbursement": _payments,
    "invariants": _broken,
    "reminders": _reminders,
    "outbox": _messages,
}
"""Schedule -> what can be told of its next run; of the others nobody can tell before they run."""
