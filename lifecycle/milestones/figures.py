"""The figures of agreements as the fund rules ask for them, in a fixed number of statements."""

import functools
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.ledger.sums import paid_by_agreement, reserved_by_agreement
from lifecycle.milestones.entitlement import Figures
from models.agreements import Agreement, CostStatement, Milestone
from models.look import once_a_look
from models.projects import Project
from models.reading import beside, one_of, table_of
from models.reviews import Review
from models.states import GateOutcome, MilestoneState, ProjectState, ReviewState

LAST_GATE = "G5"


@once_a_look
def figures_of(session: Session, agreement_ids: Collection[UUID]) -> Mapping[UUID, Figures]:
    """Return award, rate, verified cost and own money, released tranches, and what is paid or on its way.

    P counts what is approved or in transit as paid, net of returns and repayments. Seven statements.
    """
    ids = list(agreement_ids)
    paid, reserved = paid_by_agreement(session, ids), reserved_by_agreement(session, ids)
    costs, released, decided = _costs(session, ids), _released(session, ids), _last_gate_decided(session, ids)
    return {
        row.id: Figures(
            currency=row.currency,
            award_minor=row.amount_minor,
            rate_basis_points=row.rate_basis_points,
            cost_minor=costs.get(row.id, (0, 0))[0],
            own_minor=costs.get(row.id, (0, 0))[1],
            paid_minor=paid.get(row.id, 0) + reserved.get(row.id, 0),
            released_minor=released.get(row.id, 0),
            is_last_gate_passed=row.stage == ProjectState.IN_PRODUCTION or row.id in decided,
            is_audit_accepted=row.audit_accepted_on is not None,
            is_stopped=row.stage in (ProjectState.STOPPED, ProjectState.WITHDRAWN),
        )
        for row in session.connection().execute(_agreements(), {"wanted": ids})
    }


@functools.cache
def _agreements() -> Any:
    agreement, project = table_of(Agreement), table_of(Project)
    columns = ("id", "amount_minor", "currency", "rate_basis_points", "audit_accepted_on")
    return (
        select(*(agreement.c[name] for name in columns), project.c.stage)
        .join(project, project.c.id == agreement.c.project_id)
        .where(one_of(agreement.c.id))
    )


def _costs(session: Session, ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return agreement -> (accepted cost, accepted own money)."""
    rows = session.connection().execute(_accepted_costs(), {"wanted": ids})
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


@functools.cache
def _accepted_costs() -> Any:
    cost = table_of(CostStatement)
    return (
        select(cost.c.agreement_id, func.sum(cost.c.accepted_minor), func.sum(cost.c.accepted_own_minor))
        .where(one_of(cost.c.agreement_id), cost.c.verified_at.is_not(None))
        .group_by(cost.c.agreement_id)
    )


def _released(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    """Return agreement -> sum of its accepted tranches."""
    return {row[0]: int(row[1]) for row in session.connection().execute(_accepted_tranches(), {"wanted": ids})}


@functools.cache
def _accepted_tranches() -> Any:
    milestone = table_of(Milestone)
    return (
        select(milestone.c.agreement_id, func.sum(milestone.c.amount_minor))
        .where(one_of(milestone.c.agreement_id), beside(milestone.c.state) == MilestoneState.ACCEPTED)
        .group_by(milestone.c.agreement_id)
    )


def _last_gate_decided(session: Session, ids: list[UUID]) -> frozenset[UUID]:
    """Return the agreements whose project's present visit has a go at the last gate."""
    return frozenset(session.connection().execute(_decided(), {"wanted": ids}).scalars())


@functools.cache
def _decided() -> Any:
    agreement, project, review = table_of(Agreement), table_of(Project), table_of(Review)
    return (
        select(agreement.c.id)
        .join(project, project.c.id == agreement.c.project_id)
        .join(review, review.c.stage_run_id == project.c.stage_run_id)
        .where(
            one_of(agreement.c.id),
            review.c.gate == LAST_GATE,
            review.c.state == ReviewState.DECIDED,
            review.c.outcome == GateOutcome.GO,
        )
    )
