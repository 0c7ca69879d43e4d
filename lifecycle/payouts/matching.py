"""What each line of a statement means for our instructions: matched, known already, or a case for two people. Pure.

A line is explained whole or not at all: what is applied from it adds up to the line (invariant I20).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.banking.answers import Detail, StatementLine
from lifecycle.banking.own_ids import is_own
from lifecycle.canonical import sha256
from models.states import BankEventKind, LineStatus

OWN_UNKNOWN = "own_id_unknown"
"""An id that only we give, and no instruction has it: paid by what was lost when the database was restored."""

OTHER_ACCOUNT = "account_differs"
FEE_NOT_COVERED = "fee_not_covered"
"""A fee that the fund has not the money for: set aside until two people write it off, or it has."""
ENTERED_ALONE = "entered_alone"
"""Money that went out, or came from nobody, on the word of one accountant: two people look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a line says of one instruction; without one it is a fee of the account itself."""

    kind: BankEventKind
    amount_minor: int
    """Positive, in minor units."""
    instruction: Any = None
    bank_ref: str | None = None
    """The bank's own reference of this part of the line."""

    @property
    def signed_minor(self) -> int:
        """What it adds to the bank account."""
        gives = self.kind in (BankEventKind.RETURN, BankEventKind.CREDIT)
        return self.amount_minor if gives else -self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What became of one line."""

    line: StatementLine
    status: LineStatus
    intents: tuple[Intent, ...] = ()
    exception: str | None = None
    place: int = 1
    """Which one it is of the equal bookings of its statement."""

    @property
    def booking_hash(self) -> str:
        """Name the booking: of several equal ones each has a name of its own, in every statement the same."""
        own = self.line.content_hash
        return own if self.place == 1 else sha256(f"{own}#{self.place}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What is known of the fund's instructions and earlier lines, as far as these lines speak of it."""

    currency: str
    by_end_to_end: Mapping[str, Any] = field(default_factory=dict)
    by_message: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Message id -> the instructions of that batch."""
    elsewhere: frozenset[str] = frozenset()
    """End-to-end ids of payments of other funds, and message ids of their batches."""
    known: Mapping[str, int] = field(default_factory=dict)
    """Content hash -> how often other statements have booked it."""
    alike: Mapping[Any, int] = field(default_factory=dict)
    """`likeness` of a booking with a reference -> how often other statements have booked it, in whatever words."""
    contributions: Mapping[tuple[str | None, int], bool] = field(default_factory=dict)
    """Reference and signed amount of money that was entered by hand, is in the ledger already, and no other line is;
    whether the word of one person is enough for it."""


def match(lines: Sequence[StatementLine], register: Register, *, seen: Counter[Any] | None = None) -> list[Match]:
    """Return what each booked line means; what is only pending or told for information is passed over.

    `seen` counts the bookings of one statement by their hash and `likeness`, through all the parts in which it is read.
    What channels say of an instruction in other words is compared where it is learned.
    """
    seen = Counter() if seen is None else seen
    entered = dict(register.contributions)
    found = []
    for line in lines:
        if not line.is_booking:
            continue
        _, alike = names = names_of(line)
        seen.update(names)
        place = seen[line.content_hash]
        one = Match(line=line, status=LineStatus.DUPLICATE)
        if place > register.known.get(line.content_hash, 0):
            meant = _meant(line, register, entered)
            is_told = seen[alike] <= register.alike.get(alike, 0) and _is_of_the_account(meant)
            one = one if is_told else meant
        found.append(replace(one, place=place))
    return found


def names_of(line: StatementLine) -> tuple[Any, Any]:
    """Return what counts the equal bookings of one statement: the hash of a line and its `likeness`."""
    return line.content_hash, likeness(line)


def likeness(line: Any) -> tuple[str | None, int, str, date | None]:
    """Return what every channel says of a booking in the same words: reference, signed amount, currency and day."""
    return line.bank_ref, line.amount_minor, line.currency, line.booked_on


def _is_of_the_account(found: Match) -> bool:
    """Say whether a line speaks of no instruction; that one was paid to another account is heard from each channel."""
    return found.exception != OTHER_ACCOUNT and all(one.instruction is None for one in found.intents)


def _meant(line: StatementLine, register: Register, entered: dict[tuple[str | None, int], bool]) -> Match:
    """Money that is in the ledger already moves nothing again, and one contribution is one line.

    What names a payment of ours is no contribution: nobody enters alone what comes back of it.
    """
    if line.currency != register.currency:
        return _case(line, "foreign_currency")
    is_enough = None if _names_ours(line) else entered.pop((line.bank_ref, line.amount_minor), None)
    if is_enough is None:
        return _explained(line, register)
    if is_enough:
        return Match(line=line, status=LineStatus.MATCHED)
    return Match(line=line, status=LineStatus.EXCEPTION, exception=ENTERED_ALONE)


def _names_ours(line: StatementLine) -> bool:
    ids = {one.end_to_end_id for one in line.details} | {one.msg_id for one in line.details}
    ids |= {one.msg_id for one in line.batches}
    return any(one is not None and is_own(one) for one in ids)


def _explained(line: StatementLine, register: Register) -> Match:
    intents, exception = _intents(line, register)
    if exception is None and intents and sum(intent.signed_minor for intent in intents) != line.amount_minor:
        exception = "amount_differs"
    if exception is not None or not intents:
        return _case(line, exception or "unmatched")
    return Match(line=line, status=LineStatus.MATCHED, intents=tuple(intents))


def _case(line: StatementLine, code: str) -> Match:
    """A line that nothing explains: its whole amount is set aside until two people say what it is."""
    kind = BankEventKind.CREDIT if line.amount_minor > 0 else BankEventKind.DEBIT
    intents = (Intent(kind=kind, amount_minor=abs(line.amount_minor)),) if line.amount_minor else ()
    return Match(line=line, status=LineStatus.EXCEPTION, intents=intents, exception=code)


def _intents(line: StatementLine, register: Register) -> tuple[list[Intent], str | None]:
    named = [one for one in line.details if one.end_to_end_id]
    if not named:
        return _without_ids(line, register)
    if len(named) != len(line.details):
        return [], "partly_named"
    found = []
    for one in named:
        instruction = register.by_end_to_end.get(one.end_to_end_id or "")
        if instruction is None:
            return [], _unknown(one.end_to_end_id or "", register)
        found.append(_of_detail(line, one, instruction))
        if found[-1].kind == BankEventKind.SETTLE and _went_elsewhere(one, instruction):
            return [], OTHER_ACCOUNT
    charges = _charges_beside(line, found)
    return [*found, *charges], None


def _unknown(end_to_end_id: str, register: Register) -> str:
    """Return what an id is that nothing of this fund has: another fund's, a lost one of ours, or strange."""
    if end_to_end_id in register.elsewhere:
        return "of_another_fund"
    return OWN_UNKNOWN if is_own(end_to_end_id) else "end_to_end_id_unknown"


