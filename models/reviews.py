"""Gate reviews and what they leave behind: panel, scores, conditions, waivers, notices."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Subject, open_index
from models.states import GateOutcome, ProjectState, ReviewState, Role
from models.types import Day, Id, JSONText, UTCDateTime, state_column


class Review(Subject, table=True):
    """One call of a panel for one visit of a stage; immutable once decided."""

    __table_args__ = (
        UniqueConstraint("stage_run_id", "call_no"),
        CheckConstraint("call_no >= 1", name="call_no_from_one"),
        CheckConstraint("state NOT IN ('proposed', 'decided') OR outcome IS NOT NULL", name="outcome_when_proposed"),
        CheckConstraint("notice_ends_on >= notice_starts_on", name="notice_days_in_order"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    stage_run_id: UUID = Field(sa_type=Id, foreign_key="stage_run.id", index=True)
    gate: str = Field(max_length=2)
    call_no: int = 1
    state: ReviewState = Field(sa_column=state_column(ReviewState))
    planned_on: date = Field(sa_type=Day, index=True)
    frozen: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """Evidence hashes and verdicts as they were when the panel was called."""
    outcome: GateOutcome | None = Field(default=None, sa_column=state_column(GateOutcome, nullable=True))
    target: ProjectState | None = Field(default=None, sa_column=state_column(ProjectState, nullable=True))
    """Stage to go back to, for `recycle`."""
    until_on: date | None = Field(default=None, sa_type=Day)
    """Last day of the hold, for `hold`."""
    reason: str | None = Field(default=None, max_length=10000)
    proposed_on: date | None = Field(default=None, sa_type=Day)
    notice_starts_on: date | None = Field(default=None, sa_type=Day)
    notice_ends_on: date | None = Field(default=None, sa_type=Day)
    decided_on: date | None = Field(default=None, sa_type=Day)
    record: dict[str, Any] | None = Field(default=None, sa_type=JSONText)
    """The decision record: scores, votes, verdicts, waivers and conditions at the decision."""


class PanelMember(Identified, table=True):
    """A person named for a review; a recused one stays on the list and counts for the quorum's base."""

    __table_args__ = (UniqueConstraint("review_id", "user_id"),)

    review_id: UUID = Field(sa_type=Id, foreign_key="review.id", index=True)
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    role: Role = Field(sa_column=state_column(Role))
    is_chair: bool = False
    has_vote: bool = True
    competences: list[str] = Field(default_factory=list, sa_type=JSONText)
    recused_on: date | None = Field(default=None, sa_type=Day)
    recused_reason: str | None = Field(default=None, max_length=10000)
    vote: GateOutcome | None = Field(default=None, sa_column=state_column(GateOutcome, nullable=True))
    voted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Score(Identified, table=True):
    """What one voter gave one factor, 0 to 10."""

    __table_args__ = (
        UniqueConstraint("member_id", "factor"),
        CheckConstraint("points BETWEEN 0 AND 10", name="points_in_range"),
    )

    review_id: UUID = Field(sa_type=Id, foreign_key="review.id", index=True)
    member_id: UUID = Field(sa_type=Id, foreign_key="panel_member.id", index=True)
    factor: str = Field(max_length=60)
    points: int


class Condition(Identified, table=True):
    """A debt of a conditional go: cleared when its criterion is met, nobody ticks it off."""

    __table_args__ = (
        UniqueConstraint("review_id", "clause"),
        open_index("condition", "due_on", "cleared_on IS NULL"),
        open_index("condition", "owner_id", "cleared_on IS NULL"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    review_id: UUID = Field(sa_type=Id, foreign_key="review.id", index=True)
    gate: str = Field(max_length=2)
    clause: str = Field(max_length=10)
    owner_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    due_on: date = Field(sa_type=Day)
    note: str = Field(default="", max_length=10000)
    cleared_on: date | None = Field(default=None, sa_type=Day)


class Waiver(Identified, table=True):
    """Leave to pass without a criterion: who, why, until when; it needs a second person and ends by itself."""

    __table_args__ = (
        CheckConstraint("confirmed_by <> granted_by", name="two_people"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_whole"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    stage_run_id: UUID = Field(sa_type=Id, foreign_key="stage_run.id")
    gate: str = Field(max_length=2)
    clause: str = Field(max_length=10)
    reason: str = Field(max_length=10000)
    until_on: date = Field(sa_type=Day, index=True)
    granted_by: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    granted_person_id: UUID = Field(sa_type=Id)
    granted_at: datetime = Field(sa_type=UTCDateTime)
    confirmed_by: UUID | None = Field(default=None, sa_type=Id, foreign_key="app_user.id")
    confirmed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class CompletionNotice(Identified, table=True):
    """The one list of what the firm owes (补正通知), told at once."""

    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        open_index("completion_notice", "due_on", "answered_on IS NULL"),
        CheckConstraint("due_on >= issued_on", name="days_in_order"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    stage_run_id: UUID = Field(sa_type=Id, foreign_key="stage_run.id")
    number: int
    clauses: list[str] = Field(default_factory=list, sa_type=JSONText)
    issued_on: date = Field(sa_type=Day)
    due_on: date = Field(sa_type=Day)
    answered_on: date | None = Field(default=None, sa_type=Day)


class Objection(Identified, table=True):
    """What somebody said against a proposed decision during its public notice."""

    review_id: UUID = Field(sa_type=Id, foreign_key="review.id", index=True)
    raised_by: str = Field(max_length=200)
    text: str = Field(max_length=10000)
    raised_on: date = Field(sa_type=Day)
    is_upheld: bool | None = None
    answer: str | None = Field(default=None, max_length=10000)
    answered_on: date | None = Field(default=None, sa_type=Day)
