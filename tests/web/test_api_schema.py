"""Made-up requests after the description, as several people: no failure of ours, every refusal a problem document."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator

from models.states import ProjectState, Role
from tests import payments as pay
from tests.factories import House, projects
from tests.web.browser import Browser
from tests.web.test_api import Program
from web.api.openapi import document

WHOLE = document("en")
SCHEMA = schemathesis.openapi.from_dict(WHOLE)
PROBLEM = Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": WHOLE["components"]})
VERSIONED = {"projects": "v_project", "payouts": "v_payout", "milestones": "v_milestone"}
PEOPLE = (Role.COORDINATOR, Role.FUND_MANAGER, Role.FINANCE_OFFICER, Role.AUDITOR, Role.OPERATOR)


@pytest.fixture
def programs(house: House, console: FastAPI, browser: Browser) -> dict[str, Program]:
    """Give the programs of several people, in a world where there is something of everything."""
    console.state.house.meter.at_once = 10**9
    projects(house, stage=ProjectState.FEASIBILITY)
    pay.payouts(house, 2)
    return {who: Program(house, browser, who) for who in PEOPLE}


def operations() -> Iterator[Any]:
    for found in SCHEMA.get_all_operations():
        yield found.ok()  # type: ignore[union-attr]


def refs(house: House) -> dict[str, str]:
    """Return something that is there, for addresses that name one."""
    kinds = {"projects": "v_project", "payouts": "v_payout", "funds": "v_fund", "milestones": "v_milestone",
             "agreements": "v_agreement", "users": "v_user", "payees": "v_payee_account"}  # fmt: skip
    return {path: house.one(f"SELECT min(id) FROM {view}") for path, view in kinds.items()} | {
        "organisations": house.one("SELECT min(id) FROM organisation"),
        "calendars": "working-days",
    }


def tried(house: House, programs: dict[str, Program], asked: Any, *, examples: int, wrong: list[str]) -> None:
    """Send requests of one operation as each person in turn, and note what should not have come back."""
    known, turns = refs(house), iter(range(10**6))
    noun = asked.path.split("/")[1]

    @settings(max_examples=examples, database=None, derandomize=True, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=asked.as_strategy())
    def send(case: Any) -> None:
        turn = next(turns)
        program = programs[PEOPLE[turn % len(PEOPLE)]]
        is_there = turn % 2 == 0 and noun in known and "ref" in (case.path_parameters or {})
        if is_there:
            case.path_parameters["ref"] = known[noun]
        said = case.as_transport_kwargs(base_url="http://console.example/api/v1")
        headers = {name: value for name, value in said.pop("headers", {}).items() if name.lower() != "authorization"}
        said.pop("cookies", None)  # a token says who it is
        if is_there and noun in VERSIONED:  # past the version, to the facts and rules of the verb
            version = house.one(f"SELECT version FROM {VERSIONED[noun]} WHERE id = :id", id=known[noun])
            headers["If-Match"] = f'"{version}"'
        answer = program.browser.ask(
            said.pop("method"), said.pop("url"), headers={**headers, **program.headers}, **said
        )
        where = f"{case.method} {case.formatted_path} {answer.status_code}"
        if answer.status_code >= 500:
            wrong.append(f"{where}: {said} {answer.text[:300]}")
        elif answer.status_code >= 400:
            is_problem = answer.headers["content-type"] == "application/problem+json"
            faults = [one.message for one in PROBLEM.iter_errors(answer.json())] if is_problem else ["no problem"]
            wrong.extend(f"{where}: {one}" for one in faults)
            if str(answer.status_code) not in (*asked.definition.raw["responses"], "405", "404", "400"):
                wrong.append(f"{where}: is not described")
        else:
            wrong.extend(_unlike(asked, answer, where))

    send()


def _unlike(asked: Any, answer: Any, where: str) -> list[str]:
    """Return how an answer differs from what is described."""
    described = asked.definition.raw["responses"].get(str(answer.status_code))
    if described is None:
        return [f"{where}: is not described"]
    if "content" not in described:
        return []
    schema = {**described["content"]["application/json"]["schema"], "components": WHOLE["components"]}
    return [
        f"{where}: {one.json_path} {one.message}" for one in Draft202012Validator(schema).iter_errors(answer.json())
    ]


class TestEveryOperation:
    @pytest.mark.long
    def test_answers_made_up_requests_as_described(self, house: House, programs: dict[str, Program]) -> None:
        wrong: list[str] = []

        for asked in operations():
            tried(house, programs, asked, examples=6, wrong=wrong)

        assert not wrong, "\n".join(wrong[:60])

    def test_of_some_answers_as_described(self, house: House, programs: dict[str, Program]) -> None:
        few = ("/payouts", "/projects/{ref}/commands/hold", "/events")
        wrong: list[str] = []

        for asked in operations():
            if asked.path in few:
                tried(house, programs, asked, examples=4, wrong=wrong)

        assert not wrong, "\n".join(wrong[:60])
