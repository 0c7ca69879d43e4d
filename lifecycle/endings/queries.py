"""Settlement statements and recovery orders, for lists and pages: figures that sum."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.agreements.queries import standing
from lifecycle.endings.facts import left_of
from lifecycle.endings.interest import Met, interest_of
from lifecycle.ledger.sums import paid_by_milestone, reserved_by_agreement
from lifecycle.milestones.entitlement import entitlement_of, outstanding_advance
from lifecycle.milestones.figures import figures_of
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, Milestone, RecoveryOrder, RecoveryPart
from models.ledger import Account, Posting
from models.payouts import Payout
from models.people import User
from models.projects import Project
from models.reading import rows_by, table_of
from models.states import AccountKind, FundStatus, MilestoneState, PayoutPurpose, PayoutState, PostingKind

_TERMS = ("number", "currency", "amount_minor", "rate_basis_points", "status", "settled_on", "statement_due_on")


def statement(session: Session, agreement_id: UUID) -> dict[str, Any]:
    """Return the one settlement statement of an agreement (F12): what was promised, spent, paid, and came back.

    paid - returned - recovered - set off here + set off elsewhere = net; entitlement - net = difference, which is what
    tranches and settlement still pay, less what orders still ask for or was given up, once it is settled. The advance
    is what was paid and no accepted cost stands for yet: it is the funder's (F17).
    """
    row = rows_by(session, Agreement, "id", [agreement_id])[agreement_id][0]
    figures = figures_of(session, [agreement_id])[agreement_id]
    moved = _moved(session, agreement_id)
    orders = rows_by(session, RecoveryOrder, "agreement_id", [agreement_id], "number").get(agreement_id, [])
    against = rows_by(session, RecoveryPart, "against_agreement_id", [agreement_id]).get(agreement_id, [])
    reserved = reserved_by_agreement(session, [agreement_id]).get(agreement_id, 0)
    net = figures.paid_minor - reserved
    entitled = entitlement_of(figures) if row.entitlement_minor is None else row.entitlement_minor
    project = rows_by(session, Project, "id", [row.project_id])[row.project_id][0]
    return {
        **{name: getattr(row, name) for name in _TERMS},
        "standing": standing(row, project.stage),
        "project": project.number,
        "award_minor": row.amount_minor,
        "cost_minor": figures.cost_minor,
        "own_money_minor": figures.own_minor,
        "paid_minor": moved.get(PostingKind.POST, 0),
        "returned_minor": -moved.get(PostingKind.RETURN, 0),
        "recovered_minor": sum(order.repaid_minor for order in orders),
        "set_off_minor": sum(order.set_off_minor for order in orders),
        "written_off_minor": sum(order.written_off_minor for order in orders),
        "set_off_as_paid_minor": sum(part.amount_minor for part in against),
        "net_minor": net,
        "advance_minor": max(0, outstanding_advance(figures) - reserved),
        "reserved_minor": reserved,
        "entitlement_minor": entitled,
        "difference_minor": entitled - net,
        **_to_come(session, row, orders, is_stopped=figures.is_stopped),
        "is_settled": row.settled_on is not None,
    }


def _moved(session: Session, agreement_id: UUID) -> dict[PostingKind, int]:
    """Return what each kind of entry brought to the account of what is paid, for the payouts of an agreement."""
    posting, account, payout = map(table_of, (Posting, Account, Payout))
    found = (
        select(posting.c.kind, func.sum(posting.c.amount_minor))
        .join_from(posting, account, account.c.id == posting.c.account_id)
        .join(payout, payout.c.id == posting.c.payout_id)
        .where(payout.c.agreement_id == agreement_id, account.c.kind == AccountKind.PAID)
        .group_by(posting.c.kind)
    )
    return {PostingKind(row[0]): int(row[1]) for row in session.execute(found)}


def _to_come(session: Session, agreement: Any, orders: Sequence[Any], *, is_stopped: bool) -> dict[str, int]:
    """Return what a settled agreement still pays, in tranches, as retention and besides, and what is still owed."""
    owed = sum(left_of(order) for order in orders)
    nothing = {"acceptance_minor": 0, "retention_minor": 0, "settlement_minor": 0, "owed_minor": owed}
    if agreement.settled_on is None or agreement.status == FundStatus.CLOSED:
        return nothing
    paid = paid_by_milestone(session, [agreement.id])
    payouts = rows_by(session, Payout, "agreement_id", [agreement.id]).get(agreement.id, [])
    settled = sum(
        row.amount_minor for row in payouts if row.purpose == PayoutPurpose.SETTLEMENT and row.state == PayoutState.PAID
    )
    besides = {**nothing, "settlement_minor": agreement.settlement_minor - settled}
    if is_stopped:
        return besides
    plan = rows_by(session, Milestone, "agreement_id", [agreement.id], "number").get(agreement.id, [])
    left = {
        row.is_retention: row.amount_minor - paid.get(row.id, 0)
        for row in plan
        if row.state != MilestoneState.WAIVED and row.amount_minor > paid.get(row.id, 0)
    }
    return {**besides, "acceptance_minor": left.get(False, 0), "retention_minor": left.get(True, 0)}


def recoveries(
    session: Session,
    *,
    today: date,
    agreement_id: UUID | None = None,
    reach: Any = None,
    after: str = "",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return recovery orders with what is still owed, for how long, and the interest on it (F14), by number.

    Those of one agreement where it is named; a page of them begins behind the number `after`. The rate is that of the
    project's standard. Four statements.
    """
    order, agreement, project = map(table_of, (RecoveryOrder, Agreement, Project))
    found = (
        select(order, agreement.c.number.label("agreement"), project.c.number.label("project"), project.c.pack_sha256)
        .join(agreement, agreement.c.id == order.c.agreement_id)
        .join(project, project.c.id == order.c.project_id)
        .order_by(order.c.number)
    )
    if agreement_id is not None:
        found = found.where(order.c.agreement_id == agreement_id)
    if reach is not None:
        found = found.where(reach)
    if after:
        found = found.where(order.c.number > after)
    rows = list(session.execute(found.limit(limit)))
    packs = packs_of(session, {row.pack_sha256 for row in rows})
    parts = rows_by(session, RecoveryPart, "recovery_id", [row.id for row in rows], "met_on")
    return [
        _order(row, parts.get(row.id, ()), packs[row.pack_sha256].funds.late_interest_basis_points, today)
        for row in rows
    ]


