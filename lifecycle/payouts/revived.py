"""Attempts of which the bank speaks as alive, held for dead here or lost by a restore: nothing is paid beside them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from lifecycle.payouts.facts import PayoutFacts
from lifecycle.payouts.matching import OWN_UNKNOWN
from lifecycle.payouts.own_ids import payout_named
from lifecycle.payouts.readers import payout_facts
from models.holds import ExceptionCase
from models.reading import table_of
from models.statements import StatementLine

REVIVED = ("accepted_after_rejection", "settled_after_rejection")
"""Kinds of the cases in which the bank says that an attempt of ours which was over may pay, or has paid."""


def instruct_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayoutFacts]:
    """Read what the last gate looks at: all of a payout, and the open cases about attempts that may have paid it."""
    found, case = payout_facts(session, tasks, stamp), table_of(ExceptionCase)
    statement = select(case.c.facts).where(
        case.c.fund_id.in_([task.fund.id for task in tasks]), case.c.kind.in_(REVIVED), case.c.closed_at.is_(None)
    )
    numbers = Counter(row.facts["payout"] for row in session.connection().execute(statement))
    numbers.update(_lost(session, tasks))
    return [replace(one, revived_count=numbers[one.payout.number]) for one in found]


def _lost(session: Session, tasks: Sequence[Task[Any]]) -> Iterator[str]:
    """Yield the numbers of payouts that bookings name under ids of ours which nothing here has. One statement."""
    case, line = table_of(ExceptionCase), table_of(StatementLine)
    statement = (
        select(line.c.details)
        .join(case, case.c.object_id == line.c.id)
        .where(
            case.c.fund_id.in_([task.fund.id for task in tasks]),
            case.c.kind == OWN_UNKNOWN,
            case.c.closed_at.is_(None),
        )
    )
    for row in session.connection().execute(statement):
        yield from filter(None, map(payout_named, row.details.get("end_to_end_ids", ())))
