"""Gate G5, what the production run shows: quantity, capability and rate; `handoff.py` has the rest and `RULES`."""

from typing import Any

from lifecycle.stages.batches import consecutive_values, counted_batches, nothing_to_judge
from lifecycle.stages.capability import capability_demand, judge_characteristic, judge_together
from lifecycle.stages.forms import at_least, day, limit, names, number, whole
from lifecycle.stages.gauges import gauge_demand, gauge_study
from lifecycle.stages.records import BatchRecord, CharacteristicRecord, Computed, Records, Values
from lifecycle.stages.rule import met, missing, not_enough, not_met
from lifecycle.standards.pack import Criterion
from models.states import BatchKind


def production_run(criterion: Criterion, records: Records) -> Computed:
    """G5.1: a significant run on final tooling and line [S30]; profile `process`: full-size batches in a row [design].

    Judged is the latest closed run of the frozen revision; the receiver may set another quantity in writing.
    """
    run = judged_run(records)
    if isinstance(run, Computed):
        return run
    if records.form("run_at_rate").get("final_tooling_and_line") is not True:
        return not_met("run_not_on_final_line", batch=run.number)
    if records.profiles.get("manufacture") == "process":
        return _batches_in_a_row(criterion, records)
    return _significant_run(criterion, records, run)


def production_capability(criterion: Criterion, records: Records) -> Computed:
    """G5.3: each special characteristic stable, Ppk at its limit in the run, Cpk at its limit in ongoing production.

    Indices [rule S31]; between `ppk_with_consent` and `ppk` only by the receiver's written consent [practice]. The run
    is the newest one by itself; ongoing production is judged as soon as there is any. Order as in `capability.py`.
    """
    if nothing := nothing_to_judge(records, BatchKind.PRODUCTION_RUN):
        return nothing
    run = counted_batches(records, BatchKind.PRODUCTION_RUN)[-1]
    ongoing = counted_batches(records, BatchKind.ONGOING)
    judged = [_in_the_run(criterion, records, one, run) for one in records.characteristics]
    if ongoing:
        judged += [_in_ongoing_production(criterion, records, one, ongoing) for one in records.characteristics]
    return judge_together(judged)


def rate(criterion: Criterion, records: Records) -> Computed:
    """G5.4: good output per hour of the run reaches the planned rate; a band below it only as a condition [design]."""
    run = judged_run(records)
    if isinstance(run, Computed):
        return run
    full, conditional = limit(criterion, "share"), limit(criterion, "share_with_condition")
    form = records.form("run_at_rate")
    planned, good = number(form, "planned_per_hour"), number(form, "good_units")
    if planned is None or planned <= 0 or good is None:
        return missing("rate_not_stated")
    if not run.hours or run.hours < 0:
        return not_enough("run_hours_unknown", batch=run.number)
    started = run.started if run.size is None else run.size
    if good > started:
        return not_met("rate_more_good_than_started", batch=run.number, good=good, started=started)
    values: dict[str, Any] = {
        "batch": run.number,
        "point": good / run.hours / planned,
        "limit": full,
        "limit_with_condition": conditional,
        "per_hour": good / run.hours,
        "planned": planned,
    }
    if at_least(good, planned * run.hours, full):
        return met(**values)
    is_in_band = at_least(good, planned * run.hours, conditional)
    return not_met("rate_only_as_condition" if is_in_band else "rate_too_low", **values)


def judged_run(records: Records) -> BatchRecord | Computed:
    """Return the run that counts, or why none can be judged: the newest closed one of the frozen revision.

    The form `run_at_rate` speaks of one run; when a later one was closed it has to be handed in again.
    """
    if nothing := nothing_to_judge(records, BatchKind.PRODUCTION_RUN):
        return nothing
    run = counted_batches(records, BatchKind.PRODUCTION_RUN)[-1]
    named = records.form("run_at_rate").get("batch")
    return run if named == run.number else not_met("run_at_rate_of_other_run", batch=run.number, named=named)


def _in_the_run(
    criterion: Criterion, records: Records, characteristic: CharacteristicRecord, run: BatchRecord
) -> Computed:
    full, with_consent = limit(criterion, "ppk"), limit(criterion, "ppk_with_consent")
    consent = _consent(records)
    has_consent = characteristic.name in names(consent, "characteristics")
    demand = capability_demand(criterion, index="ppk", least=with_consent if has_consent else full)
    values = consecutive_values((run,), characteristic.name, at_least=demand.n)
    gauge = gauge_study(records, characteristic.gauge, gauge_demand(criterion))
    found = judge_characteristic(characteristic, values, gauge=gauge, demand=demand)
    said = {**found.values, "batch": run.number, "has_consent": has_consent, "limit_with_consent": with_consent}
    if found.code == "capability_below_limit" and not has_consent and found.values["index"] >= with_consent:
        return not_met("capability_needs_consent", suffices="receiver_consent_needed", **said)
    return Computed(state=found.state, code=found.code, values=said, suffices=found.suffices)


def _in_ongoing_production(
    criterion: Criterion,
    records: Records,
    characteristic: CharacteristicRecord,
    ongoing: tuple[BatchRecord, ...],
) -> Computed:
    demand = capability_demand(criterion, index="cpk", least=limit(criterion, "cpk"))
    values = consecutive_values(ongoing, characteristic.name, at_least=demand.n)
    gauge = gauge_study(records, characteristic.gauge, gauge_demand(criterion))
    return judge_characteristic(characteristic, values, gauge=gauge, demand=demand)


def _consent(records: Records) -> Values:
    """What the receiver agreed to in writing; a paper without a day of signature, or of a later day, is none."""
    consent = records.form("receiver_consent")
    signed_on = day(consent, "signed_on")
    return consent if signed_on is not None and signed_on <= records.today else {}


def _significant_run(criterion: Criterion, records: Records, run: BatchRecord) -> Computed:
    least, most = limit(criterion, "hours_at_least"), limit(criterion, "hours_at_most")
    agreed = whole(_consent(records), "run_units") or 0
    needed = agreed if agreed > 0 else int(limit(criterion, "units"))
    values: dict[str, Any] = {
        "batch": run.number,
        "n": run.started,
        "needed": needed,
        "agreed": agreed > 0,
        "hours": run.hours,
        "hours_at_least": least,
        "hours_at_most": most,
    }
    if run.hours is None:
        return not_enough("run_hours_unknown", **values)
    if run.started < needed:
        return not_met("run_too_small", suffices="longer_run_needed", more=needed - run.started, **values)
    if not least <= run.hours <= most:
        return not_met("run_hours_outside", **values)
    return met(**values)


def _batches_in_a_row(criterion: Criterion, records: Records) -> Computed:
    """Count back from the latest batch until one is not full-size and conforming."""
    needed = int(limit(criterion, "batches"))
    full = number(records.form("run_at_rate"), "full_batch_size")
    if full is None or full <= 0:
        return missing("run_full_size_unknown")
    runs = counted_batches(records, BatchKind.PRODUCTION_RUN)
    counts = [run.conforming is True and run.size is not None and run.size >= full for run in reversed(runs)]
    have = counts.index(False) if False in counts else len(counts)
    values: dict[str, Any] = {"have": have, "needed": needed, "full_size": full}
    if have >= needed:
        return met(**values)
    found = not_met if False in counts else not_enough
    return found("run_batches_too_few", suffices="more_batches_needed", more=needed - have, **values)
