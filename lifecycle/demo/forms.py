"""What the papers of an application and of the feasibility stage say: one form for each type of evidence."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias

from lifecycle.demo.case import Case
from lifecycle.demo.people import FIRMS, PLATFORMS, credit_code_of
from lifecycle.stages.forms import months_after
from lifecycle.stages.maturity import THREADS
from models.states import Role

Form: TypeAlias = dict[str, Any]
Forms: TypeAlias = Mapping[str, Callable[[Case, date], list[Form]]]
"""Evidence type -> the forms handed in of it, for a project on a day."""


def _firm(case: Case) -> tuple[str, str, str]:
    firm = FIRMS[case.product.firm]
    return firm.name, firm.lead[1], firm.finance[1]


def licence(case: Case, _day: date) -> list[Form]:
    """The licence as it is entered."""
    name, lead, _ = _firm(case)
    code = credit_code_of(case.product.firm)
    return [{"legal_name": name, "credit_code": code, "legal_representative": lead, "is_long_term": True}]


def sme_declaration(case: Case, day: date) -> list[Form]:
    """A small firm."""
    _, _, finance = _firm(case)
    said = {"staff": 86, "currency": "CNY", "revenue_minor": 6_200_000_000, "balance_sheet_minor": 4_800_000_000}
    return [
        {"year_ended_on": f"{day.year - 1}-12-31", **said, "signed_by": finance, "signed_on": day.isoformat()},
    ]


def sample(case: Case, day: date) -> list[Form]:
    """Two prototypes."""
    return [{"description": f"{case.product.name}样机", "quantity": 2, "received_on": day.isoformat()}]


def prototype_test_report(case: Case, day: date) -> list[Form]:
    """What the prototypes did."""
    name, unit, low, high = case.product.characteristic
    middle = f"{(low + high) / 2:g} {unit}"
    results = [{"characteristic": name, "needed": f"{low:g}–{high:g} {unit}", "measured": middle}]
    tested = (day - timedelta(days=20)).isoformat()
    return [{"laboratory": "企业试验室", "tested_on": tested, "results": results, "conclusion": "passed"}]


def ip_statement(case: Case, day: date) -> list[Form]:
    """Own rights, everyone sworn to secrecy."""
    name, lead, _ = _firm(case)
    coordinator = PLATFORMS[case.product.platform].people[Role.COORDINATOR][1]
    platform = PLATFORMS[case.product.platform].name
    people = ((lead, name), (coordinator, platform))
    return [
        {
            "background": [{"right": f"{case.product.technology}发明专利", "owner": name}],
            "planned_ownership": "成果归申报企业所有，平台享有署名权",
            "third_party_claims": [],
            "undertakings": [
                {"person": who, "organisation": where, "signed_on": day.isoformat()} for who, where in people
            ],
        }
    ]


def need_form(case: Case, day: date) -> list[Form]:
    """Which verifications are asked."""
    asked = [str(one) for one in case.product.verifications]
    wanted = (day + timedelta(days=30)).isoformat()
    return [
        {
            "product": case.product.name,
            "verifications": asked,
            "planned_units": case.product.batch_size,
            "wanted_from": wanted,
        }
    ]


def funding_declaration(case: Case, day: date) -> list[Form]:
    """No other money."""
    return [{"other_funding": [], "resolved_hits": [], "signed_by": _firm(case)[2], "signed_on": day.isoformat()}]


def incident_declaration(case: Case, day: date) -> list[Form]:
    """Nothing happened in four years, on either side."""
    said = {
        "covers_from": months_after(day, -48).isoformat(),
        "covers_until": day.isoformat(),
        "major_incidents": 0,
        "signed_on": day.isoformat(),
    }
    manager = PLATFORMS[case.product.platform].people[Role.TECHNICAL_MANAGER][1]
    signers = {"applicant": _firm(case)[1], "platform": manager}
    return [{"party": party, **said, "signed_by": signer} for party, signer in signers.items()]


def maturity_claim(case: Case, day: date, levels: tuple[int, int] = (5, 4)) -> list[Form]:
    """The levels of the technology and of the nine threads, each with its proof."""
    trl, mrl = levels
    rows = [{"scale": "trl", "item": case.product.technology, "level": trl, "proof": "样机测试报告"}]
    rows += [{"scale": "mrl", "item": thread, "level": mrl, "proof": "制造成熟度自评表"} for thread in THREADS]
    return [{"levels": rows, "assessed_on": day.isoformat()}]


def platform_offer(case: Case, day: date) -> list[Form]:
    """An active capability with a slot for each verification asked."""
    free = (day + timedelta(days=25)).isoformat()
    return [
        {
            "capabilities": [
                {"verification": str(one), "capability": "在用，具备人员与设备", "is_active": True, "free_from": free}
                for one in case.product.verifications
            ]
        }
    ]


def technical_manager_record(case: Case, _day: date) -> list[Form]:
    """One active manager with room for this project."""
    name = PLATFORMS[case.product.platform].people[Role.TECHNICAL_MANAGER][1]
    certificate = {"certificate": f"JSJJR-{name}", "grade": "senior", "certificate_valid_until": "2027-12-31"}
    return [{"name": name, **certificate, "is_active": True, "open_projects": 4, "has_conflict": False}]


def fee_and_capacity_quote(case: Case, day: date) -> list[Form]:
    """What the platform's service costs."""
    until = months_after(day, 6).isoformat()
    return [{"fee_minor": 38_000_000, "capacity": f"每批 {case.product.batch_size} 台", "valid_until": until}]


