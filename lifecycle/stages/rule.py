"""What a rule of a gate is, and the five things it can find."""

from collections.abc import Callable
from typing import Any, TypeAlias

from lifecycle.stages.records import Computed, Records
from lifecycle.standards.pack import Criterion

Rule: TypeAlias = Callable[[Criterion, Records], Computed]


def met(code: str = "met", **values: Any) -> Computed:
    """Say that the criterion is met."""
    return Computed(state="met", code=code, values=values)


def not_met(code: str, *, suffices: str | None = None, **values: Any) -> Computed:
    """Say that the records show the opposite."""
    return Computed(state="not_met", code=code, values=values, suffices=suffices)


def not_enough(code: str, *, suffices: str | None = None, **values: Any) -> Computed:
    """Say that the records point the right way but do not yet prove it, or cannot be judged yet."""
    return Computed(state="not_enough_evidence", code=code, values=values, suffices=suffices)


def missing(code: str, *, suffices: str | None = None, **values: Any) -> Computed:
    """Say that nothing was handed in."""
    return Computed(state="missing", code=code, values=values, suffices=suffices)


def cannot_start(code: str, *, suffices: str | None = None, **values: Any) -> Computed:
    """Say that something else has to come first."""
    return Computed(state="cannot_start", code=code, values=values, suffices=suffices)
