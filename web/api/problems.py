"""Every family of refusals with examples: the documents that the doors really give, made by what makes them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from lifecycle.errors import (
    Forbidden,
    Invalid,
    KeyReused,
    LifecycleError,
    NotFound,
    NotSignedIn,
    Refused,
    Stale,
    Unmet,
    unmet,
)
from web.api.shapes import REF
from web.errors import PROBLEM, KeyMissing, Malformed, NotAllowed, TooLarge, TooMany, VersionMissing, problem
from web.render import Words

RESPONSES: Mapping[str, str] = {
    "400": "Malformed",
    "401": "NotSignedIn",
    "403": "Forbidden",
    "404": "NotFound",
    "405": "NotAllowed",
    "409": "Refused",
    "412": "Stale",
    "413": "TooLarge",
    "422": "Invalid",
    "428": "VersionMissing",
    "429": "TooMany",
    "500": "Broken",
    "503": "Busy",
}
"""Status -> how the document calls what comes with it."""
_RULES = (
    *("gate_unmet", "decision_missing", "insufficient_funds", "already_decided", "payload_changed", "amount_differs"),
    *("total_differs", "fund_on_hold", "project_on_hold", "project_ended", "milestone_not_accepted", "frozen"),
    *("milestone_exceeded", "payee_not_confirmed", "not_certified", "not_released", "batch_may_be_alive"),
    *("advance_not_possible_when_in_production",),
)
"""Codes of rules that stand in the way, of those that the contract names."""
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "decision_missing": {"gate": "G3", "said": "–"},
    "amount_differs": {"asked": {"amount_minor": 50_000_000, "currency": "CNY"}},
    "total_differs": {"total": "¥500,000.00"},
    "fund_on_hold": {"reason": "audit"},
    "project_on_hold": {"reason": "partner", "until": "2025-11-24"},
    "project_ended": {"state": "stopped"},
    "milestone_not_accepted": {"state": "submitted"},
    "milestone_exceeded": {"left": "¥0.00", "payouts": ["PO-2025-0007"]},
    "batch_may_be_alive": {"count": 1},
}
_GATE = Unmet(
    code="gate_unmet",
    clause="G3.1",
    verdict="missing",
    values={"types": ["trial_report"], "verdict_code": "evidence_missing"},
    party="sme",
    role="project_lead",
    people=("李工",),
    due_on=date(2025, 11, 24),
)
_FAMILIES: Mapping[str, tuple[LifecycleError, ...]] = {
    "400": (Malformed(Malformed.code), Malformed(Malformed.code, "cursor_wrong"), KeyMissing(KeyMissing.code)),
    "401": (NotSignedIn(NotSignedIn.code),),
    "403": (
        Forbidden(unmet("role", needs=["fund_manager"], verb="approve")),
        Forbidden("four_eyes"),
        Forbidden(unmet("conflict_of_interest", people=["李工"], conflict="author")),
        Forbidden("step_up_required"),
        Forbidden("csrf"),
        Forbidden(unmet("scope", scope="project:write")),
    ),
    "404": (NotFound(NotFound.code),),
    "405": (NotAllowed(NotAllowed.code),),
    "409": tuple(Refused(_GATE if code == "gate_unmet" else unmet(code, **_VALUES.get(code, {}))) for code in _RULES),
    "412": (Stale(Unmet(code=Stale.code, values={"seen": 36, "current": 37})),),
    "413": (TooLarge(TooLarge.code),),
    "422": (
        Invalid(unmet("field_missing", field="reason")),
        Invalid(unmet("field_unknown", field="state")),
        KeyReused(KeyReused.code),
    ),
    "428": (VersionMissing(VersionMissing.code),),
    "429": (TooMany(unmet(TooMany.code, minutes=1, seconds=12)),),
    "500": (LifecycleError("unexpected_error"),),
    "503": (LifecycleError("busy"),),
}


def problems(words: Words) -> dict[str, Any]:
    """Return the responses of all families."""
    return {RESPONSES[status]: _family(words, status, errors) for status, errors in _FAMILIES.items()}


def _family(words: Words, status: str, errors: tuple[LifecycleError, ...]) -> dict[str, Any]:
    waits = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}} if status in ("429", "503") else {}
    said: dict[str, Any] = {"lang": words.lang, "path": "/api/v1/…", "trace_id": _TRACE, "status": int(status)}
    shown = {".".join(one.codes): {"value": {**problem(one, **said), **_besides(one)}} for one in errors}
    content = {PROBLEM: {"schema": {"$ref": f"{REF}Problem"}, "examples": shown}}
    found: dict[str, Any] = {"description": words.t(f"problem.{status}"), "content": content}
    return {**found, "headers": waits} if waits else found


def _besides(error: LifecycleError) -> dict[str, Any]:
    """Return what a command on a thing tells besides: what is possible instead, what others did since."""
    if isinstance(error, Stale):
        change = {
            "at": "2025-11-24T01:00:00.000000Z",
            "by": "李工",
            "action": "project.hold",
            "to_state": "feasibility",
        }
        return {"changes": [change]}
    can = ["/api/v1/projects/PT-2025-0014/commands/evidence-add"]
    return {"can": can} if "gate_unmet" in error.codes else {}


_TRACE = "0198a1b2c3d4e5f60718293a4b5c6d7e"
