"""What programs are told besides yes and no: what is missing and whose turn it is, what else can be done, and when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from lifecycle.projects.commands import PutOnHold
from models.states import ProjectState, Role, Scope
from tests import payments as pay
from tests.digest import digest
from tests.factories import House, key, projects
from tests.web.browser import Browser
from tests.web.test_api import HOLD, Program
from tests.web.test_api_events import Admin
from web.api.openapi import document

As = Callable[[str], Program]


@pytest.fixture
def as_(house: House, browser: Browser) -> As:
    """Give the program of somebody."""
    return lambda who: Program(house, browser, who)


@pytest.fixture
def admin(browser: Browser) -> Admin:
    """Give the administrator's session."""
    return Admin(browser)


def asked(program: Program, house: House, name: str, body: Any, *, version: int | None = None) -> Any:
    """Return the answer to a command on the only project."""
    (row,) = house.rows("SELECT number, version FROM project")
    tag = f'"{row.version if version is None else version}"'
    return program.post(f"projects/{row.number}/commands/{name}", body, idempotency_key=key(), if_match=tag)


class TestARefusal:
    def test_of_a_gate_says_who_owes_each_clause_and_what_can_be_done(self, house: House, as_: As) -> None:
        projects(house, 1, pack="default")
        number = house.one("SELECT number FROM project")

        answer = asked(as_("coordinator"), house, "advance", {"reason": "now"})

        assert answer.status_code == 409
        problem = answer.json()
        lacking = {one["clause"]: one for one in problem["requirements"]}
        assert set(lacking) == {one["clause"] for one in problem["reasons"] if one["code"] == "gate_unmet"}
        assert {"clause", "owner", "person", "due"} == set(next(iter(lacking.values())))
        assert "sme" in {one["owner"] for one in lacking.values()}
        assert f"/api/v1/projects/{number}/commands/hold" in problem["can"]
        found = as_("coordinator").get(f"projects/{number}/commands").json()
        assert problem["can"] == [one["href"] for one in found if one["allowed"]]

    def test_of_a_stale_version_says_what_others_did_since(self, house: House, as_: As) -> None:
        (made,) = projects(house, 1)
        seen = house.one("SELECT version FROM project")
        until = house.today + timedelta(days=3)
        hold = PutOnHold(command_id=key(), project_id=made, code="partner", reason="moves", until_on=until)
        house.do(hold, by="coordinator")

        answer = asked(as_("coordinator"), house, "resume", {"reason": "back"}, version=seen)

        assert (answer.status_code, answer.json()["current"]) == (412, seen + 1)
        (change,) = answer.json()["changes"]
        assert change["action"] == "project.hold"
        assert change["by"] == house.one("SELECT name FROM app_user WHERE login = 'coordinator'")
        assert change["at"].endswith("Z")

    def test_of_a_field_says_what_is_wrong_in_words(self, house: House, as_: As) -> None:
        projects(house, 1)

        answer = asked(as_("coordinator"), house, "hold", {**HOLD, "until_on": "soon"})

        (wrong,) = answer.json()["errors"]
        assert (wrong["pointer"], wrong["code"]) == ("/until_on", "value_wrong")
        assert "soon" not in wrong["message"]
        assert len(wrong["message"]) > 10


class TestCommands:
    def test_name_the_schema_of_their_body_and_who_can(self, house: House, as_: As) -> None:
        projects(house, 1)
        schemas = document("en")["components"]["schemas"]
        number = house.one("SELECT number FROM project")

        found = {one["name"]: one for one in as_("coordinator").get(f"projects/{number}/commands").json()}

        for one in found.values():
            name = one["schema"].removeprefix("/api/v1/openapi.json#/components/schemas/")
            assert schemas[name]["type"] == "object", one["verb"]
        (missing,) = [one for one in found["stop"]["reasons"] if one["code"] == "role"]
        holders = {
            row.name
            for row in house.rows("SELECT name FROM app_user u JOIN role_grant g ON g.user_id = u.id WHERE g.role IN "
                                  "('" + "','".join(missing["values"]["needs"]) + "')")
        }  # fmt: skip
        assert missing["people"]
        assert set(missing["people"]) <= holders


