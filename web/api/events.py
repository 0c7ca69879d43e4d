"""What happened, for programs that ask: the messages of the outbox about what the reader may see, as CloudEvents.

A webhook and this feed give the same event the same id. Each is given at least once: the cursor stays behind what is
younger than a minute, for a transaction that began earlier may still write what belongs before it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import false, select
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from lifecycle.errors import NotFound
from models.installation import Installation
from models.journal import OutboxMessage
from models.reading import table_of
from models.states import Scope
from models.tables import object_type_of
from notifications.webhooks import cloud_event
from web.api.core import need
from web.api.cursors import read, written
from web.api.lists import asked_of
from web.api.resources import Filter, Resource, of_columns
from web.api.rows import RESOURCES
from web.reading_rights import as_id
from web.session import Program, Visit

router = APIRouter(tags=["events"])
SETTLED = timedelta(minutes=1)
AT_A_TIME, MOST_LOOKED_AT = 500, 5_000
"""Messages that are looked at for one answer: who may see few of them comes back with the cursor."""
_MESSAGE = table_of(OutboxMessage)
AFTER = "after"
_TWICE = frozenset({"platforms"})
"""Resources whose rows are another's too."""
EVENTS = Resource(
    path="events",
    model=OutboxMessage,
    reach=lambda _visit: false(),
    fields=("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"),
    filters={
        **of_columns(OutboxMessage, kind=str, object_type=str),
        AFTER: Filter(kind=UUID, where=lambda _visit, last: _MESSAGE.c.id > last, about="id of the last event seen"),
    },
)
"""What can be asked of the feed; who sees which message is asked of what it is about."""
_ABOUT: Mapping[str, Resource] = {
    object_type_of(str(one.table.name)): one for one in RESOURCES.values() if one.path not in _TWICE
}


@router.get("/events")
def events(visit: Program) -> Response:
    """Give events in their order, behind the cursor, or behind the one with an id (`after`); `next`: where to go on."""
    need(visit, Scope.READ)
    question = asked_of(visit.request, EVENTS, own=("limit", "cursor", "lang"))
    asked = {name: value for name, value in question.asked.items() if name != AFTER}
    place = f"events?{json.dumps(sorted((name, str(value)) for name, value in asked.items()))}"
    after = read(place, question.cursor, UUID)[0] if question.cursor else question.asked.get(AFTER)
    filters = [EVENTS.filters[name].where(visit, value) for name, value in asked.items()]

    def work(session: Session) -> tuple[list[Any], UUID | None, str]:
        rows, last = _next(session, visit, filters, after, question.limit)
        return rows, last, _source(session)

    rows, last, source = visit.read(work)
    following = written(place, [last]) if last is not None else None
    return JSONResponse({"data": [_event(row, source) for row in rows], "next": following})


@router.get("/events/{ref}")
def event(visit: Program, ref: str) -> Response:
    """Give one event again, by the id that a webhook named."""
    need(visit, Scope.READ)

    def work(session: Session) -> tuple[list[Any], str]:
        rows = session.execute(select(_MESSAGE).where(_MESSAGE.c.id == as_id(ref))).all()
        return _seen(session, visit, rows), _source(session)

    rows, source = visit.read(work)
    if not rows:
        raise NotFound(NotFound.code)
    return JSONResponse(_event(rows[0], source), media_type="application/cloudevents+json")


def _next(
    session: Session, visit: Visit, filters: Sequence[Any], after: UUID | None, limit: int
) -> tuple[list[Any], UUID | None]:
    """Return the next events that the reader may see, and behind which message to go on."""
    found: list[Any] = []
    place, settled = after, after
    for _ in range(MOST_LOOKED_AT // AT_A_TIME):
        behind = [_MESSAGE.c.id > place] if place is not None else []
        rows = session.execute(select(_MESSAGE).where(*behind).order_by(_MESSAGE.c.id).limit(AT_A_TIME)).all()
        fitting = {row.id for row in session.execute(_fitting(rows, filters))} if filters and rows else None
        seen = {row.id for row in _seen(session, visit, rows)}
        for row in rows:
            if row.id in seen and (fitting is None or row.id in fitting):
                found.append(row)
            if row.created_at <= visit.now - SETTLED:
                settled = row.id
            if len(found) == limit:
                return found, settled
        if len(rows) < AT_A_TIME:
            break
        place = rows[-1].id
    return found, settled


def _fitting(rows: Iterable[Any], filters: Sequence[Any]) -> Any:
    return select(_MESSAGE.c.id).where(_MESSAGE.c.id.in_([row.id for row in rows]), *filters)


def _seen(session: Session, visit: Visit, rows: Sequence[Any]) -> list[Any]:
    """Return those of these messages that are about what the reader may read; one statement per kind of thing."""
    asked: dict[str, set[UUID]] = {}
    for row in rows:
        if row.object_type in _ABOUT:
            asked.setdefault(row.object_type, set()).add(row.object_id)
    seen: set[tuple[str, UUID]] = set()
    for name, ids in asked.items():
        about = _ABOUT[name]
        mine = select(about.table.c.id).where(about.table.c.id.in_(sorted(ids)), about.reach(visit))
        seen |= {(name, one) for one in session.execute(mine).scalars()}
    return [row for row in rows if (row.object_type, row.object_id) in seen]


def _event(row: Any, source: str) -> dict[str, Any]:
    """Return the same event that a webhook posts."""
    body = cloud_event(
        event_id=str(row.id),
        source=source,
        kind=row.kind,
        at=row.created_at,
        object_type=row.object_type,
        object_id=str(row.object_id),
        facts=row.facts,
    )
    found: dict[str, Any] = json.loads(body)
    return found


def _source(session: Session) -> str:
    return f"urn:uuid:{session.execute(select(table_of(Installation).c.database_id)).scalar_one()}"
