"""Batches and findings as they stand."""

from typing import Any

from cli.door import Door
from lifecycle.stages.statistics import clopper_pearson_lower
from lifecycle.trials.queries import batches, issues

_CONFIDENCE = 0.95


def batch_rows(door: Door, ref: str) -> list[dict[str, Any]]:
    """Return the batches of a project with their latest figures, yield and its lower bound."""
    return yield_rows(door, ref, _CONFIDENCE)


def yield_rows(door: Door, ref: str, confidence: float) -> list[dict[str, Any]]:
    """Return each batch with its first-pass yield and the one-sided lower bound at this confidence."""
    project, _, number = ref.partition("/")
    rows = door.read(lambda session: batches(session, door.lookup(session).project(project)))
    return [_with_yield(row, confidence) for row in rows if not number or row["number"] == number.upper()]


def _with_yield(row: dict[str, Any], confidence: float) -> dict[str, Any]:
    bound = clopper_pearson_lower(row["passed_first_time"], row["started"], confidence=confidence)
    share, lower = f"{bound.point:.1%}", f"{bound.lower:.1%}"
    return {**row, "yield": share, "bound": lower, "point": bound.point, "lower": bound.lower, "confidence": confidence}


def issue_rows(door: Door, ref: str) -> list[dict[str, Any]]:
    """Return the findings of a project."""
    return door.read(lambda session: issues(session, door.lookup(session).project(ref)))
