"""The hero of the story: the smart cooking robot of a small firm, PT-2025-0014, from application to production."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.demo import trial_forms
from lifecycle.demo.case import Case, Product, register
from lifecycle.demo.gates import (
    advance,
    begin_trial,
    convene,
    decide,
    finish_tracks,
    freeze,
    hand_in,
    hand_in_all,
    hand_in_gate,
    judge,
    judge_gate,
    make_batch,
    measure,
    place,
    propose,
    report_use,
    run_production,
    vote,
)
from lifecycle.demo.story import Steps, Story
from lifecycle.people.commands import GrantRole, RevokeRole
from lifecycle.projects.commands import Assign, PlanPanel, Recycle
from lifecycle.requirements.commands import AddEvidence, IssueNotice
from lifecycle.trials.commands import AddIssue, CloseBatch, CloseIssue, CorrectBatch
from models.states import FindingKind, ProjectState, Role, Verification

ROBOT = Product(
    name="智能炒菜机器人",
    technology="自适应火候控制",
    firm="weidao",
    verifications=tuple(Verification),
    target_minor=680_000,
    first_lot=40,
    batch_size=90,
    characteristic=("锅底控温偏差", "℃", -6.0, 6.0),
    equipment=("总装工位", "老化测试台", "油烟试验舱"),
    customers="canteen",
    customer_rep="kong",
    levels={"G1": (4, 4), "G2": (5, 5), "G3": (7, 7), "G4": (8, 8)},
)

TOUCHED = ("G2.5", "G2.7", "G2.11", "G3.2", "G3.5", "G3.12", "G3.13")
"""What the new temperature board touches."""


def robot(story: Story) -> Steps:
    """Tell the robot's story to its end."""
    case = yield from _intake(story)
    yield from _feasibility(story, case)
    case = yield from _first_batch(story, case)
    case = yield from _back_to_feasibility(story, case)
    yield from _second_batch(story, case)
    case = yield from _third_batch_begins(story, case)
    yield from _what_is_owed(story, case)
    yield from _gate_three(story, case)
    yield from _canteens(story, case)
    yield from _handoff(story, case)


def _intake(story: Story) -> Generator[date, None, Case]:
    yield date(2025, 7, 8)
    case = register(story, ROBOT)
    yield date(2025, 7, 9)
    hand_in_gate(story, case, "G1")
    yield date(2025, 7, 14)
    review = convene(story, case, "G1")
    judge_gate(story, case, "G1")
    vote(story, case, "G1", review)
    propose(story, case, "G1", review, reason="技术成熟度与团队符合受理条件")
    advance(story, case, "G1")
    return case


def _feasibility(story: Story, case: Case) -> Steps:
    yield date(2025, 7, 24)
    hand_in_gate(story, case, "G2")
    yield date(2025, 7, 31)
    review = convene(story, case, "G2")
    judge_gate(story, case, "G2")
    vote(story, case, "G2", review)
    propose(story, case, "G2", review, reason="技术、市场、财务可行，同意立项")
    yield date(2025, 8, 8)
    decide(story, case, "G2", review)
    advance(story, case, "G2")


def _first_batch(story: Story, case: Case) -> Generator[date, None, Case]:
    """41 of 50: the temperature board overheats."""
    yield date(2025, 8, 11)
    case = begin_trial(story, case)
    yield date(2025, 8, 19)
    make_batch(story, case, 50, 41, defects={"温控": 6, "其他": 3})
    _add_issue(story, case, FindingKind.ISSUE, 1, "温控板过热，连续运行 40 分钟后保护停机")
    _add_issue(story, case, FindingKind.DEVIATION, 2, "B-01 返修 9 台，未按作业指导书复检")
    yield date(2025, 9, 2)
    story.act(
        case.who(Role.COORDINATOR),
        Recycle,
        project_id=case.project_id,
        code="design",
        reason="温控板过热，退回可行性重做热设计",
        target=ProjectState.FEASIBILITY,
    )
    return case


def _add_issue(story: Story, case: Case, kind: FindingKind, severity: int, title: str) -> None:
    fields = {"kind": kind, "severity": severity, "title": title, "batch_number": "B-01"}
    owned: Mapping[str, Any] = {"owner": story.people["sme"].name, "due_on": date(2025, 10, 24)}
    story.act(case.who(Role.PROCESS_ENGINEER), AddIssue, project_id=case.project_id, **fields, **owned)


def _back_to_feasibility(story: Story, case: Case) -> Generator[date, None, Case]:
    """A new board: revision B, and exactly what it touches is judged again."""
    yield date(2025, 9, 5)
    case = freeze(story, case, "B", touched=TOUCHED, reason="温控板改为分体散热，更换驱动芯片")
    hand_in_all(story, case, "feasibility_report", "dfmea", "validation_matrix", "bom_target_cost")
    yield date(2025, 9, 8)
    review = convene(story, case, "G2")
    judge(story, case, "G2.5", "G2.7", "G2.11")
    vote(story, case, "G2", review)
    propose(story, case, "G2", review, reason="热设计更改有效，同意重新进入试制")
    yield date(2025, 9, 16)
    decide(story, case, "G2", review)
    advance(story, case, "G2")
    return case


