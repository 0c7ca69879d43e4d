"""A layer may tighten and never loosen: every direction there and back."""

from pathlib import Path
from typing import Any

import pytest

from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.compare import (
    CRITERION_DIRECTIONS,
    DIRECTIONS,
    LIMIT_DIRECTIONS,
    PANEL_DIRECTIONS,
    STAGE_DIRECTIONS,
    compare,
)
from lifecycle.standards.lint import lint
from lifecycle.standards.pack import Criterion, Due, Judge, Limits, Notice, Owes, Pack, Panel, Stage
from models.states import Role
from tests.lifecycle.standards.published import DEFAULT, changed, default

G1, G2 = "stages/intake", "stages/feasibility"


def layer(path: str = "title", value: object = None) -> Pack:
    """A pack on top of the default one that differs in one place."""
    based = default().model_copy(update={"code": "own", "based_on": "default@2026.1"})
    return based if value is None else based.model_copy(update=dict(changed(based, path, value)))


def found(path: str, value: object) -> list[tuple[str, str]]:
    """What is refused about a layer with this one difference."""
    return [(problem.code, problem.path) for problem in compare(default(), layer(path, value))]


def without(items: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    return tuple(item for item in items if item.id != name)


def test_a_layer_without_a_difference_may_be_published() -> None:
    assert compare(default(), layer()) == []


def test_a_layer_names_the_pack_it_builds_on() -> None:
    stranger = layer().model_copy(update={"based_on": "default@2025.1"})

    assert [problem.code for problem in compare(default(), stranger)] == ["based_on_another"]


NUMBERS = [
    ("G1.3", "eu_staff", 249, 251),
    ("G1.3", "cn_revenue_minor", 1, 40_000_000_001),
    ("G1.4", "trl", 5, 3),
    ("G1.5", "years", 4, 2),
    ("G1.6", "similarity", 0.89, 0.91),
    ("G1.7", "slot_months", 3, 9),
    ("G1.9", "load_cap", 5, 7),
    ("G2.2", "share", 0.31, 0.29),
    ("G2.4", "ratio", 50, 101),
    ("G2.5", "ratio", 1.1, 1.3),
    ("G2.9", "grant_share", 0.5, 0.71),
]


@pytest.mark.parametrize(("clause", "name", "tighter", "looser"), NUMBERS)
def test_a_threshold_moves_one_way_only(clause: str, name: str, tighter: float, looser: float) -> None:
    stage = {"G1": "intake", "G2": "feasibility"}[clause.partition(".")[0]]
    path = f"criteria/{clause}/parameters/{name}"

    assert found(f"stages/{stage}/{path}", tighter) == []
    assert found(f"stages/{stage}/{path}", looser) == [("loosened", f"{stage}/{path}")]


def _spread(direction: Any) -> tuple[Any, Any, Any]:
    """A loose, a middle and a tight value of a parameter."""
    if isinstance(direction, tuple):
        return direction[0], None, direction[-1]
    return {"up": (1, 2, 3), "down": (3, 2, 1), "more": (["a"], ["a", "b"], ["a", "b", "c"])}[direction]


@pytest.mark.parametrize(
    ("rule", "name"),
    [(rule, name) for rule, names in DIRECTIONS.items() for name, way in names.items() if way != "same"],
)
def test_every_declared_direction_holds(rule: str, name: str) -> None:
    loose, middle, tight = _spread(DIRECTIONS[rule][name])

    def with_rule(value: Any) -> Pack:
        stage = default().stage(default().stages[0].id)
        criterion = stage.criteria[0].model_copy(update={"rule": rule, "parameters": {name: value}})
        stages = (stage.model_copy(update={"criteria": (criterion,)}),)
        return default().model_copy(update={"based_on": "default@2026.1", "stages": stages})

    for looser, tighter in [(loose, tight)] + ([(loose, middle), (middle, tight)] if middle is not None else []):
        assert compare(with_rule(looser), with_rule(tighter)) == []
        assert [problem.code for problem in compare(with_rule(tighter), with_rule(looser))] == ["loosened"]


@pytest.mark.parametrize(
    ("path", "tighter", "looser"),
    [
        (f"{G1}/criteria/G1.3/strength", "C", None),
        (f"{G1}/criteria/G1.3/strength", "H", None),
        (f"{G1}/criteria/G1.2/strength", None, "W"),
        (f"{G1}/criteria/G1.2/strength", None, "C"),
        (f"{G2}/criteria/G2.2/strength", "H", "W"),
        (f"{G1}/criteria/G1.2/how", ("computed", "accepted", "decided"), ("computed",)),
        (f"{G1}/criteria/G1.2/evidence", ("licence", "sample"), ()),
        (f"{G2}/criteria/G2.2/condition_needs", ("bank guarantee",), None),
        (f"{G1}/default_days", 9, 11),
        (f"{G1}/maximum_days", 20, 31),
        (f"{G1}/completion_rounds", 1, 3),
        (f"{G1}/completion_days", 5, 11),
        (f"{G1}/entry_maturity", (4, 4), (4, 2)),
        (f"{G1}/entry", ("application_received", "licence"), ()),
        (f"{G2}/panel/minimum_members", 5, 1),
        (f"{G2}/panel/kind", None, "single_expert"),
        (f"{G2}/panel/quorum_share", (3, 4), (3, 5)),
        (f"{G2}/panel/extra_roles", (Role.EHS_OFFICER,), None),
        (f"{G2}/panel/competences", None, ("technical", "market", "finance")),
        (f"{G2}/panel/guests", (Role.FUND_MANAGER, Role.AUDITOR), ()),
        (f"{G2}/score/pass_total", 61, 59),
        (f"{G2}/score/floor_per_factor", 5, 3),
        ("evidence_types/sme_declaration/valid_months", 6, 13),
        ("limits/hold_calendar_days", 60, 91),
        ("limits/freeze_before_panel_days", 6, 4),
        ("evidence_types/sample/only_for_revision", True, None),
        ("evidence_types/sample/handed_in_by", (Role.PROJECT_LEAD,), (Role.PROJECT_LEAD, Role.COORDINATOR)),
        ("evidence_types/tranche_record/handed_in_by", (Role.PAYER,), (Role.PROJECT_LEAD,)),
    ],
)
def test_a_part_moves_one_way_only(path: str, tighter: object, looser: object) -> None:
    if tighter is not None:
        assert found(path, tighter) == []
    if looser is not None:
        assert found(path, looser) == [("loosened", path.removeprefix("stages/"))]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (f"{G1}/criteria/G1.2/owed_by", (Owes(party="sme", role=Role.FINANCE_OFFICER),), "owner_dropped"),
        (f"{G1}/criteria/G1.2/judges", (), "judge_dropped"),
        (f"{G1}/criteria/G1.2/rule", "risks_owned", "not_comparable"),
        (f"{G1}/criteria/G1.4/parameters", {"trl": 4}, "not_comparable"),
        (f"{G1}/criteria/G1.4/parameters", {"trl": 4, "mrl": 3, "margin": 1}, "not_comparable"),
        (f"{G1}/criteria/G1.4/parameters/trl", "nine", "not_comparable"),
        (f"{G1}/criteria/G1.5/due", Due(anchor="application", days=6), "loosened"),
        (f"{G1}/criteria/G1.5/due", Due(anchor="panel", days=-9), "not_comparable"),
        (f"{G2}/criteria/G2.1/due", Due(anchor="panel", days=-4), "loosened"),
        (f"{G2}/criteria/G2.12/follow_notice", False, "not_comparable"),
        (f"{G1}/outcomes", ("go", "conditional_go", "hold", "recycle", "stop", "transfer"), "outcome_added"),
        (f"{G1}/maximum_unit", "months", "not_comparable"),
        (f"{G2}/score/factors/technical_feasibility/weight", 25, "not_comparable"),
        (f"{G2}/notice", Notice(days=4, unit="working_days"), "loosened"),
        (f"{G2}/notice", Notice(days=9, unit="calendar_days"), "not_comparable"),
        ("evidence_types/sme_declaration/valid_months", 13, "loosened"),
        ("evidence_types/licence/valid_until_field", "established_on", "not_comparable"),
        ("evidence_types/licence/fields/credit_code/required", False, "field_dropped"),
        ("evidence_types/budget/fields/sources/columns", (), "field_dropped"),
        ("evidence_types/budget/fields/currency/choices", ("CNY", "EUR", "USD"), "not_comparable"),
        ("evidence_types/budget/fields/total_minor/unit", "yuan", "not_comparable"),
        ("profiles/firm_size", ("cn_industrial", "eu", "us"), "profile_changed"),
        ("verifications", ("design",), "verification_dropped"),
    ],
)
def test_refuses(path: str, value: object, code: str) -> None:
    assert {problem for problem, _ in found(path, value)} == {code}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{G1}/criteria/G1.5/due", Due(anchor="application", days=4)),
        (f"{G2}/notice", Notice(days=7, unit="working_days")),
        (f"{G1}/notice", Notice(days=7, unit="working_days")),
        (f"{G1}/outcomes", ("go", "stop")),
        ("profiles/firm_size", ("cn_industrial",)),
        ("evidence_types/sample/valid_months", 12),
        ("evidence_types/licence/fields/valid_until/required", True),
    ],
)
def test_allows(path: str, value: object) -> None:
    assert found(path, value) == []


