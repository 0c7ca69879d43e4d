"""The OpenAPI 3.1 document, made of what is registered: nouns with their verbs, lists with their filters, the rest.

Headings are in one language, `zh-CN` or `en`; names, codes and examples are the same in both.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from notifications.words import Lang, is_known
from web import cookies
from web.api import births, events, money, schedules, session
from web.api.births import BIRTHS
from web.api.core import schema_of
from web.api.examples import example
from web.api.fixed import (
    ANSWER,
    ANSWERED,
    COMMAND,
    DRY,
    EVENT,
    KEYED,
    PARAMETERS,
    PROBLEM_SHAPE,
    TEXT,
    parameter,
)
from web.api.lists import form_of
from web.api.problems import RESPONSES, problems
from web.api.resources import Filter, Resource
from web.api.rows import PARTS, RESOURCES
from web.api.shapes import INSTANT, REF, UUID_TEXT, body_schema, row_schema
from web.nouns import NOUNS, AnyVerb, Noun
from web.render import Words
from web.session import Anybody

router = APIRouter(tags=["openapi"])
VERSION = "1.0.0"
JSON, MULTIPART = "application/json", "multipart/form-data"
_READING = ("401", "403", "404", "422", "429", "503")
_LISTING = ("400", *_READING)
_WRITING = ("400", "401", "403", "404", "409", "412", "413", "422", "429", "503")
_ENTERING = ("400", "401", "413", "422", "429", "503")
_REF = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._@-]+$"}


@router.get("/openapi.json")
def openapi(visit: Anybody) -> Response:
    """Give the whole description of the API; nothing in it is anybody's data."""
    return JSONResponse(document(visit.lang), headers={"content-language": visit.lang})


@functools.cache
def document(lang: Lang) -> dict[str, Any]:
    """Return the document with headings in one language."""
    return _Writer(Words(lang, ZoneInfo("UTC"))).document()


