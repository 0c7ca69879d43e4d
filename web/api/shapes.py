"""JSON schemas of what goes over the wire: rows out of the contract's views and tables, bodies out of commands."""

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Boolean, Float, Integer, Numeric

from models.types import Day, Id, JSONText, State, UTCDateTime, WordList
from web.api.core import SAID_AS, said_by
from web.api.resources import Resource
from web.nouns import AnyVerb

REF = "#/components/schemas/"
_NUMBERS = ("_seq", "_minor", "_count", "_bytes", "_needed")
_NUMBERED = frozenset({"seq", "version", "definition_version", "revision", "attempt", "attempts", "fence"})
"""Columns of views that are integers (`docs/contract.md` 3.4); all others are text."""
UUID_TEXT = {"type": "string", "format": "uuid"}
INSTANT = {"type": "string", "format": "date-time"}


def row_schema(resource: Resource) -> dict[str, Any]:
    """Return the schema of one row: every key is there, unless `fields` asked for some; what is absent is null."""
    columns = resource.table.c
    properties = {
        name: _of_column(columns[name].type) if name in resource.fields else _of_view(name) for name in resource.keys
    }
    free = {name: one if name == "id" else _or_null(one) for name, one in properties.items()}
    brought = {name: dict(one.schema) for name, one in resource.includes.items()}
    return {"type": "object", "properties": {**free, **brought}, "additionalProperties": True}


def _of_view(name: str) -> dict[str, Any]:
    if name.endswith(_NUMBERS) or name in _NUMBERED or name.startswith("is_"):
        return {"type": "integer"}
    if name == "id" or (name.endswith("_id") and name not in ("command_id", "end_to_end_id", "msg_id", "message_id")):
        return UUID_TEXT
    return INSTANT if name == "at" or name.endswith("_at") else {"type": "string"}


def _of_column(kind: Any) -> dict[str, Any]:
    if isinstance(kind, State):
        return {"type": "string", "enum": [str(word) for word in kind.words]}
    if isinstance(kind, Id):
        return UUID_TEXT
    if isinstance(kind, UTCDateTime):
        return INSTANT
    if isinstance(kind, Day):
        return {"type": "string", "format": "date"}
    if isinstance(kind, WordList):
        return {"type": "array", "items": {"type": "string"}}
    if isinstance(kind, JSONText):
        return {"type": ["object", "array"]}
    names = {Boolean: "boolean", Integer: "integer", Float: "number", Numeric: "number"}
    return {"type": next((word for sort, word in names.items() if isinstance(kind, sort)), "string")}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    kind = schema["type"]
    return {**schema, "type": [*(kind if isinstance(kind, list) else [kind]), "null"]}


def body_schema(verb: AnyVerb, known: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what a verb is told, under the names of the contract; shared shapes go into `known`."""
    whole = TypeAdapter(verb.command).json_schema(ref_template=f"{REF}{{model}}")
    for name, schema in whole.get("$defs", {}).items():
        known[name] = _tidy(schema)
    said = said_by(verb)
    own = {name: _tidy(schema) for name, schema in whole["properties"].items() if name in said}
    needed = [name for name, one in said.items() if one.default is MISSING and one.default_factory is MISSING]
    for name, field in SAID_AS.get(verb.permission, {}).items():
        outer, _, inner = name.partition(".")
        schema = own.pop(field)
        if inner:
            part = own.setdefault(outer, {"type": "object", "properties": {}, "additionalProperties": False})
            part["properties"][inner] = schema
        else:
            own[outer] = schema
        needed = [outer if one == field else one for one in needed]
    found = {"type": "object", "properties": own, "required": needed, "additionalProperties": False}
    return found if needed else {name: value for name, value in found.items() if name != "required"}


def _tidy(schema: Any) -> Any:
    """Return a schema without the names that pydantic makes up, and without defaults of absence."""
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        name: {key: _tidy(one) for key, one in value.items()} if name == "properties" else _tidy(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str)) and not (name == "default" and value is None)
    }
    if kept.get("prefixItems") and "items" not in kept:
        kept["items"] = False
    return kept
