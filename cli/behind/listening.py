"""A receiver on this machine, to try a webhook out: checks each signature and prints what came."""

import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cli.output import Output
from lifecycle.deliveries.rules import is_secret
from lifecycle.errors import Invalid, unmet
from notifications.webhooks import BODY_BYTES, is_signed

_HOST = "127.0.0.1"
_TOLERANCE = 300
"""Seconds that the timestamp of a call may differ from this machine's clock (Standard Webhooks)."""


def listen_here(output: Output, secrets: tuple[str, ...], *, port: int, count: int | None) -> None:
    """Print a line for each call until so many came, or until it is interrupted; 401 answers a wrong signature."""
    if not all(map(is_secret, secrets)):
        raise Invalid(unmet("endpoint_secret_wrong"))
    with HTTPServer((_HOST, port), _handler(output, secrets)) as server:
        output.say("webhook_listening", port=server.server_address[1])
        left = count
        while left is None or left > 0:
            server.handle_request()
            left = None if left is None else left - 1


def _handler(output: Output, secrets: tuple[str, ...]) -> Any:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if not length.isdecimal() or int(length) > BODY_BYTES:
                self._answered(413)
                return
            body = self.rfile.read(int(length))
            verdict = _verdict(secrets, {name.lower(): value for name, value in self.headers.items()}, body)
            self._answered(401 if verdict in ("wrong", "late") else 204)
            _printed(output, verdict, body)

        def _answered(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing besides what is printed."""

    return Handler


def _verdict(secrets: tuple[str, ...], headers: dict[str, str], body: bytes) -> str:
    """Return `signed`, `wrong`, `late`, or `unchecked` without a secret to check by."""
    if not secrets:
        return "unchecked"
    if not is_signed(secrets, headers, body):
        return "wrong"
    is_late = abs(time.time() - int(headers["webhook-timestamp"])) > _TOLERANCE  # noqa: TID251 - the receiver's own clock
    return "late" if is_late else "signed"


def _printed(output: Output, verdict: str, body: bytes) -> None:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        event = {}
    if output.as_json:
        output.document({"signature": verdict, "event": event})
        return
    output.line("  ".join(str(one) for one in (verdict, *(event.get(key, "") for key in ("type", "subject", "id")))))
