"""Reading for programs: lists by cursor, one thing, and the rows that belong to one thing."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import ColumnElement, and_, select, true
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from lifecycle.errors import Invalid, NotFound, Unmet, unmet
from models.limits import SHORT_TEXT
from models.states import Scope
from web.api.core import need
from web.api.cursors import read, written
from web.api.resources import Filter, Resource, documents
from web.api.rows import PARTS, RESOURCES
from web.nouns import noun_at
from web.reading_rights import as_id
from web.session import Program, Visit

router = APIRouter(tags=["lists"])
PER_PAGE, MOST = 50, 200
OWN = ("limit", "cursor", "sort", "fields", "lang")
"""Questions that every list can be asked, besides its filters."""
_YES_NO = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a request asks of a list, read and checked."""

    limit: int
    sort: str
    cursor: str
    fields: tuple[str, ...]
    asked: Mapping[str, Any]


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
    """Give one thing: the columns of the contract's view as keys, its version as `ETag`."""
    need(visit, Scope.READ)
    resource = RESOURCES.get(path)
    if resource is None:
        raise NotFound(NotFound.code)
    found, version = visit.read(lambda session: _one(session, visit, resource, ref))
    headers = {} if version is None else {"etag": f'"{version}"'}
    if headers and visit.request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return JSONResponse(found, headers=headers)


@router.get("/{path}/{ref}/{part}")
def parts(visit: Program, path: str, ref: str, part: str) -> Response:
    """List the rows that belong to one thing."""
    need(visit, Scope.READ)
    wanted = PARTS.get((path, part))
    if wanted is None:
        raise NotFound(NotFound.code)
    row_id = visit.read(lambda session: noun_at(path).find(session, visit, ref).id)
    return answer(visit, wanted.resource, wanted.within(row_id))


def _one(session: Session, visit: Visit, resource: Resource, ref: str) -> tuple[dict[str, Any], int | None]:
    """Return one row of a resource and its version: found as its page finds it, else by id within one's reach."""
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
    return documents(session, resource, [row.id])[row.id], getattr(row, "version", None)


def answer(visit: Visit, resource: Resource, within: ColumnElement[bool]) -> Response:
    """Return one page of a list, with where it goes on: `next`, and the same as `Link`."""
    resource.for_readers(visit)
    question = asked_of(visit.request, resource)
    place = f"{visit.request.url.path}?{json.dumps([question.sort, sorted(_said(visit.request).items())])}"
    after = read(place, question.cursor, resource.order_kind) if question.cursor else None
    filters = [resource.filters[name].where(visit, value) for name, value in question.asked.items()]
    condition = and_(resource.reach(visit), within, *filters)
    rows, last = visit.read(lambda session: page_of(session, resource, condition, question, after))
    following = written(place, last) if last is not None else None
    data = [{name: row[name] for name in question.fields} for row in rows]
    return JSONResponse({"data": data, "next": following}, headers=_link(visit.request, following))


def page_of(
    session: Session, resource: Resource, condition: ColumnElement[bool], question: Question, after: Any
) -> tuple[list[dict[str, Any]], Any]:
    """Return the rows of one page in their order, and the value behind which the next begins; None at the end."""
    table = resource.table
    key, order = table.c[resource.key], table.c[resource.order]
    is_down = question.sort.startswith("-")
    statement = select(key.label("its_key"), order.label("its_place")).where(condition)
    if after is not None:
        statement = statement.where(order < after if is_down else order > after)
    statement = statement.order_by(order.desc() if is_down else order).limit(question.limit + 1)
    found = session.execute(statement).all()
    shown = found[: question.limit]
    known = documents(session, resource, [row.its_key for row in shown])
    return [known[row.its_key] for row in shown], shown[-1].its_place if len(found) > question.limit else None


def asked_of(request: Request, resource: Resource, own: Collection[str] = OWN) -> Question:
    """Return what a list is asked; `Invalid` names every question that it does not know or cannot read."""
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    wrong = [unmet("field_twice", field=name) for name in sorted({one for one in names if names.count(one) > 1})]
    wrong += [unmet("field_unknown", field=name) for name in names if name not in (*own, *resource.filters)]
    said = dict(given)
    asked: dict[str, Any] = {}
    for name, one in resource.filters.items():
        if name in said:
            try:
                asked[name] = value_of(one, said[name])
            except ValueError:
                wrong.append(unmet("value_wrong", field=name, value=said[name][:SHORT_TEXT], form=form_of(one)))
    limit, fields, sort = said.get("limit", str(PER_PAGE)), said.get("fields", ""), said.get("sort", resource.sorts[0])
    known = {"limit": _is_limit(limit), "sort": sort in resource.sorts, "fields": _are_fields(fields, resource)}
    forms = {"limit": f"1 … {MOST}", "sort": " | ".join(resource.sorts), "fields": ", ".join(resource.keys)}
    wrong += [_wrong(name, said[name], forms[name]) for name, fits in known.items() if not fits]
    if wrong:
        raise Invalid(*wrong)
    return Question(
        limit=int(limit),
        sort=sort,
        cursor=said.get("cursor", ""),
        fields=tuple(fields.split(",")) if fields else resource.keys,
        asked=asked,
    )


def value_of(one: Filter, said: str) -> Any:
    """Return the value that a filter is given; ValueError for what it cannot be."""
    if "\0" in said or len(said) > SHORT_TEXT:
        raise ValueError
    said.encode()  # half a character, which no database takes
    if one.kind is bool:
        if said not in _YES_NO:
            raise ValueError
        return _YES_NO[said]
    return one.kind(said)


def form_of(one: Filter) -> str:
    """Return what a filter can be given, for people."""
    if issubclass(one.kind, StrEnum):
        return " | ".join(one.kind)
    return {bool: " | ".join(_YES_NO), UUID: "UUID"}.get(one.kind, f"1 … {SHORT_TEXT}")


def _is_limit(said: str) -> bool:
    return said.isascii() and said.isdecimal() and len(said) <= len(str(MOST)) and 1 <= int(said) <= MOST


def _are_fields(said: str, resource: Resource) -> bool:
    return not said or set(said.split(",")) <= set(resource.keys)


def _wrong(name: str, value: str, form: str) -> Unmet:
    return unmet("value_wrong", field=name, value=value[:SHORT_TEXT], form=form)


def _said(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name not in ("cursor", "limit", "lang")}


def _link(request: Request, following: str | None) -> dict[str, str]:
    if following is None:
        return {}
    query = urlencode({**request.query_params, "cursor": following})
    return {"link": f'<{request.url.path}?{query}>; rel="next"'}
