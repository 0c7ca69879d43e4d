"""The reference of the API for people: its own OpenAPI document as pages, without a script, from nowhere else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from lifecycle.errors import NotFound
from web.api.openapi import document
from web.api.problems import RESPONSES
from web.api.shapes import REF
from web.render import Words, page
from web.session import Anybody, Visit

router = APIRouter()
_BASE = "/api/v1"
_PARAMETERS = "#/components/parameters/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that is asked or answered, as a row of a table."""

    name: str
    place: str
    type: str
    is_needed: bool
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call as people read it."""

    method: str
    path: str
    summary: str
    about: str
    asks: tuple[Field, ...]
    sends: tuple[Field, ...]
    sent: str
    status: str
    answer: str
    refusals: tuple[tuple[str, str], ...]


@router.get("/api")
def index(visit: Anybody) -> Response:
    """Say how to begin, and lead to each kind of thing."""
    whole = document(visit.lang)
    counts: dict[str, int] = {}
    for operation in (one for ways in whole["paths"].values() for one in ways.values()):
        counts[operation["tags"][0]] = counts.get(operation["tags"][0], 0) + 1
    families = [
        (status, whole["components"]["responses"][name]["description"], list(_examples(whole, name)))
        for status, name in RESPONSES.items()
    ]
    return page(visit, "api.html", base=_BASE, about=whole["info"]["description"], tags=whole["tags"], counts=counts,
                schemes=whole["components"]["securitySchemes"], families=families)  # fmt: skip


@router.get("/api/{tag}")
def kind(visit: Anybody, tag: str) -> Response:
    """List every operation on one kind of thing."""
    whole = document(visit.lang)
    rows = [
        (one["operationId"], method.upper(), f"{_BASE}{path}", one["summary"])
        for path, ways in whole["paths"].items()
        for method, one in ways.items()
        if one["tags"] == [tag]
    ]
    return page(visit, "api_kind.html", tag=tag, heading=_heading(whole, tag), operations=rows)


@router.get("/api/{tag}/{name}")
def operation(visit: Anybody, tag: str, name: str) -> Response:
    """Show one operation: what it asks, what it sends, what comes back, what can refuse it."""
    whole = document(visit.lang)
    found = [
        _operation(whole, visit, method, path, one)
        for path, ways in whole["paths"].items()
        for method, one in ways.items()
        if one["tags"] == [tag] and one["operationId"] == name
    ]
    if not found:
        raise NotFound(NotFound.code)
    return page(visit, "api_operation.html", tag=tag, heading=_heading(whole, tag), one=found[0])


def _heading(whole: Mapping[str, Any], tag: str) -> str:
    found = next((one["description"] for one in whole["tags"] if one["name"] == tag), None)
    if found is None:
        raise NotFound(NotFound.code)
    return str(found)


def _examples(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = whole["components"]["responses"][name]["content"]
    examples: Mapping[str, Any] = content["application/problem+json"]["examples"]
    return examples


def _operation(whole: Mapping[str, Any], visit: Visit, method: str, path: str, one: Mapping[str, Any]) -> Operation:
    words = Words(visit.lang, visit.house.zone)
    status, answered = next(iter(one["responses"].items()))
    body: Mapping[str, Any] = next(iter(one.get("requestBody", {}).get("content", {}).values()), {})
    answer: Mapping[str, Any] = next(iter(answered.get("content", {}).values()), {})
    return Operation(
        method=method.upper(),
        path=f"{_BASE}{path}",
        summary=one["summary"],
        about=one.get("description", ""),
        asks=tuple(_asked(whole, words, parameter) for parameter in one["parameters"]),
        sends=_sent(whole, words, body.get("schema", {})),
        sent=_pretty(body.get("example")),
        status=status,
        answer=_pretty(answer.get("example")),
        refusals=tuple(
            (code, whole["components"]["responses"][RESPONSES[code]]["description"])
            for code in sorted(one["responses"])
            if code in RESPONSES
        ),
    )


def _asked(whole: Mapping[str, Any], words: Words, parameter: Mapping[str, Any]) -> Field:
    said: Mapping[str, Any] = parameter
    if "$ref" in parameter:
        said = whole["components"]["parameters"][parameter["$ref"].removeprefix(_PARAMETERS)]
    return Field(
        name=said["name"],
        place=said["in"],
        type=_type(said["schema"]),
        is_needed=bool(said.get("required")),
        meaning=said.get("description") or _label(words, said["name"]),
    )


def _sent(whole: Mapping[str, Any], words: Words, schema: Mapping[str, Any]) -> tuple[Field, ...]:
    if "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].removeprefix(REF)]
    needed = schema.get("required", ())
    return tuple(
        Field(name=name, place="", type=_type(one), is_needed=name in needed, meaning=_label(words, name))
        for name, one in schema.get("properties", {}).items()
    )


def _label(words: Words, name: str) -> str:
    label = words.field(name)
    return "" if label == name else label


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(REF))
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"] if one is not None)
    kind = schema.get("type", "")
    if kind == "array":
        return f"[{_type(schema.get('items') or {})}]"
    said = " | ".join(kind) if isinstance(kind, list) else str(kind)
    return str(schema.get("format") or said)


def _pretty(example: Any) -> str:
    return "" if example is None else json.dumps(example, ensure_ascii=False, indent=2)
