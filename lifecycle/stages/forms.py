"""Reading plain JSON: the thresholds of a criterion, and the values of an evidence form (days as ISO text)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from lifecycle.stages.records import Records
from lifecycle.standards.pack import Criterion


def threshold(criterion: Criterion, name: str) -> float:
    """Return a number the pack sets for this criterion; raises `TypeError` when the pack has none there."""
    written = criterion.parameters.get(name)
    if isinstance(written, int | float) and not isinstance(written, bool):
        return written
    raise TypeError(f"{criterion.id} has no number {name}")


def whole(criterion: Criterion, name: str) -> int:
    """Return a whole number the pack sets for this criterion; raises `TypeError` when the pack has none there."""
    return int(threshold(criterion, name))


def day_of(values: Mapping[str, Any], name: str) -> date | None:
    """Return the day in this field; None when it is empty or no day."""
    written = values.get(name)
    if isinstance(written, date):
        return written
    try:
        return date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None


def number_of(values: Mapping[str, Any], name: str) -> int | float | None:
    """Return the number in this field; None when it is empty or no number. Money stays an integer of minor units."""
    written = values.get(name)
    return written if isinstance(written, int | float) and not isinstance(written, bool) else None


def rows_of(values: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...] | None:
    """Return the rows of this table; None when it was not filled in, empty when it says that there are none."""
    written = values.get(name)
    if not isinstance(written, list | tuple):
        return None
    return tuple(row for row in written if isinstance(row, Mapping))


def values_of(records: Records, type_id: str) -> Mapping[str, Any]:
    """Return the form of the newest evidence of this type; empty when there is none."""
    newest = records.latest(type_id)
    return newest.values if newest else {}
