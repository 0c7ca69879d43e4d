"""A firm that meets every criterion of G1 and G2, and the question whether it still does after one change."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from lifecycle.stages import feasibility, intake, maturity
from lifecycle.stages.maturity import THREADS
from lifecycle.stages.records import (
    ClaimRecord,
    Computed,
    EvidenceRecord,
    NoticeRecord,
    PartyRecord,
    Records,
)
from lifecycle.standards import library
from lifecycle.standards.pack import Criterion
from models.states import MaturityScale, ProjectState
from notifications.words import LANGUAGES, sentence
from tests.lifecycle.stages.facts import UNFILLED

ARRIVED = date(2025, 7, 8)
TODAY = date(2025, 7, 15)
RULES = {**intake.RULES, **feasibility.RULES, **maturity.RULES}
DEFAULT = library.PACKS / "default-2026.1"
_STAGES = {"G1": "intake", "G2": "feasibility"}

FORMS: Mapping[str, Mapping[str, Any]] = {
    "licence": {
        "legal_name": "味道智能（深圳）有限公司",
        "credit_code": "914403001922038216",
        "valid_until": "2035-01-31",
    },
    "sme_declaration": {"staff": 48, "currency": "CNY", "revenue_minor": 3_200_000_000},
    "sample": {"description": "炒菜机器人样机", "quantity": 2},
    "prototype_test_report": {"laboratory": "平台试验室", "conclusion": "passed"},
    "ip_statement": {"planned_ownership": "归申报企业"},
    "need_form": {"verifications": ["function", "process"]},
    "funding_declaration": {"signed_on": "2025-07-01"},
    "incident_declaration": {
        "party": "applicant",
        "covers_from": "2022-07-01",
        "covers_until": "2025-07-08",
        "major_incidents": 0,
    },
    "maturity_claim": {"assessed_on": "2025-07-01"},
    "platform_offer": {
        "capabilities": [
            {"verification": "function", "is_active": True, "free_from": "2025-08-01"},
            {"verification": "process", "is_active": True, "free_from": "2026-01-08"},
        ]
    },
    "technical_manager_record": {
        "is_active": True,
        "certificate_valid_until": "2026-03-31",
        "open_projects": 5,
        "has_conflict": False,
    },
    "budget": {
        "currency": "CNY",
        "total_minor": 300_000_000,
        "eligible_minor": 300_000_000,
        "categories": [
            {"category": "equipment", "expense": "capital", "amount_minor": 180_000_000},
            {"category": "testing", "expense": "running", "amount_minor": 120_000_000},
        ],
        "sources": [
            {"source": "grant", "amount_minor": 210_000_000},
            {"source": "own", "amount_minor": 90_000_000},
        ],
    },
    "own_money_proof": {"reference": "2025-1", "currency": "CNY", "amount_minor": 90_000_000},
    "risk_register": {
        "risks": [
            {
                "risk": "主控板过热",
                "grade": "high",
                "status": "open",
                "owner": "李工",
                "measure": "加散热片",
                "due_on": "2025-09-01",
            },
            {"risk": "供货延迟", "grade": "low", "status": "open"},
        ]
    },
    "schedule": {
        "first_batch_on": "2025-10-13",
        "first_batch_equipment": ["SMT line", "burn-in rack"],
        "planned_batch_size": 200,
        "proven_batch_size": 2,
        "steps": [{"step": "首批", "kind": "batch", "ends_on": "2025-10-31"}],
    },
    "bom_target_cost": {"target_minor": 450_000, "cost_minor": 540_000},
    "booking": {
        "number": "B-1",
        "equipment": ["SMT line", "burn-in rack"],
        "starts_on": "2025-10-13",
        "ends_on": "2025-10-17",
        "status": "confirmed",
        "operator": "赵工",
        "operator_qualified_until": "2025-10-13",
    },
    "validation_matrix": {
        "tests": [
            {
                "verification": verification,
                "method": "GB/T 4706.1",
                "sample_size": 5,
                "acceptance_limit": "0 failures",
                "laboratory": "平台试验室",
            }
            for verification in ("function", "process")
        ]
    },
    "ehs_permit_plan": {
        "needs_permits": True,
        "permits": [{"permit": "排污许可", "is_needed": True, "expected_on": "2025-10-12"}],
    },
}


def a_paper(kind: str, *, values: Mapping[str, Any] | None = None, valid_until: date | None = None) -> EvidenceRecord:
    """Evidence of this type, filled in as the good firm would."""
    return EvidenceRecord(
        id=UUID(int=1),
        type=kind,
        sha256="0" * 64,
        values=FORMS[kind] if values is None else values,
        submitted_on=ARRIVED,
        author=UUID(int=2),
        valid_until=valid_until,
    )


def claims(*, trl: int = 5, mrl: int = 4) -> tuple[ClaimRecord, ...]:
    """One critical technology and all nine threads at these levels, each with evidence."""
    technology = ClaimRecord(scale=MaturityScale.TRL, item="heating control", level=trl, evidence=UUID(int=1))
    threads = (ClaimRecord(scale=MaturityScale.MRL, item=name, level=mrl, evidence=UUID(int=1)) for name in THREADS)
    return (technology, *threads)


def good_firm() -> Records:
    """Records that meet every computed criterion of G1 and G2."""
    of_platform = {**FORMS["incident_declaration"], "party": "platform"}
    return Records(
        project_id=UUID(int=3),
        stage=ProjectState.INTAKE,
        today=TODAY,
        stage_started_on=ARRIVED,
        received_on=ARRIVED,
        applicant=PartyRecord(id=UUID(int=4), name="味道智能(深圳) 有限公司", credit_code="914403001922038216"),
        profiles={"firm_size": "cn_industrial", "scale_up": "general", "manufacture": "assembly"},
        evidence=(*map(a_paper, FORMS), a_paper("incident_declaration", values=of_platform)),
        claims=claims(),
        notices=(NoticeRecord(gate="G2", starts_on=date(2025, 7, 8), ends_on=date(2025, 7, 14)),),
    )


def without(kind: str) -> Records:
    """The good firm without any evidence of this type."""
    firm = good_firm()
    return replace(firm, evidence=tuple(paper for paper in firm.evidence if paper.type != kind))


def with_values(kind: str, **changes: Any) -> Records:
    """The good firm with one evidence of this type, some of its values changed (None: absent)."""
    return with_papers(a_paper(kind, values={**FORMS[kind], **changes}))


def with_papers(*papers: EvidenceRecord) -> Records:
    """The good firm with exactly these papers of their types."""
    kinds = {paper.type for paper in papers}
    firm = good_firm()
    return replace(firm, evidence=(*(paper for paper in firm.evidence if paper.type not in kinds), *papers))


def clause(number: str) -> Criterion:
    """The criterion as it stands in the published file."""
    stage = _stage_file(_STAGES[number.partition(".")[0]]).stage
    return next(criterion for criterion in stage.criteria if criterion.id == number)


def judged(number: str, records: Records) -> Computed:
    """What the clause's rule finds, after every code it names was said in both languages."""
    criterion = clause(number)
    assert criterion.rule is not None
    found = RULES[criterion.rule](criterion, records)
    for code in (found.code, *found.values.get("problems", ()), *filter(None, [found.suffices])):
        for language in LANGUAGES:
            whole = sentence(code, found.values, language)
            assert whole != code
            assert not UNFILLED.search(whole), whole
    return found


@cache
def _stage_file(name: str) -> library.StageFile:
    return library.load_stage(DEFAULT / f"{name}.yaml")
