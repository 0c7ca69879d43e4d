"""The day on which a verdict may change by itself."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from lifecycle.stages.ageing import next_change
from lifecycle.stages.records import EvidenceRecord, PartyRecord, Records
from lifecycle.standards import library
from models.states import ProjectState

TODAY = date(2026, 6, 1)
NOBODY = UUID(int=0)


def change(type_id: str, **values: Any) -> date | None:
    paper = EvidenceRecord(id=NOBODY, type=type_id, sha256="", values=values, submitted_on=TODAY, author=NOBODY)
    known = Records(
        project_id=NOBODY,
        stage=ProjectState.INTAKE,
        today=TODAY,
        stage_started_on=TODAY,
        received_on=TODAY,
        applicant=PartyRecord(id=NOBODY, name="sme"),
        evidence=(paper,),
    )
    return next_change(library.default(), known)


class TestADatedPaper:
    @pytest.mark.parametrize(
        ("type_id", "values", "expected"),
        [
            ("msa_study", {"studied_on": "2025-07-31"}, date(2026, 8, 1)),
            ("accredited_test_report", {"issued_on": "2026-02-28"}, date(2027, 3, 1)),
            ("receiver_consent", {"signed_on": "2026-12-01"}, date(2026, 12, 1)),
            ("certification_file", {"certificates": [{"planned_on": "2026-06-01"}]}, date(2026, 6, 2)),
            ("certification_file", {"certificates": [{"valid_until": "9999-12-31"}]}, date(9999, 12, 31)),
        ],
    )
    def test_says_when_it_begins_to_count_runs_out_or_is_too_old(
        self, type_id: str, values: dict[str, Any], expected: date
    ) -> None:
        assert change(type_id, **values) == expected

    @pytest.mark.parametrize(
        ("type_id", "values"),
        [
            ("msa_study", {"studied_on": "2025-05-31"}),
            ("msa_study", {"studied_on": "soon"}),
            ("licence", {"valid_until": "2030-01-01"}),
            ("unheard_of", {"signed_on": "2030-01-01"}),
        ],
    )
    def test_says_nothing_where_nothing_changes_or_its_validity_does(
        self, type_id: str, values: dict[str, Any]
    ) -> None:
        assert change(type_id, **values) is None
