"""Reading for programs: lists by cursor, one thing, and the rows that belong to one thing."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import ColumnElement, Select, and_, func, literal, select, true, tuple_
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from lifecycle.errors import Invalid, NotFound, Unmet, unmet
from models.limits import SHORT_TEXT
from models.states import Scope
from web.api.core import need
from web.api.cursors import read, written
from web.api.resources import Filter, Resource, as_instant, documents
from web.api.rows import PARTS, RESOURCES
from web.nouns import noun_at
from web.reading_rights import as_id
from web.session import Program, Visit

router = APIRouter(tags=["lists"])
PER_PAGE, MOST = 50, 200
OWN = ("limit", "cursor", "sort", "fields", "include", "count", "lang")
"""Questions that every list can be asked, besides its filters."""
OF_ONE = ("fields", "include", "lang")
"""Questions about one thing."""
_NOT_OF_THE_PLACE = ("cursor", "limit", "count", "lang")
"""What may differ from page to page of a list."""
_YES_NO = {"true": True, "false": False}
_COUNTED = {"": True, **_YES_NO}
"""`&count` is a yes, as `&count=true` is."""
Place: TypeAlias = tuple[Any, ...]
"""Where a row stands: its value in the order that was asked for, and in the list's own order, which no two share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a request asks of a list, read and checked."""

    limit: int
    sort: str
    cursor: str
    fields: tuple[str, ...]
    asked: Mapping[str, Any]
    include: tuple[str, ...] = ()
    is_counted: bool = False


@router.get("/{path}")
def listed(visit: Program, path: str) -> Response:
    """List things of one kind, as far as the reader may see them."""
    need(visit, Scope.READ)
    resource = RESOURCES.get(path)
    if resource is None:
        raise NotFound(NotFound.code)
    return answer(visit, resource, true())