def test_refuses_to_drop_a_criterion_a_stage_a_type_or_a_notice() -> None:
    stage = default().stage(default().stages[1].id)

    assert found(f"{G2}/criteria", without(stage.criteria, "G2.7")) == [
        ("criterion_dropped", "feasibility/criteria/G2.7")
    ]
    assert found("stages", without(default().stages, "handoff")) == [("stage_dropped", "handoff")]
    assert found("evidence_types", without(default().evidence_types, "dfmea")) == [
        ("evidence_type_dropped", "evidence_types/dfmea")
    ]
    silent = layer().model_copy(
        update={"stages": tuple(one.model_copy(update={"notice": None}) for one in layer().stages)}
    )
    assert ("notice_dropped", "feasibility/notice") in {
        (problem.code, problem.path) for problem in compare(default(), silent)
    }


def test_allows_one_more_judge_and_one_more_criterion() -> None:
    """The coordinator's acceptance on top of a computed criterion, as an association may ask."""
    criterion = default().criterion("G2.3")
    judge = Judge(role=Role.COORDINATOR, party="platform", kind="accepted")
    judged = criterion.model_copy(update={"how": ("computed", "accepted"), "judges": (judge,)})
    more = criterion.model_copy(update={"id": "G2.13"})
    criteria = default().stages[1].criteria

    assert found(f"{G2}/criteria", (*criteria[:2], judged, *criteria[3:], more)) == []


