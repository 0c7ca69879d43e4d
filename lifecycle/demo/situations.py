"""What became of the projects that did not simply go on: endings, holds, debts, and where the open ones stand."""

from datetime import date
from uuid import UUID

from lifecycle.demo import forms
from lifecycle.demo.case import Case
from lifecycle.demo.gates import (
    MEASURED,
    begin_trial,
    convene,
    decide,
    hand_in,
    hand_in_all,
    hand_in_gate,
    judge,
    judge_gate,
    make_batch,
    meet,
    place,
    propose,
    report_use,
    run_production,
    vote,
)
from lifecycle.demo.stages import Passage, Then, fail_once, make_and_prove
from lifecycle.demo.story import Steps, Story
from lifecycle.projects.commands import Assign, PlanPanel, PutOnHold, Stop, Withdraw
from lifecycle.requirements.commands import AnswerNotice, ConfirmWaiver, IssueNotice, WaiveRequirement
from lifecycle.reviews.commands import ConditionItem
from lifecycle.trials.commands import AddIssue
from models.states import FindingKind, GateOutcome, Role


def with_waiver(story: Story, case: Case, gate: str) -> UUID:
    """Let the chair waive reliability (G3.7) for forty working days, confirmed by the coordinator; then say go."""
    review = convene(story, case, gate)
    asked = {"project_id": case.project_id, "clause": "G3.7"}
    said = {"reason": "试验舱检修，同型产品已有 22 台零失效数据", "until_on": story.after(story.today, 40)}
    story.act(case.who(Role.PANEL_CHAIR), WaiveRequirement, **asked, **said)
    story.act(case.who(Role.COORDINATOR), ConfirmWaiver, **asked)
    judge_gate(story, case, gate)
    vote(story, case, gate, review)
    propose(story, case, gate, review, reason="可靠性试验豁免，至市场验证期间补做")
    return review


def on_condition(story: Story, case: Case, gate: str) -> UUID:
    """Let the project go on owing its outside test (G3.13)."""
    review = convene(story, case, gate)
    judge_gate(story, case, gate, left_out={"G3.13"})
    vote(story, case, gate, review, outcome=GateOutcome.CONDITIONAL_GO)
    owner = story.people[case.who(Role.PROJECT_LEAD)].user_id
    debt = ConditionItem(clause="G3.13", owner_id=owner, due_on=story.after(story.today, 28), note="已送样，待出报告")
    said = {"outcome": GateOutcome.CONDITIONAL_GO, "reason": "除第三方检测外均达标", "conditions": (debt,)}
    propose(story, case, gate, review, **said)
    return review


def debt_paid_later(story: Story, case: Case, since: date, on: date) -> Passage:
    """Leave the trial on condition, and hand the outside test in three weeks later."""
    trial = make_and_prove(left_out={"accredited_test_report"}, meeting=on_condition)
    case = yield from trial(story, case, since, on)
    yield story.after(on, 15)
    hand_in_all(story, case, "accredited_test_report")
    judge(story, case, "G3.13")
    return case


def withdrawn(on: str) -> Then:
    """The firm takes its application back."""

    def then(story: Story, case: Case, _since: date) -> Steps:
        yield date.fromisoformat(on)
        reason = "企业调整产品路线"
        story.act(case.who(Role.PROJECT_LEAD), Withdraw, project_id=case.project_id, reason=reason)

    return then


def given_up(on: str, code: str, reason: str) -> Then:
    """The fund ends it; a trial has a batch that shows why."""

    def then(story: Story, case: Case, since: date) -> Steps:
        if code == "stop_loss":
            yield story.after(since, 1)
            case = begin_trial(story, case)
            yield story.after(since, 20)
            make_batch(story, case, 40, 22)
        yield date.fromisoformat(on)
        story.act(case.who(Role.SPONSOR), Stop, project_id=case.project_id, code=code, reason=reason)

    return then


def held(on: str, until: str) -> Then:
    """The trial stands still until its plant is mended."""

    def then(story: Story, case: Case, since: date) -> Steps:
        yield story.after(since, 1)
        case = begin_trial(story, case)
        yield story.after(since, 30)
        make_batch(story, case, 40, 39)
        yield date.fromisoformat(on)
        asked = {"code": "facility", "reason": "纯化装置检修", "until_on": date.fromisoformat(until)}
        story.act(case.who(Role.COORDINATOR), PutOnHold, project_id=case.project_id, **asked)

    return then


