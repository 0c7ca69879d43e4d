import shutil
from pathlib import Path
from uuid import UUID

import pytest

from lifecycle.standards.library import PACKS
from models.states import ProjectState
from tests.cli.conftest import Line
from tests.factories import House, a_project, projects, put_on_hold, reviews, submitted


def number_of(house: House, project_id: UUID) -> str:
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


class TestUser:
    def test_is_added_granted_shown_and_disabled(self, at_home: Line) -> None:
        by = ("--as", "admin")
        at_home("user", "add", "li", "--email", "li@example.org", "--name", "李工", *by)
        at_home("user", "role", "add", "li", "project_lead", "--at", "sme", *by)

        ((login, role, organisation, grant_id),) = at_home("user", "role", "list", "li").rows

        assert (login, role, organisation) == ("li", "project lead", "sme")
        assert at_home("user", "role", "remove", "li", grant_id, *by).code == 0
        assert at_home("user", "role", "list", "li").rows == []
        assert at_home("user", "disable", "li", *by).code == 0

    def test_is_listed_with_what_it_may_be_named_for(self, at_home: Line) -> None:
        listed = {row[0]: row[2:4] for row in at_home("user", "list").rows}

        assert listed["expert.market"][1] == "market"
        assert listed["coordinator"] == ["coordinator", ""]

    def test_may_be_a_second_account_of_the_same_human(self, at_home: Line, house: House) -> None:
        at_home(
            *("user", "add", "li2", "--email", "li2@example.org", "--name", "李工"),
            *("--same-person-as", "project_lead", "--as", "admin"),
        )

        assert house.one("SELECT COUNT(DISTINCT person_id) FROM app_user WHERE login IN ('li2', 'project_lead')") == 1

    def test_gets_a_token_that_is_shown_once(self, at_home: Line, house: House) -> None:
        said = at_home("user", "token", "coordinator", "--as", "admin")

        text = said.out.strip()
        assert text.startswith("pt_")
        assert house.one("SELECT COUNT(*) FROM api_token") == 1
        assert not house.rows("SELECT 1 FROM audit_record WHERE body LIKE :text", text=f"%{text}%")
        assert not house.rows("SELECT 1 FROM command_record WHERE answer LIKE :text", text=f"%{text}%")

    def test_is_no_matter_for_others(self, at_home: Line) -> None:
        said = at_home("user", "add", "x", "--email", "x@example.org", "--name", "x", "--as", "coordinator", "--json")

        assert (said.code, said.document["error"]["unmet"]) == (3, ["role"])


class TestOrganisation:
    def test_is_refused_with_a_wrong_credit_code(self, at_home: Line) -> None:
        said = at_home(
            "organisation",
            "add",
            "味道智能",
            "--kind",
            "sme",
            "--credit-code",
            "914403001922038217",
            "--as",
            "admin",
            "--json",
        )

        assert (said.code, said.document["error"]["code"]) == (3, "credit_code_wrong")

    def test_is_tied_to_another(self, at_home: Line, house: House) -> None:
        said = at_home(
            "organisation",
            "tie",
            "sme",
            "customer",
            "--share-basis-points",
            "2500",
            "--common-control",
            "--as",
            "admin",
        )

        assert said.code == 0
        assert house.rows("SELECT share_basis_points, is_common_control FROM organisation_tie") == [(2500, 1)]

    def test_is_put_right_and_what_was_judged_by_it_is_sound(self, at_home: Line, house: House) -> None:
        a_project(house, pack="default")
        right = ("--credit-code", "914403001922038216", "--name", "味道智能", "--reason", "as licensed")

        said = at_home("organisation", "correct", "sme", *right, "--as", "coordinator")

        assert said.code == 0
        assert house.rows("SELECT name FROM organisation WHERE credit_code = '914403001922038216'") == [("味道智能",)]
        assert at_home("check").code == 0

    def test_that_two_bear_by_name_must_be_named_by_code_or_id(self, at_home: Line) -> None:
        at_home("organisation", "add", "sme", "--kind", "sme", "--as", "admin")

        said = at_home(
            "project", "new", "robot", "--programme", "bare", "--firm", "sme", "--as", "coordinator", "--json"
        )

        assert (said.code, said.document["error"]["code"]) == (2, "ambiguous")


class TestProgramme:
    def test_asks_for_a_published_standard(self, at_home: Line) -> None:
        at_home(
            "programme",
            "add",
            "P9",
            "--name",
            "九号",
            "--standard",
            "default@2026.1",
            "--organisation",
            "funder",
            "--as",
            "admin",
        )

        assert ["P9", "九号", "default@2026.1", "funder"] in at_home("programme", "list").rows


