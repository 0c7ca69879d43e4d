"""Calls to programs elsewhere: a CloudEvents body, signed after Standard Webhooks, posted to public addresses only.

The twin in memory keeps what was posted. What the other side answers besides its status is never read.
"""

import base64
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from lifecycle.deliveries.rules import is_told
from lifecycle.errors import Invalid, unmet
from models.ports import OutsideError, Said, SendResult, Transient
from models.types import canonical_json, utc_text
from notifications.addresses import CONNECT_SECONDS, TOTAL_SECONDS, NotAllowed, Resolve, Target, resolved, target_of
from notifications.messages import KINDS, OF_THE_CLOCK, topic_of
from notifications.outside import Watch, trusted

_HTTP, _HTTPS = 80, 443
GONE = "HTTP 410"
"""The answer of a receiver that wants no more: its endpoint is disabled at once."""
SECRET_PREFIX = "whsec_"  # noqa: S105 - the sign of a secret, no secret
_SECRET_BYTES = 32
BODY_BYTES = 1024 * 1024
"""Of one body, as of every outside call (`docs/contract.md`, limits)."""
_THIN = ("number", "project", "page", "version", "state")
"""What a body says of its object. All else is read with a right to read it, and that is on record."""


def new_secret() -> str:
    """Draw a secret to sign with; whoever draws it shows it once."""
    return f"{SECRET_PREFIX}{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def known_types(types: Collection[str]) -> None:
    """Refuse a type that no message ever has: a typing error would be told nothing, silently. Raises `Invalid`."""
    told = {kind for kind in {*KINDS, *OF_THE_CLOCK} if is_told((), kind)}
    sound = told | {f"{topic_of(kind)}.*" for kind in told}
    if wrong := sorted(set(types) - sound):
        near = sorted({one for name in wrong for one in get_close_matches(name, sorted(sound), n=2)})
        raise Invalid(unmet("endpoint_types_unknown", field="types", value=wrong, near=near))


def place_to_allow(url: str, *, allow: Collection[str]) -> str:
    """Return `host:port` of an address that is called only when `PILOTWAY_WEBHOOK_ALLOW` names it; else nothing."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": _HTTPS}.get(parts.scheme, _HTTP)
    except ValueError:
        return ""  # the verb says what is wrong about it
    place = f"{parts.hostname}:{port}"
    return "" if place in allow or (parts.scheme, port) == ("https", _HTTPS) else place


def cloud_event(  # noqa: PLR0913 - the attributes of CloudEvents 1.0
    *,
    event_id: str,
    source: str,
    kind: str,
    at: datetime,
    object_type: str,
    object_id: str,
    facts: Mapping[str, Any],
) -> bytes:
    """Return the body: CloudEvents 1.0, structured JSON, with thin data."""
    thin = {key: facts[key] for key in _THIN if isinstance(facts.get(key), str | int)}
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": kind,
        "time": utc_text(at),
        "subject": str(thin.get("number") or f"{object_type}/{object_id}"),
        "datacontenttype": "application/json",
        "data": {"object_type": object_type, "object_id": object_id, **thin},
    }
    return canonical_json(event).encode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,` and the HMAC-SHA-256 of id, timestamp and body (Standard Webhooks, symmetric scheme)."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def headers_of(message_id: str, at: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Return the headers of a signed call; while a secret is changed there is a signature by each of the two."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets),
    }


def is_signed(secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether one of the signatures was made with one of these secrets: what a receiver asks."""
    said = headers.get("webhook-signature", "").split()
    stamp, message_id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not stamp.isdecimal():
        return False
    wanted = [signature(secret, message_id, int(stamp), body) for secret in secrets]
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in said)


@dataclass(slots=True, kw_only=True)
class HttpsWebhooks:
    """Posts to the address that a name has now, under its name for TLS; follows no redirect, reads no body."""

    allow: Collection[str] = frozenset()
    """`host:port` exempt from the rule of addresses, and from https: in a rehearsal."""
    resolve: Resolve = resolved
    context: ssl.SSLContext = field(default_factory=trusted)
    connect_seconds: float = CONNECT_SECONDS
    total_seconds: float = TOTAL_SECONDS

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        """Post one body: accepted (2xx), refused for good (410, no public address), unsure (no answer).

        Raises `Transient` for any other answer, redirects among them, and where nobody could be reached.
        """
        if len(body) > BODY_BYTES:
            return SendResult(Said.REFUSED, "too_large")
        try:
            target = target_of(url, allow=self.allow, resolve=self.resolve)
        except NotAllowed as error:
            return SendResult(Said.REFUSED, str(error))
        plain = self._connected(target)
        with closing(plain), Watch(plain, self.total_seconds):
            sock = self._wrapped(plain, target)
            return _judged(_status(sock, target, headers, body))

    def _connected(self, target: Target) -> socket.socket:
        """Try one address after the other, however many a name has, within the time of the whole call."""
        until = time.monotonic() + self.total_seconds
        for address in target.addresses:
            left = min(self.connect_seconds, until - time.monotonic())
            if left <= 0:
                break
            try:
                sock = socket.create_connection((address, target.port), timeout=left)
            except OSError:
                continue
            sock.settimeout(self.total_seconds)
            return sock
        raise Transient("not_reachable")

    def _wrapped(self, sock: socket.socket, target: Target) -> socket.socket:
        if not target.is_tls:
            return sock
        try:
            return self.context.wrap_socket(sock, server_hostname=target.host)
        except (OSError, ValueError) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
            raise Transient(f"tls: {reason}") from error


def _status(sock: socket.socket, target: Target, headers: Mapping[str, str], body: bytes) -> int | None:
    """Return the status of the answer; None where none came that is one: nobody knows what the receiver did."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = sock
    whole = {"host": target.authority, "user-agent": "Pilotway", "connection": "close", **headers}
    with closing(connection):
        try:
            connection.request("POST", target.path, body=body, headers=whole)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None


def _judged(status: int | None) -> SendResult:
    if status is None:
        return SendResult(Said.UNSURE, "no_answer")
    said = f"HTTP {status}"
    if 200 <= status < 300:
        return SendResult(Said.ACCEPTED, said)
    if said == GONE:
        return SendResult(Said.REFUSED, said)
    raise Transient(said)


@dataclass(frozen=True, slots=True)
class Posted:
    """One call that the twin took."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class WebhooksInMemory:
    """The twin: keeps what was posted, answers what `answers` says for a URL (a result, or an error to raise)."""

    posted: list[Posted] = field(default_factory=list)
    answers: dict[str, SendResult | OutsideError] = field(default_factory=dict)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        """Keep one call and say what is to be said for its URL."""
        answer = self.answers.get(url, SendResult(Said.ACCEPTED, "HTTP 200"))
        if isinstance(answer, OutsideError):
            raise answer
        if answer.said is Said.ACCEPTED:
            self.posted.append(Posted(url, dict(headers), body))
        return answer
