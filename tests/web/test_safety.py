"""What protects the console whatever the page: pace, logs, where secrets go, fields that only some read."""

import ast
import logging
import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from lifecycle.access.codes import new_recovery_code, recovery_fingerprint
from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from models.states import Role
from tests import payments as pay
from tests.factories import House, key
from tests.house.test_rules import ROOT
from tests.web import authenticator
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import PASSWORD, console_of, with_password
from tests.web.rights import ROUTES
from web.app import API, PAGES

SAME = {"sec-fetch-site": "same-origin", "origin": ADDRESS}
FORM = {**SAME, "content-type": "application/x-www-form-urlencoded"}
ACCOUNT = "6222020200112233"


class TestASession:
    def test_that_asks_faster_than_any_hand_is_told_to_wait(
        self, console: FastAPI, signed_in: Callable[..., Browser]
    ) -> None:
        visitor, meter = signed_in("coordinator"), console.state.house.visits
        meter.at_once, meter.per_minute = 3, 1
        other = signed_in("auditor")

        said = [visitor.ask("GET", "/board").status_code for _ in range(5)]
        program = visitor.ask("GET", "/api/v1/projects")

        assert said[0] == 200
        assert said[-1] == 429
        assert (program.status_code, program.json()["code"]) == (429, "too_many")
        assert int(program.headers["retry-after"]) > 0
        assert other.ask("GET", "/healthz").status_code == 200
        assert other.ask("GET", "/board").status_code == 200

    def test_begins_in_these_ways_and_no_other(self) -> None:
        begins = set()
        for path in sorted((ROOT / "web").rglob("*.py")):
            for one in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(one, ast.FunctionDef) and f"{one.name}" != "remember_session" and any(
                    isinstance(call, ast.Call) and ast.unparse(call.func) in ("remember_session", "_into")
                    for call in ast.walk(one)
                ):  # fmt: skip
                    begins.add(f"{path.relative_to(ROOT)}:{one.name}")
        assert begins - {"web/pages/entrance.py:_into"} == {
            "web/pages/entrance.py:enter",
            "web/pages/entrance.py:enter_second",
            "web/pages/entrance.py:enter_as",
            "web/pages/entrance.py:enter_by_key",
            "web/pages/links.py:enter",
            "web/pages/sign_on.py:come_back",
            "web/api/session.py:enter",
        }

    def test_of_a_reset_password_still_asks_for_the_second_factor(self, house: House, visitors: ExitStack) -> None:
        with_password(house, "coordinator")
        app = console_of(house, is_demo=False)
        first = visitors.enter_context(Browser(app))
        first.open("/login")
        first.send("Sign in", login="coordinator", password=PASSWORD)
        authenticator.with_app(first, house, PASSWORD)
        own = house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed("set by another")), by=Role.ADMIN)

        second = visitors.enter_context(Browser(app))
        second.open("/login")
        page = second.send("Sign in", login="coordinator", password="set by another")

        assert page.path.startswith("/login/otp")
        assert second.open("/board").path.startswith("/login")


class TestTheLog:
    @pytest.mark.parametrize("attempt", ["csrf", "too many", "method", "too large", "malformed"])
    def test_has_each_attempt_to_get_around_a_rule_and_nothing_that_was_typed(
        self, console: FastAPI, signed_in: Callable[..., Browser], caplog: pytest.LogCaptureFixture, attempt: str
    ) -> None:
        visitor, path, status = signed_in("coordinator"), "/logout", 403
        with caplog.at_level(logging.WARNING, logger="pilotway.access"):
            if attempt == "csrf":
                answer = visitor.ask("POST", "/logout", data={"csrf": "guessed-secret"}, headers=SAME)
            elif attempt == "too many":
                console.state.house.visits.at_once, path, status = 0, "/projects/{ref}", 429
                answer = visitor.ask("GET", "/projects/guessed-secret")
            elif attempt == "method":
                path, status = "-", 405
                answer = visitor.ask("PUT", "/login")
            elif attempt == "too large":
                status = 413
                answer = visitor.ask("POST", "/logout", content=b"guessed-secret" * 100_000, headers=FORM)
            else:
                path, status = "/session", 400
                answer = visitor.ask("POST", "/api/v1/session", content=b"{guessed-secret")

        assert answer.status_code == status
        (line,) = [one for one in caplog.messages if answer.headers["x-trace-id"] in one]
        assert re.fullmatch(rf"[0-9a-f]{{32}} {status} [A-Z]+ (\S+) from '192\.0\.2\.1'", line)
        assert path in line or path == "-"
        assert "guessed-secret" not in caplog.text


