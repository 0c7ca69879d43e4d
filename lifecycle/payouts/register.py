"""What is known of the payments and bookings that lines of a statement speak of, read before they are matched."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, union
from sqlmodel import Session

from lifecycle.banking.answers import StatementLine as BankLine
from lifecycle.payouts.matching import Register, ids_named, likeness
from models.funds import Contribution
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import table_of
from models.statements import BankStatement, StatementLine
from models.states import (
    LineStatus,
)


def register_of(session: Session, fund: Any, lines: Sequence[BankLine], statement_id: UUID) -> Register:
    """Read what is known of the instructions and bookings that these lines speak of."""
    ends, messages = ids_named(lines)
    instruction, batch = table_of(PaymentInstruction), table_of(PaymentBatch)
    found = select(instruction, batch.c.msg_id, batch.c.fund_id).join(batch, batch.c.id == instruction.c.batch_id)
    named = found.where(instruction.c.end_to_end_id.in_(list(ends)))
    whole = found.where(batch.c.msg_id.in_(list(messages)))
    by_end: dict[str, Any] = {}
    by_message: dict[str, list[Any]] = {}
    elsewhere = set()
    for row in session.connection().execute(named.union(whole).order_by("end_to_end_id")):
        if row.fund_id != fund.id:
            elsewhere |= {row.end_to_end_id, row.msg_id}
            continue
        by_end[row.end_to_end_id] = row
        by_message.setdefault(row.msg_id, []).append(row)
    return Register(
        currency=fund.currency,
        by_end_to_end=by_end,
        by_message=by_message,
        elsewhere=frozenset(elsewhere),
        contributions=_contributions(session, lines, fund),
        **_known_bookings(session, lines, fund, statement_id),
    )


def _contributions(session: Session, lines: Sequence[BankLine], fund: Any) -> Mapping[tuple[str | None, int], bool]:
    """Return what was entered by hand under the references of these lines and is no line yet. One statement.

    By reference and amount, with whether one accountant's word is enough: it is of money that an investor paid in.
    """
    entered, line, statement = table_of(Contribution), table_of(StatementLine), table_of(BankStatement)
    refs = {one.bank_ref for one in lines if one.bank_ref is not None}
    told = (
        select(line.c.id)
        .join(statement, statement.c.id == line.c.statement_id)
        .where(
            statement.c.fund_id == fund.id,
            line.c.bank_ref == entered.c.bank_ref,
            line.c.amount_minor == entered.c.amount_minor,
            line.c.currency == fund.currency,
            line.c.status != LineStatus.DUPLICATE,
        )
    )
    left = select(entered.c.bank_ref, entered.c.amount_minor, entered.c.source_id).where(
        entered.c.fund_id == fund.id, entered.c.bank_ref.in_(list(refs)), ~told.exists()
    )
    return {
        (row.bank_ref, row.amount_minor): row.source_id is not None and row.amount_minor > 0
        for row in session.connection().execute(left)
    }


def _known_bookings(
    session: Session, lines: Sequence[BankLine], fund: Any, statement_id: UUID
) -> dict[str, Mapping[Any, int]]:
    """Return how often another statement of this account has booked each line, at the most. One statement.

    By its hash, and by its likeness where it has a reference.
    """
    line, statement = table_of(StatementLine), table_of(BankStatement)
    hashes, refs = {one.content_hash for one in lines}, {one.bank_ref for one in lines if one.bank_ref}
    # Two ways to the same rows, each by its index, and the fund is looked at afterwards: asked for in the same breath,
    # SQLite begins with it and walks through all lines that it ever had.
    alike_ids = union(
        select(line.c.id).where(line.c.content_hash.in_(list(hashes))),
        select(line.c.id).where(line.c.bank_ref.in_(list(refs))),
    )
    said = (line.c.content_hash, line.c.bank_ref, line.c.amount_minor, line.c.currency, line.c.booked_on)
    counted = (
        select(line.c.statement_id, statement.c.fund_id, *said, func.count().label("times"))
        .join(statement, statement.c.id == line.c.statement_id)
        .where(
            line.c.id.in_(alike_ids),
            line.c.statement_id != statement_id,
        )
        .group_by(line.c.statement_id, statement.c.fund_id, *said)
    )
    known, alike = Counter[Any](), Counter[Any]()
    for row in session.connection().execute(counted):
        if row.fund_id != fund.id:
            continue
        known[row.statement_id, row.content_hash] += row.times
        if row.bank_ref:
            alike[row.statement_id, likeness(row)] += row.times
    return {"known": _most(known), "alike": _most(alike)}


def _most(counted: Counter[Any]) -> Mapping[Any, int]:
    most: dict[Any, int] = {}
    for (_, what), times in counted.items():
        most[what] = max(most.get(what, 0), times)
    return most
