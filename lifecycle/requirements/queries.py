"""Documents, and what was said of requirements, for lists and pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.errors import NotFound
from models.evidence import Evidence, Judgement
from models.people import User
from models.projects import Project
from models.reviews import CompletionNotice, Waiver

_COLUMNS = (
    "id",
    "type",
    "key",
    "version_no",
    "file_name",
    "sha256",
    "size_bytes",
    "revision",
    "status",
    "submitted_on",
    "valid_until_on",
)


def documents(session: Session, project_id: UUID) -> list[dict[str, Any]]:
    """Return every version of every document of a project, by type, key and version."""
    evidence, user = _table(Evidence), _table(User)
    statement = (
        select(*(evidence.c[name] for name in _COLUMNS), user.c.name.label("author"))
        .join(user, user.c.id == evidence.c.author_id)
        .where(evidence.c.project_id == project_id)
        .order_by(evidence.c.type, evidence.c.key, evidence.c.version_no)
    )
    return [dict(row._mapping) for row in session.execute(statement)]  # noqa: SLF001


def document(session: Session, evidence_id: UUID) -> dict[str, Any]:
    """Return one document with the values of its form; raises `NotFound`."""
    evidence, user, project = _table(Evidence), _table(User), _table(Project)
    statement = (
        select(
            project.c.number,
            evidence.c.project_id,
            *(evidence.c[name] for name in _COLUMNS),
            evidence.c.form,
            user.c.name.label("author"),
        )
        .join(user, user.c.id == evidence.c.author_id)
        .join(project, project.c.id == evidence.c.project_id)
        .where(evidence.c.id == evidence_id)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound(NotFound.code)
    return dict(row._mapping)  # noqa: SLF001 - the documented name of a row's mapping


def notices(session: Session, project_id: UUID) -> list[dict[str, Any]]:
    """Return the completion notices of a project, the newest first; `is_present`: of the project's open visit."""
    notice, project = _table(CompletionNotice), _table(Project)
    columns = (notice.c[name] for name in ("id", "number", "clauses", "issued_on", "due_on", "answered_on"))
    is_present = (notice.c.stage_run_id == project.c.stage_run_id).label("is_present")
    statement = select(*columns, is_present).join(project, project.c.id == notice.c.project_id)
    statement = statement.where(notice.c.project_id == project_id)
    return [dict(row._mapping) for row in session.execute(statement.order_by(notice.c.number.desc()))]  # noqa: SLF001


def judgements(session: Session, project_id: UUID, clause: str) -> list[dict[str, Any]]:
    """Return every yes and no ever said of a criterion, the newest first; `is_present`: of the project's open visit."""
    table, user, project = _table(Judgement), _table(User), _table(Project)
    columns = ("at", "on", "role", "kind", "competence", "part", "is_yes", "reason")
    statement = (
        select(
            *(table.c[name] for name in columns),
            user.c.name.label("by"),
            (table.c.stage_run_id == project.c.stage_run_id).label("is_present"),
        )
        .join(user, user.c.id == table.c.user_id)
        .join(project, project.c.id == table.c.project_id)
        .where(table.c.project_id == project_id, table.c.clause == clause)
    )
    return [dict(row._mapping) for row in session.execute(statement.order_by(table.c.at.desc()))]  # noqa: SLF001


def waivers(session: Session, project_id: UUID, clause: str) -> list[dict[str, Any]]:
    """Return the waivers of a criterion with both people, the newest first."""
    table, first, second = _table(Waiver), _table(User).alias("first"), _table(User).alias("second")
    statement = (
        select(
            *(table.c[name] for name in ("reason", "until_on", "granted_at", "confirmed_at")),
            first.c.name.label("by"),
            second.c.name.label("confirmed_by"),
        )
        .join(first, first.c.id == table.c.granted_by)
        .outerjoin(second, second.c.id == table.c.confirmed_by)
        .where(table.c.project_id == project_id, table.c.clause == clause)
    )
    return [dict(row._mapping) for row in session.execute(statement.order_by(table.c.granted_at.desc()))]  # noqa: SLF001


def _table(model: Any) -> Any:
    return model.__table__
