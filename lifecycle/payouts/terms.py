"""The clock of the payment promise to small firms (F21): when it runs out, whether it was kept, what to say. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

from lifecycle.calendar import Calendar
from models.states import PayoutState

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


class Keeping(StrEnum):
    """How a promise of payment stands."""

    RUNNING = "running"
    OVERDUE = "overdue"
    KEPT = "kept"
    BROKEN = "broken"
    """Paid, but late."""
    VOID = "void"
    """The request was refused or taken back: nothing is promised any more."""


WAITING = (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.INSTRUCTED, PayoutState.RETURNED)
"""States in which the firm still waits for its money; what came back is owed as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a payout promises to its firm, and how it stands; in calendar days."""

    keeping: Keeping
    days_left: int | None = None
    """Until the promised day while the firm waits; below zero once it has passed."""
    days_taken: int | None = None
    """From the complete request to the booking, or until today while the firm waits."""
    days_late: int = 0


def promise_of(state: PayoutState, *, complete_on: date, pay_by_on: date, paid_on: date | None, today: date) -> Promise:
    """Return how the promise of a payout stands today (F21): the promised day itself is in time."""
    if state in WAITING:
        left = (pay_by_on - today).days
        keeping = Keeping.OVERDUE if left < 0 else Keeping.RUNNING
        taken = (today - complete_on).days
        return Promise(keeping=keeping, days_left=left, days_taken=taken, days_late=max(0, -left))
    if paid_on is None:
        return Promise(keeping=Keeping.VOID)
    late = max(0, (paid_on - pay_by_on).days)
    keeping = Keeping.BROKEN if late else Keeping.KEPT
    return Promise(keeping=keeping, days_taken=(paid_on - complete_on).days, days_late=late)


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
