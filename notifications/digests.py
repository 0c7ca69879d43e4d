"""Digests: what somebody wants to hear of once a day or week is one mail; the week brings figures to who runs things.

Each line of an inbox is taken into one digest; the digest and its mark on the lines are written together.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.writing import insert_rows
from models.deliveries import Delivery, Notification
from models.reading import table_of
from models.states import Channel, DeliveryStatus, Frequency
from notifications.fan_out import message_id, not_before
from notifications.figures import Figures, figures_of
from notifications.recipients import Contact, contacts_of
from notifications.render import Frame, line_of

MOST_ITEMS = 200
"""Lines of one digest; what is more waits for the next one."""
_PEOPLE = 200
_line = table_of(Notification)
_TAKE = update(_line).where(_line.c.id == bindparam("b_id")).values(digest_id=bindparam("v_digest"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What one pass made."""

    digests: int = 0
    lines: int = 0


def gather(session: Session, stamp: Stamp, frame: Frame, frequency: Frequency) -> Gathered:
    """Write the digest of the day or week for everybody who has something to hear; once for each person and day.

    What comes after it waits for the next. A few statements for two hundred people each.
    """
    figures = figures_of(session, today=stamp.today, zone=frame.zone) if frequency == Frequency.WEEKLY else None
    people = sorted({*_waiting(session, frequency), *(figures.readers() if figures else ())})
    done = Gathered()
    for start in range(0, len(people), _PEOPLE):
        chunk = people[start : start + _PEOPLE]
        some = _of_people(session, chunk, stamp, frame, frequency, figures)
        done = Gathered(digests=done.digests + some.digests, lines=done.lines + some.lines)
    return done


def _waiting(session: Session, frequency: Frequency) -> list[UUID]:
    return list(session.execute(select(_line.c.user_id).where(*_untaken(frequency)).distinct()).scalars())


def _untaken(frequency: Frequency) -> tuple[Any, ...]:
    return _line.c.digest == frequency, _line.c.digest_id.is_(None)


def _of_people(
    session: Session, people: Sequence[UUID], stamp: Stamp, frame: Frame, frequency: Frequency, figures: Figures | None
) -> Gathered:
    known = _sent(session, people, frequency, stamp.today)
    contacts = contacts_of(session, [one for one in people if key_of(frequency, one, stamp.today) not in known])
    lines: dict[UUID, list[Any]] = {}
    asked = select(_line).where(_line.c.user_id.in_(list(contacts)), *_untaken(frequency))
    for row in session.execute(asked.order_by(_line.c.created_at, _line.c.id)):
        mine = lines.setdefault(row.user_id, [])
        if len(mine) < MOST_ITEMS:
            mine.append(row)
    digests: list[dict[str, Any]] = []
    taken: list[dict[str, Any]] = []
    for user_id, person in contacts.items():
        mine = lines.get(user_id, [])
        charts = figures.charts(user_id, person.language) if figures else []
        if mine or charts:
            digest = _digest(person, mine, charts, stamp, frame, frequency)
            digests.append(digest)
            taken += [{"b_id": row.id, "v_digest": digest["id"]} for row in mine]
    insert_rows(session, Delivery, digests)
    if taken:
        session.connection().execute(_TAKE, taken)
    return Gathered(digests=len(digests), lines=len(taken))


_SPAN = {Frequency.DAILY: timedelta(days=1), Frequency.WEEKLY: timedelta(days=7)}


def key_of(frequency: Frequency, user_id: UUID, day: date) -> str:
    """Return what a digest is known by: its kind, its reader and its day."""
    return f"digest.{frequency}:{user_id}:{day.isoformat()}"


def _sent(session: Session, people: Collection[UUID], frequency: Frequency, day: date) -> set[str]:
    delivery = table_of(Delivery)
    keys = [key_of(frequency, one, day) for one in people]
    return set(session.execute(select(delivery.c.dedupe_key).where(delivery.c.dedupe_key.in_(keys))).scalars())


def _digest(
    person: Contact,
    lines: Sequence[Any],
    charts: Sequence[dict[str, Any]],
    stamp: Stamp,
    frame: Frame,
    frequency: Frequency,
) -> dict[str, Any]:
    kind, key = f"digest.{frequency}", key_of(frequency, person.user_id, stamp.today)
    earliest = min((row.created_at for row in lines), default=stamp.now).astimezone(frame.zone).date()
    since = min(earliest, stamp.today - _SPAN[frequency])
    facts = {
        "items": [{"subject": line_of(row, person.language, frame), "is_task": row.is_task} for row in lines],
        "from_on": since.isoformat(),
        "charts": list(charts),
        "you": {"name": person.name, "why": "digest", "is_task": False},
        "page": "inbox",
        "command": "pilotway notify list",
    }
    return {
        "id": stamp.new_id(),
        "outbox_id": None,
        "user_id": person.user_id,
        "endpoint_id": None,
        "kind": kind,
        "dedupe_key": key,
        "channel": Channel.EMAIL,
        "recipient": person.email,
        "language": person.language,
        "facts": facts,
        "message_id": message_id(key, Channel.EMAIL, person.email, frame),
        "status": DeliveryStatus.WAITING,
        "not_before_at": not_before(person, frame.zone, stamp.now),
        "at": stamp.now,
        "created_at": stamp.now,
    }
