"""Canonical JSON and the hashes over it (`docs/contract.md` 3.8)."""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from types import NoneType
from typing import Any
from uuid import UUID


def instant(at: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS.ffffffZ`; the moment must be aware and in UTC."""
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def plain(value: Any) -> Any:
    """Turn a value into what canonical JSON may hold: NFC text, integers, lists, objects; a float becomes its text."""
    kind = type(value)
    if kind in _PLAIN:
        return _PLAIN[kind](value)
    for known, form in _PLAIN.items():  # of a word of an enum, which is a text as well
        if isinstance(value, known):
            return form(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    message = f"{type(value).__name__} has no canonical form"
    raise TypeError(message)


def _text(value: str) -> str:
    return str(value) if value.isascii() else unicodedata.normalize("NFC", value)


def _same(value: Any) -> Any:
    return value


def _object(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): plain(item) for key, item in value.items()}


def _list(value: Iterable[Any]) -> list[Any]:
    return [plain(item) for item in value]


def _set(value: Iterable[Any]) -> list[Any]:
    return _list(sorted(value, key=str))


_PLAIN: Mapping[type, Callable[[Any], Any]] = {
    str: _text,
    int: _same,
    NoneType: _same,
    bool: _same,
    UUID: str,
    dict: _object,
    list: _list,
    tuple: _list,
    datetime: instant,
    date: date.isoformat,
    float: repr,
    set: _set,
    frozenset: _set,
}
"""The form of each kind of value, a narrower kind before the wider one."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> str:
    """Return the canonical JSON of a plain value: keys sorted, no spaces, non-ASCII kept, no floats."""
    return _ENCODER.encode(plain(value))


def canonical_of_json(value: Any) -> str:
    """Return the same text for what JSON can write as it is: text, integers, lists, objects with ASCII keys.

    The whole text is brought to NFC at once: a quotation mark stands before every string and joins with nothing.
    """
    text = _ENCODER.encode(value)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def sha256(text: str) -> str:
    """Return the SHA-256 of the text's UTF-8, as 64 lower-case hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """Return the SHA-256 of a file's content, as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()
