"""Gate G3: each criterion met, not met, and missing or without enough evidence."""

from dataclasses import replace
from datetime import date
from math import nan
from typing import Any

import pytest

from lifecycle.stages.records import BatchRecord, RevisionRecord, TrackRecord
from lifecycle.stages.trial import RULES
from models.states import BatchKind, FindingKind, Verification
from tests.lifecycle.stages import facts
from tests.lifecycle.stages.trial_records import (
    BORE,
    CRITERIA,
    FROZEN,
    STAGE,
    TYPES,
    WEIGHT,
    a_batch,
    a_finding,
    a_trial,
    evidence,
    judged,
    outside_report,
    report,
    scatter,
    study,
    with_instead,
    without,
)

OWN_RULES = [clause for clause, criterion in CRITERIA.items() if criterion.rule in RULES]


class TestThePack:
    def test_asks_fourteen_things_of_which_two_are_computed_elsewhere(self) -> None:
        assert list(CRITERIA) == [f"G3.{number}" for number in range(1, 15)]
        assert {CRITERIA[c].rule for c in CRITERIA if c not in OWN_RULES} == {"unit_cost", "maturity"}

    def test_names_every_rule_of_the_stage(self) -> None:
        assert set(RULES) == {CRITERIA[clause].rule for clause in OWN_RULES}

    def test_studies_a_gauge_by_the_same_limits_in_both_clauses(self) -> None:
        for name in ("grr", "grr_good", "ndc", "months"):
            assert CRITERIA["G3.5"].parameters[name] == CRITERIA["G3.6"].parameters[name]

    def test_uses_only_its_own_evidence_types_and_each_of_them(self) -> None:
        used = {name for criterion in CRITERIA.values() for name in (*criterion.evidence, *criterion.supporting)}

        assert used | {"task_contract", "tranche_record"} == set(TYPES)

    def test_finds_the_ladder_and_the_stop_loss_in_the_contract_form(self) -> None:
        limits = STAGE.run_limits
        assert limits is not None

        fields = {field.name for field in TYPES[limits.form].fields}
        assert {limits.ladder_field, limits.money_field, limits.batches_field, limits.days_field} <= fields

    def test_weighs_its_factors_to_100(self) -> None:
        assert sum(factor.weight for factor in STAGE.score.factors) == 100

    def test_lets_the_cost_form_carry_what_the_shared_rule_reads(self) -> None:
        assert CRITERIA["G3.8"].evidence == ("cost_rollup",)
        assert {"cost_minor", "target_minor"} <= {field.name for field in TYPES["cost_rollup"].fields}


class TestEveryClause:
    @pytest.mark.parametrize("clause", OWN_RULES)
    def test_is_met_by_the_good_trial(self, clause: str) -> None:
        assert judged(clause, a_trial()).state == "met"

    @pytest.mark.parametrize("clause", OWN_RULES)
    def test_is_missing_while_nothing_is_recorded(self, clause: str) -> None:
        empty = a_trial(papers=(), revisions=(), characteristics=(), batches=(), tracks=())

        assert judged(clause, empty).state == "missing"


class TestVolume:
    def test_adds_the_units_of_all_counted_batches(self) -> None:
        two = (a_batch("T-2", started=30), a_batch("T-3", started=20))

        assert judged("G3.1", a_trial(batches=two)).values["have"] == 50

    def test_says_how_many_units_are_still_to_be_built(self) -> None:
        found = judged("G3.1", a_trial(batches=(a_batch(started=49),)))

        assert (found.state, found.suffices, found.values["units_needed"]) == (
            "not_enough_evidence",
            "more_units_needed",
            1,
        )

    @pytest.mark.parametrize(
        "facts",
        [
            {"is_closed": False},
            {"revision": "A"},
            {"revision": None},
            {"made_on": date(2026, 2, 28)},
            {"kind": BatchKind.PRODUCTION_RUN},
        ],
    )
    def test_counts_no_other_batch(self, facts: dict[str, Any]) -> None:
        found = judged("G3.1", a_trial(batches=(a_batch(started=49), a_batch("T-9", **facts))))

        assert found.values["have"] == 49

    def test_counts_a_batch_made_on_the_day_of_the_freeze(self) -> None:
        assert judged("G3.1", a_trial(batches=(a_batch(made_on=FROZEN.frozen_on),))).state == "met"


