"""A limit agreed in the contract that is used up: told once, with the act or by the clock, until a panel looked."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from flows.deadlines import STAGE_DEADLINES, used_up_limits
from flows.runtime import Tally, run
from lifecycle.audit.verify import verify
from lifecycle.projects.commands import Recycle
from lifecycle.projects.queries import project_rows
from lifecycle.trials.commands import CorrectBatch
from lifecycle.trials.queries import stop_reviews_due
from models.db import reading, transaction
from models.journal import OutboxMessage
from models.reading import table_of
from models.reviews import Review
from models.states import BatchKind, GateOutcome, ProjectState, ReviewState, Role
from tests import factories as make
from tests.factories import House, key


@pytest.fixture
def house(each_house: House) -> House:
    return each_house


def a_trial(house: House, **limits: Any) -> UUID:
    project = make.a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
    make.sign_contract(house, project, **limits)
    return project


def sweep(house: House) -> Tally:
    (one,) = (one for one in STAGE_DEADLINES if one.due is used_up_limits)
    return run(house.engine, one, house.stamp())


def told(house: House) -> list[tuple[str, int, int]]:
    message = table_of(OutboxMessage)
    asked = select(message.c.facts).where(message.c.kind == "project.stop_loss_reached").order_by(message.c.created_at)
    with reading(house.engine) as session:
        rows = session.execute(asked).scalars().all()
    return [(row["code"], row["used"], row["limit"]) for row in rows]


def due(house: House, project: UUID) -> list[str]:
    with reading(house.engine) as session:
        found = stop_reviews_due(session, project_rows(session, [project]), house.stamp())
    return [reason.code for reason in found.get(project, ())]


class TestBatches:
    def test_tell_with_the_one_that_uses_the_limit_up_and_never_again(self, house: House) -> None:
        project = a_trial(house, stop_loss_batches=2)
        make.batches(house, project)
        assert (told(house), due(house, project)) == ([], [])

        make.batches(house, project)
        make.batches(house, project)

        assert told(house) == [("stop_loss_batches", 2, 2)]
        assert due(house, project) == ["stop_loss_batches"]
        assert (sweep(house), len(told(house))) == (Tally(), 1)

    def test_of_another_kind_are_no_trial(self, house: House) -> None:
        project = a_trial(house, stop_loss_batches=1)

        make.batches(house, project, kind=BatchKind.ONGOING)

        assert (told(house), due(house, project)) == ([], [])

    def test_of_one_transaction_tell_once(self, house: House) -> None:
        project = a_trial(house, stop_loss_batches=2)

        make.batches(house, project, project, project)

        assert told(house) == [("stop_loss_batches", 2, 2)]

    def test_leave_a_trail_that_verifies(self, house: House) -> None:
        make.batches(house, a_trial(house, stop_loss_batches=1))

        with reading(house.engine) as session:
            assert verify(session).is_ok
        assert house.one("SELECT count(*) FROM audit_record WHERE action = 'stage_run.reach_stop_loss'") == 1


class TestMoney:
    def test_is_what_the_batches_cost_in_the_currency_of_the_contract(self, house: House) -> None:
        project = a_trial(house, stop_loss_money_minor=1_000)
        make.batches(house, project, cost_minor=600, currency="CNY")
        make.batches(house, project, cost_minor=600, currency="EUR")
        assert told(house) == []

        make.batches(house, project, cost_minor=400, currency="CNY")

        assert told(house) == [("stop_loss_money", 1_000, 1_000)]

    def test_tells_with_the_correction_that_uses_it_up(self, house: House) -> None:
        project = a_trial(house, stop_loss_money_minor=1_000)
        make.batches(house, project, cost_minor=900, currency="CNY")
        corrected: dict[str, Any] = {"number": "B-01", "started": 50, "passed_first_time": 48, "reason": "invoice"}

        for cost in (950, 1_050):
            right = CorrectBatch(
                command_id=key(),
                project_id=project,
                **corrected,
                cost_minor=cost,
                currency="CNY",
            )
            house.do(right, by=Role.PROCESS_ENGINEER)

        assert told(house) == [("stop_loss_money", 1_050, 1_000)]


class TestDays:
    def test_are_told_by_the_clock_on_the_day_that_uses_them_up_and_once(self, house: House) -> None:
        project = a_trial(house, stop_loss_days=30)
        house.later(days=29)
        assert (sweep(house), due(house, project)) == (Tally(), [])

        house.later(days=1)
        assert due(house, project) == ["stop_loss_days"]  # seen before the clock has come by
        assert (sweep(house), sweep(house)) == (Tally(done=1), Tally())
        house.later(days=1)

        assert sweep(house) == Tally()
        assert told(house) == [("stop_loss_days", 30, 30)]

    def test_go_on_during_a_hold_which_stops_no_clock_of_a_contract(self, house: House) -> None:
        project = a_trial(house, stop_loss_days=30)
        make.put_on_hold(house, project, days=60)

        house.later(days=30)

        assert sweep(house) == Tally(done=1)

    def test_that_nobody_agreed_are_never_used_up(self, house: House) -> None:
        a_trial(house)
        make.a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")

        house.later(days=3_000)

        assert (sweep(house), told(house)) == (Tally(), [])

    def test_of_a_newer_contract_are_another_limit(self, house: House) -> None:
        project = a_trial(house, stop_loss_days=30)
        house.later(days=30)
        sweep(house)

        make.sign_contract(house, project, stop_loss_days=60)
        assert due(house, project) == []
        house.later(days=30)

        assert (sweep(house), told(house)[-1]) == (Tally(done=1), ("stop_loss_days", 60, 60))


class TestAnotherVisit:
    def test_of_the_stage_tells_it_anew(self, house: House) -> None:
        project = a_trial(house, stop_loss_batches=1)
        make.batches(house, project)
        review = TestTheStopReview()
        review.a_review(house, project, state=ReviewState.DECIDED, outcome=GateOutcome.RECYCLE, decided_on=house.today)
        back = Recycle(command_id=key(), project_id=project, code="process", reason="again")
        house.do(back, by=Role.COORDINATOR)

        assert (sweep(house), sweep(house)) == (Tally(done=1), Tally())
        assert told(house) == [("stop_loss_batches", 1, 1)] * 2


class TestTheStopReview:
    def a_review(self, house: House, project: UUID, **said: Any) -> None:
        run_id = UUID(str(house.one("SELECT stage_run_id FROM project WHERE stage = 'small_batch_trial'")))
        with transaction(house.engine) as session:
            session.add(Review(project_id=project, stage_run_id=run_id, gate="G3", planned_on=house.today, **said))

    def test_is_owed_by_the_coordinator_until_a_panel_is_called(self, house: House) -> None:
        project = a_trial(house, stop_loss_batches=1)
        make.batches(house, project)
        with reading(house.engine) as session:
            (reason,) = stop_reviews_due(session, project_rows(session, [project]), house.stamp())[project]
        assert (reason.party, reason.role, reason.suffices) == ("platform", Role.COORDINATOR, "stop_review_needed")

        self.a_review(house, project, state=ReviewState.CALLED)

        assert due(house, project) == []

    @pytest.mark.parametrize(("days", "codes"), [(-1, ["stop_loss_batches"]), (1, [])])
    def test_is_the_review_that_was_decided_after_the_limit(self, house: House, days: int, codes: list[str]) -> None:
        project = a_trial(house, stop_loss_batches=1)
        make.batches(house, project)

        decided = house.today + timedelta(days=days)
        self.a_review(house, project, state=ReviewState.DECIDED, outcome=GateOutcome.HOLD, decided_on=decided)

        assert due(house, project) == codes

    def test_stands_still_due_when_the_panel_was_called_off(self, house: House) -> None:
        project = a_trial(house, stop_loss_batches=1)
        make.batches(house, project)

        self.a_review(house, project, state=ReviewState.CANCELLED)

        assert due(house, project) == ["stop_loss_batches"]
