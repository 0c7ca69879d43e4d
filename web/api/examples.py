"""Examples for the reference: values that fit a schema, named after the story of the demonstration."""

from collections.abc import Mapping
from typing import Any

from web.api.shapes import REF

_ID = "01985c3e-7a00-7000-8000-000000000007"
_SAID: Mapping[str, Any] = {
    "number": "PT-2025-0014",
    "code": "partner",
    "name": "高镍正极材料中试",
    "reason": "第三批达标",
    "login": "li.na",
    "email": "li.na@example.org",
    "currency": "CNY",
    "amount_minor": 50_000_000,
    "total_minor": 50_000_000,
    "url": "https://example.org/pilotway",
    "types": ["project.*", "payout.paid"],
    "scopes": ["read"],
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "version": 37,
    "stage": "small_batch_trial",
    "country": "CN",
    "gate": "G3",
    "clause": "G3.1",
    "verdict": "missing",
    "verdict_code": "evidence_missing",
    "owed_by": ["sme"],
    "due": "2025-11-24",
    "by": "李工",
    "note": "",
    "object_type": "project",
    "state": "market_validation",
    "command_id": "8e03a1f2-5b6c-4d7e-8f90-a1b2c3d4e5f6",
    "verb": "project.advance",
    "href": "/api/v1/projects/PT-2025-0014/commands/advance",
    "specversion": "1.0",
    "type": "project.advanced",
    "schema": "/api/v1/openapi.json#/components/schemas/project-advance",
    "source": "urn:uuid:01985c3e-7a00-7000-8000-000000000001",
    "subject": "PT-2025-0014",
    "datacontenttype": "application/json",
    "kind": "project.advanced",
    "holder_name": "甲公司",
    "account_number": "6222020200112233445",
    "file": "…",
    "form": "{}",
    "csrf_token": "0000000000000000000000000000000000000000000000000000000000000000",
    "token": "pt_…",
    "secret": "whsec_…",
    "next": None,
}
_ENDS: tuple[tuple[str, Any], ...] = (
    ("_hash", _SAID["sha256"]),
    ("_sha256", _SAID["sha256"]),
    ("_minor", 50_000_000),
    ("_at", "2025-11-24T01:00:00.000000Z"),
    ("_on", "2025-11-24"),
)
_FORMATS: Mapping[str, Any] = {
    "uuid": _ID,
    "date": "2025-11-24",
    "date-time": "2025-11-24T01:00:00.000000Z",
    "binary": "…",
}


def example(schema: Mapping[str, Any], known: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """Return a value that fits a schema; `known` are the shapes that it refers to, `name` is what it is called."""
    if "$ref" in schema:
        return example(known[schema["$ref"].removeprefix(REF)], known, name, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _SAID[name] if name in _SAID and _SAID[name] in schema["enum"] else schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], known, name, depth + 1)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, known, depth)
    if kind == "array":
        return _array(schema, known, name, depth)
    return _plain(schema, kind, name)


def _object(schema: Mapping[str, Any], known: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    wanted = schema.get("required", ()) if depth > 3 else properties
    return {name: example(properties[name], known, name, depth + 1) for name in wanted}


def _array(schema: Mapping[str, Any], known: Mapping[str, Any], name: str, depth: int) -> list[Any]:
    if isinstance(_SAID.get(name), list):
        return list(_SAID[name])
    if "prefixItems" in schema:
        return [example(one, known, "", depth + 1) for one in schema["prefixItems"]]
    inner = schema.get("items")
    if not inner or depth > 6:
        return []
    return [example(inner, known, name, depth + 1) for _ in range(max(1, schema.get("minItems", 1)))]


def _plain(schema: Mapping[str, Any], kind: str, name: str) -> Any:
    if "null" in schema.get("type", ()) and name in _SAID and _SAID[name] is None:
        return None
    if kind == "string":
        said = _SAID.get(name) or next((value for end, value in _ENDS if name.endswith(end)), "…")
        return _FORMATS.get(schema.get("format", ""), said if isinstance(said, str) else "…")
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        said = next((value for end, value in _ENDS if name.endswith(end)), _SAID.get(name))
        return said if isinstance(said, int) else max(1, schema.get("minimum", 1))
    return None