class TestRuns:
    """What the association standard asks besides: how often the line was run, whatever the revision."""

    def test_counts_closed_batches_of_an_earlier_revision(self) -> None:
        runs = (a_batch("T-1", revision="A", made_on=date(2026, 2, 1)), a_batch("T-2"), a_batch("T-3"))

        assert judged("G3.1", a_trial(batches=runs), runs=3).state == "met"

    def test_says_which_batch_is_still_open(self) -> None:
        runs = (a_batch("T-1"), a_batch("T-2"), a_batch("T-3", is_closed=False))

        found = judged("G3.1", a_trial(batches=runs), runs=3)

        assert (found.state, found.code, found.suffices) == ("not_enough_evidence", "too_few_runs", "more_runs_needed")
        assert (found.values["runs_needed"], found.values["open"]) == (1, ["T-3"])

    def test_misses_the_record_of_a_counted_batch_where_records_are_evidence(self) -> None:
        criterion = CRITERIA["G3.1"].model_copy(update={"evidence": ("batch_record",)})
        record = evidence("batch_record", batch="T-2")
        trial = a_trial(batches=(a_batch("T-2"), a_batch("T-3")), papers=(record,))

        found = RULES["volume"](criterion, trial)

        assert (found.state, found.code, found.values["unrecorded"]) == ("missing", "batch_record_missing", ["T-3"])


class TestVolumeInProcessIndustries:
    @pytest.mark.parametrize(
        ("conforming", "state", "streak"),
        [
            ((True, True, True), "met", 3),
            ((False, True, True, True), "met", 3),
            ((True, True), "not_enough_evidence", 2),
            ((True, True, True, None), "not_enough_evidence", 0),
            ((True, True, True, False), "not_met", 0),
        ],
    )
    def test_asks_for_three_conforming_batches_up_to_the_newest(
        self, conforming: tuple[bool | None, ...], state: str, streak: int
    ) -> None:
        batches = tuple(
            a_batch(f"T-{i}", made_on=date(2026, 4, i), conforming=fine, started=1)
            for i, fine in enumerate(conforming, 1)
        )

        found = judged("G3.1", a_trial(profiles={"manufacture": "process"}, batches=batches[::-1]))

        assert (found.state, found.values["have"]) == (state, streak)


class TestVerificationsPassed:
    def test_refuses_a_failed_report_and_names_it(self) -> None:
        papers = with_instead(report("design"), report("function", result="failed"))

        found = judged("G3.2", a_trial(papers=papers))

        assert (found.state, found.values["failed"]) == ("not_met", ["function"])

    def test_refuses_a_failed_track_whatever_its_report_says(self) -> None:
        tracks = (TrackRecord(verification=Verification.DESIGN, passed=False),)

        assert judged("G3.2", a_trial(tracks=tracks)).code == "verification_failed"

    def test_misses_the_report_of_an_asked_verification(self) -> None:
        found = judged("G3.2", a_trial(papers=with_instead(report("design"))))

        assert (found.state, found.values["absent"]) == ("missing", ["function"])

    def test_asks_what_the_firm_asked_for_though_nobody_started_it(self) -> None:
        need = facts.evidence("need_form", verifications=["design", "process", "adaptation"])

        found = judged("G3.2", a_trial(papers=with_instead(report("design"), report("function"), need)))

        assert (found.state, found.values["absent"]) == ("missing", ["process", "adaptation"])

    def test_does_not_count_a_report_on_an_older_revision(self) -> None:
        older = replace(report("function"), revision="A")

        assert judged("G3.2", a_trial(papers=with_instead(report("design"), older))).values["absent"] == ["function"]

    def test_refuses_a_report_that_quality_did_not_sign(self) -> None:
        papers = with_instead(report("design"), report("function", signed_by=["development", "production", "process"]))

        found = judged("G3.2", a_trial(papers=papers))

        assert (found.state, found.values["unsigned"]) == ("not_met", {"function": ["quality"]})

    def test_tells_all_that_is_wrong_at_once(self) -> None:
        found = judged("G3.2", a_trial(papers=with_instead(report("design", result="failed", signed_by=[]))))

        assert found.values["problems"] == [
            "verification_failed",
            "verification_report_unsigned",
            "verification_report_missing",
        ]


