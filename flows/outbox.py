"""What waits to be delivered: claim (transaction), send one after the other (none), mark (transaction).

What a mail server or a robot took is marked in small groups, everything else at once. Killed between any two lines, the
lease ends and another pass sends what was not marked again under the same ids: a receiver can tell. Who slept past the
lease marks nothing, for the fence has moved on.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from time import monotonic, sleep
from typing import Any, TypeAlias, TypeVar
from uuid import UUID, uuid5

from sqlalchemy import Engine, func, or_, select, tuple_, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session

from flows.claims import LEASE, claim_due, let_all_go, renewed
from flows.turns import never
from lifecycle.actor import Actor
from lifecycle.chart import decide
from lifecycle.commands import Stamp
from lifecycle.deliveries.chart import OBJECT_TYPE, DeliveryChart
from lifecycle.deliveries.commands import DisableEndpoint
from lifecycle.deliveries.effects import GIVEN_UP
from lifecycle.deliveries.effects import OBJECT_TYPE as WEBHOOK
from lifecycle.engine import execute
from models.clock import SKEW
from models.db import reading, run_in_transaction
from models.deliveries import ChatAddress, Delivery, DeliveryAttempt, WebhookEndpoint
from models.journal import OutboxMessage
from models.people import User
from models.ports import ChatSender, Clock, Mailer, OutsideError, Said, SendResult, WebhookSender
from models.reading import rows_by, table_of
from models.states import Channel, DeliveryStatus, EndpointStatus, UserStatus
from notifications.channels import DETAIL, Unreachable
from notifications.webhooks import GONE, cloud_event, headers_of

T = TypeVar("T")
WriteMail: TypeAlias = Callable[[Any], EmailMessage]
"""From a row of `delivery` to its mail; whatever it raises parks this one delivery."""
WriteChat: TypeAlias = Callable[[Any], tuple[str, str]]
"""The same to title and text of a chat."""

CHUNK = 50
"""Deliveries claimed at once; those that are not begun in half a lease are left to the next claim."""
GROUP = 10
"""Most deliveries that are taken and not yet marked: what a kill may repeat."""
GROUP_SECONDS = 1.0
"""No longer than this is another one begun before those are marked."""
PASS = timedelta(minutes=10)
"""A pass ends after this long (`docs/contract.md`, limits)."""
WAITS = tuple(
    timedelta(**span)
    for span in (
        {"seconds": 0},
        {"seconds": 5},
        {"minutes": 5},
        {"minutes": 30},
        *({"hours": hours} for hours in (2, 5, 10, 14, 20, 24)),
    )
)
"""How long is waited before the first try, the second … the tenth (`docs/contract.md`, webhooks)."""
TRIES = len(WAITS)
_AWAY_SECONDS = 0.5
"""How long a database that is away is left alone."""
_SPACE = UUID("5b0f8f0e-7c61-5d0e-9d5c-0b8a3f6c2d17")
_WAITS = table_of(Delivery).c.status == DeliveryStatus.WAITING
_EVENT = {Said.ACCEPTED: "send", Said.REFUSED: "fail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """How this process delivers: by which ways, in which words, for how long it claims."""

    mailer: Mailer
    chats: ChatSender
    webhooks: WebhookSender
    clock: Clock
    write_mail: WriteMail
    write_chat: WriteChat
    holder: str
    source: str
    """What webhooks come from: a URI of this installation."""
    lease: timedelta = LEASE


@dataclass(slots=True, kw_only=True)
class Delivered:
    """What a pass did."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    postponed: int = 0
    """Tries that failed for now."""
    late: int = 0
    """Tries whose claim had ended: somebody else has the delivery, and marks it."""
    waiting: int = 0
    """What waits when the pass is over."""


