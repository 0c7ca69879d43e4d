"""The statistics on measured batches whose answers others have published."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifecycle.stages.control_chart import CONSTANTS, Subgroups, control_chart, stability
from lifecycle.stages.statistics import (
    bissell_interval,
    bissell_lower,
    capability_indices,
    clopper_pearson_lower,
    cp_interval,
    taguchi_index,
    wilson_interval,
)

RULES = ("beyond_limits", "run_on_one_side")
ROUNDED_TABLES = 1e-4


@pytest.fixture(scope="module")
def facts(reference_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((reference_data / "trial_quality" / "facts.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def rings(reference_data: Path) -> Subgroups:
    """Forty subgroups of five piston-ring diameters; the first 25 are the trial."""
    lines = (reference_data / "trial_quality" / "qcc_pistonrings.txt").read_text("utf-8").splitlines()[1:]
    values = [float(line.split()[0]) for line in lines]
    return [values[i : i + 5] for i in range(0, len(values), 5)]


class TestPistonRings:
    def test_indices_and_intervals_are_the_published_ones(self, facts: dict[str, Any], rings: Subgroups) -> None:
        truth = facts["pistonrings_first_25_subgroups"]

        found = capability_indices(rings[:25], lower=truth["LSL"], upper=truth["USL"])

        assert found.n == truth["n"]
        assert found.cp is not None
        assert (found.mean, found.sigma_within, found.sigma_overall) == pytest.approx(
            (truth["mean"], truth["sigma_within_Rbar_d2"], truth["sigma_overall"]), abs=1e-5
        )
        assert (found.cp, found.cpk, found.pp, found.ppk) == pytest.approx(
            (truth["Cp"], truth["Cpk"], truth["Pp"], truth["Ppk"]), abs=ROUNDED_TABLES
        )
        cp, cpk = cp_interval(found.cp, 125, confidence=0.95), bissell_interval(found.cpk, 125, confidence=0.95)
        assert [cp.lower, cp.upper] == pytest.approx(truth["Cp_95_two_sided"], abs=ROUNDED_TABLES)
        assert [cpk.lower, cpk.upper] == pytest.approx(truth["Cpk_95_two_sided"], abs=ROUNDED_TABLES)
        assert bissell_lower(found.cpk, 125, confidence=0.95).lower == pytest.approx(
            truth["Cpk_95_lower_one_sided"], abs=ROUNDED_TABLES
        )
        assert bissell_lower(found.ppk, 125, confidence=0.95).lower == pytest.approx(
            truth["Ppk_95_lower_one_sided"], abs=ROUNDED_TABLES
        )
        cpm = taguchi_index(found.cp, mean=found.mean, sigma=found.sigma_within, target=74.0)
        assert cpm == pytest.approx(truth["Cpm_target_midpoint"], abs=ROUNDED_TABLES)

    def test_the_trial_is_stable_within_the_published_limits(self, facts: dict[str, Any], rings: Subgroups) -> None:
        truth = facts["pistonrings_first_25_subgroups"]

        chart = control_chart(rings[:25])

        assert (chart.upper, chart.lower, chart.range_upper) == pytest.approx(
            (truth["xbar_UCL"], truth["xbar_LCL"], truth["range_UCL"]), abs=1e-5
        )
        assert stability(chart, rules=RULES, run_length=8).is_stable

    def test_37_38_and_39_leave_the_limits_of_the_trial(self, rings: Subgroups) -> None:
        trial = control_chart(rings[:25])
        all_forty = replace(control_chart(rings), centre=trial.centre, lower=trial.lower, upper=trial.upper)

        assert stability(all_forty, rules=("beyond_limits",), run_length=8).beyond == (37, 38, 39)

    def test_all_forty_are_not_stable_even_on_their_own_wider_limits(self, rings: Subgroups) -> None:
        found = stability(control_chart(rings), rules=RULES, run_length=8)

        assert found.beyond == (38, 39)
        assert not found.is_stable


class TestGroupedExample:
    @pytest.mark.parametrize("case", ["two_sided_on_target", "upper_only", "lower_only", "two_sided_off_target"])
    def test_every_index_and_interval_is_the_published_one(self, facts: dict[str, Any], case: str) -> None:
        example = facts["qcc_grouped_example"]
        limits = example["cases"][case]

        found = self._all(example["data_3_subgroups_of_4"], limits["LSL"], limits["USL"], limits["target"])

        for name, (value, low, high) in limits["expected"].items():
            if value is None:
                assert name not in found
            else:
                expected = (value, low, high)[: len(found[name])]  # of Cpm we print no interval
                assert found[name] == pytest.approx(expected, abs=ROUNDED_TABLES), name

    def _all(
        self, subgroups: Subgroups, lower: float | None, upper: float | None, target: float
    ) -> dict[str, tuple[float, ...]]:
        it = capability_indices(subgroups, lower=lower, upper=upper)
        found: dict[str, tuple[float, ...]] = {}
        for letter, sigma, both, below, above, worst in (
            ("C", it.sigma_within, it.cp, it.cpl, it.cpu, it.cpk),
            ("P", it.sigma_overall, it.pp, it.ppl, it.ppu, it.ppk),
        ):
            if both is not None:
                interval = cp_interval(both, it.n, confidence=0.95)
                found[f"{letter}p"] = (both, interval.lower, interval.upper)
                index = taguchi_index(both, mean=it.mean, sigma=sigma, target=target)
                found[f"{letter}pm"] = (index,)
            for name, value, confidence in (("p_l", below, 0.90), ("p_u", above, 0.90), ("p_k", worst, 0.95)):
                if value is not None:
                    interval = bissell_interval(value, it.n, confidence=confidence)
                    found[f"{letter}{name}"] = (value, interval.lower, interval.upper)
        return found

    def test_the_constant_table_has_the_d2_of_the_example(self, facts: dict[str, Any]) -> None:
        assert CONSTANTS[4].d2 == facts["qcc_grouped_example"]["d2"]


class TestSecom:
    def test_yield_and_bounds_are_the_published_ones(self, facts: dict[str, Any], reference_data: Path) -> None:
        truth = facts["secom"]
        lines = (reference_data / "trial_quality" / "secom_labels.data").read_text("utf-8").split("\n")
        lots = [line for line in lines if line.strip()]
        good = sum(line.split()[0] == "-1" for line in lots)

        bound = clopper_pearson_lower(good, len(lots), confidence=0.95)
        interval = wilson_interval(good, len(lots), confidence=0.95)

        assert (good, len(lots)) == (truth["pass"], truth["lots"])
        assert bound.point == pytest.approx(truth["yield"], abs=1e-6)
        assert bound.lower == pytest.approx(truth["clopper_pearson_lower_95_one_sided"], abs=1e-6)
        assert [interval.lower, interval.upper] == pytest.approx(truth["wilson_95_two_sided"], abs=1e-6)
