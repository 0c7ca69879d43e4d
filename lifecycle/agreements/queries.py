"""Agreements with their tranches, supplements and cost statements, for lists and pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.ledger.sums import paid_by_agreement, reserved_by_agreement
from lifecycle.milestones.queries import milestones
from models.agreements import Agreement, AgreementChange, CostStatement
from models.funds import Fund
from models.people import Organisation, User
from models.projects import Project
from models.reading import table_of
from models.states import FundStatus, ProjectState

IN_FORCE = "in_force"
"""Signed, and neither settled, closed nor ended with its project."""
_LISTED = ("id", "number", "amount_minor", "currency", "status", "supplement_no", "signed_on", "starts_on", "ends_on")
_BEHIND = ("settled_on", "stage")
"""What the standing is found by."""


def agreements(
    session: Session,
    *,
    fund_id: UUID | None = None,
    project_id: UUID | None = None,
    reach: Any = None,
    after: str = "",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return every agreement, or those of a fund or project, with what is paid and reserved, by number.

    `reach` is a condition on `agreement`: what the reader may see; a page of them begins behind the number `after`.
    """
    agreement, fund, project, firm = map(table_of, (Agreement, Fund, Project, Organisation))
    statement = (
        select(
            *(agreement.c[name] for name in _LISTED),
            agreement.c.settled_on,
            project.c.stage,
            project.c.number.label("project"),
            fund.c.code.label("fund"),
            fund.c.name.label("fund_name"),
            firm.c.name.label("organisation"),
        )
        .join(project, project.c.id == agreement.c.project_id)
        .join(fund, fund.c.id == agreement.c.fund_id)
        .outerjoin(firm, firm.c.id == project.c.organisation_id)
        .order_by(agreement.c.number)
    )
    if fund_id is not None:
        statement = statement.where(agreement.c.fund_id == fund_id)
    if project_id is not None:
        statement = statement.where(agreement.c.project_id == project_id)
    if reach is not None:
        statement = statement.where(reach)
    if after:
        statement = statement.where(agreement.c.number > after)
    rows = session.execute(statement.limit(limit)).all()
    ids = [row.id for row in rows]
    paid, reserved = paid_by_agreement(session, ids), reserved_by_agreement(session, ids)
    return [
        {
            **{name: value for name, value in shown.items() if name not in _BEHIND},
            "standing": standing(row, row.stage),
            "paid_minor": paid.get(row.id, 0),
            "reserved_minor": reserved.get(row.id, 0),
        }
        for row, shown in zip(rows, _plain(rows), strict=True)
    ]


def standing(row: Any, stage: str) -> str:
    """Return whether an agreement counts, in one word: `stage` is that of its project.

    One that both have not signed yet does not, nor has a supplement; after a stop it waits for its settlement.
    """
    if row.status == FundStatus.CLOSED:
        return "closed"
    if row.settled_on is not None:
        return "settled"
    if stage in (ProjectState.STOPPED, ProjectState.WITHDRAWN):
        return "ended"
    return IN_FORCE if row.signed_on is not None else "unsigned"


def agreement(session: Session, agreement_id: UUID) -> dict[str, Any]:
    """Return one agreement in full: terms, signatures, tranches, supplements, cost statements."""
    table, user = table_of(Agreement), table_of(User)
    row = session.execute(select(table).where(table.c.id == agreement_id)).one()
    (listed,) = [one for one in agreements(session, fund_id=row.fund_id) if one["id"] == agreement_id]
    signers = {row.signed_by_sme, row.signed_by_funder} - {None}
    names = dict(session.execute(select(user.c.id, user.c.name).where(user.c.id.in_(signers))).tuples().all())
    change = table_of(AgreementChange)
    changes = select(change.c.supplement_no, change.c.at, change.c.reason, change.c.before, change.c.after).where(
        change.c.agreement_id == agreement_id
    )
    return {
        **listed,
        "rate_basis_points": row.rate_basis_points,
        "own_money_minor": row.own_money_minor,
        "cost_categories": row.cost_categories,
        "signed_by_sme": names.get(row.signed_by_sme),
        "signed_by_funder": names.get(row.signed_by_funder),
        "audit_accepted_on": row.audit_accepted_on,
        "closed_on": row.closed_on,
        "version": row.version,
        "tranches": milestones(session, agreement_id=agreement_id),
        "supplements": _plain(session.execute(changes.order_by(change.c.supplement_no))),
        "costs": costs(session, agreement_id=agreement_id),
    }


_COST = (
    "id",
    "statement_no",
    "from_on",
    "until_on",
    "claimed_minor",
    "own_money_minor",
    "accepted_minor",
    "accepted_own_minor",
    "is_final",
    "version",
)


def costs(session: Session, *, agreement_id: UUID | None = None) -> list[dict[str, Any]]:
    """Return cost statements, of one agreement or of all, in order."""
    cost, of = table_of(CostStatement), table_of(Agreement)
    statement = (
        select(of.c.number.label("agreement"), of.c.currency, *(cost.c[name] for name in _COST))
        .join(of, of.c.id == cost.c.agreement_id)
        .order_by(of.c.number, cost.c.statement_no)
    )
    if agreement_id is not None:
        statement = statement.where(cost.c.agreement_id == agreement_id)
    return _plain(session.execute(statement))


def cost(session: Session, cost_id: UUID) -> dict[str, Any]:
    """Return one cost statement in full."""
    table, of = table_of(CostStatement), table_of(Agreement)
    row = session.execute(
        select(table, of.c.number.label("agreement"), of.c.currency)
        .join(of, of.c.id == table.c.agreement_id)
        .where(table.c.id == cost_id)
    ).one()
    user = table_of(User)
    people = {row.submitted_by, row.verified_by} - {None}
    names = dict(session.execute(select(user.c.id, user.c.name).where(user.c.id.in_(people))).tuples().all())
    shown = ("agreement", "currency", *_COST, "by_category", "evidence_sha256", "submitted_at", "verified_at", "reason")
    return {
        **{name: getattr(row, name) for name in shown},
        "submitted_by": names.get(row.submitted_by),
        "verified_by": names.get(row.verified_by),
    }


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping
