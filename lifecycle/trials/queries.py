"""Batches, findings and used-up limits for lists and pages."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.errors import Unmet
from lifecycle.trials.spending import Spending, spending_of
from models.people import User
from models.reading import rows_by
from models.reviews import Review
from models.states import ReviewState, Role
from models.trials import BatchFigure, Issue, Measurement, TrialBatch


def batches(session: Session, project_id: UUID) -> list[dict[str, Any]]:
    """Return the batches of a project with their latest figures, in the order in which they were made."""
    batch = _table(TrialBatch)
    statement = _with_figures().where(batch.c.project_id == project_id).order_by(batch.c.made_on, batch.c.number)
    return _plain(session.execute(statement))


def last_closed(session: Session, project_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return project -> the batch that was closed and made last, with its latest figures. One statement."""
    batch = _table(TrialBatch)
    other = batch.alias()
    newest = select(other.c.id).where(other.c.project_id == batch.c.project_id, other.c.is_closed.is_(True))
    newest = newest.order_by(other.c.made_on.desc(), other.c.number.desc()).limit(1)
    statement = _with_figures(batch.c.project_id).where(
        batch.c.project_id.in_(list(project_ids)), batch.c.id == newest.scalar_subquery()
    )
    return {one["project_id"]: one for one in _plain(session.execute(statement))}


_OF_BATCH = (
    "id", "number", "kind", "made_on", "revision", "size", "hours", "is_closed", "recipe", "equipment", "worker",
)  # fmt: skip
_OF_FIGURES = ("started", "passed_first_time", "is_conforming", "defects", "entry_no")


def _with_figures(*more: Any) -> Select[Any]:
    """Return the question for batches with the latest entry of their figures."""
    batch, figure = _table(TrialBatch), _table(BatchFigure)
    entries = figure.alias()
    latest = select(func.max(entries.c.entry_no)).where(entries.c.batch_id == batch.c.id).scalar_subquery()
    columns = (*(batch.c[name] for name in _OF_BATCH), *(figure.c[name] for name in _OF_FIGURES), *more)
    both = batch.join(figure, (figure.c.batch_id == batch.c.id) & (figure.c.entry_no == latest))
    return select(*columns).select_from(both)


def present_figures(session: Session, project_id: UUID, number: str) -> dict[str, Any]:
    """Return the figures of a batch that count now, with its cost; nothing where there is none."""
    batch, figure = _table(TrialBatch), _table(BatchFigure)
    names = ("started", "passed_first_time", "is_conforming", "defects", "cost_minor", "currency")
    statement = (
        select(*(figure.c[name] for name in names))
        .join(batch, batch.c.id == figure.c.batch_id)
        .where(batch.c.project_id == project_id, batch.c.number == number)
        .order_by(figure.c.entry_no.desc())
        .limit(1)
    )
    return next(iter(_plain(session.execute(statement))), {})


def batch_entries(session: Session, batch_id: UUID) -> list[dict[str, Any]]:
    """Return every entry of a batch's figures, the newest first: a correction does not overwrite."""
    figure, user = _table(BatchFigure), _table(User)
    columns = ("entry_no", "started", "passed_first_time", "is_conforming", "defects", "reason", "at")
    statement = (
        select(*(figure.c[name] for name in columns), user.c.name.label("by"))
        .join(user, user.c.id == figure.c.user_id)
        .where(figure.c.batch_id == batch_id)
    )
    return _plain(session.execute(statement.order_by(figure.c.entry_no.desc())))


def measured(session: Session, batch_id: UUID) -> list[dict[str, Any]]:
    """Return the measured values of a batch that count, by characteristic in the order of production."""
    value = _table(Measurement)
    replaced = select(value.c.corrects_id).where(value.c.batch_id == batch_id, value.c.corrects_id.is_not(None))
    columns = ("characteristic", "subgroup", "place", "value")
    statement = select(*(value.c[name] for name in columns)).where(
        value.c.batch_id == batch_id, value.c.id.not_in(replaced)
    )
    return _plain(session.execute(statement.order_by(value.c.characteristic, value.c.subgroup, value.c.place)))


def issues(session: Session, project_id: UUID) -> list[dict[str, Any]]:
    """Return the findings of a project, by number."""
    issue = _table(Issue)
    columns = ("id", "number", "kind", "severity", "title", "owner", "opened_on", "due_on", "disposition", "closed_on")
    chosen = select(*(issue.c[name] for name in columns)).where(issue.c.project_id == project_id)
    return _plain(session.execute(chosen.order_by(issue.c.number)))


def stop_reviews_due(session: Session, projects: Sequence[Any], stamp: Stamp) -> dict[UUID, tuple[Unmet, ...]]:
    """Return for each of these project rows the limits that are used up while no panel has looked at it since.

    The stop review is a review of the stage's gate: its panel may stop the project, send it back or let it go on.
    """
    spending = spending_of(session, projects, stamp.today)
    runs = [row.stage_run_id for row in projects if row.id in spending and spending[row.id].hits()]
    reviews = rows_by(session, Review, "stage_run_id", runs)
    due = {row.id: _due(spending[row.id], reviews.get(row.stage_run_id, ())) for row in projects if row.id in spending}
    return {project_id: reasons for project_id, reasons in due.items() if reasons}


def _due(spending: Spending, reviews: Sequence[Any]) -> tuple[Unmet, ...]:
    kept = [row for row in reviews if row.state != ReviewState.CANCELLED]
    if any(row.state != ReviewState.DECIDED for row in kept):
        return ()  # a panel sits
    decided = max((row.decided_on.isoformat() for row in kept), default="")
    return tuple(
        Unmet(
            code=hit.code,
            values={"limit": hit.limit, "used": hit.used},
            party="platform",
            role=Role.COORDINATOR,
            suffices="stop_review_needed",
        )
        for hit in spending.hits()
        if decided < spending.told.get(hit.code, {}).get("on", "~")  # not told yet: no panel can have known
    )


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping


def _table(model: Any) -> Any:
    return model.__table__
