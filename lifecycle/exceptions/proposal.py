"""The ways out of a case, and the hash by which a second person agrees to exactly what was proposed. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from lifecycle.canonical import canonical, sha256


class Action(StrEnum):
    """The ways out (`docs/contract.md` 3.6)."""

    MATCH = "match"
    ADOPT = "adopt"
    CONFIRM_PAID = "confirm_paid"
    CONFIRM_REJECTED = "confirm_rejected"
    ABANDON_BATCH = "abandon_batch"
    WRITE_OFF = "write_off"
    LIFT_HOLD = "lift_hold"
    CLOSE = "close"


POSSIBLE: Mapping[str, frozenset[Action]] = {
    "statement_line": frozenset({Action.MATCH, Action.ADOPT, Action.WRITE_OFF, Action.LIFT_HOLD, Action.CLOSE}),
    "instruction": frozenset(
        {Action.MATCH, Action.CONFIRM_PAID, Action.CONFIRM_REJECTED, Action.LIFT_HOLD, Action.CLOSE}
    ),
    "batch": frozenset({Action.CONFIRM_PAID, Action.CONFIRM_REJECTED, Action.ABANDON_BATCH}),
    "statement": frozenset({Action.LIFT_HOLD, Action.CLOSE}),
}
"""What a case is about -> its ways out. A case about all disbursement ends with the freeze, when two people lift it."""


def proposal_hash(case: Any) -> str | None:
    """Return what stands for everything that is proposed, and by whom; None where nothing is.

    Whoever confirms repeats it (`safety.md` 2.4): a proposal that took its place meanwhile has another one.
    """
    if case.proposed_by is None:
        return None
    said = {
        "action": case.action,
        "evidence_sha256": case.evidence_sha256,
        "exception_id": case.id,
        "proposal": case.proposal,
        "proposed_by": case.proposed_by,
        "reason": case.reason,
    }
    return sha256(canonical(said))
