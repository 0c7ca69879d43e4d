"""Gate G5 as the standard pack states it: each criterion passing, failing, and not judged yet."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from lifecycle.stages import handoff, maturity, trial
from lifecycle.stages.records import (
    BatchRecord,
    CharacteristicRecord,
    ClaimRecord,
    Computed,
    ConditionRecord,
    EvidenceRecord,
    FindingRecord,
    NoticeRecord,
    WaiverRecord,
)
from lifecycle.stages.rule import Rule
from models.states import BatchKind, FindingKind, GateOutcome, MaturityScale, ProjectState, Role
from tests.lifecycle.stages.facts import TODAY, a_project, evidence, worded
from tests.lifecycle.stages.pack_files import stage_of

STAGE, TYPES = stage_of("handoff")
CRITERIA = {criterion.id: criterion for criterion in STAGE.criteria}
RULES: Mapping[str, Rule] = {**trial.RULES, **maturity.RULES, **handoff.RULES}


def judged(clause: str, **facts: Any) -> Computed:
    """Compute the rule of this clause with the parameters of the pack."""
    criterion = CRITERIA[clause]
    assert criterion.rule is not None
    return worded(RULES[criterion.rule](criterion, a_project(ProjectState.HANDOFF, **facts)))


def a_run(**facts: Any) -> BatchRecord:
    """Return a closed production run of 300 units in 6 hours, 291 of them good at once."""
    plain: dict[str, Any] = {
        "number": "P-1",
        "kind": BatchKind.PRODUCTION_RUN,
        "made_on": date(2026, 5, 11),
        "revision": "B",
        "is_closed": True,
        "started": 300,
        "passed_first_time": 291,
        "conforming": True,
        "hours": 6.0,
    }
    return BatchRecord(**{**plain, **facts})


def run_at_rate(**values: Any) -> EvidenceRecord:
    plain = {"batch": "P-1", "final_tooling_and_line": True, "planned_per_hour": 48, "good_units": 297}
    return evidence("run_at_rate", **{**plain, **values})


def consent(**values: Any) -> EvidenceRecord:
    return evidence("receiver_consent", **{"signed_on": "2026-05-20", **values})


class TestPack:
    def test_has_the_twelve_criteria_of_g5_with_their_strengths(self) -> None:
        assert "".join(one.strength for one in STAGE.criteria) == "HWCCCHCHHHHH"
        assert [one.id for one in STAGE.criteria] == [f"G5.{number}" for number in range(1, 13)]

    def test_holds_exactly_the_18_ppap_elements_in_form_and_rule(self) -> None:
        (table,) = [one for one in TYPES["ppap"].fields if one.name == "elements"]
        elements = CRITERIA["G5.2"].parameters["elements"]

        assert len(table.columns[0].choices) == 18
        assert list(table.columns[0].choices) == elements

    def test_seats_the_receiver_with_a_vote_and_the_auditor_without(self) -> None:
        assert (STAGE.panel.extra_roles, STAGE.panel.guests) == ((Role.RECEIVER_LEAD,), (Role.AUDITOR,))
        assert GateOutcome.TRANSFER not in STAGE.outcomes

    def test_shows_the_acceptance_for_seven_calendar_days(self) -> None:
        assert STAGE.notice is not None
        assert (STAGE.notice.days, STAGE.notice.unit) == (7, "calendar_days")

    def test_asks_only_for_evidence_it_defines_and_for_the_claim_of_intake(self) -> None:
        asked = {name for one in STAGE.criteria for name in (*one.evidence, *one.supporting)}

        assert asked - set(TYPES) == {"maturity_claim"}

    def test_has_every_rule_it_names(self) -> None:
        named = {one.rule for one in STAGE.criteria if one.rule}

        assert named == set(handoff.RULES) | {"first_pass_yield", "maturity"}

    def test_asks_the_signatures_and_the_notice_only_when_the_decision_becomes_final(self) -> None:
        assert [one.id for one in STAGE.criteria if one.follow_notice] == ["G5.12"]


class TestProductionRun:
    def test_of_300_units_in_6_hours_on_the_final_line_is_met(self) -> None:
        assert judged("G5.1", batches=(a_run(),), evidence=(run_at_rate(),)).state == "met"

    def test_of_299_units_asks_for_one_more(self) -> None:
        found = judged("G5.1", batches=(a_run(started=299),), evidence=(run_at_rate(),))

        assert (found.state, found.code, found.suffices) == ("not_met", "run_too_small", "longer_run_needed")
        assert found.values["more"] == 1

    @pytest.mark.parametrize(("hours", "state"), [(0.9, "not_met"), (1, "met"), (8, "met"), (8.1, "not_met")])
    def test_lasts_one_to_eight_hours(self, hours: float, state: str) -> None:
        assert judged("G5.1", batches=(a_run(hours=hours),), evidence=(run_at_rate(),)).state == state

    def test_may_be_smaller_when_the_receiver_says_so_in_writing(self) -> None:
        small = (a_run(started=120),)

        signed = judged("G5.1", batches=small, evidence=(run_at_rate(), consent(run_units=120)))
        unsigned = judged("G5.1", batches=small, evidence=(run_at_rate(), consent(run_units=120, signed_on=None)))
        future = judged("G5.1", batches=small, evidence=(run_at_rate(), consent(run_units=120, signed_on="2026-07-01")))

        assert (signed.state, signed.values["agreed"]) == ("met", True)
        assert unsigned.state == "not_met"
        assert future.state == "not_met"

    def test_must_be_larger_when_the_receiver_asks_for_more(self) -> None:
        assert judged("G5.1", batches=(a_run(),), evidence=(run_at_rate(), consent(run_units=500))).state == "not_met"

    def test_on_other_tooling_does_not_count(self) -> None:
        found = judged("G5.1", batches=(a_run(),), evidence=(run_at_rate(final_tooling_and_line=False),))

        assert found.code == "run_not_on_final_line"

    def test_is_the_latest_one_and_not_the_best_one(self) -> None:
        later = a_run(number="P-2", made_on=date(2026, 5, 20), started=100)

        found = judged("G5.1", batches=(a_run(), later), evidence=(run_at_rate(),))

        assert (found.state, found.code) == ("not_met", "run_at_rate_of_other_run")

    @pytest.mark.parametrize("facts", [{"revision": "A"}, {"made_on": date(2025, 8, 1)}, {"kind": BatchKind.TRIAL}])
    def test_of_another_design_or_kind_is_missing(self, facts: dict[str, Any]) -> None:
        assert judged("G5.1", batches=(a_run(**facts),), evidence=(run_at_rate(),)).state == "missing"

    def test_without_its_hours_is_not_judged(self) -> None:
        found = judged("G5.1", batches=(a_run(hours=None),), evidence=(run_at_rate(),))

        assert (found.state, found.code) == ("not_enough_evidence", "run_hours_unknown")


class TestProcessRuns:
    FORM = run_at_rate(batch="P-3", full_batch_size=500)

    def in_a_row(self, *sizes: float, **last: Any) -> Computed:
        runs = [
            a_run(number=f"P-{number}", made_on=date(2026, 5, number), size=size)
            for number, size in enumerate(sizes, 4 - len(sizes))
        ]
        runs[-1] = replace(runs[-1], **last)
        profiles = {"manufacture": "process"}
        return judged("G5.1", batches=tuple(runs), evidence=(self.FORM,), profiles=profiles)

    def test_are_three_full_size_batches(self) -> None:
        assert self.in_a_row(500, 520, 500).state == "met"

    def test_are_too_few_when_two_were_made(self) -> None:
        found = self.in_a_row(500, 500)

        assert (found.state, found.values["more"]) == ("not_enough_evidence", 1)

    def test_begin_anew_after_a_small_batch(self) -> None:
        found = self.in_a_row(500, 499, 500)

        assert (found.state, found.values["have"], found.values["more"]) == ("not_met", 1, 2)

    def test_begin_anew_after_a_failed_batch(self) -> None:
        assert self.in_a_row(500, 500, 500, conforming=False).values["have"] == 0


class TestPpap:
    ELEMENTS = tuple(str(name) for name in CRITERIA["G5.2"].parameters["elements"])  # type: ignore[union-attr]

    def ppap(self, **changed: dict[str, Any]) -> Computed:
        rows = [{"element": name, "document": f"D-{name}", **changed.get(name, {})} for name in self.ELEMENTS]
        return judged("G5.2", evidence=(evidence("ppap", level="3", elements=rows),))

    def test_is_complete_with_18_documents(self) -> None:
        assert self.ppap().values == {"have": 18, "needed": 18, "waived": []}

    def test_takes_an_element_waived_in_writing(self) -> None:
        found = self.ppap(appearance_approval={"document": None, "waiver": "W-1", "waived_on": "2026-05-02"})

        assert (found.state, found.values["waived"]) == ("met", ["appearance_approval"])

    @pytest.mark.parametrize("row", [{"document": ""}, {"document": None, "waiver": "W-1"}])
    def test_is_open_for_an_element_with_neither_document_nor_written_waiver(self, row: dict[str, Any]) -> None:
        found = self.ppap(msa=row)

        assert (found.state, found.values["elements"], found.values["have"]) == ("not_met", ["msa"], 17)

    def test_is_missing_without_a_list(self) -> None:
        assert judged("G5.2").state == "missing"


class TestCapability:
    """Eleven values -5 to 5, three times over: mean 0, overall s 3.2113, stable by both chart rules."""

    BORE = CharacteristicRecord(name="bore", unit="mm", lower=-20, upper=20, is_critical=False, gauge="G-1")
    STUDY = evidence("msa_study", gauge="G-1", grr=0.08, ndc=8, studied_on="2026-03-02")
    VALUES = tuple((float(value),) for value in [0, 3, -3, 5, -5, 1, -1, 4, -4, 2, -2] * 3)

    def of(self, *batches: BatchRecord, papers: tuple[EvidenceRecord, ...] = (), limits: float = 20) -> Computed:
        bore = replace(self.BORE, lower=-limits, upper=limits)
        return judged("G5.3", batches=batches, characteristics=(bore,), evidence=(self.STUDY, *papers))

    def run(self, count: int = 33, **facts: Any) -> BatchRecord:
        return a_run(measurements={"bore": self.VALUES[:count]}, **facts)

    def test_of_ppk_above_1_67_is_met(self) -> None:
        found = self.of(self.run())

        assert (found.state, found.values["index"] > 1.67) == ("met", True)

    def test_between_1_33_and_1_67_needs_the_receivers_signed_consent(self) -> None:
        without = self.of(self.run(), limits=14)
        with_it = self.of(self.run(), limits=14, papers=(consent(characteristics=["bore"]),))
        for_another = self.of(self.run(), limits=14, papers=(consent(characteristics=["shaft"]),))

        assert 1.33 < without.values["index"] < 1.67
        assert (without.state, without.suffices) == ("not_met", "receiver_consent_needed")
        assert with_it.state == "met"
        assert for_another.code == "capability_needs_consent"

    def test_below_1_33_is_not_mended_by_consent(self) -> None:
        found = self.of(self.run(), limits=12, papers=(consent(characteristics=["bore"]),))

        assert (found.state, found.code) == ("not_met", "capability_below_limit")

    def test_of_29_values_in_the_run_is_not_judged(self) -> None:
        found = self.of(self.run(29))

        assert (found.state, found.code) == ("not_enough_evidence", "capability_too_few_values")

    def test_is_not_filled_up_with_values_of_an_earlier_run(self) -> None:
        later = self.run(29, number="P-2", made_on=date(2026, 5, 20))

        assert self.of(self.run(), later).code == "capability_too_few_values"

    def test_of_ongoing_production_is_judged_once_there_is_any(self) -> None:
        drifting = tuple((value[0] + 12,) for value in self.VALUES)
        ongoing = a_run(number="O-1", kind=BatchKind.ONGOING, measurements={"bore": drifting})

        found = self.of(self.run(), ongoing)

        assert (found.state, found.values["index_name"]) == ("not_met", "Cpk")

    def test_is_missing_without_a_run(self) -> None:
        assert self.of().state == "missing"


class TestRate:
    def rate(self, good: int, **facts: Any) -> Computed:
        return judged("G5.4", batches=(a_run(**facts),), evidence=(run_at_rate(good_units=good),))

    def test_of_the_planned_output_is_met(self) -> None:
        """288 good units in 6 hours are 48 an hour."""
        assert self.rate(288).values["point"] == 1.0
        assert self.rate(288).state == "met"

    def test_of_90_to_100_percent_is_only_a_condition(self) -> None:
        found = self.rate(287)

        assert (found.state, found.code) == ("not_met", "rate_only_as_condition")
        assert self.rate(260).code == "rate_only_as_condition"

    def test_below_90_percent_is_too_low_for_a_condition(self) -> None:
        assert self.rate(259).code == "rate_too_low"

    def test_cannot_count_more_good_units_than_were_started(self) -> None:
        assert self.rate(301).code == "rate_more_good_than_started"

    def test_without_the_hours_of_the_run_is_not_judged(self) -> None:
        assert self.rate(288, hours=None).state == "not_enough_evidence"

    def test_is_missing_without_a_planned_rate(self) -> None:
        found = judged("G5.4", batches=(a_run(),), evidence=(run_at_rate(planned_per_hour=None),))

        assert (found.state, found.code) == ("missing", "rate_not_stated")


class TestFirstPassYield:
    @pytest.mark.parametrize(
        ("good", "started", "state"),
        [(291, 300, "met"), (285, 300, "met"), (284, 300, "not_met"), (190, 200, "not_enough_evidence")],
    )
    def test_needs_95_percent_and_a_bound_of_92(self, good: int, started: int, state: str) -> None:
        assert judged("G5.5", batches=(a_run(started=started, passed_first_time=good),)).state == state


class TestMaturity:
    def claims(self, trl: int, mrl: int, *, threads: int = 9) -> Computed:
        paper = evidence("maturity_claim")
        technology = ClaimRecord(scale=MaturityScale.TRL, item="oven", level=trl, evidence=paper.id)
        lines = tuple(
            ClaimRecord(scale=MaturityScale.MRL, item=item, level=mrl, evidence=paper.id)
            for item in maturity.THREADS[:threads]
        )
        return judged("G5.6", claims=(technology, *lines), evidence=(paper,))

    def test_needs_trl_8_and_mrl_8(self) -> None:
        assert self.claims(8, 8).state == "met"
        assert self.claims(8, 7).state == "not_met"
        assert self.claims(8, 8, threads=8).state == "not_enough_evidence"


class TestSupply:
    def supply(self, **changed: dict[str, Any]) -> Computed:
        forms: dict[str, dict[str, Any]] = {
            "supplier_approval": {"suppliers": [{"supplier": "north", "part": "fan", "approved_on": "2026-04-01"}]},
            "training_record": {"people": [{"person": "W-17", "station": "welding", "qualified_on": "2026-04-02"}]},
            "quality_agreement": {"signed_on": "2026-04-03"},
            "frozen_bom_route_sop": {"bom_revision": "B", "route_revision": "B", "sop_revision": "B"},
        }
        papers = tuple(evidence(kind, **{**values, **changed.get(kind, {})}) for kind, values in forms.items())
        return judged("G5.7", evidence=papers)

    def test_is_ready_when_all_are_approved_qualified_signed_and_of_one_revision(self) -> None:
        assert self.supply().state == "met"

    def test_names_everything_that_is_open_at_once(self) -> None:
        found = self.supply(
            supplier_approval={"suppliers": [{"supplier": "north", "part": "fan"}]},
            training_record={"people": [{"person": "W-17", "station": "welding"}]},
            quality_agreement={"signed_on": "2026-07-01"},
            frozen_bom_route_sop={"sop_revision": "A"},
        )

        assert (found.state, found.values["n"]) == ("not_met", 4)
        assert found.values["lacking"] == {
            "suppliers_not_approved": ["north"],
            "people_not_qualified": ["W-17"],
            "unsigned": ["quality_agreement"],
            "other_revision": ["sop"],
        }

    def test_is_missing_when_a_list_is_empty(self) -> None:
        assert self.supply(supplier_approval={"suppliers": []}).state == "missing"


class TestDebts:
    CONDITION = ConditionRecord(clause="G3.4", due_on=date(2026, 3, 1), cleared=False, gate="G3")
    WAIVER = WaiverRecord(clause="G2.4", until=TODAY, confirmed=True, gate="G2")

    def test_are_cleared_when_nothing_of_an_earlier_gate_runs(self) -> None:
        cleared, ended = replace(self.CONDITION, cleared=True), replace(self.WAIVER, until=date(2026, 6, 9))

        assert judged("G5.9", conditions=(cleared,), waivers=(ended,)).state == "met"

    def test_are_open_with_a_condition_or_a_running_waiver(self) -> None:
        found = judged("G5.9", conditions=(self.CONDITION,), waivers=(self.WAIVER,))

        assert (found.state, found.values["n"]) == ("not_met", 2)
        assert (found.values["conditions"], found.values["waivers"]) == (["G3.4"], ["G2.4"])

    def test_of_this_gate_do_not_stand_in_its_own_way(self) -> None:
        waiver, condition = replace(self.WAIVER, gate="G5"), replace(self.CONDITION, gate="G5")

        assert judged("G5.9", conditions=(condition,), waivers=(waiver,)).state == "met"


class TestMoney:
    def money(self, **changed: Any) -> Computed:
        plain = {
            "advances_minor": 80_000_000,
            "accepted_cost_minor": 79_000_000,
            "repaid_minor": 1_000_000,
            "statement_total_minor": 123_456_789,
            "ledger_total_minor": 123_456_789,
        }
        return judged("G5.10", evidence=(evidence("final_financial_statement", **{**plain, **changed}),))

    def test_is_settled_when_advances_are_cleared_and_the_ledger_agrees(self) -> None:
        assert self.money().state == "met"

    def test_differs_by_one_fen(self) -> None:
        found = self.money(ledger_total_minor=123_456_788)

        assert (found.code, found.values["difference_minor"]) == ("statement_differs_from_ledger", 1)

    def test_leaves_one_fen_of_an_advance_open(self) -> None:
        found = self.money(repaid_minor=999_999)

        assert (found.code, found.values["advances_open_minor"]) == ("advances_open", 1)

    def test_is_not_read_from_a_float(self) -> None:
        found = self.money(repaid_minor=1_000_000.5)

        assert (found.state, found.values["fields"]) == ("missing", ["repaid_minor"])


class TestAudit:
    def audit(self, *, findings: object = (), records: tuple[FindingRecord, ...] = (), kind: str = "audit") -> Computed:
        papers = (
            evidence("final_financial_statement", statement_total_minor=123_456_789),
            evidence("audit_report", kind=kind, findings=findings),
        )
        return judged("G5.11", evidence=papers, findings=records)

    def test_is_closed_when_each_finding_is_closed_or_priced(self) -> None:
        found = self.audit(
            findings=[{"finding": "1", "closed_on": "2026-05-02"}, {"finding": "2", "priced_minor": 100}]
        )

        assert (found.state, found.values) == ("met", {"findings": 2})

    def test_is_open_with_one_finding_neither_closed_nor_priced(self) -> None:
        found = self.audit(findings=[{"finding": "receipt 7"}])

        assert (found.state, found.values["findings"]) == ("not_met", ["receipt 7"])

    def test_sees_findings_of_the_register_too(self) -> None:
        registered = FindingRecord(kind=FindingKind.AUDIT_FINDING, severity=2, opened_on=date(2026, 5, 4))

        assert self.audit(records=(registered,)).code == "audit_findings_open"
        assert self.audit(records=(replace(registered, disposition="priced at CNY 200"),)).state == "met"

    def test_is_not_replaced_by_a_statement_at_the_default_threshold(self) -> None:
        assert self.audit(kind="statement").code == "audit_needed"

    def test_is_replaced_by_a_statement_below_the_threshold_of_a_pack(self) -> None:
        criterion = CRITERIA["G5.11"].model_copy(update={"parameters": {"threshold_minor": 123_456_790}})
        papers = (
            evidence("final_financial_statement", statement_total_minor=123_456_789),
            evidence("audit_report", kind="statement", findings=[]),
        )

        found = handoff.audit_closed(criterion, a_project(ProjectState.HANDOFF, evidence=papers))

        assert found.state == "met"

    def test_is_missing_without_a_list_of_findings(self) -> None:
        assert self.audit(findings=None).state == "missing"


class TestSignedAndShown:
    NOTICE = NoticeRecord(gate="G5", starts_on=date(2026, 6, 2), ends_on=date(2026, 6, 9))

    def test_is_met_the_day_after_the_notice_ended(self) -> None:
        assert judged("G5.12", notices=(self.NOTICE,)).state == "met"

    def test_still_runs_on_its_last_day(self) -> None:
        found = judged("G5.12", notices=(replace(self.NOTICE, ends_on=TODAY),))

        assert (found.state, found.code) == ("not_enough_evidence", "notice_running")

    def test_waits_for_an_open_objection(self) -> None:
        found = judged("G5.12", notices=(replace(self.NOTICE, open_objections=1),))

        assert (found.state, found.code) == ("not_enough_evidence", "objection_open")

    def test_is_not_met_by_an_upheld_objection(self) -> None:
        assert judged("G5.12", notices=(replace(self.NOTICE, upheld_objections=1),)).state == "not_met"

    def test_begins_anew_with_a_later_notice(self) -> None:
        later = replace(self.NOTICE, starts_on=date(2026, 6, 8), ends_on=date(2026, 6, 15))

        assert judged("G5.12", notices=(later, self.NOTICE)).code == "notice_running"

    def test_is_missing_without_a_notice_of_this_gate(self) -> None:
        assert judged("G5.12", notices=(replace(self.NOTICE, gate="G2"),)).state == "missing"


class TestTransfer:
    def test_is_accepted_by_both_sides(self) -> None:
        assert [(one.role, one.party, one.kind) for one in CRITERIA["G5.8"].judges] == [
            (Role.PROJECT_LEAD, "sme", "accepted"),
            (Role.RECEIVER_LEAD, "receiver", "accepted"),
        ]


def test_no_rule_is_met_by_a_project_without_records() -> None:
    """Debts alone are met by silence: none is what is asked for."""
    states = {one.id: judged(one.id).state for one in STAGE.criteria if one.rule and one.id != "G5.9"}

    assert set(states.values()) == {"missing"}