def feasibility_report(_case: Case, day: date) -> list[Form]:
    """Feasible in all three parts."""
    return [{"technical": "feasible", "market": "feasible", "financial": "feasible", "written_on": day.isoformat()}]


def validation_matrix(case: Case, _day: date) -> list[Form]:
    """One test for each verification asked."""
    tests = [
        {
            "verification": str(one),
            "test": f"{case.product.technology} {one}",
            "method": "按任务书试验大纲",
            "sample_size": 22,
            "acceptance_limit": "无失效",
            "laboratory": PLATFORMS[case.product.platform].name,
        }
        for one in case.product.verifications
    ]
    return [{"tests": tests}]


def dfmea(case: Case, day: date) -> list[Form]:
    """Two failure modes with their measures."""
    modes = [
        {
            "function": case.product.technology,
            "failure_mode": "长时间满载过热",
            "severity": 8,
            "occurrence": 3,
            "detection": 4,
            "measure": "增加散热裕量并做老化试验",
        },
        {
            "function": "结构与装配",
            "failure_mode": "装配尺寸超差",
            "severity": 6,
            "occurrence": 3,
            "detection": 3,
            "measure": "工装定位",
        },
    ]
    return [{"failure_modes": modes, "reviewed_on": day.isoformat()}]


def bom_target_cost(case: Case, _day: date) -> list[Form]:
    """The forecast lies six percent above its target."""
    target = case.product.target_minor
    volume = case.product.first_lot * 12
    return [{"planned_volume": volume, "target_minor": target, "cost_minor": target * 106 // 100}]


def budget(_case: Case, _day: date) -> list[Form]:
    """Three million yuan, 1.2 of them asked for."""
    categories = [
        ("equipment", "capital", 80_000_000),
        ("materials", "running", 110_000_000),
        ("testing", "running", 60_000_000),
        ("labour", "running", 50_000_000),
    ]
    return [
        {
            "currency": "CNY",
            "total_minor": 300_000_000,
            "eligible_minor": 300_000_000,
            "categories": [
                {"category": name, "expense": kind, "amount_minor": amount} for name, kind, amount in categories
            ],
            "sources": [
                {"source": "grant", "amount_minor": 120_000_000},
                {"source": "own", "amount_minor": 180_000_000},
            ],
        }
    ]


def own_money_proof(case: Case, day: date) -> list[Form]:
    """The bank says that the own money is there."""
    stated = {"bank": "招商银行", "currency": "CNY", "amount_minor": 180_000_000, "stated_on": day.isoformat()}
    return [{"reference": f"ZX-{case.number}", **stated}]


def ip_clause(case: Case, _day: date) -> list[Form]:
    """The clauses of the draft contract."""
    clauses = {"ownership": "成果归企业", "data": "试验数据双方共有，对外须经同意", "secrecy": "保密期五年"}
    return [{"contract_draft": f"{case.number} 任务书草案 1", **clauses}]


def ehs_permit_plan(_case: Case, _day: date) -> list[Form]:
    """Hazards known, no permit needed."""
    return [{"hazards": ["高温表面", "用电安全"], "needs_permits": False}]


def schedule(case: Case, day: date) -> list[Form]:
    """The first batch comes six weeks from now."""
    first, size = day + timedelta(days=42), case.product.batch_size
    steps = [
        {"step": "首批试制", "kind": "batch", "ends_on": first.isoformat(), "indicator": "一次合格率不低于 90%"},
        {
            "step": "验证完成",
            "kind": "milestone",
            "ends_on": months_after(first, 3).isoformat(),
            "indicator": "验证全部通过",
        },
    ]
    return [
        {
            "first_batch_on": first.isoformat(),
            "first_batch_equipment": list(case.product.equipment),
            "planned_batch_size": size,
            "proven_batch_size": max(size // 12, 1),
            "batch_unit": "台",
            "steps": steps,
        }
    ]


def booking(case: Case, day: date) -> list[Form]:
    """All equipment, confirmed around the first batch, with an operator."""
    first = day + timedelta(days=42)
    spans = {
        "starts_on": (first - timedelta(days=2)).isoformat(),
        "ends_on": (first + timedelta(days=90)).isoformat(),
    }
    operator = {"operator": "操作员 07 号", "operator_qualified_until": months_after(first, 18).isoformat()}
    equipment = {"equipment": list(case.product.equipment), "status": "confirmed"}
    return [{"number": f"YY-{case.number}", **equipment, **spans, **operator}]


def risk_register(case: Case, day: date) -> list[Form]:
    """One high risk, owned."""
    owned = {"owner": _firm(case)[1], "measure": "备选方案与第二供应商"}
    risks = [
        {
            "risk": f"{case.product.technology}稳定性",
            "grade": "high",
            "status": "open",
            **owned,
            "due_on": months_after(day, 2).isoformat(),
        },
        {"risk": "关键物料交期", "grade": "medium", "status": "open", "owner": _firm(case)[1]},
    ]
    return [{"risks": risks}]


def task_contract(case: Case, day: date) -> list[Form]:
    """Signed by both sides, with the limits at which the trial is looked at again."""
    signed = {"signed_by_sme_on": day.isoformat(), "signed_by_funder_on": day.isoformat()}
    limits = {"stop_loss_money_minor": 360_000_000, "stop_loss_batches": 8, "stop_loss_days": 400}
    return [{"contract_number": f"RWS-{case.number}", **signed, **limits, "agreed_reliability": 0.90}]


FORMS: Forms = {
    function.__name__: function
    for function in (
        licence,
        sme_declaration,
        sample,
        prototype_test_report,
        ip_statement,
        need_form,
        funding_declaration,
        incident_declaration,
        maturity_claim,
        platform_offer,
        technical_manager_record,
        fee_and_capacity_quote,
        feasibility_report,
        validation_matrix,
        dfmea,
        bom_target_cost,
        budget,
        own_money_proof,
        ip_clause,
        ehs_permit_plan,
        schedule,
        booking,
        risk_register,
        task_contract,
    )
}
"""By the id of the evidence type, which is the function's name."""
