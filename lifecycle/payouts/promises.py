"""How the promise of payment is kept (F21): of each payout, and counted by fund and month or quarter of the request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from itertools import groupby
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.payouts.terms import Keeping, promise_of
from models.funds import Fund
from models.payouts import Payout
from models.reading import table_of
from models.states import PayoutState

_COUNTED = {
    Keeping.KEPT: "paid_in_time",
    Keeping.BROKEN: "paid_late",
    Keeping.RUNNING: "still_open",
    Keeping.OVERDUE: "open_overdue",
    Keeping.VOID: "ended_unpaid",
}
_MONTHS_OF_A_QUARTER = 3


class Period(StrEnum):
    """What a report adds up."""

    MONTH = "month"
    QUARTER = "quarter"


def promise_row(row: Mapping[str, Any], today: date, calendar: Calendar) -> dict[str, Any]:
    """Return what a list says of one payout's promise, or nothing where its request was never complete."""
    complete_on, pay_by_on = row["complete_on"], row["pay_by_on"]
    if complete_on is None or pay_by_on is None:
        return {"promise": None, "days_left": None, "days_taken": None, "days_late": 0, "is_provisional": False}
    state = PayoutState(row["state"])
    seen = promise_of(state, complete_on=complete_on, pay_by_on=pay_by_on, paid_on=row["paid_on"], today=today)
    said = asdict(seen)
    return {"promise": said.pop("keeping"), **said, "is_provisional": calendar.is_provisional(pay_by_on)}


def period_of(day: date, period: Period) -> str:
    """Return the name of the period that a day lies in: `2026-05`, `2026-Q2`."""
    if period == Period.MONTH:
        return f"{day:%Y-%m}"
    return f"{day.year}-Q{(day.month - 1) // _MONTHS_OF_A_QUARTER + 1}"


def terms(
    session: Session, *, period: Period, today: date, calendar: Calendar, fund_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Return by fund and period of the complete request: how many were asked for, paid in time, paid late, are open.

    Median and longest are calendar days from the complete request to the booking; of what is open to today. One
    statement.
    """
    payout, fund = table_of(Payout), table_of(Fund)
    shown = (payout.c.complete_on, payout.c.pay_by_on, payout.c.paid_on, payout.c.state)
    statement = (
        select(*shown, payout.c.amount_minor, fund.c.code.label("fund"), fund.c.currency)
        .join(fund, fund.c.id == payout.c.fund_id)
        .where(payout.c.complete_on.is_not(None))
        .order_by(fund.c.code, payout.c.complete_on)
    )
    if fund_id is not None:
        statement = statement.where(payout.c.fund_id == fund_id)
    rows = [dict(row._mapping) for row in session.execute(statement)]  # noqa: SLF001 - the documented name
    seen = [{**row, **promise_row(row, today, calendar)} for row in rows]
    grouped = groupby(seen, key=lambda row: (row["fund"], row["currency"], period_of(row["complete_on"], period)))
    return [
        {"fund": code, "currency": currency, "period": name, **_counted(list(group))}
        for (code, currency, name), group in grouped
    ]


def _counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    by_promise = [_COUNTED[row["promise"]] for row in rows]
    paid = [row for row in rows if row["promise"] in (Keeping.KEPT, Keeping.BROKEN)]
    late = [row for row in rows if row["days_late"]]
    return {
        "asked": len(rows),
        **{name: by_promise.count(name) for name in _COUNTED.values()},
        "amount_minor": sum(row["amount_minor"] for row in rows),
        "late_minor": sum(row["amount_minor"] for row in late),
        "median_days": _middle(row["days_taken"] for row in paid),
        "longest_days": max((row["days_taken"] for row in rows if row["days_taken"] is not None), default=None),
        "most_days_late": max((row["days_late"] for row in late), default=0),
    }


def _middle(days: Iterable[int]) -> float | None:
    known = list(days)
    return float(median(known)) if known else None
