"""The rules of handoff (gate G5): the production line owns it, the money is closed. Thresholds are in the pack.

First-pass yield (G5.5) and maturity (G5.6) are computed in `trial` and `maturity`.
"""

from typing import Any

from lifecycle.stages.forms import at_least, day, limit, names, number, rows, whole
from lifecycle.stages.records import BatchRecord, Computed, Records
from lifecycle.stages.rule import Rule, cannot_start, met, missing, not_enough, not_met
from lifecycle.standards.pack import Criterion
from models.states import BatchKind, FindingKind

_GATE = "G5"


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


def ppap_elements(criterion: Criterion, records: Records) -> Computed:
    """G5.2: each element of the pack's list is there with its document, or waived by the receiver in writing [S30]."""
    asked = names(criterion.parameters, "elements")
    form = records.form("ppap")
    if form.get("elements") is None:
        return missing("ppap_not_listed", needed=len(asked))
    listed = rows(form, "elements")
    there = {row.get("element") for row in listed if row.get("document")}
    waived = {row.get("element") for row in listed if row.get("waiver") and day(row, "waived_on")} - there
    lacking = [element for element in asked if element not in there | waived]
    values: dict[str, Any] = {
        "have": len(asked) - len(lacking),
        "needed": len(asked),
        "waived": [element for element in asked if element in waived],
    }
    if lacking:
        return not_met("ppap_elements_open", elements=lacking, **values)
    return met(**values)


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


def supply_ready(_criterion: Criterion, records: Records) -> Computed:
    """G5.7: suppliers approved, people qualified, quality agreement signed; BOM, route, SOP of one revision [S32 S36]."""
    frozen = records.revision
    if frozen is None:
        return cannot_start("revision_not_frozen")
    suppliers = rows(records.form("supplier_approval"), "suppliers")
    people = rows(records.form("training_record"), "people")
    if not suppliers or not people:
        return missing("supply_lists_empty", suppliers=len(suppliers), people=len(people))
    papers = records.form("frozen_bom_route_sop")
    signed_on = day(records.form("quality_agreement"), "signed_on")
    points: dict[str, list[str]] = {
        "suppliers_not_approved": [str(row.get("supplier")) for row in suppliers if not day(row, "approved_on")],
        "people_not_qualified": [str(row.get("person")) for row in people if not day(row, "qualified_on")],
        "unsigned": [] if signed_on is not None and signed_on <= records.today else ["quality_agreement"],
        "other_revision": [part for part in ("bom", "route", "sop") if papers.get(f"{part}_revision") != frozen.label],
    }
    found = {point: listed for point, listed in points.items() if listed}
    if found:
        return not_met("supply_not_ready", points=found, n=len(found), revision=frozen.label)
    return met(suppliers=len(suppliers), people=len(people), revision=frozen.label)


def debts_cleared(_criterion: Criterion, records: Records) -> Computed:
    """G5.9: no condition of an earlier gate is open, and no waiver of one still runs [design]."""
    conditions = [one.clause for one in records.conditions if one.gate != _GATE and not one.cleared]
    waivers = [
        one.clause for one in records.waivers if one.gate != _GATE and one.confirmed and one.until >= records.today
    ]
    if conditions or waivers:
        return not_met("debts_open", n=len(conditions) + len(waivers), conditions=conditions, waivers=waivers)
    return met(n=0)


def money_settled(_criterion: Criterion, records: Records) -> Computed:
    """G5.10: advances are cleared by accepted cost or repaid; statement and ledger agree to the fen [S50]."""
    form = records.form("final_financial_statement")
    sums = {name: whole(form, name) for name in _STATEMENT}
    unknown = [name for name, amount in sums.items() if amount is None]
    if unknown:
        return missing("statement_incomplete", fields=unknown)
    advances, accepted, repaid, statement, ledger = (amount or 0 for amount in sums.values())
    values: dict[str, Any] = {
        "advances_open_minor": max(0, advances - accepted - repaid),
        "difference_minor": statement - ledger,
    }
    if values["difference_minor"]:
        return not_met("statement_differs_from_ledger", **values)
    if values["advances_open_minor"]:
        return not_met("advances_open", **values)
    return met(**values)


