"""What was made, measured, found and placed: batches, measurements, findings, tracks, scenario trials, orders."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Subject
from models.states import BatchKind, FindingKind, OrderKind, Verification
from models.types import Day, Id, JSONText, UTCDateTime, minor_column, state_column


class Characteristic(Identified, table=True):
    """A special characteristic with its limits; a later row of the same name replaces it."""

    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        CheckConstraint("lower_limit <= upper_limit", name="limits_in_order"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    name: str = Field(max_length=100)
    unit: str = Field(max_length=20)
    lower_limit: float | None = None
    upper_limit: float | None = None
    is_critical: bool = False
    gauge: str | None = Field(default=None, max_length=100)


class TrialBatch(Subject, table=True):
    """One batch; its figures are rows of their own, so a correction never overwrites."""

    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("hours >= 0", name="hours_not_negative"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    number: str = Field(max_length=10)
    """`B-03`; shown as `PT-2026-0042/B-03`."""
    kind: BatchKind = Field(sa_column=state_column(BatchKind))
    made_on: date = Field(sa_type=Day)
    revision: str | None = Field(default=None, max_length=60)
    size: float | None = None
    """Batch size in the project's own unit, for the scale-up ladder."""
    hours: float | None = None
    recipe: str | None = Field(default=None, max_length=200)
    equipment: str | None = Field(default=None, max_length=200)
    worker: str | None = Field(default=None, max_length=200)
    """Who ran it."""
    is_closed: bool = False
    at: datetime = Field(sa_type=UTCDateTime)


class BatchFigure(Identified, table=True):
    """The counts of a batch as first recorded or as corrected; the newest counts. Append-only."""

    __table_args__ = (
        UniqueConstraint("batch_id", "entry_no"),
        CheckConstraint("started >= 0", name="started_not_negative"),
        CheckConstraint("passed_first_time BETWEEN 0 AND started", name="passed_at_most_started"),
        CheckConstraint("(cost_minor IS NULL) = (currency IS NULL)", name="cost_with_currency"),
    )

    batch_id: UUID = Field(sa_type=Id, foreign_key="trial_batch.id", index=True)
    entry_no: int
    started: int
    passed_first_time: int
    is_conforming: bool | None = None
    defects: dict[str, int] = Field(default_factory=dict, sa_type=JSONText)
    cost_minor: int | None = Field(default=None, sa_column=minor_column(minimum=0, nullable=True))
    currency: str | None = Field(default=None, max_length=3)
    reason: str | None = Field(default=None, max_length=10000)
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    at: datetime = Field(sa_type=UTCDateTime)


class Measurement(Identified, table=True):
    """One measured value, in its subgroup and order of production; a correction names its row. Append-only."""

    __table_args__ = (
        Index("ix_measurement_batch_id_characteristic", "batch_id", "characteristic"),
        CheckConstraint("value BETWEEN -1e300 AND 1e300", name="value_finite"),
    )

    batch_id: UUID = Field(sa_type=Id, foreign_key="trial_batch.id")
    characteristic: str = Field(max_length=100)
    subgroup: int
    place: int
    value: float
    corrects_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="measurement.id", unique=True)
    reason: str | None = Field(default=None, max_length=10000)
    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    at: datetime = Field(sa_type=UTCDateTime)


class Issue(Identified, table=True):
    """Something found that has to be closed: issue, deviation, incident, safety complaint, audit finding."""

    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        CheckConstraint("severity BETWEEN 1 AND 4", name="severity_in_range"),
        CheckConstraint("closed_on >= opened_on", name="days_in_order"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    number: int
    kind: FindingKind = Field(sa_column=state_column(FindingKind))
    severity: int
    """1 (worst; for an incident: major) to 4."""
    title: str = Field(max_length=200)
    batch_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="trial_batch.id")
    owner: str | None = Field(default=None, max_length=200)
    opened_on: date = Field(sa_type=Day)
    due_on: date | None = Field(default=None, sa_type=Day)
    disposition: str | None = Field(default=None, max_length=10000)
    closed_on: date | None = Field(default=None, sa_type=Day)


class VerificationTrack(Identified, table=True):
    """One of the asked verifications of the trial stage; the tracks run side by side and join at the gate."""

    __table_args__ = (
        UniqueConstraint("project_id", "verification"),
        CheckConstraint("finished_on >= started_on", name="days_in_order"),
        CheckConstraint("(finished_on IS NULL) = (is_passed IS NULL)", name="finished_whole"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    verification: Verification = Field(sa_column=state_column(Verification))
    asked_on: date = Field(sa_type=Day)
    started_on: date | None = Field(default=None, sa_type=Day)
    finished_on: date | None = Field(default=None, sa_type=Day)
    is_passed: bool | None = None


class ScenarioTrial(Identified, table=True):
    """One customer or site of market validation, with limits, measured values and a witness."""

    __table_args__ = (
        UniqueConstraint("project_id", "site"),
        CheckConstraint("units >= 0 AND (failures IS NULL OR failures >= 0)", name="counts_not_negative"),
        CheckConstraint("ended_on >= started_on", name="days_in_order"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    site: str = Field(max_length=200)
    customer_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    profile: str | None = Field(default=None, max_length=10000)
    """The operating profile."""
    agreement_signed_on: date | None = Field(default=None, sa_type=Day)
    started_on: date | None = Field(default=None, sa_type=Day)
    ended_on: date | None = Field(default=None, sa_type=Day)
    report_signed_on: date | None = Field(default=None, sa_type=Day)
    units: int = 0
    unit_batches: list[str] = Field(default_factory=list, sa_type=JSONText)
    failures: int | None = None
    limits: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """Measured quantity -> {"lower", "upper", "unit"}."""
    measured: dict[str, float] = Field(default_factory=dict, sa_type=JSONText)
    witness: str | None = Field(default=None, max_length=200)
    valid_until_on: date | None = Field(default=None, sa_type=Day)


class Order(Identified, table=True):
    """A letter of intent or an order from a customer of market validation."""

    __tablename__ = "customer_order"
    __table_args__ = (
        UniqueConstraint("project_id", "reference"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="amount_with_currency"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    reference: str = Field(max_length=60)
    kind: OrderKind = Field(sa_column=state_column(OrderKind))
    customer_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    quantity: int
    amount_minor: int | None = Field(default=None, sa_column=minor_column(minimum=0, nullable=True))
    currency: str | None = Field(default=None, max_length=3)
    signed_on: date | None = Field(default=None, sa_type=Day)
    is_binding: bool = False
    paid_on: date | None = Field(default=None, sa_type=Day)
    cancelled_on: date | None = Field(default=None, sa_type=Day)
