"""What a carried-out verb of endpoints and of undelivered messages changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.deliveries.facts import EndpointFacts, OutboxFacts
from models.deliveries import Delivery, WebhookEndpoint
from models.journal import OutboxMessage
from models.people import User
from models.states import Channel, DeliveryStatus, EndpointStatus

OBJECT_TYPE = "webhook"
PINGED = "webhook.pinged"
GIVEN_UP = "delivery.given_up"
"""What `flows/outbox.py` tells the operators."""
LANGUAGE_OF_PROGRAMS = "en"


def _act(facts: EndpointFacts, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any]) -> Act:
    return Act(
        table=WebhookEndpoint,
        object_type=OBJECT_TYPE,
        id=facts.row.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.row,
        values=values,
        detail=detail,
    )


def added(facts: EndpointFacts, _target: str, stamp: Stamp) -> Effects:
    """Enter the endpoint. No audit row has its secret, or its path and query, in which receivers keep tokens."""
    command = facts.command
    said = {"types": list(command.types), "owner_id": command.owner_id}
    where = {
        "host": urlsplit(command.url).netloc.rpartition("@")[2],
        "url_sha256": sha256(command.url.encode()).hexdigest(),
    }
    act = Act(
        table=WebhookEndpoint,
        object_type=OBJECT_TYPE,
        id=stamp.new_id(),
        action=f"{OBJECT_TYPE}.add",
        values={
            **said,
            "url": command.url,
            "secret": command.secret,
            "status": EndpointStatus.ACTIVE,
            "created_at": stamp.now,
        },
        detail={**where, **said},
    )
    return Effects(acts=(act,))


def disabled(facts: EndpointFacts, _target: str, _stamp: Stamp) -> Effects:
    """Tell it nothing more; its owner hears why."""
    row, reason = facts.row, facts.command.reason
    told = Message(
        kind="webhook.disabled",
        object_type=OBJECT_TYPE,
        object_id=row.id,
        facts={
            "host": urlsplit(row.url).hostname or "",
            "failures": row.failures,
            "detail": reason,
            "owner_id": str(row.owner_id),
        },
    )
    act = _act(facts, "disable", {"status": EndpointStatus.DISABLED}, {"reason": reason, "failures": row.failures})
    return Effects(acts=(act,), messages=(told,))


def enabled(facts: EndpointFacts, _target: str, _stamp: Stamp) -> Effects:
    """Tell it again, from now on; what it missed is sent by `replay`."""
    return Effects(acts=(_act(facts, "enable", {"status": EndpointStatus.ACTIVE, "failures": 0}, {}),))


def rotated(facts: EndpointFacts, _target: str, _stamp: Stamp) -> Effects:
    """Sign with both secrets until the change is ended."""
    return Effects(acts=(_act(facts, "rotate", {"secret": facts.command.secret, "old_secret": facts.row.secret}, {}),))


def rotation_ended(facts: EndpointFacts, _target: str, _stamp: Stamp) -> Effects:
    """Sign with the new secret only."""
    return Effects(acts=(_act(facts, "end_rotation", {"old_secret": None}, {}),))


def delivery_of(
    *, endpoint: Any, kind: str, dedupe_key: str, outbox_id: UUID | None, facts: Mapping[str, Any], stamp: Stamp
) -> dict[str, Any]:
    """Return the row of one message to one endpoint, waiting from now on."""
    row_id = stamp.new_id()
    return {
        "id": row_id,
        "outbox_id": outbox_id,
        "endpoint_id": endpoint.id,
        "kind": kind,
        "dedupe_key": dedupe_key,
        "channel": Channel.WEBHOOK,
        "recipient": str(endpoint.id),
        "language": LANGUAGE_OF_PROGRAMS,
        "facts": dict(facts),
        "message_id": f"{outbox_id or row_id}.{endpoint.id}",
        "status": DeliveryStatus.WAITING,
        "not_before_at": stamp.now,
        "at": stamp.now,
        "created_at": stamp.now,
    }


def pinged(facts: EndpointFacts, _target: str, stamp: Stamp) -> Effects:
    """Write a test event for this endpoint alone."""
    row = delivery_of(
        endpoint=facts.row, kind=PINGED, dedupe_key=str(stamp.new_id()), outbox_id=None, facts={}, stamp=stamp
    )
    act = _act(facts, "ping", {}, {"delivery_id": row["id"]})
    return Effects(acts=(act,), rows=((Delivery, row),), says={"delivery_id": str(row["id"])})


def replayed(facts: EndpointFacts, _target: str, stamp: Stamp) -> Effects:
    """Send again what it was told, and what it was not told, under the same ids."""
    again = tuple((Delivery, row.id, _waiting(row, stamp)) for row in facts.told)
    new = tuple(
        (
            Delivery,
            delivery_of(
                endpoint=facts.row,
                kind=one.kind,
                dedupe_key=one.dedupe_key,
                outbox_id=one.id,
                facts=one.facts,
                stamp=stamp,
            ),
        )
        for one in facts.untold
    )
    count = len(again) + len(new)
    act = _act(facts, "replay", {}, {**facts.command.asks(), "count": count})
    return Effects(acts=(act,), rows=new, updates=again, says={"count": count})


def _waiting(row: Any, stamp: Stamp) -> dict[str, Any]:
    """Return the changes that let a delivery be tried again; the fence keeps a try that still runs from ending it."""
    return {"status": DeliveryStatus.WAITING, "fence": row.fence + 1, "not_before_at": stamp.now, "at": stamp.now}


def _on_account(facts: OutboxFacts, verb: str, updates: tuple[Any, ...]) -> Effects:
    act = Act(
        table=User,
        object_type="user",
        id=facts.row.id,
        action=f"outbox.{verb}",
        row=facts.row,
        detail={"message_ids": list(facts.command.message_ids), "reason": facts.command.reason},
    )
    return Effects(acts=(act,), updates=updates, says={"count": len(updates)})


def retried(facts: OutboxFacts, _target: str, stamp: Stamp) -> Effects:
    """Let everything named be tried again, from now on and ten times more."""
    deliveries = tuple((Delivery, row.id, _waiting(row, stamp)) for row in facts.deliveries)
    anew = tuple(
        (OutboxMessage, row.id, {"status": DeliveryStatus.WAITING, "fence": row.fence + 1}) for row in facts.messages
    )
    return _on_account(facts, "retry", (*deliveries, *anew))


def dropped(facts: OutboxFacts, _target: str, stamp: Stamp) -> Effects:
    """Give up everything named; the rows stay."""
    given_up = {"status": DeliveryStatus.GIVEN_UP}
    deliveries = tuple(
        (Delivery, row.id, {**given_up, "fence": row.fence + 1, "at": stamp.now}) for row in facts.deliveries
    )
    messages = tuple((OutboxMessage, row.id, {**given_up, "fence": row.fence + 1}) for row in facts.messages)
    return _on_account(facts, "drop", (*deliveries, *messages))
