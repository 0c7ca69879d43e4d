"""Amounts in the files of others: the one parser of `models.money`, its refusals as problems of a value."""

from lifecycle.imports.problems import ValueProblem
<<<<<<< HEAD
from models.money import CURRENCY_DECIMALS, MAX_MINOR

THOUSANDS = (",", ".", " ", "'", "\u00a0", "\u202f")
SCALES = (1, 1_000, 10_000, 1_000_000, 100_000_000)
"""Units an amount column may be counted in: 1, thousand, 万, million, 亿."""

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
_GROUPED = re.compile("[1-9][0-9]{0,2}(?:_[0-9]{3})+", re.ASCII)
_LONGEST = 40
_RULE = "amount"
=======
from models import money
>>>>>>> fundrules


def reported_minor(text: str, currency: str, *, thousands: str = "", scale: int = 1) -> int:
    """Return the reported amount in minor units, zero included; `ValueProblem` for what is no amount."""
    try:
        return money.minor_or_zero_of(text, currency, thousands=thousands, scale=scale)
    except money.AmountProblem as problem:
        raise ValueProblem(problem.code, "amount", **problem.params) from None
