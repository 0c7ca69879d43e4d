"""What the clock does by itself, once, and on the right day."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from flows.deadlines import STAGE_DEADLINES, overdue_conditions
from flows.runtime import Tally, run
from lifecycle.agreements.terms import PlannedTranche
from lifecycle.audit.verify import verify
from lifecycle.invariants.check import check
from lifecycle.requirements.commands import JudgeRequirement
from lifecycle.trials.commands import AddCharacteristic
from lifecycle.verdicts.soundness import fresh_verdicts
from models.db import reading, transaction
from models.reviews import Condition
from models.states import ProjectState, Role
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.endings.test_settlement import to_the_next_stage


@pytest.fixture
def house(each_house: House) -> House:
    return each_house


def sweep(house: House) -> Tally:
    return sum((run(house.engine, one, house.stamp()) for one in STAGE_DEADLINES), Tally())


def broken(house: House) -> Sequence[str]:
    with reading(house.engine) as session:
        document = check(session, (fresh_verdicts(house.stamp()),), now=house.now).document()
    return [one["id"] for one in document["checks"] if not one["ok"]]


class TestAHold:
    def test_ends_on_the_day_after_its_last_and_only_once(self, house: House) -> None:
        project = make.a_project(house)
        make.put_on_hold(house, project, days=3)
        house.later(days=3)
        assert sweep(house) == Tally()

        house.later(days=1)
        assert (sweep(house), sweep(house)) == (Tally(done=1), Tally())
        assert house.one("SELECT count(*) FROM hold WHERE lifted_at IS NULL") == 0
        assert house.one("SELECT count(*) FROM audit_record WHERE action = 'project.resume'") == 1

    def test_ends_together_with_another_that_has_ended(self, house: House) -> None:
        """The first ended unseen, so that a second one could be put."""
        project = make.a_project(house)
        make.put_on_hold(house, project, days=3)
        house.later(days=7)
        make.put_on_hold(house, project, days=3)
        house.later(days=7)

        assert (sweep(house), sweep(house)) == (Tally(done=2), Tally())
        assert house.one("SELECT count(*) FROM hold WHERE lifted_at IS NULL") == 0

    def test_of_the_safety_officer_waits_for_people(self, house: House) -> None:
        make.put_on_hold(house, make.a_project(house), code="ehs", days=3)

        house.later(days=30)

        assert sweep(house) == Tally()
        assert house.one("SELECT count(*) FROM hold WHERE lifted_at IS NULL") == 1


class TestAnOverdueCondition:
    def a_conditional_project(self, house: House) -> None:
        (project,), (review,) = make.reviews(house, state="proposed")
        row = Condition(
            project_id=project,
            review_id=review,
            gate="G2",
            clause=house.rows("SELECT clause FROM requirement WHERE project_id = :p", p=self.text(house, project))[0][
                0
            ],
            owner_id=house.people[Role.PROJECT_LEAD].user_id,
            due_on=house.today + timedelta(days=1),
        )
        with transaction(house.engine) as session:
            session.add(row)

    @staticmethod
    def text(house: House, project: object) -> object:
        return str(project) if house.engine.dialect.name == "sqlite" else project

    def test_puts_the_project_on_hold_ten_working_days_later(self, house: House) -> None:
        self.a_conditional_project(house)
        due = house.today + timedelta(days=1)
        last = house.stamp().calendar.add_working_days(due, 10)

        house.later(days=(last - house.today).days)
        with reading(house.engine) as session:
            assert overdue_conditions(session, house.stamp()) == []

        house.later(days=1)
        holding = next(one for one in STAGE_DEADLINES if one.due is overdue_conditions)
        assert run(house.engine, holding, house.stamp()) == Tally(done=1)
        assert house.rows("SELECT reason, needs_decision FROM hold") == [("overdue_condition", 1)]
        assert run(house.engine, holding, house.stamp()) == Tally()


class TestEvidenceThatRunsOut:
    def test_counts_no_more_from_the_next_day_on(self, house: House) -> None:
        project = make.a_project(house, pack="default")
        until = house.today + timedelta(days=10)
        form = {"legal_name": "sme", "credit_code": "9144030071526726XG", "valid_until": until.isoformat()}
        make.hand_in(house, project, type="licence", **form)
        said = "SELECT verdict_code FROM requirement WHERE clause = 'G1.2'"
        fresh = house.one(said)
        assert fresh not in ("evidence_missing", "evidence_expired")

        house.later(days=10)
        assert (sweep(house), house.one(said), broken(house)) == (Tally(), fresh, [])

        house.later(days=1)
        assert broken(house) == []  # what time has changed is the sweep's work
        assert (sweep(house), house.one(said)) == (Tally(done=1), "evidence_expired")
        assert (sweep(house), broken(house)) == (Tally(), [])

    def test_counts_no_more_from_midnight_on_where_the_firm_is(self, house: House) -> None:
        """One in the morning of the 20th in Shanghai is still the 19th in London."""
        project = make.a_project(house, pack="default")
        form = {"legal_name": "sme", "credit_code": "9144030071526726XG", "valid_until": "2025-07-19"}
        make.hand_in(house, project, type="licence", **form)

        house.now = datetime(2025, 7, 19, 17, 0, tzinfo=UTC)

        assert (sweep(house), broken(house)) == (Tally(done=1), [])
        assert house.one("SELECT verdict_code FROM requirement WHERE clause = 'G1.2'") == "evidence_expired"

    def test_or_grows_too_old_is_judged_again(self, house: House) -> None:
        """Twelve months after the study of the gauge, and nobody touches the project meanwhile."""
        project = make.a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        limits: dict[str, Any] = {"name": "bore", "unit": "mm", "lower_limit": 1.0, "upper_limit": 2.0, "gauge": "G-7"}
        house.do(AddCharacteristic(command_id=key(), project_id=project, **limits), by=Role.PROCESS_ENGINEER)
        study = {"gauge": "G-7", "studied_on": "2025-01-20", "grr": 0.05, "ndc": 8}
        make.hand_in(house, project, type="msa_study", by=Role.LAB_LEAD, **study)
        said = "SELECT verdict_code FROM requirement WHERE clause = 'G3.6'"
        assert house.one(said) == "judgement_waiting"

        house.now = datetime(2026, 1, 21, 1, 0, tzinfo=UTC)

        assert (sweep(house), broken(house)) == (Tally(done=1), [])
        assert house.one(said) != "judgement_waiting"

    def test_leaves_a_trail_that_verifies(self, house: House) -> None:
        project = make.a_project(house, pack="lean")
        make.hand_in(house, project)
        house.later(days=800)

        sweep(house)

        with reading(house.engine) as session:
            assert verify(session).is_ok


class TestATranche:
    def test_is_accepted_once_its_gate_is_passed_and_not_before(self, house: House) -> None:
        (agreement,) = make.agreements(house, stage=ProjectState.FEASIBILITY, pack="granted")
        (tranche,) = make.reported(house, agreement)
        assert sweep(house) == Tally()

        to_the_next_stage(house, agreement)

        assert (sweep(house), sweep(house), broken(house)) == (Tally(done=1), Tally(), [])
        said = "SELECT state, reason FROM milestone WHERE id = :id"
        assert tuple(house.rows(said, id=str(tranche))[0]) == ("accepted", "its gate is passed")

    def test_of_a_project_on_hold_waits(self, house: House) -> None:
        (agreement,) = make.agreements(house, stage=ProjectState.FEASIBILITY, pack="granted")
        make.reported(house, agreement)
        to_the_next_stage(house, agreement)
        make.put_on_hold(house, UUID(house.one("SELECT project_id FROM v_agreement")), days=30)

        assert sweep(house) == Tally()

    def test_that_hangs_on_criteria_waits_for_a_person(self, house: House) -> None:
        plan = (
            PlannedTranche(code="T1", share_basis_points=6000, criteria=("G3.1",)),
            PlannedTranche(code="R", share_basis_points=4000, gate="G5"),
        )
        (agreement,) = make.agreements(house, pack="strict", tranches=plan)
        make.reported(house, agreement)

        assert sweep(house) == Tally()


class TestTheCache:
    def test_is_found_when_somebody_else_wrote_it(self, house: House) -> None:
        make.a_project(house, pack="default")
        assert broken(house) == []

        with transaction(house.engine) as session:
            session.connection().exec_driver_sql("UPDATE requirement SET verdict = 'met' WHERE clause = 'G1.4'")

        assert broken(house) == ["H05"]

    def test_follows_a_judgement_at_once(self, house: House) -> None:
        project = make.a_project(house, pack="default")
        said = JudgeRequirement(command_id=key(), project_id=project, clause="G1.1", yes=True, reason="complete")
        house.ask(said, by=Role.COORDINATOR)

        assert broken(house) == []
