"""The clock's own book: which slot of which schedule was run by whom and what it did, what is asked for or paused.

Also the days that our own table sets against the calendar, and reports that were frozen.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Row, Subject
from models.states import SlotStatus
from models.types import Day, Id, JSONText, UTCDateTime, state_column


class ScheduledRun(Identified, table=True):
    """One slot of one schedule: once and for all, whoever woke us (Prefect, `worker`, `tick` or a person)."""

    __table_args__ = (
        UniqueConstraint("schedule_id", "slot_at"),
        Index("ix_scheduled_run_started_at", "started_at"),
        Index("ix_scheduled_run_slot_at_id", "slot_at", "id"),
        CheckConstraint("done_count >= 0 AND refused_count >= 0 AND failed_count >= 0", name="counts_not_negative"),
    )

    schedule_id: str = Field(max_length=40)
    slot_at: datetime = Field(sa_type=UTCDateTime)
    status: SlotStatus = Field(sa_column=state_column(SlotStatus))
    holder: str = Field(max_length=100)
    """Who runs it, as in claims."""
    fence: int = 0
    started_at: datetime = Field(sa_type=UTCDateTime)
    """Business time."""
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    found_count: int = 0
    done_count: int = 0
    refused_count: int = 0
    failed_count: int = 0
    effects: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONText)
    """What it did, in domain words: `{"effect", "object_type", "object_id", "ref", "detail"}`; at most 200."""
    progress: dict[str, str] = Field(default_factory=dict, sa_type=JSONText)
    """How far the workers that share it have come: part of the work (a fund) -> the last of it that one has taken."""
    why: str = Field(default="", max_length=1000)
    """Why it was missed, merged, skipped or failed; or who asked for it."""
    outside_run: str | None = Field(default=None, max_length=100)
    """The scheduler's own run, for a link."""
    log: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONText)
    """The last lines of what it said on the way (`flows/run_log.py`); none where there was nothing to do."""


class RunRequest(Identified, table=True):
    """Somebody wants a schedule run now: the next pass of the clock takes it up."""

    __table_args__ = (
        Index("ix_run_request_taken_at", "taken_at"),
        Index("ix_run_request_schedule_id_asked_at", "schedule_id", "asked_at"),
    )

    schedule_id: str = Field(max_length=40)
    asked_by: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    reason: str = Field(max_length=1000)
    asked_at: datetime = Field(sa_type=UTCDateTime)
    taken_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Pause(Identified, table=True):
    """A schedule that does not run until a day, with the reason; its slots meanwhile are skipped, each with a row."""

    __table_args__ = (Index("ix_pause_schedule_id_ended_at", "schedule_id", "ended_at"),)

    schedule_id: str = Field(max_length=40)
    reason: str = Field(max_length=1000)
    put_by: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    from_at: datetime = Field(sa_type=UTCDateTime)
    until_on: date = Field(sa_type=Day)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


CALENDAR_ID = UUID(int=0)
"""The id of the one object that the working calendar is."""


class WorkingCalendar(Subject, table=True):
    """The single row that says who changed the working days of this installation; its lock keeps changes apart."""


class CalendarOverride(Identified, table=True):
    """One day that our own table sets against the library, with the notice that says so; the later version wins (W5).

    Without a programme it holds for the whole installation.
    """

    __table_args__ = (UniqueConstraint("programme_id", "day", "version"),)

    programme_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="programme.id")
    day: date = Field(sa_type=Day)
    is_working_day: bool
    name: str = Field(max_length=200)
    notice: str = Field(max_length=200)
    """Number of the notice, or the decision, that says so."""
    version: int = 1
    entered_by: UUID | None = Field(default=None, sa_type=Id)
    at: datetime = Field(sa_type=UTCDateTime)


class AnnouncedYear(Row, table=True):
    """A year whose schedule was published since this program was made: its days are no longer provisional (W6)."""

    year: int = Field(primary_key=True)
    notice: str = Field(max_length=200)
    entered_by: UUID | None = Field(default=None, sa_type=Id)
    at: datetime = Field(sa_type=UTCDateTime)


class FrozenReport(Identified, table=True):
    """A report of one period as it was on its day: never changed, known by its SHA-256."""

    __table_args__ = (UniqueConstraint("kind", "object_id", "period"),)

    kind: str = Field(max_length=40)
    object_id: UUID = Field(sa_type=Id)
    """The programme."""
    period: str = Field(max_length=10)
    """`2026-Q3`."""
    body: dict[str, Any] = Field(sa_type=JSONText)
    sha256: str = Field(max_length=64)
    at: datetime = Field(sa_type=UTCDateTime)
