"""The page of a verb before its button, and the receipt behind it: facts, consequences, what was done by whom."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lifecycle.projects.commands import Recycle
from lifecycle.requirements.commands import AnswerNotice, IssueNotice
from lifecycle.trials.commands import CorrectBatch
from models.states import ProjectState, Role
from tests.factories import House, a_project, batches, key, projects
from tests.web.browser import Browser
from tests.web.test_projects import number


class TestThePageOfAVerb:
    def test_says_where_the_project_stands_what_is_written_and_what_the_button_does(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)
        visitor = signed_in("coordinator")

        page = visitor.open(f"/projects/{number(house, made)}/do/advance")

        assert "project: “Feasibility” → “Small-batch trial”" in page.text
        assert "Nothing is missing" in page.text
        assert "Messages go out: project advanced" in page.text
        done = visitor.send("move on to “Small-batch trial”", reason="the gate is met")
        assert done.path.startswith("/receipts/")

    def test_lists_what_is_missing_before_a_stage_is_handed_in(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        made = a_project(house, pack="default")

        page = signed_in("project_lead").open(f"/projects/{number(house, made)}/do/submit")

        (form,) = (one for one in page.forms if one.action.endswith("/do/submit"))
        (button,) = form.buttons
        count = int("".join(filter(str.isdigit, button[0])))
        assert count > 0
        assert f"Still missing: {count}" in page.text
        assert "G1.1" in page.text

    def test_says_what_a_hold_stops_and_for_how_long_at_most(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)

        page = signed_in("coordinator", lang="zh-CN").open(f"/projects/{number(house, made)}/do/hold")

        assert "最长 90 个自然日" in page.text
        assert "暂停项目" in page.text


class TestAReceipt:
    def test_says_the_figures_before_and_after_a_correction_and_why(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL)
        batches(house, made, started=50, passed=48)
        once = CorrectBatch(
            command_id=key(),
            project_id=made,
            number="B-01",
            started=50,
            passed_first_time=47,
            reason="one was sorted twice",
        )
        house.do(once, by=Role.PROJECT_LEAD)

        page = signed_in("project_lead").open(f"/receipts/{once.command_id}")

        assert "48 → 47" in page.text
        assert "one was sorted twice" in page.text
        assert page.text.index("47") < page.text.index(once.command_id)

    @pytest.mark.parametrize(("login", "status"), [("auditor", 200), ("coordinator", 200), ("stranger", 404)])
    def test_is_opened_by_who_may_read_what_it_is_about_and_names_who_did_it(
        self, house: House, signed_in: Callable[..., Browser], login: str, status: int
    ) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)
        doer = signed_in("second")
        doer.open(f"/projects/{number(house, made)}/do/hold")
        path = doer.send("put on hold", code="partner", reason="the plant moves", until_on="2025-07-20").path

        page = signed_in(login).open(path)

        assert page.status == status
        for said in ("By second", "the plant moves", "2025-07-20"):
            assert (said in page.text) == (status == 200)

    def test_says_from_where_to_where_and_what_comes_next(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{number(house, made)}/do/advance")

        page = visitor.send("move on to “Small-batch trial”", reason="all is there")

        assert "Feasibility → Small-batch trial" in page.text
        assert "all is there" in page.text
        assert "The project is in “Small-batch trial” now" in page.text


class TestACompletionNotice:
    def test_is_read_before_it_is_sent_and_names_what_the_next_stage_asks_too(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        made = a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        coordinator = signed_in("coordinator")

        before = coordinator.open(f"/projects/{number(house, made)}/do/notice-issue")
        (form,) = (one for one in before.forms if one.action.endswith("/do/notice-issue"))
        (button,) = form.buttons
        receipt = coordinator.send(button[0])
        sent = coordinator.follow("See what was made")

        assert receipt.path.startswith("/receipts/")
        assert sent.path.endswith("/notice/1")
        for page in (before, sent):
            assert "signed trial agreement" in page.text
            assert "The trial agreement is missing" in page.text
        kept = json.loads(house.one("SELECT clauses FROM completion_notice"))
        assert "trial_agreement_signed" in kept
        assert f"({len(kept)} items, due " in button[0]
        assert sent.text.count("All of them are due on") == 1

    def test_is_answered_with_what_is_there_and_never_called_complete_before(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        made = a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        house.do(IssueNotice(command_id=key(), project_id=made), by=Role.COORDINATOR)
        many = len(json.loads(house.one("SELECT clauses FROM completion_notice")))
        lead = signed_in("project_lead", lang="zh-CN")

        before = lead.open(f"/projects/{number(house, made)}/do/notice-answer")
        receipt = lead.send(f"答复（{many} 项中已补 0 项）")
        after = lead.open(f"/my/{number(house, made)}")

        assert f"还有 {many} 项未补" in before.text
        assert f"所列 {many} 项已补 0 项" in receipt.text
        assert f"已答复（0/{many} 项已补）" in after.text
        assert "已补正" not in after.text

    def test_has_one_deadline_for_all_that_it_lists(self, house: House, signed_in: Callable[..., Browser]) -> None:
        made = a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        house.do(IssueNotice(command_id=key(), project_id=made), by=Role.COORDINATOR)
        due = house.one("SELECT due_on FROM completion_notice")

        text = signed_in("project_lead").open(f"/my/{number(house, made)}").text

        assert set(
            re.findall(r"due (\d{4}-\d\d-\d\d)", text.partition("for others")[0].partition("Completion notices")[0])
        ) == {due}

    def test_has_that_deadline_on_the_page_of_the_gate_and_of_each_clause(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        made = a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        house.later(days=5)
        house.do(IssueNotice(command_id=key(), project_id=made), by=Role.COORDINATOR)
        due, kept = house.rows("SELECT due_on, clauses FROM completion_notice")[0]
        own = house.one("SELECT due_on FROM stage_run WHERE closed_on IS NULL")
        lead, ref = signed_in("project_lead"), number(house, made)

        gate = lead.open(f"/projects/{ref}/gate").text.partition("on entry")[0]
        page = lead.open(f"/projects/{ref}/gate/G3.4").text

        assert "G3.4" in kept
        assert own != due
        assert f"due {due}" in gate.partition("G3.4 ")[2].partition("G3.5 ")[0]
        assert (f"due {due}" in page, f"due {own}" in page) == (True, False)

    def test_lapses_with_the_visit_in_which_it_was_written(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        made = a_project(house, pack="default", stage=ProjectState.SMALL_BATCH_TRIAL)
        ref = number(house, made)
        issue = IssueNotice(command_id=key(), project_id=made)
        house.do(issue, by=Role.COORDINATOR)
        back = Recycle(command_id=key(), project_id=made, code="design", reason="x", target=ProjectState.FEASIBILITY)
        house.do(back, by=Role.COORDINATOR)
        lead = signed_in("project_lead")

        old, desk = lead.open(f"/my/{ref}/notice/1"), lead.open(f"/my/{ref}")
        (late,) = house.ask(AnswerNotice(command_id=key(), project_id=made), by=Role.PROJECT_LEAD)
        house.do(replace(issue, command_id=key()), by=Role.COORDINATOR)
        fresh = lead.open(f"/my/{ref}")

        for page in (old, desk):
            assert "that visit of the stage is over; no answer is asked any more" in page.text
        assert "of 0 there" not in old.text
        assert late.error is not None
        assert late.error.codes == ("no_notice_open",)
        assert "/do/notice-answer" not in desk.answer.text
        assert "/do/notice-answer" in fresh.answer.text


class TestSendingBack:
    def test_offers_this_stage_and_earlier_ones_alone(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (made,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL)

        page = signed_in("coordinator").open(f"/projects/{number(house, made)}/do/recycle")

        select = page.answer.text.partition('name="target"')[2].partition("</select>")[0]
        assert re.findall(r'value="(\w+)"', select) == ["small_batch_trial", "feasibility", "intake"]

    def test_ahead_is_refused_with_the_real_reason(self, house: House) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)
        for target in (ProjectState.HANDOFF, ProjectState.STOPPED):
            ahead = Recycle(command_id=key(), project_id=made, code="design", reason="why", target=target)

            (answer,) = house.ask(ahead, by=Role.COORDINATOR)

            assert answer.error is not None
            assert answer.error.codes == ("recycle_target_wrong",)


class TestAnApplication:
    def test_is_taken_in_for_ones_own_platform_alone(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        page = visitor.open("/projects/new")
        select = page.answer.text.partition('name="platform_id"')[2].partition("</select>")[0]
        own = str(house.parties["platform"])

        typed = {
            "name": "Robot",
            "organisation_id": str(house.parties["sme"]),
            "programme_id": str(house.programmes["lean"]),
        }
        left_empty = visitor.send("register", **typed, platform_id="")
        elsewhere = visitor.send("register", **typed, platform_id=key_of_another(house, own))

        assert re.findall(r'value="([\w-]+)"', select) == [own]
        assert f'value="{own}" selected' in select
        assert left_empty.status == 422
        assert elsewhere.status == 403
        assert "This needs one of these roles" in elsewhere.text.partition('name="platform_id"')[0]
        assert visitor.send("register", **typed, platform_id=own).path.startswith("/receipts/")


def key_of_another(house: House, own: str) -> str:
    """Return another platform."""
    return str(house.one("SELECT id FROM organisation WHERE kind = 'platform' AND id <> :own", own=own))


class TestACorrectionOfABatch:
    def test_begins_with_all_figures_that_stand_and_loses_none(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL)
        batches(house, made, started=50, passed=48, defects={"solder": 2}, cost_minor=123_400, currency="CNY")
        lead = signed_in("project_lead")

        page = lead.open(f"/projects/{number(house, made)}/do/trial-batch-correct?number=B-01")
        receipt = lead.send("correct a batch", passed_first_time="47", reason="one was sorted twice")

        assert "solder=2" in page.text
        assert "48 → 47" in receipt.text
        row = "SELECT started, passed_first_time, defects, cost_minor, currency FROM batch_figure WHERE entry_no = 2"
        ((started, passed, defects, cost, currency),) = house.rows(row)
        assert (started, passed, json.loads(defects), cost, currency) == (50, 47, {"solder": 2}, 123_400, "CNY")

    def test_and_its_closing_show_the_figures_of_the_batch(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL)
        batches(house, made, started=50, passed=48)

        page = signed_in("project_lead").open(f"/projects/{number(house, made)}/do/trial-batch-close?number=B-01")

        assert "B-01" in page.text
        assert "50" in page.text.partition("What is known")[2]
        assert "48" in page.text.partition("What is known")[2]


class TestWhatIsToBeMended:
    def test_in_a_paper_is_named_all_at_once(self, house: House, signed_in: Callable[..., Browser]) -> None:
        made = a_project(house, pack="default")
        lead = signed_in("project_lead")
        lead.open(f"/projects/{number(house, made)}/do/evidence-add?type=licence")

        page = lead.send("Hand in")

        assert page.status == 422
        assert page.link("Missing: File") == "#f-file"
        assert "File: Missing" not in page.text
        assert page.answer.text.count('class="field err"') > 1

    def test_names_no_verb_that_nothing_waits_for_before_the_others(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)

        page = signed_in("coordinator").open(f"/projects/{number(house, made)}")

        shown, _, folded = page.text.partition("What you can do now")[2].partition("put on hold")
        assert "The project is not on hold" not in shown
        assert "The firm has not submitted the stage" in shown + folded
