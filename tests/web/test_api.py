from datetime import timedelta
from typing import Any

import httpx
import pytest

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from lifecycle.access.queries import fingerprint
from lifecycle.people.commands import AddToken
from models.states import ProjectState, Scope
from tests.factories import House, key, projects
from tests.web.browser import Browser

HOLD = {"code": "partner", "reason": "the plant moves", "until_on": "2025-07-20"}


@pytest.fixture
def project(house: House) -> str:
    """Give the number of a project in feasibility."""
    (made,) = projects(house, stage=ProjectState.FEASIBILITY)
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(made)))


class Program:
    """Somebody's program with a token."""

    def __init__(self, house: House, browser: Browser, who: str, scopes: tuple[Scope, ...] = tuple(Scope)) -> None:
        self.browser = browser
        secret = f"pt_{key()}"
        ends = house.now + timedelta(days=1)
        give = AddToken(
            command_id=key(),
            user_id=house.people[who].user_id,
            token_sha256=fingerprint(secret),
            expires_at=ends,
            scopes=scopes,
        )
        house.do(give, by="admin")
        self.headers = {"authorization": f"Bearer {secret}"}

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.browser.ask("GET", f"/api/v1/{path}", headers={**self.headers, **headers})

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.browser.ask("POST", f"/api/v1/{path}", json=body, headers=sent)


@pytest.fixture
def coordinator(house: House, browser: Browser) -> Program:
    """Give the program of a coordinator."""
    return Program(house, browser, "coordinator")


