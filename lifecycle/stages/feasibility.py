"""The computed criteria of gate G2: can it be made, sold and funded. Here also `unit_cost`, which G3 asks again."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from lifecycle.stages.findings import together
from lifecycle.stages.forms import at_least, at_most, day, is_valid, limit, names, number, rows, text, whole
from lifecycle.stages.intake import asked_verifications
from lifecycle.stages.records import Computed, EvidenceRecord, Records, Values
from lifecycle.stages.rule import Rule, met, missing, not_enough, not_met
from lifecycle.standards.pack import Criterion


def own_money(criterion: Criterion, records: Records) -> Computed:
    """G2.2: own money proven by valid bank papers is at least the share of the planned eligible cost.

    Enough own money in the plan that is not proven yet is not enough evidence. Minor units of the budget's currency.
    """
    budget = records.latest("budget")
    eligible = whole(budget.values, "eligible_minor") if budget else None
    if budget is None or eligible is None or eligible <= 0:
        return missing("eligible_cost_missing")
    share, currency = limit(criterion, "share"), text(budget.values, "currency")
    proofs = [
        proof.values
        for proof in records.of_type("own_money_proof")
        if is_valid(proof, records.today) and text(proof.values, "currency") == currency
    ]
    proven = sum(_amounts(proofs))
    planned = sum(_amounts(row for row in rows(budget.values, "sources") if row.get("source") == "own"))
    said: dict[str, Any] = {
        "point": proven / eligible,
        "planned": planned / eligible,
        "limit": share,
        "eligible_minor": eligible,
    }
    if at_least(proven, eligible, share):
        return met(**said)
    if at_least(planned, eligible, share):
        return not_enough("own_money_not_proven", suffices="own_money_proof_needed", **said)
    return not_met("own_money_too_low", **said)


def risks_owned(criterion: Criterion, records: Records) -> Computed:  # noqa: ARG001  every rule has this form
    """G2.3: no open risk of grade high without owner, measure and date."""
    register = records.latest("risk_register")
    if register is None:
        return missing("risk_register_missing")
    risks = rows(register.values, "risks")
    if not risks:
        return not_enough("risk_register_empty")
    ungraded = [_called(risk, "risk") for risk in risks if text(risk, "grade") is None]
    loose = [_called(risk, "risk") for risk in risks if _is_open_and_high(risk) and not _is_owned(risk)]
    findings = []
    if loose:
        findings.append(not_met("high_risk_not_owned", risks=loose))
    if ungraded:
        findings.append(not_enough("risk_without_grade", ungraded=ungraded))
    return together(findings, have=len(risks))


def _is_open_and_high(risk: Values) -> bool:
    return risk.get("grade") == "high" and risk.get("status") != "closed"


def _is_owned(risk: Values) -> bool:
    return bool(text(risk, "owner") and text(risk, "measure") and day(risk, "due_on"))


def scale_up_step(criterion: Criterion, records: Records) -> Computed:
    """G2.4: planned batch / largest proven batch within the ratio, or an intermediate step before the first batch.

    Pilot = 10-100 x laboratory [rule S34]; profile `fine_chemicals` 200-1,000 x [rule S35]. Sizes in one unit.
    """
    schedule = records.latest("schedule")
    values: Values = schedule.values if schedule else {}
    planned, proven = number(values, "planned_batch_size"), number(values, "proven_batch_size")
    if planned is None or proven is None or planned <= 0 or proven <= 0:
        return missing("batch_sizes_missing")
    fine = records.profiles.get("scale_up") == "fine_chemicals"
    most = limit(criterion, "ratio_fine_chemicals" if fine else "ratio")
    said: dict[str, Any] = {"point": planned / proven, "limit": most}
    if at_most(planned, proven, most):
        return met(**said)
    steps = [row for row in rows(values, "steps") if row.get("kind") == "intermediate_demonstration"]
    first_batch = day(values, "first_batch_on")
    if any(_ends_before(step, first_batch) for step in steps):
        return met("met_with_intermediate_step", **said)
    if steps:
        return not_enough("intermediate_step_not_before_batch", **said)
    return not_met("scale_up_too_steep", suffices="intermediate_step_needed", **said)


def _ends_before(step: Values, first_batch: date | None) -> bool:
    ends = day(step, "ends_on")
    return ends is not None and first_batch is not None and ends < first_batch


def unit_cost(criterion: Criterion, records: Records) -> Computed:
    """G2.5 forecast and G3.8 actual: cost of one unit / target within the ratio, from the first evidence type named.

    Both figures stand in one form, in minor units of one currency.
    """
    kind = criterion.evidence[0]
    document = records.latest(kind)
    cost = whole(document.values, "cost_minor") if document else None
    target = whole(document.values, "target_minor") if document else None
    if cost is None or target is None or cost <= 0 or target <= 0:
        return missing("unit_cost_missing", evidence=kind)
    most = limit(criterion, "ratio")
    said: dict[str, Any] = {"point": cost / target, "limit": most, "cost_minor": cost, "target_minor": target}
    return met(**said) if at_most(cost, target, most) else not_met("unit_cost_too_high", **said)


def capacity_booked(criterion: Criterion, records: Records) -> Computed:  # noqa: ARG001  every rule has this form
    """G2.6: for the day of the first planned batch all equipment is booked and confirmed, with a qualified operator."""
    schedule = records.latest("schedule")
    values: Values = schedule.values if schedule else {}
    first_batch, equipment = day(values, "first_batch_on"), names(values, "first_batch_equipment")
    if first_batch is None or not equipment:
        return missing("first_batch_not_planned")
    bookings = [item.values for item in records.of_type("booking") if _covers(item, first_batch)]
    said: dict[str, Any] = {"first_batch_on": first_batch.isoformat(), "needed": list(equipment)}
    if not bookings:
        return missing("booking_missing", **said)
    confirmed = [booking for booking in bookings if booking.get("status") == "confirmed"]
    return together(
        [*_about_equipment(equipment, bookings, confirmed), *_about_operators(confirmed, first_batch)], **said
    )


def _covers(booking: EvidenceRecord, first_batch: date) -> bool:
    starts, ends = day(booking.values, "starts_on"), day(booking.values, "ends_on")
    return starts is not None and ends is not None and starts <= first_batch <= ends


def _about_equipment(equipment: Iterable[str], bookings: list[Values], confirmed: list[Values]) -> Iterator[Computed]:
    asked = {name for booking in bookings if booking.get("status") == "requested" for name in _equipment(booking)}
    have = {name for booking in confirmed for name in _equipment(booking)}
    if waiting := [name for name in equipment if name not in have and name in asked]:
        yield not_enough("booking_not_confirmed", unconfirmed=waiting)
    if absent := [name for name in equipment if name not in have | asked]:
        yield not_met("equipment_not_booked", not_booked=absent)


def _equipment(booking: Values) -> tuple[str, ...]:
    return names(booking, "equipment")


def _about_operators(confirmed: list[Values], first_batch: date) -> Iterator[Computed]:
    named = [booking for booking in confirmed if text(booking, "operator")]
    ends = [day(booking, "operator_qualified_until") for booking in named]
    if not any(ends):
        yield not_enough("operator_not_named")
    elif not any(end is not None and end >= first_batch for end in ends):
        yield not_met("operator_not_qualified", operators=[str(booking["operator"]) for booking in named])


def validation_matrix(criterion: Criterion, records: Records) -> Computed:  # noqa: ARG001  every rule has this form
    """G2.7: each asked verification has a test with method, sample size, acceptance limit and laboratory."""
    asked, matrix = asked_verifications(records), records.latest("validation_matrix")
    if matrix is None:
        return missing("validation_matrix_missing")
    if not asked:
        return missing("need_not_stated")
    tests = rows(matrix.values, "tests")
    begun = {test.get("verification") for test in tests}
    whole_ones = {test.get("verification") for test in tests if _is_complete(test)}
    findings = []
    if absent := [name for name in asked if name not in begun]:
        findings.append(not_met("verification_without_test", without_test=absent))
    if open_ones := [name for name in asked if name in begun - whole_ones]:
        findings.append(not_enough("test_not_complete", incomplete=open_ones))
    return together(findings, asked=list(asked), have=len(tests))


def _is_complete(test: Values) -> bool:
    said = all(text(test, name) for name in ("method", "acceptance_limit", "laboratory"))
    return said and (whole(test, "sample_size") or 0) >= 1


def permits_dated(criterion: Criterion, records: Records) -> Computed:  # noqa: ARG001  every rule has this form
    """G2.8: every permit needed is granted or expected on a day before the first batch [rule S6 S12]."""
    plan, schedule = records.latest("ehs_permit_plan"), records.latest("schedule")
    if plan is None:
        return missing("permit_plan_missing")
    first_batch = day(schedule.values, "first_batch_on") if schedule else None
    permits = [row for row in rows(plan.values, "permits") if row.get("is_needed") is not False]
    findings = []
    if first_batch is None:
        findings.append(missing("first_batch_undated"))
    if not permits and plan.values.get("needs_permits") is not False:
        findings.append(missing("permits_not_listed"))
    findings.extend(_about_permits(permits, first_batch))
    return together(findings, needed=len(permits), first_batch_on=first_batch.isoformat() if first_batch else "")


def _about_permits(permits: list[Mapping[str, Any]], first_batch: date | None) -> Iterator[Computed]:
    days = [(_called(row, "permit"), day(row, "granted_on") or day(row, "expected_on")) for row in permits]
    if undated := [name for name, due in days if due is None]:
        yield not_enough("permit_undated", undated=undated)
    if first_batch and (late := [name for name, due in days if due is not None and due >= first_batch]):
        yield not_met("permit_too_late", late=late)


def budget_balanced(criterion: Criterion, records: Records) -> Computed:
    """G2.9: categories and sources each add up to the total, and the grant stays within its share.

    In minor units; share of the eligible cost [rule S46 S53]. No category is ineligible (F19), and each one says
    whether it is capital or running expense.
    """
    budget = records.latest("budget")
    if budget is None:
        return missing("budget_missing")
    total, eligible = whole(budget.values, "total_minor"), whole(budget.values, "eligible_minor")
    categories, sources = rows(budget.values, "categories"), rows(budget.values, "sources")
    if total is None or total <= 0 or eligible is None or eligible <= 0 or not categories or not sources:
        return missing("budget_figures_missing")
    findings = [*_about_sums(total, categories, sources), *_about_categories(criterion, categories)]
    grant = sum(_amounts(row for row in sources if row.get("source") == "grant"))
    share = limit(criterion, "grant_share")
    if eligible > total:
        findings.append(not_met("eligible_over_total", eligible_minor=eligible))
    if not at_most(grant, eligible, share):
        findings.append(not_met("grant_share_too_high"))
    return together(findings, total_minor=total, point=grant / eligible, limit=share)


def _about_sums(total: int, categories: tuple[Values, ...], sources: tuple[Values, ...]) -> Iterator[Computed]:
    if wrong := [
        name
        for table, key in ((categories, "category"), (sources, "source"))
        for name in (_called(row, key) for row in table if _amount(row) is None)
    ]:
        yield not_met("amount_not_whole", wrong=wrong)
    for code, table in (("categories_do_not_add_up", categories), ("sources_do_not_add_up", sources)):
        if (found := sum(_amounts(table))) != total:
            sums: dict[str, Any] = {code.partition("_")[0] + "_minor": found}
            yield not_met(code, **sums)


def _about_categories(criterion: Criterion, categories: tuple[Values, ...]) -> Iterator[Computed]:
    refused = criterion.parameters["ineligible"]
    ineligible = refused if isinstance(refused, list) else []
    if found := [_called(row, "category") for row in categories if row.get("category") in ineligible]:
        yield not_met("ineligible_category", ineligible=found)
    if mixed := [_called(row, "category") for row in categories if row.get("expense") not in {"capital", "running"}]:
        yield not_met("expense_kind_missing", mixed=mixed)


def public_notice(criterion: Criterion, records: Records) -> Computed:
    """G2.12: the gate's newest notice has run to the end of its last day and no objection is upheld or open [S49]."""
    gate = criterion.id.partition(".")[0]
    shown = [notice for notice in records.notices if notice.gate == gate]
    if not shown:
        return missing("notice_not_started")
    notice = max(shown, key=lambda notice: notice.starts_on)
    findings = []
    if notice.upheld_objections:
        findings.append(not_met("objection_upheld", upheld=notice.upheld_objections))
    if notice.open_objections:
        findings.append(not_enough("objection_open", open=notice.open_objections))
    if records.today <= notice.ends_on:
        findings.append(not_enough("notice_running"))
    return together(findings, starts_on=notice.starts_on.isoformat(), ends_on=notice.ends_on.isoformat())


def _amounts(table: Iterable[Values]) -> Iterator[int]:
    """Yield the amounts that are one: whole minor units, not negative."""
    return (amount for amount in map(_amount, table) if amount is not None)


def _amount(row: Values) -> int | None:
    amount = whole(row, "amount_minor")
    return amount if amount is not None and amount >= 0 else None


def _called(row: Values, key: str) -> str:
    return text(row, key) or "?"


RULES: dict[str, Rule] = {
    "own_money": own_money,
    "risks_owned": risks_owned,
    "scale_up_step": scale_up_step,
    "unit_cost": unit_cost,
    "capacity_booked": capacity_booked,
    "validation_matrix": validation_matrix,
    "permits_dated": permits_dated,
    "budget_balanced": budget_balanced,
    "public_notice": public_notice,
}
