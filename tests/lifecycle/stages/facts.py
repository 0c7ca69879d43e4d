"""One word for each fact that matters to a rule; all else is sensible."""

from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from lifecycle.stages.records import EvidenceRecord, PartyRecord, Records, RevisionRecord
from models.states import ProjectState

TODAY = date(2026, 6, 10)
FIRM = PartyRecord(id=UUID(int=1), name="firm")
PLATFORM = PartyRecord(id=UUID(int=2), name="platform")
CUSTOMER = UUID(int=10)
AUTHOR = UUID(int=20)
JUDGE = UUID(int=21)


def a_project(stage: ProjectState = ProjectState.MARKET_VALIDATION, **facts: Any) -> Records:
    """Return a project on its day, with revision B frozen long ago."""
    frozen = (RevisionRecord(label="B", frozen_on=date(2025, 9, 1)),)
    plain: dict[str, Any] = {
        "project_id": UUID(int=3),
        "stage": stage,
        "today": TODAY,
        "stage_started_on": date(2026, 1, 5),
        "received_on": date(2025, 7, 8),
        "applicant": FIRM,
        "platform": PLATFORM,
        "revisions": frozen,
    }
    return Records(**{**plain, **facts})


def evidence(kind: str, /, *, number: int = 1, revision: str | None = "B", **values: Any) -> EvidenceRecord:
    """Return current evidence of this type; `number` tells several of them apart."""
    return EvidenceRecord(
        id=uuid5(NAMESPACE_URL, f"{kind}/{number}"),
        type=kind,
        sha256=f"{kind}-{number}",
        values=values,
        submitted_on=date(2026, 5, 4),
        author=AUTHOR,
        revision=revision,
    )
