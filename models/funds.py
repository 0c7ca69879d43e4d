"""Funds: whose money it is, how much may be promised, and who may approve how much."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Identified, Subject
from models.states import FundStatus, Role, SourceKind
from models.types import Day, Id, UTCDateTime, minor_column, state_column


class Fund(Subject, table=True):
    """Money with one purpose, one currency and one bank account; its row is the lock of all its accounts."""

    __table_args__ = (
        Index(
            "ux_fund_debtor_account_currency",
            "debtor_account",
            "currency",
            unique=True,
            sqlite_where=text("status <> 'closed'"),
            postgresql_where=text("status <> 'closed'"),
        ),
    )

    code: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=200)
    organisation_id: UUID = Field(sa_type=Id, foreign_key="organisation.id", index=True)
    """The funder: its people certify, approve, release and book."""
    currency: str = Field(max_length=3)
    commitment_minor: int = Field(sa_column=minor_column(minimum=0))
    """What may be promised to projects, in minor units."""
    status: FundStatus = Field(sa_column=state_column(FundStatus))
    debtor_name: str = Field(max_length=140)
    debtor_account: str = Field(max_length=34)
    debtor_bank: str = Field(max_length=14)
    """BIC or CNAPS number of the bank that pays."""
    closed_on: date | None = Field(default=None, sa_type=Day)
    created_at: datetime = Field(sa_type=UTCDateTime)


class FundSource(Subject, table=True):
    """An investor's commitment to a fund; the sources are kept apart in every report (rule book F18)."""

    __table_args__ = (
        UniqueConstraint("fund_id", "organisation_id", "kind"),
        CheckConstraint("called_minor BETWEEN 0 AND committed_minor", name="called_within_commitment"),
        CheckConstraint("paid_in_minor >= 0", name="paid_in_not_negative"),
    )

    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    organisation_id: UUID = Field(sa_type=Id, foreign_key="organisation.id", index=True)
    kind: SourceKind = Field(sa_column=state_column(SourceKind))
    committed_minor: int = Field(sa_column=minor_column(minimum=0))
    """0: entered by mistake and put right."""
    called_minor: int = Field(sa_column=minor_column(minimum=0))
    paid_in_minor: int = Field(sa_column=minor_column(minimum=0))
    """A total kept beside the ledger, compared by `check` with the contributions."""


class CapitalCall(Identified, table=True):
    """What an investor was asked to pay in, and by when; a call taken back has one of its own, less than zero."""

    __table_args__ = (
        UniqueConstraint("source_id", "call_no"),
        UniqueConstraint("source_id", "corrects_no"),
        Index("ix_capital_call_due_on", "due_on"),
        CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
        CheckConstraint("(amount_minor < 0) = (corrects_no IS NOT NULL)", name="less_where_it_corrects"),
    )

    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    source_id: UUID = Field(sa_type=Id, foreign_key="fund_source.id", index=True)
    call_no: int
    corrects_no: int | None = None
    """Number of the call that it takes back."""
    amount_minor: int = Field(sa_column=minor_column(minimum=-(10**13)))
    due_on: date = Field(sa_type=Day)
    called_at: datetime = Field(sa_type=UTCDateTime)
    called_by: UUID | None = Field(default=None, sa_type=Id)


class Contribution(Identified, table=True):
    """Money of one investor that came in, or went back to it (negative); each is a ledger entry."""

    __table_args__ = (CheckConstraint("amount_minor <> 0", name="amount_not_zero"),)

    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    source_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="fund_source.id", index=True)
    """None: the fund's own opening money."""
    amount_minor: int = Field(sa_column=minor_column(minimum=-(10**13)))
    received_on: date = Field(sa_type=Day)
    bank_ref: str | None = Field(default=None, max_length=140)
    entry_id: UUID = Field(sa_type=Id, unique=True)
    note: str = Field(default="", max_length=10000)
    at: datetime = Field(sa_type=UTCDateTime)
    by: UUID | None = Field(default=None, sa_type=Id)


class ApprovalTier(Identified, table=True):
    """One line of a fund's authority matrix: up to which amount how many people approve (rule book 5.4)."""

    __table_args__ = (
        CheckConstraint("approvers_needed BETWEEN 1 AND 5", name="approvers_one_to_five"),
        Index(
            "ux_approval_tier_fund_id_up_to_minor",
            "fund_id",
            "up_to_minor",
            unique=True,
            sqlite_where=text("until_at IS NULL"),
            postgresql_where=text("until_at IS NULL"),
        ),
    )

    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    up_to_minor: int = Field(sa_column=minor_column())
    """The highest tier reaches to the largest single amount."""
    approvers_needed: int
    is_director_needed: bool = False
    is_minute_needed: bool = False
    since_at: datetime = Field(sa_type=UTCDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ApprovalLimit(Identified, table=True):
    """How much a role, or one person, may approve; the lower of both counts, and none that can be read refuses (F8)."""

    __table_args__ = (
        CheckConstraint("(role IS NULL) <> (user_id IS NULL)", name="of_a_role_or_a_person"),
        Index("ix_approval_limit_fund_id_until_at", "fund_id", "until_at"),
    )

    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id")
    role: Role | None = Field(default=None, sa_column=state_column(Role, nullable=True))
    user_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="app_user.id")
    up_to_minor: int = Field(sa_column=minor_column(minimum=0))
    since_at: datetime = Field(sa_type=UTCDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
