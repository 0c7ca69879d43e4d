from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Unmet
from lifecycle.milestones.plan import plan_reasons, tranche_amounts, with_cut
from lifecycle.standards import library
from lifecycle.standards.funds import Tranche
from models.money import MAX_MINOR

PACK = library.default()
RULES = PACK.funds
PLAN = RULES.tranches
CLAUSES = frozenset(one.id for stage in PACK.stages for one in stage.criteria)
awards = st.integers(min_value=1, max_value=MAX_MINOR)


@st.composite
def plans(draw: st.DrawFn) -> tuple[Tranche, ...]:
    """A plan of two to six tranches with any shares that make a whole."""
    marks = draw(st.sets(st.integers(min_value=1, max_value=9_999), min_size=1, max_size=5))
    edges = [0, *sorted(marks), 10_000]
    shares = [end - start for start, end in pairwise(edges)]
    return tuple(PLAN[0].model_copy(update={"share_basis_points": share}) for share in shares)


def reasons(award: int = 200_000_000, plan: tuple[Tranche, ...] = PLAN, rate: int = 7000) -> tuple[Unmet, ...]:
    return plan_reasons(award, plan, rate_basis_points=rate, rules=RULES, clauses=CLAUSES)


def codes(award: int = 200_000_000, plan: tuple[Tranche, ...] = PLAN, rate: int = 7000) -> list[str]:
    return [one.code for one in reasons(award, plan, rate)]


class TestTrancheAmounts:
    def test_round_down_and_leave_the_rest_to_the_retention(self) -> None:
        assert tranche_amounts(100_000_001, PLAN) == (40_000_000, 30_000_000, 15_000_000, 10_000_000, 5_000_001)

    @pytest.mark.parametrize(
        ("award", "amounts"), [(1, (0, 0, 0, 0, 1)), (19, (7, 5, 2, 1, 4)), (20, (8, 6, 3, 2, 1)), (0, (0, 0, 0, 0, 0))]
    )
    def test_hand_out_the_smallest_award(self, award: int, amounts: tuple[int, ...]) -> None:
        assert tranche_amounts(award, PLAN) == amounts

    @given(awards, plans())
    def test_sum_to_the_award_and_stay_within_their_cumulative_shares(
        self, award: int, plan: tuple[Tranche, ...]
    ) -> None:
        amounts = tranche_amounts(award, plan)

        assert sum(amounts) == award
        for count in range(1, len(plan)):
            share = sum(one.share_basis_points for one in plan[:count])
            assert sum(amounts[:count]) * 10_000 <= share * award

    def test_refuse_a_plan_that_is_no_whole(self) -> None:
        with pytest.raises(ValueError, match="whole"):
            tranche_amounts(100, PLAN[:-1])


class TestPlanReasons:
    def test_are_none_for_the_default_plan(self) -> None:
        assert codes() == []

    @pytest.mark.parametrize(
        ("rate", "found"),
        [(7000, []), (1, []), (7001, ["rate_over_cap"]), (0, ["rate_over_cap"])],
    )
    def test_hold_the_grant_to_its_largest_part_of_the_cost(self, rate: int, found: list[str]) -> None:
        assert codes(rate=rate) == found

    @pytest.mark.parametrize(("award", "found"), [(10, []), (9, ["award_too_small"])])
    def test_ask_that_every_tranche_is_something(self, award: int, found: list[str]) -> None:
        assert codes(award) == found

    def test_name_everything_that_is_wrong_with_a_plan(self) -> None:
        late = PLAN[3].model_copy(update={"gate": "G4", "share_basis_points": 1001})
        untied = PLAN[2].model_copy(update={"gate": None})

        found = codes(plan=(*PLAN[:2], untied, late, PLAN[4]))

        assert found == ["plan_not_whole", "tranche_not_tied", "tranche_out_of_order", "plan_over_cap"]

    def test_take_criteria_that_exist_instead_of_a_gate(self) -> None:
        early = PLAN[2].model_copy(update={"gate": None, "criteria": ("G4.1",)})
        unknown = PLAN[2].model_copy(update={"gate": None, "criteria": ("G4.77",)})

        assert codes(plan=(*PLAN[:2], early, *PLAN[3:])) == []
        assert codes(plan=(*PLAN[:2], unknown, *PLAN[3:])) == ["tranche_clause_unknown"]


class TestWithCut:
    def test_moves_to_the_next_tranche(self) -> None:
        assert with_cut((40, 30, 15, 10, 5), 1, 12) == (40, 18, 27, 10, 5)

    @given(awards, st.data())
    def test_keeps_the_sum_of_the_tranches(self, award: int, data: st.DataObject) -> None:
        amounts = tranche_amounts(award, PLAN)
        place = data.draw(st.integers(min_value=0, max_value=3))
        moved = data.draw(st.integers(min_value=0, max_value=amounts[place]))

        after = with_cut(amounts, place, moved)

        assert sum(after) == award
        assert min(after) >= 0

    @pytest.mark.parametrize(("place", "moved"), [(4, 1), (-1, 1), (0, 41), (0, -1)])
    def test_refuses_what_has_nowhere_to_go(self, place: int, moved: int) -> None:
        with pytest.raises(ValueError, match="cannot move"):
            with_cut((40, 30, 15, 10, 5), place, moved)
