"""What a bank answers, whatever the format: the status of what was ordered, and statements with their lines."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from lifecycle.canonical import canonical_of_json, sha256


class Source(StrEnum):
    """Where an answer came from, in the words of `v_bank_event.source`."""

    PAIN_002 = "pain002"
    CAMT_053 = "camt053"
    CAMT_054 = "camt054"
    CSV = "csv"
    BANK_EXCEL = "bank_excel"


class Status(StrEnum):
    """What the bank says of an order; messages say `accepted` at most, for a booking is said by a statement."""

    BOOKED = "booked"
    """Said by a result workbook, with the day."""
    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"
    PART = "part"
    """Of a group only: ask each transfer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWord:
    """One status with the bank's own code and its reasons."""

    status: Status
    code: str
    reason_code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStatus:
    """What the bank says of one transfer, by our end-to-end id."""

    end_to_end_id: str
    word: StatusWord


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """What the bank says of one message of ours (pain.002)."""

    report_id: str
    original_msg_id: str
    original_kind: str
    original_count: int | None
    original_sum: str | None
    """Decimal text: the report does not say in which currency."""
    group: StatusWord | None
    payments: tuple[tuple[str, StatusWord], ...]
    """Status of a whole payment block (`PmtInf`), by its id; in files of ours it is the message id."""
    transfers: tuple[TransferStatus, ...]

    def of(self, end_to_end_id: str, payment_id: str) -> StatusWord | None:
        """Return what is said of one transfer: its own word, else that of its payment block, else of the message.

        None where nothing is said of it: a group that is accepted in part says nothing of a transfer not named.
        """
        own = next((one.word for one in self.transfers if one.end_to_end_id == end_to_end_id), None)
        block = next((word for ref, word in self.payments if ref == payment_id), None)
        found = own or block or self.group
        return None if found is None or found.status is Status.PART else found


class EntryStatus(StrEnum):
    """Whether a line of a statement is a booking."""

    BOOKED = "booked"
    PENDING = "pending"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A fee that the bank took; debit negative."""

    amount_minor: int
    currency: str

    def facts(self) -> list[Any]:
        """Return its facts in their order, for the hash of the line."""
        return [self.amount_minor, self.currency]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One transfer behind a line; a line has one, none, or as many as the batch that it stands for."""

    end_to_end_id: str | None
    """Of a return: the id of the payment that came back."""
    amount_minor: int | None
    """Signed, debit negative; None where the bank gives no amount of its own."""
    currency: str | None
    msg_id: str | None = None
    payment_id: str | None = None
    bank_ref: str | None = None
    counterparty_account: str | None = None
    counterparty_name: str | None = None
    remittance: str | None = None
    is_return: bool = False
    return_code: str | None = None
    return_reason: str | None = None
    charges: tuple[Charge, ...] = ()

    def facts(self) -> list[Any]:
        """Return its facts in their order, for the hash of the line."""
        charges = [one.facts() for one in self.charges]
        return [
            *(self.end_to_end_id, self.amount_minor, self.currency, self.msg_id, self.payment_id, self.bank_ref),
            *(self.counterparty_account, self.counterparty_name, self.remittance),
            *(self.is_return, self.return_code, self.return_reason, charges),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMark:
    """A line stands for a batch of ours (`NtryDtls/Btch`)."""

    msg_id: str | None
    payment_id: str | None
    count: int | None
    total_minor: int | None
    currency: str | None

    def facts(self) -> list[Any]:
        """Return its facts in their order, for the hash of the line."""
        return [self.msg_id, self.payment_id, self.count, self.total_minor, self.currency]


FEES = frozenset({"CHRG", "COMM", "FEES"})
"""Sub-families of bank transaction codes that are charges by themselves (ISO 20022 external code set)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One entry of a statement. Only a booked one moved money."""

    position: int
    """From 1 within its statement."""
    line_ref: str | None
    """The bank's reference of the line (`NtryRef`); it may be absent or a mere number."""
    status: EntryStatus
    amount_minor: int
    """Signed, debit negative."""
    currency: str
    booked_on: date | None
    valued_on: date | None = None
    bank_ref: str | None = None
    transaction_code: str | None = None
    is_reversal: bool = False
    batches: tuple[BatchMark, ...] = ()
    details: tuple[Detail, ...] = ()
    charges: tuple[Charge, ...] = ()
    note: str | None = None
    content_hash: str

    @property
    def is_booking(self) -> bool:
        """Say whether money moved."""
        return self.status is EntryStatus.BOOKED

    @property
    def is_fee(self) -> bool:
        """Say whether the bank's own code calls the whole line a charge."""
        return (self.transaction_code or "").rpartition("/")[2] in FEES

    @property
    def is_return(self) -> bool:
        """Say whether the line, or a part of it, gives back what was paid."""
        return any(one.is_return for one in self.details)

    @property
    def details_minor(self) -> int | None:
        """The sum of the details in the line's currency; None where one has no amount or another currency."""
        total = 0
        for one in self.details:
            if one.amount_minor is None or one.currency != self.currency:
                return None
            total += one.amount_minor
        return total if self.details else None

    @property
    def charges_minor(self) -> int:
        """The sum of the charges in the line's currency, debit negative, of the line and of its details."""
        every = (*self.charges, *(charge for one in self.details for charge in one.charges))
        return sum(one.amount_minor for one in every if one.currency == self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts and sums that a statement states of its own entries; None where it states none."""

    count: int | None = None
    sum_minor: int | None = None
    net_minor: int | None = None
    credit_count: int | None = None
    credit_minor: int | None = None
    debit_count: int | None = None
    debit_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The head of a statement; its lines follow it."""

    source: Source
    element: str
    """Where it stands in the file."""
    account_number: str | None
    statement_ref: str | None
    sequence: int | None
    """The bank's own number; a gap means that a statement is missing."""
    currency: str | None
    opening_minor: int | None = None
    closing_minor: int | None = None
    opening_currency: str | None = None
    closing_currency: str | None = None
    from_on: date | None = None
    to_on: date | None = None
    is_copy: bool = False
    """The bank marks it as a copy or duplicate of one sent before."""
    totals: Totals = Totals()


def content_hash(account_number: str | None, **parts: Any) -> str:
    """Return the SHA-256 of the canonical JSON of what makes a booking.

    The account and every fact of the entry, but no reference of the statement or place in it: the same booking in two
    overlapping statements hashes alike.
    """
    facts: dict[str, Any] = {"account_number": account_number}
    for name, value in parts.items():
        if type(value) is tuple:
            facts[name] = [one.facts() for one in value]
        else:
            facts[name] = value.isoformat() if type(value) is date else value
    return sha256(canonical_of_json(facts))
