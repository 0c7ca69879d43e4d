"""What people are told: reminders planned ahead, what lies in each inbox, each way it goes out, and who wants what."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Row, Subject
from models.states import Channel, DeliveryStatus, EndpointStatus, Frequency, ReminderStatus
from models.types import Day, Id, JSONText, UTCDateTime, state_column


class PlannedReminder(Identified, table=True):
    """One rung of a deadline's ladder: a row before it is a message, and a row with its reason after (`docs/clock.md`).

    A deadline that is moved gets rungs of its own; those of the old day are suppressed, never deleted.
    """

    __table_args__ = (
        UniqueConstraint("what", "object_id", "deadline_on", "rung"),
        Index("ix_planned_reminder_status_due_at", "status", "due_at"),
        CheckConstraint("(status = 'planned') = (decided_at IS NULL)", name="decided_whole"),
    )

    what: str = Field(max_length=40)
    """Name of the deadline (`stage_due`, `condition_due` …)."""
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    project_id: UUID | None = Field(default=None, sa_type=Id, index=True)
    fund_id: UUID | None = Field(default=None, sa_type=Id)
    deadline_on: date = Field(sa_type=Day)
    rung: int
    """Working days after the deadline, negative before it; of a promise of payment calendar days after (F21)."""
    due_at: datetime = Field(sa_type=UTCDateTime)
    audience: list[str] = Field(sa_type=JSONText)
    """Whom it is for, as codes that are resolved to people when it is sent."""
    status: ReminderStatus = Field(sa_column=state_column(ReminderStatus))
    reason: str = Field(default="", max_length=60)
    """Code why it was suppressed or missed."""
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)


class Notification(Identified, table=True):
    """What one person is told of one message: the line of the inbox, whatever channels carry it besides."""

    __table_args__ = (
        UniqueConstraint("outbox_id", "user_id"),
        Index("ix_notification_user_id_created_at", "user_id", "created_at"),
        Index("ix_notification_digest_digest_id", "digest", "digest_id"),
    )

    outbox_id: UUID = Field(sa_type=Id, foreign_key="outbox_message.id")
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    kind: str = Field(max_length=60)
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    why: str = Field(max_length=40)
    """Code of why this person is told: `owner`, `coordinator`, `next_step` …"""
    is_task: bool
    """Something to handle, not only to know."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """Plain values, frozen when the message was taken out of the outbox."""
    digest: Frequency = Field(sa_column=state_column(Frequency))
    """When mail tells of it: at once, in the digest of the day or week, or never."""
    digest_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="delivery.id")
    """The digest that took it up."""
    read_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)


class Delivery(Identified, table=True):
    """One message on one channel to one address: written before the first try, told once."""

    __table_args__ = (
        UniqueConstraint("dedupe_key", "channel", "recipient"),
        Index("ix_delivery_status_not_before_at", "status", "not_before_at"),
        CheckConstraint("attempts >= 0 AND fence >= 0", name="counts_not_negative"),
    )

    outbox_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="outbox_message.id", index=True)
    """None for a digest, which tells of many."""
    user_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="app_user.id", index=True)
    endpoint_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="webhook_endpoint.id", index=True)
    kind: str = Field(max_length=60)
    dedupe_key: str = Field(max_length=200)
    channel: Channel = Field(sa_column=state_column(Channel))
    recipient: str = Field(max_length=300)
    """Mail address, id of a chat address, or id of a webhook endpoint: never a secret."""
    language: str = Field(max_length=5)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    message_id: str = Field(max_length=200, unique=True)
    """The same at every try: who gets it twice can see so."""
    status: DeliveryStatus = Field(sa_column=state_column(DeliveryStatus))
    attempts: int = 0
    fence: int = 0
    not_before_at: datetime = Field(sa_type=UTCDateTime)
    """Later than its birth for quiet hours and after a failed try."""
    at: datetime = Field(sa_type=UTCDateTime)
    """When it last changed."""
    created_at: datetime = Field(sa_type=UTCDateTime)


class DeliveryAttempt(Row, table=True):
    """One try to deliver and what the other side said. Only grows."""

    delivery_id: UUID = Field(primary_key=True, sa_type=Id, foreign_key="delivery.id")
    attempt: int = Field(primary_key=True)
    result: str = Field(max_length=10)
    """`accepted`, `refused`, `unsure` or `failed` (`models.ports.SendResult`)."""
    detail: str = Field(default="", max_length=1000)
    """What the other side said, cut to length; no body is ever kept."""
    at: datetime = Field(sa_type=UTCDateTime)


class Preference(Row, table=True):
    """How often one person wants to hear of one topic on one channel; without a row the default of the topic holds."""

    user_id: UUID = Field(primary_key=True, sa_type=Id, foreign_key="app_user.id")
    channel: Channel = Field(sa_column=state_column(Channel, primary_key=True))
    topic: str = Field(primary_key=True, max_length=40)
    """First part of a kind (`project`, `payout` …), or `*` for all others."""
    frequency: Frequency = Field(sa_column=state_column(Frequency))


class ContactSetting(Row, table=True):
    """When and how one person can be reached; without a row the installation's time zone holds and no quiet hours."""

    user_id: UUID = Field(primary_key=True, sa_type=Id, foreign_key="app_user.id")
    timezone: str | None = Field(default=None, max_length=60)
    quiet_from: str | None = Field(default=None, max_length=5)
    """`22:00`, local time of the person."""
    quiet_until: str | None = Field(default=None, max_length=5)
    feed_sha256: str | None = Field(default=None, max_length=64, unique=True)
    """SHA-256 of the secret in the address of the person's calendar feed."""
    feed_made_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ChatAddress(Identified, table=True):
    """The address of a chat robot that one person is reached by. It is a secret: shown by its last four characters."""

    __table_args__ = (UniqueConstraint("user_id", "channel"),)

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    channel: Channel = Field(sa_column=state_column(Channel))
    url: str = Field(max_length=1000)
    created_at: datetime = Field(sa_type=UTCDateTime)


class WebhookEndpoint(Subject, table=True):
    """A program elsewhere that is told what happens; after ten failures in a row it is disabled and its owner told."""

    __table_args__ = (CheckConstraint("failures >= 0", name="failures_not_negative"),)

    url: str = Field(max_length=1000, unique=True)
    types: list[str] = Field(default_factory=list, sa_type=JSONText)
    """Kinds that it is told of (`payout.paid`, `payout.*`); none: all."""
    secret: str = Field(max_length=200)
    old_secret: str | None = Field(default=None, max_length=200)
    """Signs too while the receiver changes over."""
    status: EndpointStatus = Field(sa_column=state_column(EndpointStatus))
    failures: int = 0
    """In a row."""
    owner_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    created_at: datetime = Field(sa_type=UTCDateTime)
