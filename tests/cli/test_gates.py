from uuid import UUID

import pytest

from models.states import ProjectState
from tests.cli.conftest import Line
from tests.factories import House, a_project, projects


def number_of(house: House, project_id: UUID) -> str:
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


@pytest.fixture
def number(house: House) -> str:
    """Give the number of a project that the default standard asks nine things of."""
    return number_of(house, a_project(house, pack="default"))


class TestCheck:
    def test_ends_with_3_and_names_every_requirement(self, at_home: Line, number: str) -> None:
        said = at_home("gate", "check", number, "--json")

        gate = said.document
        assert said.code == 3
        assert (gate["number"], gate["stage"], gate["target"], gate["gate"]) == (number, "intake", "feasibility", "G1")
        assert [one["clause"] for one in gate["requirements"]] == [f"G1.{place}" for place in range(1, 10)]
        assert (gate["met"], gate["asked"]) == (0, 9)

    def test_names_who_owes_it_until_when(self, at_home: Line, number: str) -> None:
        (first, *_) = at_home("gate", "check", number, "--json").document["requirements"]

        assert first["owed_by"] == [{"party": "sme", "role": "project_lead", "people": ["project_lead"]}]
        assert first["due_on"] == "2025-07-08"
        assert (first["verdict"], first["code"]) == ("missing", "evidence_missing")

    def test_ends_with_0_when_nothing_is_asked(self, at_home: Line, house: House) -> None:
        said = at_home("gate", "check", number_of(house, a_project(house)), "--json")

        assert (said.code, said.document["is_met"]) == (0, True)

    def test_of_an_ended_project_asks_nothing(self, at_home: Line, house: House) -> None:
        done = a_project(house, stage=ProjectState.IN_PRODUCTION)

        said = at_home("gate", "check", number_of(house, done), "--json")

        assert (said.code, said.document["target"], said.document["requirements"]) == (0, None, [])

    def test_says_to_a_pipe_what_it_says_to_people(self, at_home: Line, number: str) -> None:
        head, *lines = at_home("gate", "check", number, "--lang", "zh-CN").out.splitlines()

        assert head.startswith(f"{number} robot")
        assert head.endswith("  受理 → 可行性  0/9  default@2026.1")
        assert [line.split()[1] for line in lines if "MISS" in line] == [f"G1.{place}" for place in range(1, 10)]
        assert "未提交  企业 项目负责人 project_lead  2025-07-08" in lines[0]

    def test_of_all_judges_every_open_project(self, at_home: Line, house: House) -> None:
        projects(house, 2, pack="default")
        a_project(house)
        a_project(house, stage=ProjectState.IN_PRODUCTION)

        said = at_home("gate", "check", "--all", "--json")

        assert said.code == 3
        assert [gate["is_met"] for gate in said.document["data"]] == [False, False, True]
        assert said.err == "Projects checked: 3, with something unmet: 2.\n"

    def test_of_all_is_a_document_also_when_there_is_none(self, at_home: Line) -> None:
        said = at_home("gate", "check", "--all", "--json")

        assert (said.code, said.document) == (0, {"data": []})

    def test_wants_a_project_or_all(self, at_home: Line, number: str) -> None:
        assert at_home("gate", "check").code == 2
        assert at_home("gate", "check", number, "--all").code == 2


class TestList:
    def test_shows_what_a_stage_asks(self, at_home: Line, number: str) -> None:
        rows = at_home("gate", "list", number, "--stage", "small_batch_trial", "--json").document["data"]

        assert len(rows) == 14
        assert rows[3]["clause"] == "G3.4"
        assert rows[3]["parameters"]["bound"] == 0.8

    def test_refuses_a_stage_that_is_none(self, at_home: Line, number: str) -> None:
        said = at_home("gate", "list", number, "--stage", "lunch", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "no_such_stage")


class TestWhy:
    def test_ends_with_3_and_every_reason(self, at_home: Line, number: str) -> None:
        said = at_home("project", "why", number, "advance", "--as", "coordinator", "--json")

        (answer,) = said.document["data"]
        assert (said.code, answer["allowed"]) == (3, False)
        assert sum(reason["code"] == "gate_unmet" for reason in answer["reasons"]) == 9

    def test_ends_with_0_for_what_is_possible(self, at_home: Line, number: str) -> None:
        said = at_home("project", "why", number, "submit", "--as", "project_lead", "--json")

        assert (said.code, said.document["data"][0]["reasons"]) == (0, [])

    def test_judges_the_facts_alone_when_nobody_asks(self, at_home: Line, number: str) -> None:
        said = at_home("project", "why", number, "submit", "--json")

        assert said.code == 0
        assert "Nobody asks" in said.err

    @pytest.mark.parametrize("typed", [("batch", "add"), ("batch add",), ("trial_batch.add",)])
    def test_takes_a_verb_as_people_and_programs_name_it(
        self, at_home: Line, number: str, typed: tuple[str, ...]
    ) -> None:
        said = at_home("project", "why", number, *typed, "--as", "process_engineer", "--json")

        assert said.document["data"][0]["verb"] == "trial_batch.add"

    @pytest.mark.parametrize("typed", ["dance", "add"])
    def test_refuses_a_verb_that_is_none_and_names_those_that_are(self, at_home: Line, number: str, typed: str) -> None:
        (reason,) = at_home("project", "why", number, typed, "--json").document["error"]["reasons"]

        assert reason["code"] == "verb_unknown"
        assert {"advance", "extend-hold", "evidence add", "gate judge", "batch close"} <= set(reason["values"]["known"])


class TestExplain:
    def test_asks_every_verb_of_the_project(self, at_home: Line, number: str) -> None:
        said = at_home("project", "explain", number, "--as", "coordinator", "--json")

        assert said.code == 0
        assert {"advance", "recycle", "submit", "withdraw", "stop"} <= {one["name"] for one in said.document["data"]}

    def test_hides_what_is_out_of_reach(self, at_home: Line, number: str) -> None:
        said = at_home("project", "explain", number, "--as", "stranger", "--json")

        assert (said.code, said.document["error"]["code"]) == (3, "not_found")