_ORDER = ("id", "number", "agreement", "project", "code", "currency", "amount_minor", "due_on", "state", "version")
_MET = ("repaid_minor", "set_off_minor", "written_off_minor")


def _order(row: Any, parts: Sequence[Any], rate: int, today: date) -> dict[str, Any]:
    left = left_of(row)
    met = [Met(one.met_on, one.amount_minor) for one in parts]
    return {
        **{name: getattr(row, name) for name in (*_ORDER, *_MET)},
        "left_minor": left,
        "days_late": max(0, (today - row.due_on).days) if left else 0,
        "interest_minor": interest_of(row.amount_minor, row.due_on, met, rate_basis_points=rate, today=today),
    }


def recovery(session: Session, recovery_id: UUID, *, today: date) -> dict[str, Any]:
    """Return one recovery order in full: why, by whom, and how each part of it was met."""
    row = rows_by(session, RecoveryOrder, "id", [recovery_id])[recovery_id][0]
    (listed,) = [
        one for one in recoveries(session, today=today, agreement_id=row.agreement_id) if one["id"] == recovery_id
    ]
    user = table_of(User)
    people = {row.ordered_by, row.write_off_by} - {None}
    names = dict(session.execute(select(user.c.id, user.c.name).where(user.c.id.in_(people))).tuples().all())
    parts = rows_by(session, RecoveryPart, "recovery_id", [recovery_id], "at").get(recovery_id, [])
    shown = ("kind", "amount_minor", "bank_ref", "notified_on", "met_on", "at")
    return {
        **listed,
        "reason": row.reason,
        "ordered_by": names.get(row.ordered_by),
        "write_off_by": names.get(row.write_off_by),
        "write_off_reason": row.write_off_reason,
        "parts": [{name: getattr(part, name) for name in shown} for part in parts],
    }
