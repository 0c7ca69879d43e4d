"""Where a list goes on: an opaque word that holds good for the same list only, with the same filters and order."""

import base64
import binascii
import hashlib
import json
from typing import Any
from uuid import UUID

from lifecycle.errors import unmet
from web.errors import Malformed

_DIGEST = 12
_LONGEST = 600


class _Wrong(Exception):
    """It is no cursor of this list."""


def written(place: str, value: Any) -> str:
    """Return the cursor behind a value in a list; `place` names the list with all that was asked of it."""
    body = json.dumps(value if isinstance(value, int) else str(value), ensure_ascii=False)
    return base64.urlsafe_b64encode(_digest(place, body) + body.encode()).decode().rstrip("=")


def read(place: str, cursor: str, kind: type[Any]) -> Any:
    """Return the value that a list goes on behind; `Malformed` for a cursor that is another list's, or nobody's."""
    try:
        return _value(place, cursor, kind)
    except _Wrong:
        raise Malformed(unmet(Malformed.code), unmet("cursor_wrong")) from None


def _value(place: str, cursor: str, kind: type[Any]) -> Any:
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise _Wrong
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST], raw[_DIGEST:].decode()
        value = json.loads(body)
    except (binascii.Error, ValueError):
        raise _Wrong from None
    if digest != _digest(place, body):
        raise _Wrong
    return _as(kind, value)


def _as(kind: type[Any], value: Any) -> Any:
    """Return the value as its column has it; whoever made up a cursor with its digest learns nothing but a page."""
    if kind is UUID and isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            raise _Wrong from None
    if type(value) is not kind or (kind is int and abs(value) >= 2**63) or "\0" in str(value):
        raise _Wrong
    return value


def _digest(place: str, body: str) -> bytes:
    return hashlib.sha256(f"pilotway cursor\n{place}\n{body}".encode()).digest()[:_DIGEST]
