"""Every noun for programs, by its registration alone: what may be done with it, and doing it."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from lifecycle.canonical import instant
from lifecycle.commands import Answer, Command
from lifecycle.errors import Forbidden, Invalid, LifecycleError, NotFound, Stale, Unmet, unmet
from models.limits import SHORT_TEXT
from models.states import Scope
from web.acts import Action, actions, carry, changes_since, refusal, right_first
from web.errors import KeyMissing, Malformed, VersionMissing, answered, patience_of, problem, status_of
from web.nouns import AnyVerb, Noun, noun_at
from web.session import Program, Visit

router = APIRouter(tags=["commands"])
DEEPEST = 16
JSON = "application/json"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'(?:W/)?"?(\d{1,15})"?')


def asked_dry(dry_run: Annotated[bool, Query()] = False) -> bool:  # noqa: FBT002 - from the query
    """Say whether to tell what would be done, and do nothing (`dry_run=true`)."""
    return dry_run


Dry = Annotated[bool, Depends(asked_dry)]


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


def schema_of(verb: AnyVerb) -> str:
    """Return the name of the schema of a verb's body in the description of the API."""
    return verb.permission.replace(".", "-")


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent; `Malformed` for anything else, or one that is nested too deep."""
    raw = await request.body()
    if raw:
        need_json(request)
    try:
        found = json.loads(raw or b"{}", parse_constant=_refuse_constant, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise Malformed(Malformed.code) from None
    if not isinstance(found, dict) or _depth(found) > DEEPEST:
        raise Malformed(Malformed.code)
    return found


def need_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Malformed(unmet(Malformed.code), unmet("content_type_wrong", form=JSON))


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object that says each name once: two readers of one that says a name twice could disagree."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(unmet(Malformed.code), unmet("name_twice", field=twice[:SHORT_TEXT]))
    return found


Body = Annotated[dict[str, Any], Depends(body_of)]
T = TypeVar("T", bound=BaseModel)


def read_as(model: type[T]) -> Callable[[Request], Awaitable[T]]:
    """Return what reads a body as a model; `Invalid` names every field that is wrong, missing or unknown."""

    async def read(request: Request) -> T:
        body = await body_of(request)
        try:
            return model.model_validate_json(json.dumps(body))
        except ValidationError as error:
            raise Invalid(*(_fault(one) for one in error.errors(include_url=False, include_input=False))) from None

    return read


@router.post("/{path}/{ref}/commands/{name}")
def carry_out(visit: Program, body: Body, path: str, ref: str, name: str, is_dry: Dry) -> Response:
    """Do it: `Idempotency-Key` always, `If-Match` with the version that was seen; `dry_run=true` writes nothing."""
    noun = noun_at(path)
    verb = noun.verb(name)
    need(visit, Scope.PROJECT_WRITE)
    key, version = key_of(visit), version_of(visit)
    if version is None and noun.asks_version:
        raise VersionMissing(VersionMissing.code)
    row = visit.read(lambda session: noun.find(session, visit, ref))
    try:
        asked = command_from(verb, row.id, body, key=key, version=version)
    except Invalid as error:
        raise right_first(visit, noun, row, verb, error) from None
    answer = visit.rehearse(asked) if is_dry else carry(visit, asked)
    if answer.error is not None:
        return refused(visit, noun, row, answer.error, seen=version)
    return told(answer)


def refused(visit: Visit, noun: Noun, row: Any, error: LifecycleError, *, seen: int | None) -> Response:
    """Return the problem of a refusal with what else is possible now (`can`), or what others did since (`changes`)."""

    def work(session: Session) -> dict[str, Any]:
        if isinstance(error, Stale):
            since = changes_since(session, noun, row, row.version if seen is None else seen)
            return {"changes": [{**asdict(one), "at": instant(one.at)} for one in since]}
        found = actions(session, visit, noun, row) if status_of(error) in (403, 409) else []
        return {"can": [_href(one, noun, noun.ref(row)) for one in found if one.is_allowed]} if found else {}

    if isinstance(error, NotFound):
        raise error
    whole = refusal(visit, noun, row, error)
    document = problem(whole, lang=visit.lang, path=visit.request.url.path, trace_id=visit.trace_id)
    headers = {"content-language": visit.lang, **patience_of(whole, document["status"])}
    return answered({**document, **visit.read(work)}, headers)


def carried(visit: Visit, command: Command, *, is_dry: bool = False) -> Answer:
    """Carry a command out, or rehearse it, and return the answer; raise its refusal."""
    answer = visit.rehearse(command) if is_dry else carry(visit, command)
    if answer.error is not None:
        raise answer.error
    return answer


def told(answer: Answer, status: int = 200, **besides: Any) -> Response:
    """Return the document of what was carried out, with its version as `ETag`; `besides` is shown this once.

    What was rehearsed made nothing: its status is 200, and it shows nothing besides.
    """
    headers = {"idempotency-replayed": "true"} if answer.is_replay else {}
    if answer.document.get("dry_run"):
        return JSONResponse(answer.document)
    if answer.document.get("version"):
        headers["etag"] = f'"{answer.document["version"]}"'
    return JSONResponse({**answer.document, **besides}, status_code=status, headers=headers)


def said_by(verb: AnyVerb) -> dict[str, Any]:
    """Return the fields of a verb that a body says: all but its subject, the key and the version."""
    own = f"{verb.subject_name}_id"
    return {one.name: one for one in fields(verb.command) if one.name not in (own, "command_id", "expected_version")}


def command_from(
    verb: AnyVerb, subject_id: UUID | None, body: Mapping[str, Any], *, key: str, version: int | None = None
) -> Command:
    """Return the command that a body asks for; `Invalid` names every field that is wrong, missing or unknown."""
    body = _in_own_words(verb, body)
    strange = [unmet("field_unknown", field=name) for name in body if name not in said_by(verb)]
    own = {} if subject_id is None else {f"{verb.subject_name}_id": str(subject_id)}
    said = {**body, **own, "command_id": key, "expected_version": version}
    try:
        made: Command = _adapter(verb).validate_json(json.dumps(said), strict=True)
    except ValidationError as error:
        raise Invalid(
            *strange, *(_fault(one) for one in error.errors(include_url=False, include_input=False))
        ) from None
    if strange:
        raise Invalid(*strange)
    return made


SAID_AS: Mapping[str, Mapping[str, str]] = {
    "payout.amend": {"amount_minor": "new_amount_minor"},
    "payout.approve": {"callback.by": "callback_by", "callback.at": "callback_at"},
    "payout.reapprove": {"callback.by": "callback_by", "callback.at": "callback_at"},
}
"""Verb -> name in the contract (3.6) -> field of the command, where they differ."""


def _in_own_words(verb: AnyVerb, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body under the names of the command; an object whose parts have names of their own is taken apart."""
    names = SAID_AS.get(verb.permission, {})
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
    if fault["type"] == "extra_forbidden":
        return unmet("field_unknown", field=field)
    return unmet("value_wrong", field=field, value="", form=str(fault["msg"]))


def _said(action: Action, noun: Noun, ref: str) -> dict[str, Any]:
    return {
        "name": action.name,
        "verb": action.verb.permission,
        "allowed": action.is_allowed,
        "reasons": [one.document() for one in action.reasons],
        "href": _href(action, noun, ref),
        "schema": f"/api/v1/openapi.json#/components/schemas/{schema_of(action.verb)}",
    }


def _href(action: Action, noun: Noun, ref: str) -> str:
    return f"/api/v1/{noun.path}/{ref}/commands/{action.name}"


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


def version_of(visit: Visit) -> int | None:
    """Return the version that a write has seen (`If-Match`), None where it names none."""
    said = visit.request.headers.get("if-match")
    if said is None:
        return None
    found = _ETAG.fullmatch(said.strip())
    if found is None:
        raise Malformed(unmet(Malformed.code), unmet("version_wrong"))
    return int(found[1])


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(one) for one in inner if isinstance(one, dict | list)), default=0)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
