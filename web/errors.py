"""From a refusal to a status, and to a problem document (RFC 9457). Sentences come from the catalogue, codes stay.

LifecycleError (`lifecycle/errors.py`) and, here, what only a door can find wrong: a missing key, a body too large …
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from lifecycle.errors import (
    PERSONAL_CODES,
    Forbidden,
    Invalid,
    KeyReused,
    LifecycleError,
    NotFound,
    NotSignedIn,
    QuotaUsed,
    Stale,
    Unmet,
)
from notifications.words import Lang, explain_unmet, sentence


class PasswordToChange(Forbidden):
    """Nothing is open before the password that somebody else set is changed."""

    code = "password_to_change"


class FactorToAdd(Forbidden):
    """Nothing is open before a second factor is there, where everybody has to have one."""

    code = "second_factor_to_add"


class Malformed(LifecycleError):
    """The request cannot be read as what it says it is."""

    code = "malformed"


class KeyMissing(LifecycleError):
    """A command of a program has no `Idempotency-Key`, or one that is not printable ASCII."""

    code = "key_missing"


class VersionMissing(LifecycleError):
    """A command on something that others move too names no version (`If-Match`)."""

    code = "version_missing"


class TooLarge(LifecycleError):
    """The body is larger than this address takes."""

    code = "too_large"


class TooMany(LifecycleError):
    """Too many tries; `values` say for how many minutes to wait."""

    code = "too_many"


class LinkVoid(LifecycleError):
    """A link that was sent opens nothing: used, taken back, run out, or never sent."""

    code = "link_void"


class SignOnRefused(NotSignedIn):
    """What an identity provider said leads nobody in; the reason says why."""

    code = "oidc_declined"


class ProviderAway(LifecycleError):
    """The identity provider does not answer, or not in its own language."""

    code = "oidc_unreachable"


class NotAllowed(LifecycleError):
    """The address does not know the method."""

    code = "method_not_allowed"


_STATUS: Mapping[type[LifecycleError], int] = {
    NotSignedIn: 401,
    NotFound: 404,
    Forbidden: 403,
    Stale: 412,
    KeyReused: 422,
    QuotaUsed: 429,
    Invalid: 422,
    Malformed: 400,
    KeyMissing: 400,
    VersionMissing: 428,
    TooLarge: 413,
    TooMany: 429,
    LinkVoid: 410,
    ProviderAway: 503,
    NotAllowed: 405,
}
_PERSONAL = PERSONAL_CODES | {"second_factor_required", "csrf"}


def status_of(error: LifecycleError) -> int:
    """Return the status of a refusal: 403 when one of its reasons is about the person, else 409 where a rule stands."""
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return status
    return 403 if _PERSONAL & set(error.codes) else 409


def reasons_of(error: LifecycleError) -> tuple[Unmet, ...]:
    """Return the reasons; a refusal without any says its own code."""
    return error.unmet or (Unmet(code=error.code),)


PROBLEM = "application/problem+json"
BUSY_SECONDS = 10
"""How long to wait before trying again what found no room."""


def answered(document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """Return a problem document as it goes out; half a character that somebody sent is told as its number."""
    body = json.dumps(document, ensure_ascii=False, default=str, separators=(",", ":"))
    content = body.encode(errors="backslashreplace")
    return Response(content, status_code=document["status"], media_type=PROBLEM, headers=dict(headers))


def problem(
    error: LifecycleError, *, lang: Lang, path: str, trace_id: str, status: int | None = None
) -> dict[str, Any]:
    """Return the problem document: codes as they are, title and detail in one language."""
    status, reasons = status or status_of(error), reasons_of(error)
    found = {
        "type": f"/problems/{error.codes[0].replace('_', '-')}",
        "title": sentence(f"page.problem.{status}", {}, lang),
        "status": status,
        "detail": " ".join(explain_unmet(reason, lang).what for reason in reasons),
        "instance": path,
        "code": error.codes[0],
        "unmet": list(error.codes),
        "reasons": [reason.document() for reason in reasons],
        "lang": lang,
        "trace_id": trace_id,
    }
    if status == 422 and (errors := _field_errors(reasons, lang)):
        found["errors"] = errors
    if requirements := [_requirement(one) for one in reasons if one.clause]:
        found["requirements"] = requirements
    if isinstance(error, Stale):
        found["current"] = next((one.values["current"] for one in reasons if "current" in one.values), None)
    return found


def _field_errors(reasons: tuple[Unmet, ...], lang: Lang) -> list[dict[str, str]]:
    return [
        {"pointer": f"/{one.values['field']}", "code": one.code, "message": explain_unmet(one, lang).what}
        for one in reasons
        if one.values.get("field")
    ]


def _requirement(reason: Unmet) -> dict[str, Any]:
    """Return what a criterion of a gate still lacks: who owes the next step, in person where that is known, by when."""
    return {
        "clause": reason.clause,
        "owner": reason.party,
        "person": ", ".join(reason.people) or None,
        "due": reason.due_on.isoformat() if reason.due_on else None,
    }


def patience_of(error: LifecycleError, status: int) -> dict[str, str]:
    """Return when to come again (`Retry-After`, in seconds) where a refusal is one for now."""
    if status == 503:
        return {"retry-after": str(BUSY_SECONDS)}
    if status != 429:
        return {}
    waits = [one.values.get("seconds") or 60 * int(one.values.get("minutes", 1)) for one in error.unmet]
    return {"retry-after": str(max(waits, default=60))}


def by_field(reasons: Sequence[Unmet], known: Collection[str] | None = None) -> dict[str, Unmet]:
    """Return the reasons that are about a field by its name; with `known` only those of a field that the page has."""
    named = {str(one.values["field"]): one for one in reasons if one.values.get("field")}
    return named if known is None else {name: one for name, one in named.items() if name in known}