class TestProject:
    def test_list_says_where_each_stands(self, at_home: Line, house: House) -> None:
        held, _ = projects(house, 2)
        a_project(house, stage=ProjectState.FEASIBILITY)
        put_on_hold(house, held)

        rows = at_home("project", "list", "--json").document["data"]

        assert [row["stage"] for row in rows] == ["intake", "intake", "feasibility"]
        assert [row["is_on_hold"] for row in rows] == [True, False, False]
        assert [row[0] for row in at_home("project", "list", "--on-hold").rows] == [number_of(house, held)]
        assert len(at_home("project", "list", "--stage", "feasibility").rows) == 1

    def test_list_of_overdue_ones_looks_at_the_day(self, at_home: Line, house: House) -> None:
        a_project(house, pack="default")

        assert at_home("project", "list", "--overdue").rows == []
        assert len(at_home("project", "list", "--overdue", "--now", "2025-12-01T01:00:00Z").rows) == 1

    def test_show_tells_its_visits_people_and_history(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, stage=ProjectState.FEASIBILITY))
        at_home("project", "assign", number, "project_lead", "project_lead", "--as", "coordinator")

        found = at_home("project", "show", number.lower(), "--json").document

        assert [visit["state"] for visit in found["visits"]] == ["passed", "open"]
        assert [person["login"] for person in found["people"]] == ["project_lead"]
        assert [move["event"] for move in found["history"]] == ["register", "advance"]

    def test_brought_in_from_elsewhere_gets_its_day_of_receipt(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default"))
        right = ("--received", "2025-03-01", "--reason", "its letter")

        said = at_home("project", "correct", number, *right, "--as", "coordinator")

        assert said.code == 0
        assert house.one("SELECT received_on FROM project") == "2025-03-01"
        assert at_home("check").code == 0

    def test_history_tells_acts_reasons_and_refusals(self, at_home: Line, house: House) -> None:
        number = number_of(house, submitted(house)[0])
        recycle = ("project", "recycle", number, "--code", "design", "--reason", "overheats")
        at_home(*recycle, "--as", "project_lead")
        at_home(*recycle, "--as", "coordinator")

        rows = at_home("project", "history", number).rows

        assert [row[3:5] for row in rows if row[3].startswith("judge")] == [
            ["judge the requirement", "G2.1"],
            ["judge the requirement", "G2.2"],
        ]
        assert [(row[2], row[3], row[7]) for row in rows[-2:]] == [
            ("project_lead", "recycle (refused)", "lacks the role"),
            ("coordinator", "recycle", "overheats"),
        ]

    def test_history_is_told_page_by_page_and_nothing_twice(self, at_home: Line, house: House) -> None:
        number, after, told = number_of(house, submitted(house)[0]), 0, []
        whole = [row["seq"] for row in at_home("project", "history", number, "--json").document["data"]]
        while after is not None:
            page = at_home("project", "history", number, "--limit", "2", "--after", str(after), "--json").document
            told += [row["seq"] for row in page["data"]]
            after = page["next"]

        assert told == whole
        assert len(told) > 5

    @pytest.mark.parametrize(("login", "code"), [("auditor", 0), ("sponsor", 0), ("stranger", 3), ("nobody", 3)])
    def test_history_is_for_those_who_may_see_the_project(
        self, at_home: Line, house: House, login: str, code: int
    ) -> None:
        number = number_of(house, a_project(house))

        assert at_home("project", "history", number, "--as", login).code == code

    def test_is_put_on_hold_and_resumed(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house))
        hold = ("project", "hold", number, "--code", "partner", "--reason", "waiting", "--as", "coordinator")

        assert at_home(*hold, "--until", "2025-08-01").code == 0
        said = at_home("project", "advance", number, "--reason", "ready", "--as", "coordinator")
        assert "on hold (waiting for a partner) until 2025-08-01" in said.err
        assert at_home("project", "resume", number, "--reason", "found", "--as", "coordinator").code == 0

    def test_goes_back_to_a_named_stage(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL))

        said = at_home(
            *("project", "recycle", number, "--code", "design", "--reason", "overheats"),
            *("--to", "feasibility", "--as", "coordinator", "--json"),
        )

        assert said.document["state"] == "feasibility"


