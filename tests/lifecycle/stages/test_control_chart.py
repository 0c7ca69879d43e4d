"""What makes a chart unstable, rule by rule."""

import pytest

from lifecycle.stages.control_chart import Stability, control_chart, stability

CALM = (1.0, -1.0, 2.0, -2.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5)
BOTH = ("beyond_limits", "run_on_one_side")


def singles(*values: float, rules: tuple[str, ...] = BOTH, run_length: int = 8) -> Stability:
    return stability(control_chart([(value,) for value in values]), rules=rules, run_length=run_length)


class TestStability:
    def test_accepts_values_that_only_scatter(self) -> None:
        assert singles(*CALM).is_stable

    def test_names_the_point_beyond_the_limits_and_the_range_that_jumped(self) -> None:
        found = singles(*CALM, 25.0)

        assert found.beyond == (11,)
        assert found.beyond_range == (11,)

    def test_finds_eight_in_a_row_on_one_side_but_not_seven(self) -> None:
        high, low = (1.0, 1.2) * 4, (-1.0, -1.2) * 4

        assert singles(*high, *low, *CALM).in_runs == (8, 16)
        assert singles(*high[:7], *low[:7], *CALM).in_runs == ()

    def test_a_point_on_the_centre_ends_a_run(self) -> None:
        values = (1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 0.0, -1.0, -1.0, -1.0, -1.0)

        assert singles(*values).in_runs == ()

    def test_runs_only_the_rules_of_the_pack(self) -> None:
        drifting = (*((0.2, 1.2) * 4), *((-0.2, -1.2) * 4))

        assert singles(*drifting, rules=("beyond_limits",)).is_stable
        assert singles(*drifting, run_length=9).is_stable

    def test_knows_no_other_rule(self) -> None:
        with pytest.raises(KeyError):
            singles(*CALM, rules=("seven_in_a_trend",))

    def test_a_wide_subgroup_is_beyond_the_limit_of_ranges_though_its_mean_is_not(self) -> None:
        groups = [(0.0, 0.1, -0.1)] * 12 + [(0.0, 2.0, -2.0)]

        found = stability(control_chart(groups), rules=BOTH, run_length=8)

        assert (found.method, found.n) == ("xbar_r", 39)
        assert (found.beyond, found.beyond_range) == ((), (13,))
