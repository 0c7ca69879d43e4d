from uuid import UUID

import pytest

from models.states import ProjectState, Role
from tests.cli.conftest import Line
from tests.factories import House, a_project, batches, hand_in, projects, reviews, sign_contract


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

    def test_asks_nobody_to_judge_their_own_work(self, at_home: Line, house: House) -> None:
        lean = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
        hand_in(house, lean, by=Role.COORDINATOR)

        said = at_home("gate", "check", number_of(house, lean))
        refused = at_home(
            *("gate", "judge", number_of(house, lean), "G2.1"),
            *("--accept", "--reason", "mine", "--as", "coordinator"),
        )

        assert "platform coordinator second (other than coordinator)" in said.out
        assert "Owed by: platform coordinator second (other than coordinator)" in refused.err

    def test_says_how_a_level_is_claimed(self, at_home: Line, house: House) -> None:
        project = a_project(house, pack="default")
        row = {"scale": "trl", "item": "arm", "level": 4, "proof": "report"}
        hand_in(house, project, type="maturity_claim", levels=[row], assessed_on="2025-07-01")

        number = number_of(house, project)
        assert f"→ pilotway claim add-all {number} --level" in at_home("gate", "check", number).out

    def test_names_what_the_next_stage_asks_besides(self, at_home: Line, number: str) -> None:
        said = at_home("gate", "check", number)
        (entry,) = at_home("gate", "check", number, "--json").document["entry"]

        assert (entry["code"], entry["evidence"]) == ("quote_missing", "fee_and_capacity_quote")
        assert "Asked besides, on entry to Feasibility:" in said.out
        assert f"→ pilotway evidence add {number} fee_and_capacity_quote FILE" in said.out

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
        assert [line.split()[1] for line in lines if line.startswith("  欠缺 G")] == [
            f"G1.{place}" for place in range(1, 10)
        ]
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

    def test_shows_sentence_and_limits_in_full(self, at_home: Line, number: str) -> None:
        said = at_home("gate", "list", number, "--stage", "small_batch_trial", "--full")

        assert "at least 80 %" in said.out or "0.80" in said.out
        assert "bound=0.8" in said.out

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


class TestAUsedUpLimit:
    @pytest.fixture
    def used_up(self, house: House) -> str:
        project = a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
        sign_contract(house, project, stop_loss_batches=1)
        batches(house, project)
        return number_of(house, project)

    @pytest.mark.parametrize("asked", [("gate", "check"), ("project", "explain"), ("project", "show")])
    def test_is_shown_with_who_calls_the_panel(self, at_home: Line, used_up: str, asked: tuple[str, ...]) -> None:
        (due,) = at_home(*asked, used_up, "--json").document["stop_review"]
        said = at_home(*asked, used_up).err

        assert (due["code"], due["values"]) == ("stop_loss_batches", {"limit": 1, "used": 1})
        assert (due["party"], due["role"]) == ("platform", "coordinator")
        assert f"{used_up}  The agreed batches are used up (1 of 1); a stop review is due." in said

    def test_is_no_part_of_the_document_where_none_is(self, at_home: Line, number: str) -> None:
        assert at_home("gate", "check", number, "--json").document["stop_review"] == []
        assert "stop review" not in at_home("gate", "check", number).err


class TestTodo:
    def test_lists_what_the_acting_person_owes_the_soonest_first(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, pack="default"))
        passed = number_of(house, a_project(house))

        owed = at_home("project", "todo", "--as", "coordinator", "--json").document["data"]

        days = [row["due_on"] or "9999" for row in owed]
        assert [(row["number"], row["title"]) for row in owed[-1:]] == [(passed, "Advance")]
        assert {row["number"] for row in owed[:-1]} == {number}
        assert days == sorted(days)
        assert owed[-2]["reason"] == "The platform's quote of fee and capacity is missing."
        assert "G1.2" in {
            row["clause"] for row in at_home("project", "todo", "--as", "project_lead", "--json").document["data"]
        }
        assert at_home("project", "todo", "--as", "stranger", "--json").document["data"] == []

    def test_lists_the_vote_that_a_panel_waits_for(self, at_home: Line, house: House) -> None:
        reviews(house, state="scoring")

        assert [row[3:5] for row in at_home("project", "todo", "--as", "expert.market").rows] == [
            ["G2", "Score and vote"]
        ]

    def test_leaves_out_what_somebody_else_must_judge(self, at_home: Line, house: House) -> None:
        hand_in(house, a_project(house, stage=ProjectState.FEASIBILITY, pack="lean"), by=Role.COORDINATOR)

        assert "G2.1" not in at_home("project", "todo", "--as", "coordinator").out
        assert "G2.1" in at_home("project", "todo", "--as", "second").out

    def test_wants_to_know_who_asks(self, at_home: Line) -> None:
        assert at_home("project", "todo", "--json").code == 4


class TestHandingIn:
    def test_says_what_is_open_before_it_is_frozen_and_how_to_go_back(self, at_home: Line, number: str) -> None:
        handed_in = at_home("project", "submit", number, "--as", "project_lead")
        call = ("review", "call", number, "--on", "today", "--member", "expert:expert:technical", "--as", "coordinator")
        called = at_home(*call)
        late = at_home("claim", "add", number, "trl", "arm", "4", "--as", "project_lead")

        assert "Still open: G1.1, G1.2" in handed_in.err
        assert "The platform's quote of fee and capacity is missing." in handed_in.err
        assert f"cancel the review first: pilotway review cancel {number}" in called.err
        assert f"Try: pilotway review cancel {number}" in late.err
