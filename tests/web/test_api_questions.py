"""What a list can be asked besides its filters: an order, what rows bring along, how many there are, what changed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from sqlmodel import Session

from lifecycle.projects.commands import PutOnHold
from lifecycle.projects.queries import gates
from models.db import reading
from models.states import ProjectState, Role
from tests import payments as pay
from tests.factories import House, key, projects, reviews
from tests.models.test_plans import sent
from tests.web.browser import Browser
from tests.web.conftest import console_of
from tests.web.test_api import Program
from web.api.rows import RESOURCES

As = Callable[[str], Program]


@pytest.fixture
def as_(house: House, browser: Browser) -> As:
    """Give the program of somebody."""
    return lambda who: Program(house, browser, who)


def rows_of(program: Program, path: str) -> list[dict[str, Any]]:
    answer = program.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def all_of(program: Program, path: str) -> Iterator[dict[str, Any]]:
    """Yield every row of a list, page after page."""
    following: str | None = ""
    while following is not None:
        answer = program.get(f"{path}&cursor={following}" if following else path).json()
        yield from answer["data"]
        following = answer["next"]


def written(house: House, sql: str, **values: Any) -> None:
    """Change a row behind the engine's back, where no act would make what is looked for."""
    with house.engine.begin() as connection:
        connection.exec_driver_sql(sql.format(**values))


@pytest.fixture
def aged(house: House) -> list[str]:
    """Give the numbers of five projects: one received first, two on the same later day, two on no known day."""
    projects(house, 5)
    found = [row.number for row in house.rows("SELECT number FROM project ORDER BY number")]
    for place, day in enumerate(("'2025-03-03'", "NULL", "'2025-01-06'", "'2025-03-03'", "NULL")):
        written(house, "UPDATE project SET received_on = {day} WHERE number = '{number}'", day=day, number=found[place])
    return found


class TestAnOrder:
    def test_of_age_begins_with_what_came_first_and_ends_with_what_has_no_day(self, as_: As, aged: list[str]) -> None:
        oldest = [one["number"] for one in all_of(as_("coordinator"), "projects?sort=-age&limit=1")]

        assert oldest[0] == aged[2]
        assert set(oldest[1:3]) == {aged[0], aged[3]}
        assert set(oldest[3:]) == {aged[1], aged[4]}
        assert len(oldest) == 5

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
    def test_tells_every_row_once_whatever_the_size_of_a_page(self, as_: As, aged: list[str], limit: int) -> None:
        program = as_("coordinator")
        for way in RESOURCES["projects"].sorts:
            whole = [one["number"] for one in rows_of(program, f"projects?sort={way}")]
            assert sorted(whole) == aged
            assert [one["number"] for one in all_of(program, f"projects?sort={way}&limit={limit}")] == whole

    def test_of_the_youngest_first_is_the_other_way_round_but_for_the_unknown(self, as_: As, aged: list[str]) -> None:
        youngest = [one["number"] for one in rows_of(as_("coordinator"), "projects?sort=age")]

        assert youngest[2] == aged[2]
        assert set(youngest[:2]) == {aged[0], aged[3]}
        assert set(youngest[3:]) == {aged[1], aged[4]}

    def test_refuses_the_cursor_of_another_one(self, as_: As, aged: list[str]) -> None:
        program = as_("coordinator")
        cursor = program.get("projects?sort=-age&limit=2").json()["next"]

        for query in ("", "sort=age&", "sort=number&", "sort=-age&stage=intake&"):
            answer = program.get(f"projects?{query}cursor={cursor}")
            assert (answer.status_code, answer.json()["unmet"]) == (400, ["malformed", "cursor_wrong"]), query
        assert len(rows_of(program, f"projects?sort=-age&count&cursor={cursor}")) == len(aged) - 2

    @pytest.mark.parametrize(("path", "way"), [(path, way) for path, one in RESOURCES.items() for way in one.orders])
    def test_is_that_of_an_index_and_nothing_is_sorted(self, each_house: House, path: str, way: str) -> None:
        pay.payouts(each_house, 2)
        with Browser(console_of(each_house)) as browser:
            program = Program(each_house, browser, Role.AUDITOR)
            for sort in (way, f"-{way}"):
                cursor = program.get(f"{path}?sort={sort}&limit=1").json()["next"]
                with sent(each_house.engine) as seen:
                    assert len(rows_of(program, f"{path}?sort={sort}&limit=1&cursor={cursor}")) == 1
                assert _sorted(each_house, seen) == []

    def test_tells_nobody_what_is_foreign(self, as_: As, aged: list[str]) -> None:
        for query in ("sort=-age", "owed_by=sme", "updated_since=2020-01-01T00:00:00Z", "include=gate,money"):
            answer = as_("stranger").get(f"projects?count&{query}").json()
            assert (answer["data"], answer["count"], answer["next"]) == ([], 0, None)


