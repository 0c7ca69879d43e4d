"""A trial that passes every computed criterion of gate G3; each test changes the one fact it is about."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Any
from uuid import UUID

import yaml

from lifecycle.stages.records import (
    BatchRecord,
    CharacteristicRecord,
    Computed,
    EvidenceRecord,
    FindingRecord,
    PartyRecord,
    Records,
    RevisionRecord,
    TrackRecord,
)
from lifecycle.stages.trial import RULES
from models.states import BatchKind, FindingKind, ProjectState, Verification
from tests.lifecycle.stages.pack_files import stage_of

STAGE, TYPES = stage_of("small_batch_trial")
CRITERIA = {criterion.id: criterion for criterion in STAGE.criteria}
SENTENCES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parents[3] / "notifications" / "locale" / "stages_small_batch_trial.yaml").read_text("utf-8")
)
NOBODY = UUID(int=0)
TODAY = date(2026, 6, 1)
FROZEN = RevisionRecord(label="B", frozen_on=date(2026, 3, 1))
BORE = CharacteristicRecord(name="bore", unit="mm", lower=9.9, upper=10.1, is_critical=True, gauge="G-7")
WEIGHT = CharacteristicRecord(name="weight", unit="g", lower=None, upper=520, is_critical=False, gauge="G-8")


def scatter(centre: float, sigma: float, n: int) -> tuple[tuple[float, ...], ...]:
    """Return single values of a calm process, always the same: normal quantiles in golden-section order."""
    golden = (math.sqrt(5) - 1) / 2
    process = NormalDist(centre, sigma)
    return tuple((process.inv_cdf((i * golden) % 1),) for i in range(1, n + 1))


def a_batch(number: str = "T-2", **facts: Any) -> BatchRecord:
    """Return a closed conforming batch of the frozen revision with 50 units, 49 of them right first time."""
    usual: dict[str, Any] = {
        "kind": BatchKind.TRIAL,
        "made_on": date(2026, 4, 1),
        "revision": FROZEN.label,
        "is_closed": True,
        "started": 50,
        "passed_first_time": 49,
        "conforming": True,
        "measurements": {"bore": scatter(10.0, 0.015, 40), "weight": scatter(500, 4, 40)},
    }
    return BatchRecord(number=number, **{**usual, **facts})


def evidence(type_id: str, *, revision: str | None = FROZEN.label, **values: Any) -> EvidenceRecord:
    """Return one current document with these form values."""
    assert set(values) <= {field.name for field in TYPES[type_id].fields}, "not a field of the form"
    return EvidenceRecord(
        id=NOBODY,
        type=type_id,
        sha256=f"{type_id}:{values}",
        values=values,
        submitted_on=date(2026, 5, 4),
        author=NOBODY,
        revision=revision,
    )


def study(gauge: str, **values: Any) -> EvidenceRecord:
    """Return a good measurement system study."""
    return evidence("msa_study", **{"gauge": gauge, "grr": 0.08, "ndc": 7, "studied_on": "2026-02-10", **values})


def report(verification: str, **values: Any) -> EvidenceRecord:
    """Return a passed and fully signed verification report."""
    signed = ["development", "quality", "production", "process"]
    return evidence(
        "verification_report", **{"verification": verification, "result": "passed", "signed_by": signed, **values}
    )


def outside_report(revision: str = FROZEN.label, **values: Any) -> EvidenceRecord:
    """Return a fresh passed report of an accredited laboratory."""
    usual = {"report_number": "CN-17", "result": "passed", "issued_on": "2026-04-20"}
    return evidence("accredited_test_report", revision=revision, **{**usual, **values})


PAPERS = (
    study("G-7"),
    study("G-8"),
    report("design"),
    report("function"),
    outside_report(),
    evidence("reliability_test", units_tested=22, failures=0),
    evidence("pfmea", issue="2"),
    evidence("prelaunch_control_plan", issue="1", characteristics=["bore", "weight"]),
    evidence("deviation_8d_log", entries=0),
    evidence("ehs_log", events=0),
)


def a_trial(*, papers: Sequence[EvidenceRecord] = PAPERS, **facts: Any) -> Records:
    """Return the trial with these facts changed."""
    good = Records(
        project_id=NOBODY,
        stage=ProjectState.SMALL_BATCH_TRIAL,
        today=TODAY,
        stage_started_on=date(2026, 1, 10),
        received_on=date(2025, 7, 8),
        applicant=PartyRecord(id=NOBODY, name="firm"),
        profiles={"manufacture": "assembly"},
        evidence=tuple(papers),
        revisions=(RevisionRecord(label="A", frozen_on=date(2026, 1, 15)), FROZEN),
        characteristics=(BORE, WEIGHT),
        batches=(a_batch(),),
        tracks=(TrackRecord(verification=Verification.DESIGN), TrackRecord(verification=Verification.FUNCTION)),
    )
    return replace(good, **facts)


def without(*type_ids: str) -> tuple[EvidenceRecord, ...]:
    """Return the papers but those of these types."""
    return tuple(paper for paper in PAPERS if paper.type not in type_ids)


def with_instead(*papers: EvidenceRecord) -> tuple[EvidenceRecord, ...]:
    """Return the papers with these in place of all others of their types."""
    return (*without(*(paper.type for paper in papers)), *papers)


def a_finding(kind: FindingKind, severity: int, **facts: Any) -> FindingRecord:
    """Return an open finding of April."""
    return FindingRecord(kind=kind, severity=severity, **{"opened_on": date(2026, 4, 10), **facts})


def judged(clause: str, records: Records, **parameters: Any) -> Computed:
    """Apply the clause's rule as the pack names it, and check that its finding can be said in both languages."""
    criterion = CRITERIA[clause]
    if parameters:
        criterion = criterion.model_copy(update={"parameters": {**criterion.parameters, **parameters}})
    assert criterion.rule is not None
    found = RULES[criterion.rule](criterion, records)
    for code in (found.code, *([found.suffices] if found.suffices else []), *found.values.get("problems", [])):
        for language in ("zh", "en"):
            assert SENTENCES[code][language].format(**found.values)
    return found