class TestASecret:
    def test_goes_into_no_address_but_links_that_hold_once_and_a_calendar(self) -> None:
        names = re.compile(r"token|secret|password|otp|proof|csrf|session|login")
        asked = {
            (prefix + route.path, one.name)
            for prefix, routers in (("", PAGES), ("/api/v1", API))
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute)
            for one in (*route.dependant.query_params, *route.dependant.path_params)
            if names.search(one.name)
        }
        assert asked == {
            ("/invite/{token}", "token"),
            ("/link/{token}", "token"),
            ("/calendar/{token}.ics", "token"),  # a calendar program sends nothing else; it reads days, and no money
            ("/api/v1/users/{ref}/tokens/{token_id}", "token_id"),  # names it; opens nothing
        }

    def test_on_paper_has_140_bits(self) -> None:
        codes = {new_recovery_code() for _ in range(50)}
        assert len(codes) == 50
        assert all(re.fullmatch(r"(?:[A-Z2-7]{4}-){6}[A-Z2-7]{4}", one) and recovery_fingerprint(one) for one in codes)


class TestWithoutASession:
    def test_answers_what_is_declared_open_and_nothing_of_the_works(self, browser: Browser) -> None:
        opened = {path for path, right in ROUTES.items() if right.is_open}
        assert not [one for one in opened if re.search(r"ops|admin|metrics|debug|docs|audit|invariant|check", one)]
        for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/debug", "/console", "/server-status", "/.env"):
            assert browser.ask("GET", path).status_code in (404, 405), path


class TestAParameter:
    """HTTP parameter pollution: a value comes from one place, once."""

    @pytest.fixture
    def manager(self, house: House, signed_in: Callable[..., Browser]) -> Browser:
        (payout,) = pay.payouts(house)
        visitor = signed_in("fund_manager")
        visitor.open(f"/payouts/{house.one('SELECT number FROM payout WHERE id = :id', id=str(payout))}")
        return visitor

    def test_of_the_address_never_stands_in_for_one_of_the_form(self, house: House, manager: Browser) -> None:
        form = manager.page.form("/decide")
        data = {**dict(form.fields), "verb": "approve"}
        data.pop("csrf")
        csrf = dict(form.fields)["csrf"]

        answer = manager.ask("POST", f"{form.action}?csrf={csrf}&verb=approve", data=data, headers=SAME)

        assert answer.status_code == 403
        assert house.one("SELECT state FROM v_payout") == "requested"

    def test_of_a_program_that_says_it_twice_is_refused(self, browser: Browser) -> None:
        body = b'{"login": "coordinator", "password": "a", "password": "b"}'
        answer = browser.ask("POST", "/api/v1/session", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["unmet"]) == (400, ["malformed", "name_twice"])


class TestAField:
    @pytest.mark.parametrize("login", [Role.ACCOUNTANT, Role.FINANCE_OFFICER, Role.AUDITOR, Role.OPERATOR,
                                       Role.PROJECT_LEAD, Role.FUND_MANAGER, Role.ADMIN])  # fmt: skip
    def test_of_an_account_number_is_whole_for_nobody(
        self, house: House, signed_in: Callable[..., Browser], login: str
    ) -> None:
        pay.batches(house, state="sent")
        visitor = signed_in(login)
        for noun in ("payees", "payouts", "payment-batches", "statements", "exceptions", "agreements"):
            answer = visitor.ask("GET", f"/api/v1/{noun}")
            assert answer.status_code in (200, 403), noun
            assert ACCOUNT not in answer.text.replace(" ", ""), noun
        for page in ("/payouts", "/payees", "/bank"):
            assert ACCOUNT not in visitor.ask("GET", page).text.replace(" ", ""), page

    def test_of_a_batch_that_names_who_is_paid_is_not_for_who_runs_the_machines(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        pay.batches(house, state="sent")
        said: dict[str, Any] = {
            login: signed_in(login).ask("GET", "/api/v1/payment-batches").text for login in ("operator", "accountant")
        }
        firm, payout = "sme", house.one("SELECT number FROM v_payout")
        assert payout not in said["operator"]
        assert f'"{firm}"' not in said["operator"]