class TestReview:
    @pytest.fixture
    def number(self, house: House) -> str:
        """Give the number of a project whose gate is met and that was handed in."""
        return number_of(house, submitted(house)[0])

    def test_goes_from_call_to_decision(self, at_home: Line, number: str) -> None:
        steps = [
            (
                *("review", "call", number, "--on", "today", "--as", "coordinator"),
                *("--member", "panel_chair:panel_chair:technical:chair", "--member", "expert:expert:technical"),
                *("--member", "expert.market:expert:market"),
            ),
            ("review", "open", number, "--as", "panel_chair"),
            *(
                ("review", "score", number, "--points", "merit=8", "--vote", "go", "--as", login)
                for login in ("panel_chair", "expert", "expert.market")
            ),
            ("review", "propose", number, "--outcome", "go", "--reason", "as voted", "--as", "panel_chair"),
        ]

        assert [(said.code, said.err) for said in (at_home(*step, "-q") for step in steps)] == [(0, "")] * len(steps)
        found = at_home("review", "show", f"{number}/G2", "--json").document
        assert (found["gate"], found["outcome"], found["state"]) == ("G2", "go", "proposed")
        assert {seat["vote"] for seat in found["panel"]} == {"go"}

    def test_hears_nobody_who_stepped_aside_and_says_what_is_lost(self, at_home: Line, house: House) -> None:
        (project,), _ = reviews(house, state="scoring")
        number = number_of(house, project)
        for login, points in (("expert.market", "2"), ("panel_chair", "8")):
            at_home("review", "score", number, "--points", f"merit={points}", "--vote", "go", "--as", login)

        at_home("review", "recuse", number, "--reason", "my brother owns it", "--as", "expert.market")

        found = at_home("review", "show", number, "--json").document
        assert [(score["mean"], score["voters"]) for score in found["scores"]] == [(8.0, 1)]
        assert found["competences_lost"] == ["market"]

    def test_is_found_by_its_project(self, at_home: Line, house: House) -> None:
        (project,), (review,) = reviews(house)

        assert at_home("review", "show", number_of(house, project), "--json").document["id"] == str(review)
        assert [row[-1] for row in at_home("review", "list").rows] == [str(review)]

    def test_refuses_a_seat_that_cannot_be_read(self, at_home: Line, number: str) -> None:
        said = at_home("review", "call", number, "--on", "today", "--member", "expert", "--as", "coordinator", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "value_wrong")


class TestStandard:
    def test_that_comes_with_the_program_is_sound(self, line: Line) -> None:
        said = line("standard", "lint", "default@2026.1", "--json")

        assert (said.code, said.document) == (0, {"data": []})

    def test_shows_its_57_criteria(self, line: Line) -> None:
        assert len(line("standard", "show").rows) == 57

    def test_that_was_published_here_is_shown_like_the_others(self, at_home: Line) -> None:
        published = {
            f"{row['code']}@{row['version']}" for row in at_home("standard", "list", "--json").document["data"]
        }
        (lean,) = (name for name in published if name.startswith("lean@"))

        said = at_home("standard", "show", lean, "--stage", "feasibility", "--full")

        assert "judged by  coordinator" in said.out
        assert at_home("standard", "show", "wish@2026.1").code == 2

    def test_is_simulated_on_the_projects_of_another_one(self, at_home: Line, house: House) -> None:
        (project,) = submitted(house)

        said = at_home("standard", "simulate", "default@2026.1", "--base", "lean@2026.1", "--json")

        told = {row["clause"]: row for row in said.document["data"] if row["gates_judged"] == "present"}
        assert (said.code, told["G2.3"]["newly_failing"], told["G2.3"]["projects_failing"]) == (
            0,
            1,
            [number_of(house, project)],
        )
        assert (told["G2.1"]["newly_failing"], told["G2.1"]["clause"]) == (1, "G2.1")
        assert at_home("standard", "simulate", "wish@2026.1").code == 2

    def test_that_asks_for_less_is_no_layer(self, line: Line) -> None:
        said = line("standard", "diff", "default@2026.1", "bare@2026.1", "--json")

        assert said.code == 3
        assert said.document["data"]

    def test_that_loosens_its_base_does_not_pass_lint(self, line: Line, tmp_path: Path) -> None:
        shutil.copy(PACKS / "hardware-v3.2" / "pack.yaml", tmp_path)
        (tmp_path / "small_batch_trial.yaml").write_text("stage: {id: small_batch_trial, default_days: 20}\n")

        said = line("standard", "lint", str(tmp_path), "--json")

        assert said.code == 3
        assert [one["code"] for one in said.document["data"]] == ["loosened"]

    def test_that_nobody_published_is_a_mistake(self, line: Line) -> None:
        said = line("standard", "lint", "wish@2026.1", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "standard_unknown")
