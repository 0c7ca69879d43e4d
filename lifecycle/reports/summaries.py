"""What a list says of each of its projects besides the row: the gate as last judged, and the money that a reader sees.

A fixed number of statements each, however many projects there are.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from lifecycle.payouts.terms import WAITING
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, Milestone
from models.payouts import Payout
from models.projects import Project, Requirement, StageRun
from models.reading import beside, rows_by, table_of
from models.states import MilestoneState, PayoutState, ProjectState, VerdictState

_PASSING = (VerdictState.MET, VerdictState.WAIVED)


def gates_as_judged(session: Session, project_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return project -> its open visit and what its gate still lacks, as last judged; ended projects have no gate.

    The verdicts are those that pages count and `requirements` lists. A gate is judged anew by each act that touches it,
    and on each day that changes it.
    """
    project, run = table_of(Project), table_of(StageRun)
    statement = (
        select(project.c.id, project.c.stage, project.c.pack_sha256, run.c.id.label("run_id"))
        .add_columns(run.c.state, run.c.opened_on, run.c.due_on)
        .join(run, run.c.id == project.c.stage_run_id)
        .where(project.c.id.in_(project_ids))
    )
    rows = session.execute(statement).all()
    packs = packs_of(session, {row.pack_sha256 for row in rows})
    asked = rows_by(session, Requirement, "stage_run_id", [row.run_id for row in rows], "clause")
    return {
        row.id: {
            "gate": packs[row.pack_sha256].stage(ProjectState(row.stage)).gate,
            "state": str(row.state),
            "opened_on": row.opened_on.isoformat(),
            "due_on": row.due_on.isoformat() if row.due_on else None,
            "met_count": sum(one.verdict in _PASSING for one in asked.get(row.run_id, ())),
            "open": [_open(one) for one in asked.get(row.run_id, ()) if one.verdict not in _PASSING],
        }
        for row in rows
    }


def _open(row: Any) -> dict[str, Any]:
    return {
        "clause": row.clause,
        "verdict": str(row.verdict),
        "verdict_code": row.verdict_code,
        "owed_by": row.owed_by or [],
        "due_on": row.due_on.isoformat() if row.due_on else None,
    }


def money_of(
    session: Session,
    project_ids: Sequence[UUID],
    *,
    agreements: ColumnElement[bool],
    milestones: ColumnElement[bool],
    payouts: ColumnElement[bool],
) -> dict[UUID, list[dict[str, Any]]]:
    """Return project -> per currency what was awarded, accepted, asked for and paid, in minor units.

    The conditions are what the reader may see of each table; a project of which they leave nothing is not there.
    """
    agreement, milestone, payout = map(table_of, (Agreement, Milestone, Payout))
    state = beside(payout.c.state)
    sums = {
        "awarded_minor": (agreement, agreement.c.signed_on.is_not(None), agreements),
        "accepted_minor": (milestone, beside(milestone.c.state) == MilestoneState.ACCEPTED, milestones),
        "waiting_minor": (payout, state.in_(WAITING), payouts),
        "paid_minor": (payout, state == PayoutState.PAID, payouts),
    }
    found: dict[UUID, dict[str, dict[str, Any]]] = {}
    for name, (table, condition, reach) in sums.items():
        for row in _summed(session, table, project_ids, condition, reach):
            of_currency = found.setdefault(row.project_id, {}).setdefault(
                row.currency, {"currency": row.currency, **dict.fromkeys(sums, 0)}
            )
            of_currency[name] = int(row.total)
    return {key: [known[currency] for currency in sorted(known)] for key, known in found.items()}


def _summed(
    session: Session,
    table: Any,
    project_ids: Sequence[UUID],
    condition: ColumnElement[bool],
    reach: ColumnElement[bool],
) -> Iterable[Any]:
    """Return (project_id, currency, total) of the rows that fit."""
    statement = (
        select(table.c.project_id, table.c.currency, func.sum(table.c.amount_minor).label("total"))
        .where(table.c.project_id.in_(project_ids), condition, reach)
        .group_by(table.c.project_id, table.c.currency)
    )
    return session.execute(statement).all()
