"""How long something lasts where part of it still goes on: the Kaplan-Meier estimate. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """How long the spells of one kind last, in days."""

    n: int
    """Spells, over or not."""
    ended: int
    median: int | None
    """Half of them have ended by then; None while too many still go on to say so."""
    p90: int | None


def lasting(spells: Iterable[tuple[int, bool]]) -> Lasting:
    """Return the estimate from (days, whether it ended): what still goes on is counted as lasting at least so long.

    Kaplan and Meier 1958; the q-quantile is the first day on which at least the share q has ended.
    """
    counts = Counter(spells)
    at_risk = n = sum(counts.values())
    ended_by: dict[int, int] = {}
    gone_by: dict[int, int] = {}
    for (days, is_over), count in counts.items():
        gone_by[days] = gone_by.get(days, 0) + count
        ended_by[days] = ended_by.get(days, 0) + (count if is_over else 0)
    surviving = 1.0
    found: dict[float, int] = {}
    for days in sorted(gone_by):
        surviving *= 1 - ended_by[days] / at_risk
        at_risk -= gone_by[days]
        for share in (0.5, 0.9):
            if share not in found and ended_by[days] and surviving <= 1 - share + 1e-12:
                found[share] = days
    return Lasting(n=n, ended=sum(ended_by.values()), median=found.get(0.5), p90=found.get(0.9))
