"""Bounds and indices: the tables printed in the rule book, and scipy as a second opinion."""

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lifecycle.stages.control_chart import UnusableValuesError
from lifecycle.stages.special_functions import beta_cdf, beta_quantile, chi_square_quantile, gamma_cdf
from lifecycle.stages.statistics import (
    bissell_interval,
    bissell_lower,
    capability_indices,
    clopper_pearson_lower,
    cp_interval,
    index_needed,
    reliability_lower,
    reliability_sample_size,
    smallest_flawless_lot,
    smallest_passing_count,
    success_run_size,
    taguchi_index,
    wilson_interval,
)

scipy_stats = pytest.importorskip("scipy.stats")
scipy_special = pytest.importorskip("scipy.special")

SHARES = st.floats(min_value=1e-6, max_value=1 - 1e-6)
SHAPES = st.floats(min_value=0.1, max_value=20_000)
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(min_value=1, max_value=20_000))
    return draw(st.integers(min_value=0, max_value=n)), n


class TestSpecialFunctions:
    @given(x=SHARES, a=SHAPES, b=SHAPES)
    def test_beta_agrees_with_scipy(self, x: float, a: float, b: float) -> None:
        assert beta_cdf(x, a, b) == pytest.approx(float(scipy_special.betainc(a, b, x)), abs=1e-10)

    @given(p=SHARES, a=SHAPES.filter(lambda a: a >= 1), b=SHAPES.filter(lambda b: b >= 1))
    def test_beta_quantile_agrees_with_scipy(self, p: float, a: float, b: float) -> None:
        assert beta_quantile(p, a, b) == pytest.approx(float(scipy_special.betaincinv(a, b, p)), abs=1e-10)

    @given(x=st.floats(min_value=1e-6, max_value=5_000), a=st.floats(min_value=0.5, max_value=5_000))
    def test_gamma_agrees_with_scipy(self, x: float, a: float) -> None:
        assert gamma_cdf(x, a) == pytest.approx(float(scipy_special.gammainc(a, x)), abs=1e-10)

    @given(p=SHARES, degrees=st.floats(min_value=1, max_value=5_000))
    def test_chi_square_quantile_agrees_with_scipy(self, p: float, degrees: float) -> None:
        assert chi_square_quantile(p, degrees) == pytest.approx(float(scipy_stats.chi2.ppf(p, degrees)), rel=1e-9)

    @pytest.mark.parametrize("x", [-1.0, 0.0])
    def test_nothing_lies_below_zero(self, x: float) -> None:
        assert beta_cdf(x, 2, 3) == gamma_cdf(x, 2) == 0

    def test_everything_lies_below_one(self) -> None:
        assert beta_cdf(1.0, 2, 3) == 1


class TestClopperPearson:
    @pytest.mark.parametrize(
        ("good", "n", "percent"),
        [
            (10, 10, 74.1),
            (30, 30, 90.5),
            (28, 30, 80.5),
            (45, 50, 80.1),
            (49, 50, 90.9),
            (90, 100, 83.6),
            (95, 100, 89.8),
            (190, 200, 91.7),
            (285, 300, 92.4),
            (291, 300, 94.8),
            (1463, 1567, 92.2),
            (19, 20, 78.4),
        ],
    )
    def test_gives_the_printed_bounds(self, good: int, n: int, percent: float) -> None:
        assert round(100 * clopper_pearson_lower(good, n, confidence=0.95).lower, 1) == percent

    @given(counted=counts(), confidence=CONFIDENCES)
    @example(counted=(1, 20_000), confidence=0.95)
    @example(counted=(999_999, 1_000_000), confidence=0.95)
    def test_agrees_with_scipy(self, counted: tuple[int, int], confidence: float) -> None:
        good, n = counted
        expected = scipy_stats.beta.ppf(1 - confidence, good, n - good + 1) if good else 0.0

        assert clopper_pearson_lower(good, n, confidence=confidence).lower == pytest.approx(float(expected), abs=1e-10)

    def test_carries_what_it_was_computed_from(self) -> None:
        bound = clopper_pearson_lower(19, 20, confidence=0.95)

        assert (bound.method, bound.n, bound.point, bound.confidence) == ("clopper_pearson_one_sided", 20, 0.95, 0.95)

    @pytest.mark.parametrize(("good", "n"), [(1, 0), (-1, 5), (6, 5), (0, 0)])
    def test_refuses_impossible_counts(self, good: int, n: int) -> None:
        with pytest.raises(ValueError, match="0 <= good <= n"):
            clopper_pearson_lower(good, n, confidence=0.95)

    @pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
    def test_refuses_a_confidence_that_is_no_share(self, confidence: float) -> None:
        with pytest.raises(ValueError, match="confidence"):
            clopper_pearson_lower(1, 2, confidence=confidence)