class TestRightRevision:
    def test_refuses_a_batch_that_bears_the_revision_but_is_older_than_it(self) -> None:
        found = judged("G3.3", a_trial(batches=(a_batch(), a_batch("T-1", made_on=date(2026, 2, 28)))))

        assert (found.state, found.values["older"]) == ("not_met", ["T-1"])

    def test_refuses_a_batch_since_the_freeze_that_names_no_revision(self) -> None:
        found = judged("G3.3", a_trial(batches=(a_batch(), a_batch("T-3", revision=None))))

        assert (found.state, found.values["unnamed"]) == ("not_met", ["T-3"])

    def test_takes_the_day_of_the_freeze_for_the_new_revision(self) -> None:
        named, unnamed = a_batch(made_on=FROZEN.frozen_on), a_batch("T-3", made_on=FROZEN.frozen_on, revision=None)

        assert judged("G3.3", a_trial(batches=(named,))).state == "met"
        assert judged("G3.3", a_trial(batches=(named, unnamed))).values["unnamed"] == ["T-3"]

    def test_lists_batches_of_the_old_revision_without_counting_them(self) -> None:
        found = judged("G3.3", a_trial(batches=(a_batch("T-1", revision="A", made_on=date(2026, 2, 1)), a_batch())))

        assert (found.state, found.values["not_counted"]) == ("met", ["T-1"])

    def test_misses_a_batch_of_the_frozen_revision_when_there_are_only_older_ones(self) -> None:
        found = judged("G3.3", a_trial(batches=(a_batch("T-1", revision="A"),)))

        assert (found.state, found.values["not_counted"]) == ("missing", ["T-1"])

    def test_the_latest_freeze_is_the_one_that_counts(self) -> None:
        later = RevisionRecord(label="C", frozen_on=date(2026, 5, 1))

        assert judged("G3.3", a_trial(revisions=(FROZEN, later))).state == "missing"


def yields(good: int, n: int, **facts: Any) -> BatchRecord:
    return a_batch(f"{good}/{n}", started=n, passed_first_time=good, **facts)


class TestFirstPassYield:
    def test_refuses_82_percent_because_the_point_is_too_low(self) -> None:
        found = judged("G3.4", a_trial(batches=(yields(41, 50),)))

        assert (found.state, found.code) == ("not_met", "yield_below_limit")
        assert (found.values["smallest_k"], found.suffices) == (45, "next_batch_needs")

    def test_does_not_yet_accept_19_of_20_because_its_bound_is_78_percent(self) -> None:
        found = judged("G3.4", a_trial(batches=(yields(19, 20),)))

        assert (found.state, found.code) == ("not_enough_evidence", "yield_bound_too_low")
        assert found.values["bound"] == pytest.approx(0.784, abs=5e-4)
        assert (found.values["smallest_k"], found.values["flawless_units"]) == (20, 14)

    def test_says_that_ten_units_can_never_suffice_but_fourteen_flawless_ones_can(self) -> None:
        found = judged("G3.4", a_trial(batches=(yields(10, 10),)))

        assert (found.state, found.suffices) == ("not_enough_evidence", "larger_batch_needed")
        assert judged("G3.4", a_trial(batches=(yields(14, 14),))).state == "met"

    def test_accepts_45_of_50_at_both_limits(self) -> None:
        assert judged("G3.4", a_trial(batches=(yields(45, 50),))).state == "met"
        assert judged("G3.4", a_trial(batches=(yields(44, 50),))).state == "not_met"

    def test_judges_the_newest_closed_batch_and_shows_the_others(self) -> None:
        first, second = yields(50, 50, made_on=date(2026, 4, 1)), yields(40, 50, made_on=date(2026, 4, 9))
        running = yields(60, 60, made_on=date(2026, 5, 1), is_closed=False)

        found = judged("G3.4", a_trial(batches=(second, running, first)))

        assert (found.state, found.values["batch"]) == ("not_met", "40/50")
        assert found.values["earlier"] == [{"batch": "50/50", "k": 50, "n": 50}]
        assert found.values["open"] == ["60/60"]

    def test_never_judges_an_open_batch(self) -> None:
        found = judged("G3.4", a_trial(batches=(a_batch(is_closed=False),)))

        assert (found.state, found.values["open"]) == ("missing", ["T-2"])

    def test_judges_a_batch_without_a_single_good_unit(self) -> None:
        found = judged("G3.4", a_trial(batches=(yields(0, 50),)))

        assert (found.code, found.values["bound"]) == ("yield_below_limit", 0)

    @pytest.mark.parametrize(("good", "n"), [(0, 0), (6, 5), (-1, 5)])
    def test_does_not_judge_impossible_figures(self, good: int, n: int) -> None:
        assert judged("G3.4", a_trial(batches=(yields(good, n),))).code == "batch_without_figures"

    def test_judges_the_production_run_by_its_own_limits(self) -> None:
        production = {"batch": "production_run", "point": 0.95, "bound": 0.92}
        run = yields(190, 200, kind=BatchKind.PRODUCTION_RUN)

        assert judged("G3.4", a_trial(batches=(run,)), **production).state == "not_enough_evidence"
        assert judged("G3.4", a_trial(batches=(a_batch(),)), **production).state == "missing"


