"""The judgement of special characteristics, one by one and together (section 4 of the rule book).

Order: revision (the caller hands in values of the frozen one), measurement system, stability, n, index. What fails
before the index is "not judgeable": neither failed nor passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from lifecycle.stages.control_chart import Stability, Subgroups, UnusableValuesError, control_chart, stability
from lifecycle.stages.forms import limit, names
from lifecycle.stages.gauges import FIT, GaugeStudy
from lifecycle.stages.records import CharacteristicRecord, Computed
from lifecycle.stages.rule import met, missing, not_enough, not_met
from lifecycle.stages.statistics import Bound, bissell_lower, capability_indices, index_needed
from lifecycle.standards.pack import Criterion

Index: TypeAlias = Literal["ppk", "cpk"]
JudgeOn: TypeAlias = Literal["point", "bound"]

_JUDGE_ON: Mapping[str, JudgeOn] = {"point": "point", "bound": "bound"}
_GRAVEST_FIRST = ("not_met", "not_enough_evidence", "missing", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityDemand:
    """What is asked of one characteristic."""

    index: Index
    limit: float
    n: int
    """Consecutive values below which nothing is judged."""
    aim: int
    """Values one should have; shown, not judged."""
    judge_on: JudgeOn
    confidence: float
    chart_rules: tuple[str, ...]
    run_length: int


def capability_demand(criterion: Criterion, *, index: Index, least: float) -> CapabilityDemand:
    """Read the demand for a limit from `n`, `aim`, `judge_on`, `confidence`, `chart_rules` and `run_length`.

    `KeyError` when one is absent, or `judge_on` is neither `point` nor `bound`: mistakes of the pack.
    """
    return CapabilityDemand(
        index=index,
        limit=least,
        n=int(limit(criterion, "n")),
        aim=int(limit(criterion, "aim")),
        judge_on=_JUDGE_ON[str(criterion.parameters["judge_on"])],
        confidence=limit(criterion, "confidence"),
        chart_rules=names(criterion.parameters, "chart_rules"),
        run_length=int(limit(criterion, "run_length")),
    )


def judge_characteristic(
    characteristic: CharacteristicRecord, subgroups: Subgroups, *, gauge: GaugeStudy, demand: CapabilityDemand
) -> Computed:
    """Judge one characteristic from consecutive values of the frozen revision, in the unit of the characteristic.

    Indices and n [rule S31]; an index is judged only with a fit gauge, a stable chart and enough values [section 4].
    The one-sided lower bound (Bissell) stands beside every index and decides where `judge_on` is `bound`.
    """
    said = _about(characteristic, subgroups, gauge, demand)
    if barrier := _barrier(characteristic, gauge, said):
        return barrier
    try:
        return _judge_chart(characteristic, subgroups, demand, said)
    except UnusableValuesError as unusable:
        if unusable.code == "values_too_few":
            return _too_few(said, demand)
        return not_enough(f"capability_{unusable.code}", **said)


def judge_together(judged: Sequence[Computed]) -> Computed:
    """Return the gravest of the characteristics, with all of them in `characteristics`; `missing` when there is none.

    Among equals the one furthest below, or least above, its limit speaks for all.
    """
    if not judged:
        return missing("characteristics_missing")
    worst = min(judged, key=lambda one: (_GRAVEST_FIRST.index(one.state), _reach(one.values)))
    every = [{**one.values, "state": one.state, "code": one.code} for one in judged]
    values = {**worst.values, "characteristics": every, "count": len(judged)}
    return Computed(state=worst.state, code=worst.code, values=values, suffices=worst.suffices)


def _barrier(characteristic: CharacteristicRecord, gauge: GaugeStudy, said: Mapping[str, Any]) -> Computed | None:
    """Say what keeps the values from being looked at at all."""
    if not said["n"]:
        return missing("capability_not_measured", **said)
    if gauge.finding not in FIT:
        return not_enough("capability_gauge_not_fit", **said)
    if characteristic.lower is None and characteristic.upper is None:
        return not_enough("capability_no_limits", **said)
    return None


def _judge_chart(
    characteristic: CharacteristicRecord, subgroups: Subgroups, demand: CapabilityDemand, said: Mapping[str, Any]
) -> Computed:
    steady = stability(control_chart(subgroups), rules=demand.chart_rules, run_length=demand.run_length)
    if not steady.is_stable:
        return not_enough("capability_unstable", **{**said, **_points(steady)})
    if said["n"] < demand.n:
        return _too_few(said, demand)
    return _judge_index(characteristic, subgroups, demand, said)


def _judge_index(
    characteristic: CharacteristicRecord, subgroups: Subgroups, demand: CapabilityDemand, said: Mapping[str, Any]
) -> Computed:
    indices = capability_indices(subgroups, lower=characteristic.lower, upper=characteristic.upper)
    index = indices.ppk if demand.index == "ppk" else indices.cpk
    bound = bissell_lower(index, indices.n, confidence=demand.confidence)
    shown = {
        **said,
        **{
            name: getattr(indices, name) for name in ("cp", "cpk", "pp", "ppk", "mean", "sigma_within", "sigma_overall")
        },
        "index": index,
        "bound": bound.lower,
        "method": bound.method,
        "chart": indices.method,
    }
    if not index >= demand.limit:
        return not_met("capability_below_limit", **shown)
    if demand.judge_on == "bound" and not bound.lower >= demand.limit:
        return _bound_too_low(bound, demand, shown)
    return met("capability_met", **shown)


def _bound_too_low(bound: Bound, demand: CapabilityDemand, shown: Mapping[str, Any]) -> Computed:
    needed = index_needed(demand.limit, bound.n, confidence=demand.confidence)
    suffices = "larger_sample_needed" if needed is None else "index_needed_for_bound"
    return not_enough("capability_bound_too_low", suffices=suffices, **shown, index_needed=needed)


def _too_few(said: Mapping[str, Any], demand: CapabilityDemand) -> Computed:
    needed = max(1, demand.n - said["n"])
    return not_enough("capability_too_few_values", suffices="more_values_needed", **said, values_needed=needed)


def _about(
    characteristic: CharacteristicRecord, subgroups: Subgroups, gauge: GaugeStudy, demand: CapabilityDemand
) -> dict[str, Any]:
    return {
        "characteristic": characteristic.name,
        "unit": characteristic.unit,
        "lower": characteristic.lower,
        "upper": characteristic.upper,
        "is_critical": characteristic.is_critical,
        "gauge": gauge.gauge or "",
        "gauge_finding": gauge.finding,
        "n": sum(map(len, subgroups)),
        "needed": demand.n,
        "aim": demand.aim,
        "index_name": demand.index.capitalize(),
        "limit": demand.limit,
        "judge_on": demand.judge_on,
        "confidence": demand.confidence,
    }


def _points(steady: Stability) -> dict[str, list[int]]:
    return {
        "beyond": list(steady.beyond),
        "beyond_range": list(steady.beyond_range),
        "in_runs": list(steady.in_runs),
        "points": sorted({*steady.beyond, *steady.beyond_range, *steady.in_runs}),
    }


def _reach(values: Mapping[str, Any]) -> float:
    return values["index"] / values["limit"] if "index" in values else 0.0
