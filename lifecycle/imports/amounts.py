"""Amounts in the files of others: the one parser of `models.money`, its refusals as problems of a value."""

from lifecycle.imports.problems import ValueProblem
from models import money


def reported_minor(text: str, currency: str, *, thousands: str = "", scale: int = 1) -> int:
    """Return the reported amount in minor units, zero included; `ValueProblem` for what is no amount."""
    try:
        return money.minor_or_zero_of(text, currency, thousands=thousands, scale=scale)
    except money.AmountProblem as problem:
        raise ValueProblem(problem.code, "amount", **problem.params) from None
