"""What a firm is told of money that it waits for: whose approval is still to come, how long its fund usually takes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from models.funds import Fund
from models.payouts import Approval, Payout
from models.reading import table_of
from models.states import ApprovalDecision, PayoutState

LEAST = 10
"""Payments of a fund below which nobody is told how long they usually take."""
LOOKED_BACK = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How long a fund takes to pay."""

    days: int
    """Median working days from the complete request to the booking."""
    n: int
    """Payments that it was counted from."""


def approvals_given(session: Session, payout_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return payout -> how many people have passed it as it is now; words on what it was before are void."""
    word, payout = table_of(Approval), table_of(Payout)
    standing = (word.c.payload_hash == payout.c.payload_hash, word.c.decision == ApprovalDecision.APPROVE)
    statement = (
        select(word.c.payout_id, func.count())
        .join(payout, payout.c.id == word.c.payout_id)
        .where(word.c.payout_id.in_(payout_ids), *standing)
        .group_by(word.c.payout_id)
    )
    return dict(session.execute(statement).tuples().all()) if payout_ids else {}


def given(words: Sequence[Mapping[str, Any]], *, until: datetime | None = None) -> int:
    """Return the same of one payout from its `words` (`payouts.queries.payout`), until an instant if one is named."""
    counted = (one for one in words if one["is_valid"] and one["decision"] == ApprovalDecision.APPROVE)
    return len({one["approver_id"] for one in counted if until is None or one["at"] <= until})


def usual(session: Session, funds: Collection[str], calendar: Calendar, *, today: date) -> dict[str, Usual]:
    """Return code -> how long a fund took to pay in the last year, where it paid often enough to say. One statement."""
    payout, fund = table_of(Payout), table_of(Fund)
    days = (fund.c.code, payout.c.complete_on, payout.c.paid_on)
    statement = (
        select(*days, func.count().label("times"))
        .join_from(payout, fund, fund.c.id == payout.c.fund_id)
        .where(fund.c.code.in_(funds), payout.c.state == PayoutState.PAID)
        .where(payout.c.complete_on.is_not(None), payout.c.paid_on > today - LOOKED_BACK)
        .group_by(*days)
    )
    taken: dict[str, list[int]] = {}
    for row in session.execute(statement) if funds else ():
        spent = calendar.working_days_between(row.complete_on, row.paid_on)
        taken.setdefault(row.code, []).extend([spent] * row.times)
    return {code: Usual(days=round(median(each)), n=len(each)) for code, each in taken.items() if len(each) >= LEAST}
