"""Gate G3, what batches and measurements show: volume, revision, yield, capability, gauges, reliability.

What reports, plans and findings show stands in `trial_papers.py`; `RULES` has both. Maturity and unit cost are shared
with other gates and live there.
"""

from collections.abc import Mapping
from typing import Any

from lifecycle.stages.batches import consecutive_values, counted_batches, in_order, nothing_to_judge
from lifecycle.stages.capability import capability_demand, judge_characteristic, judge_together
from lifecycle.stages.findings import together
from lifecycle.stages.forms import limit, number, text, whole
from lifecycle.stages.gauges import NOT_STUDIED, GaugeStudy, gauge_demand, gauge_study
from lifecycle.stages.records import BatchRecord, CharacteristicRecord, Computed, Records
from lifecycle.stages.rule import Rule, met, missing, not_enough, not_met
from lifecycle.stages.statistics import (
    clopper_pearson_lower,
    reliability_lower,
    reliability_sample_size,
    smallest_flawless_lot,
    smallest_passing_count,
)
from lifecycle.stages.trial_papers import (
    control_plan,
    deviations_disposed,
    ehs_clear,
    issues_closed,
    outside_test,
    verifications_passed,
)
from lifecycle.standards.pack import Criterion
from models.states import BatchKind


def volume(criterion: Criterion, records: Records) -> Computed:
    """G3.1: units built, or in process industries consecutive conforming batches up to the newest one; and enough runs.

    Profile `manufacture`: `process` asks for `batches` [practice], otherwise `units` started in counted batches [S29].
    `runs` counts the closed trial batches of all revisions [design]: how often the line was really run. Where the
    standard asks for batch records, each counted batch has one.
    """
    if nothing := nothing_to_judge(records, BatchKind.TRIAL):
        return nothing
    batches = counted_batches(records, BatchKind.TRIAL)
    if records.profiles.get("manufacture") == "process":
        found = _consecutive(batches, int(limit(criterion, "batches")))
    else:
        found = _units(batches, int(limit(criterion, "units")))
    problems = [
        *([found] if found.state != "met" else []),
        *_runs(records, int(limit(criterion, "runs"))),
        *_unrecorded(criterion, records, batches),
    ]
    return together(problems) if problems else found


def right_revision(_criterion: Criterion, records: Records) -> Computed:
    """G3.3: no closed batch passes for one of the frozen revision without being one [design].

    Counted against: the revision's name on a batch older than the freeze, and a batch made since then that names no
    revision. A batch of another revision is not counted anywhere; it is listed. Documents are sorted out by their type.
    """
    frozen = records.revision
    if frozen is None:
        return missing("no_frozen_revision")
    closed = [batch for batch in in_order(records, BatchKind.TRIAL) if batch.is_closed]
    older = [b.number for b in closed if b.revision == frozen.label and b.made_on < frozen.frozen_on]
    unnamed = [b.number for b in closed if b.revision is None and b.made_on >= frozen.frozen_on]
    if older or unnamed:
        return not_met(
            "records_of_wrong_revision", revision=frozen.label, older=older, unnamed=unnamed, wrong=[*older, *unnamed]
        )
    if nothing := nothing_to_judge(records, BatchKind.TRIAL):
        return nothing
    others = [b.number for b in closed if b.revision != frozen.label]
    return met("records_of_right_revision", revision=frozen.label, not_counted=others)


