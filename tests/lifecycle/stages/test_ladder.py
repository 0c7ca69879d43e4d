"""The scale-up ladder and the stop-loss of a trial."""

from datetime import date
from math import nan
from typing import Any

import pytest

from lifecycle.stages.ladder import Ladder, agreed_ladder, evidence_batches, refused_run, unlocked
from lifecycle.stages.records import BatchRecord
from lifecycle.stages.stop_loss import LimitHit, StopLoss, Used, agreed_stop_loss, days_used, limits_hit
from models.ids import new_id
from models.projects import StageRun
from models.states import ProjectState, StageRunState
from notifications.words import sentence
from tests.lifecycle.stages.trial_records import STAGE, a_batch, a_trial, evidence

LADDER = Ladder(sizes=(10, 50, 200), conforming_batches=1)
LIMITS = STAGE.run_limits


def batch(size: float | None, **facts: Any) -> BatchRecord:
    return a_batch(size=size, **facts)


class TestLadder:
    @pytest.mark.parametrize(
        ("batches", "size"),
        [
            ((), 10),
            ((batch(10),), 50),
            ((batch(10), batch(50)), 200),
            ((batch(50),), 200),
            ((batch(9),), 10),
            ((batch(10), batch(49)), 50),
            ((batch(10, conforming=False),), 10),
            ((batch(10, conforming=None),), 10),
            ((batch(10, is_closed=False),), 10),
            ((batch(None),), 10),
        ],
    )
    def test_opens_a_step_only_by_a_conforming_batch_of_the_step_below(
        self, batches: tuple[BatchRecord, ...], size: float
    ) -> None:
        assert unlocked(LADDER, batches).size == size

    def test_asks_for_as_many_batches_as_the_pack_says(self) -> None:
        strict = Ladder(sizes=(10, 50), conforming_batches=2)

        free = unlocked(strict, [batch(10)])

        assert (free.size, free.next_size, free.batches_needed) == (10, 50, 1)

    def test_refuses_a_run_above_the_unlocked_size_and_says_what_opens_it(self) -> None:
        refused = refused_run(11, LADDER, ())

        assert refused is not None
        assert (refused.code, refused.size, refused.next_size, refused.batches_needed) == (
            "run_above_unlocked_size",
            10,
            50,
            1,
        )
        assert refused_run(10, LADDER, ()) is None

    def test_refuses_a_run_above_the_last_step(self) -> None:
        refused = refused_run(201, LADDER, [batch(10), batch(50), batch(200)])

        assert refused is not None
        assert refused.code == "run_above_last_step"

    def test_refuses_a_size_that_is_no_number(self) -> None:
        assert refused_run(nan, LADDER, ()) is not None

    def test_reads_its_steps_from_the_newest_contract_in_order_of_size(self) -> None:
        assert LIMITS is not None
        papers = (
            evidence("task_contract", ladder_sizes=[5]),
            evidence("task_contract", ladder_sizes=[200, 10, "x", 50, -1, 0, True]),
        )

        assert agreed_ladder(LIMITS, a_trial(papers=papers)) == LADDER

    @pytest.mark.parametrize(
        "papers", [(), (evidence("task_contract"),), (evidence("task_contract", ladder_sizes=[]),)]
    )
    def test_refuses_nothing_where_no_steps_were_agreed(self, papers: tuple[Any, ...]) -> None:
        assert LIMITS is not None
        assert agreed_ladder(LIMITS, a_trial(papers=papers)) is None

    def test_starts_again_with_a_new_revision_and_takes_all_batches_before_the_first_freeze(self) -> None:
        old = batch(10, revision="A", made_on=date(2026, 2, 1))

        assert evidence_batches(a_trial(batches=(old,))) == ()
        assert evidence_batches(a_trial(batches=(old,), revisions=())) == (old,)


class TestStopLoss:
    AGREED = StopLoss(money_minor=1_000, batches=3, days=180)

    def test_is_silent_below_every_limit(self) -> None:
        assert limits_hit(self.AGREED, Used(money_minor=999, batches=2, days=179)) == ()

    @pytest.mark.parametrize(
        ("used", "hit"),
        [
            (Used(money_minor=1_000, batches=0, days=0), LimitHit(code="stop_loss_money", limit=1_000, used=1_000)),
            (Used(money_minor=0, batches=3, days=0), LimitHit(code="stop_loss_batches", limit=3, used=3)),
            (Used(money_minor=0, batches=0, days=181), LimitHit(code="stop_loss_days", limit=180, used=181)),
        ],
    )
    def test_names_the_limit_that_is_used_up(self, used: Used, hit: LimitHit) -> None:
        assert limits_hit(self.AGREED, used) == (hit,)
        assert sentence(hit.code, {"used": hit.used, "limit": hit.limit}, "en") != hit.code

    def test_names_all_that_are_used_up(self) -> None:
        assert len(limits_hit(self.AGREED, Used(money_minor=2_000, batches=9, days=999))) == 3

    def test_a_limit_that_was_not_agreed_is_never_hit_but_zero_is_a_limit(self) -> None:
        used = Used(money_minor=10**12, batches=0, days=0)

        assert limits_hit(StopLoss(), used) == ()
        assert [hit.code for hit in limits_hit(StopLoss(batches=0), used)] == ["stop_loss_batches"]

    def test_reads_its_limits_from_the_form_of_the_contract(self) -> None:
        assert LIMITS is not None
        form = {"stop_loss_money_minor": 1_000, "stop_loss_batches": 3, "stop_loss_days": 180}

        assert agreed_stop_loss(LIMITS, form) == self.AGREED
        assert agreed_stop_loss(LIMITS, {}) == StopLoss()

    def test_counts_the_days_of_every_visit_of_its_stage(self) -> None:
        trial, market = ProjectState.SMALL_BATCH_TRIAL, ProjectState.MARKET_VALIDATION
        visits = [
            StageRun(project_id=new_id(), state=StageRunState.OPEN, stage=stage, opened_on=start, closed_on=end)
            for stage, start, end in (
                (trial, date(2026, 1, 1), date(2026, 1, 31)),
                (market, date(2026, 1, 31), date(2026, 2, 10)),
                (trial, date(2026, 2, 10), None),
            )
        ]

        assert days_used(visits, trial, date(2026, 2, 15)) == 30 + 5
