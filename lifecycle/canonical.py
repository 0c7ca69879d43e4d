"""Canonical JSON and the hashes over it (`docs/contract.md` 3.8)."""

import hashlib
import json
import unicodedata
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID


def instant(at: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS.ffffffZ`; the moment must be aware and in UTC."""
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def plain(value: Any) -> Any:
    """Turn a value into what canonical JSON may hold: NFC text, integers, lists, objects; a float becomes its text."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return unicodedata.normalize("NFC", value) if not value.isascii() else str(value)
        case float():
            return repr(value)
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
            return [plain(item) for item in items]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    message = f"{type(value).__name__} has no canonical form"
    raise TypeError(message)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> str:
    """Return the canonical JSON of a plain value: keys sorted, no spaces, non-ASCII kept, no floats."""
    return _ENCODER.encode(plain(value))


def sha256(text: str) -> str:
    """Return the SHA-256 of the text's UTF-8, as 64 lower-case hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
