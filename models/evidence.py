"""What was handed in and what was said of it: evidence, judgements, maturity claims, design revisions."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Subject, open_index
from models.states import Competence, EvidenceStatus, MaturityScale, Role
from models.types import Day, Id, JSONText, UTCDateTime, state_column


class Evidence(Subject, table=True):
    """One version of one document: its form's values, and its file under its SHA-256. Never deleted."""

    __table_args__ = (
        Index("ix_evidence_project_id_type", "project_id", "type"),
        open_index("evidence", "valid_until_on", "valid_until_on IS NOT NULL"),
        UniqueConstraint("project_id", "type", "key", "version_no"),
        CheckConstraint("version_no >= 1", name="version_no_from_one"),
        CheckConstraint("size_bytes >= 0", name="size_not_negative"),
        CheckConstraint("length(sha256) = 64", name="sha256_whole"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id")
    type: str = Field(max_length=60)
    key: str = Field(default="", max_length=200)
    """Tells documents of one type apart where several may be current (one per customer, per verification)."""
    version_no: int = 1
    file_name: str = Field(max_length=200)
    sha256: str = Field(max_length=64, index=True)
    size_bytes: int
    form: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """The typed values of the evidence type's form."""
    revision: str | None = Field(default=None, max_length=60)
    valid_until_on: date | None = Field(default=None, sa_type=Day)
    status: EvidenceStatus = Field(sa_column=state_column(EvidenceStatus))
    submitted_on: date = Field(sa_type=Day)
    author_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    author_person_id: UUID = Field(sa_type=Id)
    at: datetime = Field(sa_type=UTCDateTime)


class Upload(Identified, table=True):
    """Somebody brought a file. Kept for a day; what a person or an organisation may bring is counted from it."""

    __table_args__ = (
        Index("ix_upload_user_id_at", "user_id", "at"),
        CheckConstraint("size_bytes >= 0", name="size_not_negative"),
    )

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    at: datetime = Field(sa_type=UTCDateTime)
    size_bytes: int
    sha256: str | None = Field(default=None, max_length=64)
    """Of its content, once it is kept: who brought a file may name it."""


class Judgement(Identified, table=True):
    """A yes or no of a named role, bound to the hashes it was given on. Append-only."""

    __table_args__ = (Index("ix_judgement_project_id_clause", "project_id", "clause"),)

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id")
    stage_run_id: UUID = Field(sa_type=Id, foreign_key="stage_run.id")
    clause: str = Field(max_length=10)
    kind: str = Field(max_length=10)
    role: Role = Field(sa_column=state_column(Role))
    party: str | None = Field(default=None, max_length=20)
    competence: Competence | None = Field(default=None, sa_column=state_column(Competence, nullable=True))
    part: str | None = Field(default=None, max_length=60)
    is_yes: bool
    reason: str = Field(max_length=10000)
    evidence_sha256s: list[str] = Field(default_factory=list, sa_type=JSONText)
    """Of each version judged: one hash over file, form and revision."""
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    person_id: UUID = Field(sa_type=Id)
    on: date = Field(sa_type=Day)
    at: datetime = Field(sa_type=UTCDateTime)


class MaturityClaim(Identified, table=True):
    """A level claimed for one critical technology or one thread; the newest per item counts. Append-only."""

    __table_args__ = (
        CheckConstraint(
            "(scale = 'trl' AND level BETWEEN 1 AND 9) OR (scale = 'mrl' AND level BETWEEN 1 AND 10)",
            name="level_on_scale",
        ),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    scale: MaturityScale = Field(sa_column=state_column(MaturityScale))
    item: str = Field(max_length=200)
    level: int
    evidence_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="evidence.id")
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    at: datetime = Field(sa_type=UTCDateTime)


class DesignRevision(Identified, table=True):
    """A frozen design revision with the clauses its change touches. Append-only."""

    __table_args__ = (UniqueConstraint("project_id", "label"),)

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    label: str = Field(max_length=60)
    frozen_on: date = Field(sa_type=Day)
    touched_clauses: list[str] = Field(default_factory=list, sa_type=JSONText)
    reason: str = Field(max_length=10000)
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    at: datetime = Field(sa_type=UTCDateTime)