def _second_batch(story: Story, case: Case) -> Steps:
    """84 of 90: the rate is right, the interval too wide. In October the coordinator is away and covered for."""
    yield date(2025, 10, 9)
    at = story.organisations["hardware"]
    chen = story.people["chen"].user_id
    cover = story.act("admin", GrantRole, user_id=chen, role=Role.COORDINATOR, organisation_id=at)
    yield date(2025, 10, 20)
    make_batch(story, case, 90, 84, measured=60, defects={"温控": 4, "电机": 2})
    yield date(2025, 10, 22)
    _hand_in_yield_table(story, case)
    _close_issues(story, case)
    yield date(2025, 10, 31)
    story.act("admin", RevokeRole, user_id=chen, grant_id=UUID(cover["grant_id"]))


def _hand_in_yield_table(story: Story, case: Case) -> None:
    """Handed in by the one who covers for the coordinator, which is remembered of him."""
    form = {"batch": "B-02", "started": 90, "passed_first_time": 84, "main_failures": "温控 4，电机 2"}
    content = f"{case.number} B-02 84/90".encode()
    story.act(
        "chen",
        AddEvidence,
        project_id=case.project_id,
        type="yield_table",
        file_name="B-02-yield.txt",
        sha256=story.keep(content),
        size_bytes=len(content),
        form=form,
        revision=case.revision,
    )


def _close_issues(story: Story, case: Case) -> None:
    engineer = case.who(Role.PROCESS_ENGINEER)
    for number, disposition in ((1, "B 版温控板连续运行 8 小时温升合格"), (2, "返修品隔离，复检流程已修订")):
        story.act(engineer, CloseIssue, project_id=case.project_id, number=number, disposition=disposition)


def _third_batch_begins(story: Story, case: Case) -> Generator[date, None, Case]:
    """28 of 30 so far; all papers but the outside test are in."""
    yield date(2025, 11, 3)
    asked = {"project_id": case.project_id, "planned_on": date(2025, 12, 1)}
    story.act(case.who(Role.COORDINATOR), PlanPanel, **asked)
    yield date(2025, 11, 10)
    finish_tracks(story, case)
    hand_in_gate(story, case, "G3", left_out={"accredited_test_report"})
    yield date(2025, 11, 12)
    defects = {"温控": 1, "外观": 1}
    begun: dict[str, Any] = {"is_closed": False, "is_conforming": None, "defects": defects}
    case = replace(case, last_batch=make_batch(story, case, 30, 28, **begun))
    measure(story, case, case.last_batch, 30)
    return case


def _what_is_owed(story: Story, case: Case) -> Steps:
    """The list of what the firm owes; then the food-contact report passes. On 21 November three things are open."""
    yield date(2025, 11, 14)
    expert = story.people["tang"].user_id
    coordinator = case.who(Role.COORDINATOR)
    story.act(coordinator, Assign, project_id=case.project_id, user_id=expert, role=Role.EXPERT)
    judge(story, case, "G3.2", "G3.6", "G3.10", "G3.11", "G3.12")
    yield date(2025, 11, 17)
    report = {**trial_forms.accredited_test_report(case, story.today)[0], "report_number": "SH-2291"}
    hand_in(story, case, "accredited_test_report", report)
    yield date(2025, 11, 18)
    story.act(coordinator, IssueNotice, project_id=case.project_id)
    yield date(2025, 11, 20)
    judge(story, case, "G3.13")


def _gate_three(story: Story, case: Case) -> Steps:
    """The third batch closes with 118 of 120, and the panel says go."""
    yield date(2025, 11, 24)
    engineer = case.who(Role.PROCESS_ENGINEER)
    record = trial_forms.batch_record(case, "B-03", date(2025, 11, 12), 120)
    hand_in(story, case, "batch_record", record)
    said = {"started": 120, "passed_first_time": 118, "reason": "本批完成", "defects": {"温控": 1, "外观": 1}}
    story.act(engineer, CorrectBatch, project_id=case.project_id, number="B-03", **said)
    story.act(engineer, CloseBatch, project_id=case.project_id, number="B-03", is_conforming=True)
    yield date(2025, 11, 25)
    judge(story, case, "G3.8")
    review = convene(story, case, "G3", planned_on=date(2025, 12, 1))
    yield date(2025, 12, 1)
    vote(story, case, "G3", review)
    propose(story, case, "G3", review, reason="三批试制达标，同意进入市场验证")
    yield date(2025, 12, 2)
    advance(story, case, "G3")


def _canteens(story: Story, case: Case) -> Steps:
    """Ten robots in each of three canteens."""
    yield date(2025, 12, 8)
    place(story, case)
    yield date(2026, 3, 20)
    report_use(story, case)
    yield date(2026, 4, 10)
    hand_in_gate(story, case, "G4")
    yield date(2026, 4, 24)
    review = convene(story, case, "G4")
    judge_gate(story, case, "G4")
    vote(story, case, "G4", review)
    propose(story, case, "G4", review, reason="三家食堂验证通过，已有付款订单")
    yield date(2026, 5, 6)
    advance(story, case, "G4")


def _handoff(story: Story, case: Case) -> Steps:
    """The plant runs at rate, both sides sign, and production begins."""
    yield date(2026, 5, 20)
    run_production(story, case)
    yield date(2026, 6, 5)
    hand_in_gate(story, case, "G5")
    yield date(2026, 6, 17)
    review = convene(story, case, "G5")
    judge_gate(story, case, "G5")
    vote(story, case, "G5", review)
    propose(story, case, "G5", review, reason="量产验证达标，同意结题")
    yield date(2026, 6, 30)
    decide(story, case, "G5", review)
    advance(story, case, "G5")
