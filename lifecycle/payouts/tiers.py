"""The authority matrix: how many approvals a payout needs, whose count, and up to which amount a person may go. Pure.

Rule book 5.4 and F8. What cannot be read refuses: a limit that is missing is no licence. That requester, certifier and
payer are other people than the approvers (F7) is asked where their facts are known; here a person is an effective one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lifecycle.errors import Refused, Unmet, unmet
from lifecycle.standards.funds import FundRules, tier_faults
from models.money import said
from models.states import Role

APPROVERS = (Role.FUND_MANAGER, Role.FUND_DIRECTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A payout to the same payee that was neither rejected nor cancelled."""

    requested_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the approval of one payout needs, fixed at request and anew at each amendment, send-back or return."""

    amount_minor: int
    total_minor: int
    """With the earlier payouts that are added up: it chose the tier, and limits are compared with it."""
    currency: str
    needed: int
    needs_minute: bool

    @property
    def needs_director(self) -> bool:
        """Say whether one of the approvers is a fund director."""
        return self.needed > 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """One person in the role in which they approve, and what they state with it."""

    person: str
    """The effective person: second accounts and delegates of one human are the same."""
    role: Role
    typed_minor: int | None = None
    """The amount as this person typed it again."""


def approvals_needed(
    amount_minor: int, *, currency: str, requested_on: date, earlier: Iterable[Earlier], rules: FundRules
) -> Demand:
    """Return what the approval of a payout needs, by its amount and the payee's earlier payouts within 30 days (5.4).

    `Refused` with `tiers_unreadable` when the matrix has a gap or speaks of another currency (fail closed).
    """
    if next(tier_faults(rules.tiers), None) is not None or currency != rules.currency:
        raise Refused(unmet("tiers_unreadable", currency=currency))
    since = requested_on - timedelta(days=rules.adding_up_days)
    total = amount_minor + sum(one.amount_minor for one in earlier if one.requested_on >= since)
    tier = next(one for one in rules.tiers if one.up_to_minor is None or total <= one.up_to_minor)
    return Demand(
        amount_minor=amount_minor,
        total_minor=total,
        currency=currency,
        needed=tier.needed,
        needs_minute=tier.needs_minute,
    )


def is_complete(demand: Demand, given: Sequence[Approver]) -> bool:
    """Say whether these approvals are enough: distinct people, the first a manager, a director where one is asked."""
    counted: list[Approver] = []
    for one in given:
        if not _person_reasons(demand, counted, one):
            counted.append(one)
    return len(counted) >= demand.needed


def approval_reasons(
    demand: Demand, *, given: Sequence[Approver], candidate: Approver, has_minute: bool
) -> tuple[Unmet, ...]:
    """Return why this person may not give the next approval: person, role, the amount typed again, the minute (5.4)."""
    reasons = list(_person_reasons(demand, given, candidate))
    if given and candidate.typed_minor != demand.amount_minor:
        reasons.append(unmet("amount_not_typed_again", **said(demand.currency, amount=demand.amount_minor)))
    if demand.needs_minute and not has_minute:
        reasons.append(unmet("committee_minute_missing"))
    return tuple(reasons)


def limit_reasons(demand: Demand, *, role_limit_minor: int | None, person_limit_minor: int | None) -> tuple[Unmet, ...]:
    """Return why the amount is beyond this person: the lower of the role's and the person's limit wins (5.4, F8).

    A limit that is not there cannot be read and refuses.
    """
    if role_limit_minor is None or person_limit_minor is None:
        return (unmet("approval_limit_unreadable", kind="role" if role_limit_minor is None else "person"),)
    limit = min(role_limit_minor, person_limit_minor)
    if demand.total_minor <= limit:
        return ()
    return (unmet("over_approval_limit", **said(demand.currency, total=demand.total_minor, limit=limit)),)


def _person_reasons(demand: Demand, given: Sequence[Approver], candidate: Approver) -> tuple[Unmet, ...]:
    """A person counts once; the first is a fund manager; the last free place is kept for the director where asked."""
    if candidate.person in {one.person for one in given}:
        return (unmet("four_eyes"),)
    is_last = len(given) >= demand.needed - 1
    lacks_director = demand.needs_director and all(one.role is not Role.FUND_DIRECTOR for one in given)
    asked: tuple[Role, ...] = APPROVERS
    if not given:
        asked = (Role.FUND_MANAGER,)
    elif is_last and lacks_director:
        asked = (Role.FUND_DIRECTOR,)
    return () if candidate.role in asked else (unmet("role", needs=[str(role) for role in asked]),)
