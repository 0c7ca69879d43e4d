import re
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import event

from lifecycle.projects.commands import PutOnHold
from models.states import ProjectState, Role
from tests.factories import TODAY, House, a_project, key, name_members, projects
from tests.web.browser import Browser, Page


@pytest.fixture
def project(house: House) -> str:
    """Give the number of a project in feasibility."""
    (made,) = projects(house, stage=ProjectState.FEASIBILITY)
    return number(house, made)


def number(house: House, project_id: UUID) -> str:
    """Return what people call a project."""
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


class TestTheBoard:
    def test_shows_each_project_in_the_column_of_its_stage(
        self, signed_in: Callable[..., Browser], project: str
    ) -> None:
        page = signed_in("coordinator").open("/board")

        before, _, after = page.text.partition(" Feasibility 1 ")
        assert project in after
        assert project not in before

    @pytest.mark.parametrize("login", ["stranger", "other.coordinator", "nobody"])
    def test_shows_nothing_of_others(self, signed_in: Callable[..., Browser], project: str, login: str) -> None:
        visitor = signed_in(login)

        assert project not in visitor.open("/board").text
        assert project not in visitor.open("/projects").text
        assert visitor.open(f"/projects/{project}").status == 404

    @pytest.mark.parametrize("login", ["project_lead", "fund_manager", "auditor", "receiver_lead", "operator"])
    def test_lists_exactly_what_may_be_opened(
        self, signed_in: Callable[..., Browser], project: str, login: str
    ) -> None:
        visitor = signed_in(login)

        is_listed = project in visitor.open("/projects").text

        assert (visitor.open(f"/projects/{project}").status == 200) == is_listed

    def test_asks_for_ones_own_alone_and_takes_the_filter_to_the_list(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        mine, other = projects(house, 2)
        name_members(house, mine, roles=(Role.QUALITY_ENGINEER,))
        visitor = signed_in("quality_engineer")
        visitor.open("/board?q=robot")

        found = visitor.follow("Only mine")
        listed = visitor.follow("List")

        assert (number(house, mine) in found.text, number(house, other) in found.text) == (True, False)
        assert listed.path == "/projects?q=robot&mine=true"
        assert (number(house, mine) in listed.text, number(house, other) in listed.text) == (True, False)

    def test_opens_on_a_phone_the_stages_where_somebody_is_named(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house)
        name_members(house, *projects(house, stage=ProjectState.FEASIBILITY), roles=(Role.QUALITY_ENGINEER,))

        own = opened_stages(signed_in("quality_engineer").open("/board"))
        of_who_is_named_nowhere = opened_stages(signed_in("lab_lead").open("/board"))

        assert own == ["feasibility"]
        assert of_who_is_named_nowhere == ["intake", "feasibility"]


def opened_stages(page: Page) -> list[str]:
    """Return the stages that the script leaves open on a narrow screen."""
    return re.findall(r'<details open data-mine>\s*<summary><h2 id="c-(\w+)"', page.answer.text)


class TestTheList:
    def test_goes_on_behind_the_last_number(self, house: House, signed_in: Callable[..., Browser]) -> None:
        made = projects(house, 52)
        visitor = signed_in("coordinator")

        first = visitor.open("/projects").text
        second = visitor.follow("Next page").text

        assert (number(house, made[49]) in first, number(house, made[50]) in first) == (True, False)
        assert (number(house, made[49]) in second, number(house, made[51]) in second) == (False, True)

    @pytest.mark.parametrize("party", ["sme", "platform", "programme", "lab"])
    def test_asks_for_what_one_party_owes_on_the_page_and_in_its_files_as_programs_do(
        self, house: House, signed_in: Callable[..., Browser], party: str
    ) -> None:
        projects(house, 1, pack="default")
        projects(house, 1, pack="lean")
        projects(house, 1, stage=ProjectState.IN_PRODUCTION)
        visitor = signed_in("coordinator")
        asked = visitor.ask("GET", f"/api/v1/projects?owed_by={party}").json()["data"]
        visitor.open("/projects")

        page = visitor.send("Filter", owed_by=party)

        numbers = {one["number"] for one in asked}
        assert {said for said, _ in page.links if said.startswith("PT-")} == numbers
        for form in ("json", "csv", "xlsx") if numbers else ():
            assert f"owed_by={party}" in page.link(form.upper())
        told = visitor.ask("GET", f"/projects.json?owed_by={party}").json()["data"]
        assert {one["number"] for one in told} == numbers

    def test_knows_only_parties(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("coordinator").open("/projects?owed_by=somebody").status == 422

    def test_costs_as_many_statements_for_fifty_as_for_five(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("auditor")
        projects(house, 5, pack="lean")
        few = _statements(house, visitor)
        projects(house, 50, pack="lean")

        assert _statements(house, visitor) == few

    def test_finds_by_a_part_of_the_name_and_takes_signs_as_they_are(
        self, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")

        assert project in visitor.open("/projects?q=ROBOT").text
        assert project not in visitor.open("/projects?q=%25").text


class TestAVerb:
    def test_is_confirmed_carried_out_and_receipted(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}")
        visitor.follow("hold")

        visitor.send("put on hold", code="partner", reason="the plant moves", until_on="2025-07-20")

        assert visitor.page.path.startswith("/receipts/")
        assert project in visitor.page.text
        ((hash_, door),) = house.rows("SELECT hash, door FROM audit_record WHERE action = 'project.hold'")
        assert hash_ in visitor.page.text
        assert door == "web"

    def test_says_every_reason_why_it_is_closed(self, signed_in: Callable[..., Browser], project: str) -> None:
        page = signed_in("coordinator").open(f"/projects/{project}/do/resume")

        assert "The project is not on hold" in page.text
        assert not [form for form in page.forms if form.action.endswith("/do/resume")]

    def test_keeps_what_was_typed_when_it_is_refused(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/do/hold")

        page = visitor.send("put on hold", code="partner", reason="the plant <moves>", until_on="2030-01-01")

        assert page.status == 409
        assert ("reason", "the plant <moves>") in page.form(page.path).fields
        assert "Nothing was changed" in page.text
        assert house.one("SELECT count(*) FROM hold") == 0

    def test_names_the_field_that_is_missing(self, signed_in: Callable[..., Browser], project: str) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/do/hold")

        page = visitor.send("put on hold", code="partner", reason="", until_on="2025-02-30")

        assert page.status == 422
        assert page.answer.text.count('aria-invalid="true"') == 2
        assert page.link("Reason") == "#f-reason"

    def test_that_is_sent_twice_is_done_once(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        form = visitor.open(f"/projects/{project}/do/hold").form("/do/hold")
        typed = {**dict(form.fields), "code": "partner", "reason": "once", "until_on": "2025-07-20"}
        same = {"sec-fetch-site": "same-origin"}

        answers = [visitor.ask("POST", form.action, data=typed, headers=same) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert answers[0].headers["location"] == answers[1].headers["location"]
        assert house.one("SELECT count(*) FROM hold") == 1

    def test_on_a_stale_page_shows_theirs_beside_ours_and_can_be_confirmed(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/do/plan-panel")
        made = UUID(house.one("SELECT id FROM project WHERE number = :n", n=project))
        hold = PutOnHold(
            command_id=key(), project_id=made, code="partner", reason="moved", until_on=TODAY.replace(day=20)
        )
        house.do(hold, by="second")

        page = visitor.send("plan the panel", planned_on="2025-07-18")

        assert page.status == 412
        assert "second put on hold" in page.text
        assert ("planned_on", "2025-07-18") in page.form(page.path).fields

    def test_of_another_door_is_not_found(self, signed_in: Callable[..., Browser], project: str) -> None:
        visitor = signed_in("coordinator")

        assert visitor.open(f"/projects/{project}/do/refresh").status == 404
        assert visitor.open(f"/projects/{project}/do/nonsense").status == 404
        assert visitor.open("/receipts/of-somebody-else").status == 404


class TestAPage:
    def test_speaks_the_language_that_was_chosen(self, signed_in: Callable[..., Browser], project: str) -> None:
        visitor = signed_in("coordinator", lang="zh-CN")
        assert "阶段看板" in visitor.open("/board").text

        page = visitor.send("English")

        assert "Stage board" in page.text
        assert page.answer.headers["content-language"] == "en"

    def test_has_headers_that_let_nothing_in(self, signed_in: Callable[..., Browser], project: str) -> None:
        answer = signed_in("coordinator").open(f"/projects/{project}").answer

        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
        assert " style=" not in answer.text
        assert "<style" not in answer.text


class TestWhatIsMissing:
    def test_is_called_by_its_title_wherever_the_page_says_it(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        one = a_project(house, pack="default")

        said = signed_in("coordinator").open(f"/projects/{one}").text

        assert "Not handed in yet" in said
        assert "sme_declaration" not in said

    @pytest.mark.parametrize(
        ("stage", "then"),
        [
            (ProjectState.FEASIBILITY, "the panel can be called"),
            (ProjectState.MARKET_VALIDATION, "the project can move on"),
        ],
    )
    def test_says_what_is_possible_once_it_is_there(
        self, house: House, signed_in: Callable[..., Browser], stage: ProjectState, then: str
    ) -> None:
        one = a_project(house, stage=stage, pack="lean")

        assert f" met, {then}." in signed_in("coordinator").open(f"/projects/{one}").text


def _statements(house: House, visitor: Browser) -> int:
    """Return how many statements the list of what firms owe sends."""
    path, counted = "/projects?owed_by=sme", []
    visitor.open(path)

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        counted.append(statement)

    event.listen(house.engine, "before_cursor_execute", note)
    try:
        assert visitor.open(path).status == 200
    finally:
        event.remove(house.engine, "before_cursor_execute", note)
    return len(counted)