class TestWilson:
    @given(counted=counts(), confidence=CONFIDENCES)
    def test_agrees_with_scipy(self, counted: tuple[int, int], confidence: float) -> None:
        good, n = counted
        expected = scipy_stats.binomtest(good, n).proportion_ci(confidence_level=confidence, method="wilson")

        interval = wilson_interval(good, n, confidence=confidence)

        assert (interval.lower, interval.upper) == pytest.approx((expected.low, expected.high), abs=1e-10)


class TestSmallestPassingCount:
    SIZES = (10, 14, 20, 30, 36, 50, 100, 200, 300)

    @pytest.mark.parametrize(("n", "k"), [*zip(SIZES, (None, 14, 20, 28, 34, 45, 90, 180, 270), strict=True)])
    def test_gives_the_printed_counts_of_the_trial(self, n: int, k: int | None) -> None:
        assert smallest_passing_count(n, point=0.90, bound=0.80, confidence=0.95) == k

    @pytest.mark.parametrize(("n", "k"), [*zip(SIZES, (None, None, None, None, 36, 50, 97, 191, 285), strict=True)])
    def test_gives_the_printed_counts_of_production(self, n: int, k: int | None) -> None:
        assert smallest_passing_count(n, point=0.95, bound=0.92, confidence=0.95) == k

    @given(n=st.integers(1, 3_000), point=st.floats(0, 1), bound=st.floats(0.05, 0.99), confidence=CONFIDENCES)
    def test_passes_itself_while_one_fewer_does_not(
        self, n: int, point: float, bound: float, confidence: float
    ) -> None:
        def passes(good: int) -> bool:
            found = clopper_pearson_lower(good, n, confidence=confidence)
            return found.point >= point and found.lower >= bound

        k = smallest_passing_count(n, point=point, bound=bound, confidence=confidence)

        assert not passes(n if k is None else k - 1)
        assert k is None or passes(k)

    def test_the_smallest_flawless_lots_are_14_and_36(self) -> None:
        assert smallest_flawless_lot(bound=0.80, confidence=0.95) == 14
        assert smallest_flawless_lot(bound=0.92, confidence=0.95) == 36


class TestReliability:
    @pytest.mark.parametrize(
        ("reliability", "sizes"), [(0.90, (16, 22, 29)), (0.95, (32, 45, 59)), (0.99, (161, 230, 299))]
    )
    def test_gives_the_printed_success_runs(self, reliability: float, sizes: tuple[int, int, int]) -> None:
        found = [success_run_size(reliability=reliability, confidence=confidence) for confidence in (0.80, 0.90, 0.95)]

        assert tuple(found) == sizes

    def test_does_not_ask_for_one_more_because_of_binary_fractions(self) -> None:
        assert success_run_size(reliability=0.1, confidence=0.9) == 1
        assert success_run_size(reliability=0.5, confidence=0.75) == 2

    def test_calls_a_test_without_failures_a_success_run(self) -> None:
        bound = reliability_lower(22, 0, confidence=0.90)

        assert bound.method == "success_run"
        assert bound.lower == pytest.approx(0.1 ** (1 / 22), abs=1e-15)

    @given(failures=st.integers(0, 40), reliability=st.floats(0.5, 0.99), confidence=CONFIDENCES)
    def test_the_sample_size_shows_the_reliability_and_one_fewer_does_not(
        self, failures: int, reliability: float, confidence: float
    ) -> None:
        n = reliability_sample_size(failures, reliability=reliability, confidence=confidence)

        assert reliability_lower(n, failures, confidence=confidence).lower >= reliability - 1e-9
        if n - 1 > failures:
            assert reliability_lower(n - 1, failures, confidence=confidence).lower < reliability

    @pytest.mark.parametrize(("reliability", "confidence"), [(0, 0.9), (1, 0.9), (0.9, 0), (0.9, 1)])
    def test_refuses_certainty(self, reliability: float, confidence: float) -> None:
        with pytest.raises(ValueError, match="between 0 and 1"):
            success_run_size(reliability=reliability, confidence=confidence)