class TestReading:
    def test_gives_the_columns_of_the_view_and_the_version_as_etag(
        self, house: House, coordinator: Program, project: str
    ) -> None:
        answer = coordinator.get(f"projects/{project}")

        assert answer.status_code == 200
        assert answer.json()["number"] == project
        assert answer.json()["stage"] == "feasibility"
        version = house.one("SELECT version FROM project")
        assert answer.headers["etag"] == f'"{version}"'
        assert coordinator.get(f"projects/{project}", **{"if-none-match": f'"{version}"'}).status_code == 304

    def test_needs_somebody(self, browser: Browser, project: str) -> None:
        answer = browser.ask("GET", f"/api/v1/projects/{project}")

        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not_signed_in"
        assert answer.headers["www-authenticate"].startswith("Bearer ")

    def test_hides_what_is_foreign(self, house: House, browser: Browser, project: str) -> None:
        answer = Program(house, browser, "stranger").get(f"projects/{project}")

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestCommands:
    def test_are_told_with_every_reason(self, coordinator: Program, project: str) -> None:
        found = {one["name"]: one for one in coordinator.get(f"projects/{project}/commands").json()}

        assert found["hold"]["allowed"] is True
        assert [reason["code"] for reason in found["resume"]["reasons"]] == ["not_on_hold"]
        assert "role" in [reason["code"] for reason in found["stop"]["reasons"]]

    def test_are_carried_out_once_under_one_key(self, house: House, coordinator: Program, project: str) -> None:
        tag = coordinator.get(f"projects/{project}").headers["etag"]
        path = f"projects/{project}/commands/hold"

        answers = [coordinator.post(path, HOLD, idempotency_key="k1", if_match=tag) for _ in range(2)]

        assert [one.status_code for one in answers] == [200, 200]
        assert answers[1].headers["idempotency-replayed"] == "true"
        first, second = (one.json() for one in answers)
        assert {**first, "replayed": True} == second
        assert house.one("SELECT count(*) FROM hold") == 1
        other = coordinator.post(path, {**HOLD, "reason": "another"}, idempotency_key="k1", if_match=tag)
        assert (other.status_code, other.json()["code"]) == (422, "key_reused")

    def test_run_dry_write_nothing(self, house: House, coordinator: Program, project: str) -> None:
        tag = coordinator.get(f"projects/{project}").headers["etag"]
        before = house.one("SELECT count(*) FROM audit_record")

        answer = coordinator.post(
            f"projects/{project}/commands/hold?dry_run=true", HOLD, idempotency_key="k1", if_match=tag
        )

        assert answer.json()["dry_run"] is True
        assert house.one("SELECT count(*) FROM audit_record") == before

    @pytest.mark.parametrize(
        ("headers", "body", "status", "code"),
        [
            ({"if_match": '"{}"'}, HOLD, 400, "key_missing"),
            ({"if_match": '"{}"', "idempotency_key": "k" * 256}, HOLD, 400, "key_missing"),
            ({"idempotency_key": "k"}, HOLD, 428, "version_missing"),
            ({"idempotency_key": "k", "if_match": '"1"'}, HOLD, 412, "stale"),
            ({"idempotency_key": "k", "if_match": "x"}, HOLD, 400, "malformed"),
            ({"idempotency_key": "k", "if_match": '"{}"'}, [1], 400, "malformed"),
            ({"idempotency_key": "k", "if_match": '"{}"'}, {"reason": "r", "until_on": "x"}, 422, "field_missing"),
            ({"idempotency_key": "k", "if_match": '"{}"'}, {**HOLD, "project_id": "p"}, 422, "field_unknown"),
            ({"idempotency_key": "k", "if_match": '"{}"'}, {**HOLD, "until_on": "2030-01-01"}, 409, None),
        ],
    )
    def test_are_refused_with_a_problem_and_change_nothing(  # noqa: PLR0917
        self,
        house: House,
        coordinator: Program,
        project: str,
        headers: dict[str, str],
        body: Any,
        status: int,
        code: str | None,
    ) -> None:
        version = house.one("SELECT version FROM project")
        sent = {name: value.format(version) for name, value in headers.items()}

        answer = coordinator.post(f"projects/{project}/commands/hold", body, **sent)

        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert code is None or problem["code"] == code
        assert problem["trace_id"] == answer.headers["x-trace-id"]
        assert house.one("SELECT count(*) FROM hold") == 0

    def test_are_not_for_a_token_that_only_reads(self, house: House, browser: Browser, project: str) -> None:
        reader = Program(house, browser, "coordinator", (Scope.READ,))

        answer = reader.post(f"projects/{project}/commands/hold", HOLD, idempotency_key="k", if_match='"1"')

        assert (answer.status_code, answer.json()["code"]) == (403, "scope")

    def test_nested_deeper_than_16_are_not_read(self, coordinator: Program, project: str) -> None:
        deep: Any = 1
        for _ in range(17):
            deep = [deep]

        answer = coordinator.post(f"projects/{project}/commands/hold", {"reason": deep}, idempotency_key="k")

        assert answer.json()["code"] == "malformed"

    def test_larger_than_a_mebibyte_are_not_read(self, coordinator: Program, project: str) -> None:
        body = {"reason": "x" * 1024 * 1024}

        answer = coordinator.post(f"projects/{project}/commands/hold", body, idempotency_key="k")

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


class TestASession:
    def test_of_a_person_needs_the_csrf_token_to_write(self, house: House, browser: Browser, project: str) -> None:
        own = house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed("correct horse")), by="coordinator")
        entered = browser.ask("POST", "/api/v1/session", json={"login": "coordinator", "password": "correct horse"})
        assert set(entered.json()) == {"user_id", "csrf_token", "expires_at"}
        path = f"/api/v1/projects/{project}/commands/hold"
        headers = {"idempotency-key": "k", "if-match": f'"{house.one("SELECT version FROM project")}"'}

        without = browser.ask("POST", path, json=HOLD, headers=headers)
        given = {**headers, "x-csrf-token": entered.json()["csrf_token"]}
        done = browser.ask("POST", path, json=HOLD, headers=given)

        assert (without.status_code, without.json()["code"]) == (403, "csrf")
        assert done.status_code == 200
        assert browser.ask("DELETE", "/api/v1/session", headers=given).status_code == 204
        assert browser.ask("GET", f"/api/v1/projects/{project}").status_code == 401
