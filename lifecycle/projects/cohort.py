"""Which projects a figure counts, and by the same conditions the list behind it: so both give the same number."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, True_, select

from lifecycle.errors import Invalid, unmet
from models.programmes import StandardPack
from models.projects import Project, StageRun
from models.reading import beside, table_of
from models.states import ENDED, ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Projects that have something in common; `reach` is what the reader may see."""

    reach: ColumnElement[bool]
    received_since: date | None = None
    """First day of receipt."""
    received_before: date | None = None
    """Day behind the last one."""
    platform_id: UUID | None = None
    programme_id: UUID | None = None
    standard: str = ""
    """Code of the standard that they have frozen, in whatever version."""
    ever: ProjectState | None = None
    """Stage that they were ever in."""
    is_decided: bool = False
    """Only those that have come to an end, whichever."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on `project`."""
        project, found = table_of(Project), [self.reach]
        if self.received_since is not None:
            found.append(project.c.received_on >= self.received_since)
        if self.received_before is not None:
            found.append(project.c.received_on < self.received_before)
        if self.platform_id is not None:
            found.append(project.c.platform_id == self.platform_id)
        if self.programme_id is not None:
            found.append(project.c.programme_id == self.programme_id)
        if self.standard:
            pack = table_of(StandardPack)
            found.append(project.c.pack_sha256.in_(select(pack.c.sha256).where(pack.c.code == self.standard)))
        if self.ever is not None:
            run = table_of(StageRun).alias("ever")
            visits = select(run.c.id).where(run.c.project_id == project.c.id, run.c.stage == self.ever)
            found.append(visits.correlate(project).exists())
        if self.is_decided:
            stage = project.c.stage if isinstance(self.reach, True_) else beside(project.c.stage)
            found.append(stage.in_(ENDED))
        return found


def stage_named(text: str) -> ProjectState | None:
    """Return the stage or end that a word names, none for no word; `Invalid` for one that there is not."""
    if not text:
        return None
    try:
        return ProjectState(text)
    except ValueError:
        raise Invalid(unmet("no_such_stage", value=text, known=[str(one) for one in ProjectState])) from None