@router.get("/{path}/{ref}")
def show(visit: Program, path: str, ref: str) -> Response:
    """Give one thing: the columns of the contract's view as keys, its version as `ETag`.

    What it brings along changes without its version: with `include` it is told whole each time.
    """
    need(visit, Scope.READ)
    resource = RESOURCES.get(path)
    if resource is None:
        raise NotFound(NotFound.code)
    question = asked_of(visit.request, resource, OF_ONE)

    def work(session: Session) -> tuple[dict[str, Any], int | None]:
        row = _one(session, visit, resource, ref)
        key, version = row.id, getattr(row, "version", None)
        (told,) = _told(session, visit, resource, question, [(key, documents(session, resource, [key])[key])])
        return told, version

    found, version = visit.read(work)
    headers = {} if version is None else {"etag": f'"{version}"'}
    if headers and not question.include and _is_known(visit.request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return JSONResponse(found, headers=headers)


def _is_known(request: Request, etag: str) -> bool:
    """Say whether `If-None-Match` names this version: alone, among others, as a weak one, or any (`*`)."""
    said = request.headers.get("if-none-match", "")
    return bool({"*", etag} & {one.strip().removeprefix("W/") for one in said.split(",")})


@router.get("/{path}/{ref}/{part}")
def parts(visit: Program, path: str, ref: str, part: str) -> Response:
    """List the rows that belong to one thing."""
    need(visit, Scope.READ)
    wanted = PARTS.get((path, part))
    if wanted is None:
        raise NotFound(NotFound.code)
    row_id = visit.read(lambda session: noun_at(path).find(session, visit, ref).id)
    return answer(visit, wanted.resource, wanted.within(row_id))


def _one(session: Session, visit: Visit, resource: Resource, ref: str) -> Any:
    """Return one row of a resource: found as its page finds it, else by id within one's reach."""
    try:
        row = noun_at(resource.path).find(session, visit, ref)
    except NotFound:
        row = None
    if row is None:
        table, known = resource.table, as_id(ref)
        if known is None:
            raise NotFound(NotFound.code)
        row = session.execute(select(table).where(table.c.id == known, resource.reach(visit))).one_or_none()
    if row is None:
        raise NotFound(NotFound.code)
    return row


def answer(visit: Visit, resource: Resource, within: ColumnElement[bool]) -> Response:
    """Return one page of a list, with where it goes on: `next`, and the same as `Link`."""
    resource.for_readers(visit)
    question = asked_of(visit.request, resource)
    place = f"{visit.request.url.path}?{json.dumps([question.sort, sorted(_said(visit.request).items())])}"
    after = read(place, question.cursor, *kinds_of(resource, question.sort)) if question.cursor else None
    filters = [resource.filters[name].where(visit, value) for name, value in question.asked.items()]
    condition = and_(resource.reach(visit), within, *filters)

    def work(session: Session) -> tuple[list[dict[str, Any]], Place | None, int | None]:
        rows, last = page_of(session, resource, condition, question, after)
        count = select(func.count()).select_from(resource.table).where(condition)
        counted = session.execute(count).scalar_one() if question.is_counted else None
        return _told(session, visit, resource, question, rows), last, counted

    data, last, count = visit.read(work)
    following = written(place, last) if last is not None else None
    counted = {} if count is None else {"count": count}
    return JSONResponse({"data": data, "next": following, **counted}, headers=_link(visit.request, following))


def _told(
    session: Session,
    visit: Visit,
    resource: Resource,
    question: Question,
    rows: Sequence[tuple[Any, Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Return rows with the keys that were asked for, and what they bring along."""
    keys = [key for key, _ in rows]
    brought = {name: resource.includes[name].read(session, visit, keys) if keys else {} for name in question.include}
    return [
        {
            **{name: row[name] for name in question.fields},
            **{name: known.get(key) for name, known in brought.items()},
        }
        for key, row in rows
    ]


def kinds_of(resource: Resource, sort: str) -> tuple[type[Any], ...]:
    """Return what a place in a list that is sorted like this consists of: a value, where it is not its own order."""
    way = resource.orders.get(sort.removeprefix("-"))
    return (resource.order_kind,) if way is None else (way.kind, resource.order_kind)


def page_of(
    session: Session, resource: Resource, condition: ColumnElement[bool], question: Question, after: Place | None
) -> tuple[list[tuple[Any, dict[str, Any]]], Place | None]:
    """Return (key, row) of one page in their order, and the place behind which the next begins; None at the end."""
    found = list(_placed(session, resource, condition, question, after))
    shown = found[: question.limit]
    known = documents(session, resource, [key for key, _ in shown])
    rows = [(key, known[key]) for key, _ in shown]
    return rows, shown[-1][1] if len(found) > question.limit else None


def _placed(
    session: Session, resource: Resource, condition: ColumnElement[bool], question: Question, after: Place | None
) -> Iterator[tuple[Any, Place]]:
    """Yield key and place of one row more than a page has, in one statement for those with a value and one without."""
    table, limit = resource.table, question.limit + 1
    key, order = table.c[resource.key], table.c[resource.order]
    is_down, way = question.sort.startswith("-"), resource.orders.get(question.sort.removeprefix("-"))
    if way is None:
        for row in session.execute(_behind(select(key, order), condition, (order,), is_down, after).limit(limit)):
            yield row[0], (row[1],)
        return
    column = table.c[way.column]
    begun = 0
    if after is None or after[0] is not None:
        down = is_down != way.is_falling
        statement = _behind(select(key, column, order), condition, (column, order), down, after)
        for row in session.execute(statement.where(column.is_not(None)).limit(limit)):
            begun += 1
            yield row[0], (row[1], row[2])
    if begun < limit and column.nullable:
        rest = after[1:] if after is not None and after[0] is None else None
        statement = _behind(select(key, order), and_(condition, column.is_(None)), (order,), is_down, rest)
        for row in session.execute(statement.limit(limit - begun)):
            yield row[0], (None, row[1])


def _behind(
    statement: Select[Any],
    condition: ColumnElement[bool],
    columns: Sequence[Any],
    is_down: bool,  # noqa: FBT001 - which way it goes
    after: Place | None,
) -> Select[Any]:
    """Return the statement in the order of these columns, behind a place: compared as one value, as an index does."""
    statement = statement.where(condition).order_by(*(one.desc() if is_down else one for one in columns))
    if after is None:
        return statement
    here = [literal(value, one.type) for value, one in zip(after, columns, strict=True)]
    if len(columns) == 1:
        return statement.where(columns[0] < here[0] if is_down else columns[0] > here[0])
    return statement.where(tuple_(*columns) < tuple_(*here) if is_down else tuple_(*columns) > tuple_(*here))


def asked_of(request: Request, resource: Resource, own: Collection[str] = OWN) -> Question:
    """Return what a list is asked; `Invalid` names every question that it does not know or cannot read."""
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    wrong = [unmet("field_twice", field=name) for name in sorted({one for one in names if names.count(one) > 1})]
    filters = resource.filters if "cursor" in own else {}
    own = own if resource.includes else [name for name in own if name != "include"]
    wrong += [unmet("field_unknown", field=name) for name in names if name not in (*own, *filters)]
    said = dict(given)
    asked: dict[str, Any] = {}
    for name, one in filters.items():
        if name in said:
            try:
                asked[name] = value_of(one, said[name])
            except ValueError:
                wrong.append(unmet("value_wrong", field=name, value=said[name][:SHORT_TEXT], form=form_of(one)))
    given_in = {name: said.get(name, otherwise) for name, otherwise in _UNASKED.items()}
    sort = said.get("sort", resource.sorts[0])
    known = {
        "limit": _is_limit(given_in["limit"]),
        "sort": sort in resource.sorts,
        "fields": _are_among(given_in["fields"], resource.keys),
        "include": _are_among(given_in["include"], resource.includes),
        "count": given_in["count"] in _COUNTED,
    }
    forms = {
        "limit": f"1 … {MOST}",
        "sort": " | ".join(resource.sorts),
        "fields": ", ".join(resource.keys),
        "include": ", ".join(resource.includes),
        "count": " | ".join(_YES_NO),
    }
    wrong += [_wrong(name, said[name], forms[name]) for name, fits in known.items() if not fits]
    if wrong:
        raise Invalid(*wrong)
    return Question(
        limit=int(given_in["limit"]),
        sort=sort,
        cursor=said.get("cursor", ""),
        fields=_parts(given_in["fields"]) or resource.keys,
        asked=asked,
        include=_parts(given_in["include"]),
        is_counted=_COUNTED[given_in["count"]],
    )


_UNASKED = {"limit": str(PER_PAGE), "fields": "", "include": "", "count": "false"}


def _parts(said: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said.split(","))) if said else ()


def value_of(one: Filter, said: str) -> Any:
    """Return the value that a filter is given; ValueError for what it cannot be."""
    if "\0" in said or len(said) > SHORT_TEXT:
        raise ValueError
    said.encode()  # half a character, which no database takes
    if one.kind is bool:
        if said not in _YES_NO:
            raise ValueError
        return _YES_NO[said]
    if one.words and said not in one.words:
        raise ValueError
    return as_instant(said) if one.kind is datetime else one.kind(said)


def form_of(one: Filter) -> str:
    """Return what a filter can be given, for people."""
    if issubclass(one.kind, StrEnum):
        return " | ".join(one.kind)
    if one.words:
        return " | ".join(one.words)
    return {datetime: "2025-11-24T01:00:00Z", bool: " | ".join(_YES_NO), UUID: "UUID"}.get(
        one.kind, f"1 … {SHORT_TEXT}"
    )


def _is_limit(said: str) -> bool:
    return said.isascii() and said.isdecimal() and len(said) <= len(str(MOST)) and 1 <= int(said) <= MOST


def _are_among(said: str, known: Collection[str]) -> bool:
    return set(_parts(said)) <= set(known)


def _wrong(name: str, value: str, form: str) -> Unmet:
    return unmet("value_wrong", field=name, value=value[:SHORT_TEXT], form=form)


def _said(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name not in _NOT_OF_THE_PLACE}


def _link(request: Request, following: str | None) -> dict[str, str]:
    if following is None:
        return {}
    query = urlencode(
        {**{name: one for name, one in request.query_params.items() if name != "count"}, "cursor": following}
    )
    return {"link": f'<{request.url.path}?{query}>; rel="next"'}
