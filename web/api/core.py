"""Every noun for programs, by its registration alone: the row, what may be done with it, and doing it."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import text
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from lifecycle.commands import Command
from lifecycle.errors import Forbidden, Invalid, NotFound, Unmet, unmet
from models.states import Scope
from web.acts import Action, actions, carry, refusal, right_first
from web.errors import KeyMissing, Malformed, VersionMissing
from web.nouns import AnyVerb, Noun, noun_at
from web.session import Program, Visit

router = APIRouter(tags=["commands"])
DEEPEST = 16
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'(?:W/)?"?(\d{1,15})"?')


@router.get("/{path}/{ref}")
def show(visit: Program, path: str, ref: str) -> Response:
    """Give one thing: the columns of the contract's view as keys, its version as `ETag`."""
    noun = noun_at(path)
    need(visit, Scope.READ)
    if not noun.view:
        raise NotFound(NotFound.code)

    def work(session: Session) -> tuple[dict[str, Any], int]:
        row = noun.find(session, visit, ref)
        statement = text(f"SELECT * FROM {noun.view} WHERE id = :id")  # noqa: S608 - a name of our own
        found = session.execute(statement, {"id": str(row.id)}).one()
        return dict(found._mapping), row.version  # noqa: SLF001 - the documented name of a row's mapping

    found, version = visit.read(work)
    tag = f'"{version}"'
    if visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return JSONResponse(found, headers={"etag": tag})


@router.get("/{path}/{ref}/commands")
def commands(visit: Program, path: str, ref: str) -> Response:
    """Say of every verb whether it is possible now and, if not, every reason."""
    noun = noun_at(path)
    need(visit, Scope.READ)

    def work(session: Session) -> tuple[list[Action], int]:
        row = noun.find(session, visit, ref)
        return actions(session, visit, noun, row), row.version

    found, version = visit.read(work)
    return JSONResponse([_said(one, noun, ref) for one in found], headers={"etag": f'"{version}"'})


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent; `Malformed` for anything else, or one that is nested too deep."""
    raw = await request.body()
    try:
        found = json.loads(raw or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Malformed(Malformed.code) from None
    if not isinstance(found, dict) or _depth(found) > DEEPEST:
        raise Malformed(Malformed.code)
    return found


Body = Annotated[dict[str, Any], Depends(body_of)]


@router.post("/{path}/{ref}/commands/{name}")
def carry_out(visit: Program, body: Body, path: str, ref: str, name: str, dry_run: bool = False) -> Response:  # noqa: FBT001, FBT002 - parts of one address
    """Do it: `Idempotency-Key` always, `If-Match` with the version that was seen; `dry_run=true` writes nothing."""
    noun = noun_at(path)
    verb = noun.verb(name)
    need(visit, Scope.PROJECT_WRITE)
    key, version = key_of(visit), _version(visit, noun)
    row = visit.read(lambda session: noun.find(session, visit, ref))
    try:
        asked = command_from(verb, row.id, body, key=key, version=version)
    except Invalid as error:
        raise right_first(visit, noun, row, verb, error) from None
    answer = visit.rehearse(asked) if dry_run else carry(visit, asked)
    if answer.error is not None:
        raise refusal(visit, noun, row, answer.error)
    headers = {"idempotency-replayed": "true"} if answer.is_replay else {}
    if answer.document.get("version"):
        headers["etag"] = f'"{answer.document["version"]}"'
    return JSONResponse(dict(answer.document), headers=headers)


def command_from(verb: AnyVerb, subject_id: UUID, body: Mapping[str, Any], *, key: str, version: int | None) -> Command:
    """Return the command that a body asks for; `Invalid` names every field that is wrong, missing or unknown."""
    own = f"{verb.subject_name}_id"
    known = {one.name for one in fields(verb.command)} - {own, "command_id", "expected_version"}
    body = _in_own_words(verb, body)
    strange = [unmet("field_unknown", field=name) for name in body if name not in known]
    said = {**body, own: str(subject_id), "command_id": key, "expected_version": version}
    try:
        made: Command = _adapter(verb).validate_json(json.dumps(said), strict=True)
    except ValidationError as error:
        raise Invalid(
            *strange, *(_fault(one) for one in error.errors(include_url=False, include_input=False))
        ) from None
    if strange:
        raise Invalid(*strange)
    return made


_SAID_AS: Mapping[str, Mapping[str, str]] = {
    "payout.amend": {"amount_minor": "new_amount_minor"},
    "payout.approve": {"callback.by": "callback_by", "callback.at": "callback_at"},
    "payout.reapprove": {"callback.by": "callback_by", "callback.at": "callback_at"},
}
"""Verb -> name in the contract (3.6) -> field of the command, where they differ."""


def _in_own_words(verb: AnyVerb, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body under the names of the command; an object whose parts have names of their own is taken apart."""
    names = _SAID_AS.get(verb.permission, {})
    found: dict[str, Any] = {}
    for name, value in body.items():
        inner = value if isinstance(value, dict) and any(one.startswith(f"{name}.") for one in names) else None
        parts = {name: value} if inner is None else {f"{name}.{key}": one for key, one in inner.items()}
        found |= {names.get(key, key): one for key, one in parts.items()}
    return found


_ADAPTERS: dict[str, TypeAdapter[Any]] = {}


def _adapter(verb: AnyVerb) -> TypeAdapter[Any]:
    """Return what reads a verb's command; made once, for that takes longer than reading."""
    if verb.permission not in _ADAPTERS:
        _ADAPTERS[verb.permission] = TypeAdapter(verb.command)
    return _ADAPTERS[verb.permission]


def _fault(fault: Any) -> Unmet:
    field = "/".join(str(part) for part in fault["loc"])
    if fault["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return unmet("field_missing", field=field)
    return unmet("value_wrong", field=field, value="", form=str(fault["msg"]))


def _said(action: Action, noun: Noun, ref: str) -> dict[str, Any]:
    return {
        "name": action.name,
        "verb": action.verb.permission,
        "allowed": action.is_allowed,
        "reasons": [one.document() for one in action.reasons],
        "href": f"/api/v1/{noun.path}/{ref}/commands/{action.name}",
    }


def need(visit: Visit, scope: Scope) -> None:
    """Refuse a token that was not given for this; a person at a page may what their roles may."""
    token = visit.api_token
    if token is not None and scope not in token.scopes:
        raise Forbidden(unmet("scope", scope=str(scope)))


def key_of(visit: Visit) -> str:
    """Return the key of a write; `KeyMissing` for none, or one that is not printable ASCII."""
    key = visit.request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        raise KeyMissing(KeyMissing.code)
    return key


def _version(visit: Visit, noun: Noun) -> int | None:
    said = visit.request.headers.get("if-match")
    if said is None and noun.asks_version:
        raise VersionMissing(VersionMissing.code)
    if said is None:
        return None
    found = _ETAG.fullmatch(said.strip())
    if found is None:
        raise Malformed(Malformed.code)
    return int(found[1])


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(one) for one in inner if isinstance(one, dict | list)), default=0)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
