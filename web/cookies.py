"""The cookies: over https each is bound to this host by its name (`__Host-`), and no script reads any."""

from datetime import timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

SESSION = "pilotway_session"
DEVICE = "pilotway_device"
HALFWAY = "pilotway_halfway"
"""Between password and second factor."""
KEY_ALONE = "pilotway_passkey"
"""What a passkey signs that lets in by itself, sealed."""
LANGUAGE = "pilotway_lang"
KEYS = "pilotway_keys"
"""`off` for who wants no keyboard shortcuts."""
SIGN_ON = "pilotway_sign_on"
"""What the answer of an identity provider is compared with."""
HOST_ONLY = "__Host-"
"""Browsers take a cookie of this prefix only with Secure and Path=/, without Domain (RFC 6265bis, 4.1.3.2)."""


def is_encrypted(request: Request) -> bool:
    """Say whether the browser came by https, as far as a trusted proxy tells."""
    return request.url.scheme == "https"


def name_of(request: Request, cookie: str) -> str:
    """Return the name of a cookie where this request came from; plain http, on this machine, knows no `__Host-`."""
    return f"{HOST_ONLY}{cookie}" if is_encrypted(request) else cookie


def read(request: Request, cookie: str) -> str:
    """Return what a cookie holds; empty where there is none, or only one that a neighbour could have set."""
    return request.cookies.get(name_of(request, cookie), "")


def keep(
    response: Response,
    request: Request,
    cookie: str,
    value: str,
    *,
    lasts: timedelta,
    same_site: Literal["lax", "strict"] = "lax",
) -> None:
    """Let the browser keep a cookie: for this host, not for scripts, encrypted where there is encryption."""
    response.set_cookie(
        name_of(request, cookie),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite=same_site,
        secure=is_encrypted(request),
    )


def forget(response: Response, request: Request, cookie: str) -> None:
    """Let the browser drop a cookie."""
    response.delete_cookie(name_of(request, cookie), path="/", httponly=True, secure=is_encrypted(request))


def send_along(request: Request, cookie: str, value: str, *, lasts: timedelta) -> None:
    """Let the browser keep a cookie whatever this request is answered with."""
    answer = Response()
    keep(answer, request, cookie, value, lasts=lasts)
    setattr(request.state, ALONG, answer.headers["set-cookie"])


ALONG = "set_cookie"
"""Where the guard finds it."""
