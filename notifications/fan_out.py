"""From the outbox to inboxes and ways out: a line for each person, a delivery for each way that they want.

Written in the transaction that takes the message out; a repeat adds nothing, for every row has its key. A message that
cannot be rendered is parked with its reason and holds nobody else back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Stamp
from lifecycle.deliveries.rules import is_told
from models.db import is_sqlite
from models.deliveries import Delivery, Notification, WebhookEndpoint
from models.journal import OutboxMessage
from models.reading import table_of
from models.states import Channel, DeliveryStatus, EndpointStatus, Frequency
from notifications.messages import kind_of
from notifications.recipients import Contact, Recipient, recipients
from notifications.render import Frame, Unreadable, compose
from notifications.subjects import About, about_all

TRIES = 10
"""A message that cannot be told is given up after so many passes, and the operators get a task."""

Row: TypeAlias = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Fanned:
    """What became of a chunk of the outbox."""

    sent: int = 0
    notifications: int = 0
    deliveries: int = 0
    parked: dict[UUID, str] = field(default_factory=dict)
    """Message -> why it cannot be told."""


def waiting(session: Session, *, limit: int, after: Any = None) -> list[Any]:
    """Return the oldest messages that nobody has told yet, locked; those that another process has are passed over.

    `after` is the last one that this pass has seen: what it could not tell is tried again by the next pass.
    """
    box = table_of(OutboxMessage)
    untold = box.c.status.in_((DeliveryStatus.WAITING, DeliveryStatus.FAILED))
    if after is not None:
        newer = or_(
            box.c.created_at > after.created_at, and_(box.c.created_at == after.created_at, box.c.id > after.id)
        )
        untold = and_(untold, newer)
    statement = select(box).where(untold).order_by(box.c.created_at, box.c.id).limit(limit)
    return list(session.execute(statement.with_for_update(skip_locked=True)))


def fan_out(session: Session, rows: Sequence[Any], frame: Frame, stamp: Stamp) -> Fanned:
    """Tell these outbox rows: write inbox lines and deliveries, and mark each row as sent or parked.

    The number of statements does not grow with the rows.
    """
    done = Fanned()
    if not rows:
        return done
    abouts, problems = _abouts(session, rows, stamp)
    known = [row for row in rows if row.id in abouts]
    told = recipients(session, known, abouts, today=stamp.today)
    endpoints = _endpoints(session)
    lines: list[Row] = []
    ways: list[Row] = []
    for row in known:
        try:
            mine = _ways(row, abouts[row.id], told[row.id], frame, stamp)
            mine += _letters(row, abouts[row.id], frame, stamp)
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with one message stops no other
            problems[row.id] = (
                str(problem) if isinstance(problem, Unreadable) else f"{type(problem).__name__}: {problem}"
            )
            continue
        ways += mine
        ways += _calls(row, abouts[row.id], endpoints, frame, stamp)
        lines += [_line(row, abouts[row.id], one, stamp) for one in told[row.id]]
    done.notifications = _insert_new(session, Notification, lines)
    done.deliveries = _insert_new(session, Delivery, ways)
    done.parked = problems
    done.sent = len(rows) - len(problems)
    _mark(session, rows, problems, stamp)
    return done


def _abouts(session: Session, rows: Sequence[Any], stamp: Stamp) -> tuple[dict[UUID, About], dict[UUID, str]]:
    """Return what the rows are about; a kind that nobody knows is a problem of its row alone."""
    problems: dict[UUID, str] = {}
    for row in rows:
        try:
            kind_of(row.kind)
        except KeyError:
            problems[row.id] = f"{row.kind}: no such kind"
    known = [row for row in rows if row.id not in problems]
    return about_all(session, known, stamp, problems), problems


def _line(row: Any, about: About, one: Recipient, stamp: Stamp) -> Row:
    """Return the line of one inbox."""
    return {
        "id": stamp.new_id(),
        "outbox_id": row.id,
        "user_id": one.contact.user_id,
        "kind": row.kind,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "why": one.why,
        "is_task": one.is_task,
        "facts": dict(about.facts),
        "digest": one.contact.wants(Channel.EMAIL, row.kind, one.mail),
        "digest_id": None,
        "read_at": None,
        "created_at": stamp.now,
    }


def _ways(row: Any, about: About, told: Iterable[Recipient], frame: Frame, stamp: Stamp) -> list[Row]:
    """Return a delivery for each way that each person wants to be told at once; `Unreadable` when one cannot be."""
    ways: list[Row] = []
    tried: set[tuple[str, bool]] = set()
    for one in told:
        person = one.contact
        facts = {**about.facts, "you": {"name": person.name, "why": one.why, "is_task": one.is_task}}
        if (person.language, one.is_task) not in tried:  # who cannot be told wholly is not told by halves
            compose(row.kind, facts, person.language, frame)
            tried.add((person.language, one.is_task))
        at = not_before(person, frame.zone, stamp.now)
        for channel, address in _wanted(row.kind, one):
            way = _delivery(row, channel, address, frame, stamp)
            ways.append(
                {**way, "user_id": person.user_id, "language": person.language, "facts": facts, "not_before_at": at}
            )
    return ways


def _letters(row: Any, about: About, frame: Frame, stamp: Stamp) -> list[Row]:
    """Return the one mail of a letter, at once, for its link runs out soon; `Unreadable` when it cannot be."""
    to = about.letter
    if to is None:
        return []
    facts = {**about.facts, "you": {"name": to.name, "why": to.why, "is_task": True}}
    compose(row.kind, facts, to.language, frame)
    way = _delivery(row, Channel.EMAIL, to.email, frame, stamp)
    return [{**way, "user_id": to.user_id, "language": to.language, "facts": facts}]


def _wanted(kind: str, one: Recipient) -> Iterable[tuple[Channel, str]]:
    """Yield the ways by which this person is told at once; a robot is told what is mailed at once, if nothing else."""
    person = one.contact
    if person.wants(Channel.EMAIL, kind, one.mail) is Frequency.IMMEDIATE:
        yield Channel.EMAIL, person.email
    for channel, address_id in sorted(person.chats.items()):
        if person.wants(channel, kind, one.mail) is Frequency.IMMEDIATE:
            yield channel, str(address_id)


def _calls(row: Any, about: About, endpoints: Sequence[Any], frame: Frame, stamp: Stamp) -> list[Row]:
    """Return a delivery for each program that wants to be told of this kind. It is told little: who may see reads."""
    thin = {name: about.facts[name] for name in ("number", "project", "page") if about.facts.get(name)}
    return [
        {**_delivery(row, Channel.WEBHOOK, str(one.id), frame, stamp), "endpoint_id": one.id, "facts": thin}
        for one in endpoints
        if is_told(one.types, row.kind)
    ]


def _delivery(row: Any, channel: Channel, recipient: str, frame: Frame, stamp: Stamp) -> Row:
    return {
        "id": stamp.new_id(),
        "outbox_id": row.id,
        "user_id": None,
        "endpoint_id": None,
        "kind": row.kind,
        "dedupe_key": row.dedupe_key,
        "channel": channel,
        "recipient": recipient,
        "language": "en",
        "facts": {},
        "message_id": message_id(row.dedupe_key, channel, recipient, frame),
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "fence": 0,
        "not_before_at": stamp.now,
        "at": stamp.now,
        "created_at": stamp.now,
    }


def message_id(dedupe_key: str, channel: str, recipient: str, frame: Frame) -> str:
    """Return the Message-ID of a delivery: it hangs on nothing but its key, so that a repeat can be told."""
    return f"<{sha256(f'{dedupe_key}:{channel}:{recipient}')[:40]}@{frame.database_id}.pilotway>"


def not_before(person: Contact, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when somebody may be told: now, or when their quiet hours end on the clock of the place where they are.

    Quiet hours may pass midnight. An end that comes twice in the night counts when it comes last; one that the
    change to summer time leaves out counts as long after midnight as it would have been.
    """
    if person.quiet_from is None or person.quiet_until is None:
        return now
    place = _place(person, zone)
    begin, end = time.fromisoformat(person.quiet_from), time.fromisoformat(person.quiet_until)
    local = now.astimezone(place)
    clock = local.time()
    is_quiet = begin <= clock < end if begin <= end else clock >= begin or clock < end
    if not is_quiet:
        return now
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    ends = (datetime.combine(day, end.replace(fold=fold), place).astimezone(UTC) for fold in (0, 1))
    return max(*ends, now)


