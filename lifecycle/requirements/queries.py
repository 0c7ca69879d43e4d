"""Documents for lists and pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.errors import NotFound
from models.evidence import Evidence
from models.people import User
from models.projects import Project

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


def _table(model: Any) -> Any:
    return model.__table__
