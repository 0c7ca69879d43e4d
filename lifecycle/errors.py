"""What a person caused and a person can mend. Codes here; sentences in `notifications/words.py`; statuses at the doors.

LifecycleError
├── NotFound    there is no such thing for this actor            404 · exit 3
├── NotSignedIn nobody acts, or not any more                     401 · exit 4
├── Forbidden   this actor may not                               403 · exit 3
├── Refused     not from here, not yet; every unmet code listed  409 · exit 3
├── Stale       someone else moved it since you looked           412 · exit 5
├── KeyReused   the idempotency key belongs to another command   422 · exit 5
└── Invalid     the input itself is wrong                        422 · exit 2
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """One reason why not: its code, who owes the next step, and what would suffice."""

    code: str
    clause: str | None = None
    verdict: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    party: str | None = None
    role: str | None = None
    people: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()
    """Who holds that role and may not do it: nobody checks their own work."""
    due_on: date | None = None
    suffices: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the plain JSON of this reason, without what is absent."""
        plain: dict[str, Any] = {"code": self.code}
        for key in ("clause", "verdict", "party", "role", "suffices"):
            if getattr(self, key) is not None:
                plain[key] = str(getattr(self, key))
        for key in ("people", "but_not"):
            if getattr(self, key):
                plain[key] = list(getattr(self, key))
        if self.due_on is not None:
            plain["due_on"] = self.due_on.isoformat()
        if self.values:
            plain["values"] = dict(self.values)
        return plain


def unmet(code: str, **values: Any) -> Unmet:
    """Return a reason that needs nothing but its code and a few values."""
    return Unmet(code=code, values=values)


class LifecycleError(Exception):
    """Base of all refusals; never retried, never hidden."""

    code = "refused"

    def __init__(self, *reasons: Unmet | str) -> None:
        self.unmet = tuple(Unmet(code=reason) if isinstance(reason, str) else reason for reason in reasons)
        super().__init__(", ".join(reason.code for reason in self.unmet) or self.code)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that stands in the way, in order, once."""
        return tuple(dict.fromkeys(reason.code for reason in self.unmet)) or (self.code,)


class NotFound(LifecycleError):
    """There is no such thing for this actor."""

    code = "not_found"


class NotSignedIn(LifecycleError):
    """Nobody acts: no session, no token and no name that holds."""

    code = "not_signed_in"


class Forbidden(LifecycleError):
    """The actor may not."""

    code = "role"


class Refused(LifecycleError):
    """Not from here, or not yet: a rule stands in the way."""


class Stale(LifecycleError):
    """Someone else moved it since you looked."""

    code = "stale"


class KeyReused(LifecycleError):
    """The idempotency key was used with another verb, object or body."""

    code = "key_reused"


class Invalid(LifecycleError):
    """The input itself is wrong: each reason's values name the field."""

    code = "invalid"


class QuotaUsed(Invalid):
    """Somebody, or their organisation, has brought as much as they may in a day; `minutes` say when there is room."""

    code = "upload_quota"


PERSONAL_CODES = frozenset(
    {
        *("role", "four_eyes", "conflict_of_interest", "not_signed_in"),
        *("delegation_not_in_force", "delegate_excluded", "step_up_required", "program_may_not"),
        *("own_page_only", "code_used", "passkey_copied"),
    }
)
"""Codes about the person: the refusal leaves an audit row."""
