"""What a carried-out settlement, or a verb of a recovery order, changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.endings.facts import OrderFacts, RecoveryFacts, SettleFacts, left_of
from lifecycle.endings.finishing import closed_with_debt
from lifecycle.ledger.cases import closed_cases, out_of_suspense
from lifecycle.ledger.entries import Sealed, entry
from lifecycle.milestones.effects import milestone_act
from lifecycle.payouts.terms import hand_in_by
from models.agreements import Agreement, RecoveryOrder, RecoveryPart
from models.base import Row
from models.states import (
    FundStatus,
    MilestoneState,
    PostingKind,
    RecoveryPartKind,
    RecoveryState,
)

OBJECT_TYPE = "recovery"
_MET = {
    RecoveryPartKind.REPAID: "repaid_minor",
    RecoveryPartKind.SET_OFF: "set_off_minor",
    RecoveryPartKind.WRITTEN_OFF: "written_off_minor",
}


def settled(facts: SettleFacts, _target: str, stamp: Stamp) -> Effects:
    """Fix what is still paid and owed; what the award promised beyond it is the fund's again (F11, F12).

    An agreement of which nothing is left to pay or to recover is closed with it; should the bank send money back, it
    opens again and promises no more than it was settled on.
    """
    plan, agreement = facts.plan, facts.agreement
    values: dict[str, Any] = {
        "settled_on": stamp.today,
        "entitlement_minor": plan.entitlement_minor,
        "settlement_minor": facts.settled_minor + plan.besides_minor,
    }
    tranches: tuple[Act, ...] = ()
    if plan.is_finished:
        values |= {"status": FundStatus.CLOSED, "closed_on": stamp.today}
    if plan.award_minor:
        values["amount_minor"] = plan.award_minor
        tranches = _tranches(facts, stamp)
    said = {
        "award_minor": agreement.amount_minor,
        "entitlement_minor": plan.entitlement_minor,
        "paid_minor": plan.paid_minor,
        "due_minor": plan.due_minor,
        "owed_minor": plan.owed_minor,
    }
    act = Act(
        table=Agreement,
        object_type="agreement",
        id=agreement.id,
        action="agreement.settle",
        row=agreement,
        values=values,
        detail={**said, "reason": facts.command.reason.strip()},
    )
    orders, rows, told = _owed(facts, stamp)
    facts_told = {"number": agreement.number, "currency": agreement.currency, **said}
    message = Message(kind="agreement.settled", object_type="agreement", object_id=agreement.id, facts=facts_told)
    return Effects(
        acts=(act, *tranches, *orders),
        rows=rows,
        messages=(message, *told),
        numbers=facts.number.series if facts.number is not None else {},
        says={
            **said,
            "is_closed": plan.is_finished,
            "recovery_id": str(orders[0].id) if plan.ordered_minor else None,
        },
    )


def _tranches(facts: SettleFacts, stamp: Stamp) -> tuple[Act, ...]:
    """Give every tranche the amount that the settlement leaves it; what nobody will ask for is waived (F1)."""
    acts = []
    for one in facts.tranches:
        amount = facts.plan.amounts[one.row.id]
        if one.row.id in facts.plan.given_up:
            values = {"decided_by": stamp.actor.user_id, "decided_at": stamp.now, "reason": "settled"}
            waived = str(MilestoneState.WAIVED)
            acts.append(milestone_act(one.row, "waive", waived, values=values, detail={"reason": "settled"}))
        elif amount != one.row.amount_minor:
            acts.append(
                milestone_act(one.row, "settle", values={"amount_minor": amount}, detail={"amount_minor": amount})
            )
    return tuple(acts)


def _owed(facts: SettleFacts, stamp: Stamp) -> tuple[tuple[Act, ...], tuple[Any, ...], tuple[Message, ...]]:
    """Order what is owed beyond the open orders, or net these where less is owed than they ask for."""
    plan, agreement = facts.plan, facts.agreement
    acts: list[Act] = []
    rows: list[tuple[type[Row], Mapping[str, Any]]] = []
    told: list[Message] = []
    if plan.ordered_minor:
        asked = _Asked(
            number=str(facts.number),
            amount_minor=plan.ordered_minor,
            code="stop" if facts.figures.is_stopped else "negative_balance",
            reason=facts.command.reason,
            due_days=facts.on.pack.funds.recovery_days,
        )
        act, message = _born(agreement, asked, stamp)
        acts.append(act)
        told.append(message)
    left = plan.absorbed_minor
    for order in facts.orders:
        amount = min(left, left_of(order))
        if not amount:
            continue
        left -= amount
        kind, detail = RecoveryPartKind.SET_OFF, {"amount_minor": amount, "with": "settlement"}
        acts.append(_met(order, "set_off", kind, amount, detail))
        rows.append(_part(order, kind, amount, stamp, against_agreement_id=agreement.id))
    return tuple(acts), tuple(rows), tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What an order says."""

    number: str
    amount_minor: int
    code: str
    reason: str
    due_days: int


