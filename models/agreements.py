"""Agreements and their tranches: what was awarded, what each tranche hangs on, what it cost, what is owed back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Subject, open_index
from models.states import FundStatus, MilestoneState, RecoveryPartKind, RecoveryState
from models.types import Day, Id, JSONText, UTCDateTime, minor_column, state_column


class Agreement(Subject, table=True):
    """The award of one fund to one project; changes are supplementary agreements under the same number (F18)."""

    __table_args__ = (
        open_index("agreement", "statement_due_on", "settled_on IS NULL"),
        CheckConstraint("rate_basis_points BETWEEN 1 AND 10000", name="rate_a_share"),
        CheckConstraint("supplement_no >= 0", name="supplement_not_negative"),
        CheckConstraint("payment_days BETWEEN 1 AND 366", name="payment_days_in_bounds"),
    )

    number: str = Field(max_length=20, unique=True)
    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    amount_minor: int = Field(sa_column=minor_column())
    """The award A, in minor units."""
    currency: str = Field(max_length=3)
    rate_basis_points: int
    """The rate r: share of eligible cost that the award may cover, in basis points (7,000 = 70 %)."""
    own_money_minor: int = Field(sa_column=minor_column(minimum=0))
    """What the firm promised to put in."""
    cost_categories: dict[str, int] = Field(default_factory=dict, sa_type=JSONText)
    """Category -> budget in minor units, own money included."""
    payment_days: int
    """Calendar days from a complete request to its booking, as promised to the firm (F21)."""
    starts_on: date = Field(sa_type=Day)
    ends_on: date | None = Field(default=None, sa_type=Day)
    status: FundStatus = Field(sa_column=state_column(FundStatus))
    supplement_no: int = 0
    signed_by_sme: UUID | None = Field(default=None, sa_type=Id)
    signed_by_funder: UUID | None = Field(default=None, sa_type=Id)
    signed_on: date | None = Field(default=None, sa_type=Day)
    """The day of the second signature; before it nothing is paid."""
    audit_accepted_on: date | None = Field(default=None, sa_type=Day)
    statement_due_on: date | None = Field(default=None, sa_type=Day)
    """By when the firm states its cost after a stop (F12)."""
    settled_on: date | None = Field(default=None, sa_type=Day)
    entitlement_minor: int | None = Field(default=None, sa_column=minor_column(minimum=0, nullable=True))
    """E of the final settlement (F11)."""
    settlement_minor: int = Field(default=0, sa_column=minor_column(minimum=0))
    """What may be paid besides the tranches, as the final settlement."""
    closed_on: date | None = Field(default=None, sa_type=Day)
    created_at: datetime = Field(sa_type=UTCDateTime)


class AgreementChange(Identified, table=True):
    """A supplementary agreement: what it was before, what it is now, why, and who signed."""

    __table_args__ = (UniqueConstraint("agreement_id", "supplement_no"),)

    agreement_id: UUID = Field(sa_type=Id, foreign_key="agreement.id", index=True)
    supplement_no: int
    before: dict[str, Any] = Field(sa_type=JSONText)
    after: dict[str, Any] = Field(sa_type=JSONText)
    reason: str = Field(max_length=10000)
    at: datetime = Field(sa_type=UTCDateTime)
    by: UUID | None = Field(default=None, sa_type=Id)


class Milestone(Subject, table=True):
    """One tranche: its amount, what it hangs on (a gate or named criteria, never a date), and its state."""

    __table_args__ = (
        UniqueConstraint("agreement_id", "number"),
        Index("ix_milestone_state_due_on", "state", "due_on"),
        Index("ix_milestone_is_retention_state", "is_retention", "state"),
        CheckConstraint("number >= 1", name="number_from_one"),
        CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name="share_at_most_all"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    agreement_id: UUID = Field(sa_type=Id, foreign_key="agreement.id", index=True)
    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    number: int
    tranche: str = Field(max_length=10)
    """Name in the plan: T1 … T4, R."""
    share_basis_points: int = 0
    amount_minor: int = Field(sa_column=minor_column(minimum=0))
    """What may be paid for it now; a cut moves to the next tranche, of the last one to the fund (F5)."""
    cut_minor: int = Field(default=0, sa_column=minor_column(minimum=0))
    """What was cut from it and has moved on: nothing is cut twice."""
    currency: str = Field(max_length=3)
    state: MilestoneState = Field(sa_column=state_column(MilestoneState))
    gate: str | None = Field(default=None, max_length=2)
    criteria: list[str] = Field(default_factory=list, sa_type=JSONText)
    needs: list[str] = Field(default_factory=list, sa_type=JSONText)
    """What its release asks besides, as named in the plan (`audit_accepted`, `use_of_money`, `public_notice` …)."""
    is_retention: bool = False
    months_after: int = 0
    """Months after the gate before it may be released (retention)."""
    due_on: date | None = Field(default=None, sa_type=Day)
    """A plan; it reminds and never releases (F20)."""
    noticed_on: date | None = Field(default=None, sa_type=Day)
    """Day on which the public notice of its release began (retention, F15)."""
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """What was handed in: figures and the SHA-256 of each file."""
    submitted_by: UUID | None = Field(default=None, sa_type=Id)
    submitted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    decided_by: UUID | None = Field(default=None, sa_type=Id)
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str | None = Field(default=None, max_length=10000)


class CostStatement(Subject, table=True):
    """Eligible cost of a period as the firm states it, and as the certifier verified it (V of the fund rules)."""

    __table_args__ = (
        UniqueConstraint("agreement_id", "statement_no"),
        CheckConstraint("accepted_minor IS NULL OR accepted_minor <= claimed_minor", name="accepted_within_claim"),
        CheckConstraint("until_on >= from_on", name="days_in_order"),
    )

    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    agreement_id: UUID = Field(sa_type=Id, foreign_key="agreement.id", index=True)
    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    statement_no: int
    from_on: date = Field(sa_type=Day)
    until_on: date = Field(sa_type=Day)
    claimed_minor: int = Field(sa_column=minor_column())
    own_money_minor: int = Field(sa_column=minor_column(minimum=0))
    """Own money spent in the period, as stated."""
    by_category: dict[str, int] = Field(default_factory=dict, sa_type=JSONText)
    evidence_sha256: str = Field(max_length=64)
    is_final: bool = False
    accepted_minor: int | None = Field(default=None, sa_column=minor_column(minimum=0, nullable=True))
    accepted_own_minor: int | None = Field(default=None, sa_column=minor_column(minimum=0, nullable=True))
    submitted_by: UUID | None = Field(default=None, sa_type=Id)
    submitted_at: datetime = Field(sa_type=UTCDateTime)
    verified_by: UUID | None = Field(default=None, sa_type=Id)
    verified_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    reason: str | None = Field(default=None, max_length=10000)


class RecoveryOrder(Subject, table=True):
    """Money that the firm owes back by a day: repaid, set off against later tranches, or written off."""

    __table_args__ = (
        Index("ix_recovery_order_state_due_on", "state", "due_on"),
        CheckConstraint(
            "repaid_minor >= 0 AND set_off_minor >= 0 AND written_off_minor >= 0", name="parts_not_negative"
        ),
        CheckConstraint("repaid_minor + set_off_minor + written_off_minor <= amount_minor", name="parts_within_amount"),
    )

    number: str = Field(max_length=20, unique=True)
    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    agreement_id: UUID = Field(sa_type=Id, foreign_key="agreement.id", index=True)
    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    amount_minor: int = Field(sa_column=minor_column())
    currency: str = Field(max_length=3)
    code: str = Field(max_length=40)
    """Why: negative_balance, ineligible_cost, misuse, false_report, double_funding, stop."""
    reason: str = Field(max_length=10000)
    due_on: date = Field(sa_type=Day)
    state: RecoveryState = Field(sa_column=state_column(RecoveryState))
    repaid_minor: int = Field(sa_column=minor_column(minimum=0))
    set_off_minor: int = Field(sa_column=minor_column(minimum=0))
    written_off_minor: int = Field(sa_column=minor_column(minimum=0))
    ordered_by: UUID | None = Field(default=None, sa_type=Id)
    ordered_at: datetime = Field(sa_type=UTCDateTime)
    write_off_by: UUID | None = Field(default=None, sa_type=Id)
    """Who proposed to write off what is left; a second person confirms."""
    write_off_reason: str | None = Field(default=None, max_length=10000)


class RecoveryPart(Identified, table=True):
    """How a part of a recovery order was met: money that came back, a set-off against a tranche, a write-off."""

    __table_args__ = (
        CheckConstraint("(kind = 'set_off') = (against_agreement_id IS NOT NULL)", name="set_off_against_something"),
    )

    recovery_id: UUID = Field(sa_type=Id, foreign_key="recovery_order.id", index=True)
    kind: RecoveryPartKind = Field(sa_column=state_column(RecoveryPartKind))
    amount_minor: int = Field(sa_column=minor_column())
    against_agreement_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="agreement.id", index=True)
    """The agreement under which the set-off counts as paid; the order's own at its settlement."""
    milestone_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="milestone.id", index=True)
    met_on: date = Field(sa_type=Day)
    """The day that it was met on: of a repayment the day of the bank's booking; interest ends there (F14)."""
    notified_on: date | None = Field(default=None, sa_type=Day)
    """When the firm was told of the set-off (F14)."""
    bank_ref: str | None = Field(default=None, max_length=140)
    entry_id: UUID | None = Field(default=None, sa_type=Id)
    at: datetime = Field(sa_type=UTCDateTime)
    by: UUID | None = Field(default=None, sa_type=Id)
