"""The computed criteria of gate G1: the right project on the right platform, from a lawful applicant.

Its rule `maturity` stands in `maturity.py`, the check of the credit code in `credit_code.py`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from lifecycle.stages import credit_code
from lifecycle.stages.findings import together
from lifecycle.stages.forms import day, is_valid, limit, months_after, names, rows, text, whole
from lifecycle.stages.records import Computed, EvidenceRecord, Records, Values
from lifecycle.stages.rule import Rule, met, missing, not_enough, not_met
from lifecycle.standards.pack import Criterion
from models.states import FindingKind, Verification

_MAJOR = 1


def application_complete(criterion: Criterion, records: Records) -> Computed:
    """G1.1: every evidence type of the application is there and valid today; what is owed is told in one list."""
    absent = [name for name in criterion.evidence if not records.of_type(name)]
    expired = [
        name
        for name in criterion.evidence
        if records.of_type(name) and not any(is_valid(item, records.today) for item in records.of_type(name))
    ]
    have = len(criterion.evidence) - len(absent) - len(expired)
    findings = []
    if absent:
        findings.append(missing("application_incomplete", missing=absent))
    if expired:
        findings.append(not_met("application_evidence_expired", expired=expired))
    return together(findings, have=have, needed=len(criterion.evidence))


def lawful_applicant(criterion: Criterion, records: Records) -> Computed:  # noqa: ARG001  every rule has this form
    """G1.2: a right credit code (GB 32100), code and name as on the licence, and a licence that has not expired."""
    return together(
        _about_the_code(records), credit_code=records.applicant.credit_code or "", name=records.applicant.name
    )


def _about_the_code(records: Records) -> Iterator[Computed]:
    code = records.applicant.credit_code
    if not code:
        yield missing("credit_code_missing")
    elif wrong := credit_code.problem(code):
        yield not_met(wrong)
    licence = records.latest("licence")
    if licence is None:
        yield missing("licence_missing")
    else:
        yield from _about_the_licence(licence, records, code)


def _about_the_licence(licence: EvidenceRecord, records: Records, code: str | None) -> Iterator[Computed]:
    said_code, said_name = text(licence.values, "credit_code"), text(licence.values, "legal_name")
    if said_code is None or said_name is None:
        yield missing("licence_values_missing")
    if said_code and code and credit_code.normalise(said_code) != credit_code.normalise(code):
        yield not_met("licence_code_differs", licence_code=said_code)
    if said_name and _plain(said_name) != _plain(records.applicant.name):
        yield not_met("licence_name_differs", licence_name=said_name)
    ends = licence.valid_until or day(licence.values, "valid_until")
    if ends is None and licence.values.get("is_long_term") is not True:
        yield missing("licence_expiry_missing")
    elif ends is not None and ends < records.today:
        yield not_met("licence_expired", ended_on=ends.isoformat())


def _plain(name: str) -> str:
    """Return a name as it is compared: brackets and blanks are typed in both widths."""
    return credit_code.half_width(name).casefold()


def small_firm(criterion: Criterion, records: Records) -> Computed:
    """G1.3: a small or medium firm by the size profile chosen at registration, from its newest declaration.

    `eu` [rule S48]: staff below 250 and (turnover at most EUR 50 M or balance sheet at most EUR 43 M).
    `cn_industrial` [practice]: staff below 1,000 or revenue below RMB 400 M. Money in minor units.
    """
    declaration = records.latest("sme_declaration")
    if declaration is None:
        return missing("size_not_declared")
    judges = {"eu": _small_by_eu, "cn_industrial": _small_by_cn}
    profile = records.profiles.get("firm_size", "")
    if profile not in judges:
        return missing("size_profile_missing")
    return judges[profile](criterion, declaration.values)


def _small_by_eu(criterion: Criterion, values: Values) -> Computed:
    staff, currency = whole(values, "staff"), text(values, "currency")
    turnover, balance = whole(values, "revenue_minor"), whole(values, "balance_sheet_minor")
    said: dict[str, Any] = {"staff": staff, "staff_limit": limit(criterion, "eu_staff"), "currency": "EUR"}
    if staff is None:
        return missing("staff_not_declared", **said)
    if staff >= limit(criterion, "eu_staff"):
        return not_met("firm_too_large", **said)
    if currency != "EUR":
        return not_enough("size_currency_differs", **said)
    pairs = ((turnover, limit(criterion, "eu_turnover_minor")), (balance, limit(criterion, "eu_balance_minor")))
    if any(figure is not None and figure <= most for figure, most in pairs):
        return met(**said)
    if turnover is None or balance is None:
        return not_enough("size_figures_missing", **said)
    return not_met("firm_too_large", **said)


def _small_by_cn(criterion: Criterion, values: Values) -> Computed:
    staff, revenue = whole(values, "staff"), whole(values, "revenue_minor")
    said: dict[str, Any] = {"staff": staff, "staff_limit": limit(criterion, "cn_staff"), "currency": "CNY"}
    if staff is not None and staff < limit(criterion, "cn_staff"):
        return met(**said)
    if revenue is None:
        return missing("staff_not_declared", **said) if staff is None else not_enough("size_figures_missing", **said)
    if text(values, "currency") != "CNY":
        return not_enough("size_currency_differs", **said)
    if revenue < limit(criterion, "cn_revenue_minor"):
        return met(**said)
    return not_met("firm_too_large", **said) if staff is not None else not_enough("size_figures_missing", **said)


def clean_record(criterion: Criterion, records: Records) -> Computed:
    """G1.5: applicant and platform declare no major incident in the years before the application, and none is known.

    For platforms [rule S6 S12], for applicants [design].
    """
    if records.received_on is None:
        return missing("application_day_missing")
    years = int(limit(criterion, "years"))
    first_day = months_after(records.received_on, -12 * years)
    findings = [
        finding
        for party in ("applicant", "platform")
        for finding in _about_incidents(party, records, first_day, records.received_on)
    ]
    known = [
        finding
        for finding in records.findings
        if finding.kind is FindingKind.INCIDENT
        and finding.severity <= _MAJOR
        and first_day <= finding.opened_on <= records.received_on
    ]
    if known:
        findings.append(not_met("major_incident_recorded", recorded=len(known)))
    return together(
        findings, years=years, first_day=first_day.isoformat(), application_day=records.received_on.isoformat()
    )


def _about_incidents(party: str, records: Records, first_day: date, application_day: date) -> Iterator[Computed]:
    said = [item for item in records.of_type("incident_declaration") if item.values.get("party") == party]
    if not said:
        yield missing(f"{party}_incidents_not_declared")
        return
    values = said[-1].values
    incidents, starts, ends = whole(values, "major_incidents"), day(values, "covers_from"), day(values, "covers_until")
    if incidents is None:
        yield missing(f"{party}_incidents_not_declared")
    elif incidents > 0:
        counted: dict[str, Any] = {f"{party}_incidents": incidents}
        yield not_met(f"{party}_had_major_incident", **counted)
    if starts is None or ends is None or starts > first_day or ends < application_day:
        yield not_enough(f"{party}_declaration_too_short")


def no_double_funding(criterion: Criterion, records: Records) -> Computed:
    """G1.6: a signed declaration, and no unresolved hit for equivalent work.

    Equivalent [rule S45]: the same outside id (similarity 1), or titles as similar as the limit [design].
    """
    least = limit(criterion, "similarity")
    hits = [similar for similar in records.similar if similar.similarity >= least]
    unresolved = [hit for hit in hits if not hit.resolved]
    findings = []
    declaration = records.latest("funding_declaration")
    if declaration is None:
        findings.append(missing("funding_not_declared"))
    elif day(declaration.values, "signed_on") is None:
        findings.append(missing("funding_declaration_unsigned"))
    if unresolved:
        found = [f"{hit.number} ({hit.similarity:.0%})" for hit in unresolved]
        findings.append(not_met("double_funding_suspected", suffices="hits_resolved_needed", hits=found))
    return together(findings, limit=least, resolved=len(hits) - len(unresolved))


def need_meets_platform(criterion: Criterion, records: Records) -> Computed:
    """G1.7: at least one verification is asked; for each the platform has an active capability and a slot in time."""
    if records.received_on is None:
        return missing("application_day_missing")
    months = int(limit(criterion, "slot_months"))
    last_day = months_after(records.received_on, months)
    asked = asked_verifications(records)
    offer = records.latest("platform_offer")
    findings: list[Computed] = []
    if records.latest("need_form") is None:
        findings.append(missing("need_not_stated"))
    elif not asked:
        findings.append(not_met("no_verification_asked"))
    if offer is None:
        findings.append(missing("platform_offer_missing"))
    else:
        findings.extend(_about_the_offer(offer.values, asked, last_day))
    return together(findings, asked=list(asked), slot_months=months, last_day=last_day.isoformat())


def asked_verifications(records: Records) -> tuple[str, ...]:
    """Return which of the five verifications the firm asked for, in its newest need form."""
    need = records.latest("need_form")
    asked = names(need.values, "verifications") if need else ()
    return tuple(name for name in asked if name in set(Verification))


def _about_the_offer(values: Values, asked: tuple[str, ...], last_day: date) -> Iterator[Computed]:
    active = [row for row in rows(values, "capabilities") if row.get("is_active") is True]
    slots = {name: [day(row, "free_from") for row in active if row.get("verification") == name] for name in asked}
    if absent := [name for name, days in slots.items() if not days]:
        yield not_met("capability_missing", without_capability=absent)
    dated = {name: [slot for slot in days if slot is not None] for name, days in slots.items() if days}
    if unknown := [name for name, days in dated.items() if not days]:
        yield not_enough("slot_unknown", slot_unknown=unknown)
    if late := [name for name, days in dated.items() if days and min(days) > last_day]:
        yield not_met("slot_too_late", slot_too_late=late)


def technical_manager(criterion: Criterion, records: Records) -> Computed:
    """G1.9: one active technical manager: certificate valid today, fewer open projects than the cap, no conflict."""
    record = records.latest("technical_manager_record")
    if record is None:
        return missing("technical_manager_missing")
    values = record.values
    cap, load = int(limit(criterion, "load_cap")), whole(values, "open_projects")
    return together(_about_the_manager(values, records.today, load, cap), load=load, cap=cap)


def _about_the_manager(values: Values, today: date, load: int | None, cap: int) -> Iterator[Computed]:
    if values.get("is_active") is not True:
        yield not_met("technical_manager_inactive")
    ends = day(values, "certificate_valid_until")
    if ends is None:
        yield not_enough("technical_manager_certificate_undated")
    elif ends < today:
        yield not_met("technical_manager_certificate_expired", ended_on=ends.isoformat())
    if load is None:
        yield not_enough("technical_manager_load_unknown")
    elif load >= cap:
        yield not_met("technical_manager_overloaded")
    if values.get("has_conflict") is True:
        yield not_met("technical_manager_conflict")
    elif values.get("has_conflict") is not False:
        yield not_enough("technical_manager_conflict_undeclared")


RULES: dict[str, Rule] = {
    "application_complete": application_complete,
    "lawful_applicant": lawful_applicant,
    "small_firm": small_firm,
    "clean_record": clean_record,
    "no_double_funding": no_double_funding,
    "need_meets_platform": need_meets_platform,
    "technical_manager": technical_manager,
}
