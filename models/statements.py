"""What the bank said: statements, their lines, and what each line means for one instruction."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Identified, Row, Subject
from models.states import BankEffect, BankEventKind, BankSource, LineStatus, StatementStatus
from models.types import Day, Id, JSONText, UTCDateTime, minor_column, state_column


class BankStatement(Subject, table=True):
    """A file of the bank, taken once by its SHA-256; one file may hold several statements."""

    __table_args__ = (
        UniqueConstraint("file_sha256", "statement_ref"),
        Index("ix_bank_statement_account_number", "account_number", "booked_until_on"),
    )

    source: BankSource | None = Field(default=None, sa_column=state_column(BankSource, nullable=True))
    """None for a file in quarantine."""
    account_number: str = Field(max_length=34)
    fund_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="fund.id", index=True)
    """The fund whose bank account it speaks of; none for an account that no fund has."""
    statement_ref: str = Field(max_length=140)
    sequence_no: int | None = Field(default=None, sa_type=BigInteger)
    opening_minor: int | None = Field(default=None, sa_type=BigInteger)
    closing_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    booked_from_on: date | None = Field(default=None, sa_type=Day)
    booked_until_on: date | None = Field(default=None, sa_type=Day)
    file_name: str = Field(max_length=200)
    file_sha256: str = Field(max_length=64, index=True)
    status: StatementStatus = Field(sa_column=state_column(StatementStatus))
    is_to_compare: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Its balance waits to be compared until every file of its fund that came in several parts is whole."""
    refusal: dict[str, Any] | None = Field(default=None, sa_type=JSONText)
    """Why it lies in quarantine: code, element and rule."""
    at: datetime = Field(sa_type=UTCDateTime)


class StatementLine(Identified, table=True):
    """One booking of a statement; it ends matched, as a duplicate, or before two people."""

    __table_args__ = (
        UniqueConstraint("statement_id", "line_ref"),
        Index("ix_statement_line_content_hash", "content_hash"),
        Index("ix_statement_line_bank_ref", "bank_ref"),
        Index("ix_statement_line_status", "status"),
    )

    statement_id: UUID = Field(sa_type=Id, foreign_key="bank_statement.id", index=True)
    line_ref: str = Field(max_length=140)
    amount_minor: int = Field(sa_type=BigInteger)
    """Signed: a debit is negative."""
    currency: str = Field(max_length=3)
    booked_on: date = Field(sa_type=Day)
    bank_ref: str | None = Field(default=None, max_length=140)
    counterparty: str | None = Field(default=None, max_length=200)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    """What the line names: end-to-end ids with their amounts, the batch, charges, the reason of a return."""
    content_hash: str = Field(max_length=64)
    status: LineStatus = Field(sa_column=state_column(LineStatus))
    at: datetime = Field(sa_type=UTCDateTime)


class BankEvent(Row, table=True):
    """What one line, or one status, says of one instruction; recorded, never refused. Append-only."""

    __table_args__ = (
        Index("ix_bank_event_instruction_id", "instruction_id"),
        Index("ix_bank_event_statement_line_id", "statement_line_id"),
        UniqueConstraint("source", "bank_ref", "kind", "instruction_id", "content_hash"),
    )

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    source: BankSource = Field(sa_column=state_column(BankSource))
    bank_ref: str | None = Field(default=None, max_length=140)
    end_to_end_id: str | None = Field(default=None, max_length=35)
    instruction_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="payment_instruction.id")
    statement_line_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="statement_line.id")
    kind: BankEventKind = Field(sa_column=state_column(BankEventKind))
    amount_minor: int = Field(sa_column=minor_column(minimum=0))
    currency: str = Field(max_length=3)
    content_hash: str = Field(max_length=64)
    effect: BankEffect = Field(sa_column=state_column(BankEffect))
    at: datetime = Field(sa_type=UTCDateTime)
