"""Deliveries by hand, and a courier that needs no templates: what tests of delivering start from."""

import base64
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session

from flows.outbox import Courier, Delivered, deliver
from lifecycle.deliveries.commands import AddEndpoint
from models.clock import FixedClock
from models.db import db_now, transaction
from models.deliveries import Delivery
from models.ids import new_id
from models.journal import Claim, OutboxMessage
from models.reading import table_of
from models.states import Channel, DeliveryStatus, Role
from notifications.channels import ChatsInMemory, MailInMemory
from notifications.webhooks import WebhooksInMemory
from tests.factories import House, ids_of, key

SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
URL = "https://hooks.example.org/in"


def write_mail(row: Any) -> EmailMessage:
    """Write a mail that says its kind."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "pilotway@example.org", row.recipient, row.kind
    mail["Message-ID"], mail["X-Pilotway-Dedupe-Key"] = row.message_id, row.dedupe_key
    mail.set_content(row.facts["text"])
    return mail


def write_chat(row: Any) -> tuple[str, str]:
    """Write title and text of a chat."""
    return row.kind, row.facts["text"]


def a_courier(house: House, **values: Any) -> Courier:
    """Return a courier whose ways end in memory, unless they are given."""
    ways: dict[str, Any] = {
        "mailer": MailInMemory(),
        "chats": ChatsInMemory(),
        "webhooks": WebhooksInMemory(),
        "clock": FixedClock(house.now),
        "write_mail": write_mail,
        "write_chat": write_chat,
        "holder": "test",
        "source": "urn:uuid:test",
    }
    return Courier(**{**ways, **values})


def passed(house: House, courier: Courier) -> Delivered:
    """Deliver what is due at the present instant of the house."""
    return deliver(house.engine, courier, house.stamp())


def an_endpoint(house: House, url: str = URL) -> UUID:
    """Add an endpoint of the operator."""
    owner = house.people[Role.OPERATOR].user_id
    return ids_of(house.do(AddEndpoint(command_id=key(), url=url, owner_id=owner, secret=SECRET), by=Role.ADMIN))[0]


def deliveries(house: House, *recipients: str, channel: Channel = Channel.EMAIL, **values: Any) -> list[UUID]:
    """Write a delivery for each of these recipients, each of an outbox message that was taken out."""
    rows = [_row(house, recipient, channel, values) for recipient in recipients]
    with transaction(house.engine) as session:
        session.execute(table_of(OutboxMessage).insert(), [_message(house, row) for row in rows])
        session.execute(table_of(Delivery).insert(), rows)
    return [row["id"] for row in rows]


def _row(house: House, recipient: str, channel: Channel, values: Mapping[str, Any]) -> dict[str, Any]:
    name = key()
    return {
        "id": new_id(),
        "outbox_id": new_id(),
        "endpoint_id": UUID(recipient) if channel == Channel.WEBHOOK else None,
        "kind": "project.advanced",
        "dedupe_key": f"project.advanced:{name}",
        "channel": channel,
        "recipient": recipient,
        "language": "zh-CN",
        "facts": {"text": "下一步", "number": "PT-2025-0001"},
        "message_id": f"<{name}@pilotway>",
        "status": DeliveryStatus.WAITING,
        "not_before_at": house.now,
        "at": house.now,
        "created_at": house.now,
        **values,
    }


def _message(house: House, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["outbox_id"],
        "kind": row["kind"],
        "dedupe_key": row["dedupe_key"],
        "object_type": "project",
        "object_id": UUID(int=7),
        "facts": {},
        "status": DeliveryStatus.SENT,
        "created_at": house.now,
    }


def state_of(house: House, delivery_id: UUID) -> Any:
    """Return the row as it stands."""
    table = table_of(Delivery)
    with Session(house.engine) as session:
        return session.execute(select(table).where(table.c.id == delivery_id)).one()


def told(house: House, kind: str) -> list[Any]:
    """Return the messages of a kind that lie in the outbox."""
    table = table_of(OutboxMessage)
    with Session(house.engine) as session:
        return list(session.execute(select(table).where(table.c.kind == kind).order_by(table.c.id)))


def tries(house: House, delivery_id: UUID) -> list[tuple[int, str, str]]:
    """Return the log of a delivery: number, result, what the other side said."""
    sql = "SELECT attempt, result, detail, delivery_id FROM delivery_attempt ORDER BY attempt"
    return [(row[0], row[1], row[2]) for row in house.rows(sql) if str(row[3]) == str(delivery_id)]


def end_leases(house: House) -> None:
    """Let the leases of all claims be over."""
    with transaction(house.engine) as session:
        session.execute(update(table_of(Claim)).values(until_at=db_now()))
