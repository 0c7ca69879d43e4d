"""The rules of market_validation (gate G4): users use it and pay for it. Thresholds stand in the standard pack."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.stages.forms import day, limit, number, rows
from lifecycle.stages.records import BatchRecord, Computed, OrderRecord, Records, RevisionRecord, ScenarioRecord
from lifecycle.stages.rule import Rule, met, missing, not_enough, not_met
from lifecycle.stages.statistics import reliability_lower, reliability_sample_size
from lifecycle.standards.pack import Criterion
from models.states import BatchKind, FindingKind, OrderKind


def units_trace(_criterion: Criterion, records: Records) -> Computed:
    """G4.1: every unit placed traces to a closed, conforming trial batch of the frozen revision [design]."""
    frozen = records.revision
    if frozen is None:
        return missing("no_frozen_revision")
    placed = [scenario for scenario in records.scenarios if scenario.units > 0]
    if not placed:
        return missing("units_not_placed")
    batches = {batch.number: batch for batch in records.batches}
    faults = {scenario.site: _trace_faults(scenario, batches, frozen) for scenario in placed}
    untraced = {site: found for site, found in faults.items() if set(found.values()) - {"not_closed", ""}}
    if untraced:
        return not_met("units_untraced", lacking=_faulty(untraced), n=len(untraced), revision=frozen.label)
    pending = {site: found for site, found in faults.items() if any(found.values())}
    if pending:
        return not_enough("units_from_open_batches", lacking=_faulty(pending), n=len(pending))
    return met(units=sum(scenario.units for scenario in placed), sites=sorted(faults))


def reach(criterion: Criterion, records: Records) -> Computed:
    """G4.2: enough independent sites with a signed trial agreement [design]."""
    needed = int(limit(criterion, "sites"))
    if not records.scenarios:
        return missing("sites_none", needed=needed)
    independent = [scenario for scenario in records.scenarios if _is_independent_site(scenario, records)]
    signed = {scenario.site for scenario in independent if _is_past(scenario.agreement_signed_on, records.today)}
    values: dict[str, Any] = {
        "have": len(signed),
        "needed": needed,
        "sites": sorted(signed),
        "unsigned": sorted({scenario.site for scenario in independent} - signed),
        "not_independent": sorted({scenario.site for scenario in records.scenarios if scenario not in independent}),
    }
    if len(signed) >= needed:
        return met(**values)
    return not_met("sites_too_few", suffices="more_sites_needed", more=needed - len(signed), **values)


def use(criterion: Criterion, records: Records) -> Computed:
    """G4.3: enough of the sites of G4.2 used it long enough and signed a report on it [design].

    Days run from the day after the start to the end of use, the user's report or today, whichever is first.
    """
    needed, days = int(limit(criterion, "sites")), int(limit(criterion, "days"))
    counted = [scenario for scenario in records.scenarios if _is_independent_site(scenario, records)]
    if not any(scenario.started_on for scenario in counted):
        return missing("use_not_started", needed=needed, days=days)
    lacks = {scenario.site: _lacks_of_use(scenario, records, days) for scenario in counted}
    complete = sorted(site for site, found in lacks.items() if not found)
    values: dict[str, Any] = {
        "have": len(complete),
        "needed": needed,
        "days": days,
        "sites": complete,
        "lacking": {site: found for site, found in sorted(lacks.items()) if found},
    }
    if len(complete) >= needed:
        return met(**values)
    still_possible = [site for site, found in lacks.items() if not set(found) & _FINAL_LACKS]
    if len(still_possible) >= needed:
        return not_enough("use_not_completed", **values)
    return not_met("use_too_few_sites", suffices="more_sites_needed", more=needed - len(still_possible), **values)


def paid_orders(criterion: Criterion, records: Records) -> Computed:
    """G4.4: enough paid or binding orders of independent customers; a letter of intent never counts [S38 S39]."""
    needed = int(limit(criterion, "orders"))
    standing = [order for order in records.orders if _stands(order, records.today)]
    orders = [order for order in standing if order.kind is OrderKind.ORDER]
    letters = len(standing) - len(orders)
    if not orders and letters:
        return not_met("letters_are_no_orders", needed=needed, letters=letters)
    if not orders:
        return missing("orders_none", needed=needed)
    firm = [order for order in orders if _is_firm(order, records.today)]
    counted = [order for order in firm if order.is_independent and _is_outside(order.customer, records)]
    values: dict[str, Any] = {
        "have": len(counted),
        "needed": needed,
        "letters": letters,
        "not_independent": len(firm) - len(counted),
        "neither_paid_nor_binding": len(orders) - len(firm),
    }
    if len(counted) >= needed:
        return met(**values)
    return not_met("orders_too_few", suffices="more_orders_needed", more=needed - len(counted), **values)


def demand(criterion: Criterion, records: Records) -> Computed:
    """G4.5: signed letters and orders reach the first production lot, or there are enough letters [S40 S41].

    Demand comes from somebody: a paper without a signature, or of no customer outside the project, is none.
    """
    needed = int(limit(criterion, "letters"))
    standing = [order for order in records.orders if _stands(order, records.today) and _is_demand(order, records)]
    if not standing:
        return missing("demand_none", letters_needed=needed)
    letters = sum(order.kind is OrderKind.LETTER_OF_INTENT for order in standing)
    lot = number(records.form("launch_plan"), "first_lot")
    quantity = sum(order.quantity for order in standing)
    values: dict[str, Any] = {
        "letters": letters,
        "orders": len(standing) - letters,
        "letters_needed": needed,
        "quantity": quantity,
        "lot": lot,
        "more": needed - letters,
    }
    if letters >= needed or (lot is not None and 0 < lot <= quantity):
        return met(**values)
    if lot is None or lot <= 0:
        return not_enough("demand_lot_unknown", suffices="more_letters_needed", **values)
    return not_met("demand_too_small", suffices="more_quantity_or_letters_needed", short=lot - quantity, **values)


def field_reliability(criterion: Criterion, records: Records) -> Computed:
    """G4.6: the lower bound of reliability in the field reaches the agreed target (exact binomial) [design].

    The target is that of the contract; where it names none, the one the failure log states. Sites whose failures
    were not recorded are left out; a site counts no more failed units than it has.
    """
    confidence = limit(criterion, "confidence")
    agreed = number(records.form("task_contract"), "agreed_reliability")
    target = agreed if agreed is not None else number(records.form("failure_log"), "reliability_target")
    if target is None or not 0 < target < 1:
        return missing("reliability_target_unknown")
    recorded = [(scenario.units, scenario.failures) for scenario in records.scenarios if scenario.failures is not None]
    n = sum(units for units, _ in recorded)
    if n == 0:
        return not_enough("field_failures_not_recorded", limit=target)
    failures = sum(min(units, failed) for units, failed in recorded)
    bound = reliability_lower(n, failures, confidence=confidence)
    more = reliability_sample_size(failures, reliability=target, confidence=confidence) - n
    values: dict[str, Any] = {
        "n": n,
        "k": n - failures,
        "failures": failures,
        "point": bound.point,
        "bound": bound.lower,
        "limit": target,
        "confidence": confidence,
        "method": bound.method,
    }
    if bound.lower >= target:
        return met(**values)
    if bound.point < target:
        return not_met("field_reliability_below_target", **values)
    return not_enough(
        "field_reliability_bound_too_low", suffices="more_field_units_needed", units_needed=max(1, more), **values
    )


def certification(_criterion: Criterion, records: Records) -> Computed:
    """G4.7: each mandatory certificate is held and valid, or dated before launch with a test plan [design]."""
    form = records.form("certification_file")
    if form.get("certificates") is None:
        return missing("certificates_not_listed")
    launch = day(form, "launch_on")
    stands = [
        (str(row.get("name", "")), _certificate_stands(row, launch, records.today))
        for row in rows(form, "certificates")
    ]
    held = sorted(name for name, state in stands if state == "held")
    planned = sorted(name for name, state in stands if state == "planned")
    open_ones = sorted(name for name, state in stands if state == "open")
    if open_ones:
        return not_met("certificates_open", certificates=open_ones, n=len(open_ones), held=held, planned=planned)
    return met(held=held, planned=planned)


def safety_complaints(_criterion: Criterion, records: Records) -> Computed:
    """G4.8: no safety complaint is open [design]."""
    complaints = [finding for finding in records.findings if finding.kind is FindingKind.SAFETY_COMPLAINT]
    open_ones = [finding for finding in complaints if finding.closed_on is None]
    if open_ones:
        since = min(finding.opened_on for finding in open_ones)
        return not_met("safety_complaints_open", n=len(open_ones), since=since.isoformat())
    return met(n=0, closed=len(complaints))


RULES: dict[str, Rule] = {
    "units_trace": units_trace,
    "reach": reach,
    "use": use,
    "paid_orders": paid_orders,
    "demand": demand,
    "field_reliability": field_reliability,
    "certification": certification,
    "safety_complaints": safety_complaints,
}

_FINAL_LACKS = {"ended_early", "outside_limits", "result_expired"}
"""What no waiting mends at a site; the other lacks may still come right."""


def _trace_faults(
    scenario: ScenarioRecord, batches: Mapping[str, BatchRecord], frozen: RevisionRecord
) -> dict[str, str]:
    """Return for each batch of the site's units what is wrong with it; a site that names no batch traces to none."""
    if not scenario.unit_batches:
        return {"": "batch_not_named"}
    return {number: _batch_fault(batches.get(number), frozen) for number in scenario.unit_batches}