class _Writer:
    """Writes one document."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.schemas: dict[str, Any] = {"Answer": ANSWER, "Problem": PROBLEM_SHAPE, "Event": EVENT, "Command": COMMAND}
        self.paths: dict[str, dict[str, Any]] = {}

    def document(self) -> dict[str, Any]:
        """Return everything there is."""
        self._session()
        self._events()
        for resource in RESOURCES.values():
            self._lists(resource)
        for (path, part), rows in PARTS.items():
            self._part(path, part, rows.resource)
        for path, verb in BIRTHS.items():
            self._birth(path, verb)
        for noun in NOUNS.values():
            self._noun(noun)
        self._money()
        self._people()
        self._schedules()
        tags = list(dict.fromkeys(one["tags"][0] for ways in self.paths.values() for one in ways.values()))
        return {
            "openapi": "3.1.0",
            "info": {
                "title": self.words.t("product"),
                "version": VERSION,
                "summary": self.words.t("api.summary"),
                "description": self.words.t("api.about"),
            },
            "servers": [{"url": "/api/v1"}],
            "tags": [{"name": name, "description": self._heading(name)} for name in tags],
            "security": [{"token": []}, {"session": []}],
            "paths": self.paths,
            "components": {
                "schemas": dict(sorted(self.schemas.items())),
                "responses": problems(self.words),
                "parameters": {name: self._described(one) for name, one in PARAMETERS.items()},
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "description": self.words.t("api.token")},
                    "session": {
                        "type": "apiKey",
                        "in": "cookie",
                        "name": cookies.SESSION,
                        "description": self.words.t("api.session"),
                    },
                },
            },
        }

    def _heading(self, name: str) -> str:
        return self.words.t(f"noun.{name}" if is_known(f"page.noun.{name}") else f"api.of.{name}")

    def _add(  # noqa: PLR0913 - the parts of one operation
        self,
        method: str,
        path: str,
        *,
        tag: str,
        summary: str,
        answer: Any = None,
        about: str = "",
        status: str = "200",
        body: Any = None,
        parameters: Sequence[Any] = (),
        problems: Sequence[str] = _READING,
        kind: str = JSON,
        **besides: Any,
    ) -> None:
        """Enter one operation, with an example of what is sent and of what comes back."""
        named = [{"name": one[1:-1], "in": "path", "required": True, "schema": _REF, "example": _example_of(one)}
                 for one in path.split("/") if one.startswith("{")]  # fmt: skip
        answered: dict[str, Any] = {"description": self.words.t("api.done")}
        if answer is not None:
            answered["content"] = {JSON: {"schema": answer, "example": example(answer, self.schemas)}}
        done = {status: answered}
        if parameter("DryRun") in parameters and status != "200":
            done["200"] = {**answered, "description": self.words.t("api.dry")}
        operation: dict[str, Any] = {
            "operationId": f"{method}_{path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
            "tags": [tag],
            "summary": summary[:1].upper() + summary[1:],
            "parameters": [*named, *(self._described(one) for one in parameters)],
            "responses": {**done, **{one: {"$ref": f"#/components/responses/{RESPONSES[one]}"}
                                               for one in problems}},
            **besides,
        }  # fmt: skip
        if about:
            operation["description"] = about
        if body is not None:
            sent = {"schema": body, "example": example(body, self.schemas)}
            whole = self.schemas[body["$ref"].removeprefix(REF)] if "$ref" in body else body
            operation["requestBody"] = {"required": bool(whole.get("required")), "content": {kind: sent}}
        self.paths.setdefault(path, {})[method] = operation

    def _described(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return a parameter with what it asks, in words."""
        key = f"api.ask.{asked.get('name', '')}"
        return {**asked, "description": self.words.t(key)} if is_known(f"page.{key}") else asked

    def _row(self, resource: Resource) -> dict[str, Any]:
        name = "".join(part.capitalize() for part in resource.path.split("-"))
        self.schemas.setdefault(name, row_schema(resource))
        return {"$ref": f"{REF}{name}"}

    def _page(self, resource: Resource) -> dict[str, Any]:
        return _page_of(self._row(resource))

    def _lists(self, resource: Resource) -> None:
        path, title = resource.path, self._heading(resource.path)
        self._add(
            "get",
            f"/{path}",
            tag=path,
            summary=self.words.t("api.list", what=title),
            answer=self._page(resource),
            parameters=_asked(resource),
            problems=_LISTING,
        )
        versioned = {"name": "If-None-Match", "in": "header", "schema": TEXT, "example": '"37"'}
        self._add(
            "get",
            f"/{path}/{{ref}}",
            tag=path,
            summary=self.words.t("api.one", what=title),
            answer=self._row(resource),
            parameters=[*_shown(resource), *([versioned] if "version" in resource.table.c else [])],
        )

    def _part(self, path: str, part: str, resource: Resource) -> None:
        self._add(
            "get",
            f"/{path}/{{ref}}/{part}",
            tag=path,
            summary=self.words.t("api.part", what=self._heading(part), of=self._heading(path)),
            answer=self._page(resource),
            parameters=_asked(resource),
            problems=_LISTING,
        )

    def _schedules(self) -> None:
        for name, verb in schedules.VERBS.items():
            body = body_schema(verb, self.schemas)
            own = {one: schema for one, schema in body["properties"].items() if one != "schedule"}
            needed = [one for one in body["required"] if one != "schedule"]
            said = {**body, "properties": own, "required": needed}
            self._write(f"/schedules/{{ref}}/commands/{name}", "schedules", self.words.verb(verb.permission), said,
                        ANSWERED, "200", is_dry=True)  # fmt: skip

    def _birth(self, path: str, verb: AnyVerb) -> None:
        body = body_schema(verb, self.schemas)
        if path == "webhooks":  # both are filled in where they are left out
            body["required"] = [one for one in body["required"] if one not in ("secret", "owner_id")]
        self._add(
            "post",
            f"/{path}",
            tag=path,
            summary=self.words.verb(verb.permission),
            about=self.words.does(verb.permission),
            answer=ANSWERED,
            status="201",
            body=body,
            parameters=DRY,
            problems=_WRITING,
        )

    def _noun(self, noun: Noun) -> None:
        self._add(
            "get",
            f"/{noun.path}/{{ref}}/commands",
            tag=noun.path,
            summary=self.words.t("api.commands", what=self._heading(noun.path)),
            answer={"type": "array", "items": {"$ref": f"{REF}Command"}},
        )
        for verb in noun.verbs:
            body = body_schema(verb, self.schemas)
            if verb.permission == "webhook.rotate":
                body.pop("required")
            version = [parameter("IfMatchNeeded")] if noun.asks_version else [parameter("IfMatch")]
            self.schemas[schema_of(verb)] = body
            self._add(
                "post",
                f"/{noun.path}/{{ref}}/commands/{noun.spoken(verb)}",
                tag=noun.path,
                summary=self.words.verb(verb.permission),
                about=self.words.does(verb.permission),
                answer=ANSWERED,
                body={"$ref": f"{REF}{schema_of(verb)}"},
                parameters=[*DRY, *version],
                problems=(*_WRITING, "428") if noun.asks_version else _WRITING,
                **{"x-verb": verb.permission},
            )

    def _session(self) -> None:
        t = self.words.t
        models = (session.Entering, session.Proof, session.Session, session.SteppedUp)
        entering, proof, begun, stepped = (_of_model(one) for one in models)
        self._add(
            "post", "/session", tag="session", summary=t("api.enter"), answer=begun, body=entering,
            problems=_ENTERING, security=[],
        )  # fmt: skip
        self._add(
            "delete", "/session", tag="session", summary=t("api.leave"), status="204",
            parameters=[parameter("Csrf")], problems=("401", "403", "429", "503"),
        )  # fmt: skip
        self._add(
            "post", "/session/step-up", tag="session", summary=t("api.step_up"), answer=stepped, body=proof,
            parameters=[parameter("Csrf")], problems=("400", "401", "403", "413", "422", "429", "503"),
        )  # fmt: skip

    def _events(self) -> None:
        t, shown = self.words.t, {"$ref": f"{REF}Event"}
        filters = [_filter(name, one) for name, one in events.EVENTS.filters.items()]
        asked = [parameter("Limit"), parameter("Cursor"), *filters]
        self._add(
            "get", "/events", tag="events", summary=t("api.feed"), about=t("api.feed_about"),
            answer=_page_of(shown), parameters=asked, problems=_LISTING,
        )  # fmt: skip
        self._add("get", "/events/{ref}", tag="events", summary=t("api.event"), answer=shown)

    def _money(self) -> None:
        asked, several = _of_model(money.Asked), _of_model(money.Several)
        taken = {"type": "object", "properties": {"files": {"type": "array", "items": {"type": "object"}}}}
        all_done = {
            "type": "object",
            "properties": {"items": {"type": "array", "items": ANSWERED}, "total_minor": {"type": "integer"}},
            "required": ["items", "total_minor"],
        }
        verb = self.words.verb
        self._write("/payouts", "payouts", verb("payout.request"), asked, ANSWERED, "201", is_dry=True)
        for name in ("approve", "release"):
            said = self.words.t("api.together", what=verb(f"payout.{name}"))
            self._write(f"/payouts/commands/{name}", "payouts", said, several, all_done, "200", is_dry=True)
        self._write("/statements", "statements", self.words.t("api.take"), _file({}), taken, "201", kind=MULTIPART)
        form = {"project_id": TEXT, "type": TEXT, "form": {"type": "string", "contentMediaType": JSON},
                "revision": TEXT}  # fmt: skip
        body = _file(form, "project_id", "type")
        self._write("/evidence", "evidence", verb("evidence.add"), body, ANSWERED, "201", kind=MULTIPART)

    def _people(self) -> None:
        verb, grant, token = self.words.verb, _of_model(births.Grant), _of_model(births.Token)
        given = {**ANSWER, "properties": {**ANSWER["properties"], "token": TEXT}}
        self._write("/users/{ref}/grants", "users", verb("user.grant"), grant, ANSWERED, "201", is_dry=True)
        self._write("/users/{ref}/tokens", "users", verb("user.add_token"), token, given, "201", is_dry=True)
        for name in ("disable", "enable"):
            self._write(f"/users/{{ref}}/{name}", "users", verb(f"user.{name}"), None, ANSWERED, "200", is_dry=True)
        ends = (
            ("/users/{ref}/grants/{grant_id}", "users", "user.revoke"),
            ("/users/{ref}/tokens/{token_id}", "users", "user.revoke_token"),
            ("/webhooks/{ref}", "webhooks", "webhook.disable"),
        )
        for path, tag, permission in ends:
            self._add(
                "delete", path, tag=tag, summary=verb(permission), status="204", parameters=KEYED, problems=_WRITING
            )

    def _write(  # noqa: PLR0913 - the parts of one operation
        self,
        path: str,
        tag: str,
        summary: str,
        body: Any,
        answer: Any,
        status: str,
        *,
        kind: str = JSON,
        is_dry: bool = False,
    ) -> None:
        self._add(
            "post", path, tag=tag, summary=summary, body=body, answer=answer, status=status,
            parameters=DRY if is_dry else KEYED, problems=_WRITING, kind=kind,
        )  # fmt: skip


