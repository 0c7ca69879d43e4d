"""One answer, three doors: for every state, role and verb the page, the API and the command line say the same."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from cli.main import run
from lifecycle.projects.commands import Stop, Withdraw
from lifecycle.verbs import BY_NAME
from models.projects import Project
from models.states import STAGES, PayoutState, ProjectState, Role
from tests import factories as make
from tests import payments as pay
from tests.conftest import copied_into, take_away_settings
from tests.factories import House, key
from tests.web.conftest import console_of
from tests.web.matrix import Door, World, let_in
from tests.web.rights import Person
from web.nouns import BY_MACHINES, NOUNS, PROJECTS

Said: TypeAlias = dict[str, tuple[str, ...]]
"""Verb -> the codes of what stands in its way, in their order; none where nothing does."""
_MARKED = re.compile(r' data-verb="([\w.]+)" data-codes="([\w ]*)"')
EVERYBODY = (*Role, "stranger", "nobody")


@pytest.fixture(scope="module")
def world(sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world in which everybody is signed in; each class fills it with what it asks about."""
    house = copied_into(sqlite_house_template, tmp_path_factory.mktemp("parity") / "house.db")
    made = World(house)
    let_in(made, EVERYBODY)
    yield made
    house.engine.dispose()


@pytest.fixture(scope="module")
def door(world: World) -> Iterator[Door]:
    """Give who asks."""
    with Door(console_of(world.house), world) as found:
        yield found


@pytest.fixture(scope="module")
def projects(world: World) -> dict[str, UUID]:
    """Give a project in each state of its chart, and in those of its stage and of a pause that verbs look at."""
    house = world.house
    found = {str(stage): make.a_project(house, stage=stage) for stage in (*STAGES, ProjectState.IN_PRODUCTION)}
    withdrawn, stopped, paused = (make.a_project(house) for _ in range(3))
    house.do(Withdraw(command_id=key(), project_id=withdrawn, reason="no market"), by=Role.PROJECT_LEAD)
    house.do(Stop(command_id=key(), project_id=stopped, code="misuse", reason="why"), by=Role.FUND_MANAGER)
    make.put_on_hold(house, paused)
    (submitted,) = make.submitted(house)
    (reviewed,), _ = make.reviews(house, state="proposed")
    found |= {"withdrawn": withdrawn, "stopped": stopped, "on hold": paused}
    return {**found, "submitted": submitted, "in review": reviewed}


