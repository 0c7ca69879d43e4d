"""What keeps a pack from being published; each test spoils the default pack in one place."""

import re
from pathlib import Path

import pytest
import yaml

import notifications
from lifecycle.stages import feasibility, intake, maturity
from lifecycle.standards import library
from lifecycle.standards.compare import DIRECTIONS
from lifecycle.standards.lint import lint
from lifecycle.standards.pack import Due, FormField, Judge, Notice
from lifecycle.standards.part import Text
from models.states import Role
from tests.lifecycle.standards.published import DEFAULT, WRITTEN, changed, default

RULES = frozenset(DIRECTIONS)
G12, G29, G34 = "stages/intake/criteria/G1.2", "stages/feasibility/criteria/G2.9", "stages/intake/criteria/G1.4"


def codes(path: str, value: object) -> set[tuple[str, str]]:
    """Which problems the default pack has after this change that it did not have before."""
    before = {(problem.code, problem.path) for problem in lint(default(), rules=RULES)}
    return {(problem.code, problem.path) for problem in lint(changed(default(), path, value), rules=RULES)} - before


class TestPublished:
    def test_default_pack_has_nothing_wrong(self) -> None:
        problems = lint(default(), rules=RULES, lines=library.lines(DEFAULT))

        unwritten = {stage.id for stage in default().stages} - set(WRITTEN)
        assert [str(problem) for problem in problems if problem.path.partition("/")[0] not in unwritten] == []

    def test_default_pack_has_its_57_criteria(self) -> None:
        needed = {"intake": 9, "feasibility": 12, "small_batch_trial": 14, "market_validation": 10, "handoff": 12}

        assert sum(needed.values()) == 57
        assert {stage: len(default().stage(stage).criteria) for stage in WRITTEN} == {
            stage: needed[stage] for stage in WRITTEN
        }

    def test_bare_pack_has_nothing_wrong(self) -> None:
        assert lint(library.bare(), rules=RULES) == []

    @pytest.mark.parametrize("stage", ["intake", "feasibility"])
    def test_rules_of_the_first_stages_exist(self, stage: str) -> None:
        named = {criterion.rule for criterion in library.load_stage(DEFAULT / f"{stage}.yaml").stage.criteria}

        assert named - {None} <= {*intake.RULES, *feasibility.RULES, *maturity.RULES}


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ("title", Text(zh="标准", en="标准"), "language_missing", "title"),
        (f"{G12}/text", Text(zh="lawful", en="lawful"), "language_missing", "intake/criteria/G1.2/text"),
        (f"{G12}/rule", "no_such_rule", "rule_unknown", "intake/criteria/G1.2/rule"),
        (f"{G12}/rule", None, "computed_needs_rule", "intake/criteria/G1.2/rule"),
        (f"{G12}/how", ("accepted",), "computed_needs_rule", "intake/criteria/G1.2/rule"),
        (f"{G12}/how", (), "how_wrong", "intake/criteria/G1.2/how"),
        (f"{G12}/judges", (), "judge_missing", "intake/criteria/G1.2/judges"),
        (f"{G12}/how", ("computed",), "judge_of_other_kind", "intake/criteria/G1.2/judges"),
        (f"{G12}/evidence", ("passport",), "evidence_type_unknown", "intake/criteria/G1.2/evidence"),
        (f"{G12}/id", "G1.3", "ids_not_contiguous", "intake/criteria"),
        (f"{G12}/after", ("G1.99",), "after_unknown", "intake/criteria/G1.2/after"),
        (f"{G12}/after", ("G1.2",), "after_unknown", "intake/criteria/G1.2/after"),
        (f"{G12}/owed_by", (), "owner_missing", "intake/criteria/G1.2/owed_by"),
        (f"{G12}/condition_needs", ("report",), "condition_on_no_condition", "intake/criteria/G1.2/condition_needs"),
        (f"{G12}/follow_notice", True, "notice_missing_in_stage", "intake/criteria/G1.2/follow_notice"),
        (f"{G12}/due", Due(anchor="application", days=-1), "due_not_sane", "intake/criteria/G1.2/due"),
        (f"{G12}/due", Due(anchor="always", days=1), "due_not_sane", "intake/criteria/G1.2/due"),
        (f"{G12}/due", Due(anchor="panel", days=-400), "due_not_sane", "intake/criteria/G1.2/due"),
        (f"{G29}/due", Due(anchor="application"), "due_not_sane", "feasibility/criteria/G2.9/due"),
        (f"{G12}/parameters", {"age": 3}, "direction_missing", "intake/criteria/G1.2/parameters/age"),
        (
            "stages/intake/criteria/G1.8/parameters",
            {"a": 1},
            "parameters_without_rule",
            "intake/criteria/G1.8/parameters",
        ),
        ("stages/intake/criteria", (), "criteria_missing", "intake/criteria"),
        ("stages/intake/criteria", (), "criteria_count_wrong", "intake/criteria"),
        ("stages/intake/score/factors/novelty/weight", 21, "weights_not_100", "intake/score/factors"),
        ("stages/intake/score/factors/novelty/id", "team", "repeated", "intake/score/factors"),
        ("stages/intake/score/floor_per_factor", 11, "score_out_of_range", "intake/score"),
        ("stages/intake/outcomes", ("go", "go", "stop"), "repeated", "intake/outcomes"),
        ("stages/intake/outcomes", ("go",), "outcome_missing", "intake/outcomes"),
        ("stages/intake/gate", "G2", "gate_wrong", "intake/gate"),
        ("stages/intake/default_days", 31, "length_over_maximum", "intake/default_days"),
        ("stages/feasibility/default_days", 10, "length_over_maximum", "feasibility/default_days"),
        ("stages/intake/panel/kind", "none", "panel_missing", "intake/panel"),
        ("stages/feasibility/panel/minimum_members", 4, "panel_size_wrong", "feasibility/panel"),
        ("stages/feasibility/panel/maximum_members", 9, "panel_size_wrong", "feasibility/panel"),
        ("stages/feasibility/panel/quorum_share", (1, 2), "quorum_wrong", "feasibility/panel/quorum_share"),
        ("stages/feasibility/panel/quorum_share", (4, 3), "quorum_wrong", "feasibility/panel/quorum_share"),
        ("stages/feasibility/panel/competences", (), "competence_missing", "feasibility/panel/competences"),
        (
            "stages/feasibility/notice",
            Notice(days=0, unit="working_days"),
            "notice_too_short",
            "feasibility/notice/days",
        ),
        ("profiles/firm_size", ("eu",), "profile_without_choice", "profiles/firm_size"),
        ("evidence_types/sample/family", "beauty", "family_unknown", "evidence_types/sample/family"),
        ("evidence_types/sample/id", "licence", "repeated", "evidence_types"),
        (
            "evidence_types/tranche_record/handed_in_by",
            (),
            "nobody_hands_in",
            "evidence_types/tranche_record/handed_in_by",
        ),
        ("evidence_types/sample/fields", (), "form_empty", "evidence_types/sample/fields"),
        (
            "evidence_types/sample/valid_until_field",
            "quantity",
            "expiry_field_wrong",
            "evidence_types/sample/valid_until_field",
        ),
        ("evidence_types/sample/several", True, "key_field_wrong", "evidence_types/sample/key_field"),
        ("evidence_types/sample/valid_months", 0, "validity_wrong", "evidence_types/sample/valid_months"),
        (
            "evidence_types/sample/fields/quantity/kind",
            "choice",
            "choices_wrong",
            "evidence_types/sample/fields/quantity",
        ),
        (
            "evidence_types/sample/fields/quantity/kind",
            "table",
            "columns_wrong",
            "evidence_types/sample/fields/quantity",
        ),
        (
            "evidence_types/budget/fields/total_minor/unit",
            None,
            "unit_missing",
            "evidence_types/budget/fields/total_minor",
        ),
        (
            "evidence_types/sample/fields/quantity/title",
            Text(zh="quantity of units", en="quantity of units"),
            "language_missing",
            "evidence_types/sample/fields/quantity",
        ),
    ],
)
def test_finds(path: str, value: object, code: str, where: str) -> None:
    assert (code, where) in codes(path, value)


