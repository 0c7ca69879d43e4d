"""The database about itself: its id, epoch, mode and clock, and the counters of human numbers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from models.base import Row, Subject
from models.types import UTCDateTime


class Installation(Row, table=True):
    """The single row that says which database this is."""

    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("mode IN ('production', 'rehearsal')", name="mode_known"),
        CheckConstraint("clock_at IS NULL OR mode = 'rehearsal'", name="clock_in_rehearsal"),
    )

    id: int = Field(default=1, primary_key=True)
    database_id: str = Field(max_length=36)
    epoch: str = Field(max_length=8)
    """Drawn at `init` and again at each restore; part of every id that leaves the house."""
    mode: str = Field(max_length=10)
    """`production` or `rehearsal`."""
    clock_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """The demo's own clock; only in rehearsal."""
    created_at: datetime = Field(sa_type=UTCDateTime)


DISBURSEMENT_ID = UUID(int=0)
"""The id of the one object that all disbursement is (`docs/contract.md`, section 4)."""


class Disbursement(Subject, table=True):
    """The single row that says who stopped all disbursement, and who let it go on; a hold on it is a row in `hold`."""


class NumberSeries(Row, table=True):
    """The last number given per kind and year (`PT-2026-0042`)."""

    __table_args__ = (CheckConstraint("last >= 0", name="last_not_negative"),)

    kind: str = Field(primary_key=True, max_length=10)
    year: int = Field(primary_key=True)
    last: int
