"""Payouts: the decision, the people's words on it, the attempt at the bank, and the file that carried it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Identified, Row, Subject
from models.states import (
    ApprovalDecision,
    InstructionStatus,
    PayeeStatus,
    PaymentBatchState,
    PayoutPurpose,
    PayoutState,
    Role,
)
from models.types import Day, Id, JSONText, UTCDateTime, minor_column, state_column


class PayeeAccount(Subject, table=True):
    """A bank account of a firm; money goes only where a second person has called back and confirmed (F16)."""

    __table_args__ = (
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by", name="two_people"),
        CheckConstraint("status <> 'confirmed' OR confirmed_by IS NOT NULL", name="confirmed_by_somebody"),
        Index("ix_payee_account_payee_hash", "payee_hash"),
        Index("ix_payee_account_status_id", "status", "id"),
    )

    organisation_id: UUID = Field(sa_type=Id, foreign_key="organisation.id", index=True)
    holder_name: str = Field(max_length=140)
    account_number: str = Field(max_length=34)
    bank_code: str = Field(max_length=14)
    bank_name: str = Field(default="", max_length=140)
    payee_hash: str = Field(max_length=64)
    """SHA-256 of the canonical JSON of account_number, bank_code, holder_name."""
    status: PayeeStatus = Field(sa_column=state_column(PayeeStatus))
    reason: str = Field(default="", max_length=10000)
    warnings: list[str] = Field(default_factory=list, sa_type=JSONText)
    """Codes of what looked odd when it was proposed: another name, look-alike letters, the same name elsewhere."""
    proposed_by: UUID | None = Field(default=None, sa_type=Id)
    confirmed_by: UUID | None = Field(default=None, sa_type=Id)
    called_back: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """Who called whom on which number known before the change, and when."""
    usable_on: date | None = Field(default=None, sa_type=Day)
    """First day after the cooling-off; None until confirmed."""
    at: datetime = Field(sa_type=UTCDateTime)


class Payout(Subject, table=True):
    """Money that somebody asks to be paid for a milestone (or as a settlement); one key pays at most once (F9)."""

    __table_args__ = (
        Index("ix_payout_state_fund_id", "state", "fund_id"),
        Index("ix_payout_fund_id_state", "fund_id", "state"),
        Index("ix_payout_state_pay_by_on_currency_amount_minor", "state", "pay_by_on", "currency", "amount_minor"),
        Index("ix_payout_pay_by_on_number", "pay_by_on", "number"),
        CheckConstraint("approvals_needed BETWEEN 1 AND 5", name="approvals_one_to_five"),
        CheckConstraint("revision >= 1 AND attempt >= 0", name="counts_in_bounds"),
        CheckConstraint("(purpose = 'settlement') = (milestone_id IS NULL)", name="milestone_or_settlement"),
    )

    number: str = Field(max_length=20, unique=True)
    purpose: PayoutPurpose = Field(sa_column=state_column(PayoutPurpose))
    project_id: UUID = Field(sa_type=Id, foreign_key="project.id", index=True)
    agreement_id: UUID = Field(sa_type=Id, foreign_key="agreement.id", index=True)
    milestone_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="milestone.id", index=True)
    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id")
    payee_account_id: UUID = Field(sa_type=Id, foreign_key="payee_account.id", index=True)
    amount_minor: int = Field(sa_column=minor_column())
    currency: str = Field(max_length=3)
    state: PayoutState = Field(sa_column=state_column(PayoutState))
    revision: int = 1
    """Raised by every amendment, send-back and bounce: what was approved before counts no more."""
    payload_hash: str = Field(max_length=64)
    evidence: list[str] = Field(default_factory=list, sa_type=JSONText)
    """Sorted SHA-256 of the files the request rests on."""
    requested_by: UUID | None = Field(default=None, sa_type=Id)
    amended_by: list[str] = Field(default_factory=list, sa_type=JSONText)
    """Person ids of those who changed it since: they count as requesters too."""
    approvals_needed: int
    is_director_needed: bool = False
    is_minute_needed: bool = False
    """Fixed with the count of approvals when it was asked for, as the tiers were then; it never becomes less."""
    minute_sha256: str | None = Field(default=None, max_length=64)
    """The committee's minute, where one is asked for."""
    attempt: int = 0
    """How often the bank was instructed."""
    complete_on: date | None = Field(default=None, sa_type=Day)
    """The day the request was complete: the payment term counts from it (F21)."""
    pay_by_on: date | None = Field(default=None, sa_type=Day)
    reason: str | None = Field(default=None, max_length=10000)
    paid_on: date | None = Field(default=None, sa_type=Day)
    created_at: datetime = Field(sa_type=UTCDateTime)