def bores(*values: float, **facts: Any) -> BatchRecord:
    return a_batch(measurements={"bore": tuple((value,) for value in values)}, **facts)


class TestCapability:
    def bore(self, batches: tuple[BatchRecord, ...], **changes: Any) -> Any:
        parameters = changes.pop("parameters", {})
        trial = a_trial(characteristics=(replace(BORE, **changes),), batches=batches)
        return judged("G3.5", trial, **parameters)

    def measured(self, sigma: float, n: int = 40) -> tuple[BatchRecord, ...]:
        return (a_batch(measurements={"bore": scatter(10.0, sigma, n)}),)

    def test_refuses_a_critical_characteristic_that_would_do_as_an_ordinary_one(self) -> None:
        batches = self.measured(0.022)

        critical, ordinary = self.bore(batches), self.bore(batches, is_critical=False)

        assert (critical.state, critical.code) == ("not_met", "capability_below_limit")
        assert 1.33 <= critical.values["index"] < 1.67
        assert ordinary.state == "met"
        assert ordinary.values["bound"] < ordinary.values["index"]

    def test_judges_by_the_bound_where_the_pack_says_so(self) -> None:
        batches = self.measured(0.022)

        found = self.bore(batches, is_critical=False, parameters={"judge_on": "bound"})

        assert (found.state, found.code) == ("not_enough_evidence", "capability_bound_too_low")
        assert found.suffices == "index_needed_for_bound"
        assert found.values["index_needed"] > found.values["index"]

    def test_accepts_an_index_and_a_bound_exactly_at_the_limit(self) -> None:
        batches = self.measured(0.022)
        shown = self.bore(batches).values

        assert self.bore(batches, parameters={"ppk_critical": shown["index"]}).state == "met"
        at_bound = {"ppk_critical": shown["bound"], "judge_on": "bound"}
        assert self.bore(batches, parameters=at_bound).state == "met"

    def test_refuses_a_pack_that_judges_on_something_else(self) -> None:
        with pytest.raises(KeyError):
            judged("G3.5", a_trial(), judge_on="feeling")

    def test_is_not_judgeable_on_29_values_however_good(self) -> None:
        found = self.bore(self.measured(0.001, 29))

        assert (found.state, found.code) == ("not_enough_evidence", "capability_too_few_values")
        assert (found.values["values_needed"], "index" in found.values) == (1, False)

    def test_is_not_judgeable_on_an_unstable_chart_however_good(self) -> None:
        calm = [value for (value,) in scatter(10.0, 0.001, 40)]

        found = self.bore((bores(*calm, 10.01),))

        assert (found.state, found.code) == ("not_enough_evidence", "capability_unstable")
        assert 41 in found.values["beyond"]
        assert "index" not in found.values

    def test_finds_the_unstable_chart_before_it_counts_the_values(self) -> None:
        calm = [value for (value,) in scatter(10.0, 0.001, 15)]

        assert self.bore((bores(*calm, 10.01),)).code == "capability_unstable"

    @pytest.mark.parametrize(
        "unfit", [study("G-7", grr=0.31), study("G-7", ndc=4), study("G-7", studied_on="2025-05-31"), study("other")]
    )
    def test_asks_for_the_gauge_before_it_looks_at_the_values(self, unfit: Any) -> None:
        drifting = bores(*(10 + i / 1000 for i in range(40)))

        found = judged("G3.5", a_trial(papers=with_instead(unfit), characteristics=(BORE,), batches=(drifting,)))

        assert (found.state, found.code) == ("not_enough_evidence", "capability_gauge_not_fit")

    def test_asks_for_the_revision_before_anything_else(self) -> None:
        assert judged("G3.5", a_trial(revisions=(), papers=())).code == "no_frozen_revision"

    def test_takes_whole_earlier_batches_until_the_values_suffice(self) -> None:
        values = scatter(10.0, 0.015, 45)
        batches = tuple(
            a_batch(f"T-{i}", made_on=date(2026, 4, i + 1), measurements={"bore": values[i * 15 : i * 15 + 15]})
            for i in range(3)
        )

        found = self.bore(batches)

        assert (found.state, found.values["n"]) == ("met", 30)

    def test_does_not_bridge_a_batch_that_was_not_measured(self) -> None:
        first, last = self.measured(0.015)[0], bores(*(v for (v,) in scatter(10.0, 0.015, 5)), made_on=date(2026, 4, 9))
        between = a_batch("T-3", made_on=date(2026, 4, 5), measurements={})

        assert self.bore((first, between, last)).values["n"] == 5

    @pytest.mark.parametrize(
        ("groups", "code"),
        [
            ((), "capability_not_measured"),
            (((10.0,),), "capability_too_few_values"),
            (((10.0,),) * 30, "capability_no_variation"),
            (((10.0, 10.1), (10.0,)) * 20, "capability_subgroups_uneven"),
            (((10.0,) * 7,) * 10, "capability_subgroup_size"),
            (((10.0,), (nan,)) * 20, "capability_values_not_finite"),
        ],
    )
    def test_judges_no_values_that_no_chart_can_be_drawn_from(
        self, groups: tuple[tuple[float, ...], ...], code: str
    ) -> None:
        found = self.bore((a_batch(measurements={"bore": groups}),))

        assert (found.code, found.state in {"missing", "not_enough_evidence"}) == (code, True)

    def test_does_not_judge_a_characteristic_without_limits(self) -> None:
        assert self.bore(self.measured(0.01), lower=None, upper=None).code == "capability_no_limits"

    def test_judges_one_sided_limits_by_their_side(self) -> None:
        found = judged("G3.5", a_trial(characteristics=(WEIGHT,)))

        assert (found.state, found.values["cp"]) == ("met", None)
        assert self.bore(self.measured(0.01), upper=None).state == "met"

    def test_lets_the_worst_characteristic_speak_and_lists_all(self) -> None:
        batch = a_batch(measurements={"bore": scatter(10.0, 0.05, 40), "weight": scatter(500, 4, 10)})

        found = judged("G3.5", a_trial(batches=(batch,)))

        assert (found.state, found.values["characteristic"]) == ("not_met", "bore")
        assert [one["code"] for one in found.values["characteristics"]] == [
            "capability_below_limit",
            "capability_too_few_values",
        ]