def _place(person: Contact, zone: ZoneInfo) -> ZoneInfo:
    """Return whose clock counts; a zone that this machine does not know (yet) is that of the installation."""
    try:
        return ZoneInfo(person.timezone) if person.timezone else zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return zone


def _endpoints(session: Session) -> Sequence[Any]:
    endpoint = table_of(WebhookEndpoint)
    statement = select(endpoint.c.id, endpoint.c.types).where(endpoint.c.status == EndpointStatus.ACTIVE)
    return session.execute(statement.order_by(endpoint.c.id)).all()


def _insert_new(session: Session, table: Any, rows: Sequence[Row]) -> int:
    """Insert what is not there yet, whatever its key; return how many there were to insert."""
    if rows:
        dialect: Any = sqlite if is_sqlite(session) else postgresql
        session.connection().execute(dialect.insert(table_of(table)).on_conflict_do_nothing(), list(rows))
    return len(rows)


def _mark(session: Session, rows: Sequence[Any], problems: Mapping[UUID, str], stamp: Stamp) -> None:
    """Mark the rows that were told, count the tries of those that cannot be, and give up on the tenth."""
    box = table_of(OutboxMessage)
    for status, ids in _marks(rows, problems).items():
        values = {"status": status, "attempts": box.c.attempts + 1}
        session.execute(update(box).where(box.c.id.in_(ids)).values(**values))
    given_up = [row for row in rows if row.id in problems and _is_last_try(row)]
    _insert_new(session, OutboxMessage, [_task(row, problems[row.id], stamp) for row in given_up])


def _marks(rows: Sequence[Any], problems: Mapping[UUID, str]) -> dict[DeliveryStatus, list[UUID]]:
    found: dict[DeliveryStatus, list[UUID]] = {}
    for row in rows:
        status = DeliveryStatus.SENT
        if row.id in problems:
            status = DeliveryStatus.GIVEN_UP if _is_last_try(row) else DeliveryStatus.FAILED
        found.setdefault(status, []).append(row.id)
    return found


def _is_last_try(row: Any) -> bool:
    """Say whether no try is left; whoever lets it be tried again gives it ten more."""
    return (row.attempts + 1) % TRIES == 0  # type: ignore[no-any-return]


def _task(row: Any, problem: str, stamp: Stamp) -> Row:
    """Return the message to the operators that something could not be told."""
    kind = "delivery.given_up"
    facts = {"kind": row.kind, "channel": "outbox", "recipient": "", "attempts": row.attempts + 1, "detail": problem}
    return {
        "id": stamp.new_id(),
        "kind": kind,
        "dedupe_key": f"{kind}:{row.id}:{row.attempts + 1}",
        "object_type": "outbox",
        "object_id": row.id,
        "facts": facts,
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "fence": 0,
        "created_at": stamp.now,
    }