class Approval(Row, table=True):
    """A person's word on a payout, bound to the hash of what was seen. Append-only."""

    __table_args__ = (Index("ix_approval_payout_id", "payout_id"),)

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    payout_id: UUID = Field(sa_type=Id, foreign_key="payout.id")
    approver_id: UUID = Field(sa_type=Id)
    """The account that acted; segregation counts its person."""
    on_behalf_of_id: UUID | None = Field(default=None, sa_type=Id)
    decision: ApprovalDecision = Field(sa_column=state_column(ApprovalDecision))
    role: Role = Field(sa_column=state_column(Role))
    """In which role it was given; it counts while the person still holds it."""
    payload_hash: str = Field(max_length=64)
    called_back: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONText, sa_column_kwargs={"server_default": "{}"}
    )
    """Who called the firm back about a changed account, and when; empty where this word says nothing of it (F16)."""
    command_id: str = Field(max_length=255)
    at: datetime = Field(sa_type=UTCDateTime)


class PaymentBatch(Subject, table=True):
    """One payment file: its bytes are a pure function of this row and its instructions (`safety.md` 2.6)."""

    __table_args__ = (
        CheckConstraint("instruction_count BETWEEN 1 AND 500", name="instructions_in_bounds"),
        CheckConstraint("fence >= 0", name="fence_not_negative"),
    )

    number: str = Field(max_length=20, unique=True)
    msg_id: str = Field(max_length=35, unique=True)
    state: PaymentBatchState = Field(sa_column=state_column(PaymentBatchState, index=True))
    fund_id: UUID = Field(sa_type=Id, foreign_key="fund.id", index=True)
    format: str = Field(max_length=20)
    """`pain001` or `bank_excel`."""
    template: dict[str, Any] | None = Field(default=None, sa_type=JSONText)
    """Columns and words of the bank's workbooks, as they were when it was prepared; None for a message."""
    debtor_name: str = Field(max_length=140)
    debtor_account: str = Field(max_length=34)
    debtor_bank: str = Field(max_length=14)
    execution_on: date = Field(sa_type=Day)
    instruction_count: int
    total_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    file_name: str = Field(max_length=60, unique=True)
    file_sha256: str = Field(max_length=64)
    fence: int = 0
    answer_due_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class PaymentInstruction(Identified, table=True):
    """One attempt to pay one payout, with the account as it was then; the old one is dead for good before a next."""

    __table_args__ = (
        UniqueConstraint("payout_id", "attempt"),
        Index(
            "ux_payment_instruction_alive",
            "payout_id",
            unique=True,
            sqlite_where=text("status NOT IN ('rejected', 'returned', 'abandoned')"),
            postgresql_where=text("status NOT IN ('rejected', 'returned', 'abandoned')"),
        ),
        CheckConstraint("attempt >= 1", name="attempt_from_one"),
    )

    payout_id: UUID = Field(sa_type=Id, foreign_key="payout.id", index=True)
    batch_id: UUID = Field(sa_type=Id, foreign_key="payment_batch.id", index=True)
    attempt: int
    end_to_end_id: str = Field(max_length=35, unique=True)
    amount_minor: int = Field(sa_column=minor_column())
    currency: str = Field(max_length=3)
    holder_name: str = Field(max_length=140)
    account_number: str = Field(max_length=34)
    bank_code: str = Field(max_length=14)
    payee_hash: str = Field(max_length=64)
    payload_hash: str = Field(max_length=64)
    approvals_needed: int
    remittance: str = Field(max_length=140)
    status: InstructionStatus = Field(sa_column=state_column(InstructionStatus, index=True))
    why: str | None = Field(default=None, max_length=1000)
    """What the bank, or two people with its word, said when it was refused or came back."""
    created_at: datetime = Field(sa_type=UTCDateTime)