def _born(agreement: Any, asked: _Asked, stamp: Stamp) -> tuple[Act, Message]:
    due = hand_in_by(stamp.today, asked.due_days, stamp.calendar).due_on
    values = {
        "number": asked.number,
        "project_id": agreement.project_id,
        "agreement_id": agreement.id,
        "fund_id": agreement.fund_id,
        "amount_minor": asked.amount_minor,
        "currency": agreement.currency,
        "code": asked.code,
        "reason": asked.reason.strip(),
        "due_on": due,
        "state": RecoveryState.OPEN,
        "repaid_minor": 0,
        "set_off_minor": 0,
        "written_off_minor": 0,
        "ordered_by": stamp.actor.user_id,
        "ordered_at": stamp.now,
    }
    order_id = stamp.new_id()
    act = Act(
        table=RecoveryOrder,
        object_type=OBJECT_TYPE,
        id=order_id,
        action=f"{OBJECT_TYPE}.order",
        from_state=RecoveryState.OPEN,
        to_state=RecoveryState.OPEN,
        values=values,
        detail={name: values[name] for name in ("number", "amount_minor", "currency", "code", "reason", "due_on")},
    )
    said = {"number": asked.number, "agreement": agreement.number, "amount_minor": asked.amount_minor}
    told = {**said, "currency": agreement.currency, "code": asked.code, "due_on": due.isoformat()}
    return act, Message(kind="recovery.ordered", object_type=OBJECT_TYPE, object_id=order_id, facts=told)


def ordered(facts: OrderFacts, _target: str, stamp: Stamp) -> Effects:
    """Ask the firm to pay money back by a day (F14)."""
    command = facts.command
    asked = _Asked(
        number=str(facts.number),
        amount_minor=command.amount_minor,
        code=command.code,
        reason=command.reason,
        due_days=facts.due_days,
    )
    act, message = _born(facts.agreement, asked, stamp)
    says = {"number": asked.number, "due_on": message.facts["due_on"]}
    return Effects(acts=(act,), messages=(message,), numbers=facts.number.series, says=says)


def _met(
    order: Any, verb: str, kind: RecoveryPartKind, amount: int, detail: Mapping[str, Any], sealed: Sealed = ()
) -> Act:
    """Return the act that meets a part of the order; the last part closes it.

    An order has no chart and leaves no transition: its audit row says the state that it comes to, no move (I12).
    """
    column = _MET[kind]
    ends = RecoveryState.WRITTEN_OFF if kind == RecoveryPartKind.WRITTEN_OFF else RecoveryState.SETTLED
    state = ends if amount == left_of(order) else RecoveryState.OPEN
    return Act(
        table=RecoveryOrder,
        object_type=OBJECT_TYPE,
        id=order.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=order,
        from_state=str(state),
        to_state=str(state),
        values={column: getattr(order, column) + amount, "state": state},
        detail=detail,
        sealed=sealed,
    )


def _part(
    order: Any, kind: RecoveryPartKind, amount: int, stamp: Stamp, **of: Any
) -> tuple[type[Row], Mapping[str, Any]]:
    common = {"id": stamp.new_id(), "recovery_id": order.id, "kind": kind, "amount_minor": amount}
    return RecoveryPart, {**common, "met_on": stamp.today, "at": stamp.now, "by": stamp.actor.user_id, **of}


