"""Around every request: a trace id, a limit for the body, and the headers that keep a page to itself."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias
from uuid import UUID

from web.cookies import ALONG
from web.errors import TooLarge

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1024 * 1024
LARGEST_UPLOAD = 50 * 1024 * 1024 + 64 * 1024
"""Fifty MiB of a file, and the form around it (`docs/contract.md`, limits)."""

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""What every answer carries; one that says so itself (a stylesheet's `cache-control`) keeps its own."""
_HSTS = "max-age=31536000; includeSubDomains"


class Guard:
    """The outermost application: it hands everything on, counted and with headers."""

    def __init__(self, app: App, *, new_id: Callable[[], UUID]) -> None:
        self.app, self.new_id = app, new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id = self.new_id().hex
        scope.setdefault("state", {})["trace_id"] = trace_id
        _drop_nul(scope)
        own = headers_of(scope, trace_id)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _note(scope, trace_id, message["status"])
                said = list(message.get("headers", ()))
                there = {name.lower() for name, _ in said}
                new = [(name.encode(), value.encode()) for name, value in own.items() if name.encode() not in there]
                if along := scope["state"].get(ALONG):
                    new.append((b"set-cookie", along.encode()))
                message["headers"] = [*said, *new]
                _tell_the_way(scope, message)
            await send(message)

        await self.app(scope, _counted(receive, _limit(scope), _declared(scope)), answer)


def _drop_nul(scope: Scope) -> None:
    """Take the character NUL out of an address: no text of the database has one, and PostgreSQL takes none to look for.

    The API refuses it by name; on a page it can only come from whoever tries what happens.
    """
    scope["path"] = scope["path"].replace("\0", "\ufffd")
    if not scope["path"].startswith("/api/"):
        scope["query_string"] = scope["query_string"].replace(b"%00", b"")


def _tell_the_way(scope: Scope, message: Message) -> None:
    """Tell a script that measures an upload where a redirect leads, since it cannot see one: it goes there itself.

    A script that follows redirects unseen would load the page twice and lose the place on it (`#decide`).
    """
    if message["status"] == _SEE_OTHER and any(name == b"x-measured" for name, _ in scope["headers"]):
        message["status"] = 200
        message["headers"] = [
            (b"x-location" if name.lower() == b"location" else name, value) for name, value in message["headers"]
        ]


_SEE_OTHER = 303
_ATTEMPTS = frozenset({400, 403, 405, 413, 428, 429})
"""What a page of ours does not send: an attempt to get around a rule, a limit or a check, or a broken program."""
_LOG = logging.getLogger("pilotway.access")


def _note(scope: Scope, trace_id: str, status: int) -> None:
    """Write down that a request was refused: which route, from where; nothing of what was typed or asked for."""
    if status in _ATTEMPTS:
        route, client = scope.get("route"), scope.get("client")
        path, method = getattr(route, "path", "-"), scope["method"] if scope["method"].isalpha() else "-"
        _LOG.warning("%s %d %s %s from %r", trace_id, status, method, path, client[0] if client else "")


def headers_of(scope: Mapping[str, Any], trace_id: str) -> dict[str, str]:
    """Return what every answer to this request carries."""
    own = {**HEADERS, "x-trace-id": trace_id}
    return {**own, "strict-transport-security": _HSTS} if scope.get("scheme") == "https" else own


def _limit(scope: Scope) -> int:
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return LARGEST_UPLOAD if kind.startswith(b"multipart/form-data") else LARGEST_BODY


def _declared(scope: Scope) -> int:
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(said) if said.isdigit() else 0


def _counted(receive: Receive, limit: int, declared: int) -> Receive:
    """Return the same body, that ends with `TooLarge` where it is longer than it may be, whatever it said before.

    What says itself that it is too long is not read at all.
    """
    seen = declared if declared > limit else 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge(TooLarge.code)
        return message

    return counted
