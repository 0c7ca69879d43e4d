"""Endpoints and what is on its way, for lists and pages. No secret is ever read here."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from models.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from models.journal import OutboxMessage
from models.people import User
from models.reading import table_of
from models.states import DeliveryStatus, EndpointStatus

SHOWN = 200
"""Rows of one list (`docs/contract.md`, limits)."""


def endpoints(session: Session) -> list[dict[str, Any]]:
    """Return the endpoints by address, with how many messages wait for each."""
    endpoint, user, delivery = table_of(WebhookEndpoint), table_of(User), table_of(Delivery)
    waiting = (
        select(func.count())
        .where(delivery.c.endpoint_id == endpoint.c.id, delivery.c.status == DeliveryStatus.WAITING)
        .scalar_subquery()
        .label("waiting")
    )
    columns = (endpoint.c.id, endpoint.c.url, endpoint.c.types, endpoint.c.status, endpoint.c.failures)
    rotating = endpoint.c.old_secret.is_not(None).label("is_rotating")
    statement = (
        select(*columns, rotating, user.c.login.label("owner"), waiting)
        .join(user, user.c.id == endpoint.c.owner_id)
        .order_by(endpoint.c.url)
    )
    return [dict(row) for row in session.execute(statement).mappings()]


def on_the_way(session: Session, status: DeliveryStatus | None = None) -> list[dict[str, Any]]:
    """Return what has not arrived (or what has this status), the oldest first: messages to take out, then deliveries.

    Each with what the other side said last.
    """
    delivery, message, attempt = table_of(Delivery), table_of(OutboxMessage), table_of(DeliveryAttempt)
    said = (
        select(attempt.c.detail)
        .where(attempt.c.delivery_id == delivery.c.id)
        .order_by(attempt.c.attempt.desc())
        .limit(1)
        .scalar_subquery()
        .label("said")
    )
    wanted = [status] if status is not None else [one for one in DeliveryStatus if one != DeliveryStatus.SENT]
    ways = select(
        delivery.c.id,
        delivery.c.kind,
        delivery.c.channel,
        delivery.c.recipient,
        delivery.c.status,
        delivery.c.attempts,
        delivery.c.not_before_at,
        said,
        delivery.c.created_at,
    ).where(delivery.c.status.in_(wanted))
    rows = [dict(row) for row in session.execute(ways.order_by(delivery.c.created_at).limit(SHOWN)).mappings()]
    if status is not DeliveryStatus.SENT:
        kept = select(message.c.id, message.c.kind, message.c.status, message.c.attempts, message.c.created_at)
        kept = kept.where(message.c.status.in_(wanted)).order_by(message.c.created_at).limit(SHOWN)
        empty = {"channel": None, "recipient": "", "not_before_at": None, "said": ""}
        rows += [{**empty, **dict(row)} for row in session.execute(kept).mappings()]
    return sorted(rows, key=lambda row: (row["created_at"], str(row["id"])))[:SHOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the outbox and the endpoints stand."""

    waiting: int
    """Messages that nobody took out yet, and deliveries that are due or wait for another try."""
    oldest_at: datetime | None
    """When the oldest message was written that nobody took out yet."""
    failed: int
    given_up: int
    endpoints: int
    disabled: int


_UNSENT = tuple(one for one in DeliveryStatus if one is not DeliveryStatus.SENT)
"""Named one by one, so that an index finds the few among all that was sent."""


def tally(session: Session) -> Tally:
    """Return how many messages wait, failed and were given up, and how many endpoints there are; three reads."""
    counts: Counter[str] = Counter()
    for model in (Delivery, OutboxMessage):
        table = table_of(model)
        unsent = select(table.c.status, func.count()).where(table.c.status.in_(_UNSENT))
        for status, count in session.execute(unsent.group_by(table.c.status)):
            counts[str(status)] += count
    box, endpoint = table_of(OutboxMessage), table_of(WebhookEndpoint)
    oldest = session.execute(select(func.min(box.c.created_at)).where(box.c.status == DeliveryStatus.WAITING)).scalar()
    ends = dict(session.execute(select(endpoint.c.status, func.count()).group_by(endpoint.c.status)).tuples().all())
    return Tally(
        waiting=counts[DeliveryStatus.WAITING],
        oldest_at=oldest,
        failed=counts[DeliveryStatus.FAILED],
        given_up=counts[DeliveryStatus.GIVEN_UP],
        endpoints=sum(ends.values()),
        disabled=ends.get(EndpointStatus.DISABLED, 0),
    )


def tries(session: Session, endpoint_id: UUID, *, limit: int = SHOWN) -> list[dict[str, Any]]:
    """Return the newest deliveries to an endpoint, each with what the other side said last."""
    delivery, attempt = table_of(Delivery), table_of(DeliveryAttempt)
    last = (
        select(attempt.c.detail)
        .where(attempt.c.delivery_id == delivery.c.id)
        .order_by(attempt.c.attempt.desc())
        .limit(1)
        .scalar_subquery()
        .label("said")
    )
    columns = (delivery.c.id, delivery.c.outbox_id, delivery.c.kind, delivery.c.status, delivery.c.attempts)
    statement = select(*columns, delivery.c.at, last).where(delivery.c.endpoint_id == endpoint_id)
    rows = session.execute(statement.order_by(delivery.c.created_at.desc(), delivery.c.id).limit(limit))
    return [dict(row) for row in rows.mappings()]