def behind(story: Story, case: Case, since: date) -> Steps:
    """A trial sent back once and overdue: its yield passes v3.1 and would not pass v3.2."""
    yield story.after(since, 1)
    case = begin_trial(story, case)
    yield from fail_once(story, case, story.after(since, 25), (40, 31))
    yield story.after(since, 55)
    make_batch(story, case, 90, 84, measured=MEASURED)
    hand_in_all(story, case, "msa_study", "pfmea", "prelaunch_control_plan")
    judge(story, case, "G3.6", "G3.12")


def under_way(story: Story, case: Case, since: date) -> Steps:
    """A trial in time, with one serious finding that has an owner and a day."""
    yield story.after(since, 1)
    case = begin_trial(story, case)
    yield story.after(since, 14)
    make_batch(story, case, 40, 38)
    finding = {"kind": FindingKind.ISSUE, "severity": 2, "title": "外壳接缝处渗水", "owner": "明工"}
    due = story.after(story.today, 20)
    story.act(case.who(Role.PROCESS_ENGINEER), AddIssue, project_id=case.project_id, due_on=due, **finding)
    yield story.after(since, 25)
    make_batch(story, case, 60, 58)


def not_booked(story: Story, case: Case, since: date) -> Steps:
    """Feasibility, overdue: the platform has no slot to confirm."""
    yield story.after(since, 12)
    hand_in_gate(story, case, "G2", left_out={"booking"})


def one_expert_missing(story: Story, case: Case, since: date) -> Steps:
    """Feasibility on its eleventh day: the panel scores, one expert has not voted."""
    yield story.after(since, 7)
    hand_in_gate(story, case, "G2")
    yield story.after(since, 10)
    review = convene(story, case, "G2")
    judge_gate(story, case, "G2")
    vote(story, case, "G2", review, absent={"su"})


def budget_off(story: Story, case: Case, since: date) -> Steps:
    """Feasibility: the sources of the budget do not add up to its total (G2.9)."""
    yield story.after(since, 5)
    hand_in_gate(story, case, "G2", left_out={"budget"})
    budget = forms.budget(case, story.today)[0]
    sources = [{"source": "grant", "amount_minor": 120_000_000}, {"source": "own", "amount_minor": 178_000_000}]
    hand_in(story, case, "budget", {**budget, "sources": sources})
    asked = {"project_id": case.project_id, "planned_on": date(2025, 12, 5)}
    story.act(case.who(Role.COORDINATOR), PlanPanel, **asked)


def list_unanswered(story: Story, case: Case, since: date) -> Steps:
    """Intake, overdue: the list of what is missing lies with the firm."""
    yield story.after(since, 1)
    hand_in_gate(story, case, "G1", left_out={"sample", "prototype_test_report", "ip_statement"})
    yield story.after(since, 4)
    story.act(case.who(Role.COORDINATOR), IssueNotice, project_id=case.project_id)


def two_missing(story: Story, case: Case, since: date) -> Steps:
    """Intake on its third day: the firm owes two papers."""
    yield story.after(since, 1)
    hand_in_gate(story, case, "G1", left_out={"sme_declaration", "prototype_test_report"})


def completed(story: Story, case: Case, since: date) -> Steps:
    """Intake: three papers were missing, told in one list, and are all there now."""
    lacking = ("sme_declaration", "sample", "funding_declaration")
    yield since
    hand_in_gate(story, case, "G1", left_out=lacking)
    yield story.after(since, 1)
    story.act(case.who(Role.COORDINATOR), IssueNotice, project_id=case.project_id)
    yield story.after(since, 2)
    hand_in_all(story, case, *lacking)
    story.act(case.who(Role.PROJECT_LEAD), AnswerNotice, project_id=case.project_id)


def in_use(story: Story, case: Case, since: date) -> Steps:
    """Market validation: three customers have signed, G4.1 to G4.4 are met, the business papers are to come."""
    yield story.after(since, 1)
    place(story, case)
    yield date(2025, 11, 10)
    report_use(story, case)
    hand_in_gate(story, case, "G4", left_out={"price_test", "launch_plan", "business_case"})
    yield date(2025, 11, 18)
    user = story.people[case.who(Role.CUSTOMER_REP)].user_id
    asked = {"user_id": user, "role": Role.CUSTOMER_REP}
    story.act(case.who(Role.COORDINATOR), Assign, project_id=case.project_id, **asked)
    judge(story, case, "G4.3")


def placed(story: Story, case: Case, since: date) -> Steps:
    """Market validation has just begun."""
    yield story.after(since, 2)
    place(story, case)


def ready_to_advance(story: Story, case: Case, since: date) -> Steps:
    """Handoff, decided by its panel after the notice: only the coordinator's word is missing."""
    yield since
    run_production(story, case)
    hand_in_gate(story, case, "G5")
    yield story.after(since, 1)
    review = meet(story, case, "G5")
    yield story.after(since, 7)
    decide(story, case, "G5", review)
