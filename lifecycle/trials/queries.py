"""Batches and findings for lists and pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from models.trials import BatchFigure, Issue, TrialBatch


def batches(session: Session, project_id: UUID) -> list[dict[str, Any]]:
    """Return the batches of a project with their latest figures, in the order in which they were made."""
    batch, figure = _table(TrialBatch), _table(BatchFigure)
    entries = figure.alias()
    latest = select(func.max(entries.c.entry_no)).where(entries.c.batch_id == batch.c.id).scalar_subquery()
    statement = (
        select(
            *(batch.c[name] for name in ("id", "number", "kind", "made_on", "revision", "size", "hours", "is_closed")),
            *(figure.c[name] for name in ("started", "passed_first_time", "is_conforming", "defects", "entry_no")),
        )
        .select_from(batch.join(figure, (figure.c.batch_id == batch.c.id) & (figure.c.entry_no == latest)))
        .where(batch.c.project_id == project_id)
        .order_by(batch.c.made_on, batch.c.number)
    )
    return _plain(session.execute(statement))


def issues(session: Session, project_id: UUID) -> list[dict[str, Any]]:
    """Return the findings of a project, by number."""
    issue = _table(Issue)
    columns = ("id", "number", "kind", "severity", "title", "owner", "opened_on", "due_on", "disposition", "closed_on")
    chosen = select(*(issue.c[name] for name in columns)).where(issue.c.project_id == project_id)
    return _plain(session.execute(chosen.order_by(issue.c.number)))


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping


def _table(model: Any) -> Any:
    return model.__table__
