"""The ledger: accounts with their kept balance, and postings that only grow; double entry, integer minor units."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Row
from models.states import AccountKind, PostingKind
from models.types import Id, UTCDateTime, state_column


class Account(Identified, table=True):
    """Four accounts per fund, two shared per currency; `check` compares the kept balance with the postings."""

    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("floor_minor IS NULL OR balance_minor >= floor_minor", name="floor"),
        CheckConstraint("(kind IN ('external', 'suspense')) = (fund_id IS NULL)", name="shared_or_of_a_fund"),
    )

    code: str = Field(max_length=80)
    kind: AccountKind = Field(sa_column=state_column(AccountKind, index=True))
    fund_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="fund.id", index=True)
    currency: str = Field(max_length=3)
    balance_minor: int = Field(default=0, sa_type=BigInteger)
    floor_minor: int | None = Field(default=None, sa_type=BigInteger)
    """0 for what a fund has; none for what is shared."""


class Posting(Row, table=True):
    """One line of an entry: the change of one account. The lines of an entry sum to zero. Append-only."""

    __table_args__ = (
        Index("ix_posting_account_id_seq", "account_id", "seq"),
        Index("ix_posting_entry_id", "entry_id"),
        Index("ix_posting_payout_id", "payout_id"),
        CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    )

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    entry_id: UUID = Field(sa_type=Id)
    account_id: UUID = Field(sa_type=Id, foreign_key="account.id")
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    kind: PostingKind = Field(sa_column=state_column(PostingKind))
    payout_id: UUID | None = Field(default=None, sa_type=Id)
    bank_event_seq: int | None = Field(default=None, sa_type=BigInteger)
    at: datetime = Field(sa_type=UTCDateTime)
