"""The final settlement of an agreement as one plan: what is still paid, owed back, promised and given up. Pure.

The rule behind every field: what is still paid less what is still owed, or was given up, is E - P, whatever was ordered
(F11, F12, F14).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lifecycle.milestones.entitlement import Figures, entitlement_of, settlement_of
from models.states import MilestoneState


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranche:
    """A tranche that belongs to the award, with what was paid for it."""

    row: Any
    paid_minor: int

    @property
    def is_released(self) -> bool:
        """Say whether its result was accepted."""
        return bool(self.row.state == MilestoneState.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an agreement is settled. Amounts in minor units."""

    entitlement_minor: int
    paid_minor: int
    """P, net of returns, repayments and set-offs."""
    due_minor: int
    """Still paid, in tranches or besides them."""
    besides_minor: int
    """The part of it that no tranche holds: the payout with purpose `settlement`."""
    ordered_minor: int
    """Owed back, beyond the orders that are open already."""
    absorbed_minor: int
    """The part of open orders that the settlement nets out."""
    award_minor: int
    """What the agreement promises from now on; the rest is the fund's to promise again."""
    amounts: Mapping[UUID, int]
    """Tranche -> its amount after the settlement; they sum to the award (F1)."""
    given_up: frozenset[UUID]
    """Tranches that nobody will ask for: waived."""
    owed_minor: int
    """What is owed back in all once it is settled."""
    forgiven_minor: int = 0
    """What was paid beyond the entitlement and two people gave up: nobody orders it again."""

    @property
    def is_finished(self) -> bool:
        """Say whether nothing is paid and nothing is owed any more."""
        return self.due_minor == 0 and self.owed_minor == 0


def plan_of(
    figures: Figures, tranches: Sequence[Tranche], *, outstanding_minor: int, written_off_minor: int = 0
) -> Plan:
    """Return the settlement of an agreement of which nothing is on its way (F1, F11, F12).

    `tranches` are the living ones in order; `outstanding_minor` is what open recovery orders of the agreement ask for,
    `written_off_minor` what two people gave up of its orders.
    A stopped project is paid besides its tranches; then one tranche keeps their sum equal to the award.
    """
    entitled, paid = entitlement_of(figures), figures.paid_minor
    due, beyond = max(0, entitled - paid), max(0, paid - entitled)
    forgiven = min(written_off_minor, beyond)
    owed = beyond - forgiven
    covered = sum(one.paid_minor for one in tranches)
    rest = max(0, entitled - covered)
    held = _held(figures, tranches, rest)
    amounts = {one.row.id: one.paid_minor + held.get(one.row.id, 0) for one in tranches}
    given_up = frozenset(one.row.id for one in tranches if not one.is_released and not amounts[one.row.id])
    return Plan(
        entitlement_minor=entitled,
        paid_minor=paid,
        due_minor=due,
        besides_minor=due if figures.is_stopped else max(0, due - rest),
        ordered_minor=max(0, owed - outstanding_minor),
        absorbed_minor=max(0, outstanding_minor - owed),
        award_minor=covered + rest,
        amounts=amounts,
        given_up=given_up,
        owed_minor=owed,
        forgiven_minor=forgiven,
    )


def _held(figures: Figures, tranches: Sequence[Tranche], rest: int) -> dict[UUID, int]:
    """Return tranche -> what of the rest it holds: acceptance and retention, or all in the last one after a stop."""
    if not rest:
        return {}
    last = tranches[-1].row
    if figures.is_stopped or not last.is_retention or len(tranches) == 1:
        return {last.id: rest}
    retained = settlement_of(figures, retention_basis_points=last.share_basis_points).retention_minor
    retained = min(retained, rest)
    return {tranches[-2].row.id: rest - retained, last.id: retained}


def difference(plan: Plan, *, unpaid_minor: int, owed_minor: int) -> int:
    """Return E - P less what is still to be paid plus what is still owed or given up: zero while it holds."""
    return plan.entitlement_minor - plan.paid_minor - unpaid_minor + owed_minor + plan.forgiven_minor
