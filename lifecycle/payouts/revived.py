"""Attempts of which the bank speaks as alive, held for dead here or lost by a restore: nothing is paid beside them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.banking.own_ids import payout_named
from lifecycle.commands import Stamp, Task
from lifecycle.payouts.facts import PayoutFacts
from lifecycle.payouts.matching import OWN_UNKNOWN
from lifecycle.payouts.readers import payout_facts
from models.holds import ExceptionCase
from models.payouts import Payout
from models.reading import table_of
from models.statements import StatementLine

REVIVED = ("accepted_after_rejection", "settled_after_rejection")
"""Kinds of the cases in which the bank says that an attempt of ours which was over may pay, or has paid."""


def instruct_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayoutFacts]:
    """Read what the last gate looks at: all of a payout, and the open cases about attempts that may have paid it.

    An attempt to pay an earlier payout of the same tranche, cancelled since, pays the tranche all the same.
    """
    found, case = payout_facts(session, tasks, stamp), table_of(ExceptionCase)
    statement = select(case.c.facts).where(
        case.c.fund_id.in_([task.fund.id for task in tasks]), case.c.kind.in_(REVIVED), case.c.closed_at.is_(None)
    )
    numbers = Counter(row.facts["payout"] for row in session.connection().execute(statement))
    numbers.update(_lost(session, tasks))
    revived = _by_tranche(session, numbers)
    return [replace(one, revived_count=revived[_tranche(one.payout)]) for one in found]


Tranche: TypeAlias = tuple[UUID, UUID | None]
"""Agreement and milestone; of a settlement no milestone."""


def _tranche(payout: Any) -> Tranche:
    return payout.agreement_id, payout.milestone_id


def _by_tranche(session: Session, numbers: Counter[str]) -> Counter[Tranche]:
    """Return tranche -> how many such cases name a payout of it. One statement, none without cases."""
    found: Counter[Tranche] = Counter()
    if not numbers:
        return found
    payout = table_of(Payout)
    statement = select(payout.c.number, payout.c.agreement_id, payout.c.milestone_id)
    for row in session.connection().execute(statement.where(payout.c.number.in_(list(numbers)))):
        found[_tranche(row)] += numbers[row.number]
    return found


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