def _went_elsewhere(detail: Detail, instruction: Any) -> bool:
    """Say whether the bank names another account than the one instructed; one that it masks says nothing."""
    named = detail.counterparty_account or ""
    return bool(_letters(named)) and "*" not in named and _letters(named) != _letters(instruction.account_number)


def _letters(number: str) -> str:
    return "".join(one for one in number.upper() if one.isalnum())


def _of_detail(line: StatementLine, detail: Detail, instruction: Any) -> Intent:
    """One transfer behind a line: money that left is a settlement, money that came back a return."""
    alone = len(line.details) == 1 and not line.charges and not detail.charges
    own = detail.amount_minor if detail.amount_minor is not None and detail.currency == line.currency else None
    amount = line.amount_minor if own is None or alone else own
    came_back = line.amount_minor > 0 or (detail.is_return and amount > 0)
    kind = BankEventKind.RETURN if came_back else BankEventKind.SETTLE
    return Intent(kind=kind, amount_minor=abs(amount), instruction=instruction, bank_ref=detail.bank_ref)


def _charges_beside(line: StatementLine, found: Sequence[Intent]) -> list[Intent]:
    """A fee that the bank took out of the same line: named by it, and exactly what the details do not explain."""
    missing = line.amount_minor - sum(intent.signed_minor for intent in found)
    if missing >= 0 or -missing != abs(line.charges_minor):
        return []
    return [replace(found[0], kind=BankEventKind.FEE, amount_minor=-missing)]


def _without_ids(line: StatementLine, register: Register) -> tuple[list[Intent], str | None]:
    """A line for a whole batch without its parts, or a fee of the account."""
    if line.is_fee and line.amount_minor < 0:
        return [Intent(kind=BankEventKind.FEE, amount_minor=-line.amount_minor)], None
    messages = {mark.msg_id for mark in line.batches} | {one.msg_id for one in line.details}
    known = [register.by_message[one] for one in messages if one is not None and one in register.by_message]
    unknown = [one for one in messages if one is not None and one not in register.by_message]
    strange = next((one for one in sorted(unknown) if one in register.elsewhere or is_own(one)), None)
    if strange is not None:
        return [], _unknown(strange, register)
    if len(known) != 1 or line.amount_minor > 0:
        return [], None
    rows = known[0]
    if sum(row.amount_minor for row in rows) != -line.amount_minor:
        return [], "batch_amount_differs"
    return [Intent(kind=BankEventKind.SETTLE, amount_minor=row.amount_minor, instruction=row) for row in rows], None


def ids_named(lines: Sequence[StatementLine]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the end-to-end ids and the message ids that these lines speak of."""
    ends = {one.end_to_end_id for line in lines for one in line.details if one.end_to_end_id}
    messages = {mark.msg_id for line in lines for mark in line.batches if mark.msg_id}
    messages |= {one.msg_id for line in lines for one in line.details if one.msg_id and not one.end_to_end_id}
    return frozenset(ends), frozenset(messages)


def line_row(found: Match, statement_id: UUID, row_id: UUID, place: int) -> dict[str, Any]:
    """Return the stored form of a line."""
    line = found.line
    first = line.details[0] if line.details else None
    return {
        "id": row_id,
        "statement_id": statement_id,
        "line_ref": f"{place:06d}" if not line.line_ref else f"{place:06d}:{line.line_ref}"[:140],
        "amount_minor": line.amount_minor,
        "currency": line.currency,
        "booked_on": line.booked_on,
        "bank_ref": line.bank_ref,
        "counterparty": (first.counterparty_name or first.counterparty_account) if first is not None else None,
        "details": {
            "end_to_end_ids": [one.end_to_end_id for one in line.details if one.end_to_end_id],
            "messages": [mark.msg_id for mark in line.batches if mark.msg_id],
            "note": line.note,
            "return_reasons": [one.return_code or one.return_reason for one in line.details if one.is_return],
        },
        "content_hash": line.content_hash,
        "status": found.status,
    }
