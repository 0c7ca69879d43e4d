"""The ways to other machines and to us, and whether each is closed to who stands beside it: by TLS, to a known name."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from models.settings import Settings

_CHECKED = frozenset({"verify-ca", "verify-full"})
"""Modes of PostgreSQL's own client in which a server shows a certificate that is checked."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way, as an operator knows it, and the variable that says how it is gone."""

    name: str
    host: str
    variable: str
    is_safe: bool


def ways(settings: Settings) -> Iterator[Way]:
    """Yield each way that is set; one that stays on this machine or in a network of its own needs no TLS."""
    console = urlsplit(settings.public_url())
    yield _way(settings, "console", console.hostname, "PILOTWAY_API", is_safe=console.scheme == "https")
    if "://" in settings.db and not settings.db.startswith("sqlite"):
        parts = urlsplit(settings.db)
        asked = parse_qs(parts.query)
        host = parts.hostname or asked.get("host", [""])[0]
        is_checked = not _CHECKED.isdisjoint(asked.get("sslmode", ())) or host.startswith("/")
        yield _way(settings, "database", host, "PILOTWAY_DB", is_safe=is_checked)
    if settings.smtp_url:
        parts = urlsplit(settings.smtp_url)
        wish = parse_qs(parts.query).get("starttls", [""])[0]
        is_asked = parts.scheme == "smtps" or wish == "required" or (bool(parts.username) and wish != "never")
        yield _way(settings, "mail", parts.hostname, "PILOTWAY_SMTP_URL", is_safe=is_asked)
    if api := os.environ.get("PREFECT_API_URL"):
        yield _way(settings, "prefect", urlsplit(api).hostname, "PREFECT_API_URL", is_safe=api.startswith("https://"))


def _way(settings: Settings, name: str, host: str | None, variable: str, *, is_safe: bool) -> Way:
    return Way(name, host or "-", variable, is_safe or settings.is_near(host))