class TestMeasurementSystem:
    @pytest.mark.parametrize(("values", "finding"), [({"grr": 0.10}, "good"), ({"grr": 0.30, "ndc": 5}, "conditional")])
    def test_accepts_and_grades_a_gauge_at_its_limits(self, values: dict[str, Any], finding: str) -> None:
        found = judged("G3.6", a_trial(papers=with_instead(study("G-7", **values), study("G-8"))))

        assert (found.state, found.values["gauges"][0]["finding"]) == ("met", finding)

    @pytest.mark.parametrize("values", [{"grr": 0.301}, {"ndc": 4}])
    def test_refuses_an_unfit_gauge(self, values: dict[str, Any]) -> None:
        found = judged("G3.6", a_trial(papers=with_instead(study("G-7", **values), study("G-8"))))

        assert (found.state, found.code, found.values["unfit"]) == ("not_met", "gauge_unfit", ["G-7"])

    def test_a_study_of_exactly_twelve_months_is_valid_and_a_day_later_it_is_not(self) -> None:
        last_day = with_instead(study("G-7", studied_on="2025-06-01"), study("G-8"))
        too_old = with_instead(study("G-7", studied_on="2025-05-31"), study("G-8"))

        assert judged("G3.6", a_trial(papers=last_day)).state == "met"
        assert judged("G3.6", a_trial(papers=too_old)).code == "gauge_study_expired"

    @pytest.mark.parametrize("values", [{"grr": None}, {"ndc": True}, {"studied_on": "2026-06-02"}, {"grr": -0.1}])
    def test_takes_an_unreadable_or_future_study_for_none(self, values: dict[str, Any]) -> None:
        found = judged("G3.6", a_trial(papers=with_instead(study("G-7", **values), study("G-8"))))

        assert (found.state, found.values["not_studied"]) == ("missing", ["G-7"])

    def test_the_newest_study_of_a_gauge_counts(self) -> None:
        worse = study("G-7", grr=0.5, studied_on="2026-03-01")

        for papers in (worse, study("G-7"), study("G-8")), (study("G-7"), worse, study("G-8")):
            assert judged("G3.6", a_trial(papers=with_instead(*papers))).state == "not_met"

    def test_accepts_a_study_of_today_that_found_no_spread_at_all(self) -> None:
        papers = with_instead(study("G-7", grr=0, studied_on="2026-06-01"), study("G-8"))

        assert judged("G3.6", a_trial(papers=papers)).state == "met"

    def test_misses_the_gauge_of_a_characteristic(self) -> None:
        found = judged("G3.6", a_trial(characteristics=(replace(BORE, gauge=None),)))

        assert (found.state, found.values["without_gauge"]) == ("missing", ["bore"])


