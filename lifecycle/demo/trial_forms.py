"""What the papers of trial, market validation and handoff say: one form for each type of evidence."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import cast

from lifecycle.demo.case import Case
from lifecycle.demo.forms import Form, Forms
from lifecycle.demo.people import FIRMS, OTHERS, PLATFORMS
from lifecycle.stages.forms import months_after
from models.states import Role

GAUGE = "LJ-01"
RUN_HOURS, RUN_UNITS, RUN_GOOD = 6.0, 320, 317
"""The significant production run: hours, units started, units right first time."""


def verification_report(case: Case, day: date) -> list[Form]:
    """Each asked verification passed and signed by all four functions."""
    said = {
        "tested_on": day.isoformat(),
        "result": "passed",
        "plan_approved_by": FIRMS[case.product.firm].lead[1],
        "plan_approved_on": (day - timedelta(days=30)).isoformat(),
        "signed_by": ["development", "quality", "production", "process"],
    }
    asked = enumerate(case.product.verifications, start=1)
    return [{"verification": str(one), "report_number": f"YZ-{case.number}-{i}", **said} for i, one in asked]


def accredited_test_report(case: Case, day: date) -> list[Form]:
    """An outside laboratory says passed."""
    laboratory = {"laboratory": OTHERS["laboratory"][0], "accreditation_number": "CNAS L0000"}
    return [{"report_number": f"SH-{case.number[3:]}", **laboratory, "issued_on": day.isoformat(), "result": "passed"}]


def msa_study(_case: Case, day: date) -> list[Form]:
    """The gauge is good."""
    figures = {"grr": 0.08, "ndc": 12, "operators": 3, "parts": 10}
    return [{"gauge": GAUGE, "studied_on": (day - timedelta(days=15)).isoformat(), **figures}]


def reliability_test(_case: Case, day: date) -> list[Form]:
    """A success run: 22 units, none failed."""
    said = {"units_tested": 22, "failures": 0, "mission": "满载循环 500 次"}
    return [{**said, "tested_on": day.isoformat()}]


def cost_rollup(case: Case, _day: date) -> list[Form]:
    """Four percent above target."""
    target = case.product.target_minor
    return [{"cost_minor": target * 104 // 100, "target_minor": target, "batch": "B-02"}]


def deviation_8d_log(_case: Case, day: date) -> list[Form]:
    """Kept from the first batch to now."""
    return [{"covers_from": (day - timedelta(days=60)).isoformat(), "covers_until": day.isoformat(), "entries": 3}]


def ehs_log(_case: Case, day: date) -> list[Form]:
    """Nothing happened."""
    return [{"covers_from": (day - timedelta(days=60)).isoformat(), "covers_until": day.isoformat(), "events": 0}]


def pfmea(_case: Case, day: date) -> list[Form]:
    """No high risk left open."""
    return [{"issue": "2", "dated_on": day.isoformat(), "open_high_risks": 0}]


def prelaunch_control_plan(case: Case, day: date) -> list[Form]:
    """Every special characteristic is in it."""
    return [{"issue": "1", "dated_on": day.isoformat(), "characteristics": [case.product.characteristic[0]]}]


def batch_record(case: Case, number: str, made_on: date, size: int) -> Form:
    """The record of one batch."""
    line = PLATFORMS[case.product.platform].name
    return {"batch": number, "made_on": made_on.isoformat(), "size": size, "size_unit": "台", "line": line}


def trial_agreement(case: Case, day: date) -> list[Form]:
    """Three independent customers agree to try it."""
    return [{"site": site, "customer": site, "signed_on": day.isoformat(), "independent": True} for site in sites(case)]


def sites(case: Case) -> list[str]:
    """Return the names of the three sites, which are those of their owners."""
    return [OTHERS[key][0] for key in case.customers()]


def user_report(case: Case, day: date) -> list[Form]:
    """What the users found, signed."""
    found = {"signed_on": day.isoformat(), "signed_by": "现场负责人", "days_used": 35, "findings": "运行稳定，愿意续用"}
    return [{"site": site, **found} for site in sites(case)]


def scenario_result(case: Case, day: date) -> list[Form]:
    """Measured values within their limits, witnessed."""
    values = [{"quantity": "可用率", "unit": "%", "lower": 95.0, "measured": 98.2}]
    said = {"operating_profile": "每日两班", "days": 35, "witness": "平台试验员", "values": values}
    return [{"site": site, **said, "valid_until": months_after(day, 12).isoformat()} for site in sites(case)]


def failure_log(_case: Case, _day: date) -> list[Form]:
    """No failure; the target is that of the contract."""
    return [{"reliability_target": 0.90, "failures": []}]


def certification_file(_case: Case, day: date) -> list[Form]:
    """The mandatory certificate is held."""
    held = {"name": "强制性产品认证", "number": "CCC-2025-0117", "valid_until": months_after(day, 48).isoformat()}
    return [{"launch_on": months_after(day, 4).isoformat(), "certificates": [held]}]


def price_test(case: Case, _day: date) -> list[Form]:
    """What users would pay."""
    price = case.product.target_minor * 2
    return [{"method": "价格敏感度访谈", "respondents": 24, "price_minor": price}]


def launch_plan(case: Case, day: date) -> list[Form]:
    """The first lot and where it is sold."""
    launch = months_after(day, 4).isoformat()
    return [{"first_lot": case.product.first_lot, "launch_on": launch, "channels": "直销与行业渠道"}]


def business_case(case: Case, _day: date) -> list[Form]:
    """It pays back in two years."""
    target, volume = case.product.target_minor, case.product.first_lot * 12
    return [
        {"unit_price_minor": target * 2, "unit_cost_minor": target, "volume_per_year": volume, "payback_months": 22}
    ]


def ppap(case: Case, _day: date) -> list[Form]:
    """All 18 elements with their documents."""
    asked = cast("list[str]", case.pack.criterion("G5.2").parameters["elements"])
    elements = [{"element": name, "document": f"PPAP-{case.number[3:]}-{i:02d}"} for i, name in enumerate(asked, 1)]
    return [{"level": "3", "elements": elements}]


def frozen_bom_route_sop(case: Case, day: date) -> list[Form]:
    """All of the frozen revision."""
    parts = {f"{part}_revision": case.revision for part in ("bom", "route", "sop")}
    return [{**parts, "frozen_on": day.isoformat()}]


def run_at_rate(case: Case, batch: str) -> Form:
    """The run on the final line reached its rate."""
    size = {"full_batch_size": RUN_UNITS} if case.product.manufacture == "process" else {}
    return {"batch": batch, "final_tooling_and_line": True, "planned_per_hour": 52, "good_units": RUN_GOOD, **size}


def supplier_approval(_case: Case, day: date) -> list[Form]:
    """Two suppliers, approved."""
    approved = {"approved_on": day.isoformat()}
    rows = [
        {"supplier": "安泰元器件", "part": "控制板", **approved},
        {"supplier": "恒信结构件", "part": "壳体", **approved},
    ]
    return [{"suppliers": rows}]


def training_record(_case: Case, day: date) -> list[Form]:
    """The people of the line are qualified."""
    people = [("GH-101", "总装"), ("GH-102", "检验")]
    return [{"people": [{"person": who, "station": where, "qualified_on": day.isoformat()} for who, where in people]}]


def quality_agreement(_case: Case, day: date) -> list[Form]:
    """Signed, with a limit of defects."""
    return [{"signed_on": day.isoformat(), "ppm_limit": 800}]


def technology_transfer_record(case: Case, day: date) -> list[Form]:
    """Licence and know-how go to the receiver."""
    items = [f"{case.product.technology}专利实施许可", "工艺参数与作业指导书"]
    return [{"items": items, "owner_after": FIRMS[case.product.firm].name, "transferred_on": day.isoformat()}]


def final_report(_case: Case, day: date) -> list[Form]:
    """All aims reached."""
    return [{"results": "考核指标全部完成", "finished_on": day.isoformat()}]


def final_financial_statement(_case: Case, _day: date) -> list[Form]:
    """Nothing was advanced; statement and ledger agree."""
    same = {"statement_total_minor": 296_540_000, "ledger_total_minor": 296_540_000}
    return [{"advances_minor": 0, "accepted_cost_minor": 0, "repaid_minor": 0, **same}]


def audit_report(_case: Case, day: date) -> list[Form]:
    """One finding, closed."""
    finding = {"finding": "差旅费凭证缺附件一份", "closed_on": day.isoformat()}
    said = {"kind": "audit", "auditor": OTHERS["auditors"][0], "reported_on": day.isoformat()}
    return [{**said, "findings": [finding]}]


FORMS: Forms = {
    function.__name__: function
    for function in (
        verification_report,
        accredited_test_report,
        msa_study,
        reliability_test,
        cost_rollup,
        deviation_8d_log,
        ehs_log,
        pfmea,
        prelaunch_control_plan,
        trial_agreement,
        user_report,
        scenario_result,
        failure_log,
        certification_file,
        price_test,
        launch_plan,
        business_case,
        ppap,
        frozen_bom_route_sop,
        supplier_approval,
        training_record,
        quality_agreement,
        technology_transfer_record,
        final_report,
        final_financial_statement,
        audit_report,
    )
}
"""By the id of the evidence type, which is the function's name; batch records and run at rate go with their batches."""

AUTHORS: Mapping[Role, tuple[str, ...]] = {
    Role.FINANCE_OFFICER: (
        "sme_declaration",
        "funding_declaration",
        "bom_target_cost",
        "budget",
        "own_money_proof",
        "cost_rollup",
        "price_test",
        "business_case",
        "final_financial_statement",
        "audit_report",
    ),
    Role.LAB_LEAD: ("platform_offer", "booking", "verification_report", "msa_study", "ehs_log"),
    Role.TECHNICAL_MANAGER: ("technical_manager_record", "ip_clause", "technology_transfer_record", "final_report"),
    Role.COORDINATOR: ("fee_and_capacity_quote",),
    Role.RECEIVER_LEAD: ("run_at_rate",),
    Role.PAYER: ("tranche_record",),
}
"""Who hands in what; everything else comes from the firm's lead."""


def author_of(type_id: str, form: Form) -> Role:
    """Return the role that hands a paper in: never one that judges it."""
    if type_id == "incident_declaration" and form["party"] == "platform":
        return Role.TECHNICAL_MANAGER
    return next((role for role, types in AUTHORS.items() if type_id in types), Role.PROJECT_LEAD)
