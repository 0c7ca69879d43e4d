"""What the verbs of endpoints and of undelivered messages look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session

from lifecycle.chart import compiled
from lifecycle.commands import Stamp, Task
from lifecycle.deliveries.chart import DeliveryChart
from lifecycle.deliveries.rules import MOST_AT_ONCE, is_told
from models.deliveries import Delivery, WebhookEndpoint
from models.installation import Installation
from models.journal import OutboxMessage
from models.people import User
from models.reading import rows_by, table_of
from models.states import DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFacts:
    """A command about one endpoint, and what the database holds of it."""

    command: Any
    row: Any = None
    is_rehearsal: bool = False
    taken: frozenset[str] = frozenset()
    """Addresses that endpoints have."""
    owner: Any = None
    told: tuple[Any, ...] = ()
    """Deliveries that shall go out again."""
    untold: tuple[Any, ...] = ()
    """Messages of its types that it was never told, because it was disabled or not yet there."""
    more_than_fit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFacts:
    """A command about what did not go out, with the present status of all that it names."""

    command: Any
    row: Any
    """The account that acts."""
    statuses: Mapping[UUID, DeliveryStatus] = field(default_factory=dict)
    deliveries: tuple[Any, ...] = ()
    messages: tuple[Any, ...] = ()

    def without(self, event: str) -> tuple[str, ...]:
        """Return the states, of what is named, from which this event leads nowhere."""
        states = {str(status) for status in self.statuses.values()}
        return tuple(sorted(state for state in states if (state, event) not in compiled(DeliveryChart)))


def entries(session: Session, tasks: Sequence[Task[Any]], _stamp: Stamp) -> list[EndpointFacts]:
    """Read the mode, the addresses that are taken, and who shall be told."""
    installation, endpoint = table_of(Installation), table_of(WebhookEndpoint)
    mode = session.connection().execute(select(installation.c.mode)).scalar_one()
    urls = {task.command.url for task in tasks}
    taken = session.connection().execute(select(endpoint.c.url).where(endpoint.c.url.in_(urls))).scalars()
    owners = rows_by(session, User, "id", [task.command.owner_id for task in tasks])
    known = frozenset(taken)
    return [
        EndpointFacts(
            command=task.command,
            row=task.row,
            is_rehearsal=mode == "rehearsal",
            taken=known,
            owner=next(iter(owners.get(task.command.owner_id, ())), None),
        )
        for task in tasks
    ]


def endpoints(_session: Session, tasks: Sequence[Task[Any]], _stamp: Stamp) -> list[EndpointFacts]:
    """Return the endpoints as they were locked."""
    return [EndpointFacts(command=task.command, row=task.row) for task in tasks]


def replays(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[EndpointFacts]:
    """Read the messages of each range, and which of them each endpoint was told."""
    message, delivery = table_of(OutboxMessage), table_of(Delivery)
    ranges = [_range(task.command, stamp) for task in tasks]
    found = session.connection().execute(
        select(message).where(or_(*ranges)).order_by(message.c.created_at, message.c.id).limit(_most(tasks))
    )
    messages = found.all()
    told = select(delivery).where(
        delivery.c.endpoint_id.in_([task.row.id for task in tasks]),
        delivery.c.outbox_id.in_([one.id for one in messages]),
    )
    if all(task.is_locked for task in tasks):
        told = told.with_for_update()
    known = {(row.endpoint_id, row.outbox_id): row for row in session.connection().execute(told)}
    is_cut = len(messages) == _most(tasks)
    return [_replay(task, messages, known, stamp, is_cut=is_cut) for task in tasks]


def _most(tasks: Sequence[Task[Any]]) -> int:
    """Return how many messages are read at most: one more than fit tells that there are more."""
    return (MOST_AT_ONCE + 1) * len(tasks)


def _range(command: Any, stamp: Stamp) -> Any:
    message = table_of(OutboxMessage)
    if command.message_id is not None:
        return message.c.id == command.message_id
    since, until = _span(command, stamp)
    return (message.c.created_at >= since) & (message.c.created_at < until)


def _span(command: Any, stamp: Stamp) -> tuple[datetime, datetime]:
    """Return the first instant and the one after the last; who says no first one means nothing."""
    until = command.until_at or stamp.now
    after = until + timedelta(microseconds=1)
    return command.since_at or after, after


def _is_meant(command: Any, message: Any, stamp: Stamp) -> bool:
    if command.message_id is not None:
        return bool(message.id == command.message_id)
    since, until = _span(command, stamp)
    return bool(since <= message.created_at < until)


def _replay(
    task: Task[Any], messages: Sequence[Any], known: Mapping[tuple[UUID, UUID], Any], stamp: Stamp, *, is_cut: bool
) -> EndpointFacts:
    meant = [one for one in messages if _is_meant(task.command, one, stamp) and is_told(task.row.types, one.kind)]
    rows = [known.get((task.row.id, one.id)) for one in meant]
    told = tuple(row for row in rows if row is not None and row.status != DeliveryStatus.WAITING)
    # What still waits to be taken out of the outbox goes to the endpoint by itself.
    untold = tuple(
        one for one, row in zip(meant, rows, strict=True) if row is None and one.status != DeliveryStatus.WAITING
    )
    more = len(told) + len(untold) > MOST_AT_ONCE or is_cut
    return EndpointFacts(command=task.command, row=task.row, told=told, untold=untold, more_than_fit=more)


def undelivered(session: Session, tasks: Sequence[Task[Any]], _stamp: Stamp) -> list[OutboxFacts]:
    """Lock and read what is named: deliveries, and messages that could not be taken out of the outbox."""
    ids = list(dict.fromkeys(one for task in tasks for one in task.command.message_ids))
    is_locked = all(task.is_locked for task in tasks)
    deliveries = _found(session, Delivery, ids, is_locked=is_locked)
    messages = _found(session, OutboxMessage, ids, is_locked=is_locked)
    return [
        OutboxFacts(
            command=task.command,
            row=task.row,
            statuses={
                one: rows[one].status
                for one in task.command.message_ids
                for rows in (deliveries, messages)
                if one in rows
            },
            deliveries=tuple(deliveries[one] for one in task.command.message_ids if one in deliveries),
            messages=tuple(messages[one] for one in task.command.message_ids if one in messages),
        )
        for task in tasks
    ]


def _found(session: Session, model: Any, ids: Sequence[UUID], *, is_locked: bool) -> dict[UUID, Any]:
    table = table_of(model)
    statement = select(table).where(table.c.id.in_(ids)).order_by(table.c.id)
    if is_locked:
        statement = statement.with_for_update()
    return {row.id: row for row in session.connection().execute(statement)}
