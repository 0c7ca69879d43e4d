"""The generic judgement of one criterion: every step, and which of two that apply is told first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from lifecycle.calendar import china
from lifecycle.stages import maturity
from lifecycle.stages.judgement import Verdict, bound_sha256s, evidence_sha256s, judge, judge_stage, judged_evidence
from lifecycle.stages.records import (
    ClaimRecord,
    Computed,
    EvidenceRecord,
    JudgementRecord,
    Records,
    RevisionRecord,
    ScenarioRecord,
    WaiverRecord,
)
from lifecycle.stages.rule import Rule, met, not_enough, not_met
from lifecycle.standards import library
from lifecycle.standards.pack import Criterion, Due, EvidenceType, Judge, Owes, Pack, Panel, Stage
from lifecycle.standards.part import Text
from lifecycle.standards.parties import ROLE_PARTY
from models.states import STAGES, Competence, GateOutcome, MaturityScale, ProjectState, Role, VerdictState
from tests.lifecycle.stages.facts import AUTHOR, JUDGE, TODAY, a_project, evidence, worded

RULE_CODES = {"too_low", "too_few"}
WORDS = Text(zh="字", en="word")
LEAD = Owes(party="sme", role=Role.PROJECT_LEAD)
ENGINEER = Owes(party="sme", role=Role.PROCESS_ENGINEER)
QUALITY = Judge(role=Role.QUALITY_ENGINEER, kind="accepted")
RULES: Mapping[str, Rule] = {
    "fine": lambda _criterion, _records: met(n=3),
    "bad": lambda _criterion, _records: not_met("too_low", suffices="more", n=1),
    "early": lambda _criterion, _records: not_enough("too_few", n=2),
    "reports": lambda _criterion, records: met(n=len(records.of_type("report"))),
}


def a_criterion(**facts: Any) -> Criterion:
    plain: dict[str, Any] = {
        "id": "G4.1",
        "title": WORDS,
        "text": WORDS,
        "how": ("accepted",),
        "strength": "H",
        "owed_by": (LEAD,),
        "due": Due(anchor="panel", days=-5),
        "origin": "design",
    }
    return Criterion(**{**plain, **facts})


def a_pack(*criteria: Criterion, types: tuple[EvidenceType, ...] = ()) -> Pack:
    kinds = types or (EvidenceType(id="report", title=WORDS, family="result", gate="G4"),)
    stages = [
        Stage(
            id=stage,
            gate=f"G{number}",  # type: ignore[arg-type]
            title=WORDS,
            default_days=1,
            default_unit="months",
            maximum_days=2,
            maximum_unit="months",
            criteria=tuple(one for one in criteria if one.id.startswith(f"G{number}.")),
            panel=Panel(kind="panel"),
            outcomes=(GateOutcome.GO,),
        )
        for number, stage in enumerate(STAGES, 1)
    ]
    funds = library.bare().funds
    return Pack(code="test", version="2026.1", title=WORDS, evidence_types=kinds, stages=tuple(stages), funds=funds)


def verdict_of(
    criterion: Criterion,
    records: Records,
    *others: Criterion,
    types: tuple[EvidenceType, ...] = (),
    rules: Mapping[str, Rule] = RULES,
) -> Verdict:
    verdict = judge(a_pack(criterion, *others, types=types), criterion, records, calendar=china(), rules=rules)
    return verdict if verdict.code in RULE_CODES else worded(verdict)


def said(*, yes: bool = True, on: tuple[EvidenceRecord, ...] = (), **facts: Any) -> JudgementRecord:
    plain: dict[str, Any] = {
        "clause": "G4.1",
        "role": Role.QUALITY_ENGINEER,
        "yes": yes,
        "person": JUDGE,
        "on": date(2026, 6, 1),
        "evidence_sha256s": evidence_sha256s(on),
    }
    return JudgementRecord(**{**plain, **facts})


def a_waiver(**facts: Any) -> WaiverRecord:
    return WaiverRecord(**{"clause": "G4.1", "until": TODAY, "confirmed": True, **facts})


class TestWaiver:
    def test_ends_the_question_before_anything_else_is_looked_at(self) -> None:
        criterion = a_criterion(strength="W", after=("G4.2",), evidence=("report",), rule="bad", judges=(QUALITY,))
        earlier = a_criterion(id="G4.2", rule="bad")

        verdict = verdict_of(criterion, a_project(waivers=(a_waiver(),)), earlier)

        assert verdict.state is VerdictState.WAIVED
        assert verdict.passes
        assert verdict.owed_by == ()
        assert verdict.values == {"until": TODAY.isoformat()}

    def test_counts_on_its_last_day_and_no_more_the_day_after(self) -> None:
        criterion = a_criterion(strength="W", rule="bad")
        on_last_day = a_project(waivers=(a_waiver(),))

        day_after = replace(on_last_day, today=date(2026, 6, 11))

        assert verdict_of(criterion, on_last_day).state is VerdictState.WAIVED
        assert verdict_of(criterion, day_after).state is VerdictState.NOT_MET

    @pytest.mark.parametrize("strength", ["H", "C"])
    def test_of_what_cannot_be_waived_is_not_seen(self, strength: str) -> None:
        verdict = verdict_of(a_criterion(strength=strength, rule="bad"), a_project(waivers=(a_waiver(),)))

        assert verdict.state is VerdictState.NOT_MET

    @pytest.mark.parametrize("facts", [{"confirmed": False}, {"clause": "G4.2"}])
    def test_counts_only_when_confirmed_and_for_its_own_clause(self, facts: dict[str, Any]) -> None:
        verdict = verdict_of(a_criterion(strength="W", rule="bad"), a_project(waivers=(a_waiver(**facts),)))

        assert verdict.state is VerdictState.NOT_MET


class TestOrder:
    def test_of_criteria_is_asked_before_the_evidence(self) -> None:
        criterion = a_criterion(after=("G4.2",), evidence=("report",))
        earlier = a_criterion(id="G4.2", rule="bad", owed_by=(ENGINEER,))

        verdict = verdict_of(criterion, a_project(), earlier)

        assert (verdict.state, verdict.code) == (VerdictState.CANNOT_START, "earlier_criteria_open")
        assert verdict.values == {"clauses": ["G4.2"]}
        assert verdict.owed_by == (ENGINEER,)

    def test_is_kept_when_the_earlier_criterion_is_waived(self) -> None:
        earlier = a_criterion(id="G4.2", rule="bad", strength="W")
        records = a_project(waivers=(a_waiver(clause="G4.2"),))

        assert verdict_of(a_criterion(after=("G4.2",), rule="fine"), records, earlier).state is VerdictState.MET

    def test_owes_to_the_judge_whom_the_earlier_criterion_waits_for(self) -> None:
        earlier = a_criterion(id="G4.2", judges=(QUALITY,))

        verdict = verdict_of(a_criterion(after=("G4.2",)), a_project(), earlier)

        assert verdict.owed_by == (Owes(party="platform", role=Role.QUALITY_ENGINEER),)


class TestRequiredEvidence:
    def test_is_asked_before_the_rule_and_all_of_it_at_once(self) -> None:
        kinds = tuple(EvidenceType(id=name, title=WORDS, family="result", gate="G4") for name in ("report", "photo"))

        verdict = verdict_of(a_criterion(evidence=("report", "photo"), rule="bad"), a_project(), types=kinds)

        assert (verdict.state, verdict.code) == (VerdictState.MISSING, "evidence_missing")
        assert verdict.values["types"] == ["report", "photo"]
        assert verdict.owed_by == (LEAD,)

    def test_that_has_run_out_by_its_own_last_day_is_not_there(self) -> None:
        report = replace(evidence("report"), valid_until=date(2026, 6, 9))
        criterion = a_criterion(evidence=("report",))

        assert verdict_of(criterion, a_project(evidence=(report,))).code == "evidence_expired"
        assert verdict_of(criterion, a_project(evidence=(replace(report, valid_until=TODAY),))).passes

    def test_is_valid_through_the_day_its_months_end(self) -> None:
        kind = EvidenceType(id="report", title=WORDS, family="result", gate="G4", valid_months=12)
        criterion = a_criterion(evidence=("report",))

        def on(submitted: date) -> Verdict:
            report = replace(evidence("report"), submitted_on=submitted)
            return verdict_of(criterion, a_project(evidence=(report,)), types=(kind,))

        assert on(date(2025, 6, 10)).passes
        assert on(date(2025, 6, 9)).code == "evidence_expired"

    def test_bound_to_a_revision_counts_only_for_the_frozen_one(self) -> None:
        kind = EvidenceType(id="report", title=WORDS, family="result", gate="G4", only_for_revision=True)
        criterion = a_criterion(evidence=("report",))
        older = a_project(evidence=(evidence("report", revision="A"),))

        verdict = verdict_of(criterion, older, types=(kind,))

        assert (verdict.state, verdict.code) == (VerdictState.MISSING, "evidence_other_revision")
        assert verdict.values["revision"] == "B"
        assert verdict_of(criterion, a_project(evidence=(evidence("report"),)), types=(kind,)).passes
        assert verdict_of(criterion, replace(older, revisions=()), types=(kind,)).code == "no_frozen_revision"

    def test_is_asked_for_in_one_list_whatever_is_wrong_with_it(self) -> None:
        kinds = (
            EvidenceType(id="report", title=WORDS, family="result", gate="G4", valid_months=1),
            EvidenceType(id="photo", title=WORDS, family="result", gate="G4"),
        )

        verdict = verdict_of(
            a_criterion(evidence=("report", "photo")), a_project(evidence=(evidence("report"),)), types=kinds
        )

        assert verdict.code == "evidence_incomplete"
        assert (verdict.values["missing"], verdict.values["expired"]) == (["photo"], ["report"])

    def test_of_which_one_of_several_has_run_out_is_hidden_from_the_rule(self) -> None:
        kind = EvidenceType(id="report", title=WORDS, family="result", gate="G4", several=True, key_field="site")
        expired = replace(evidence("report", number=2), valid_until=date(2026, 1, 1))
        records = a_project(evidence=(evidence("report", number=1), expired))

        verdict = verdict_of(a_criterion(evidence=("report",), rule="reports"), records, types=(kind,))

        assert verdict.values == {"n": 1}

    def test_of_a_type_the_pack_does_not_know_is_not_there_for_the_rule(self) -> None:
        foreign = a_project(evidence=(evidence("report"),))
        other = (EvidenceType(id="photo", title=WORDS, family="result", gate="G4"),)

        assert verdict_of(a_criterion(rule="reports"), foreign, types=other).values == {"n": 0}


class TestComputedRule:
    @pytest.mark.parametrize(
        ("rule", "state", "code"),
        [("bad", VerdictState.NOT_MET, "too_low"), ("early", VerdictState.NOT_ENOUGH_EVIDENCE, "too_few")],
    )
    def test_is_told_before_a_judgement_is_asked_for(self, rule: str, state: VerdictState, code: str) -> None:
        verdict = verdict_of(a_criterion(rule=rule, judges=(QUALITY,)), a_project())

        assert (verdict.state, verdict.code, verdict.owed_by) == (state, code, (LEAD,))

    def test_hands_on_its_values_and_what_would_suffice(self) -> None:
        verdict = verdict_of(a_criterion(rule="bad", strength="C"), a_project())

        assert (verdict.values, verdict.suffices, verdict.strength) == ({"n": 1}, "more", "C")

    def test_cannot_be_overruled_by_a_yes(self) -> None:
        records = a_project(judgements=(said(),))

        assert verdict_of(a_criterion(rule="bad", judges=(QUALITY,)), records).state is VerdictState.NOT_MET

    def test_of_a_name_that_does_not_exist_is_our_mistake(self) -> None:
        with pytest.raises(KeyError):
            verdict_of(a_criterion(rule="nowhere"), a_project())


class TestJudges:
    REPORT = evidence("report")
    CRITERION = a_criterion(evidence=("report",), rule="fine", judges=(QUALITY,))

    def judged(self, *judgements: JudgementRecord, criterion: Criterion | None = None) -> Verdict:
        records = a_project(evidence=(self.REPORT,), judgements=judgements)
        return verdict_of(criterion or self.CRITERION, records)

    def test_are_waited_for_and_owe_the_next_step(self) -> None:
        verdict = self.judged()

        assert (verdict.state, verdict.code) == (VerdictState.WAITING, "judgement_waiting")
        assert verdict.owed_by == (Owes(party="platform", role=Role.QUALITY_ENGINEER),)
        assert verdict.values == {"roles": ["quality_engineer"], "not_by": [str(AUTHOR)]}

    def test_who_all_said_yes_leave_the_values_of_the_rule(self) -> None:
        verdict = self.judged(said(on=(self.REPORT,)))

        assert (verdict.state, verdict.code, verdict.values) == (VerdictState.MET, "met", {"n": 3})
        assert verdict.owed_by == ()

    def test_who_said_no_give_it_back_to_the_owner(self) -> None:
        verdict = self.judged(said(yes=False, on=(self.REPORT,)))

        assert (verdict.state, verdict.code, verdict.owed_by) == (VerdictState.NOT_MET, "judged_no", (LEAD,))

    def test_are_asked_again_when_the_evidence_has_changed(self) -> None:
        verdict = self.judged(said(on=(evidence("report", number=7),)))

        assert (verdict.state, verdict.code) == (VerdictState.WAITING, "judgement_outdated")

    @pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
    def test_are_taken_at_their_last_word(self, *, first: bool, second: bool) -> None:
        later = said(yes=second, on=(self.REPORT,))
        earlier = replace(said(yes=first, on=(self.REPORT,)), on=date(2026, 5, 20))

        assert self.judged(later, earlier).passes is second

    def test_are_taken_at_the_later_record_of_one_day(self) -> None:
        assert not self.judged(said(on=(self.REPORT,)), said(yes=False, on=(self.REPORT,))).passes

    def test_are_not_heard_on_evidence_they_wrote_themselves(self) -> None:
        verdict = self.judged(said(on=(self.REPORT,), person=AUTHOR))

        assert (verdict.state, verdict.code) == (VerdictState.WAITING, "judgement_waiting")

    @pytest.mark.parametrize(
        "facts",
        [{"clause": "G4.2"}, {"role": Role.LAB_LEAD}, {"kind": "decided"}, {"part": "report"}],
        ids=["clause", "role", "kind", "part"],
    )
    def test_are_not_replaced_by_a_judgement_of_another(self, facts: dict[str, Any]) -> None:
        assert self.judged(said(on=(self.REPORT,), **facts)).code == "judgement_waiting"

    def test_of_several_competences_are_those_of_several_people(self) -> None:
        experts = tuple(
            Judge(role=Role.EXPERT, competence=competence, kind="accepted")
            for competence in (Competence.MARKET, Competence.FINANCE)
        )
        criterion = a_criterion(evidence=("report",), judges=experts)
        market = said(on=(self.REPORT,), role=Role.EXPERT, competence=Competence.MARKET)

        half = self.judged(market, criterion=criterion)
        finance = replace(market, competence=Competence.FINANCE)
        alone = self.judged(market, finance, criterion=criterion)
        both = self.judged(market, replace(finance, person=UUID(int=77)), criterion=criterion)

        assert (half.state, half.owed_by) == (
            VerdictState.WAITING,
            (Owes(party="programme", role=Role.EXPERT),),
        )
        assert half.values == {"roles": ["expert"], "not_by": [str(AUTHOR)]}
        assert alone == half
        assert both.passes

    def test_of_both_parties_are_each_needed(self) -> None:
        both_sides = (
            Judge(role=Role.PROJECT_LEAD, party="sme", kind="accepted"),
            Judge(role=Role.RECEIVER_LEAD, party="receiver", kind="accepted"),
        )
        criterion = a_criterion(evidence=("report",), judges=both_sides)
        firm = said(on=(self.REPORT,), role=Role.PROJECT_LEAD, party="sme")

        verdict = self.judged(firm, criterion=criterion)

        assert verdict.owed_by == (Owes(party="receiver", role=Role.RECEIVER_LEAD),)

    def test_who_said_no_weigh_more_than_those_still_waited_for(self) -> None:
        criterion = a_criterion(evidence=("report",), judges=(QUALITY, Judge(role=Role.LAB_LEAD, kind="accepted")))

        assert self.judged(said(yes=False, on=(self.REPORT,)), criterion=criterion).code == "judged_no"

    @pytest.mark.parametrize("change", [{"values": {"cost": 1}}, {"revision": "C"}, {"sha256": "f" * 64}], ids=str)
    def test_are_bound_to_the_figures_and_the_revision_too_and_not_to_the_file_alone(
        self, change: dict[str, Any]
    ) -> None:
        accepted = evidence("report", cost=100)
        on_accepted = said(on=(accepted,))
        criterion = a_criterion(evidence=("report",), judges=(QUALITY,))

        now = a_project(evidence=(replace(accepted, **change),), judgements=(on_accepted,))

        assert verdict_of(criterion, a_project(evidence=(accepted,), judgements=(on_accepted,))).passes
        assert verdict_of(criterion, now).code == "judgement_outdated"

    def test_of_a_maturity_are_bound_to_the_levels_claimed(self) -> None:
        criterion = a_criterion(rule="maturity", parameters={"trl": 6, "mrl": 6}, judges=(QUALITY,))
        claimed = a_project(claims=_levels(6), evidence=(self.REPORT,))
        yes = said(evidence_sha256s=bound_sha256s(criterion, claimed))
        agreed, raised = (replace(claimed, claims=_levels(level), judgements=(yes,)) for level in (6, 8))

        assert verdict_of(criterion, agreed, rules=maturity.RULES).passes
        assert verdict_of(criterion, raised, rules=maturity.RULES).code == "judgement_outdated"

    def test_of_one_part_are_not_asked_again_for_another(self) -> None:
        kinds = tuple(EvidenceType(id=name, title=WORDS, family="result", gate="G4") for name in ("report", "photo"))
        judge_of_part = Judge(role=Role.QUALITY_ENGINEER, kind="accepted", part="report")
        criterion = a_criterion(evidence=("report", "photo"), judges=(judge_of_part,))
        on_report = said(on=(self.REPORT,), part="report")

        records = a_project(evidence=(self.REPORT, evidence("photo", number=9)), judgements=(on_report,))

        assert verdict_of(criterion, records, types=kinds).passes
        assert judged_evidence(criterion, records, "report") == (self.REPORT,)

    def test_need_no_evidence_where_none_is_asked(self) -> None:
        criterion = a_criterion(judges=(QUALITY,))

        assert verdict_of(criterion, a_project(judgements=(said(),))).passes


def _levels(level: int) -> tuple[ClaimRecord, ...]:
    wanted = [(MaturityScale.TRL, "core"), *((MaturityScale.MRL, thread) for thread in maturity.THREADS)]
    paper = TestJudges.REPORT.id
    return tuple(ClaimRecord(scale=scale, item=item, level=level, evidence=paper) for scale, item in wanted)


class TestTheFrozenRevision:
    def test_is_the_later_recorded_of_two_frozen_on_one_day(self) -> None:
        first, second = (RevisionRecord(label=label, frozen_on=TODAY) for label in "BA")

        assert a_project(revisions=(first, second)).revision == second


class TestDueDay:
    @pytest.mark.parametrize(
        ("due", "expected"),
        [
            (Due(anchor="application", days=5), date(2025, 7, 15)),
            (Due(anchor="stage_start", days=60, unit="calendar_days"), date(2026, 3, 6)),
            (Due(anchor="panel", days=-5), date(2026, 6, 24)),
            (Due(anchor="panel", days=10), date(2026, 7, 15)),
            (Due(anchor="proposal", days=3), None),
            (Due(anchor="placement"), date(2026, 2, 3)),
            (Due(anchor="stage_end", days=60, unit="calendar_days"), date(2026, 10, 8)),
            (Due(anchor="always"), None),
        ],
        ids=lambda value: f"{value.anchor}{value.days:+}" if isinstance(value, Due) else "",
    )
    def test_is_counted_from_its_anchor(self, due: Due, expected: date | None) -> None:
        placed = ScenarioRecord(
            site="canteen",
            customer=UUID(int=10),
            is_independent=True,
            agreement_signed_on=None,
            started_on=date(2026, 2, 3),
            ended_on=None,
            report_signed_on=None,
        )
        records = a_project(planned_panel_on=date(2026, 7, 1), stage_due_on=date(2026, 8, 2), scenarios=(placed,))

        assert verdict_of(a_criterion(due=due), records).due_on == expected

    def test_is_unknown_while_no_panel_is_planned(self) -> None:
        assert verdict_of(a_criterion(), a_project()).due_on is None

    def test_of_another_stage_is_not_taken_from_this_stages_panel(self) -> None:
        records = a_project(ProjectState.HANDOFF, planned_panel_on=date(2026, 7, 1))

        assert verdict_of(a_criterion(), records).due_on is None


class TestJudgeStage:
    PACK = a_pack(a_criterion(id="G3.1", rule="bad"), a_criterion(rule="fine"), a_criterion(id="G4.2", rule="bad"))

    def clauses(self, records: Records, stage: ProjectState | None = None) -> list[str]:
        verdicts = judge_stage(self.PACK, records, calendar=china(), rules=RULES, stage=stage)
        return [verdict.clause for verdict in verdicts]

    def test_judges_the_present_stage_in_the_order_of_the_pack(self) -> None:
        assert self.clauses(a_project()) == ["G4.1", "G4.2"]

    def test_judges_another_stage_when_asked(self) -> None:
        assert self.clauses(a_project(), ProjectState.SMALL_BATCH_TRIAL) == ["G3.1"]

    def test_asks_an_ended_project_nothing(self) -> None:
        assert self.clauses(a_project(ProjectState.STOPPED)) == []

    def test_computes_a_rule_once_though_others_wait_for_it(self) -> None:
        calls: list[str] = []

        def counted(criterion: Criterion, _records: Records) -> Computed:
            calls.append(criterion.id)
            return met()

        criteria = (a_criterion(rule="counted"), a_criterion(id="G4.2", after=("G4.1",)))

        judge_stage(a_pack(*criteria), a_project(), calendar=china(), rules={"counted": counted})

        assert calls == ["G4.1"]


class TestRoleParty:
    def test_knows_every_role(self) -> None:
        assert set(ROLE_PARTY) == set(Role)
