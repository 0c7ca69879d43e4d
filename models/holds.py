"""Holds: nothing moves until they end; and cases that wait for two people. Both are rows, not states."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from models.base import Identified, Subject, open_index
from models.types import Day, Id, JSONText, UTCDateTime


class Hold(Identified, table=True):
    """Why, since when and until when a project (or a fund, or all disbursement) is on hold."""

    __table_args__ = (
        Index("ix_hold_object_id_lifted_at", "object_id", "lifted_at"),
        open_index("hold", "until_on", "lifted_at IS NULL"),
        CheckConstraint("until_on >= from_on", name="days_in_order"),
        CheckConstraint("extensions >= 0", name="extensions_not_negative"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_on IS NULL)", name="lifted_whole"),
    )

    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    reason: str = Field(max_length=60)
    """Code: partner, evidence, ehs, overdue_condition, escalation, decision, other."""
    note: str = Field(default="", max_length=10000)
    needs_decision: bool = False
    """Does not end by itself on its last day: EHS, overdue condition, escalation."""
    from_at: datetime = Field(sa_type=UTCDateTime)
    from_on: date = Field(sa_type=Day)
    until_on: date = Field(sa_type=Day)
    extensions: int = 0
    put_by: UUID | None = Field(default=None, sa_type=Id)
    lifted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    lifted_on: date | None = Field(default=None, sa_type=Day)
    lifted_by: UUID | None = Field(default=None, sa_type=Id)
    first_lifter_id: UUID | None = Field(default=None, sa_type=Id)
    """After an EHS hold two people restart: the first of them."""


class ExceptionCase(Subject, table=True):
    """What does not fit and waits for two people: one proposes a way out with evidence, another confirms it."""

    __table_args__ = (
        Index("ix_exception_case_object_id", "object_id"),
        Index("ix_exception_case_closed_at", "closed_at"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by", name="two_people"),
    )

    kind: str = Field(max_length=40)
    """Code of what does not fit (`amount_differs`, `unmatched`, `no_answer` …); its sentence is in the catalogue."""
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    fund_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="fund.id", index=True)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """The figures that do not agree, for those who decide."""
    owner_id: UUID | None = Field(default=None, sa_type=Id)
    opened_at: datetime = Field(sa_type=UTCDateTime)
    action: str | None = Field(default=None, max_length=20)
    """Proposed way out: match, confirm_paid, abandon_batch, write_off, lift_hold …"""
    proposal: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    reason: str | None = Field(default=None, max_length=10000)
    evidence_sha256: str | None = Field(default=None, max_length=64)
    proposed_by: UUID | None = Field(default=None, sa_type=Id)
    proposed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    confirmed_by: UUID | None = Field(default=None, sa_type=Id)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class CaseFile(Identified, table=True):
    """The bank's written word, or another file, that a proposed way out rests on: one row for each proposal."""

    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_positive"),
        CheckConstraint("length(sha256) = 64", name="sha256_whole"),
    )

    exception_id: UUID = Field(sa_type=Id, foreign_key="exception_case.id", index=True)
    file_name: str = Field(max_length=200)
    sha256: str = Field(max_length=64, index=True)
    size_bytes: int
    author_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    at: datetime = Field(sa_type=UTCDateTime)