def _batch_fault(batch: BatchRecord | None, frozen: RevisionRecord) -> str:
    if batch is None or batch.kind is not BatchKind.TRIAL:
        return "no_trial_batch"
    if batch.revision != frozen.label or batch.made_on < frozen.frozen_on:
        return "other_revision"
    if not batch.is_closed or batch.conforming is None:
        return "not_closed"
    return "" if batch.conforming else "not_conforming"


def _faulty(sites: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {site: {number: fault for number, fault in found.items() if fault} for site, found in sorted(sites.items())}


def _is_independent_site(scenario: ScenarioRecord, records: Records) -> bool:
    return scenario.is_independent and _is_outside(scenario.customer, records)


def _is_outside(customer: UUID | None, records: Records) -> bool:
    """Say whether this is a known customer who is neither the applicant nor the platform, whatever was declared."""
    inside = {party.id for party in (records.applicant, records.platform) if party is not None}
    return customer is not None and customer not in inside


def _is_past(when: date | None, today: date) -> bool:
    return when is not None and when <= today


def _lacks_of_use(scenario: ScenarioRecord, records: Records, days: int) -> list[str]:
    """Name what keeps this site from counting; empty when it counts."""
    today = records.today
    reports = {str(report.values.get("site")) for report in records.of_type("user_report")}
    has_report = _is_past(scenario.report_signed_on, today) and scenario.site in reports
    end = min(when for when in (scenario.ended_on, scenario.report_signed_on, today) if when is not None)
    used = (end - scenario.started_on).days if scenario.started_on else 0
    ended_early = _is_past(scenario.ended_on, today) and used < days and end == scenario.ended_on
    found = {
        "agreement_unsigned": not _is_past(scenario.agreement_signed_on, today),
        "ended_early": ended_early,
        "days_too_few": used < days and not ended_early,
        "report_missing": not has_report,
        "not_measured": scenario.is_within_limits is None,
        "outside_limits": scenario.is_within_limits is False,
        "validity_unknown": scenario.valid_until is None,
        "result_expired": scenario.valid_until is not None and scenario.valid_until < today,
    }
    return [lack for lack, applies in found.items() if applies]


def _stands(order: OrderRecord, today: date) -> bool:
    """Say whether this is an order or a signed letter that was not cancelled; a draft is neither."""
    if _is_past(order.cancelled_on, today):
        return False
    return order.kind is OrderKind.ORDER or _is_past(order.signed_on, today)


def _is_demand(order: OrderRecord, records: Records) -> bool:
    return _is_past(order.signed_on, records.today) and _is_outside(order.customer, records)


def _is_firm(order: OrderRecord, today: date) -> bool:
    return _is_past(order.paid_on, today) or (order.is_binding and _is_past(order.signed_on, today))


def _certificate_stands(row: Mapping[str, Any], launch: date | None, today: date) -> str:
    """Say `held`, `planned` or `open`; a certificate without an end of validity does not run out."""
    ends = day(row, "valid_until")
    if row.get("number") and (ends is None or ends >= today):
        return "held"
    planned = day(row, "planned_on")
    if row.get("test_plan") and planned is not None and launch is not None and today <= planned < launch:
        return "planned"
    return "open"
