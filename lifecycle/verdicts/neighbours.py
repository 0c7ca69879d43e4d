"""The applications that a firm's other projects are compared with for double funding (G1.6)."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from models.evidence import Evidence
from models.projects import Project
from models.reading import beside, grouped, table_of
from models.states import ProjectState


def compared(session: Session, firms: Collection[UUID | None], *, is_locked: bool) -> dict[UUID, tuple[UUID, ...]]:
    """Return the applications of each firm at intake that have papers: a new or renamed project may double them.

    With `is_locked` they are locked: nobody judges them meanwhile by what is being changed.
    """
    known = {firm for firm in firms if firm is not None}
    if not known:
        return {}
    project, paper = table_of(Project), table_of(Evidence)
    has_papers = select(paper.c.id).where(paper.c.project_id == project.c.id).exists()
    statement = (
        select(project.c.id, project.c.organisation_id)
        .where(project.c.organisation_id.in_(known), beside(project.c.stage) == ProjectState.INTAKE, has_papers)
        .order_by(project.c.id)
    )
    rows = session.execute(statement.with_for_update(of=project) if is_locked else statement)
    return {firm: tuple(row.id for row in found) for firm, found in grouped(rows, "organisation_id").items()}
