"""The money of one project in a few lines, for who may read its agreements: what stands on the tab of money in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import select
from sqlmodel import Session

from lifecycle.actor import Rights
from lifecycle.agreements.queries import IN_FORCE, agreements
from lifecycle.milestones.queries import milestones
from lifecycle.payouts.queries import Which, payouts
from lifecycle.payouts.terms import WAITING
from models.agreements import Agreement, Milestone
from models.payouts import Payout
from models.reading import table_of
from models.states import MilestoneState, PayoutState
from web.charts.position import position_bar
from web.money_rights import of_fund_or_project
from web.render import Words
from web.session import Visit

_RESERVED = (PayoutState.APPROVED, PayoutState.INSTRUCTED)
_PARTS = ("paid", "reserved", "waiting", "returned", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranche:
    """The first tranche that is neither paid nor waived."""

    tranche: str
    state: str
    amount_minor: int
    hangs_on: str
    """Gate and clauses it waits for; empty where it waits for none."""
    due_on: date | None
    payout: str
    """Number of the payout that was asked for it; empty where none was."""
    payout_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyBox:
    """What the signed agreements of one currency award, in minor units."""

    currency: str
    awarded_minor: int
    paid_minor: int
    reserved_minor: int
    """Approved, or on its way."""
    waiting_minor: int
    """Asked for and not approved yet."""
    returned_minor: int
    """Sent back by the bank, and not asked for again."""
    left_minor: int
    """Of what is in force, what nobody has asked for yet."""
    bar: Markup
    following: Tranche | None

    @property
    def lines(self) -> list[tuple[str, int]]:
        """Return (part, amount) in the order of the bar; a part that few projects have only where it is not nothing."""
        parts = [(name, int(getattr(self, f"{name}_minor"))) for name in _PARTS]
        return [(name, amount) for name, amount in parts if amount or name in ("paid", "waiting", "left")]


def money_boxes(session: Session, visit: Visit, rights: Rights, project_id: UUID, words: Words) -> list[MoneyBox]:
    """Return a box for each currency in which something was awarded; none for who may not read it."""
    of_agreements, of_payouts = (
        of_fund_or_project(table_of(one), rights, visit.actor, among=[project_id]) for one in (Agreement, Payout)
    )
    found = agreements(session, project_id=project_id, reach=of_agreements)
    signed = [one for one in found if one["standing"] != "unsigned"]
    if not signed:
        return []
    which = Which(project_id=project_id, reach=of_payouts)
    asked = payouts(session, today=visit.today, calendar=visit.stamp.calendar, which=which)
    tranches = milestones(session, ids=_tranches(session, [one["id"] for one in signed]))
    return [
        _box([one for one in signed if one["currency"] == currency], asked, tranches, words)
        for currency in sorted({one["currency"] for one in signed})
    ]


def _tranches(session: Session, agreement_ids: Sequence[UUID]) -> list[UUID]:
    milestone = table_of(Milestone)
    return list(session.execute(select(milestone.c.id).where(milestone.c.agreement_id.in_(agreement_ids))).scalars())


def _box(signed: Sequence[Any], asked: Sequence[Any], tranches: Sequence[Any], words: Words) -> MoneyBox:
    numbers = {one["number"] for one in signed}
    living = {one["number"] for one in signed if one["standing"] == IN_FORCE}
    own = [one for one in asked if one["agreement"] in numbers]
    sums = {
        "paid": sum(one["paid_minor"] for one in signed),
        "reserved": sum(one["amount_minor"] for one in own if one["state"] in _RESERVED),
        "waiting": sum(one["amount_minor"] for one in own if one["state"] == PayoutState.REQUESTED),
        "returned": sum(one["amount_minor"] for one in own if one["state"] == PayoutState.RETURNED),
    }
    spoken_for = sum(one["paid_minor"] for one in signed if one["number"] in living)
    spoken_for += sum(one["amount_minor"] for one in own if one["agreement"] in living and one["state"] in WAITING)
    sums["left"] = max(0, sum(one["amount_minor"] for one in signed if one["number"] in living) - spoken_for)
    awarded, currency = sum(one["amount_minor"] for one in signed), str(signed[0]["currency"])
    said = [words.t(f"box.{name}") + f" {words.money(sums[name], currency)}" for name in _PARTS if sums[name]]
    return MoneyBox(
        currency=currency,
        awarded_minor=awarded,
        **{f"{name}_minor": sums[name] for name in _PARTS},
        bar=position_bar([(name, sums[name]) for name in _PARTS], label=words.t("box.label", said=said)),
        following=_following([one for one in tranches if one["agreement"] in living], own),
    )


def _following(tranches: Sequence[Any], asked: Sequence[Any]) -> Tranche | None:
    """Return the first tranche by agreement and number that is still to be paid, with what was asked for it."""
    by_tranche: dict[tuple[str, str], Any] = {}
    for one in asked:
        if one["tranche"] and one["state"] in (*WAITING, PayoutState.PAID):
            by_tranche[one["agreement"], one["tranche"]] = one
    for one in tranches:
        payout = by_tranche.get((one["agreement"], one["tranche"]))
        is_paid = payout is not None and payout["state"] == PayoutState.PAID
        if not is_paid and one["state"] != MilestoneState.WAIVED:
            return Tranche(
                tranche=str(one["tranche"]),
                state=str(one["state"]),
                amount_minor=one["amount_minor"],
                hangs_on=" ".join(filter(None, (one["gate"], *(one["criteria"] or ())))),
                due_on=one["due_on"],
                payout=payout["number"] if payout else "",
                payout_state=str(payout["state"]) if payout else "",
            )
    return None
