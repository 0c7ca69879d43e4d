"""What tells people: outbox, reminders, digests and reports as bodies of schedules; and the ways out of the house."""

import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from flows import digests, quarter, reminders
from flows.claims import worker_name
from flows.outbox import Courier, deliver
from flows.run_log import note
from flows.turns import Effect, Outcome, Turn
from lifecycle.commands import Stamp
from lifecycle.entrance.links import secret_of
from models.clock import FixedClock
from models.db import reading, run_in_transaction
from models.installation import Installation
from models.journal import OutboxMessage
from models.reading import table_of
from models.settings import Settings
from models.states import DeliveryStatus
from notifications import render
from notifications.channels import AppriseChats, mailer_of
from notifications.digests import Gathered
from notifications.fan_out import Fanned, fan_out, waiting
from notifications.render import Frame
from notifications.webhooks import HttpsWebhooks

CHUNK = 200
"""Messages that one transaction takes out of the outbox."""


def frame_of(engine: Engine, settings: Settings) -> Frame:
    """Return what all messages of this installation have in common."""
    row = _installation(engine)
    return Frame(
        database_id=row.database_id,
        zone=ZoneInfo(settings.timezone),
        base_url=settings.api,
        is_rehearsal=row.mode == "rehearsal",
        console_url=f"http://{settings.console}",
    )


def courier_of(engine: Engine, settings: Settings, stamp: Stamp) -> Courier:
    """Return how this process delivers, by the settings; mail without a server goes to stderr."""
    frame = frame_of(engine, settings)
    secret = secret_of(settings, database_id=frame.database_id, is_rehearsal=frame.is_rehearsal)
    keyed = replace(frame, secret=secret)
    return Courier(
        mailer=mailer_of(settings.smtp_url, sys.stderr),
        chats=AppriseChats(hosts=settings.chat_places()),
        webhooks=HttpsWebhooks(allow=settings.webhook_places()),
        clock=FixedClock(stamp.now) if frame.is_rehearsal else settings.make_clock(),
        write_mail=lambda row: render.mail(row, keyed, sender=settings.mail_from, at=stamp.now),
        write_chat=lambda row: render.chat(row, frame),
        holder=settings.worker or worker_name(),
        source=f"urn:uuid:{frame.database_id}",
        lease=timedelta(seconds=settings.lease_seconds),
    )


def _installation(engine: Engine) -> Any:
    with reading(engine) as session:
        return session.execute(select(table_of(Installation))).one()


def drain(turn: Turn) -> Outcome:
    """Take every message out of the outbox into inboxes and deliveries, then deliver what is due."""
    fanned = _taken_out(turn)
    courier = courier_of(turn.engine, turn.settings, turn.stamp)
    delivered = deliver(turn.engine, courier, turn.stamp, is_over=turn.is_over)
    parked = [
        Effect(effect="failed", object_type="outbox", object_id=str(one), detail=why)
        for one, why in fanned.parked.items()
    ]
    told = [
        Effect(effect=f"outbox.{name}", object_type="outbox", detail=str(count))
        for name, count in (("told", fanned.notifications), ("delivered", delivered.sent))
        if count
    ]
    note("told", people=fanned.notifications, sent=delivered.sent, failed=delivered.failed, given_up=delivered.given_up)
    return Outcome(
        found=fanned.sent + len(fanned.parked) + delivered.sent + delivered.failed + delivered.postponed,
        done=fanned.sent + delivered.sent,
        failed=delivered.failed + delivered.given_up + len(fanned.parked),
        effects=(*parked, *told),
        counts={name: getattr(delivered, name) for name in ("sent", "failed", "given_up", "waiting")},
    )


def _taken_out(turn: Turn) -> Fanned:
    """Tell the waiting messages, chunk by chunk; one that cannot be told stays for the next pass."""
    frame, whole, last = frame_of(turn.engine, turn.settings), Fanned(), None

    def work(session: Session) -> tuple[list[Any], Fanned]:
        rows = waiting(session, limit=CHUNK, after=last)
        return rows, fan_out(session, rows, frame, turn.stamp)

    while not turn.is_over():
        rows, done = run_in_transaction(turn.engine, work)
        whole.sent += done.sent
        whole.notifications += done.notifications
        whole.deliveries += done.deliveries
        whole.parked |= done.parked
        if len(rows) < CHUNK:
            break
        last = rows[-1]
    return whole


def waiting_count(turn: Turn) -> int:
    """Count the messages that nobody has taken out yet."""
    box = table_of(OutboxMessage)
    with reading(turn.engine) as session:
        statement = select(func.count()).select_from(box).where(box.c.status == DeliveryStatus.WAITING)
        return int(session.execute(statement).scalar_one())


def remind(turn: Turn) -> Outcome:
    """Plan what is to come and tell what is due, one message for each person."""
    done = reminders.remind(turn.engine, turn.stamp, ZoneInfo(turn.settings.timezone))
    figures = {"planned": done.planned, "told": done.sent, "people": done.people, **done.reasons}
    effects = [
        Effect(effect=f"reminder.{name}", object_type="schedule", detail=str(count))
        for name, count in figures.items()
        if count
    ]
    return Outcome(found=done.sent + sum(done.reasons.values()), done=done.sent, effects=effects)


def daily_digest(turn: Turn) -> Outcome:
    """Write the mail of the day for everybody who wants one."""
    return _gathered(digests.daily(turn.engine, turn.stamp, frame_of(turn.engine, turn.settings)))


def weekly_digest(turn: Turn) -> Outcome:
    """Write the mail of the week, with figures for coordinators and fund managers."""
    return _gathered(digests.weekly(turn.engine, turn.stamp, frame_of(turn.engine, turn.settings)))


def _gathered(done: Gathered) -> Outcome:
    said = [Effect(effect="digest.written", object_type="outbox", detail=str(done.lines))] if done.digests else []
    return Outcome(found=done.digests, done=done.digests, effects=said)


def report(turn: Turn) -> Outcome:
    """Freeze the quarter that has ended, for each programme that has no report of it."""
    codes = quarter.freeze_quarter(turn.engine, turn.stamp, ZoneInfo(turn.settings.timezone))
    effects = [Effect(effect="report.frozen", object_type="programme", ref=code) for code in codes]
    return Outcome(found=len(codes), done=len(codes), effects=effects)
