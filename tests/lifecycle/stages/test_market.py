"""Gate G4 as the standard pack states it: each criterion passing, failing, and not judged yet."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from lifecycle.stages.market import RULES as MARKET
from lifecycle.stages.maturity import RULES as MATURITY
from lifecycle.stages.maturity import THREADS
from lifecycle.stages.records import (
    BatchRecord,
    ClaimRecord,
    Computed,
    FindingRecord,
    OrderRecord,
    ScenarioRecord,
)
from models.states import BatchKind, Competence, FindingKind, GateOutcome, MaturityScale, OrderKind, Role
from tests.lifecycle.stages.facts import CUSTOMER, FIRM, PLATFORM, a_project, evidence, worded
from tests.lifecycle.stages.pack_files import stage_of

STAGE, TYPES = stage_of("market_validation")
CRITERIA = {criterion.id: criterion for criterion in STAGE.criteria}
RULES = {**MARKET, **MATURITY}


def judged(clause: str, **facts: Any) -> Computed:
    """Compute the rule of this clause with the parameters of the pack."""
    criterion = CRITERIA[clause]
    assert criterion.rule is not None
    return worded(RULES[criterion.rule](criterion, a_project(**facts)))


def a_site(site: str = "canteen", **facts: Any) -> ScenarioRecord:
    """Return a site that has done all that is asked of it."""
    plain: dict[str, Any] = {
        "site": site,
        "customer": CUSTOMER,
        "is_independent": True,
        "agreement_signed_on": date(2026, 1, 20),
        "started_on": date(2026, 2, 3),
        "ended_on": date(2026, 4, 30),
        "report_signed_on": date(2026, 5, 2),
        "units": 10,
        "unit_batches": ("T-3",),
        "failures": 0,
        "valid_until": date(2026, 12, 31),
        "is_within_limits": True,
    }
    return ScenarioRecord(**{**plain, **facts})


def sites(*names: str, **facts: Any) -> tuple[ScenarioRecord, ...]:
    return tuple(a_site(name, **facts) for name in names)


def reports(*names: str) -> tuple[Any, ...]:
    return tuple(evidence("user_report", number=number, site=name) for number, name in enumerate(names))


def a_batch(**facts: Any) -> BatchRecord:
    plain: dict[str, Any] = {
        "number": "T-3",
        "kind": BatchKind.TRIAL,
        "made_on": date(2025, 11, 3),
        "revision": "B",
        "is_closed": True,
        "started": 50,
        "passed_first_time": 49,
        "conforming": True,
    }
    return BatchRecord(**{**plain, **facts})


def an_order(**facts: Any) -> OrderRecord:
    plain: dict[str, Any] = {
        "kind": OrderKind.ORDER,
        "customer": CUSTOMER,
        "is_independent": True,
        "quantity": 20,
        "signed_on": date(2026, 4, 1),
        "paid_on": date(2026, 4, 15),
    }
    return OrderRecord(**{**plain, **facts})


def a_letter(**facts: Any) -> OrderRecord:
    return an_order(**{"kind": OrderKind.LETTER_OF_INTENT, "paid_on": None, **facts})


class TestPack:
    def test_has_the_ten_criteria_of_g4_with_their_strengths(self) -> None:
        assert [(one.id, one.strength) for one in STAGE.criteria] == [
            ("G4.1", "H"),
            ("G4.2", "C"),
            ("G4.3", "H"),
            ("G4.4", "H"),
            ("G4.5", "C"),
            ("G4.6", "C"),
            ("G4.7", "C"),
            ("G4.8", "H"),
            ("G4.9", "H"),
            ("G4.10", "C"),
        ]

    def test_lets_a_customer_vote_and_has_no_transfer_and_no_notice(self) -> None:
        assert STAGE.panel.extra_roles == (Role.CUSTOMER_REP,)
        assert GateOutcome.TRANSFER not in STAGE.outcomes
        assert STAGE.notice is None

    def test_weighs_its_factors_to_100(self) -> None:
        assert {factor.id: factor.weight for factor in STAGE.score.factors} == {
            "adoption": 25,
            "willingness_to_pay": 25,
            "reference_value": 15,
            "competition": 15,
            "channel": 20,
        }

    def test_asks_only_for_evidence_it_defines_and_for_the_claim_of_intake(self) -> None:
        asked = {name for one in STAGE.criteria for name in (*one.evidence, *one.supporting)}

        assert asked - set(TYPES) == {"maturity_claim"}

    def test_has_every_rule_it_names(self) -> None:
        assert {one.rule for one in STAGE.criteria if one.rule} == set(MARKET) | {"maturity"}


class TestUnitsInTheField:
    def test_trace_to_a_conforming_batch_of_the_frozen_revision(self) -> None:
        assert judged("G4.1", scenarios=sites("canteen"), batches=(a_batch(),)).state == "met"

    @pytest.mark.parametrize(
        ("facts", "fault"),
        [
            ({"conforming": False}, "not_conforming"),
            ({"revision": "A"}, "other_revision"),
            ({"made_on": date(2025, 8, 1)}, "other_revision"),
            ({"kind": BatchKind.PRODUCTION_RUN}, "no_trial_batch"),
            ({"number": "T-9"}, "no_trial_batch"),
        ],
        ids=["not conforming", "older revision", "older than the freeze", "no trial batch", "unknown number"],
    )
    def test_are_refused_from_any_other_batch(self, facts: dict[str, Any], fault: str) -> None:
        found = judged("G4.1", scenarios=sites("canteen"), batches=(a_batch(**facts),))

        assert (found.state, found.code) == ("not_met", "units_untraced")
        assert found.values["lacking"] == {"canteen": {"T-3": fault}}

    def test_that_name_no_batch_trace_to_none(self) -> None:
        found = judged("G4.1", scenarios=sites("canteen", unit_batches=()), batches=(a_batch(),))

        assert found.code == "units_untraced"

    def test_of_a_batch_still_open_are_not_judged_yet(self) -> None:
        found = judged("G4.1", scenarios=sites("canteen"), batches=(a_batch(is_closed=False, conforming=None),))

        assert (found.state, found.code) == ("not_enough_evidence", "units_from_open_batches")

    def test_are_missing_before_any_is_placed(self) -> None:
        assert judged("G4.1", scenarios=sites("canteen", units=0)).state == "missing"

    def test_cannot_trace_without_a_frozen_revision(self) -> None:
        found = judged("G4.1", scenarios=sites("canteen"), batches=(a_batch(),), revisions=())

        assert (found.state, found.code) == ("missing", "no_frozen_revision")


class TestReach:
    def test_needs_three_independent_sites(self) -> None:
        assert judged("G4.2", scenarios=sites("a", "b", "c")).state == "met"

    def test_counts_neither_unsigned_nor_linked_sites(self) -> None:
        unsigned, linked = a_site("b", agreement_signed_on=None), a_site("c", is_independent=False)

        found = judged("G4.2", scenarios=(a_site("a"), unsigned, linked))

        assert (found.state, found.suffices) == ("not_met", "more_sites_needed")
        assert found.values["have"] == 1
        assert found.values["more"] == 2
        assert found.values["unsigned"] == ["b"]
        assert found.values["not_independent"] == ["c"]

    @pytest.mark.parametrize("insider", [FIRM.id, PLATFORM.id, None], ids=["applicant", "platform", "unknown"])
    def test_never_counts_an_insider_whatever_was_declared(self, insider: UUID | None) -> None:
        found = judged("G4.2", scenarios=(*sites("a", "b"), a_site("c", customer=insider)))

        assert found.values["not_independent"] == ["c"]

    def test_counts_one_site_once(self) -> None:
        assert judged("G4.2", scenarios=sites("a", "a", "a")).values["have"] == 1

    def test_is_missing_without_any_site(self) -> None:
        assert judged("G4.2").state == "missing"


class TestUse:
    def test_needs_two_sites_of_thirty_days_with_a_signed_report(self) -> None:
        found = judged("G4.3", scenarios=sites("a", "b"), evidence=reports("a", "b"))

        assert (found.state, found.values["sites"]) == ("met", ["a", "b"])

    def test_counts_thirty_days_from_the_day_after_the_start(self) -> None:
        start = date(2026, 2, 3)

        def until(days: int) -> Computed:
            scenarios = sites("a", "b", ended_on=start + timedelta(days=days))
            return judged("G4.3", scenarios=scenarios, evidence=reports("a", "b"))

        assert until(30).state == "met"
        assert until(29).state == "not_met"

    def test_counts_only_days_the_report_speaks_of(self) -> None:
        early = sites("a", "b", ended_on=None, report_signed_on=date(2026, 2, 10))

        found = judged("G4.3", scenarios=early, evidence=reports("a", "b"))

        assert found.state == "not_enough_evidence"
        assert found.values["lacking"] == {"a": ["days_too_few"], "b": ["days_too_few"]}

    @pytest.mark.parametrize(
        ("facts", "lack"),
        [
            ({"report_signed_on": None}, "report_missing"),
            ({"is_within_limits": None}, "not_measured"),
            ({"valid_until": None}, "validity_unknown"),
            ({"agreement_signed_on": None}, "agreement_unsigned"),
        ],
    )
    def test_of_a_site_that_may_still_come_right_is_not_enough_evidence(self, facts: dict[str, Any], lack: str) -> None:
        found = judged("G4.3", scenarios=(a_site("a"), a_site("b", **facts)), evidence=reports("a", "b"))

        assert (found.state, found.values["lacking"]) == ("not_enough_evidence", {"b": [lack]})

    @pytest.mark.parametrize(
        ("facts", "lack"),
        [({"is_within_limits": False}, "outside_limits"), ({"valid_until": date(2026, 6, 9)}, "result_expired")],
    )
    def test_of_a_site_that_failed_or_ran_out_is_not_met(self, facts: dict[str, Any], lack: str) -> None:
        found = judged("G4.3", scenarios=(a_site("a"), a_site("b", **facts)), evidence=reports("a", "b"))

        assert (found.state, found.suffices) == ("not_met", "more_sites_needed")
        assert found.values["lacking"] == {"b": [lack]}

    def test_is_not_proven_by_a_date_without_the_report_itself(self) -> None:
        found = judged("G4.3", scenarios=sites("a", "b"), evidence=reports("a"))

        assert found.values["lacking"] == {"b": ["report_missing"]}

    def test_is_missing_before_any_site_has_started(self) -> None:
        assert judged("G4.3", scenarios=sites("a", started_on=None)).state == "missing"


class TestMoney:
    def test_needs_one_paid_order(self) -> None:
        assert judged("G4.4", orders=(an_order(),)).state == "met"

    def test_takes_a_signed_binding_order_for_money(self) -> None:
        assert judged("G4.4", orders=(an_order(paid_on=None, is_binding=True),)).state == "met"

    def test_never_counts_letters_however_many(self) -> None:
        found = judged("G4.4", orders=(a_letter(is_binding=True),) * 50)

        assert (found.state, found.code, found.values["letters"]) == ("not_met", "letters_are_no_orders", 50)

    @pytest.mark.parametrize(
        "facts",
        [
            {"paid_on": None},
            {"paid_on": None, "is_binding": True, "signed_on": None},
            {"paid_on": date(2026, 7, 1)},
            {"is_independent": False},
            {"customer": None},
            {"customer": PLATFORM.id},
        ],
        ids=["unpaid", "binding but unsigned", "paid in the future", "linked", "unknown customer", "platform"],
    )
    def test_is_refused_for_an_order_that_is(self, facts: dict[str, Any]) -> None:
        found = judged("G4.4", orders=(an_order(**facts),))

        assert (found.state, found.code, found.values["have"]) == ("not_met", "orders_too_few", 0)

    def test_of_a_cancelled_order_is_none(self) -> None:
        assert judged("G4.4", orders=(an_order(cancelled_on=date(2026, 5, 1)),)).state == "missing"

    def test_is_missing_without_any_order(self) -> None:
        assert judged("G4.4").state == "missing"


class TestDemand:
    PLAN = (evidence("launch_plan", first_lot=100),)

    def test_is_shown_by_five_signed_letters_whatever_the_lot(self) -> None:
        assert judged("G4.5", orders=(a_letter(quantity=1),) * 5).state == "met"

    def test_is_shown_by_letters_and_orders_that_fill_the_first_lot(self) -> None:
        orders = (an_order(quantity=60), a_letter(quantity=40))

        assert judged("G4.5", orders=orders, evidence=self.PLAN).state == "met"

    def test_is_too_small_one_piece_below_the_lot(self) -> None:
        found = judged("G4.5", orders=(an_order(quantity=60), a_letter(quantity=39)), evidence=self.PLAN)

        assert (found.state, found.suffices) == ("not_met", "more_quantity_or_letters_needed")
        assert (found.values["short"], found.values["more"]) == (1, 4)

    def test_cannot_be_judged_while_the_lot_is_unknown(self) -> None:
        found = judged("G4.5", orders=(an_order(quantity=500),))

        assert (found.state, found.code) == ("not_enough_evidence", "demand_lot_unknown")

    @pytest.mark.parametrize(
        "facts",
        [{"signed_on": None}, {"customer": None}, {"customer": FIRM.id}],
        ids=["unsigned", "of nobody", "of the firm itself"],
    )
    def test_does_not_count_papers_that_are(self, facts: dict[str, Any]) -> None:
        letters = (a_letter(**facts),) * 5

        assert judged("G4.5", orders=(*letters, an_order(quantity=100, **facts)), evidence=self.PLAN).state == "missing"


class TestFieldReliability:
    LOG = (evidence("failure_log", reliability_target=0.90, failures=[]),)

    def test_is_shown_by_29_units_without_failure(self) -> None:
        found = judged("G4.6", scenarios=sites("a", units=29), evidence=self.LOG)

        assert found.state == "met"
        assert found.values["bound"] == pytest.approx(0.05 ** (1 / 29))

    def test_of_28_units_without_failure_asks_for_one_more(self) -> None:
        found = judged("G4.6", scenarios=sites("a", units=28), evidence=self.LOG)

        assert (found.state, found.suffices) == ("not_enough_evidence", "more_field_units_needed")
        assert found.values["units_needed"] == 1

    def test_below_the_target_itself_is_not_met(self) -> None:
        found = judged("G4.6", scenarios=sites("a", units=29, failures=3), evidence=self.LOG)

        assert (found.state, found.code) == ("not_met", "field_reliability_below_target")

    def test_takes_the_target_of_the_contract_before_that_of_the_log(self) -> None:
        contract = evidence("task_contract", agreed_reliability=0.95)

        found = judged("G4.6", scenarios=sites("a", units=29), evidence=(*self.LOG, contract))

        assert (found.state, found.values["limit"]) == ("not_enough_evidence", 0.95)

    def test_leaves_out_sites_whose_failures_were_not_recorded(self) -> None:
        found = judged("G4.6", scenarios=sites("a", "b", failures=None), evidence=self.LOG)

        assert (found.state, found.code) == ("not_enough_evidence", "field_failures_not_recorded")

    def test_is_missing_without_a_target(self) -> None:
        assert judged("G4.6", scenarios=sites("a")).state == "missing"


class TestCertification:
    def certificates(self, *rows: dict[str, Any]) -> Computed:
        form = evidence("certification_file", launch_on="2026-12-01", certificates=list(rows))
        return judged("G4.7", evidence=(form,))

    def test_is_there_when_each_is_held_or_planned_before_launch(self) -> None:
        found = self.certificates(
            {"name": "CCC", "number": "2026-1", "valid_until": "2026-06-10"},
            {"name": "GB 4706", "planned_on": "2026-11-30", "test_plan": "TP-7"},
        )

        assert found.state == "met"
        assert found.values == {"held": ["CCC"], "planned": ["GB 4706"]}

    @pytest.mark.parametrize(
        "row",
        [
            {"number": "2025-1", "valid_until": "2026-06-09"},
            {"planned_on": "2026-12-01", "test_plan": "TP-7"},
            {"planned_on": "2026-11-30"},
            {"planned_on": "2026-06-09", "test_plan": "TP-7"},
            {},
        ],
        ids=["expired", "planned on launch day", "without test plan", "planned day passed", "neither"],
    )
    def test_is_open_for_a_certificate_that_is(self, row: dict[str, Any]) -> None:
        found = self.certificates({"name": "CCC", **row})

        assert (found.state, found.values["certificates"]) == ("not_met", ["CCC"])

    def test_is_open_for_one_whose_name_another_row_has_too(self) -> None:
        found = self.certificates({"name": "CCC"}, {"name": "CCC", "number": "2026-1"})

        assert (found.state, found.values["certificates"], found.values["held"]) == ("not_met", ["CCC"], ["CCC"])

    def test_is_met_when_the_list_says_there_are_none(self) -> None:
        assert self.certificates().state == "met"

    def test_is_missing_when_there_is_no_list(self) -> None:
        assert judged("G4.7").state == "missing"


class TestSafety:
    COMPLAINT = FindingRecord(kind=FindingKind.SAFETY_COMPLAINT, severity=3, opened_on=date(2026, 5, 1))

    def test_is_met_when_each_complaint_is_closed(self) -> None:
        closed = replace(self.COMPLAINT, closed_on=date(2026, 5, 9))

        assert judged("G4.8", findings=(closed,)).state == "met"

    def test_is_not_met_with_one_open_of_any_severity(self) -> None:
        found = judged("G4.8", findings=(self.COMPLAINT,))

        assert (found.state, found.values) == ("not_met", {"n": 1, "since": "2026-05-01"})

    def test_is_not_touched_by_an_open_issue_of_another_kind(self) -> None:
        assert judged("G4.8", findings=(replace(self.COMPLAINT, kind=FindingKind.ISSUE),)).state == "met"


class TestMaturity:
    def claims(self, trl: int, mrl: int, *, threads: int = 9) -> Computed:
        paper = evidence("maturity_claim")
        technology = ClaimRecord(scale=MaturityScale.TRL, item="oven", level=trl, evidence=paper.id)
        lines = tuple(
            ClaimRecord(scale=MaturityScale.MRL, item=item, level=mrl, evidence=paper.id) for item in THREADS[:threads]
        )
        return judged("G4.9", claims=(technology, *lines), evidence=(paper,))

    def test_needs_trl_8_and_mrl_7(self) -> None:
        assert self.claims(8, 7).state == "met"

    @pytest.mark.parametrize(("trl", "mrl"), [(7, 7), (8, 6)])
    def test_is_not_met_one_level_below(self, trl: int, mrl: int) -> None:
        assert self.claims(trl, mrl).state == "not_met"

    def test_is_not_proven_while_a_thread_is_not_claimed(self) -> None:
        assert self.claims(8, 7, threads=8).state == "not_enough_evidence"


class TestBusiness:
    def test_is_accepted_by_a_market_and_a_finance_expert_on_three_papers(self) -> None:
        criterion = CRITERIA["G4.10"]

        assert criterion.rule is None
        assert criterion.evidence == ("price_test", "launch_plan", "business_case")
        assert [(one.role, one.competence) for one in criterion.judges] == [
            (Role.EXPERT, Competence.MARKET),
            (Role.EXPERT, Competence.FINANCE),
        ]


def test_no_rule_is_met_by_a_project_without_records() -> None:
    """Safety alone is met by silence: no complaint is what is asked for."""
    states = {one.id: judged(one.id).state for one in STAGE.criteria if one.rule and one.id != "G4.8"}

    assert set(states.values()) == {"missing"}
