"""The clock of the payment promise to small firms (F21): when it runs out, and when to say so. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from lifecycle.calendar import Calendar
from lifecycle.errors import Unmet, unmet
from lifecycle.standards.funds import FundRules

Urgency: TypeAlias = Literal["approaching", "due", "overdue"]

REMINDED_BEFORE = (10, 5, 1)
"""Working days before the due day (F21)."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The day by which a payment is promised to be booked."""

    due_on: date
    is_provisional: bool
    """The schedule of that year is not announced yet: the day may still move (W6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One day on which somebody is told, and how far the due day is in working days (below zero once it has passed)."""

    on: date
    urgency: Urgency
    working_days_left: int


def promise_reasons(days: int, rules: FundRules) -> tuple[Unmet, ...]:
    """Return why an agreement may not promise payment within this many calendar days (F21)."""
    if 1 <= days <= rules.payment_days_at_most:
        return ()
    return (unmet("payment_days_wrong", have=days, limit=rules.payment_days_at_most),)


def pay_by(complete_on: date, days: int, calendar: Calendar) -> Term:
    """Return the term of what we must pay, in calendar days from the day after the request is complete (W1, W2).

    A term that ends on a day off ends on the working day before it (W3). A hold does not stop it (W8).
    """
    due_on = calendar.previous_working_day(complete_on + timedelta(days=days))
    return Term(due_on=due_on, is_provisional=calendar.is_provisional(due_on))


def hand_in_by(asked_on: date, days: int, calendar: Calendar) -> Term:
    """Return the term of what a firm must hand in or pay back; a day off moves it to the next working day (W1, W3)."""
    due_on = calendar.next_working_day(asked_on + timedelta(days=days))
    return Term(due_on=due_on, is_provisional=calendar.is_provisional(due_on))


def reminders(due_on: date, *, after: date, until: date, calendar: Calendar) -> Iterator[Reminder]:
    """Yield what is to be said on the days after `after` up to and including `until`, in their order.

    Ten, five and one working days before the due day, on the due day, and then every day: weekends and holidays too,
    for the promise runs in calendar days. Nothing here skips a control (F20, F21).
    """
    before = {calendar.add_working_days(due_on, -days): days for days in REMINDED_BEFORE}
    day = after + _ONE_DAY
    while day <= until:
        if day in before:
            yield Reminder(on=day, urgency="approaching", working_days_left=before[day])
        elif day >= due_on:
            left = calendar.working_days_between(day, due_on)
            yield Reminder(on=day, urgency="due" if day == due_on else "overdue", working_days_left=left)
        day += _ONE_DAY