def _of_model(model: Any) -> dict[str, Any]:
    """Return the schema of a model, whole: what it refers to is put in its place."""
    schema = model.model_json_schema()
    known = schema.pop("$defs", {})
    found: dict[str, Any] = _in_place(schema, known)
    return found


def _in_place(schema: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_in_place(one, known) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _in_place(known[schema["$ref"].rpartition("/")[2]], known)
    return {name: _in_place(one, known) for name, one in schema.items() if name not in ("title", "default")}


def _file(properties: Mapping[str, Any], *needed: str) -> dict[str, Any]:
    own = {"file": {"type": "string", "format": "binary"}, **properties}
    return {"type": "object", "properties": own, "required": ["file", *needed], "additionalProperties": False}


def _page_of(row: Mapping[str, Any]) -> dict[str, Any]:
    following = {"type": ["string", "null"], "description": "cursor"}
    properties = {"data": {"type": "array", "items": dict(row)}, "next": following, "count": {"type": "integer"}}
    return {"type": "object", "properties": properties, "required": ["data", "next"]}


def _asked(resource: Resource) -> list[Any]:
    """Return what a list can be asked."""
    sort = {"name": "sort", "in": "query", "schema": {"type": "string", "enum": list(resource.sorts)},
            "example": resource.sorts[0]}  # fmt: skip
    filters = [_filter(name, one) for name, one in resource.filters.items()]
    return [parameter("Limit"), parameter("Cursor"), sort, *_shown(resource), parameter("Count"), *filters]


def _shown(resource: Resource) -> list[Any]:
    """Return what says which parts of a row are told."""
    found = [_some_of("fields", resource.keys, resource.keys[:2])]
    return (
        [*found, _some_of("include", tuple(resource.includes), tuple(resource.includes))]
        if resource.includes
        else found
    )


def _some_of(name: str, words: Sequence[str], shown: Sequence[str]) -> dict[str, Any]:
    one = "|".join(words)
    schema = {"type": "string", "maxLength": 1000, "pattern": f"^({one})(,({one}))*$"}
    return {"name": name, "in": "query", "schema": schema, "example": ",".join(shown), "description": ", ".join(words)}


def _filter(name: str, one: Filter) -> dict[str, Any]:
    if issubclass(one.kind, StrEnum):
        schema: dict[str, Any] = {"type": "string", "enum": [str(word) for word in one.kind]}
    else:
        schema = _FILTERED.get(one.kind, {"type": "string", "maxLength": 200})
    if one.words:
        schema = {"type": "string", "enum": list(one.words)}
    found = {"name": name, "in": "query", "schema": schema, "example": example(schema, {}, name)}
    return {**found, "description": one.about or form_of(one)}


_FILTERED: Mapping[type[Any], dict[str, Any]] = {bool: {"type": "boolean"}, UUID: UUID_TEXT, datetime: INSTANT}


def _example_of(part: str) -> str:
    return "01985c3e-7a00-7000-8000-000000000007" if part != "{name}" else "hold"