def _sorted(house: House, seen: dict[str, Any]) -> list[str]:
    """Return the plans that sort rows, of statements that ask for an order by a day and a number."""
    found = []
    with house.engine.connect() as connection:
        for statement, said in seen.items():
            if "ORDER BY" not in statement or "number" not in statement.partition("ORDER BY")[2]:
                continue
            if house.engine.dialect.name == "sqlite":
                plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", said)]
                found += [one for one in plan if "TEMP B-TREE" in one]
            else:
                for other in ("seqscan", "bitmapscan", "sort"):
                    connection.exec_driver_sql(f"SET LOCAL enable_{other} = off")
                plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", said)]
                found += [one for one in plan if "Sort" in one]
    return found


class TestWhoOwesTheNextStep:
    def test_is_what_the_gate_says_of_each_project(self, house: House, as_: As) -> None:
        projects(house, 1, pack="default")
        projects(house, 1, pack="lean")
        projects(house, 1)
        reviews(house, 1)
        program = as_("coordinator")

        with reading(house.engine) as session:
            owing = _owing(session, house)
        for party in ("sme", "platform", "programme", "receiver"):
            numbers = {one["number"] for one in rows_of(program, f"projects?owed_by={party}")}
            assert numbers == {number for number, parties in owing.items() if party in parties}, party
        assert any("sme" in parties for parties in owing.values())
        assert any(not parties for parties in owing.values())

    def test_is_told_with_each_requirement_and_filters_them(self, house: House, as_: As) -> None:
        (made,) = projects(house, 1, pack="default")
        program = as_("coordinator")

        every = rows_of(program, f"projects/{made}/requirements")
        of_firm = rows_of(program, f"projects/{made}/requirements?owed_by=sme")

        assert of_firm == [one for one in every if "sme" in one["owed_by"]]
        assert 0 < len(of_firm) < len(every)
        assert program.get("requirements?owed_by=somebody").json()["code"] == "value_wrong"


def _owing(session: Session, house: House) -> dict[str, set[str]]:
    """Return number -> parties that owe something at the gate, judged now."""
    ids = [UUID(str(row.id)) for row in house.rows("SELECT id FROM v_project")]
    return {
        facts.project.number: {owes.party for one in facts.verdicts if not one.passes for owes in one.owed_by}
        for facts in gates(session, ids, house.stamp())
    }


class TestWhatChanged:
    def test_is_found_by_the_instant_of_the_newest_act(self, house: House, as_: As) -> None:
        before, after = projects(house, 2)
        house.now += timedelta(hours=1)
        moment = house.now.isoformat().replace("+00:00", "Z")
        until = house.today + timedelta(days=20)
        hold = PutOnHold(command_id=key(), project_id=after, code="partner", reason="the plant moves", until_on=until)
        house.do(hold, by=Role.COORDINATOR)
        program = as_("coordinator")

        changed = rows_of(program, f"projects?updated_since={moment}")

        assert [one["id"] for one in changed] == [str(after)]
        assert {one["id"] for one in rows_of(program, "projects?updated_since=2020-01-01T00:00:00Z")} == {
            str(before),
            str(after),
        }

    @pytest.mark.parametrize(
        "said", ["2025-01-01", "2025-01-01T00:00:00", "yesterday", "0001-01-01T00:00:00%2B14:00", "1", ""]
    )
    def test_is_asked_with_an_instant_and_its_zone(self, as_: As, said: str) -> None:
        answer = as_("coordinator").get(f"projects?updated_since={said}")

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/updated_since")


class TestTheCount:
    def test_is_of_what_the_reader_may_see_and_the_filters_leave(self, house: House, as_: As) -> None:
        projects(house, 3)
        projects(house, 1, stage=ProjectState.FEASIBILITY)
        program = as_("coordinator")

        assert program.get("projects?count&limit=1").json()["count"] == 4
        assert program.get("projects?count=true&stage=feasibility").json()["count"] == 1
        assert "count" not in program.get("projects").json()
        assert "count" not in program.get("projects?count=false").json()
        assert program.get("projects?count=many").json()["code"] == "value_wrong"
        assert as_("other coordinator").get("projects?count").json()["count"] == 0

    def test_is_asked_of_the_database_only_when_it_is_asked_for(self, house: House, as_: As) -> None:
        projects(house, 2)
        program = as_("coordinator")

        with sent(house.engine) as seen:
            first = program.get("projects?limit=1")
        assert not [one for one in seen if "count(*)" in one]
        assert "count" not in program.get("projects?limit=1&count").headers["link"]
        assert first.json()["next"] == program.get("projects?limit=1&count").json()["next"]


