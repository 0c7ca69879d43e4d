"""Reading the values of evidence forms. What is absent or of another kind is None or empty, never a guess."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from lifecycle.stages.records import EvidenceRecord, Values
from lifecycle.standards.pack import Criterion


def whole(values: Values, name: str) -> int | None:
    """Return an integer (a count, or money in minor units)."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(values: Values, name: str) -> float | None:
    """Return a finite number."""
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < float("inf") else None


def text(values: Values, name: str) -> str | None:
    """Return a text that says something."""
    value = values.get(name)
    return value.strip() if isinstance(value, str) and value.strip() else None


def day(values: Values, name: str) -> date | None:
    """Return a day, given as `date` or as ISO 8601 text."""
    value = values.get(name)
    if not isinstance(value, str):
        return value if isinstance(value, date) else None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def names(values: Values, name: str) -> tuple[str, ...]:
    """Return the texts of a list, each once, in their order."""
    value = values.get(name)
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return tuple(dict.fromkeys(item for item in listed if isinstance(item, str) and item))


def rows(values: Values, name: str) -> tuple[Mapping[str, Any], ...]:
    """Return the rows of a table."""
    value = values.get(name)
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return tuple(row for row in listed if isinstance(row, Mapping))


def is_valid(evidence: EvidenceRecord, today: date) -> bool:
    """Say whether the document has not expired; its last day still counts."""
    return evidence.valid_until is None or evidence.valid_until >= today


def months_after(start: date, months: int) -> date:
    """Return the same day that many calendar months later (earlier when negative), or the month's last day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def at_most(part: float, of: float, share: float) -> bool:
    """Say whether `part` is at most `share` times `of`, exactly: 0.7 means seven tenths and not the nearest float."""
    return Fraction(str(part)) <= Fraction(str(share)) * Fraction(str(of))


def at_least(part: float, of: float, share: float) -> bool:
    """Say whether `part` is at least `share` times `of`, exactly."""
    return Fraction(str(part)) >= Fraction(str(share)) * Fraction(str(of))


def limit(criterion: Criterion, name: str) -> float:
    """Return a numeric threshold of the clause; `KeyError` or `TypeError` when the pack has none of that name."""
    value = criterion.parameters[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{criterion.id}: {name} is no number")
    return value
