"""What a stage asks on entry and a document shows."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from lifecycle.projects.entry import ENTRY
from lifecycle.standards import library
from tests.lifecycle.stages.trial_records import PAPERS, a_trial


def asked(*papers: Any) -> Any:
    """Return why a project may not enter the market validation, for its trial agreement alone."""
    facts: Any = SimpleNamespace(pack=library.by_name("default@2026.1"), records=a_trial(papers=papers))
    return ENTRY["trial_agreement_signed"](facts)


class TestATrialAgreement:
    def test_is_asked_for(self) -> None:
        assert asked().code == "trial_agreement_missing"

    @pytest.mark.parametrize(("days", "code"), [(0, None), (1, "signed_in_future")])
    def test_shows_nothing_before_the_day_on_which_it_is_signed(self, days: int, code: str | None) -> None:
        signed = a_trial().today + timedelta(days=days)

        found = asked(replace(PAPERS[0], type="trial_agreement", values={"signed_on": signed.isoformat()}))

        assert (found and found.code) == code
