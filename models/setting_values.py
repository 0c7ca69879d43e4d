"""Judges of what is set: each returns the text of a variable, or raises ValueError with what was expected."""

import re
from email.utils import parseaddr
from ipaddress import ip_network
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.clock import clock_from
from models.ids import ids_from

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine itself."""
DATABASES = frozenset({"sqlite", "sqlite+strict", "postgresql+psycopg"})
"""The databases that `models.db` knows, as the beginning of an address."""


def is_database(text: str) -> str:
    """Refuse what `models.db` would refuse, without its libraries."""
    scheme, is_address, place = text.partition("://")
    if is_address and scheme not in DATABASES:
        message = f"expected a file name, sqlite:///… or postgresql+psycopg://…, got {scheme}://…"
        raise ValueError(message)
    if text == ":memory:" or (is_address and scheme.startswith("sqlite") and place.strip("/") in ("", ":memory:")):
        message = "an SQLite database needs a file: in memory it would end with its connection"
        raise ValueError(message)
    return text


def is_clock(text: str) -> str:
    """Refuse a clock that `models.clock` does not know."""
    clock_from(text)
    return text


def names_ids(text: str) -> str:
    """Refuse a source of keys that `models.ids` does not know."""
    ids_from(text)
    return text


def is_zone(text: str) -> str:
    """Refuse what is no time zone of the tz database."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"no such time zone: {text!r}"
        raise ValueError(message) from error
    return text


def is_mail_server(text: str) -> str:
    """Refuse what is no address of a mail server, without saying the password in it."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError("expected smtp://host:port or smtps://host:port") from error  # the password stays unsaid
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
        message = "expected smtp://host:port or smtps://host:port"
        raise ValueError(message)
    return text


def is_mail_address(text: str) -> str:
    """Refuse what mails cannot come from."""
    address = parseaddr(text)[1]
    local, _, domain = address.rpartition("@")
    if not local or not domain or not text.isprintable() or not address.isascii():
        message = f"expected a mail address such as pilotway@example.org, got {text!r}"
        raise ValueError(message)
    return text


def names_places(text: str) -> str:
    """Refuse a comma list with anything but `host:port` in it."""
    for place in parts_of(text):
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            message = f"expected host:port, separated by commas, got {place!r}"
            raise ValueError(message)
    return text


def is_place(text: str) -> str:
    """Refuse what is no `host:port`; port 0 is any free one."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 65536:
        message = f"expected host:port, got {text!r}"
        raise ValueError(message)
    return text


def names_networks(text: str) -> str:
    """Refuse a comma list with anything but addresses or networks in it."""
    for one in (part.strip() for part in text.split(",")):
        try:
            ip_network(one)
        except ValueError as error:
            raise ValueError(f"expected addresses or networks, separated by commas, got {one!r}") from error
    return text


def is_issuer(text: str) -> str:
    """Refuse an identity provider without https, but on this machine."""
    parts = urlsplit(text)
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if (
        not parts.hostname
        or parts.query
        or parts.fragment
        or not (parts.scheme == "https" or (parts.scheme == "http" and is_here))
    ):
        raise ValueError(f"expected https://…, or http:// on this machine, got {text!r}")
    return text


def is_web_address(text: str) -> str:
    """Refuse what is no address of a page."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"expected http://… or https://…, got {text!r}"
        raise ValueError(message)
    return text


def names_hosts(text: str) -> str:
    """Refuse a comma list with anything but names or addresses of machines in it."""
    for host in parts_of(text):
        if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):
            message = f"expected names or addresses of machines, separated by commas, got {host!r}"
            raise ValueError(message)
    return text


def parts_of(text: str) -> frozenset[str]:
    """Return the entries of a comma list, in lower case."""
    return frozenset(one.strip().lower() for one in text.split(",") if one.strip())
