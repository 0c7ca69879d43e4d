"""Interest on what a firm owes back and has not paid back by the day it was due (F14). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from models.limits import WHOLE_SHARE

DAYS_OF_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Met:
    """A part of a recovery order that was met: paid back, set off or written off."""

    on: date
    amount_minor: int


def interest_of(amount_minor: int, due_on: date, met: Sequence[Met], *, rate_basis_points: int, today: date) -> int:
    """Return the interest until today, in minor units, rounded down: the firm never owes a fraction more (F14).

    Simple interest by the year of 365 days, from the day after the due day on what is owed on each day; what is met
    on a day bears none for the days behind it. What was met before the due day bears none at all.
    """
    days = sorted({due_on, max(due_on, today), *(one.on for one in met if due_on < one.on < today)})
    scaled = 0
    for start, end in pairwise(days):
        owed = amount_minor - sum(one.amount_minor for one in met if one.on <= start)
        scaled += owed * (end - start).days
    return scaled * rate_basis_points // (WHOLE_SHARE * DAYS_OF_A_YEAR)
