"""What the page of a fund shows besides its position: its projects, what is due, its walls, and the bank's balance."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.agreements.queries import agreements
from lifecycle.funds.queries import positions
from lifecycle.funds.wall import investors_of, ties_near, walled_off
from lifecycle.ledger.sums import freed_by_agreement, moved_after
from lifecycle.milestones.queries import milestones
from lifecycle.payouts.terms import WAITING
from models.agreements import Agreement, Milestone
from models.holds import ExceptionCase, Hold
from models.payouts import Payout
from models.people import Organisation
from models.projects import Project
from models.reading import rows_by, table_of
from models.statements import BankStatement
from models.states import FundStatus, MilestoneState, PayoutState, StatementStatus

AHEAD = timedelta(days=90)
_WAITING = (PayoutState.REQUESTED, PayoutState.RETURNED)


def fund_projects(session: Session, fund_id: UUID, today: date, *, limit: int) -> list[dict[str, Any]]:
    """Return per agreement of a fund: awarded, paid, asked for, reserved, still promised, and its next tranche.

    At most `limit` of them, the newest.
    """
    agreement = table_of(Agreement)
    newest = select(agreement.c.id).where(agreement.c.fund_id == fund_id).order_by(agreement.c.number.desc())
    rows = agreements(session, fund_id=fund_id, reach=agreement.c.id.in_(newest.limit(limit)))
    freed = freed_by_agreement(session, [row["id"] for row in rows])
    payout, milestone = table_of(Payout), table_of(Milestone)
    asked = dict(
        session.execute(
            select(payout.c.agreement_id, func.sum(payout.c.amount_minor))
            .where(payout.c.fund_id == fund_id, payout.c.state.in_(_WAITING))
            .group_by(payout.c.agreement_id)
        )
        .tuples()
        .all()
    )
    ahead = (
        select(milestone.c.agreement_id, milestone.c.tranche, milestone.c.due_on)
        .where(milestone.c.fund_id == fund_id, milestone.c.state.in_((MilestoneState.PLANNED, MilestoneState.REJECTED)))
        .order_by(milestone.c.agreement_id, milestone.c.number.desc())
    )
    following = {row.agreement_id: row for row in session.execute(ahead)}
    return [
        {
            **row,
            "asked_minor": int(asked.get(row["id"], 0)),
            "left_minor": _promised(row, freed.get(row["id"], 0)),
            "next_tranche": getattr(following.get(row["id"]), "tranche", ""),
            "next_due_on": due if (due := getattr(following.get(row["id"]), "due_on", None)) else None,
            "is_late": due is not None and due < today,
        }
        for row in rows
    ]


def _promised(row: Mapping[str, Any], freed: int) -> int:
    """Return what an agreement still promises: nothing once it is closed, and what its settlement pays once settled."""
    if row["status"] != FundStatus.ACTIVE:
        return 0
    return max(0, int(row["amount_minor"] - row["paid_minor"] - row["reserved_minor"] - freed))


def upcoming(session: Session, fund_id: UUID, today: date) -> list[dict[str, Any]]:
    """Return what falls due in the next ninety days, or is late, the soonest first, each with where it leads.

    That is each tranche with a day that waits for its gate, and each payout whose firm was promised a day.
    """
    waiting = (MilestoneState.PLANNED, MilestoneState.SUBMITTED, MilestoneState.REJECTED)
    table = table_of(Milestone)
    until = today + AHEAD
    statement = select(table.c.id).where(
        table.c.fund_id == fund_id, table.c.state.in_(waiting), table.c.due_on.is_not(None), table.c.due_on <= until
    )
    wanted = set(session.execute(statement).scalars())
    found = [{**one, "url": f"/milestones/{one['id']}"} for one in (milestones(session, ids=wanted) if wanted else [])]
    found += [{**one, "url": f"/payouts/{one['number']}"} for one in _promised_until(session, fund_id, until)]
    return sorted(found, key=lambda row: (row["due_on"], row["url"]))


def _promised_until(session: Session, fund_id: UUID, until: date) -> list[dict[str, Any]]:
    payout, project, milestone = table_of(Payout), table_of(Project), table_of(Milestone)
    names = (payout.c.number, payout.c.amount_minor, payout.c.state, payout.c.pay_by_on.label("due_on"))
    statement = (
        select(*names, project.c.number.label("project"), milestone.c.tranche)
        .join_from(payout, project, project.c.id == payout.c.project_id)
        .outerjoin(milestone, milestone.c.id == payout.c.milestone_id)
        .where(payout.c.fund_id == fund_id, payout.c.state.in_(WAITING), payout.c.pay_by_on <= until)
    )
    return [dict(row) for row in session.execute(statement).mappings()]


def walls(session: Session, fund_id: UUID) -> list[dict[str, Any]]:
    """Return for each firm with an agreement the organisations behind the wall: their people do not decide on it."""
    investors = investors_of(session, [fund_id]).get(fund_id, set())
    ties = ties_near(session, investors)
    near = investors | {one for tie in ties for one in (tie.one, tie.other)}
    agreement, project, firm = table_of(Agreement), table_of(Project), table_of(Organisation)
    statement = (
        select(project.c.number, firm.c.id, firm.c.name)
        .join_from(agreement, project, project.c.id == agreement.c.project_id)
        .join(firm, firm.c.id == project.c.organisation_id)
        .where(agreement.c.fund_id == fund_id, firm.c.id.in_(near))
    )
    rows = session.execute(statement.order_by(agreement.c.number)).all() if near else []
    firms = {row.id for row in rows}
    apart = {one: walled_off(investors, one, ties) for one in firms}
    known = rows_by(session, Organisation, "id", {one for group in apart.values() for one in group})
    return [
        {
            "project": row.number,
            "organisation": row.name,
            "apart": sorted(known[one][0].name for one in apart[row.id]),
        }
        for row in rows
        if apart[row.id]
    ]


def reconciliation(session: Session, fund_id: UUID) -> dict[str, Any] | None:
    """Return the bank's closing balance in its newest statement and what the ledger says of that day; None without."""
    table = table_of(BankStatement)
    statement = (
        select(table)
        .where(table.c.fund_id == fund_id, table.c.closing_minor.is_not(None))
        .where(table.c.status == StatementStatus.IMPORTED, table.c.booked_until_on.is_not(None))
        .order_by(table.c.booked_until_on.desc(), table.c.at.desc())
        .limit(1)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    later = moved_after(session, [fund_id], row.booked_until_on).get(fund_id, {})
    ours = positions(session, [fund_id])[fund_id].cash_minor - sum(later.values())
    return {
        "id": row.id,
        "statement_ref": row.statement_ref,
        "until_on": row.booked_until_on,
        "at": row.at,
        "bank_minor": int(row.closing_minor),
        "ledger_minor": ours,
        "differs_minor": int(row.closing_minor) - ours,
    }


def holds_and_cases(session: Session, fund_id: UUID) -> dict[str, Any]:
    """Return the holds that stand on a fund, and how many cases wait for two people."""
    hold, case = table_of(Hold), table_of(ExceptionCase)
    standing = select(hold).where(hold.c.object_id == fund_id, hold.c.lifted_at.is_(None)).order_by(hold.c.from_at)
    open_cases = select(func.count()).select_from(case).where(case.c.fund_id == fund_id, case.c.closed_at.is_(None))
    names = ("reason", "note", "from_on", "until_on", "needs_decision")
    return {
        "holds": [{name: getattr(one, name) for name in names} for one in session.execute(standing)],
        "open_cases": int(session.execute(open_cases).scalar_one()),
    }
