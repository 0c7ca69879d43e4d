"""Two processes, one barrier, one database: nobody overwrites anybody (R1, R2, R4-R8, R23, R25).

Each race is run three times per database by `make test`, twenty by `make test-long`, two hundred by `make prove`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from lifecycle.people.commands import RevokeRole
from lifecycle.projects.commands import Advance, PutOnHold, Stop
from lifecycle.projects.registration import RegisterProject
from lifecycle.requirements.commands import ConfirmWaiver, WaiveRequirement
from lifecycle.reviews.commands import GiveScore, Propose
from models.states import GateOutcome, ProjectState, Role
from tests.factories import VOTERS, House, key, name_members, projects, reviews
from tests.lifecycle.concurrency.races import Racers, assert_sound, done, racers

pytestmark = [pytest.mark.slow, pytest.mark.long_on_postgres]
TIMES = (3, pytest.param(20, marks=pytest.mark.long), pytest.param(200, marks=pytest.mark.prove))
ONE, OTHER = Role.COORDINATOR, "second"


@pytest.fixture(scope="module")
def two_processes() -> Iterator[Racers]:
    with racers() as started:
        yield started


@pytest.fixture
def pair(each_house: House, two_processes: Racers) -> Iterator[tuple[House, Racers]]:
    with two_processes.at(each_house) as two:
        yield each_house, two
    assert_sound(each_house.engine, each_house)


def counts(house: House, view: str, where: str) -> int:
    return int(house.one(f"SELECT COUNT(*) FROM {view} WHERE {where}"))


@pytest.mark.parametrize("times", TIMES)
class TestSameVerbTwice:
    def test_with_the_version_both_saw_one_wins_and_the_other_is_stale(
        self, pair: tuple[House, Racers], times: int
    ) -> None:
        """R1."""
        house, two = pair
        for one in projects(house, times):
            command = Advance(command_id=key(), project_id=one, reason="ready", expected_version=1)

            outcomes = two.race((command, ONE), (replace(command, command_id=key()), OTHER))

            assert sorted(said for said, _ in outcomes if said != "done") == [("stale",)]
            assert done(outcomes) == 1
        assert counts(house, "v_transition", "event = 'advance'") == times

    def test_without_a_version_both_are_played_and_no_update_is_lost(
        self, pair: tuple[House, Racers], times: int
    ) -> None:
        """R23 too: both append to one chain."""
        house, two = pair
        for one in projects(house, times):
            command = Advance(command_id=key(), project_id=one, reason="ready")

            outcomes = two.race((command, ONE), (replace(command, command_id=key()), OTHER))

            assert sorted(answer["state"] for _, answer in outcomes) == ["feasibility", "small_batch_trial"]
            assert sorted(answer["version"] for _, answer in outcomes) == [2, 3]
        assert counts(house, "v_transition", "event = 'advance'") == 2 * times
        assert {row.version for row in house.rows("SELECT version FROM v_project")} == {3}

    def test_with_one_key_it_is_done_once_and_answered_twice_alike(
        self, pair: tuple[House, Racers], times: int
    ) -> None:
        """R25, R4."""
        house, two = pair
        for one in projects(house, times):
            command = Advance(command_id=key(), project_id=one, reason="ready")

            first, second = two.race((command, ONE), (command, ONE))

            assert [first[0], second[0]] == ["done", "done"]
            assert sorted([first[1].pop("replayed"), second[1].pop("replayed")]) == [False, True]
            assert first == second
        assert counts(house, "v_transition", "event = 'advance'") == times
        assert counts(house, "v_command", "verb = 'project.advance'") == times

    def test_with_one_key_and_another_body_one_is_refused(self, pair: tuple[House, Racers], times: int) -> None:
        """R25."""
        house, two = pair
        for one in projects(house, times):
            command = Advance(command_id=key(), project_id=one, reason="ready")

            outcomes = two.race((command, ONE), (replace(command, reason="other"), ONE))

            assert [said for said, _ in outcomes if said != "done"] == [("key_reused",)]
        assert counts(house, "v_transition", "event = 'advance'") == times

    def test_births_with_one_key_are_one_birth(self, pair: tuple[House, Racers], times: int) -> None:
        """R25, where there is nothing to lock."""
        house, two = pair
        for _ in range(times):
            command = _registration(house)

            first, second = two.race((command, Role.PROJECT_LEAD), (command, Role.PROJECT_LEAD))

            assert first[1]["object_id"] == second[1]["object_id"]
        assert counts(house, "v_project", "1 = 1") == times


@pytest.mark.parametrize("times", TIMES)
class TestTwoVerbs:
    def test_advance_and_stop_leave_a_path_without_a_gap(self, pair: tuple[House, Racers], times: int) -> None:
        """R2, R6: stop comes through in any order; advance only before it."""
        house, two = pair
        for one in projects(house, times):
            advance = Advance(command_id=key(), project_id=one, reason="ready")
            stop = Stop(command_id=key(), project_id=one, code="other", reason="no money")

            (advanced, _), (stopped, answer) = two.race((advance, ONE), (stop, Role.FUND_MANAGER))

            assert stopped == "done"
            assert answer["state"] == "stopped"
            assert advanced == "done" or "advance_not_possible_when_stopped" in advanced
            assert answer["version"] == (3 if advanced == "done" else 2)
        assert {row.stage for row in house.rows("SELECT stage FROM v_project")} == {"stopped"}

    def test_advance_and_hold_never_advance_what_is_on_hold(self, pair: tuple[House, Racers], times: int) -> None:
        """R2, R10."""
        house, two = pair
        until = house.today + timedelta(days=30)
        for one in projects(house, times):
            advance = Advance(command_id=key(), project_id=one, reason="ready")
            hold = PutOnHold(command_id=key(), project_id=one, code="partner", reason="waiting", until_on=until)

            (advanced, moved), (held, stood) = two.race((advance, ONE), (hold, OTHER))

            assert held == "done"
            if advanced == "done":
                assert moved["version"] < stood["version"]
            else:
                assert advanced == ("project_on_hold",)

    def test_advance_and_the_loss_of_the_role_agree_on_an_order(self, pair: tuple[House, Racers], times: int) -> None:
        """R8: either it went through while the grant stood, or it is out of reach."""
        house, two = pair
        user = house.people[OTHER]
        grants = [row.id for row in house.rows("SELECT id FROM v_grant WHERE user_id = :user", user=str(user.user_id))]
        first, *more = projects(house, 2)
        revokes = [RevokeRole(command_id=key(), user_id=user.user_id, grant_id=UUID(grant)) for grant in grants]
        advance = Advance(command_id=key(), project_id=first, reason="ready")

        ((said, _),), revoked = two.race_batches(([advance], OTHER), (list(revokes), Role.ADMIN))

        assert [outcome for outcome, _ in revoked] == ["done"] * len(revokes)
        assert said in ("done", ("not_found",))
        (late,) = house.ask(Advance(command_id=key(), project_id=more[0], reason="ready"), by=OTHER)
        assert not late.is_done


@pytest.mark.parametrize("times", TIMES)
class TestTwoPeople:
    def test_registering_in_parallel_gives_no_number_twice(self, pair: tuple[House, Racers], times: int) -> None:
        house, two = pair
        numbers = []
        for _ in range(times):
            outcomes = two.race_batches(
                ([_registration(house) for _ in range(3)], Role.PROJECT_LEAD),
                ([_registration(house) for _ in range(2)], Role.COORDINATOR),
            )
            numbers += [answer["number"] for batch in outcomes for _, answer in batch]
        assert sorted(numbers) == [f"PT-2025-{number:04d}" for number in range(1, 5 * times + 1)]

    def test_two_confirmations_of_one_waiver_are_one(self, pair: tuple[House, Racers], times: int) -> None:
        """R5: two approvers, one slot."""
        house, two = pair
        ids = projects(house, times, stage=ProjectState.FEASIBILITY, pack="lean")
        name_members(house, *ids)
        until = house.today + timedelta(days=60)
        waive = (
            WaiveRequirement(command_id=key(), project_id=one, clause="G2.1", reason="known", until_on=until)
            for one in ids
        )
        house.do(*waive, by=Role.PANEL_CHAIR)
        for one in ids:
            confirm = ConfirmWaiver(command_id=key(), project_id=one, clause="G2.1")

            outcomes = two.race((confirm, ONE), (replace(confirm, command_id=key()), Role.QUALITY_ENGINEER))

            assert [said for said, _ in outcomes if said != "done"] == [("no_waiver_waiting",)]
        assert counts(house, "v_audit", "action = 'requirement.confirm_waiver'") == times

    def test_two_votes_both_count(self, pair: tuple[House, Racers], times: int) -> None:
        house, two = pair
        for review in reviews(house, times, state="scoring")[1]:
            score = GiveScore(command_id=key(), review_id=review, points=(("merit", 7),), vote=GateOutcome.GO)

            outcomes = two.race((score, VOTERS[1]), (replace(score, command_id=key()), VOTERS[2]))

            assert sorted(answer["version"] for _, answer in outcomes) == [3, 4]
        assert int(house.one("SELECT COUNT(*) FROM score")) == 2 * times

    def test_a_late_vote_and_the_proposal_agree_on_an_order(self, pair: tuple[House, Racers], times: int) -> None:
        """R7: what was proposed is what had been voted, or the vote came too late."""
        house, two = pair
        for review in reviews(house, times, state="voted")[1]:
            change = GiveScore(command_id=key(), review_id=review, points=(("merit", 8),), vote=GateOutcome.STOP)
            propose = Propose(command_id=key(), review_id=review, outcome=GateOutcome.GO, reason="as voted")

            (voted, _), (proposed, _) = two.race((change, VOTERS[1]), (propose, VOTERS[0]))

            assert (voted, proposed) in (
                (("score_not_possible_when_proposed",), "done"),
                ("done", "done"),
            ), "two of three still say go"


def _registration(house: House) -> RegisterProject:
    return RegisterProject(
        command_id=key(),
        programme_id=house.programmes["bare"],
        organisation_id=house.parties["sme"],
        platform_id=house.parties["platform"],
        name="robot",
    )
