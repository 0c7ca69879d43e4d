"""What the command line does with webhooks and the outbox besides naming a verb: secrets, a test at once, ids."""

from collections.abc import Sequence
from uuid import UUID

import typer
from sqlalchemy import select
from sqlmodel import Session

from cli.door import Door
from cli.errors import FAILED
from cli.lookup import Lookup
from flows.outbox import deliver
from flows.telling import courier_of
from lifecycle.actor import Actor
from lifecycle.commands import Answer
from lifecycle.deliveries.commands import AddEndpoint, DropMessages, Ping, RetryMessages, RotateSecret
from lifecycle.deliveries.rules import MOST_AT_ONCE
from lifecycle.errors import Invalid, unmet
from models.deliveries import Delivery, DeliveryAttempt
from models.journal import OutboxMessage
from models.ports import Said
from models.reading import table_of
from models.states import DeliveryStatus
from notifications.webhooks import known_types, new_secret, place_to_allow
from notifications.words import sentence


def add_endpoint(door: Door, url: str, types: tuple[str, ...], owner: str | None) -> None:
    """Add an endpoint and show its secret: nobody can show it a second time."""
    known_types(types)
    secret = new_secret()

    def make(lookup: Lookup, key: str) -> AddEndpoint:
        owner_id = lookup.user(owner) if owner else door.actor(lookup.session).user_id
        return AddEndpoint(command_id=key, url=url, owner_id=owner_id, secret=secret, types=types)

    _shown_once(door, door.carry_out(make, ref=url), url, secret)
    if place := place_to_allow(url, allow=door.settings.webhook_places()):
        door.output.say("webhook_place_to_allow", place=place)


def rotate_secret(door: Door, url: str) -> None:
    """Give an endpoint a new secret and show it."""
    secret = new_secret()
    answer = door.carry_out(
        lambda lookup, key: RotateSecret(command_id=key, webhook_id=lookup.webhook(url), secret=secret), ref=url
    )
    _shown_once(door, answer, url, secret)


def _shown_once(door: Door, answer: Answer, url: str, secret: str) -> None:
    if door.caller.dry_run or answer.is_replay:
        door.tell(answer, url)
        door.output.say("webhook_secret_not_shown")
        return
    if door.output.as_json:
        door.output.document({**answer.document, "secret": secret})
        return
    door.output.line(secret)
    door.output.say("webhook_secret_once", url=url)


def send_test(door: Door, url: str) -> None:
    """Write a test event and deliver it now, this one only; leaves with exit 1 when it was not taken."""
    answer = door.carry_out(lambda lookup, key: Ping(command_id=key, webhook_id=lookup.webhook(url)), ref=url)
    if door.caller.dry_run:
        door.tell(answer, url)
        return
    delivery_id = UUID(answer.document["delivery_id"])
    stamp = door.stamp(Actor.clock())
    deliver(door.engine, courier_of(door.engine, door.settings, stamp), stamp, only=delivery_id)
    said, detail = door.read(lambda session: _last_try(session, delivery_id))
    if door.output.as_json:
        door.output.document({**answer.document, "result": said, "detail": detail})
    else:
        door.output.line(sentence(detail, {}, door.output.lang), "green" if said == Said.ACCEPTED else "red")
    if said != Said.ACCEPTED:
        raise typer.Exit(FAILED)


def _last_try(session: Session, delivery_id: UUID) -> tuple[str, str]:
    attempt = table_of(DeliveryAttempt)
    tries = select(attempt.c.result, attempt.c.detail).where(attempt.c.delivery_id == delivery_id)
    row = session.execute(tries.order_by(attempt.c.attempt.desc()).limit(1)).first()
    return (row.result, row.detail) if row is not None else ("", "")


def retry_messages(door: Door, ids: Sequence[str], reason: str, *, everything: bool) -> None:
    """Let what is named, or all that was refused or given up, be tried again."""

    def make(lookup: Lookup, key: str) -> RetryMessages:
        named = _undelivered(lookup.session) if everything else _ids(ids)
        actor = door.actor(lookup.session)
        return RetryMessages(command_id=key, user_id=actor.user_id, message_ids=named, reason=reason)

    door.act(make, ref=", ".join(ids))


def drop_messages(door: Door, ids: Sequence[str], reason: str) -> None:
    """Give up what is named."""

    def make(lookup: Lookup, key: str) -> DropMessages:
        actor = door.actor(lookup.session)
        return DropMessages(command_id=key, user_id=actor.user_id, message_ids=_ids(ids), reason=reason)

    door.act(make, ref=", ".join(ids))


def _ids(texts: Sequence[str]) -> tuple[UUID, ...]:
    try:
        return tuple(UUID(text) for text in texts)
    except ValueError:
        raise Invalid(unmet("message_not_found", ids=list(texts))) from None


def _undelivered(session: Session) -> tuple[UUID, ...]:
    ended = (DeliveryStatus.FAILED, DeliveryStatus.GIVEN_UP)
    found: list[UUID] = []
    for model in (Delivery, OutboxMessage):
        table = table_of(model)
        statement = select(table.c.id).where(table.c.status.in_(ended)).order_by(table.c.id)
        found += session.execute(statement.limit(MOST_AT_ONCE)).scalars()
    return tuple(found[:MOST_AT_ONCE])
