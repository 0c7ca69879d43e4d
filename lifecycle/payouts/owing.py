"""What a firm owes back of money that the bank has sent back: it owes no more than it still has (F11, F14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Act, Message, Stamp
from lifecycle.ledger.sums import paid_by_agreement
from models.agreements import Agreement, RecoveryOrder, RecoveryPart
from models.reading import rows_by
from models.states import RecoveryPartKind, RecoveryState

OBJECT_TYPE = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """One order, and what of it a return meets; `before_minor` others of the same call have met."""

    order: Any
    before_minor: int
    amount_minor: int

    @property
    def set_off_minor(self) -> int:
        """What is set off against it then."""
        return int(self.order.set_off_minor + self.before_minor + self.amount_minor)

    @property
    def is_met(self) -> bool:
        """Say whether nothing is left of it."""
        return _left(self.order) == self.before_minor + self.amount_minor


def lowered_by(
    session: Session, payouts: Sequence[Any], changes: Sequence[int], returns: Sequence[int]
) -> dict[int, tuple[Lowered, ...]]:
    """Return place -> the orders that a return makes smaller, for payouts in the order in which they are told of.

    `changes` is what each makes more paid, `returns` what comes back with it. What open orders ask for stays within
    what was paid, less what the settlement leaves the firm and what two people gave up. One statement where money comes
    back, five where the firm owes some.
    """
    of_returned = {row.agreement_id for row, amount in zip(payouts, returns, strict=True) if amount}
    orders = rows_by(session, RecoveryOrder, "agreement_id", of_returned, "ordered_at", "number") if of_returned else {}
    owing = {key for key, rows in orders.items() if any(row.state == RecoveryState.OPEN for row in rows)}
    if not owing:
        return {}
    paid, agreements = dict(paid_by_agreement(session, owing)), rows_by(session, Agreement, "id", owing)
    met: dict[UUID, int] = {}
    found = {}
    for place, (row, change, returned) in enumerate(zip(payouts, changes, returns, strict=True)):
        if row.agreement_id not in owing:
            continue
        paid[row.agreement_id] = paid.get(row.agreement_id, 0) + change
        if returned:
            has = paid[row.agreement_id] - _kept(agreements[row.agreement_id][0], orders[row.agreement_id])
            found[place] = _lowered(orders[row.agreement_id], max(0, has), met)
    return found


def _kept(agreement: Any, orders: Sequence[Any]) -> int:
    """Return what the firm need not pay back: what it was settled on, and what of its debts was written off."""
    entitlement = agreement.entitlement_minor if agreement.settled_on is not None else 0
    return int((entitlement or 0) + sum(row.written_off_minor for row in orders))


def _lowered(orders: Sequence[Any], most: int, met: dict[UUID, int]) -> tuple[Lowered, ...]:
    """Meet the newest orders first, down to `most` in all; what an older one asks for has run longer."""
    living = [row for row in orders if row.state == RecoveryState.OPEN]
    too_much = sum(_left(row) - met.get(row.id, 0) for row in living) - most
    found = []
    for row in reversed(living):
        before = met.get(row.id, 0)
        amount = min(max(0, too_much), _left(row) - before)
        if amount:
            too_much -= amount
            met[row.id] = before + amount
            found.append(Lowered(order=row, before_minor=before, amount_minor=amount))
    return tuple(found)


def _left(order: Any) -> int:
    return int(order.amount_minor - order.repaid_minor - order.set_off_minor - order.written_off_minor)


def set_off_by_return(
    one: Lowered, payout: Any, project: Any, stamp: Stamp
) -> tuple[Act, tuple[type[RecoveryPart], Mapping[str, Any]], Message]:
    """Return what sets a debt off against the money that came back: under its own agreement, so P counts it once."""
    order, amount = one.order, one.amount_minor
    state = RecoveryState.SETTLED if one.is_met else RecoveryState.OPEN
    act = Act(
        table=RecoveryOrder,
        object_type=OBJECT_TYPE,
        id=order.id,
        action=f"{OBJECT_TYPE}.set_off",
        row=order,
        from_state=str(state),
        to_state=str(state),
        values={"set_off_minor": one.set_off_minor, "state": state},
        detail={"amount_minor": amount, "with": "return", "payout": payout.number},
    )
    part = {
        "id": stamp.new_id(),
        "recovery_id": order.id,
        "kind": RecoveryPartKind.SET_OFF,
        "amount_minor": amount,
        "against_agreement_id": order.agreement_id,
        "met_on": stamp.today,
        "at": stamp.now,
        "by": stamp.actor.user_id,
    }
    said = {"number": order.number, "project": project.number, "amount_minor": amount, "currency": order.currency}
    message = Message(kind=f"{OBJECT_TYPE}.set_off", object_type=OBJECT_TYPE, object_id=order.id, facts=said)
    return act, (RecoveryPart, part), message