class TestBissell:
    SIZES = (5, 10, 30, 50, 100, 125, 300)

    @pytest.mark.parametrize(
        ("bound", "printed"),
        [
            (1.33, (3.217, 2.201, 1.713, 1.608, 1.515, 1.494, 1.431)),
            (1.67, (4.021, 2.750, 2.144, 2.013, 1.899, 1.872, 1.795)),
        ],
    )
    def test_gives_the_printed_indices_needed(self, bound: float, printed: tuple[float, ...]) -> None:
        found = [index_needed(bound, n, confidence=0.95) for n in self.SIZES]

        assert found == pytest.approx(printed, abs=5.1e-4)

    @given(index=st.floats(0.2, 5), n=st.integers(5, 2_000), confidence=CONFIDENCES)
    def test_the_index_needed_for_its_own_bound_is_the_index(self, index: float, n: int, confidence: float) -> None:
        lower = bissell_lower(index, n, confidence=confidence).lower
        assume(lower > 0)

        assert index_needed(lower, n, confidence=confidence) == pytest.approx(index, rel=1e-9)

    @pytest.mark.parametrize("n", [1, 2])
    def test_no_index_suffices_on_two_values(self, n: int) -> None:
        assert index_needed(1.33, n, confidence=0.95) is None

    def test_refuses_a_single_value(self) -> None:
        with pytest.raises(ValueError, match="two values"):
            bissell_lower(1.5, 1, confidence=0.95)

    @given(index=st.floats(-1, 5), n=st.integers(2, 500))
    def test_the_interval_lies_around_the_index_and_starts_below_the_one_sided_bound(
        self, index: float, n: int
    ) -> None:
        interval = bissell_interval(index, n, confidence=0.95)

        assert interval.lower < bissell_lower(index, n, confidence=0.95).lower < index < interval.upper

    @given(cp=st.floats(0.1, 5), n=st.integers(2, 500), confidence=CONFIDENCES)
    def test_the_interval_of_cp_agrees_with_scipy(self, cp: float, n: int, confidence: float) -> None:
        tail = (1 - confidence) / 2
        expected = [cp * math.sqrt(scipy_stats.chi2.ppf(q, n - 1) / (n - 1)) for q in (tail, 1 - tail)]

        interval = cp_interval(cp, n, confidence=confidence)

        assert [interval.lower, interval.upper] == pytest.approx(expected, abs=1e-9)


class TestCapabilityIndices:
    SINGLES = tuple((value,) for value in (10.0, 10.1, 9.9, 10.05, 9.95, 10.0))

    def test_single_values_use_the_moving_range(self) -> None:
        indices = capability_indices(self.SINGLES, lower=9.5, upper=10.5)

        assert indices.method == "i_mr"
        assert indices.sigma_within == pytest.approx((0.1 + 0.2 + 0.15 + 0.1 + 0.05) / 5 / 1.128)
        assert indices.cp == pytest.approx(1 / (6 * indices.sigma_within))

    def test_one_limit_gives_only_its_side(self) -> None:
        indices = capability_indices(self.SINGLES, lower=None, upper=10.5)

        assert (indices.cp, indices.cpl, indices.pp, indices.ppl) == (None, None, None, None)
        assert indices.cpk == indices.cpu
        assert indices.ppk == indices.ppu

    def test_cpm_falls_when_the_mean_leaves_the_target(self) -> None:
        assert taguchi_index(1.5, mean=10, sigma=0.1, target=10) == 1.5
        assert taguchi_index(1.5, mean=10.1, sigma=0.1, target=10) == pytest.approx(1.5 / math.sqrt(2))

    @pytest.mark.parametrize(
        ("subgroups", "lower", "upper", "code"),
        [
            (SINGLES, None, None, "no_limits"),
            (((1.0,), (1.0,), (1.0,)), 0, 2, "no_variation"),
            (((1.0, 2.0), (1.0,)), 0, 2, "subgroups_uneven"),
            (((1.0,) * 7, (2.0,) * 7), 0, 2, "subgroup_size"),
            (((), ()), 0, 2, "subgroup_size"),
            ((), 0, 2, "values_too_few"),
            (((1.0,),), 0, 2, "values_too_few"),
            (((1.0,), (math.nan,)), 0, 2, "values_not_finite"),
        ],
    )
    def test_says_why_values_cannot_be_used(
        self, subgroups: tuple[tuple[float, ...], ...], lower: float | None, upper: float | None, code: str
    ) -> None:
        with pytest.raises(UnusableValuesError) as refused:
            capability_indices(subgroups, lower=lower, upper=upper)

        assert refused.value.code == code
