"""Endpoints and what is on its way, for lists and pages. No secret is ever read here."""

from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from models.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from models.journal import OutboxMessage
from models.people import User
from models.reading import table_of
from models.states import DeliveryStatus

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
