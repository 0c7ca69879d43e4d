"""Each criterion of gate G2 as it stands in the default pack: met, and every way in which it is not."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.stages.records import NoticeRecord, Records
from tests.lifecycle.stages.first_stages import (
    ARRIVED,
    FORMS,
    RULES,
    TODAY,
    a_paper,
    clause,
    good_firm,
    judged,
    with_papers,
    with_values,
    without,
)

COMPUTED = ["G2.1", "G2.2", "G2.3", "G2.4", "G2.5", "G2.6", "G2.7", "G2.8", "G2.9", "G2.12"]


@pytest.mark.parametrize("number", COMPUTED)
def test_the_good_firm_meets(number: str) -> None:
    assert judged(number, good_firm()).state == "met"


@pytest.mark.parametrize("number", COMPUTED)
def test_a_firm_of_which_nothing_is_known_does_not_meet(number: str) -> None:
    firm = good_firm()
    unknown = Records(
        project_id=firm.project_id,
        stage=firm.stage,
        today=TODAY,
        stage_started_on=ARRIVED,
        received_on=None,
        applicant=firm.applicant,
    )

    assert judged(number, unknown).state == "missing"


class TestOwnMoney:
    @pytest.mark.parametrize(
        ("proven", "planned", "state"),
        [
            (90_000_000, 90_000_000, "met"),
            (89_999_999, 90_000_000, "not_enough_evidence"),
            (89_999_999, 89_999_999, "not_met"),
            (90_000_000, 0, "met"),
            (90_000_000.0, 90_000_000, "not_enough_evidence"),
        ],
    )
    def test_needs_30_percent_proven_to_the_fen(self, proven: float, planned: int, state: str) -> None:
        budget = {**FORMS["budget"], "sources": [{"source": "own", "amount_minor": planned}]}
        proof = {**FORMS["own_money_proof"], "amount_minor": proven}

        found = judged("G2.2", with_papers(a_paper("budget", values=budget), a_paper("own_money_proof", values=proof)))

        assert found.state == state

    def test_adds_up_the_valid_proofs_in_the_currency_of_the_budget(self) -> None:
        def proof(amount: int, currency: str = "CNY", valid_until: date | None = None) -> Any:
            values = {"amount_minor": amount, "currency": currency}
            return a_paper("own_money_proof", values=values, valid_until=valid_until)

        yesterday = TODAY - timedelta(days=1)
        papers = (
            proof(60_000_000),
            proof(20_000_000),
            proof(9_000_000, "EUR"),
            proof(9_000_000, valid_until=yesterday),
        )

        found = judged("G2.2", with_papers(*papers))

        assert found.code == "own_money_not_proven"
        assert found.values["point"] == 80_000_000 / 300_000_000

    @pytest.mark.parametrize("eligible", [None, 0, -1])
    def test_misses_the_eligible_cost(self, eligible: int | None) -> None:
        assert judged("G2.2", with_values("budget", eligible_minor=eligible)).state == "missing"


class TestRisksOwned:
    @pytest.mark.parametrize("absent", ["owner", "measure", "due_on"])
    def test_refuses_a_high_risk_that_nobody_carries(self, absent: str) -> None:
        risk = {**FORMS["risk_register"]["risks"][0], absent: " "}

        found = judged("G2.3", with_values("risk_register", risks=[risk]))

        assert (found.code, found.values["risks"]) == ("high_risk_not_owned", ["主控板过热"])

    def test_lets_a_closed_risk_be(self) -> None:
        assert (
            judged("G2.3", with_values("risk_register", risks=[{"grade": "high", "status": "closed"}])).state == "met"
        )

    @pytest.mark.parametrize(
        ("risks", "code"), [([], "risk_register_empty"), ([{"risk": "?", "grade": ""}], "risk_without_grade")]
    )
    def test_has_not_enough_to_judge(self, risks: list[Any], code: str) -> None:
        found = judged("G2.3", with_values("risk_register", risks=risks))

        assert (found.state, found.code) == ("not_enough_evidence", code)


class TestScaleUpStep:
    @pytest.mark.parametrize(
        ("planned", "profile", "state"),
        [
            (200, "general", "met"),
            (201, "general", "not_met"),
            (2000, "fine_chemicals", "met"),
            (2001, "fine_chemicals", "not_met"),
            (201, "unheard of", "not_met"),
        ],
    )
    def test_compares_with_the_ratio_of_the_profile(self, planned: float, profile: str, state: str) -> None:
        firm = replace(with_values("schedule", planned_batch_size=planned), profiles={"scale_up": profile})

        assert judged("G2.4", firm).state == state

    def test_is_exact_for_batches_that_are_no_whole_number(self) -> None:
        """0.07 x 100 is 7.000000000000001 in floats."""
        assert judged("G2.4", with_values("schedule", planned_batch_size=7.0, proven_batch_size=0.07)).state == "met"

    @pytest.mark.parametrize(
        ("ends_on", "state"),
        [("2025-10-12", "met"), ("2025-10-13", "not_enough_evidence"), (None, "not_enough_evidence")],
    )
    def test_takes_an_intermediate_step_that_lies_before_the_first_batch(self, ends_on: str | None, state: str) -> None:
        step = {"kind": "intermediate_demonstration", "ends_on": ends_on}

        assert judged("G2.4", with_values("schedule", planned_batch_size=5000, steps=[step])).state == state

    def test_says_what_would_suffice(self) -> None:
        assert judged("G2.4", with_values("schedule", planned_batch_size=5000)).suffices == "intermediate_step_needed"

    @pytest.mark.parametrize("size", [None, 0, -5, True, float("inf"), "200"])
    def test_misses_a_size_that_is_none(self, size: object) -> None:
        assert judged("G2.4", with_values("schedule", proven_batch_size=size)).state == "missing"


class TestUnitCost:
    def test_allows_exactly_120_percent(self) -> None:
        assert judged("G2.5", with_values("bom_target_cost", target_minor=450_000, cost_minor=540_000)).state == "met"

    def test_refuses_one_fen_more(self) -> None:
        found = judged("G2.5", with_values("bom_target_cost", target_minor=450_000, cost_minor=540_001))

        assert (found.code, found.values["point"]) == ("unit_cost_too_high", 540_001 / 450_000)

    @pytest.mark.parametrize("changes", [{"target_minor": 0}, {"cost_minor": None}, {"cost_minor": 4500.5}])
    def test_misses_a_figure(self, changes: dict[str, Any]) -> None:
        assert judged("G2.5", with_values("bom_target_cost", **changes)).state == "missing"

    def test_reads_the_form_that_its_clause_names_first(self) -> None:
        """G3.8 asks the same of the actual cost, in another form and with another ratio."""
        actual = clause("G2.5").model_copy(update={"evidence": ("cost_rollup",), "parameters": {"ratio": 1.10}})
        paper = a_paper("cost_rollup", values={"target_minor": 100, "cost_minor": 111})

        found = RULES["unit_cost"](actual, with_papers(paper))

        assert (found.state, found.values["limit"]) == ("not_met", 1.10)


class TestCapacityBooked:
    @pytest.mark.parametrize(
        ("changes", "state", "code"),
        [
            ({"status": "requested"}, "not_enough_evidence", "booking_not_confirmed"),
            ({"status": "cancelled"}, "not_met", "equipment_not_booked"),
            ({"equipment": ["SMT line"]}, "not_met", "equipment_not_booked"),
            ({"starts_on": "2025-10-14"}, "missing", "booking_missing"),
            ({"operator": ""}, "not_enough_evidence", "operator_not_named"),
            ({"operator_qualified_until": "2025-10-12"}, "not_met", "operator_not_qualified"),
            ({"operator_qualified_until": None}, "not_enough_evidence", "operator_not_named"),
        ],
    )
    def test_needs_everything_confirmed_for_that_day(self, changes: dict[str, Any], state: str, code: str) -> None:
        found = judged("G2.6", with_values("booking", **changes))

        assert (found.state, found.code) == (state, code)

    def test_joins_several_bookings(self) -> None:
        each = ({**FORMS["booking"], "equipment": [name]} for name in ("SMT line", "burn-in rack"))

        assert judged("G2.6", with_papers(*(a_paper("booking", values=values) for values in each))).state == "met"

    def test_misses_the_plan(self) -> None:
        assert judged("G2.6", with_values("schedule", first_batch_equipment=[])).code == "first_batch_not_planned"


class TestValidationMatrix:
    def test_names_the_verification_without_a_test(self) -> None:
        found = judged("G2.7", with_values("validation_matrix", tests=FORMS["validation_matrix"]["tests"][:1]))

        assert (found.state, found.values["without_test"]) == ("not_met", ["process"])

    @pytest.mark.parametrize("gap", [{"method": ""}, {"sample_size": 0}, {"acceptance_limit": None}, {"laboratory": 7}])
    def test_has_not_enough_with_a_test_half_described(self, gap: dict[str, Any]) -> None:
        first, second = FORMS["validation_matrix"]["tests"]

        found = judged("G2.7", with_values("validation_matrix", tests=[first, {**second, **gap}]))

        assert (found.state, found.values["incomplete"]) == ("not_enough_evidence", ["process"])

    def test_misses_the_need(self) -> None:
        assert judged("G2.7", without("need_form")).code == "need_not_stated"


class TestPermitsDated:
    @pytest.mark.parametrize(
        ("permit", "state", "code"),
        [
            ({"expected_on": "2025-10-13"}, "not_met", "permit_too_late"),
            ({"granted_on": "2025-06-01", "expected_on": "2026-01-01"}, "met", "met"),
            ({}, "not_enough_evidence", "permit_undated"),
            ({"is_needed": False}, "missing", "permits_not_listed"),
        ],
    )
    def test_compares_with_the_first_batch(self, permit: dict[str, Any], state: str, code: str) -> None:
        found = judged("G2.8", with_values("ehs_permit_plan", permits=[{"permit": "排污许可", **permit}]))

        assert (found.state, found.code) == (state, code)

    def test_needs_no_permit_only_when_the_plan_says_so(self) -> None:
        assert judged("G2.8", with_values("ehs_permit_plan", permits=[], needs_permits=False)).state == "met"
        assert judged("G2.8", with_values("ehs_permit_plan", permits=[], needs_permits=None)).state == "missing"

    def test_misses_the_day_of_the_first_batch(self) -> None:
        assert judged("G2.8", without("schedule")).code == "first_batch_undated"


class TestBudgetBalanced:
    def test_finds_one_fen(self) -> None:
        found = judged("G2.9", with_values("budget", total_minor=300_000_001))

        assert found.values["problems"] == ["categories_do_not_add_up", "sources_do_not_add_up"]
        assert (found.state, found.values["categories_minor"]) == ("not_met", 300_000_000)

    @pytest.mark.parametrize(("own", "grant", "state"), [(90, 210, "met"), (89, 211, "not_met")])
    def test_limits_the_grant_to_70_percent(self, own: int, grant: int, state: str) -> None:
        sources = [{"source": "grant", "amount_minor": grant}, {"source": "own", "amount_minor": own}]
        categories = [{"category": "testing", "expense": "running", "amount_minor": 300}]

        found = judged(
            "G2.9",
            with_values("budget", total_minor=300, eligible_minor=300, sources=sources, categories=categories),
        )

        assert found.state == state

    @pytest.mark.parametrize(
        ("row", "code"),
        [
            ({"category": "fines"}, "ineligible_category"),
            ({"category": "recoverable_vat"}, "ineligible_category"),
            ({"expense": None}, "expense_kind_missing"),
            ({"amount_minor": 120_000_000.0}, "amount_not_whole"),
            ({"amount_minor": -1}, "amount_not_whole"),
        ],
    )
    def test_refuses_a_category(self, row: dict[str, Any], code: str) -> None:
        first, second = FORMS["budget"]["categories"]

        found = judged("G2.9", with_values("budget", categories=[first, {**second, **row}]))

        assert (found.state, code in found.values["problems"]) == ("not_met", True)

    def test_refuses_more_eligible_cost_than_cost(self) -> None:
        assert judged("G2.9", with_values("budget", eligible_minor=300_000_001)).code == "eligible_over_total"

    @pytest.mark.parametrize("absent", ["total_minor", "eligible_minor", "categories", "sources"])
    def test_misses_a_part(self, absent: str) -> None:
        assert judged("G2.9", with_values("budget", **{absent: None})).code == "budget_figures_missing"


class TestPublicNotice:
    @pytest.mark.parametrize(
        ("changes", "state", "code"),
        [
            ({"ends_on": TODAY}, "not_enough_evidence", "notice_running"),
            ({"open_objections": 1}, "not_enough_evidence", "objection_open"),
            ({"upheld_objections": 1}, "not_met", "objection_upheld"),
            ({"gate": "G5"}, "missing", "notice_not_started"),
        ],
    )
    def test_waits_for_the_end_and_for_objections(self, changes: dict[str, Any], state: str, code: str) -> None:
        (notice,) = good_firm().notices

        found = judged("G2.12", replace(good_firm(), notices=(replace(notice, **changes),)))

        assert (found.state, found.code) == (state, code)

    def test_counts_the_newest_notice(self) -> None:
        again = NoticeRecord(gate="G2", starts_on=date(2025, 7, 15), ends_on=date(2025, 7, 21))

        assert judged("G2.12", replace(good_firm(), notices=(again, *good_firm().notices))).code == "notice_running"


def test_ownership_clause_is_agreed_by_both_parties() -> None:
    assert [judge.party for judge in clause("G2.10").judges] == ["sme", "platform"]


def test_feasibility_is_accepted_by_three_competences() -> None:
    assert [judge.competence for judge in clause("G2.11").judges] == ["technical", "market", "finance"]