class TestWhatARowBringsAlong:
    def test_costs_as_many_statements_for_fifty_rows_as_for_five(self, house: House, as_: As, console: FastAPI) -> None:
        console.state.house.meter.at_once = 10_000
        projects(house, 51, pack="lean")
        program = as_("coordinator")
        path = "projects?include=gate,money&sort=-age&count"
        program.get(path)

        (few, cost), (many, cost_of_many) = (_statements(house, program, f"{path}&limit={limit}") for limit in (5, 50))

        assert (few, many) == (5, 50)
        assert cost == cost_of_many

    def test_is_the_gate_as_its_requirements_say(self, house: House, as_: As) -> None:
        (made,) = projects(house, 1, pack="default")
        program = as_("coordinator")

        (one,) = rows_of(program, "projects?include=gate&fields=number")
        requirements = rows_of(program, f"projects/{made}/requirements")

        assert set(one) == {"number", "gate"}
        assert one["gate"]["gate"] == "G1"
        assert one["gate"]["met_count"] == sum(row["verdict"] in ("met", "waived") for row in requirements)
        open_ones = {row["clause"]: row for row in requirements if row["verdict"] not in ("met", "waived")}
        assert {row["clause"] for row in one["gate"]["open"]} == set(open_ones)
        assert all(row["owed_by"] == open_ones[row["clause"]]["owed_by"] for row in one["gate"]["open"])

    def test_is_no_gate_of_what_has_ended(self, house: House, as_: As) -> None:
        projects(house, 1, stage=ProjectState.IN_PRODUCTION)

        (one,) = rows_of(as_("coordinator"), "projects?include=gate")

        assert one["gate"] is None

    def test_is_money_for_who_reads_it_and_null_for_all_others(self, house: House, as_: As) -> None:
        pay.payouts(house, 1)
        number = house.one("SELECT number FROM project")

        (seen,) = [one for one in rows_of(as_(Role.FUND_MANAGER), "projects?include=money") if one["number"] == number]
        (unseen,) = [one for one in rows_of(as_(Role.LAB_LEAD), "projects?include=money") if one["number"] == number]
        one = as_(Role.FUND_MANAGER).get(f"projects/{number}?include=money,gate")

        awarded = house.one("SELECT sum(amount_minor) FROM agreement")
        waiting = house.one("SELECT sum(amount_minor) FROM payout")
        accepted = house.one("SELECT sum(amount_minor) FROM milestone WHERE state = 'accepted'")
        assert seen["money"] == [
            {
                "currency": "CNY",
                "awarded_minor": awarded,
                "accepted_minor": accepted,
                "waiting_minor": waiting,
                "paid_minor": 0,
            }
        ]
        assert unseen["money"] is None
        assert one.json()["money"] == seen["money"]

    @pytest.mark.parametrize(
        "path", ["organisations?include=gate", "projects?include=everything", "projects?include=,"]
    )
    def test_is_refused_where_there_is_no_such_thing(self, as_: As, path: str) -> None:
        answer = as_("coordinator").get(path)

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/include")


def _statements(house: House, program: Program, path: str) -> tuple[int, int]:
    """Return how many rows came and how many statements that took, the repeated ones too."""
    counted: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted.append(statement)

    event.listen(house.engine, "before_cursor_execute", note)
    try:
        return len(rows_of(program, path)), len(counted)
    finally:
        event.remove(house.engine, "before_cursor_execute", note)


class TestEveryQuestion:
    def test_has_the_same_answer_on_both_databases(self, each_house: House) -> None:
        (late, early) = projects(each_house, 2, pack="lean")
        written(each_house, "UPDATE project SET received_on = '2025-01-06' WHERE id = '{id}'", id=early)
        pay.payouts(each_house, 1)
        with Browser(console_of(each_house)) as browser:
            program = Program(each_house, browser, Role.AUDITOR)
            for query, ids in (
                ("projects?sort=-age&owed_by=sme&limit=2&count", [early, late]),
                ("projects?updated_since=2020-01-01T08:00:00%2B08:00&q=robot&count&limit=2&include=gate,money", None),
                ("projects?updated_since=2099-01-01T00:00:00Z", []),
                ("payouts?sort=-due&updated_since=2020-01-01T00:00:00Z&count", None),
                ("requirements?owed_by=sme&limit=2&count", None),
                ("requirements?owed_by=customer&verdict=met&count", []),
                ("users?role=auditor&count", None),
            ):
                found = rows_of(program, query)
                assert found or ids == [], query
                assert ids is None or [one["id"] for one in found] == [str(one) for one in ids], query


class TestOneThing:
    @pytest.mark.parametrize("said", ["{0}", "W/{0}", '"x", {0}', "*"])
    def test_that_is_known_is_not_told_again(self, house: House, as_: As, said: str) -> None:
        projects(house)
        number, program = house.one("SELECT number FROM project"), as_("coordinator")
        tag = program.get(f"projects/{number}").headers["etag"]

        answer = program.get(f"projects/{number}", **{"if-none-match": said.format(tag)})
        whole = program.get(f"projects/{number}?include=gate", **{"if-none-match": said.format(tag)})

        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert whole.status_code == 200

    def test_tells_the_keys_that_were_asked_for_and_refuses_others(self, house: House, as_: As) -> None:
        projects(house)
        number, program = house.one("SELECT number FROM project"), as_("coordinator")

        assert set(program.get(f"projects/{number}?fields=name,stage").json()) == {"name", "stage"}
        for query in ("fields=password", "stage=intake", "sort=age", "include=x"):
            assert program.get(f"projects/{number}?{query}").status_code == 422