class TestReliability:
    def after(self, n: Any, failures: Any, **agreed: Any) -> Any:
        test = evidence("reliability_test", units_tested=n, failures=failures)
        contract = evidence("task_contract", **agreed)
        return judged("G3.7", a_trial(papers=(test, contract)))

    def test_says_how_many_more_units_must_survive(self) -> None:
        found = self.after(20, 0)

        assert (found.state, found.values["units_needed"]) == ("not_enough_evidence", 2)

    def test_judges_a_test_with_failures_by_its_bound(self) -> None:
        assert self.after(38, 1).state == "met"
        assert self.after(37, 1).state == "not_enough_evidence"
        assert self.after(10, 3).state == "not_met"

    def test_an_agreement_may_ask_for_more_but_never_for_less(self) -> None:
        assert self.after(22, 0, agreed_reliability=0.95).values["needed"] == 45
        assert self.after(22, 0, agreed_reliability=0.5, agreed_confidence=0.5).values["needed"] == 22

    @pytest.mark.parametrize(("n", "failures"), [(0, 0), (5, 6), (None, 0), (22, None), (22.5, 0)])
    def test_does_not_judge_a_test_without_figures(self, n: Any, failures: Any) -> None:
        found = self.after(n, failures)

        assert (found.state, found.code) == ("missing", "reliability_test_without_figures")


class TestIssuesClosed:
    @pytest.mark.parametrize(
        ("severity", "facts", "state"),
        [
            (1, {}, "not_met"),
            (1, {"closed_on": date(2026, 5, 1)}, "met"),
            (2, {"owner": "Li", "due_on": date(2026, 7, 1)}, "met"),
            (2, {"owner": "Li"}, "not_met"),
            (2, {"due_on": date(2026, 7, 1)}, "not_met"),
            (3, {}, "met"),
        ],
    )
    def test_looks_at_severity_owner_and_date(self, severity: int, facts: dict[str, Any], state: str) -> None:
        issue = a_finding(FindingKind.ISSUE, severity, **facts)

        assert judged("G3.9", a_trial(findings=(issue,))).state == state

    def test_misses_the_log_even_when_no_issue_is_registered(self) -> None:
        assert judged("G3.9", a_trial(papers=without("deviation_8d_log"))).code == "log_missing"

    def test_tells_an_open_major_issue_before_the_missing_log(self) -> None:
        found = judged("G3.9", a_trial(papers=(), findings=(a_finding(FindingKind.ISSUE, 1),)))

        assert found.values["problems"] == ["major_issue_open", "log_missing"]


