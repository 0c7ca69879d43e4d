"""Recipes of webhook endpoints, of what was not delivered and of schedules (see `recipes.py`)."""

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lifecycle.deliveries import commands as delivery
from lifecycle.schedules import commands as schedules
from models.db import transaction
from models.deliveries import Delivery
from models.ids import new_id
from models.journal import OutboxMessage
from models.reading import table_of
from models.states import Channel, DeliveryStatus, Role
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.recipes import Made, add_user, recipe

SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
NEW_SECRET = f"whsec_{base64.b64encode(b'n' * 32).decode()}"


@recipe("webhook.add", by=Role.ADMIN)
def add_endpoint(house: House, count: int) -> Made:
    owner = house.people[Role.OPERATOR].user_id
    return [
        delivery.AddEndpoint(
            command_id=key(),
            url=f"https://hooks.example.org/{key()}",
            owner_id=owner,
            secret=SECRET,
            types=("payout.*",),
        )
        for _ in range(count)
    ]


def endpoints(house: House, count: int) -> list[UUID]:
    """Add so many endpoints."""
    return make.ids_of(house.do(*add_endpoint(house, count)))


@recipe("webhook.disable", by=Role.OPERATOR, tells="webhook.disabled")
def disable(house: House, count: int) -> Made:
    return [
        delivery.DisableEndpoint(command_id=key(), webhook_id=one, reason="moved") for one in endpoints(house, count)
    ]


@recipe("webhook.enable", by=Role.OPERATOR)
def enable(house: House, count: int) -> Made:
    disabled = disable(house, count)
    house.do(*disabled)
    return [
        delivery.EnableEndpoint(command_id=key(), webhook_id=one.webhook_id)
        for one in disabled
        if isinstance(one, delivery.DisableEndpoint)
    ]


@recipe("webhook.rotate", by=Role.ADMIN)
def rotate(house: House, count: int) -> Made:
    return [
        delivery.RotateSecret(command_id=key(), webhook_id=one, secret=NEW_SECRET) for one in endpoints(house, count)
    ]


@recipe("webhook.end_rotation", by=Role.ADMIN)
def end_rotation(house: House, count: int) -> Made:
    rotated = rotate(house, count)
    house.do(*rotated)
    return [
        delivery.EndRotation(command_id=key(), webhook_id=one.webhook_id)
        for one in rotated
        if isinstance(one, delivery.RotateSecret)
    ]


@recipe("webhook.ping", by=Role.OPERATOR)
def ping(house: House, count: int) -> Made:
    return [delivery.Ping(command_id=key(), webhook_id=one) for one in endpoints(house, count)]


@recipe("webhook.replay", by=Role.OPERATOR)
def replay(house: House, count: int) -> Made:
    """One message was told each endpoint, one it missed, one waits anyhow, one is of another kind.

    They have an instant of their own: a house that many recipes share holds more messages of now than one act takes.
    """
    found, at = endpoints(house, count), house.now - timedelta(days=400)
    told, *_ = messages(house, "payout.paid", "payout.returned", "project.advanced", at=at)
    messages(house, "payout.paid", status=DeliveryStatus.WAITING, at=at)
    with transaction(house.engine) as session:
        rows = [_delivery(house, told, one, DeliveryStatus.SENT) for one in found]
        session.execute(table_of(Delivery).insert(), rows)
    return [delivery.Replay(command_id=key(), webhook_id=one, since_at=at, until_at=at) for one in found]


@recipe("outbox.retry", by=Role.OPERATOR)
def retry(house: House, count: int) -> Made:
    return [
        delivery.RetryMessages(command_id=key(), user_id=user, message_ids=ids, reason="the address is right now")
        for user, ids in _undelivered(house, count, DeliveryStatus.FAILED)
    ]


@recipe("outbox.drop", by=Role.OPERATOR)
def drop(house: House, count: int) -> Made:
    return [
        delivery.DropMessages(command_id=key(), user_id=user, message_ids=ids, reason="nobody reads it any more")
        for user, ids in _undelivered(house, count, DeliveryStatus.WAITING)
    ]


@recipe("schedule.pause", by=Role.OPERATOR)
def pause_schedule(house: House, count: int) -> Made:
    return [schedules.PauseSchedule(**one, until_on=house.today) for one in _about_schedules(house, count)]


@recipe("schedule.resume", by=Role.OPERATOR)
def resume_schedule(house: House, count: int) -> Made:
    found = _about_schedules(house, count)
    pauses = (schedules.PauseSchedule(**{**one, "command_id": key()}, until_on=house.today) for one in found)
    house.do(*pauses, by=Role.OPERATOR)
    return [schedules.ResumeSchedule(**one) for one in found]


@recipe("schedule.request", by=Role.OPERATOR)
def request_run(house: House, count: int) -> Made:
    return [schedules.RequestRun(**one) for one in _about_schedules(house, count)]


def _about_schedules(house: House, count: int) -> list[dict[str, Any]]:
    """Return so many accounts, each with a schedule of its own."""
    users = make.ids_of(house.do(*add_user(house, count)))
    return [{"command_id": key(), "user_id": one, "schedule": key(), "reason": "the disk is slow"} for one in users]


def _undelivered(house: House, count: int, status: DeliveryStatus) -> list[tuple[UUID, tuple[UUID, ...]]]:
    """Return so many accounts, each with a delivery that did not go out, and the message that it is of."""
    users = make.ids_of(house.do(*add_user(house, count)))
    kept = messages(house, *["payout.paid"] * count, status=status)
    (endpoint,) = endpoints(house, 1)
    rows = [_delivery(house, one, endpoint, status) for one in kept]
    with transaction(house.engine) as session:
        session.execute(table_of(Delivery).insert(), rows)
    return [(user, (row["id"], one)) for user, row, one in zip(users, rows, kept, strict=True)]


def messages(
    house: House, *kinds: str, status: DeliveryStatus = DeliveryStatus.SENT, at: datetime | None = None
) -> list[UUID]:
    """Write outbox messages of these kinds, of now or of an instant of their own."""
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "kind": kind,
            "dedupe_key": key(),
            "object_type": "payout",
            "object_id": UUID(int=7),
            "facts": {},
            "status": status,
            "created_at": at or house.now,
        }
        for kind in kinds
    ]
    with transaction(house.engine) as session:
        session.execute(table_of(OutboxMessage).insert(), rows)
    return [row["id"] for row in rows]


def _delivery(house: House, message: UUID, endpoint: UUID, status: DeliveryStatus) -> dict[str, Any]:
    return {
        "id": new_id(),
        "outbox_id": message,
        "endpoint_id": endpoint,
        "kind": "payout.paid",
        "dedupe_key": str(message),
        "channel": Channel.WEBHOOK,
        "recipient": str(endpoint),
        "language": "en",
        "facts": {},
        "message_id": key(),
        "status": status,
        "not_before_at": house.now,
        "at": house.now,
        "created_at": house.now,
    }