class TestADryRun:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("organisations", {"name": "new", "kind": "sme"}),
            ("users", {"login": "new", "name": "new", "email": "new@example.org"}),
            ("webhooks", {"url": "https://example.org/in", "types": ["project.*"]}),
            ("users/{nobody}/grants", {"role": "operator"}),
            ("users/{nobody}/tokens", {"days": 3, "scopes": ["read"]}),
            ("users/{nobody}/disable", None),
            ("schedules/recovery/commands/run", {"reason": "now"}),
        ],
    )
    def test_of_what_an_administrator_does_writes_nothing_and_shows_no_secret(
        self, house: House, admin: Admin, path: str, body: Any
    ) -> None:
        address = path.format(nobody=house.people["nobody"].user_id)
        before = digest(house.engine)

        answer = admin.ask("POST", f"{address}?dry_run=true", body)

        assert (answer.status_code, answer.json()["dry_run"]) == (200, True), answer.text
        assert not {"secret", "token"} & set(answer.json())
        assert {name for name, rows in digest(house.engine).items() if before[name] != rows} <= {"web_session"}
        assert admin.ask("POST", address, body).status_code in (200, 201)

    def test_of_a_project_and_a_payout_says_the_same_refusals(self, house: House, as_: As) -> None:
        (milestone,) = pay.accepted(house)
        (row,) = house.rows(f"SELECT project_id, id FROM v_milestone WHERE id = '{milestone}'")
        body = {
            "project_id": row.project_id,
            "milestone_id": row.id,
            "payee_account_id": str(pay.payee(house)),
            "amount_minor": pay.AMOUNT,
            "currency": "CNY",
            "purpose": "milestone",
        }
        program = as_(Role.PROJECT_LEAD)

        answer = program.post("payouts?dry_run=true", body, idempotency_key=key())
        refused = program.post("payouts?dry_run=true", {**body, "amount_minor": 10**12}, idempotency_key=key())

        assert (answer.status_code, answer.json()["state"]) == (200, "requested")
        assert refused.json()["code"] == "milestone_exceeded"
        assert house.one("SELECT count(*) FROM payout") == 0


class TestTheFeed:
    def test_begins_behind_the_event_that_somebody_saw_last(self, house: House, console: FastAPI, as_: As) -> None:
        projects(house, 3)
        house.later(minutes=2)
        console.state.house.clock.at = house.now
        program = as_("coordinator")
        every = [one["id"] for one in program.get("events").json()["data"]]

        behind = program.get(f"events?after={every[0]}&limit=1").json()

        assert [one["id"] for one in behind["data"]] == every[1:2]
        rest = program.get(f"events?cursor={behind['next']}").json()
        assert [one["id"] for one in rest["data"]] == every[2:]
        assert program.get("events?after=x").json()["errors"][0]["pointer"] == "/after"


class TestSchedules:
    def test_are_asked_for_a_run_by_a_token_that_may_execute(self, house: House, browser: Browser) -> None:
        path, body = "schedules/recovery/commands/run", {"reason": "after the outage"}
        runner = Program(house, browser, Role.OPERATOR, (Scope.RUN_EXECUTE,))
        writer = Program(house, browser, Role.OPERATOR, (Scope.READ, Scope.PROJECT_WRITE))

        refused = writer.post(path, body, idempotency_key=key())
        answer = runner.post(path, body, idempotency_key=key())

        assert (refused.status_code, refused.json()["code"]) == (403, "scope")
        assert answer.status_code == 200, answer.text
        assert answer.json()["schedule"] == "recovery"
        assert house.one("SELECT schedule_id FROM run_request") == "recovery"

    @pytest.mark.parametrize(
        ("path", "body", "status", "code"),
        [
            ("schedules/nothing/commands/run", {"reason": "r"}, 404, "not_found"),
            ("schedules/recovery/commands/stop", {"reason": "r"}, 404, "not_found"),
            ("schedules/recovery/commands/run", {"reason": ""}, 409, "reason_missing"),
            ("schedules/recovery/commands/run", {}, 422, "field_missing"),
            ("schedules/recovery/commands/run", {"reason": "r", "schedule": "other"}, 422, "field_unknown"),
            ("schedules/recovery/commands/pause", {"reason": "r", "until_on": "soon"}, 422, "value_wrong"),
            ("schedules/recovery/commands/resume", {"reason": "r"}, 409, "not_paused"),
        ],
    )
    def test_refuse_what_they_cannot_do(self, as_: As, path: str, body: Any, status: int, code: str) -> None:
        answer = as_(Role.OPERATOR).post(path, body, idempotency_key=key())

        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_are_nothing_for_others(self, as_: As) -> None:
        answer = as_("coordinator").post("schedules/recovery/commands/run", {"reason": "r"}, idempotency_key=key())

        assert (answer.status_code, answer.json()["code"]) == (403, "role")


def test_every_resource_of_the_hand_out_is_listed(house: House, admin: Admin) -> None:
    projects(house, 1, stage=ProjectState.FEASIBILITY)
    number = house.one("SELECT number FROM project")
    parts = ("requirements", "evidence", "batches", "milestones", "timeline", "files", "people")
    lists = (
        *("projects", "payouts", "funds", "platforms", "standards", "notices", "runs", "outbox", "notifications"),
        *("webhooks", "deliveries", "users", "tokens", "events"),
    )

    for path in (*lists, *(f"projects/{number}/{part}" for part in parts)):
        answer = admin.ask("GET", f"{path}?limit=1")
        assert answer.status_code == 200, (path, answer.text)
        assert isinstance(answer.json()["data"], list)
