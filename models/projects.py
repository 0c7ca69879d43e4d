"""Projects, their visits to stages, and what each visit asks of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Identified, Subject, open_index
from models.states import ProjectState, Role, StageRunState, VerdictState
from models.types import Day, Id, JSONText, UTCDateTime, WordList, state_column


class Project(Subject, table=True):
    """One firm's product on its way from intake to production."""

    __table_args__ = (
        Index("ix_project_stage_received_on", "stage", "received_on"),
        Index("ix_project_platform_id_number", "platform_id", "number"),
        Index("ix_project_title_key", "title_key"),
        Index("ix_project_pack_sha256_number_stage", "pack_sha256", "number", "stage"),
        Index(
            "ix_project_transfer_to_id",
            "transfer_to_id",
            sqlite_where=text("transfer_to_id IS NOT NULL"),
            postgresql_where=text("transfer_to_id IS NOT NULL"),
        ),
        open_index("project", "receiver_id", "receiver_id IS NOT NULL"),
        open_index("project", "transfer_due_on", "transfer_due_on IS NOT NULL"),
        Index("ix_project_received_on_number", "received_on", "number"),
        CheckConstraint("received_precision IN ('day', 'month', 'year', 'none')", name="received_precision_known"),
    )

    number: str = Field(max_length=20, unique=True)
    name: str = Field(max_length=500)
    title_key: str = Field(max_length=500)
    """Folded title, for the look at double funding (G1.6)."""
    programme_id: UUID = Field(sa_type=Id, foreign_key="programme.id", index=True)
    organisation_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id", index=True)
    """The applicant; unknown only where the source of an import does not name one."""
    platform_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    receiver_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    transfer_to_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    """The platform that was asked to take over and has not answered yet."""
    platform_since_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the present platform took over from another; what the old one judged is judged again."""
    receiver_since_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the present receiver took the place of another; what the old one signed, waived and consented to is void."""
    transfer_due_on: date | None = Field(default=None, sa_type=Day)
    stage: ProjectState = Field(sa_column=state_column(ProjectState))
    stage_run_id: UUID | None = Field(default=None, sa_type=Id)
    """The open visit; none once the project has ended."""
    pack_sha256: str = Field(max_length=64, foreign_key="standard_pack.sha256")
    """The standard frozen at enrolment; only an explicit migration moves a project to another."""
    profiles: dict[str, str] = Field(default_factory=dict, sa_type=JSONText)
    definition_version: int = 1
    received_on: date | None = Field(default=None, sa_type=Day)
    received_precision: str = Field(default="day", max_length=5)
    """`day`, `month`, `year` or `none`: how exact the day of receipt is known."""
    last_restart_on: date | None = Field(default=None, sa_type=Day)
    outside_key: str | None = Field(default=None, max_length=300, unique=True)
    parent_key: str | None = Field(default=None, max_length=300)
    outside: dict[str, Any] | None = Field(default=None, sa_type=JSONText)
    """Plain facts of the source it was imported from: dates, levels, money; `missing` lists what it left out."""
    outside_sha256: str | None = Field(default=None, max_length=64)
    next_due_on: date | None = Field(default=None, sa_type=Day, index=True)
    """First day on which a verdict may change by itself; a day of the installation, not an instant."""
    created_at: datetime = Field(sa_type=UTCDateTime)


class ProjectMember(Identified, table=True):
    """A person with a named part in one project: who is asked first when something is owed."""

    __table_args__ = (UniqueConstraint("project_id", "user_id", "role"),)

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    role: Role = Field(sa_column=state_column(Role))
    since_at: datetime = Field(sa_type=UTCDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class StageRun(Subject, table=True):
    """One visit of one stage; coming back is a new row, so nothing is overwritten."""

    __table_args__ = (
        UniqueConstraint("project_id", "stage", "visit"),
        open_index("stage_run", "due_on", "closed_on IS NULL"),
        open_index("stage_run", ("stage", "due_on", "project_id"), "closed_on IS NULL"),
        open_index("stage_run", "maximum_on", "closed_on IS NULL"),
        CheckConstraint("visit >= 1", name="visit_from_one"),
        CheckConstraint("stage NOT IN ('in_production', 'withdrawn', 'stopped')", name="visits_a_stage"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    stage: ProjectState = Field(sa_column=state_column(ProjectState))
    visit: int = 1
    state: StageRunState = Field(sa_column=state_column(StageRunState))
    opened_on: date = Field(sa_type=Day)
    due_on: date | None = Field(default=None, sa_type=Day)
    maximum_on: date | None = Field(default=None, sa_type=Day)
    planned_panel_on: date | None = Field(default=None, sa_type=Day)
    closed_on: date | None = Field(default=None, sa_type=Day)
    reason: str | None = Field(default=None, max_length=10000)
    """Why it was recycled or closed."""
    stop_loss: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """Agreed limits that were used up in this visit: code -> {"limit", "used", "on"}."""


class Requirement(Subject, table=True):
    """One criterion of the pack as this project owes it in this visit; the verdict is a cache, guards judge afresh."""

    __table_args__ = (
        UniqueConstraint("stage_run_id", "clause"),
        open_index("requirement", "due_on", "due_on IS NOT NULL"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    stage_run_id: UUID = Field(sa_type=Id, foreign_key="stage_run.id", index=True)
    clause: str = Field(max_length=10)
    verdict: VerdictState = Field(sa_column=state_column(VerdictState, index=True))
    verdict_code: str = Field(max_length=80)
    due_on: date | None = Field(default=None, sa_type=Day)
    owed_by: list[str] | None = Field(default=None, sa_column=Column(WordList(120)))
    """Parties that owe the next step, as last judged; none where nothing is owed."""
    reopened_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reopened_reason: str | None = Field(default=None, max_length=10000)