def test_names_clause_line_old_and_new(tmp_path: Path) -> None:
    for name in ("pack.yaml", "intake.yaml"):
        text = (DEFAULT / name).read_text("utf-8").replace("{trl: 4, mrl: 3}", "{trl: 3, mrl: 3}")
        (tmp_path / name).write_text(text, "utf-8")

    (problem,) = compare(default(), layer(f"{G1}/criteria/G1.4/parameters/trl", 3), lines=library.lines(tmp_path))

    assert (problem.clause, problem.values) == ("G1.4", {"old": 4, "new": 3})
    assert problem.line is not None
    file, _, line = problem.line.partition(":")
    assert "trl: 3" in (tmp_path / file).read_text("utf-8").splitlines()[int(line) - 1]


class TestLengths:
    """The default standard gives feasibility 6 months and intake 10 working days."""

    def in_working_days(self, days: int) -> list[tuple[str, str]]:
        stage = default().stages[1].model_copy(update={"default_days": days, "default_unit": "working_days"})
        return found("stages", (default().stages[0], stage, *default().stages[2:]))

    def test_working_days_may_take_the_place_of_months_that_surely_have_them(self) -> None:
        assert self.in_working_days(90) == []

    def test_working_days_that_a_month_with_a_long_holiday_lacks_are_refused(self) -> None:
        assert self.in_working_days(91) == [("loosened", "feasibility/default_days")]

    def test_months_never_take_the_place_of_working_days(self) -> None:
        assert found(f"{G1}/default_unit", "months") == [("not_comparable", "intake/default_unit")]

    def test_more_of_the_same_unit_is_refused(self) -> None:
        assert found(f"{G1}/maximum_days", 31) == [("loosened", "intake/maximum_days")]


@pytest.mark.parametrize("version", ["v3.1", "v3.2"])
def test_the_association_standard_only_tightens_and_may_be_published(version: str) -> None:
    pack = library.by_name(f"hardware@{version}")

    assert lint(pack, rules=frozenset(RULES)) == []
    assert compare(default(), pack) == []


class TestNothingIsForgotten:
    """A new field of a pack has to say what stricter means, or be named here as one that asks for nothing."""

    def test_limits(self) -> None:
        assert set(LIMIT_DIRECTIONS) == set(Limits.model_fields)

    def test_stage(self) -> None:
        lengths = {"default_days", "default_unit", "maximum_days", "maximum_unit"}
        apart = {"id", "gate", "title", "entry_maturity", "criteria", "score", "panel", "outcomes", "notice", *lengths}
        assert set(STAGE_DIRECTIONS) | apart == set(Stage.model_fields)

    def test_panel(self) -> None:
        assert set(PANEL_DIRECTIONS) | {"maximum_members", "quorum_share"} == set(Panel.model_fields)

    def test_criterion(self) -> None:
        apart = {"id", "title", "text", "origin", "owed_by", "judges", "due", "parameters"}
        assert set(CRITERION_DIRECTIONS) | apart == set(Criterion.model_fields)
