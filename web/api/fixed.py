"""What the description of the API says by hand: parameters that all writes share, answers, problems, events."""

from typing import Any

from web.api.lists import MOST, PER_PAGE
from web.api.shapes import INSTANT, REF, UUID_TEXT

TEXT = {"type": "string"}


def parameter(name: str) -> dict[str, str]:
    """Return the mention of a parameter that is described once."""
    return {"$ref": f"#/components/parameters/{name}"}


_TAG = {"type": "string", "pattern": '^"[0-9]{1,15}"$'}
PARAMETERS: dict[str, Any] = {
    "Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
        "example": "8e03a1f2-5b6c-4d7e-8f90-a1b2c3d4e5f6",
    },
    "IfMatch": {"name": "If-Match", "in": "header", "schema": _TAG, "example": '"37"'},
    "IfMatchNeeded": {"name": "If-Match", "in": "header", "required": True, "schema": _TAG, "example": '"37"'},
    "Csrf": {"name": "X-CSRF-Token", "in": "header", "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
             "example": "0" * 64},
    "DryRun": {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}, "example": True},
    "Limit": {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": PER_PAGE},
        "example": PER_PAGE,
    },
    "Count": {"name": "count", "in": "query", "schema": {"type": "boolean"}, "example": True},
    "Cursor": {"name": "cursor", "in": "query", "schema": {"type": "string", "maxLength": 600}, "example": "tEGw4q6u…"},
}  # fmt: skip
KEYED = [parameter("Key"), parameter("Csrf")]
DRY = [*KEYED, parameter("DryRun")]
"""Of a write that can be rehearsed."""
ANSWERED = {"$ref": f"{REF}Answer"}
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "object_type": TEXT,
        "object_id": UUID_TEXT,
        "state": TEXT,
        "version": {"type": "integer"},
        "command_id": TEXT,
        "transition_seq": {"type": ["integer", "null"]},
        "replayed": {"type": "boolean"},
        "dry_run": {"type": "boolean"},
    },
    "required": ["object_type", "object_id", "state", "version"],
}
_PEOPLE = {"type": "array", "items": TEXT}
_REASON = {
    "type": "object",
    "properties": {
        "code": TEXT,
        "clause": TEXT,
        "verdict": TEXT,
        "party": TEXT,
        "role": TEXT,
        "people": _PEOPLE,
        "but_not": _PEOPLE,
        "due_on": {"type": "string", "format": "date"},
        "suffices": TEXT,
        "values": {"type": "object"},
    },
    "required": ["code"],
}
_OR_NULL = {"type": ["string", "null"]}
_REQUIREMENT = {
    "type": "object",
    "properties": {
        "clause": TEXT,
        "owner": _OR_NULL,
        "person": _OR_NULL,
        "due": {"type": ["string", "null"], "format": "date"},
    },
    "required": ["clause", "owner", "person", "due"],
}
_CHANGE = {
    "type": "object",
    "properties": {"at": INSTANT, "by": TEXT, "action": TEXT, "to_state": TEXT},
    "required": ["at", "by", "action", "to_state"],
}
COMMAND: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "verb": TEXT,
        "allowed": {"type": "boolean"},
        "reasons": {"type": "array", "items": _REASON},
        "href": TEXT,
        "schema": TEXT,
    },
    "required": ["name", "verb", "allowed", "reasons", "href", "schema"],
}
PROBLEM_SHAPE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "instance": TEXT,
        "code": TEXT,
        "unmet": {"type": "array", "items": TEXT, "minItems": 1},
        "reasons": {"type": "array", "items": _REASON},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": TEXT, "code": TEXT, "message": TEXT},
                "required": ["pointer", "code", "message"],
            },
        },
        "requirements": {"type": "array", "items": _REQUIREMENT},
        "can": {"type": "array", "items": TEXT},
        "changes": {"type": "array", "items": _CHANGE},
        "current": {"type": ["integer", "null"]},
        "lang": {"enum": ["zh-CN", "en"]},
        "trace_id": TEXT,
    },
    "required": ["type", "title", "status", "code", "unmet", "trace_id"],
}
EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": UUID_TEXT,
        "source": {"type": "string", "format": "uri-reference"},
        "type": TEXT,
        "time": INSTANT,
        "subject": TEXT,
        "datacontenttype": TEXT,
        "data": {
            "type": "object",
            "properties": {"object_type": TEXT, "object_id": UUID_TEXT},
            "required": ["object_type", "object_id"],
        },
    },
    "required": ["specversion", "id", "source", "type", "time", "data"],
}
