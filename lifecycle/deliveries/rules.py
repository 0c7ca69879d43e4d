"""Facts in, reasons out: what can stand in the way of the verbs of endpoints and of what was not delivered. Pure."""

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lifecycle.chart import about_input, not_possible
from lifecycle.errors import Unmet, unmet
from models.limits import LONG_TEXT
from models.states import EndpointStatus, UserStatus

if TYPE_CHECKING:
    from lifecycle.deliveries.facts import EndpointFacts, OutboxFacts

URL_LENGTH = 1000
SECRET_PREFIX = "whsec_"  # noqa: S105 - the sign of a secret, no secret
LEAST_SECRET, MOST_SECRET = 24, 64
"""Bytes of a secret (Standard Webhooks, "signing secrets")."""
MOST_AT_ONCE = 1000
"""Messages that one command sends again."""
PRIVATE = frozenset(
    {
        "backup.failed",
        "calendar.changed",
        "calendar.deadlines_moved",
        "checkpoint.signed",
        "delivery.given_up",
        "digest.daily",
        "digest.weekly",
        "invariant.broken",
        "invitation.accepted",
        "invitation.link_asked",
        "invitation.sent",
        "reminder.due",
        "run.failed",
        "run.missed",
        "user.access_changed",
        "user.added",
        "user.delegated",
        "webhook.disabled",
    }
)
"""Kinds that no program elsewhere is told of, neither at once nor by `replay`: they are about people or this house."""
_HTTPS = 443
_TYPE = re.compile(r"[a-z_]+\.(\*|[a-z_]+)")


def is_told(types: list[str] | tuple[str, ...], kind: str) -> bool:
    """Return whether an endpoint of these types is told of a kind: `payout.paid`, `payout.*`, or none for all."""
    if kind in PRIVATE:
        return False
    return not types or kind in types or f"{kind.partition('.')[0]}.*" in types


@about_input
def sound_url(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """An endpoint is https at port 443, without a name or password; in a rehearsal any http address will do.

    Whether its host is a public one is asked each time it is called.
    """
    problem = _problem(facts.command.url, is_rehearsal=facts.is_rehearsal)
    return (unmet("endpoint_url_wrong", problem=problem),) if problem else ()


def _problem(url: str, *, is_rehearsal: bool) -> str:
    if len(url) > URL_LENGTH or not url.isprintable() or any(char.isspace() or char == "\\" for char in url):
        return "url_wrong"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "url_wrong"
    if parts.username is not None or parts.password is not None:
        return "user_info"
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        return "url_wrong"
    if is_rehearsal:
        return ""
    return "not_https" if parts.scheme != "https" else "port" if port not in (None, _HTTPS) else ""


@about_input
def sound_types(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """A type is a kind of message (`payout.paid`), or all of a subject (`payout.*`)."""
    wrong = [one for one in facts.command.types if not _TYPE.fullmatch(one)]
    return (unmet("endpoint_types_wrong", value=wrong),) if wrong else ()


@about_input
def sound_secret(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """A secret is `whsec_` and 24 to 64 bytes in base64."""
    return () if is_secret(facts.command.secret) else (unmet("endpoint_secret_wrong"),)


def is_secret(text: str) -> bool:
    """Return whether a call can be signed with this text."""
    try:
        length = len(base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        return False
    return text.startswith(SECRET_PREFIX) and LEAST_SECRET <= length <= MOST_SECRET


@about_input
def url_is_new(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """Two endpoints at one address would be told everything twice."""
    taken = facts.command.url in facts.taken
    return (unmet("already_exists", field="url", value=facts.command.url),) if taken else ()


@about_input
def owner_is_there(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """Somebody who is there is told when it is disabled."""
    if facts.owner is None:
        return (unmet("user_not_found"),)
    return () if facts.owner.status == UserStatus.ACTIVE else (unmet("user_disabled"),)


def is_active(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """What is disabled is told nothing."""
    return () if facts.row.status == EndpointStatus.ACTIVE else (unmet("endpoint_disabled"),)


def is_disabled(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """There is something to enable."""
    return () if facts.row.status == EndpointStatus.DISABLED else (unmet("endpoint_active"),)


def no_rotation(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """At most two secrets sign: the change before is ended first."""
    return () if facts.row.old_secret is None else (unmet("rotation_running"),)


def in_rotation(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """There is an old secret to forget."""
    return () if facts.row.old_secret is not None else (unmet("no_rotation"),)


@about_input
def something_to_replay(facts: "EndpointFacts") -> tuple[Unmet, ...]:
    """There are messages of the endpoint's types that do not wait anyhow, and no more than fit into one command."""
    if facts.more_than_fit:
        return (unmet("too_many_messages", limit=MOST_AT_ONCE),)
    return () if facts.told or facts.untold else (unmet("nothing_to_replay"),)


@about_input
def has_reason(facts: "OutboxFacts | EndpointFacts") -> tuple[Unmet, ...]:
    """Whoever drops or disables something says why."""
    return () if 0 < len(facts.command.reason.strip()) <= LONG_TEXT else (unmet("reason_missing"),)


@about_input
def all_there(facts: "OutboxFacts") -> tuple[Unmet, ...]:
    """What is named exists: deliveries, or messages that reached nobody yet."""
    missing = [str(one) for one in facts.command.message_ids if one not in facts.statuses]
    if missing or not facts.command.message_ids:
        return (unmet("message_not_found", ids=missing),)
    return (unmet("too_many_messages", limit=MOST_AT_ONCE),) if len(facts.command.message_ids) > MOST_AT_ONCE else ()


@about_input
def can_be_retried(facts: "OutboxFacts") -> tuple[Unmet, ...]:
    """Only what was refused or given up is tried again: what waits is tried anyhow, what was sent has arrived."""
    return tuple(not_possible("retry", state) for state in facts.without("retry"))


@about_input
def can_be_dropped(facts: "OutboxFacts") -> tuple[Unmet, ...]:
    """What was sent cannot be taken back."""
    return tuple(not_possible("drop", state) for state in facts.without("drop"))
