"""What programs send wrongly: told where and why, with the status of the contract, and nothing is written."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from models.states import ProjectState, Role
from tests import payments as pay
from tests.digest import digest
from tests.factories import House, key, projects
from tests.web.browser import Browser
from tests.web.test_api import HOLD, Program

JSON = {"content-type": "application/json"}


@pytest.fixture
def project(house: House) -> Any:
    """Give number and version of a project in feasibility."""
    (made,) = projects(house, stage=ProjectState.FEASIBILITY)
    return house.rows("SELECT id, number, version FROM v_project WHERE id = :id", id=str(made))[0]


@pytest.fixture
def coordinator(house: House, browser: Browser) -> Program:
    """Give the program of a coordinator."""
    return Program(house, browser, "coordinator")


def sent(program: Program, project: Any, content: bytes, **headers: str) -> Any:
    own = {**program.headers, **JSON, "idempotency-key": key(), "if-match": f'"{project.version}"', **headers}
    return program.browser.ask("POST", f"/api/v1/projects/{project.number}/commands/hold", content=content, headers=own)


BODY = b'{"code":"partner","reason":"%s","until_on":"2025-07-20"}'


class TestABody:
    @pytest.mark.parametrize(
        ("content", "status", "code", "pointer"),
        [
            (b'{"code":"a","code":"b","reason":"r","until_on":"2025-07-20"}', 400, "malformed", None),
            (b'{"reason":{"x":1,"x":2}}', 400, "malformed", None),
            (b'{"reason":NaN}', 400, "malformed", None),
            (b'{"reason":-Infinity}', 400, "malformed", None),
            (b'{"reason":' + b"9" * 5000 + b"}", 400, "malformed", None),
            (b"[]", 400, "malformed", None),
            (b"null", 400, "malformed", None),
            (b"{", 400, "malformed", None),
            (b"\xff\xfe", 400, "malformed", None),
            (b"[" * 100_000, 400, "malformed", None),
            (BODY % b"\\u0000", 422, "text_unreadable", "/reason"),
            (BODY % b"\\ud800", 422, None, None),
            (BODY % b"", 409, None, None),
            (BODY % b" ", 409, None, None),
            (BODY % (b"x" * 10_001), 409, "reason_missing", None),
            (b'{"code":"partner","reason":1,"until_on":"2025-07-20"}', 422, "value_wrong", "/reason"),
            (b'{"code":"partner","reason":"r","until_on":"20.07.2025"}', 422, "value_wrong", "/until_on"),
            (b'{"code":"partner","reason":"r","until_on":"2025-07-20","\\ud800":1}', 422, "field_unknown", None),
            (
                b'{"code":"partner","reason":"r","until_on":"2025-07-20","stage":"stopped"}',
                422,
                "field_unknown",
                "/stage",
            ),
            (b'{"code":"partner","reason":"r","until_on":"2025-07-20","version":9}', 422, "field_unknown", "/version"),
        ],
        ids=lambda value: ascii(value)[:40],
    )
    def test_that_is_wrong_is_refused_and_nothing_is_written(  # noqa: PLR0917
        self, house: House, coordinator: Program, project: Any, content: bytes, status: int, code: Any, pointer: Any
    ) -> None:
        before = digest(house.engine)

        answer = sent(coordinator, project, content)

        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
        problem = answer.json()
        assert code is None or problem["code"] == code
        assert pointer is None or pointer in [one["pointer"] for one in problem["errors"]]
        assert {name for name, rows in digest(house.engine).items() if before[name] != rows} <= {"api_token"}

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
    def test_that_says_it_is_something_else_is_not_read(self, coordinator: Program, project: Any, kind: str) -> None:
        answer = sent(coordinator, project, BODY % b"r", **{"content-type": kind})

        assert (answer.status_code, answer.json()["unmet"]) == (400, ["malformed", "content_type_wrong"])

    def test_that_is_a_file_is_json_where_a_file_is_asked_for(self, house: House, browser: Browser) -> None:
        program = Program(house, browser, Role.ACCOUNTANT)

        for path in ("statements", "evidence"):
            answer = program.post(path, {}, idempotency_key=key())
            assert (answer.status_code, answer.json()["unmet"]) == (400, ["malformed", "content_type_wrong"])

    def test_larger_than_a_mebibyte_is_413_whether_it_says_so_or_not(self, coordinator: Program, project: Any) -> None:
        async def chunks() -> Any:
            for _ in range(20):
                yield b"x" * 65_536

        said = sent(coordinator, project, BODY % (b"x" * 1_100_000))
        unsaid = sent(coordinator, project, chunks())

        assert [(one.status_code, one.json()["code"]) for one in (said, unsaid)] == [(413, "too_large")] * 2

    def test_is_told_in_the_language_that_is_asked_for_under_the_same_code(
        self, coordinator: Program, project: Any
    ) -> None:
        answers = [
            sent(coordinator, project, b"{}", **{"accept-language": lang}, cookie="") for lang in ("zh-CN", "en")
        ]

        assert [one.headers["content-language"] for one in answers] == ["zh-CN", "en"]
        assert answers[0].json()["code"] == answers[1].json()["code"] == "field_missing"
        assert answers[0].json()["detail"] != answers[1].json()["detail"]


class TestAnAmount:
    @pytest.mark.parametrize(
        "amount", ["0", "-1", "-0", "10001.5", "1e4", "10000000000001", '"10000"', "true", "null", "[]", "9" * 30]
    )
    def test_that_is_none_asks_for_no_payout(self, house: House, browser: Browser, amount: str) -> None:
        (milestone,) = pay.accepted(house)
        row = house.rows("SELECT project_id, currency FROM v_milestone WHERE id = :id", id=str(milestone))[0]
        program = Program(house, browser, Role.FINANCE_OFFICER)
        body = (
            f'{{"project_id":"{row.project_id}","milestone_id":"{milestone}","payee_account_id":"{pay.payee(house)}",'
            f'"amount_minor":{amount},"currency":"{row.currency}","purpose":"milestone"}}'
        )
        headers = {**program.headers, **JSON, "idempotency-key": key()}

        answer = browser.ask("POST", "/api/v1/payouts", content=body.encode(), headers=headers)

        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
        assert house.one("SELECT count(*) FROM v_payout") == 0


class TestAHeader:
    @pytest.mark.parametrize(
        ("name", "value", "status", "code"),
        [
            ("idempotency-key", "", 400, "key_missing"),
            ("idempotency-key", "a b", 400, "key_missing"),
            ("idempotency-key", "k" * 256, 400, "key_missing"),
            ("if-match", '"999"', 412, "stale"),
            ("if-match", "*", 400, "malformed"),
            ("if-match", '"1", "2"', 400, "malformed"),
            ("if-match", '"-1"', 400, "malformed"),
            ("if-match", '"9999999999999999"', 400, "malformed"),
            ("authorization", "Basic Og==", 401, "not_signed_in"),
            ("authorization", "Bearer", 401, "not_signed_in"),
        ],
    )
    def test_that_is_wrong_is_refused(
        self, coordinator: Program, project: Any, name: str, value: str, status: int, code: str
    ) -> None:
        answer = sent(coordinator, project, BODY % b"r", **{name: value})

        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_that_is_stale_is_told_the_present_version(self, coordinator: Program, project: Any) -> None:
        problem = sent(coordinator, project, BODY % b"r", **{"if-match": '"1"'}).json()

        assert problem["current"] == project.version


class TestWhatIsForeign:
    def test_is_not_there_for_reading_asking_or_doing(self, house: House, browser: Browser, project: Any) -> None:
        stranger = Program(house, browser, "other coordinator")
        pay.payouts(house)
        payout = house.one("SELECT number FROM v_payout")
        before = digest(house.engine)
        headers = {"idempotency_key": key(), "if_match": '"1"'}

        answers = [
            answer
            for noun, ref in (("projects", project.number), ("projects", project.id), ("payouts", payout))
            for answer in (
                stranger.get(f"{noun}/{ref}"),
                stranger.get(f"{noun}/{ref}/commands"),
                stranger.post(f"{noun}/{ref}/commands/hold" if noun == "projects" else f"{noun}/{ref}/commands/cancel",
                              HOLD, **headers),
            )
        ]  # fmt: skip
        answers += [stranger.get(f"projects/{project.id}/{part}") for part in ("requirements", "evidence", "people")]

        assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "not_found")}
        changed = {name for name, rows in digest(house.engine).items() if before[name] != rows}
        assert changed <= {"api_token"}

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND"])
    def test_as_a_method_is_405_with_those_that_are_known(
        self, coordinator: Program, project: Any, method: str
    ) -> None:
        answer = coordinator.browser.ask(method, f"/api/v1/projects/{project.number}", headers=coordinator.headers)

        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "GET" in answer.headers["allow"]


class TestABusyDatabase:
    @pytest.mark.parametrize(("state", "status", "code"), [("55P03", 503, "busy"), ("42601", 500, "unexpected_error")])
    def test_is_503_with_when_to_come_again(
        self, console: FastAPI, coordinator: Program, state: str, status: int, code: str
    ) -> None:
        """A clock that cannot be read stands for whatever the database says in the middle of a request."""

        class Lost:
            def now(self) -> Any:
                raise OperationalError("", {}, _Said(state))

        object.__setattr__(console.state.house, "clock", Lost())

        answer = coordinator.get("projects")

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert ("retry-after" in answer.headers) == (status == 503)


class _Said(Exception):
    """What a driver raises."""

    def __init__(self, state: str) -> None:
        self.sqlstate = state
