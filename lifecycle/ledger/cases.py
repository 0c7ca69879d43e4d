"""Cases that wait for two people, and bookings that lie in suspense until somebody has said what they are."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Act, Stamp
from lifecycle.ledger.entries import Accounts, Sealed, entry
from models.holds import ExceptionCase
from models.ledger import Account, Posting
from models.reading import rows_by, table_of
from models.statements import BankEvent
from models.states import AccountKind, BankEffect, BankEventKind, BankSource, PostingKind

BANK_HOLDS = ("contradiction", "own_id_unknown", "position_differs")
"""Reasons of the holds that what the bank says puts on a fund."""
CONTRADICTIONS = (
    *("accepted_after_rejection", "settled_after_rejection", "rejected_after_settlement"),
    *("amount_differs", "paid_twice_by_bank", "returned_without_payment"),
)
"""Kinds of the cases about a payment of which the bank says what cannot be."""


def put_by_the_bank(holds: Iterable[Any]) -> tuple[Any, ...]:
    """Return those holds of a fund, not lifted, that the bank's word has put: one is enough for all its open cases.

    What a person holds the fund for is another matter, and ends without asking about these cases.
    """
    return tuple(row for row in holds if row.lifted_at is None and row.put_by is None and row.reason in BANK_HOLDS)


def holds_its_fund(case: Any) -> bool:
    """Say whether a case holds its fund until it is closed: a payment that cannot be, or a balance that differs."""
    return case.kind in BANK_HOLDS or (case.kind in CONTRADICTIONS and "payout" in case.facts)


def opened_case(kind: str, object_type: str, object_id: UUID, fund: Any, stamp: Stamp, **said: Any) -> Act:
    """Return the birth of a case that two people settle."""
    return Act(
        table=ExceptionCase,
        object_type="exception",
        id=stamp.new_id(),
        action="exception.open",
        values={
            "kind": kind,
            "object_type": object_type,
            "object_id": object_id,
            "fund_id": fund.id if fund is not None else None,
            "facts": said,
            "opened_at": stamp.now,
        },
        detail={"kind": kind, "about": object_type, "about_id": object_id, **said},
    )


def closed_cases(cases: Sequence[Any], stamp: Stamp) -> tuple[Act, ...]:
    """Return the acts that close cases which the bank's word has settled."""
    return tuple(
        Act(
            table=ExceptionCase,
            object_type="exception",
            id=row.id,
            action="exception.close",
            row=row,
            values={"closed_at": stamp.now},
            detail={"kind": row.kind},
        )
        for row in cases
    )


def explained_lines(session: Session, line_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those bookings of which two people, or the accountant, have said already what they are. One statement."""
    events = rows_by(session, BankEvent, "statement_line_id", line_ids)
    of_people = (BankEffect.APPLIED, BankSource.PEOPLE)
    return frozenset(
        line for line, rows in events.items() if any((row.effect, row.source) == of_people for row in rows)
    )


def set_aside_by(session: Session, line_ids: Collection[UUID]) -> dict[UUID, dict[str | None, int]]:
    """Return booking -> end-to-end id -> what of it lies in suspense still, in minor units, a debit negative.

    What no payment was named for stands under None. One statement.
    """
    posting, account, event = table_of(Posting), table_of(Account), table_of(BankEvent)
    line, end = event.c.statement_line_id, event.c.end_to_end_id
    statement = (
        select(line, end, func.sum(posting.c.amount_minor))
        .join_from(event, posting, posting.c.bank_event_seq == event.c.seq)
        .join(account, account.c.id == posting.c.account_id)
        .where(line.in_(list(line_ids)), account.c.kind == AccountKind.SUSPENSE)
        .group_by(line, end)
    )
    found: dict[UUID, dict[str | None, int]] = {}
    for line_id, end_to_end_id, amount in session.connection().execute(statement):
        found.setdefault(line_id, {})[end_to_end_id] = int(amount)
    return found


def set_aside_of(case: Any, aside: Mapping[UUID, Mapping[str | None, int]]) -> int:
    """Return what a case about a booking has set aside: that of the payment it speaks of, else what names none."""
    return aside.get(case.object_id, {}).get(case.facts.get("instruction"), 0)


def explained(line: Any, amount_minor: int, end_to_end_id: str | None) -> tuple[type[BankEvent], Mapping[str, Any]]:
    """Return what people say of a booking, or of its part for one payment: from here on it is no more set aside."""
    of_part = "" if end_to_end_id is None else f":{end_to_end_id}"
    return BankEvent, {
        "source": BankSource.PEOPLE,
        "bank_ref": line.bank_ref,
        "end_to_end_id": end_to_end_id,
        "instruction_id": None,
        "statement_line_id": line.id,
        "kind": BankEventKind.CREDIT if amount_minor > 0 else BankEventKind.DEBIT,
        "amount_minor": abs(amount_minor),
        "currency": line.currency,
        "content_hash": sha256(
            f"{line.content_hash}:{line.id}{of_part}"
        ),  # of two equal bookings each is explained once
        "effect": BankEffect.APPLIED,
    }


def out_of_suspense(line: Any, accounts: Accounts, new_id: Callable[[], UUID]) -> Sealed:
    """Return what says what a whole booking is, and the entry that takes what it had set aside out of suspense."""
    aside = entry(PostingKind.SUSPENSE, -line.amount_minor, accounts, new_id=new_id, is_of_bank_event=True)
    return (explained(line, line.amount_minor, None), *aside)