@pytest.fixture(scope="module")
def strict(world: World) -> UUID:
    """Give a project on trial by the default standard, which asks for much."""
    return make.a_project(world.house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")


@pytest.fixture
def line(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Give what asks the command line: `line(person, project)`, `line(person, project, verb)`."""
    take_away_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PILOTWAY_DB", str(world.house.engine.url.database))
    monkeypatch.setenv("PILOTWAY_CLOCK", world.house.now.isoformat())

    def ask(person: str, project: UUID, *verb: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        login = person.replace(" ", ".")
        code = run(["project", "why" if verb else "explain", str(project), *verb, "--as", login, "--json"])
        return code, json.loads(capsys.readouterr().out or "{}")

    return ask


def by_page(text: str) -> Said:
    """Return what a page says of each verb that it shows."""
    return {verb: tuple(codes.split()) for verb, codes in _MARKED.findall(text)}


def by_codes(documents: Any) -> Said:
    """Return the verdicts of a list of documents; one that says yes gives no reason."""
    for one in documents:
        assert one["allowed"] is not bool(one["reasons"]), one
    return {one["verb"]: tuple(dict.fromkeys(reason["code"] for reason in one["reasons"])) for one in documents}


def told(documents: Any) -> Mapping[str, Any]:
    """Return every reason in full, by verb."""
    return {one["verb"]: one["reasons"] for one in documents}


VERBS_OF_PROJECTS = {verb.permission for verb in BY_NAME.values() if verb.subject is Project}


def differing(door: Door, line: Any, project: UUID, person: str) -> list[str]:
    """Return the verbs of which the three doors do not say the same to somebody."""
    seen = door.ask("GET", f"/projects/{project}", Person(person))
    called = door.ask("GET", f"/api/v1/projects/{project}/commands", Person(person))
    _, typed = line(person, project)
    hidden = (seen.status_code == 404, called.status_code == 404, typed.get("error", {}).get("code") == "not_found")
    if any(hidden):
        return [] if all(hidden) else ["who may look at all"]
    said = {one["verb"]: one for one in typed["data"]}
    assert set(said) == VERBS_OF_PROJECTS
    page, api, cli = by_page(seen.text), by_codes(called.json()), by_codes(typed["data"])
    assert set(page) == set(api) == set(cli) - BY_MACHINES, "each door shows every verb that people ask for"
    full, long = told(called.json()), told(typed["data"])
    return [verb for verb in api if not (page[verb] == api[verb] == cli[verb]) or full[verb] != long[verb]]


class TestProjects:
    @pytest.mark.parametrize("person", [Role.COORDINATOR, "stranger"])
    def test_are_explained_alike_by_page_program_and_command_line(
        self, door: Door, line: Any, strict: UUID, person: str
    ) -> None:
        assert differing(door, line, strict, person) == []

    @pytest.mark.long
    @pytest.mark.parametrize("person", EVERYBODY)
    def test_are_explained_alike_in_every_state(
        self, door: Door, line: Any, projects: dict[str, UUID], strict: UUID, person: str
    ) -> None:
        assert {str(state) for state in ProjectState} <= set(projects)

        projects = {**projects, "by the default standard": strict}
        found = {state: differing(door, line, project, person) for state, project in projects.items()}

        assert {state: verbs for state, verbs in found.items() if verbs} == {}

    @pytest.mark.long
    @pytest.mark.parametrize("person", [Role.COORDINATOR, Role.PROJECT_LEAD, Role.SPONSOR])
    def test_give_the_same_answer_to_why_as_to_explain_and_on_the_page_of_the_verb(
        self, door: Door, line: Any, strict: UUID, person: str
    ) -> None:
        project = strict
        _, explained = line(person, project)
        for one in explained["data"]:
            spoken = one["verb"].removeprefix("project.")
            code, why = line(person, project, spoken)
            assert (code, why["data"]) == (3 if one["reasons"] else 0, [one])
            if one["verb"] in BY_MACHINES:
                continue
            verb = next(verb for verb in PROJECTS.verbs if verb.permission == one["verb"])
            shown = door.ask("GET", f"/projects/{project}/do/{PROJECTS.spoken(verb)}", Person(person))
            is_open = 'action="/projects/' in shown.text and 'name="command_id"' in shown.text
            has_choice = verb.permission == "evidence.add"  # asks for the kind of document first
            assert shown.status_code == 200
            assert is_open is not bool(one["reasons"]) or has_choice, one


def things(house: House) -> Iterator[tuple[str, str, UUID]]:
    """Give (noun, state, id) of what else has verbs, in the states that tests can bring about at once."""
    for state in make.REVIEW_STEPS:
        yield "reviews", state, make.reviews(house, state=state)[1][0]
    for state in ("requested", "approved", "instructed", "paid", "returned", "rejected", "cancelled"):
        (payout,) = pay.payouts(house, state=state)
        yield "payouts", state, payout
        row = house.rows("SELECT milestone_id, fund_id FROM v_payout WHERE id = :id", id=str(payout))[0]
        yield "milestones", state, UUID(row.milestone_id)
        yield "funds", state, UUID(row.fund_id)
    for is_signed in (False, True):
        yield "agreements", f"signed: {is_signed}", make.agreements(house, is_signed=is_signed)[0]


ONLY_TYPED = ("minute_missing",)
"""What the page of a decision asks for itself."""


def unlike(door: Door, noun: str, ref: str, person: str) -> list[str]:
    """Return the verbs of which the page and the API do not say the same to somebody."""
    seen = door.ask("GET", f"/{noun}/{ref}", Person(person))
    called = door.ask("GET", f"/api/v1/{noun}/{ref}/commands", Person(person))
    if 404 in (seen.status_code, called.status_code):
        return [] if seen.status_code == called.status_code else ["who may look at all"]
    page, api = by_page(seen.text), by_codes(called.json())
    open_ones = {verb for verb, codes in api.items() if not codes}
    shown = {verb for verb, codes in page.items() if codes in ((), ONLY_TYPED)}
    lacking = open_ones - set(page) - {"payout.request"}  # asked for on the page of its tranche
    return [*sorted(lacking), *sorted(verb for verb in page if page[verb] != api[verb]), *sorted(shown - set(api))]


class TestOtherThings:
    @pytest.mark.long
    def test_are_explained_alike_by_page_and_program(self, door: Door, world: World) -> None:
        asked = list(things(world.house))
        assert {state for noun, state, _ in asked if noun == "payouts"} == {str(one) for one in PayoutState}

        found = [
            (noun, state, person, verbs)
            for noun, state, one in asked
            for person in EVERYBODY
            if (verbs := unlike(door, noun, str(one), person))
        ]

        assert found == []
        assert {noun for noun, _, _ in asked} <= set(NOUNS)