class TestLowerBound:
    def test_needs_a_method_in_both_languages(self) -> None:
        text = Text(zh="单侧 95% 置信下限不低于 80%", en="one-sided 95 % lower bound (Clopper-Pearson) at least 80 %")

        assert codes(f"{G34}/text", text) == {("bound_without_method", "intake/criteria/G1.4/text/zh")}

    def test_passes_with_its_method(self) -> None:
        text = Text(
            zh="置信下限（Clopper-Pearson）不低于 80%", en="lower confidence bound (Clopper-Pearson) at least 80 %"
        )

        assert codes(f"{G34}/text", text) == set()


class TestProblem:
    def test_names_clause_and_line(self) -> None:
        spoiled = changed(default(), f"{G34}/parameters", {"trl": 4, "age": 3})

        (problem,) = [
            problem
            for problem in lint(spoiled, rules=RULES, lines=library.lines(DEFAULT))
            if problem.code == "direction_missing"
        ]

        assert problem.clause == "G1.4"
        assert problem.line == library.lines(DEFAULT)["intake/criteria/G1.4/parameters"]

    def test_has_a_sentence_for_every_code_in_both_languages(self) -> None:
        words = yaml.safe_load((Path(notifications.__file__).parent / "locale" / "standards.yaml").read_text("utf-8"))
        folder = Path(library.__file__).parent
        source = "".join((folder / f"{name}.py").read_text("utf-8") for name in ("library", "lint", "compare", "funds"))

        used = set(re.findall(r'(?:_problem|_refused|_kept)\((?:[^"()]*, )?"([a-z0-9_]+)"|code="([a-z0-9_]+)"', source))

        elsewhere = {"file_too_large"}  # the same sentence serves imports
        assert {code for pair in used for code in pair if code} == set(words) | elsewhere
        assert all(set(said) == {"zh", "en"} for said in words.values())


def test_abbreviations_of_a_form_may_be_the_same_in_both_languages() -> None:
    field = FormField(name="grr", title=Text(zh="GRR", en="GRR"), kind="percent")

    assert codes("evidence_types/sample/fields", (field,)) == set()


def test_a_judge_may_accept_only_an_evidence_type_that_exists() -> None:
    judges = (Judge(role=Role.COORDINATOR, kind="accepted", part="passport"),)

    assert codes(f"{G12}/judges", judges) == {("evidence_type_unknown", "intake/criteria/G1.2/evidence")}
