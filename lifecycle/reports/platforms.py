"""Pilot platforms by what they carry and carried: counted in sets, no names of projects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlmodel import Session

from models.people import Organisation
from models.projects import Project, StageRun
from models.reading import behind, table_of
from models.states import ENDED, OrganisationKind, ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFigures:
    """One platform."""

    id: UUID
    name: str
    living: int
    """Projects under way."""
    produced: int
    """Projects that reached production."""
    closed: int
    """Visits of stages that had a day and are over."""
    in_time: int
    """Those of them that were over by that day."""

    @property
    def share(self) -> float | None:
        """Return the share that was in time; None where nothing is over yet."""
        return self.in_time / self.closed if self.closed else None


def platforms(
    session: Session, text: str = "", *, only: UUID | None = None, after: UUID | None = None, limit: int | None = None
) -> list[PlatformFigures]:
    """Return platforms by name, those behind `after` or one only; their projects are counted, and no others."""
    organisation, project, run = table_of(Organisation), table_of(Project), table_of(StageRun)
    named = select(organisation.c.id, organisation.c.name).where(organisation.c.kind == OrganisationKind.PLATFORM)
    if text:
        named = named.where(organisation.c.name.icontains(text, autoescape=True))
    if only is not None:
        named = named.where(organisation.c.id == only)
    if after is not None:
        named = named.where(behind(session, organisation.c.name, after))
    rows = session.execute(named.order_by(organisation.c.name, organisation.c.id).limit(limit)).all()
    theirs = project.c.platform_id.in_([row.id for row in rows])
    living = func.sum(case((project.c.stage.not_in(ENDED), 1), else_=0)).label("living")
    produced = func.sum(case((project.c.stage == ProjectState.IN_PRODUCTION, 1), else_=0)).label("produced")
    counts = _by_platform(
        session, select(project.c.platform_id, living, produced).where(theirs).group_by(project.c.platform_id)
    )
    over = (run.c.closed_on.is_not(None), run.c.due_on.is_not(None))
    in_time = func.sum(case((run.c.closed_on <= run.c.due_on, 1), else_=0)).label("in_time")
    spells = (
        select(project.c.platform_id, func.count().label("closed"), in_time)
        .join(project, project.c.id == run.c.project_id)
        .where(theirs, *over)
        .group_by(project.c.platform_id)
    )
    times = _by_platform(session, spells)
    return [
        PlatformFigures(
            id=row.id,
            name=row.name,
            living=int(getattr(counts.get(row.id), "living", 0)),
            produced=int(getattr(counts.get(row.id), "produced", 0)),
            closed=int(getattr(times.get(row.id), "closed", 0)),
            in_time=int(getattr(times.get(row.id), "in_time", 0)),
        )
        for row in rows
    ]


def _by_platform(session: Session, statement: Any) -> Mapping[UUID, Any]:
    return {row.platform_id: row for row in session.execute(statement)}