class TestEhsClear:
    CLOSED = date(2026, 4, 20)

    def test_a_major_event_in_the_stage_counts_even_when_closed(self) -> None:
        event = a_finding(FindingKind.INCIDENT, 1, closed_on=self.CLOSED)

        found = judged("G3.10", a_trial(findings=(event,)))

        assert (found.state, found.code) == ("not_met", "major_ehs_event")

    def test_a_major_event_is_behind_after_the_restart(self) -> None:
        event = a_finding(FindingKind.INCIDENT, 1, closed_on=self.CLOSED)

        assert judged("G3.10", a_trial(findings=(event,), last_restart_on=date(2026, 4, 25))).state == "met"
        assert judged("G3.10", a_trial(findings=(event,), last_restart_on=date(2026, 4, 1))).state == "not_met"

    def test_an_event_of_the_restart_day_counts_while_it_is_open(self) -> None:
        day = date(2026, 4, 10)
        still_open = a_finding(FindingKind.INCIDENT, 1)

        assert judged("G3.10", a_trial(findings=(still_open,), last_restart_on=day)).code == "major_ehs_event"
        closed = replace(still_open, closed_on=day)
        assert judged("G3.10", a_trial(findings=(closed,), last_restart_on=day)).state == "met"

    def test_an_event_before_the_stage_does_not_count_once_it_is_closed(self) -> None:
        before = a_finding(FindingKind.INCIDENT, 1, opened_on=date(2026, 1, 9), closed_on=date(2026, 1, 20))

        assert judged("G3.10", a_trial(findings=(before,))).state == "met"

    def test_an_event_on_the_first_day_of_the_stage_counts(self) -> None:
        first_day = a_finding(FindingKind.INCIDENT, 1, opened_on=date(2026, 1, 10), closed_on=date(2026, 1, 20))

        assert judged("G3.10", a_trial(findings=(first_day,))).state == "not_met"

    def test_a_minor_event_must_be_closed(self) -> None:
        minor = a_finding(FindingKind.INCIDENT, 3)

        assert judged("G3.10", a_trial(findings=(minor,))).code == "ehs_event_open"
        assert judged("G3.10", a_trial(findings=(replace(minor, closed_on=self.CLOSED),))).state == "met"

    def test_misses_the_log_although_nothing_happened(self) -> None:
        assert judged("G3.10", a_trial(papers=without("ehs_log"))).state == "missing"


class TestControlPlan:
    def test_refuses_a_plan_without_one_of_the_characteristics(self) -> None:
        plan = evidence("prelaunch_control_plan", characteristics=["bore"])

        found = judged("G3.12", a_trial(papers=with_instead(plan)))

        assert (found.state, found.values["unplanned"]) == ("not_met", ["weight"])

    @pytest.mark.parametrize("absent", ["pfmea", "prelaunch_control_plan"])
    def test_misses_either_document(self, absent: str) -> None:
        found = judged("G3.12", a_trial(papers=without(absent)))

        assert (found.state, found.values["absent"]) == ("missing", [absent])

    def test_does_not_call_a_plan_complete_while_no_characteristic_is_registered(self) -> None:
        assert judged("G3.12", a_trial(characteristics=())).code == "characteristics_missing"


class TestOutsideTest:
    @pytest.mark.parametrize(
        ("papers", "code"),
        [
            ([outside_report(revision="A")], "outside_test_of_other_revision"),
            ([outside_report(issued_on="2025-05-31")], "outside_test_too_old"),
            ([outside_report(issued_on="2026-06-02")], "outside_test_too_old"),
            ([outside_report(issued_on="soon")], "outside_test_too_old"),
            ([outside_report(result="failed")], "outside_test_failed"),
            ([outside_report(result=None)], "outside_test_failed"),
            ([outside_report(), outside_report(report_number="CN-18", result="failed")], "outside_test_failed"),
        ],
    )
    def test_refuses(self, papers: list[Any], code: str) -> None:
        found = judged("G3.13", a_trial(papers=with_instead(*papers)))

        assert (found.state, found.code) == ("not_met", code)

    def test_accepts_a_report_of_exactly_twelve_months_beside_one_of_the_old_revision(self) -> None:
        papers = with_instead(outside_report(revision="A"), outside_report(issued_on="2025-06-01"))

        found = judged("G3.13", a_trial(papers=papers))

        assert (found.state, found.values["reports"]) == ("met", ["CN-17"])

    def test_accepts_a_report_of_today(self) -> None:
        assert judged("G3.13", a_trial(papers=with_instead(outside_report(issued_on="2026-06-01")))).state == "met"


class TestDeviationsDisposed:
    @pytest.mark.parametrize(
        ("facts", "state"),
        [
            ({}, "not_met"),
            ({"disposition": " "}, "not_met"),
            ({"disposition": "rework"}, "met"),
            ({"closed_on": date(2026, 5, 1)}, "met"),
        ],
    )
    def test_asks_each_open_deviation_for_its_disposition(self, facts: dict[str, Any], state: str) -> None:
        deviation = a_finding(FindingKind.DEVIATION, 2, **facts)

        assert judged("G3.14", a_trial(findings=(deviation,))).state == state

    def test_misses_the_log_although_no_deviation_is_registered(self) -> None:
        assert judged("G3.14", a_trial(papers=without("deviation_8d_log"))).state == "missing"
