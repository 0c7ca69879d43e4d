"""Attempts that were held for dead and of which the bank then spoke as alive: nothing is paid beside them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from lifecycle.payouts.facts import PayoutFacts
from lifecycle.payouts.readers import payout_facts
from models.holds import ExceptionCase
from models.reading import table_of

REVIVED = ("accepted_after_rejection", "settled_after_rejection")
"""Kinds of the cases in which the bank says that an attempt of ours which was over may pay, or has paid."""


def instruct_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayoutFacts]:
    """Read what the last gate looks at: all of a payout, and the open cases about an attempt that may have revived."""
    found, case = payout_facts(session, tasks, stamp), table_of(ExceptionCase)
    statement = select(case.c.facts).where(
        case.c.fund_id.in_([task.fund.id for task in tasks]), case.c.kind.in_(REVIVED), case.c.closed_at.is_(None)
    )
    numbers = Counter(row.facts["payout"] for row in session.connection().execute(statement))
    return [replace(one, revived_count=numbers[one.payout.number]) for one in found]