class _Unwritable(OutsideError):
    """A message that its template cannot put in words now; a later release may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Deliveries that we claimed, and what is needed to send them."""

    rows: list[Any]
    endpoints: Mapping[UUID, Any] = field(default_factory=dict)
    messages: Mapping[UUID, Any] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """What became of one try. Without `said` nothing was taken, and a later try may be."""

    said: Said | None
    detail: str
    is_unreachable: bool = False

    @property
    def result(self) -> str:
        """The word of the delivery log."""
        return self.said or "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """How long a pass goes on, and by which ways nobody is there now."""

    is_asked_to_end: Callable[[], bool]
    down: set[Channel] = field(default_factory=set)
    ends_at: float = field(default_factory=lambda: monotonic() + PASS.total_seconds())

    def is_over(self) -> bool:
        return monotonic() >= self.ends_at or self.is_asked_to_end()


def deliver(
    engine: Engine,
    courier: Courier,
    stamp: Stamp,
    *,
    only: UUID | None = None,
    is_over: Callable[[], bool] = never,
) -> Delivered:
    """Deliver all that is due (or this one), the oldest first; one that cannot be sent stops nobody.

    Asked to end, it ends behind the one that is being sent.
    """
    done, ours = Delivered(), _Pass(is_asked_to_end=is_over)
    while not ours.is_over():
        chunk = run_in_transaction(engine, lambda session: _claimed(session, courier, stamp, ours.down, only))
        if not chunk.rows:
            break
        _deliver_chunk(engine, courier, stamp, chunk, ours=ours, done=done)
    with reading(engine) as session:
        delivery = table_of(Delivery)
        waiting = select(func.count()).where(delivery.c.status == DeliveryStatus.WAITING)
        done.waiting = session.execute(waiting).scalar_one()
    return done


def _refuse_disabled(session: Session, stamp: Stamp) -> None:
    """What waits for a disabled endpoint or account is not sent: whoever left meanwhile is told nothing more.

    `webhook replay` and `outbox retry` send it when they are there again.
    """
    delivery, endpoint, user = table_of(Delivery), table_of(WebhookEndpoint), table_of(User)
    endpoints = select(endpoint.c.id).where(endpoint.c.status == EndpointStatus.DISABLED)
    accounts = select(user.c.id).where(user.c.status == UserStatus.DISABLED)
    for disabled in (delivery.c.endpoint_id.in_(endpoints), delivery.c.user_id.in_(accounts)):
        waits = (delivery.c.status == DeliveryStatus.WAITING, disabled)
        session.execute(update(delivery).where(*waits).values(status=DeliveryStatus.FAILED, at=stamp.now))


def _claimed(session: Session, courier: Courier, stamp: Stamp, down: set[Channel], only: UUID | None) -> _Chunk:
    _refuse_disabled(session, stamp)
    delivery = table_of(Delivery)
    # What a clock that ran ahead has put off for years is due as well.
    is_due = or_(delivery.c.not_before_at <= stamp.now, delivery.c.at > stamp.now + SKEW)
    due = select(delivery).where(delivery.c.status == DeliveryStatus.WAITING, is_due)
    if only is not None:
        due = due.where(delivery.c.id == only)
    if down:
        due = due.where(delivery.c.channel.not_in(sorted(down)))
    due = due.order_by(delivery.c.not_before_at).limit(CHUNK)
    rows = claim_due(session, Delivery, due, holder=courier.holder, lease=courier.lease)
    chats = [UUID(row.recipient) for row in rows if row.channel not in (Channel.EMAIL, Channel.WEBHOOK)]
    addresses = rows_by(session, ChatAddress, "id", chats)
    return _Chunk(
        rows=rows,
        endpoints=_by_id(session, WebhookEndpoint, [row.endpoint_id for row in rows if row.endpoint_id]),
        messages=_by_id(session, OutboxMessage, [row.outbox_id for row in rows if row.endpoint_id and row.outbox_id]),
        addresses={str(one): row.url for one, (row,) in addresses.items()},
    )


def _by_id(session: Session, model: Any, ids: list[UUID]) -> dict[UUID, Any]:
    return {one: row for one, (row,) in rows_by(session, model, "id", ids).items()}


def _deliver_chunk(
    engine: Engine, courier: Courier, stamp: Stamp, chunk: _Chunk, *, ours: _Pass, done: Delivered
) -> None:
    """Send one after the other and mark. Who does not answer is left alone, and keeps nobody else waiting."""
    claimed_at, quiet, taken, down = monotonic(), set[UUID](), _Taken(), ours.down
    left = {row.id: row.fence for row in chunk.rows}
    with renewed(engine, OBJECT_TYPE, dict(left), lease=courier.lease), courier.mailer.many() as mailer:
        for place, row in enumerate(chunk.rows):
            if place and (ours.is_over() or monotonic() - claimed_at > courier.lease.total_seconds() / 2):
                break
            if row.channel in down or row.endpoint_id in quiet:
                continue
            if taken.is_full:
                taken = _settle(engine, courier, stamp, taken, done)
            tried = _tried(replace(courier, mailer=mailer), chunk, row)
            del left[row.id]
            if tried.said is Said.ACCEPTED and row.endpoint_id is None:
                taken.add(row, tried)
                continue
            _counted(done, _kept(engine, courier, _marking(courier, row, tried, stamp)))
            if tried.is_unreachable:
                down.add(row.channel)
            if row.endpoint_id is not None and tried.said is not Said.ACCEPTED:
                quiet.add(row.endpoint_id)
        _settle(engine, courier, stamp, taken, done)
    if left:
        run_in_transaction(engine, lambda session: let_all_go(session, OBJECT_TYPE, left))


@dataclass(slots=True)
class _Taken:
    """Deliveries that the other side took and that are not marked yet."""

    tries: list[tuple[Any, _Try]] = field(default_factory=list)
    since: float = 0.0

    def add(self, row: Any, tried: _Try) -> None:
        self.since = self.since if self.tries else monotonic()
        self.tries.append((row, tried))

    @property
    def is_full(self) -> bool:
        """Say whether they are to be marked before another one is begun."""
        return bool(self.tries) and (len(self.tries) >= GROUP or monotonic() - self.since > GROUP_SECONDS)


def _settle(engine: Engine, courier: Courier, stamp: Stamp, taken: _Taken, done: Delivered) -> _Taken:
    """Mark what was taken; what somebody else has by now is counted as late. Return an empty group."""
    if taken.tries:
        at = max(courier.clock.now(), stamp.now)
        count = _kept(engine, courier, lambda session: _sent_marked(session, taken.tries, at))
        done.sent += count
        done.late += len(taken.tries) - count
    return _Taken()


def _kept(engine: Engine, courier: Courier, work: Callable[[Session], T]) -> T:
    """Write down what the other side said, for half a lease also while the database is away: nobody else knows it."""
    until = monotonic() + courier.lease.total_seconds() / 2
    while True:
        try:
            return run_in_transaction(engine, work)
        except (OperationalError, InterfaceError):
            if monotonic() >= until:
                raise
            sleep(_AWAY_SECONDS)


def _sent_marked(session: Session, tries: Sequence[tuple[Any, _Try]], at: datetime) -> int:
    """Mark these as sent where their claims are still ours; return how many they were."""
    delivery = table_of(Delivery)
    sent = _next(tries[0][1], 1)
    fences = {row.id: row.fence for row, _ in tries}
    ours = (tuple_(delivery.c.id, delivery.c.fence).in_(list(fences.items())), _WAITS)
    values = {"status": sent, "attempts": delivery.c.attempts + 1, "not_before_at": at, "at": at}
    marked = session.execute(update(delivery).where(*ours).values(**values).returning(delivery.c.id))
    ids = set(marked.scalars())
    log = [
        {"delivery_id": row.id, "attempt": row.attempts + 1, "result": tried.result, "detail": tried.detail, "at": at}
        for row, tried in tries
        if row.id in ids
    ]
    if log:
        session.execute(table_of(DeliveryAttempt).insert(), log)
        let_all_go(session, OBJECT_TYPE, {one: fences[one] for one in ids})
    return len(log)


def _counted(done: Delivered, status: DeliveryStatus | None) -> None:
    word = {None: "late", DeliveryStatus.WAITING: "postponed"}.get(status, str(status))
    setattr(done, word, getattr(done, word) + 1)


def _tried(courier: Courier, chunk: _Chunk, row: Any) -> _Try:
    """Send one delivery; whatever happens is an answer."""
    try:
        result = _sent(courier, chunk, row)
    except OutsideError as error:
        return _Try(said=None, detail=str(error)[:DETAIL], is_unreachable=isinstance(error, Unreachable))
    except Exception as error:  # noqa: BLE001 - what a library says besides holds nobody else back; it may name secrets
        return _Try(said=None, detail=type(error).__name__)
    return _Try(said=result.said, detail=result.detail[:DETAIL])


def _sent(courier: Courier, chunk: _Chunk, row: Any) -> SendResult:
    if row.channel == Channel.WEBHOOK:
        return _called(courier, chunk, row)
    if row.channel == Channel.EMAIL:
        return courier.mailer.send(_written(courier.write_mail, row))
    if row.recipient not in chunk.addresses:
        return SendResult(Said.REFUSED, "address_gone")
    return courier.chats.post(chunk.addresses[row.recipient], *_written(courier.write_chat, row))


def _written(write: Callable[[Any], T], row: Any) -> T:
    try:
        return write(row)
    except Exception as error:
        # Whatever is wrong with one message parks it, with the reason, and stops no other.
        raise _Unwritable(f"cannot be written: {type(error).__name__}: {error}") from error


def _called(courier: Courier, chunk: _Chunk, row: Any) -> SendResult:
    """Sign with the present instant: a receiver refuses what is minutes old."""
    endpoint, message = chunk.endpoints[row.endpoint_id], chunk.messages.get(row.outbox_id)
    event_id = str(row.outbox_id or row.id)
    body = cloud_event(
        event_id=event_id,
        source=courier.source,
        kind=row.kind,
        at=message.created_at if message else row.created_at,
        object_type=message.object_type if message else WEBHOOK,
        object_id=str(message.object_id if message else endpoint.id),
        facts=row.facts,
    )
    secrets = filter(None, (endpoint.secret, endpoint.old_secret))
    return courier.webhooks.post(endpoint.url, headers_of(event_id, courier.clock.now(), body, secrets), body)


def _marking(courier: Courier, row: Any, tried: _Try, stamp: Stamp) -> Callable[[Session], DeliveryStatus | None]:
    at = max(courier.clock.now(), stamp.now)
    return lambda session: _marked(session, row, tried, replace(stamp, now=at, actor=Actor.clock()))


def _marked(session: Session, row: Any, tried: _Try, stamp: Stamp) -> DeliveryStatus | None:
    """Write down what became of a try; None where the claim had ended: then nothing is written."""
    delivery = table_of(Delivery)
    failures = _failures(session, row, tried)
    attempts = row.attempts + 1
    status = _next(tried, attempts)
    later = stamp.now
    if status == DeliveryStatus.WAITING:
        later += wait_of(row.id, min(failures or attempts % TRIES, TRIES - 1), attempts)
    ours = (delivery.c.id == row.id, delivery.c.fence == row.fence, _WAITS)
    values = {"status": status, "attempts": attempts, "not_before_at": later, "at": stamp.now}
    result: Any = session.execute(update(delivery).where(*ours).values(**values))
    if result.rowcount != 1:
        return None
    log = {"delivery_id": row.id, "attempt": attempts, "result": tried.result, "detail": tried.detail, "at": stamp.now}
    session.execute(table_of(DeliveryAttempt).insert().values(**log))
    let_all_go(session, OBJECT_TYPE, {row.id: row.fence})
    if row.endpoint_id is not None:
        _endpoint_marked(session, row, tried, failures, later, stamp)
    if status == DeliveryStatus.GIVEN_UP or (status == DeliveryStatus.FAILED and row.endpoint_id is None):
        _tell_operators(session, row, tried, status, attempts, stamp)
    return status


def _next(tried: _Try, attempts: int) -> DeliveryStatus:
    event = _EVENT.get(tried.said) if tried.said else None
    if event is None and attempts % TRIES == 0:  # whoever lets it be tried again gives it ten more
        event = "give_up"
    if event is None:
        return DeliveryStatus.WAITING
    return DeliveryStatus(decide(DeliveryChart, str(DeliveryStatus.WAITING), event, None))


def wait_of(delivery_id: UUID, failed: int, attempts: int) -> timedelta:
    """Return how long is waited after so many failures in a row: the table, and up to a tenth more.

    What is added hangs on the delivery and the try: what failed together does not come back together, and a repeat of
    the same history waits the same.
    """
    digest = hashlib.sha256(f"{delivery_id}:{attempts}".encode()).digest()
    return WAITS[failed] * (1 + int.from_bytes(digest[:2], "big") / 655_360)


def _failures(session: Session, row: Any, tried: _Try) -> int:
    """Lock the endpoint, before the delivery as its verbs do; return its failures in a row with this try."""
    if row.endpoint_id is None:
        return 0
    endpoint = table_of(WebhookEndpoint)
    locked = select(endpoint.c.failures).where(endpoint.c.id == row.endpoint_id).with_for_update()
    before: int = session.execute(locked).scalar_one()
    return 0 if tried.said is Said.ACCEPTED else before + 1


def _endpoint_marked(session: Session, row: Any, tried: _Try, failures: int, later: datetime, stamp: Stamp) -> None:
    """Count what failed in a row; leave the endpoint alone as a whole meanwhile; disable it when it is gone."""
    endpoint, delivery = table_of(WebhookEndpoint), table_of(Delivery)
    session.execute(update(endpoint).where(endpoint.c.id == row.endpoint_id).values(failures=failures))
    is_gone = tried.said is Said.REFUSED and tried.detail == GONE
    if is_gone or failures >= TRIES:
        command = DisableEndpoint(
            command_id=str(uuid5(_SPACE, f"disable:{row.id}:{row.attempts + 1}")),
            webhook_id=row.endpoint_id,
            reason=tried.detail,
        )
        execute(session, [command], stamp=stamp)  # refused where somebody disabled it meanwhile
    elif failures:
        others = (delivery.c.endpoint_id == row.endpoint_id, delivery.c.status == DeliveryStatus.WAITING)
        sooner = delivery.c.not_before_at < later
        session.execute(update(delivery).where(*others, sooner).values(not_before_at=later, at=stamp.now))


def _tell_operators(
    session: Session, row: Any, tried: _Try, status: DeliveryStatus, attempts: int, stamp: Stamp
) -> None:
    """Leave one message about what did not arrive; of such a message itself nothing more is told."""
    if row.kind == GIVEN_UP:
        return
    facts = {
        "kind": row.kind,
        "channel": str(row.channel),
        "recipient": row.recipient,
        "status": str(status),
        "attempts": attempts,
        "detail": tried.detail,
    }
    message = {
        "id": stamp.new_id(),
        "kind": GIVEN_UP,
        "dedupe_key": f"{GIVEN_UP}:{row.id}:{attempts}",
        "object_type": OBJECT_TYPE,
        "object_id": row.id,
        "facts": facts,
        "status": DeliveryStatus.WAITING,
        "created_at": stamp.now,
    }
    session.execute(table_of(OutboxMessage).insert().values(**message))
