"""One word for each fact that matters to a rule; all else is sensible."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from lifecycle.stages.records import EvidenceRecord, PartyRecord, Records, RevisionRecord
from models.states import ProjectState
from notifications.words import LANGUAGES, sentence

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


class Said(Protocol):
    """A finding or a verdict: what it says is a code with values."""

    @property
    def code(self) -> str: ...
    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def suffices(self) -> str | None: ...


_Said = TypeVar("_Said", bound=Said)


def worded(said: _Said) -> _Said:
    """Return it unchanged, once its codes have sentences in both languages that its values fill."""
    for code in filter(None, (said.code, said.suffices)):
        for language in LANGUAGES:
            whole = sentence(code, said.values, language)
            assert whole != code
            assert not UNFILLED.search(whole), whole
    return said


UNFILLED = re.compile(r"\bNone\b|\[[a-z_]+\]")
"""What a value that is missing leaves in a sentence."""
