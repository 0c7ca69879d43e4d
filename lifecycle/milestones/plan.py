"""The tranche plan of an agreement: its amounts to the last fen, and what is wrong with it. Pure."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from lifecycle.errors import Unmet, unmet
from lifecycle.standards.funds import FundRules, Tranche, plan_faults
from models.limits import WHOLE_SHARE


def tranche_amounts(award_minor: int, plan: Sequence[Tranche]) -> tuple[int, ...]:
    """Return what each tranche of the award is, in minor units; they sum to the award (F1).

    Every tranche but the last is rounded down and the retention takes the rest, so that no cap is ever passed by
    rounding (rule book 5.1). `ValueError` for a plan whose shares are no whole.
    """
    if sum(one.share_basis_points for one in plan) != WHOLE_SHARE:
        raise ValueError("the shares of a tranche plan are a whole")
    amounts = [award_minor * one.share_basis_points // WHOLE_SHARE for one in plan[:-1]]
    return (*amounts, award_minor - sum(amounts))


def plan_reasons(
    award_minor: int,
    plan: Sequence[Tranche],
    *,
    rate_basis_points: int,
    rules: FundRules,
    clauses: AbstractSet[str],
) -> tuple[Unmet, ...]:
    """Return why an agreement may not be made like this: plan, grant rate, or an award too small to be divided.

    `clauses` are the criteria of the project's standard; `rules` are its fund rules (rule book 5.1, F1, F20).
    """
    faults = list(
        plan_faults(
            plan,
            clauses=clauses,
            before_last_gate_basis_points=rules.before_last_gate_basis_points,
            retention_months=rules.retention_months,
        )
    )
    reasons = [Unmet(code=fault.code, values=fault.values) for fault in faults]
    if not 0 < rate_basis_points <= rules.rate_cap_basis_points:
        reasons.append(unmet("rate_over_cap", have=rate_basis_points, limit=rules.rate_cap_basis_points))
    if not faults and min(tranche_amounts(award_minor, plan)) < 1:
        reasons.append(unmet("award_too_small", award_minor=award_minor))
    return tuple(reasons)


def with_cut(amounts: Sequence[int], place: int, moved_minor: int) -> tuple[int, ...]:
    """Return the tranche amounts after a cut at this place moved to the next tranche; the sum stays (F1, F5).

    `ValueError` when there is no next tranche, or when more is moved than the tranche holds.
    """
    if not 0 <= place < len(amounts) - 1 or not 0 <= moved_minor <= amounts[place]:
        raise ValueError(f"{moved_minor} cannot move on from tranche {place} of {amounts}")
    changed = list(amounts)
    changed[place] -= moved_minor
    changed[place + 1] += moved_minor
    return tuple(changed)
