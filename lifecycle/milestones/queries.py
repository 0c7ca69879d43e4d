"""Tranches for lists and pages."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from models.agreements import Agreement, Milestone
from models.ledger import Account, Posting
from models.payouts import Payout
from models.people import User
from models.projects import Project
from models.reading import table_of
from models.states import AccountKind, MilestoneState

_LISTED = ("id", "number", "tranche", "amount_minor", "currency", "state", "gate", "criteria", "due_on", "version")


def milestones(
    session: Session,
    *,
    agreement_id: UUID | None = None,
    state: MilestoneState | None = None,
    ids: Collection[UUID] | None = None,
) -> list[dict[str, Any]]:
    """Return tranches with what was paid for each: of one agreement, these, or all, by agreement and number."""
    milestone, agreement, project = map(table_of, (Milestone, Agreement, Project))
    posting, account, payout = map(table_of, (Posting, Account, Payout))
    paid = (
        select(func.sum(posting.c.amount_minor))
        .join_from(payout, posting, posting.c.payout_id == payout.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .where(account.c.kind == AccountKind.PAID, payout.c.milestone_id == milestone.c.id)
        .scalar_subquery()
    )
    statement = (
        select(
            *(milestone.c[name] for name in _LISTED),
            agreement.c.number.label("agreement"),
            project.c.number.label("project"),
            func.coalesce(paid, 0).label("paid_minor"),
        )
        .join(agreement, agreement.c.id == milestone.c.agreement_id)
        .join(project, project.c.id == milestone.c.project_id)
        .order_by(agreement.c.number, milestone.c.number)
    )
    if agreement_id is not None:
        statement = statement.where(milestone.c.agreement_id == agreement_id)
    if state is not None:
        statement = statement.where(milestone.c.state == state)
    if ids is not None:
        statement = statement.where(milestone.c.id.in_(ids))
    rows = session.execute(statement)
    return [{**row._mapping, "paid_minor": int(row.paid_minor)} for row in rows]  # noqa: SLF001


def milestone(session: Session, milestone_id: UUID) -> dict[str, Any]:
    """Return one tranche in full: what it waits for, the report, who decided."""
    table, user = table_of(Milestone), table_of(User)
    row = session.execute(select(table).where(table.c.id == milestone_id)).one()
    (listed,) = [one for one in milestones(session, agreement_id=row.agreement_id) if one["id"] == milestone_id]
    people = {row.submitted_by, row.decided_by} - {None}
    names = dict(session.execute(select(user.c.id, user.c.name).where(user.c.id.in_(people))).tuples().all())
    shown = (
        "share_basis_points",
        "needs",
        "is_retention",
        "months_after",
        "report",
        "submitted_at",
        "decided_at",
        "reason",
    )
    return {
        **listed,
        **{name: getattr(row, name) for name in shown},
        "submitted_by": names.get(row.submitted_by),
        "decided_by": names.get(row.decided_by),
    }
