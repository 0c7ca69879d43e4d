"""Holds: nothing moves until they end. A hold is a row, not a state."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from models.base import Identified
from models.types import Day, Id, UTCDateTime


class Hold(Identified, table=True):
    """Why, since when and until when a project (later: a fund, or disbursement) is on hold."""

    __table_args__ = (
        Index("ix_hold_object_id_lifted_at", "object_id", "lifted_at"),
        Index(
            "ix_hold_until_on",
            "until_on",
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
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
