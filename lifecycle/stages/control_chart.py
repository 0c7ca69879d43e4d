"""Control charts of a characteristic: X-bar and R for subgroups, individuals and moving range for single values.

They give the spread *within* subgroups and say whether the process is stable; indices stand in `statistics.py`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Literal, TypeAlias

Subgroups: TypeAlias = Sequence[Sequence[float]]
"""Subgroups in the order of production; single values are subgroups of one."""

BEYOND_LIMITS = "beyond_limits"
RUN_ON_ONE_SIDE = "run_on_one_side"


class UnusableValuesError(ValueError):
    """Values that no chart can be drawn from; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Factors of the X-bar and R chart for one subgroup size."""

    a2: float
    d2: float
    d4: float


CONSTANTS: Mapping[int, Constants] = {
    2: Constants(a2=1.880, d2=1.128, d4=3.267),
    3: Constants(a2=1.023, d2=1.693, d4=2.574),
    4: Constants(a2=0.729, d2=2.059, d4=2.282),
    5: Constants(a2=0.577, d2=2.326, d4=2.114),
    6: Constants(a2=0.483, d2=2.534, d4=2.004),
}
"""Shewhart factors (ISO 7870-2, printed in section 4 of the rule book); the lower limit of R is 0 up to size 6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChart:
    """Points and limits of both charts, in the unit of the characteristic."""

    method: Literal["xbar_r", "i_mr"]
    n: int
    points: tuple[float, ...]
    ranges: tuple[float, ...]
    centre: float
    lower: float
    upper: float
    range_centre: float
    range_upper: float
    sigma_within: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Which points speak against a stable process, counted from 1; of single values the later one of a moving range."""

    method: str
    n: int
    rules: tuple[str, ...]
    beyond: tuple[int, ...]
    beyond_range: tuple[int, ...]
    in_runs: tuple[int, ...]
    """Points at which a run on one side of the centre is as long as the rule allows no more."""

    @property
    def is_stable(self) -> bool:
        """Say whether no rule that ran found a point."""
        return not (self.beyond or self.beyond_range or self.in_runs)


def control_chart(subgroups: Subgroups) -> ControlChart:
    """Return the chart of these values: X-bar and R for subgroups of 2 to 6, individuals and moving range for singles.

    Limits: centre ± A2·R-bar and D4·R-bar; for single values centre ± 3·MR-bar/1.128 and 3.267·MR-bar. Sigma within is
    R-bar/d2 or MR-bar/1.128 (Shewhart; section 4 of the rule book). Raises `UnusableValuesError` with the codes
    `values_not_finite`, `subgroups_uneven`, `subgroup_size` or `values_too_few`.
    """
    size = _common_size(subgroups)
    points = tuple(fmean(group) for group in subgroups)
    if size == 1:
        ranges = tuple(abs(after - before) for before, after in pairwise(points))
        constants, reach = CONSTANTS[2], 3 / CONSTANTS[2].d2
    else:
        ranges = tuple(max(group) - min(group) for group in subgroups)
        constants, reach = CONSTANTS[size], CONSTANTS[size].a2
    centre, range_centre = fmean(points), fmean(ranges)
    return ControlChart(
        method="i_mr" if size == 1 else "xbar_r",
        n=size * len(points),
        points=points,
        ranges=ranges,
        centre=centre,
        lower=centre - reach * range_centre,
        upper=centre + reach * range_centre,
        range_centre=range_centre,
        range_upper=constants.d4 * range_centre,
        sigma_within=range_centre / constants.d2,
    )


def stability(chart: ControlChart, *, rules: Iterable[str], run_length: int) -> Stability:
    """Return what the named rules find on this chart [practice: Western Electric style, section 4 of the rule book].

    `beyond_limits`: a point outside the limits of either chart. `run_on_one_side`: `run_length` points in a row on one
    side of the centre of the first chart. A name that no rule bears raises `KeyError`: it is a mistake of the pack.
    """
    asked = tuple(rules)
    found: dict[str, tuple[int, ...]] = {"beyond": (), "beyond_range": (), "in_runs": ()}
    for name in asked:
        found |= _RULES[name](chart, run_length)
    return Stability(method=chart.method, n=chart.n, rules=asked, **found)


def _common_size(subgroups: Subgroups) -> int:
    if not all(math.isfinite(value) for group in subgroups for value in group):
        raise UnusableValuesError("values_not_finite")
    sizes = {len(group) for group in subgroups}
    if len(sizes) > 1:
        raise UnusableValuesError("subgroups_uneven")
    if sizes and not 1 <= max(sizes) <= max(CONSTANTS):
        raise UnusableValuesError("subgroup_size")
    if len(subgroups) < 2:
        raise UnusableValuesError("values_too_few")
    return max(sizes)


def _find_beyond(chart: ControlChart, _run_length: int) -> dict[str, tuple[int, ...]]:
    first_range = 2 if chart.method == "i_mr" else 1
    return {
        "beyond": tuple(i for i, point in enumerate(chart.points, 1) if not chart.lower <= point <= chart.upper),
        "beyond_range": tuple(i for i, value in enumerate(chart.ranges, first_range) if value > chart.range_upper),
    }


def _find_runs(chart: ControlChart, run_length: int) -> dict[str, tuple[int, ...]]:
    found, side, length = [], 0, 0
    for i, point in enumerate(chart.points, 1):
        here = (point > chart.centre) - (point < chart.centre)
        length = length + 1 if here == side else 1
        side = here
        if side and length >= run_length:
            found.append(i)
    return {"in_runs": tuple(found)}


_RULES: Mapping[str, Callable[[ControlChart, int], dict[str, tuple[int, ...]]]] = {
    BEYOND_LIMITS: _find_beyond,
    RUN_ON_ONE_SIDE: _find_runs,
}