def first_pass_yield(criterion: Criterion, records: Records) -> Computed:
    """G3.4, G5.5: passed first time ÷ started in the newest closed batch of the frozen revision, and its lower bound.

    Clopper-Pearson, one-sided (section 4). Point below its limit: not met. Point reached, bound not: not enough yet.
    """
    kind = BatchKind(str(criterion.parameters["batch"]))
    if nothing := nothing_to_judge(records, kind):
        return nothing
    *earlier, batch = counted_batches(records, kind)
    if not (0 <= batch.passed_first_time <= batch.started and batch.started):
        return missing("batch_without_figures", batch=batch.number, k=batch.passed_first_time, n=batch.started)
    asked = {name: limit(criterion, name) for name in ("point", "bound", "confidence")}
    found = clopper_pearson_lower(batch.passed_first_time, batch.started, confidence=asked["confidence"])
    said: dict[str, Any] = {
        "batch": batch.number,
        "n": found.n,
        "k": batch.passed_first_time,
        "point": found.point,
        "bound": found.lower,
        "limit": asked["point"],
        "bound_limit": asked["bound"],
        "confidence": found.confidence,
        "method": found.method,
        "smallest_k": smallest_passing_count(found.n, **asked),
        "flawless_units": smallest_flawless_lot(bound=asked["bound"], confidence=found.confidence),
        "earlier": [{"batch": one.number, "k": one.passed_first_time, "n": one.started} for one in earlier],
        "open": [one.number for one in in_order(records, kind) if not one.is_closed],
    }
    if found.point >= asked["point"] and found.lower >= asked["bound"]:
        return met("yield_met", **said)
    suffices = "larger_batch_needed" if said["smallest_k"] is None else "next_batch_needs"
    if found.point < asked["point"]:
        return not_met("yield_below_limit", suffices=suffices, **said)
    return not_enough("yield_bound_too_low", suffices=suffices, **said)


def capability(criterion: Criterion, records: Records) -> Computed:
    """G3.5: every special characteristic stable, n values and more, Ppk at its limit; critical ones at the higher one.

    Indices and n [rule S31], their use at pilot stage [design]; judged in the order of `capability.py`.
    """
    if nothing := nothing_to_judge(records, BatchKind.TRIAL):
        return nothing
    batches = counted_batches(records, BatchKind.TRIAL)

    def judged(characteristic: CharacteristicRecord) -> Computed:
        least = limit(criterion, "ppk_critical" if characteristic.is_critical else "ppk")
        demand = capability_demand(criterion, index="ppk", least=least)
        values = consecutive_values(batches, characteristic.name, at_least=demand.n)
        gauge = gauge_study(records, characteristic.gauge, gauge_demand(criterion))
        return judge_characteristic(characteristic, values, gauge=gauge, demand=demand)

    return judge_together([judged(characteristic) for characteristic in records.characteristics])


def measurement_system(criterion: Criterion, records: Records) -> Computed:
    """G3.6: every gauge of a special characteristic has a fit study that is not too old [practice]."""
    if not records.characteristics:
        return missing("characteristics_missing")
    demand = gauge_demand(criterion)
    named = dict.fromkeys(characteristic.gauge for characteristic in records.characteristics)
    studies = [gauge_study(records, gauge, demand) for gauge in named]
    without = [one.name for one in records.characteristics if one.gauge is None]
    asked = {"grr": demand.grr, "ndc": demand.ndc, "months": demand.months, "gauges": [_shown(one) for one in studies]}
    problems = [
        *([not_met("gauge_unfit", unfit=found)] if (found := _named(studies, ("unfit",))) else []),
        *([not_met("gauge_study_expired", expired=found)] if (found := _named(studies, ("expired",))) else []),
        *([missing("gauge_not_studied", not_studied=found)] if (found := _named(studies, NOT_STUDIED)) else []),
        *([missing("gauge_not_named", without_gauge=without)] if without else []),
    ]
    if problems:
        return together(problems, **asked)
    return met("gauges_fit", **asked, count=len(studies), conditional=_named(studies, ("conditional",)))


def reliability(criterion: Criterion, records: Records) -> Computed:
    """G3.7: the lower bound of reliability from the newest test reaches the agreed R at the agreed C.

    Success run without failures, exact binomial (Clopper-Pearson) with failures; section 4. Agreed figures of the
    contract count where they ask for more than the standard; for less there is the waiver [design].
    """
    test = records.latest("reliability_test")
    if test is None:
        return missing("reliability_not_tested")
    tested, failures = whole(test.values, "units_tested"), whole(test.values, "failures")
    if tested is None or failures is None or not 0 <= failures <= tested or not tested:
        return missing("reliability_test_without_figures")
    asked = _agreed(records, limit(criterion, "reliability"), limit(criterion, "confidence"))
    found = reliability_lower(tested, failures, confidence=asked["confidence"])
    needed = reliability_sample_size(failures, **asked)
    said = {"n": tested, "failures": failures, "point": found.point, "bound": found.lower, "method": found.method}
    said |= {"bound_limit": asked["reliability"], "confidence": asked["confidence"], "needed": needed}
    if tested >= needed:
        return met("reliability_met", **said)
    said["units_needed"] = needed - tested
    if found.point < asked["reliability"]:
        return not_met("reliability_below_limit", suffices="more_test_units_needed", **said)
    return not_enough("reliability_bound_too_low", suffices="more_test_units_needed", **said)


