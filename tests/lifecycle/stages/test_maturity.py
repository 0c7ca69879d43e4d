"""Readiness levels: the cross-check of the two scales, the minimum, and the rule over both."""

from dataclasses import replace
from uuid import UUID

import pytest

from lifecycle.stages.maturity import THREADS, cross_check, project_mrl, project_trl
from lifecycle.stages.records import ClaimRecord
from models.states import MaturityScale
from tests.lifecycle.stages.first_stages import claims, good_firm, judged

LOWEST_TRL = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 7, 9: 8, 10: 9}


class TestCrossCheck:
    def test_whole_table(self) -> None:
        possible = {(trl, mrl) for trl in range(1, 10) for mrl in range(1, 11) if cross_check(trl, mrl)}

        assert possible == {(trl, mrl) for mrl, least in LOWEST_TRL.items() for trl in range(least, 10)}

    @pytest.mark.parametrize(("trl", "mrl"), [(0, 1), (10, 1), (9, 0), (9, 11), (-1, -1)])
    def test_refuses_levels_that_do_not_exist(self, trl: int, mrl: int) -> None:
        assert not cross_check(trl, mrl)


class TestMinimum:
    def test_is_the_weakest_and_not_the_average(self) -> None:
        weak = ClaimRecord(scale=MaturityScale.TRL, item="gripper", level=3, evidence=UUID(int=1))

        assert project_trl((*claims(trl=9), weak)) == 3

    @pytest.mark.parametrize("weakest", THREADS)
    def test_is_that_of_the_weakest_thread(self, weakest: str) -> None:
        threads = tuple(replace(claim, level=2) if claim.item == weakest else claim for claim in claims(mrl=8))

        assert project_mrl(threads) == 2

    @pytest.mark.parametrize("absent", THREADS)
    def test_needs_each_of_the_nine_threads(self, absent: str) -> None:
        assert project_mrl(claims(mrl=8)) == 8
        assert project_mrl(tuple(claim for claim in claims(mrl=8) if claim.item != absent)) is None


class TestMaturity:
    @pytest.mark.parametrize(
        ("gate", "trl", "mrl", "state"),
        [
            ("G1.4", 4, 3, "met"),
            ("G1.4", 3, 3, "not_met"),
            ("G1.4", 4, 2, "not_met"),
            ("G2.1", 5, 4, "met"),
            ("G2.1", 4, 4, "not_met"),
            ("G2.1", 5, 3, "not_met"),
        ],
    )
    def test_asks_for_the_levels_of_the_gate(self, gate: str, trl: int, mrl: int, state: str) -> None:
        assert judged(gate, replace(good_firm(), claims=claims(trl=trl, mrl=mrl))).state == state

    def test_names_the_technology_that_holds_the_project_down(self) -> None:
        weak = ClaimRecord(scale=MaturityScale.TRL, item="gripper", level=3, evidence=UUID(int=1))

        found = judged("G2.1", replace(good_firm(), claims=(*claims(), weak)))

        assert (found.code, found.values["below"], found.values["trl"]) == ("maturity_too_low", [{"gripper": 3}], 3)

    def test_refuses_levels_that_cannot_both_be_true(self) -> None:
        found = judged("G2.1", replace(good_firm(), claims=claims(trl=5, mrl=6)))

        assert (found.state, found.code, found.values["trl_for_mrl"]) == ("not_met", "maturity_cross_check", 6)

    def test_has_not_enough_with_eight_threads(self) -> None:
        eight = tuple(claim for claim in claims(mrl=9, trl=9) if claim.item != "workforce")

        found = judged("G2.1", replace(good_firm(), claims=eight))

        assert (found.state, found.values["threads_missing"]) == ("not_enough_evidence", ["workforce"])
        assert found.values["mrl"] is None

    def test_does_not_count_a_thread_that_is_none_of_the_nine(self) -> None:
        stray = ClaimRecord(scale=MaturityScale.MRL, item="logistics", level=1)

        assert judged("G2.1", replace(good_firm(), claims=(*claims(), stray))).state == "met"

    @pytest.mark.parametrize("named", [None, UUID(int=99)], ids=["none", "one that does not count any more"])
    def test_has_not_enough_when_a_level_names_no_evidence(self, named: UUID | None) -> None:
        bare = tuple(replace(claim, evidence=named) if claim.item == "quality" else claim for claim in claims())

        found = judged("G2.1", replace(good_firm(), claims=bare))

        assert (found.state, found.values["without_evidence"]) == ("not_enough_evidence", ["quality"])

    def test_misses_a_technology(self) -> None:
        threads_only = tuple(claim for claim in claims() if claim.scale is MaturityScale.MRL)

        assert judged("G2.1", replace(good_firm(), claims=threads_only)).code == "technologies_not_claimed"

    def test_misses_everything(self) -> None:
        assert judged("G2.1", replace(good_firm(), claims=())).state == "missing"
