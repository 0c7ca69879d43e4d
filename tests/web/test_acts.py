"""The page of a verb before its button, and the receipt behind it: facts, consequences, what was done by whom."""

from collections.abc import Callable

from models.states import ProjectState
from tests.factories import House, a_project, projects
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
