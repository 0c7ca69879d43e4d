"""All rules together with the whole standard."""

import pytest

from lifecycle.calendar import china
from lifecycle.stages.judgement import judge_stage
from lifecycle.stages.rule import met
from lifecycle.stages.rules import RULES, merged
from lifecycle.standards import library
from models.states import STAGES, ProjectState
from tests.lifecycle.stages.facts import a_project, worded


class TestMerged:
    def test_refuses_one_name_for_two_rules(self) -> None:
        table = {"reach": lambda _criterion, _records: met()}

        with pytest.raises(ValueError, match="rule named twice: reach"):
            merged(table, table)


class TestDefaultStandard:
    def test_names_exactly_the_rules_there_are(self) -> None:
        named = {one.rule for stage in library.default().stages for one in stage.criteria if one.rule}

        assert named == set(RULES)

    @pytest.mark.parametrize("stage", STAGES)
    def test_is_explained_to_a_project_without_any_record(self, stage: ProjectState) -> None:
        """What passes in silence is only what asks for an absence: no complaint, no debt, no deviation."""
        verdicts = judge_stage(library.default(), a_project(stage), calendar=china(), rules=RULES)

        silent = {"G3.9", "G3.10", "G3.14", "G4.8", "G5.9"}
        assert {one.clause for one in verdicts if one.passes} <= silent
        assert all(one.owed_by for one in verdicts if not one.passes)
        for verdict in verdicts:
            worded(verdict)
