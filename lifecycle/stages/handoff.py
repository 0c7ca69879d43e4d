"""Gate G5, what papers, debts and accounts show; what the production run shows stands in `handoff_run.py`.

`RULES` has both. First-pass yield (G5.5) and maturity (G5.6) are shared and live in `trial` and `maturity`.
"""

from typing import Any

from lifecycle.stages.feasibility import public_notice
from lifecycle.stages.forms import day, limit, names, rows, whole
from lifecycle.stages.handoff_run import production_capability, production_run, rate
from lifecycle.stages.records import Computed, Records
from lifecycle.stages.rule import Rule, met, missing, not_met
from lifecycle.standards.pack import Criterion
from models.states import FindingKind

_GATE = "G5"


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


def supply_ready(_criterion: Criterion, records: Records) -> Computed:
    """G5.7: suppliers approved, people qualified, agreement signed; BOM, route, SOP of one revision [S32 S36]."""
    frozen = records.revision
    if frozen is None:
        return missing("no_frozen_revision")
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
        return not_met("supply_not_ready", lacking=found, n=len(found), revision=frozen.label)
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
    """G5.11: each audit finding is closed or priced; below the threshold a statement will do [S64 S65]."""
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


def signed_and_shown(criterion: Criterion, records: Records) -> Computed:
    """G5.12: the acceptance was shown publicly to the end of its notice and no objection stands [S58].

    The same question as G2.12; the two signatures are judgements of people.
    """
    return public_notice(criterion, records)


RULES: dict[str, Rule] = {
    "production_run": production_run,
    "production_capability": production_capability,
    "ppap_elements": ppap_elements,
    "rate": rate,
    "supply_ready": supply_ready,
    "debts_cleared": debts_cleared,
    "money_settled": money_settled,
    "audit_closed": audit_closed,
    "signed_and_shown": signed_and_shown,
}


_STATEMENT = ("advances_minor", "accepted_cost_minor", "repaid_minor", "statement_total_minor", "ledger_total_minor")