def _told(facts: RecoveryFacts, kind: str, amount: int) -> Message:
    order = facts.order
    said = {"number": order.number, "project": facts.project.number, "amount_minor": amount, "currency": order.currency}
    return Message(kind=f"{OBJECT_TYPE}.{kind}", object_type=OBJECT_TYPE, object_id=order.id, facts=said)


def repaid(facts: RecoveryFacts, _target: str, stamp: Stamp) -> Effects:
    """Book money that came back: it can be promised and paid again; its booking is no more in suspense."""
    command, order = facts.command, facts.order
    kind, amount = RecoveryPartKind.REPAID, command.amount_minor
    booked = entry(PostingKind.RECOVERY, amount, facts.accounts, new_id=stamp.new_id)
    taken = out_of_suspense(facts.line, facts.accounts, stamp.new_id)
    detail = {"amount_minor": amount, "bank_ref": command.bank_ref, "received_on": command.received_on}
    act = _met(order, "repay", kind, amount, {**detail, "exception_id": command.exception_id}, (*taken, *booked))
    booking: dict[str, Any] = {"bank_ref": command.bank_ref.strip(), "entry_id": booked[0][1]["entry_id"]}
    part = _part(order, kind, amount, stamp, **booking, met_on=command.received_on)
    open_case = () if command.exception_id is not None else closed_cases([facts.case], stamp)
    closed, told = _finished(facts, stamp)
    return Effects(acts=(act, *open_case, *closed), rows=(part,), messages=(_told(facts, "repaid", amount), *told))


def _finished(facts: RecoveryFacts, stamp: Stamp) -> tuple[tuple[Act, ...], tuple[Message, ...]]:
    """Return what closes the settled agreement of the order, where nothing is left under it."""
    if facts.finished is None:
        return (), ()
    act, message = closed_with_debt(facts.finished, facts.project, facts.order.number, stamp)
    return (act,), (message,)


def set_off(facts: RecoveryFacts, _target: str, stamp: Stamp) -> Effects:
    """Discharge what the firm owes and what a tranche owes it against each other; no money moves (F14)."""
    command, order = facts.command, facts.order
    kind, amount = RecoveryPartKind.SET_OFF, command.amount_minor
    against: dict[str, UUID] = {"against_agreement_id": facts.agreement.id, "milestone_id": facts.milestone.id}
    detail = {"amount_minor": amount, "notified_on": command.notified_on, "reason": command.reason.strip(), **against}
    act = _met(order, "set_off", kind, amount, detail)
    paid = milestone_act(facts.milestone, "set_off", detail={"amount_minor": amount, "recovery": order.number})
    part = _part(order, kind, amount, stamp, notified_on=command.notified_on, **against)
    return Effects(acts=(act, paid), rows=(part,), messages=(_told(facts, "set_off", amount),))


def written_off(facts: RecoveryFacts, _target: str, stamp: Stamp) -> Effects:
    """Note the first person's proposal; with the second one's word nothing is owed any more (F14).

    Where the first one may no more decide on it, the second one's word is a proposal itself.
    """
    order, reason = facts.order, facts.command.reason.strip()
    if not facts.is_proposed:
        values = {"write_off_by": stamp.actor.user_id, "write_off_reason": reason}
        act = Act(
            table=RecoveryOrder,
            object_type=OBJECT_TYPE,
            id=order.id,
            action=f"{OBJECT_TYPE}.write_off",
            row=order,
            from_state=str(order.state),
            to_state=str(order.state),
            values=values,
            detail={"amount_minor": facts.left_minor, "reason": reason, "is_confirmed": False},
        )
        return Effects(acts=(act,), messages=(_told(facts, "write_off_proposed", facts.left_minor),))
    kind, amount = RecoveryPartKind.WRITTEN_OFF, facts.left_minor
    detail = {"amount_minor": amount, "reason": reason, "proposed_by": order.write_off_by, "is_confirmed": True}
    act = _met(order, "write_off", kind, amount, detail)
    closed, told = _finished(facts, stamp)
    return Effects(
        acts=(act, *closed),
        rows=(_part(order, kind, amount, stamp),),
        messages=(_told(facts, "written_off", amount), *told),
    )
