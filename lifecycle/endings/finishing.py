"""A settled agreement that ends with the last debt under it: it is closed, and its fund can promise what came back."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Act, Message, Stamp
from lifecycle.ledger.sums import paid_by_agreement
from models.agreements import Agreement, RecoveryOrder
from models.payouts import Payout
from models.reading import rows_by
from models.states import FundStatus, PayoutState, RecoveryPartKind, RecoveryState

_OVER = (PayoutState.PAID, PayoutState.REJECTED, PayoutState.CANCELLED)


def finished(session: Session, met: Mapping[Any, RecoveryPartKind]) -> dict[UUID, Any]:
    """Return order -> its agreement, of which nothing is left to pay or to recover once the order is met as said.

    `met` are orders whose whole rest is paid back or given up now. Six statements, none without a settled agreement.
    """
    ids = {order.agreement_id for order in met}
    agreements = {key: rows[0] for key, rows in rows_by(session, Agreement, "id", ids).items()} if ids else {}
    settled = {key for key, row in agreements.items() if _waits_for_debts(row)}
    if not settled:
        return {}
    paid = paid_by_agreement(session, settled)
    orders = rows_by(session, RecoveryOrder, "agreement_id", settled)
    payouts = rows_by(session, Payout, "agreement_id", settled)
    found = {}
    for order, kind in met.items():
        key = order.agreement_id
        others = [row for row in orders.get(key, ()) if row.id != order.id]
        if key not in settled or any(row.state == RecoveryState.OPEN for row in others):
            continue
        if any(row.state not in _OVER for row in payouts.get(key, ())):
            continue
        if _is_even(agreements[key], paid.get(key, 0), [order, *others], order, kind):
            found[order.id] = agreements[key]
    return found


def _waits_for_debts(agreement: Any) -> bool:
    return agreement.status == FundStatus.ACTIVE and agreement.settled_on is not None


def _is_even(agreement: Any, paid_minor: int, orders: Sequence[Any], order: Any, kind: RecoveryPartKind) -> bool:
    """Say whether what stays paid is the entitlement, and beyond it what two people gave up (F11, F14)."""
    rest = order.amount_minor - order.repaid_minor - order.set_off_minor - order.written_off_minor
    given_up = sum(row.written_off_minor for row in orders) + (rest if kind == RecoveryPartKind.WRITTEN_OFF else 0)
    left = paid_minor - (rest if kind == RecoveryPartKind.REPAID else 0)
    return bool(0 <= left - agreement.entitlement_minor <= given_up)


def closed_with_debt(agreement: Any, project: Any, recovery: str, stamp: Stamp) -> tuple[Act, Message]:
    """Close the agreement, for nothing is left to pay or to recover under it."""
    act = Act(
        table=Agreement,
        object_type="agreement",
        id=agreement.id,
        action="agreement.close",
        row=agreement,
        values={"status": FundStatus.CLOSED, "closed_on": stamp.today},
        detail={"reason": recovery},
    )
    said = {"number": agreement.number, "project": project.number}
    return act, Message(kind="agreement.closed", object_type="agreement", object_id=agreement.id, facts=said)