def audit_closed(criterion: Criterion, records: Records) -> Computed:
    """G5.11: each audit finding is closed or priced; below the threshold a statement takes the audit's place [S64 S65]."""
    least = limit(criterion, "threshold_minor")
    total = whole(records.form("final_financial_statement"), "statement_total_minor")
    report = records.form("audit_report")
    if report.get("findings") is None or total is None:
        return missing("audit_incomplete")
    if report.get("kind") != "audit" and total >= least:
        return not_met("audit_needed", total_minor=total, limit_minor=least)
    reported = rows(report, "findings")
    open_ones = [
        str(row.get("finding")) for row in reported if not day(row, "closed_on") and whole(row, "priced_minor") is None
    ]
    open_ones += [
        finding.opened_on.isoformat()
        for finding in records.findings
        if finding.kind is FindingKind.AUDIT_FINDING and finding.closed_on is None and not finding.disposition
    ]
    if open_ones:
        return not_met("audit_findings_open", n=len(open_ones), findings=open_ones)
    return met(findings=len(reported))


def signed_and_shown(_criterion: Criterion, records: Records) -> Computed:
    """G5.12: the acceptance was shown publicly to the end of its notice and no objection stands [S58].

    The notice's length is set by the stage when it begins; the two signatures are judgements of people.
    """
    notice = max((one for one in records.notices if one.gate == _GATE), key=lambda one: one.starts_on, default=None)
    if notice is None:
        return missing("notice_not_begun")
    values = {"starts_on": notice.starts_on.isoformat(), "ends_on": notice.ends_on.isoformat()}
    if notice.upheld_objections:
        return not_met("notice_objection_upheld", n=notice.upheld_objections, **values)
    if notice.open_objections:
        return not_enough("notice_objections_open", n=notice.open_objections, **values)
    if notice.ends_on >= records.today:
        return not_enough("notice_running", **values)
    return met(**values)


RULES: dict[str, Rule] = {
    "production_run": production_run,
    "ppap_elements": ppap_elements,
    "rate": rate,
    "supply_ready": supply_ready,
    "debts_cleared": debts_cleared,
    "money_settled": money_settled,
    "audit_closed": audit_closed,
    "signed_and_shown": signed_and_shown,
}


_STATEMENT = ("advances_minor", "accepted_cost_minor", "repaid_minor", "statement_total_minor", "ledger_total_minor")


def judged_run(records: Records) -> BatchRecord | Computed:
    """Return the run that counts, or why none can be judged: the latest closed one of the frozen revision.

    The form `run_at_rate` speaks of one run; when a later one was closed it has to be handed in again.
    """
    frozen = records.revision
    if frozen is None:
        return cannot_start("revision_not_frozen")
    runs = production_runs(records)
    if not runs:
        return missing("run_none", revision=frozen.label)
    closed = [run for run in runs if run.is_closed]
    if not closed:
        return not_enough("run_not_closed", batch=runs[-1].number)
    named = records.form("run_at_rate").get("batch")
    if named != closed[-1].number:
        return not_met("run_at_rate_of_other_run", batch=closed[-1].number, named=named)
    return closed[-1]


def production_runs(records: Records) -> list[BatchRecord]:
    """Return the production runs of the frozen revision, oldest first; records of an older design do not count."""
    frozen = records.revision
    runs = [
        batch
        for batch in records.batches
        if frozen is not None
        and batch.kind is BatchKind.PRODUCTION_RUN
        and batch.revision == frozen.label
        and batch.made_on >= frozen.frozen_on
    ]
    return sorted(runs, key=lambda batch: (batch.made_on, batch.number))


def _significant_run(criterion: Criterion, records: Records, run: BatchRecord) -> Computed:
    least, most = limit(criterion, "hours_at_least"), limit(criterion, "hours_at_most")
    agreed = _agreed_units(records)
    needed = int(limit(criterion, "units")) if agreed is None else agreed
    values: dict[str, Any] = {
        "batch": run.number,
        "n": run.started,
        "needed": needed,
        "agreed": agreed is not None,
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


def _agreed_units(records: Records) -> int | None:
    """The quantity the receiver set in writing; a consent without a day of signature is none."""
    consent = records.form("receiver_consent")
    units = whole(consent, "run_units")
    return units if units is not None and units > 0 and day(consent, "signed_on") is not None else None


def _batches_in_a_row(criterion: Criterion, records: Records) -> Computed:
    """Count back from the latest batch until one is not full-size and conforming."""
    needed = int(limit(criterion, "batches"))
    full = number(records.form("run_at_rate"), "full_batch_size")
    if full is None or full <= 0:
        return missing("run_full_size_unknown")
    closed = [run for run in production_runs(records) if run.is_closed]
    counts = [run.conforming is True and run.size is not None and run.size >= full for run in reversed(closed)]
    have = counts.index(False) if False in counts else len(counts)
    values: dict[str, Any] = {"have": have, "needed": needed, "full_size": full}
    if have >= needed:
        return met(**values)
    found = not_met if False in counts else not_enough
    return found("run_batches_too_few", suffices="more_batches_needed", more=needed - have, **values)
