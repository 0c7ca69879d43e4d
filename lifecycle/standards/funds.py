"""The fund rules of a standard pack as data: tranche plan, caps, days, and who approves how much (rule book 5)."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from lifecycle.standards.part import Gate, PackPart, Text
from models.limits import WHOLE_SHARE

Share: TypeAlias = Annotated[int, Field(ge=0, le=WHOLE_SHARE)]
"""Basis points."""
Days: TypeAlias = Annotated[int, Field(ge=0, le=366)]
Need: TypeAlias = Literal[
    "agreement_signed",
    "account_confirmed",
    "progress",
    "audit_accepted",
    "final_statement",
    "retention_over",
    "nothing_open",
    "public_notice",
]
"""What a tranche asks besides its gate; `progress` is F5, `final_statement` makes the amount follow F11."""

LAST_GATE: Gate = "G5"


class Tranche(PackPart):
    """One part of an award and the result that releases it: a gate's go, or named criteria instead; never a date."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")
    title: Text
    share_basis_points: int = Field(ge=1, le=WHOLE_SHARE)
    gate: Gate | None = None
    criteria: tuple[Annotated[str, Field(pattern=r"^G[1-5]\.[1-9][0-9]?$")], ...] = ()
    needs: tuple[Need, ...] = ()
    is_retention: bool = False

    @property
    def reached_at(self) -> int:
        """Return the number of the last gate whose result this tranche waits for; 0 when it waits for none."""
        return max((int(tied[1]) for tied in (self.gate, *self.criteria) if tied), default=0)


class Tier(PackPart):
    """Who approves a payout up to an amount (rule book 5.4)."""

    up_to_minor: int | None = Field(default=None, ge=1)
    """None: without limit."""
    needed: int = Field(ge=1, le=5)
    """Approvals by different people; a tier of three or more asks the `fund_director` among them."""
    needs_minute: bool = False
    """The committee's minute is attached."""


class FundRules(PackPart):
    """What the standard asks of money. Off is a number as well: a cap of all, a share of nothing, no days."""

    rate_cap_basis_points: Share
    """The grant's largest part of eligible cost; own money covers the rest (F6)."""
    tranches: tuple[Tranche, ...]
    before_last_gate_basis_points: Share
    """Paid at most before the G5 go, of the award (F3)."""
    before_audit_basis_points: Share
    """Paid at most before the audit is accepted (F3)."""
    advance_basis_points: Share
    """Outstanding advance at most before G5, of the award (F4)."""
    used_basis_points: Share
    """What must be used of the money paid, else the next tranche is cut (F5)."""
    retention_months: int = Field(ge=0, le=120)
    notice_days: Days
    """Calendar days of public notice before the retention is released (F13, F15)."""
    cooling_off_working_days: Days
    """After a change of the payee's account (F16)."""
    payment_days: Days
    """Promised from complete request to booked, in calendar days (F21)."""
    payment_days_at_most: Days
    """What an agreement may promise instead (F21)."""
    statement_days: Days
    """For the cost statement after a stop (F12)."""
    recovery_days: Days
    """Until a recovery order is due (F14)."""
    late_interest_basis_points: int = Field(ge=0, le=WHOLE_SHARE)
    """A year, on what is not paid back when it is due (F14); 0 where none is asked."""
    adding_up_days: Days
    """Payouts to one payee within these days are added up before the tier is chosen (5.4)."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """Of the tiers; a payout in another currency has no tier and is refused."""
    tiers: tuple[Tier, ...]
    asks_certifier: bool
    asks_release: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a plan or with tiers: its code, the place under `funds/`, and values for the sentence."""

    code: str
    place: str
    values: dict[str, Any] = field(default_factory=dict)


def plan_faults(
    tranches: Sequence[Tranche],
    *,
    clauses: AbstractSet[str],
    before_last_gate_basis_points: int,
    retention_months: int,
) -> Iterator[Fault]:
    """Yield what is wrong with a tranche plan; `clauses` are the criteria that exist (5.1, F1, F20).

    The shares make a whole, the last tranche and only the last is the retention (where none is kept for any month, a
    plan may do without), each waits for a gate or for criteria (not both, never a date), none waits for an earlier gate
    than the one before it, and what is planned before the last gate lies within its cap (F3), or it could never be
    paid.
    """
    if (total := sum(one.share_basis_points for one in tranches)) != WHOLE_SHARE:
        yield Fault(code="plan_not_whole", place="tranches", values={"total": total, "needed": WHOLE_SHARE})
    retained = [one.code for one in tranches if one.is_retention]
    is_without = not retained and not retention_months
    if not tranches or (retained != [tranches[-1].code] and not is_without):
        yield Fault(code="plan_retention_not_last", place="tranches", values={"have": retained})
    if len({one.code for one in tranches}) < len(tranches):
        yield Fault(code="repeated", place="tranches", values={"items": sorted(one.code for one in tranches)})
    before = 0
    for one in tranches:
        place = f"tranches/{one.code}"
        if (one.gate is None) != bool(one.criteria):
            yield Fault(code="tranche_not_tied", place=place, values={"tranche": one.code})
        for clause in one.criteria:
            if clause not in clauses:
                yield Fault(code="tranche_clause_unknown", place=place, values={"tranche": one.code, "name": clause})
        if one.reached_at < before:
            yield Fault(code="tranche_out_of_order", place=place, values={"tranche": one.code})
        before = max(before, one.reached_at)
    early = sum(one.share_basis_points for one in tranches if one.reached_at < int(LAST_GATE[1]))
    if early > before_last_gate_basis_points:
        yield Fault(
            code="plan_over_cap", place="tranches", values={"have": early, "limit": before_last_gate_basis_points}
        )


def tier_faults(tiers: Sequence[Tier]) -> Iterator[Fault]:
    """Yield what is wrong with an authority matrix: limits rise to a last one without limit, demands never fall."""
    limits = [one.up_to_minor for one in tiers]
    known = [limit for limit in limits if limit is not None]
    if not tiers or limits[-1] is not None or len(known) != len(limits) - 1 or known != sorted(set(known)):
        yield Fault(code="tiers_not_rising", place="tiers", values={"limits": limits})
    for lower, higher in pairwise(tiers):
        if lower.needed > higher.needed or lower.needs_minute > higher.needs_minute:
            yield Fault(code="tier_asks_less", place="tiers", values={"limit": lower.up_to_minor})


def fund_faults(rules: FundRules, *, clauses: AbstractSet[str]) -> Iterator[Fault]:
    """Yield what is wrong with a pack's fund rules: plan, tiers, and numbers that contradict each other."""
    yield from plan_faults(
        rules.tranches,
        clauses=clauses,
        before_last_gate_basis_points=rules.before_last_gate_basis_points,
        retention_months=rules.retention_months,
    )
    yield from tier_faults(rules.tiers)
    if rules.before_last_gate_basis_points > rules.before_audit_basis_points:
        yield Fault(code="caps_out_of_order", place="before_audit_basis_points")
    if not 0 < rules.payment_days <= rules.payment_days_at_most:
        days = {"have": rules.payment_days, "limit": rules.payment_days_at_most}
        yield Fault(code="payment_days_wrong", place="payment_days", values=days)
