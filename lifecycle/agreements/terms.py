"""What an agreement says about its tranches: the plan that was asked for, and the amounts after a supplement. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from lifecycle.standards.funds import FundRules, Tranche

INELIGIBLE = ("fines", "donations", "debt", "interest", "dividends", "recoverable_vat")
"""Cost that no award ever covers (F19)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTranche:
    """One tranche of an agreement's own plan: a share, and the gate or the criteria that it waits for."""

    code: str
    share_basis_points: int
    gate: str | None = None
    criteria: tuple[str, ...] = ()
    due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrancheChange:
    """What a supplement changes in a tranche of which nothing was asked for yet; what is left out stays."""

    code: str
    amount_minor: int | None = None
    gate: str | None = None
    criteria: tuple[str, ...] = ()
    due_on: date | None = None


def plan_of(asked: Sequence[PlannedTranche], rules: FundRules) -> tuple[Tranche, ...] | None:
    """Return the plan of an agreement: the standard's own, or that asked for; None for one that is no plan at all.

    What a tranche needs besides its gate is the standard's word: of the tranche with its code, for a new one what the
    standard asks of any tranche that is no advance and no retention. The last tranche is the retention, whatever it is
    called, and needs what the standard's own retention needs; where the standard keeps one for no month there is none.
    """
    if not asked:
        return rules.tranches
    *released, retained = rules.tranches
    known = {one.code: one.needs for one in released}
    middle = [need for one in released[1:] for need in one.needs if need not in ("audit_accepted", "final_statement")]
    common = tuple(dict.fromkeys(middle))
    last = len(asked) - 1 if rules.retention_months else None
    try:
        return tuple(
            Tranche.model_validate(
                {
                    "code": one.code,
                    "title": {"zh": one.code, "en": one.code},
                    "share_basis_points": one.share_basis_points,
                    "gate": one.gate,
                    "criteria": one.criteria,
                    "needs": retained.needs if place == last else known.get(one.code, common),
                    "is_retention": place == last,
                }
            )
            for place, one in enumerate(asked)
        )
    except ValidationError:
        return None


def redistributed(rest_minor: int, shares: Mapping[str, int], given: Mapping[str, int]) -> dict[str, int] | None:
    """Return tranche -> amount: what was given, and what is then left in proportion to the shares of the others.

    Rounded down, the last one takes the rest (F1). None where it does not come out: something is over or missing, a
    tranche would be left without money, or none of these tranches can be changed.
    """
    if not set(given) <= set(shares) or not shares:
        return None
    others = {code: share for code, share in shares.items() if code not in given}
    left = rest_minor - sum(given.values())
    whole = sum(others.values())
    amounts = {code: left * share // whole for code, share in others.items()} if whole else {}
    if others and whole:
        last = list(others)[-1]
        amounts[last] = left - sum(amount for code, amount in amounts.items() if code != last)
    found = {code: given.get(code, amounts.get(code, 0)) for code in shares}
    return found if sum(found.values()) == rest_minor and min(found.values()) >= 1 else None
