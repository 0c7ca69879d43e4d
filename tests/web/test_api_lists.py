"""Lists for programs: every kind of thing, by cursor, with the filters and the readers of the pages."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.states import ProjectState, Role
from tests import payments as pay
from tests.factories import House, projects
from tests.web.browser import Browser
from tests.web.test_api import Program
from web.api.rows import PARTS, RESOURCES

As = Callable[[str], Program]


@pytest.fixture
def as_(house: House, browser: Browser) -> As:
    """Give the program of somebody."""
    return lambda who: Program(house, browser, who)


def numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["number"] for one in answer.json()["data"]]


class TestAList:
    def test_goes_on_by_cursor_until_everything_was_told_once(self, house: House, as_: As) -> None:
        projects(house, 5)
        program, seen, path = as_("coordinator"), [], "projects?limit=2"
        while path:
            answer = program.get(path)
            seen += numbers(answer)
            following = answer.json()["next"]
            assert ("link" in answer.headers) == (following is not None)
            path = f"projects?limit=2&cursor={following}" if following else ""

        assert seen == sorted(row.number for row in house.rows("SELECT number FROM project"))
        assert len(seen) == 5

    def test_goes_the_other_way_too(self, house: House, as_: As) -> None:
        projects(house, 3)
        program = as_("coordinator")

        first = program.get("projects?sort=-number&limit=2")
        rest = program.get(f"projects?sort=-number&limit=2&cursor={first.json()['next']}")

        assert numbers(first) + numbers(rest) == sorted(numbers(program.get("projects")), reverse=True)

    def test_has_the_filters_of_the_page(self, house: House, as_: As) -> None:
        projects(house, 2)
        (later,) = projects(house, stage=ProjectState.FEASIBILITY)
        own = house.one("SELECT number FROM project WHERE id = :id", id=str(later))
        program = as_("coordinator")

        assert numbers(program.get("projects?stage=feasibility")) == [own]
        assert numbers(program.get(f"projects?q={own.lower()}")) == [own]
        assert len(numbers(program.get("projects?hold=false&overdue=false"))) == 3
        assert numbers(program.get("projects?hold=true")) == []
        assert set(program.get("projects?fields=number,stage").json()["data"][0]) == {"number", "stage"}

    def test_holds_nothing_that_is_foreign(self, house: House, as_: As) -> None:
        projects(house, 2)

        assert numbers(as_("stranger").get("projects")) == []
        assert numbers(as_("other coordinator").get("projects")) == []

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("limit=0", "value_wrong"),
            ("limit=201", "value_wrong"),
            ("limit=-1", "value_wrong"),
            ("limit=NaN", "value_wrong"),
            ("limit=٣", "value_wrong"),
            ("sort=name", "value_wrong"),
            ("stage=nowhere", "value_wrong"),
            ("platform_id=1", "value_wrong"),
            ("hold=1", "value_wrong"),
            ("q=%00", "value_wrong"),
            ("fields=number,password", "value_wrong"),
            ("owner=me", "field_unknown"),
            ("stage=intake&stage=stopped", "field_twice"),
        ],
    )
    def test_refuses_a_question_that_it_cannot_read(self, as_: As, query: str, code: str) -> None:
        answer = as_("coordinator").get(f"projects?{query}")

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["errors"][0]["pointer"] == f"/{query.split('=', maxsplit=1)[0]}"

    def test_refuses_a_cursor_that_is_forged_cut_or_of_another_list(self, house: House, as_: As) -> None:
        projects(house, 3)
        program = as_("coordinator")
        cursor = program.get("projects?limit=1").json()["next"]
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        forged = base64.urlsafe_b64encode(raw[:12] + b'"PT-9999-0001"').decode()

        for query in (
            f"limit=1&cursor={forged}",
            f"limit=1&cursor={cursor[:-2]}",
            "cursor=%E4%B8%AD",
            "cursor=x",
            f"cursor={'x' * 5000}",
            f"stage=intake&cursor={cursor}",
            f"sort=-number&cursor={cursor}",
        ):
            answer = program.get(f"projects?{query}")
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), query
            assert answer.json()["unmet"] == ["malformed", "cursor_wrong"]
        assert program.get(f"organisations?cursor={cursor}").status_code == 400
        assert program.get(f"projects?limit=2&cursor={cursor}").status_code == 200

    def test_of_money_is_for_who_reads_money(self, house: House, as_: As) -> None:
        made = pay.payouts(house, 2)

        assert len(numbers(as_("fund_manager").get("payouts?state=requested"))) == len(made)
        assert len(numbers(as_("finance_officer").get("payouts"))) == len(made)
        refused = as_("lab_lead").get("payouts")
        assert (refused.status_code, refused.json()["code"]) == (403, "role")

    def test_is_refused_without_anybody_and_with_a_token_for_something_else(self, browser: Browser) -> None:
        answer = browser.ask("GET", "/api/v1/projects", headers={"authorization": "Bearer pt_no"})

        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.fixture
def world(house: House) -> House:
    """Give a world in which money goes."""
    pay.payouts(house, 2)
    return house


class TestEveryKind:
    def test_is_listed_and_read_one_by_one_with_the_same_keys(self, world: House, browser: Browser) -> None:
        programs = {who: Program(world, browser, who) for who in (Role.AUDITOR, Role.OPERATOR)}
        told = set()

        for path, resource in RESOURCES.items():
            who = Role.AUDITOR if not resource.readers or Role.AUDITOR in resource.readers else Role.OPERATOR
            answer = programs[who].get(f"{path}?limit=3")
            assert answer.status_code == 200, (path, answer.text)
            for one in answer.json()["data"]:
                assert tuple(one) == resource.keys
                again = programs[who].get(f"{path}/{one['id']}")
                assert (again.status_code, again.json()) == (200, one)
                told.add(path)

        assert {"projects", "payouts", "funds", "milestones", "users", "grants", "tokens", "outbox", "payees"} <= told

    def test_has_parts_that_are_listed(self, world: House, browser: Browser) -> None:
        auditor, operator = (Program(world, browser, who) for who in (Role.AUDITOR, Role.OPERATOR))

        for (path, part), rows in PARTS.items():
            program = operator if path == "webhooks" else auditor
            found = program.get(f"{path}?limit=1").json()["data"]
            if found:
                answer = program.get(f"{path}/{found[0]['id']}/{part}?limit=2")
                assert answer.status_code == 200, (path, part, answer.text)
                assert {tuple(one) for one in answer.json()["data"]} <= {rows.resource.keys}
            assert program.get(f"{path}/00000000-0000-7000-8000-000000000000/{part}").status_code == 404


class TestTheTimeline:
    def test_of_a_project_tells_the_newest_act_first(self, house: House, as_: As) -> None:
        (made,) = projects(house, stage=ProjectState.FEASIBILITY)

        told = as_("coordinator").get(f"projects/{made}/timeline").json()["data"]

        assert [one["seq"] for one in told] == sorted((one["seq"] for one in told), reverse=True)
        own = house.rows("SELECT hash FROM v_audit WHERE object_id = :id", id=str(made))
        assert {row.hash for row in own} < {one["hash"] for one in told}
        assert as_("stranger").get(f"projects/{made}/timeline").status_code == 404


class TestTheLedger:
    def test_of_a_fund_goes_on_by_number(self, world: House, browser: Browser) -> None:
        pay.approve(world, UUID(world.one("SELECT min(id) FROM v_payout")))
        program = Program(world, browser, Role.AUDITOR)
        code = world.one("SELECT min(code) FROM v_fund WHERE id IN (SELECT fund_id FROM v_payout)")

        first = program.get(f"funds/{code}/ledger?limit=1").json()
        second = program.get(f"funds/{code}/ledger?limit=1&cursor={first['next']}").json()

        assert first["data"][0]["seq"] < second["data"][0]["seq"]