def _units(batches: tuple[BatchRecord, ...], needed: int) -> Computed:
    have = sum(batch.started for batch in batches)
    said = {"have": have, "needed": needed, "batches": [batch.number for batch in batches]}
    if have < needed:
        return not_enough("too_few_units_built", suffices="more_units_needed", **said, units_needed=needed - have)
    return met("enough_units_built", **said)


def _runs(records: Records, needed: int) -> list[Computed]:
    every = in_order(records, BatchKind.TRIAL)
    runs = [batch.number for batch in every if batch.is_closed]
    if len(runs) >= needed:
        return []
    said = {"runs": runs, "runs_have": len(runs), "runs_asked": needed, "runs_needed": needed - len(runs)}
    said["open"] = [batch.number for batch in every if not batch.is_closed]
    return [not_enough("too_few_runs", suffices="more_runs_needed", **said)]


def _unrecorded(criterion: Criterion, records: Records, batches: tuple[BatchRecord, ...]) -> list[Computed]:
    """Name the counted batches without their record, where the standard makes the record evidence."""
    if "batch_record" not in criterion.evidence:
        return []
    recorded = {text(item.values, "batch") for item in records.of_type("batch_record")}
    without = [batch.number for batch in batches if batch.number not in recorded]
    return [missing("batch_record_missing", unrecorded=without)] if without else []


def _consecutive(batches: tuple[BatchRecord, ...], needed: int) -> Computed:
    streak: list[str] = []
    for batch in reversed(batches):
        if batch.conforming is not True:
            break
        streak.insert(0, batch.number)
    said = {"have": len(streak), "needed": needed, "batches": streak, "latest": batches[-1].number}
    if len(streak) >= needed:
        return met("enough_conforming_batches", **said)
    said["batches_needed"] = needed - len(streak)
    if batches[-1].conforming is False:
        return not_met("latest_batch_not_conforming", suffices="more_conforming_batches_needed", **said)
    return not_enough("too_few_conforming_batches", suffices="more_conforming_batches_needed", **said)


def _agreed(records: Records, least_reliability: float, least_confidence: float) -> dict[str, float]:
    contract = records.latest("task_contract")
    values = contract.values if contract else {}
    return {
        "reliability": _tighter(number(values, "agreed_reliability"), least_reliability),
        "confidence": _tighter(number(values, "agreed_confidence"), least_confidence),
    }


def _tighter(agreed: float | None, least: float) -> float:
    return agreed if agreed is not None and least < agreed < 1 else least


def _named(studies: list[GaugeStudy], findings: tuple[str, ...]) -> list[str]:
    return [study.gauge for study in studies if study.finding in findings and study.gauge is not None]


def _shown(study: GaugeStudy) -> dict[str, Any]:
    on = study.studied_on.isoformat() if study.studied_on else None
    return {"gauge": study.gauge, "finding": study.finding, "grr": study.grr, "ndc": study.ndc, "on": on}


RULES: Mapping[str, Rule] = {
    "volume": volume,
    "verifications_passed": verifications_passed,
    "right_revision": right_revision,
    "first_pass_yield": first_pass_yield,
    "capability": capability,
    "measurement_system": measurement_system,
    "reliability": reliability,
    "issues_closed": issues_closed,
    "ehs_clear": ehs_clear,
    "control_plan": control_plan,
    "outside_test": outside_test,
    "deviations_disposed": deviations_disposed,
}
