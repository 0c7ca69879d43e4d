"""Where a list goes on: an opaque word that holds good for the same list only, with the same filters and order."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.errors import unmet
from web.errors import Malformed

_DIGEST = 12
_LONGEST = 600


class _Wrong(Exception):
    """It is no cursor of this list."""


def written(place: str, values: Sequence[Any]) -> str:
    """Return the cursor behind these values in a list; `place` names the list with all that was asked of it."""
    said = [one if one is None or isinstance(one, int) else str(one) for one in values]
    body = json.dumps(said, ensure_ascii=False)
    return base64.urlsafe_b64encode(_digest(place, body) + body.encode()).decode().rstrip("=")


def read(place: str, cursor: str, *kinds: type[Any]) -> tuple[Any, ...]:
    """Return the values that a list goes on behind; `Malformed` for a cursor that is another list's, or nobody's.

    One that is not the last may be None: a row without a day has a place too.
    """
    try:
        return _values(place, cursor, kinds)
    except _Wrong:
        raise Malformed(unmet(Malformed.code), unmet("cursor_wrong")) from None


def _values(place: str, cursor: str, kinds: Sequence[type[Any]]) -> tuple[Any, ...]:
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise _Wrong
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST], raw[_DIGEST:].decode()
        values = json.loads(body)
    except (binascii.Error, ValueError):
        raise _Wrong from None
    if digest != _digest(place, body) or not isinstance(values, list) or len(values) != len(kinds):
        raise _Wrong
    *others, last = zip(kinds, values, strict=True)
    return (*(None if value is None else _as(kind, value) for kind, value in others), _as(*last))


def _as(kind: type[Any], value: Any) -> Any:
    """Return the value as its column has it; whoever made up a cursor with its digest learns nothing but a page."""
    if kind in _READ and isinstance(value, str):
        try:
            return _READ[kind](value)
        except ValueError:
            raise _Wrong from None
    if type(value) is not kind or (kind is int and abs(value) >= 2**63) or "\0" in str(value):
        raise _Wrong
    return value


_READ: Mapping[type[Any], Callable[[str], Any]] = {UUID: UUID, date: date.fromisoformat}


def _digest(place: str, body: str) -> bytes:
    return hashlib.sha256(f"pilotway cursor\n{place}\n{body}".encode()).digest()[:_DIGEST]
