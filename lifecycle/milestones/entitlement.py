"""What may be paid under an agreement and what it comes to in the end: F2 to F6, F11 to F13 of the rule book. Pure.

Every comparison is made without division. Where a figure is rounded, it is rounded against the payment: what is still
owed or lacking goes up, what may be paid goes down, so that no cap is passed by a fraction of a fen.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from lifecycle.calendar import add_months
from lifecycle.errors import Unmet, unmet
from lifecycle.standards.funds import FundRules
from models.limits import WHOLE_SHARE
from models.money import said


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One agreement as it stands: amounts in minor units of its currency, and how far its project came.

    `paid_minor` counts what is approved or in transit as paid: otherwise two payouts pass that together may not.
    """

    currency: str
    award_minor: int
    rate_basis_points: int
    cost_minor: int = 0
    """V: verified eligible cost to date."""
    paid_minor: int = 0
    """P: paid to date, net of returns and recoveries."""
    released_minor: int = 0
    """Sum of the released tranches, after their cuts."""
    own_minor: int = 0
    """Own money verified."""
    is_last_gate_passed: bool = False
    is_audit_accepted: bool = False
    is_stopped: bool = False

    @property
    def used(self) -> int:
        """Return r x V in ten-thousandths of a minor unit: exact."""
        return self.rate_basis_points * self.cost_minor


def outstanding_advance(figures: Figures) -> int:
    """Return P - r x V, rounded up: what was paid and no cost stands for yet; negative when cost is ahead (F4, F17)."""
    return figures.paid_minor - figures.used // WHOLE_SHARE


def release_reasons(amount_minor: int, figures: Figures, rules: FundRules) -> tuple[Unmet, ...]:
    """Return why this payout of a tranche may not be made: stopped (F10), caps (F2 to F4), own money (F6).

    Gates, conditions, holds and accounts (the rest of F5) are other people's facts and asked elsewhere.
    """
    stopped = (unmet("stopped_pays_settlement_only"),) if figures.is_stopped else ()
    return (*stopped, *cap_reasons(amount_minor, figures, rules), *matching_reasons(figures))


def cap_reasons(amount_minor: int, figures: Figures, rules: FundRules) -> tuple[Unmet, ...]:
    """Return every cap that this payout on top of what is paid would pass (F2, F3, F4); at the cap is within it."""
    paid, award = figures.paid_minor + amount_minor, figures.award_minor
    caps = {"paid_over_award": award * WHOLE_SHARE, "paid_over_released": figures.released_minor * WHOLE_SHARE}
    if not figures.is_last_gate_passed:
        caps["paid_over_cap_before_gate"] = award * rules.before_last_gate_basis_points
        caps["advance_over_cap"] = award * rules.advance_basis_points + figures.used
    if not figures.is_audit_accepted:
        caps["paid_over_cap_before_audit"] = award * rules.before_audit_basis_points
    return tuple(
        unmet(code, **said(figures.currency, paid=paid, limit=limit // WHOLE_SHARE))
        for code, limit in caps.items()
        if paid * WHOLE_SHARE > limit
    )


def matching_reasons(figures: Figures) -> tuple[Unmet, ...]:
    """Return why own money does not keep pace: verified own money / V >= 1 - r, not asked while V = 0 (F6)."""
    asked = (WHOLE_SHARE - figures.rate_basis_points) * figures.cost_minor
    if figures.own_minor * WHOLE_SHARE >= asked:
        return ()
    return (unmet("own_money_behind", **said(figures.currency, own=figures.own_minor, needed=_up(asked))),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What of a tranche may be paid now, and what moves to the next one; together they are the tranche."""

    payable_minor: int
    moved_minor: int


def cut_of(tranche_minor: int, figures: Figures, rules: FundRules) -> Cut:
    """Return the tranche cut by what is lacking of the use of the money paid: 0.70 x P - r x V, rounded up (F5).

    A tranche is never cut below nothing: what is then still lacking is found again at the next one.
    """
    lacking = _up(rules.used_basis_points * figures.paid_minor - figures.used)
    moved = min(max(lacking, 0), tranche_minor)
    return Cut(payable_minor=tranche_minor - moved, moved_minor=moved)


def use_reasons(tranche_minor: int, figures: Figures, rules: FundRules) -> tuple[Unmet, ...]:
    """Return why nothing of this tranche can be paid: too little of the money paid is used, all of it is cut (F5)."""
    if cut_of(tranche_minor, figures, rules).payable_minor > 0:
        return ()
    needed = _up(rules.used_basis_points * figures.paid_minor)
    return (unmet("money_not_used", **said(figures.currency, used=figures.used // WHOLE_SHARE, needed=needed)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an agreement ends (F11): two payments to come, or a recovery; their sum is E - P."""

    entitlement_minor: int
    acceptance_minor: int
    """T4, now."""
    retention_minor: int
    """R, when the retention is over."""
    recovery_minor: int


def entitlement_of(figures: Figures) -> int:
    """Return E = min(A, r x accepted cost), rounded down: the grant never passes its rate (F11)."""
    return min(figures.award_minor, figures.used // WHOLE_SHARE)


def settlement_of(figures: Figures, *, retention_basis_points: int) -> Settlement:
    """Return the final settlement on the accepted cost (F11): T4 = max(0, 95 % of E - P), R = E - P after T4.

    What was paid beyond E is recovered. A stopped project keeps no retention back (F12).
    """
    entitled, paid = entitlement_of(figures), figures.paid_minor
    retained = 0 if figures.is_stopped else retention_basis_points
    acceptance = max(0, entitled * (WHOLE_SHARE - retained) // WHOLE_SHARE - paid)
    return Settlement(
        entitlement_minor=entitled,
        acceptance_minor=acceptance,
        retention_minor=max(0, entitled - paid - acceptance),
        recovery_minor=max(0, paid - entitled),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What the release of a retention looks at."""

    accepted_on: date
    """Day of the G5 go, from which the months run."""
    today: date
    noticed_on: date | None
    """Day the public notice began, None when there was none."""
    open_matters: int
    """Open defects, findings and recoveries, and objections not yet answered."""


def retention_reasons(facts: Retained, rules: FundRules) -> tuple[Unmet, ...]:
    """Return why the retention is not released: months, public notice, open matters (F13, F15).

    A day alone releases nothing (F20): this is asked beside the tranche's gate and its other needs.
    """
    reasons = []
    until = add_months(facts.accepted_on, rules.retention_months)
    if facts.today < until:
        reasons.append(unmet("retention_running", until=until.isoformat()))
    if rules.notice_days and facts.noticed_on is None:
        reasons.append(unmet("retention_notice_missing", days=rules.notice_days))
    elif facts.noticed_on is not None:
        last = facts.noticed_on + timedelta(days=rules.notice_days)
        if rules.notice_days and facts.today <= last:
            reasons.append(unmet("retention_notice_running", until=last.isoformat()))
    if facts.open_matters:
        reasons.append(unmet("retention_open_matters", count=facts.open_matters))
    return tuple(reasons)


def _up(scaled: int) -> int:
    """Return a figure in ten-thousandths as whole minor units, rounded up."""
    return -(-scaled // WHOLE_SHARE)
