"""What another version of a standard would have said of gates, on the same records."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from lifecycle.projects.commands import Advance
from lifecycle.requirements.commands import WithdrawEvidence
from lifecycle.reviews.commands import Decide
from lifecycle.standards.pack import Judge, Pack
from lifecycle.verdicts.simulation import Simulation, simulated
from models.db import reading
from models.states import ProjectState, Role
from tests.factories import House, a_project, hand_in, key, lean, projects, reviews, submitted

ZONE = ZoneInfo("Asia/Shanghai")


def with_judges(clause: str, *judges: Judge) -> Pack:
    """Return the lean standard with other judges of one clause of gate G2."""
    pack = lean()
    stages = [
        stage.model_copy(
            update={
                "criteria": tuple(
                    one.model_copy(update={"judges": judges}) if one.id == clause else one for one in stage.criteria
                )
            }
        )
        for stage in pack.stages
    ]
    changed = pack.model_copy(update={"version": "2026.2", "stages": tuple(stages)})
    return Pack.model_validate(changed.model_dump())


def strict() -> Pack:
    """Return a standard that asks an EHS officer besides about the plan, clause G2.2."""
    kept = lean().criterion("G2.2").judges
    return with_judges("G2.2", *kept, Judge(role=Role.EHS_OFFICER, party="platform", kind="accepted"))


def simulation(house: House, new: Pack) -> Simulation:
    with reading(house.engine) as session:
        return simulated(session, lean(), new, house.stamp(), ZONE)


def told(found: Simulation, kind: str) -> list[tuple[str, int, int, int]]:
    """Return clause, newly failing, newly passing and staying, of one of the two rounds."""
    clauses = getattr(found, kind).clauses
    return [(one.clause, len(one.failing), len(one.passing), one.staying) for one in clauses]


@pytest.fixture
def passed(house: House) -> House:
    """Give a house with two projects that passed gate G2 of the lean standard ten days ago."""
    made, called = reviews(house, 2, state="proposed")
    house.later(days=10)
    house.do(*(Decide(command_id=key(), review_id=one) for one in called), by=Role.PANEL_CHAIR)
    house.do(*(Advance(command_id=key(), project_id=one, reason="ready") for one in made), by=Role.COORDINATOR)
    house.later(days=10)
    return house


class TestPassedGates:
    def test_are_judged_by_the_newer_version(self, passed: House) -> None:
        found = simulation(passed, strict())

        assert (found.past.at, len(found.past.gates), len(found.past.failing)) == (("G2",), 2, 2)
        assert told(found, "past") == [("G2.1", 0, 0, 2), ("G2.2", 2, 0, 0)]
        assert {one.gate for one in found.past.failing} == {"G2"}
        assert not found.past.is_cut

    def test_are_judged_on_the_records_of_the_day(self, passed: House) -> None:
        before = told(simulation(passed, strict()), "past")
        gates = simulation(passed, strict()).past.gates

        hand_in(passed, *(one.project.id for one in gates), type="plan", title="another plan")

        assert told(simulation(passed, strict()), "past") == before
        assert not simulation(passed, strict()).past.open

    def test_at_which_something_is_open_by_both_versions_are_counted_apart(self, passed: House) -> None:
        first, second = simulation(passed, strict()).past.gates
        (plan,) = passed.rows(
            "SELECT id FROM evidence WHERE project_id = :id AND type = 'plan'", id=str(first.project.id)
        )
        passed.do(
            WithdrawEvidence(command_id=key(), project_id=first.project.id, evidence_id=UUID(plan.id), reason="wrong"),
            by=Role.PROJECT_LEAD,
        )

        found = simulation(passed, strict()).past

        assert ([one.open for one in found.gates], [one.project.id for one in found.failing]) == (
            [("G2.2",), ()],
            [second.project.id],
        )

    def test_of_a_version_that_asks_for_the_same_are_not_judged(self, passed: House) -> None:
        other = with_judges("G2.2", *lean().criterion("G2.2").judges)

        found = simulation(passed, other)

        assert (found.now.at, found.past.at, found.now.gates, found.past.gates) == ((), (), [], [])


class TestPresentGates:
    def test_are_judged_by_both_versions(self, house: House) -> None:
        submitted(house, 3)
        a_project(house, pack="lean")

        found = simulation(house, strict())

        assert told(found, "now") == [("G2.1", 0, 0, 3), ("G2.2", 3, 0, 0)]
        assert found.past.gates == []

    def test_may_newly_pass(self, house: House) -> None:
        made = projects(house, 1, stage=ProjectState.FEASIBILITY, pack="lean")
        hand_in(house, *made, type="plan", title="a plan")

        found = simulation(house, with_judges("G2.2"))

        assert told(found, "now") == [("G2.1", 0, 0, 1), ("G2.2", 0, 1, 0)]

    def test_cost_the_same_statements_for_many_as_for_two(self, house: House) -> None:
        submitted(house, 2)
        few = statements(house)
        submitted(house, 4)

        assert statements(house) == few < MOST_STATEMENTS

    def test_beyond_the_first_by_number_are_said_to_be_left_out(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submitted(house, 3)
        monkeypatch.setattr("lifecycle.verdicts.simulation.MOST_PROJECTS", 2)

        found = simulation(house, strict())

        assert (len(found.now.gates), found.now.is_cut) == (2, True)


MOST_STATEMENTS = 25
"""The projects, and the records of a gate."""


def statements(house: House) -> int:
    """Return how many statements a simulation takes, the repeated ones too."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(house.engine, "before_cursor_execute", note)
    try:
        simulation(house, strict())
    finally:
        event.remove(house.engine, "before_cursor_execute", note)
    return len(seen)
