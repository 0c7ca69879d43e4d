"""The feed of events, and webhooks, roles and tokens as programs keep them."""

import httpx
import pytest
from fastapi import FastAPI

from lifecycle.access.queries import fingerprint
from lifecycle.projects.commands import PutOnHold
from models.states import Role
from tests.factories import House, key, projects
from tests.web.browser import Browser
from tests.web.conftest import sign_in
from tests.web.test_api import Program


class Admin:
    """The administrator's own session, as a page would call the API."""

    def __init__(self, browser: Browser) -> None:
        sign_in(browser, "admin")
        self.browser = browser
        self.csrf = dict(browser.open("/board").forms[0].fields)["csrf"]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        sent = {"x-csrf-token": self.csrf, "sec-fetch-site": "same-origin", "idempotency-key": key(), **headers}
        return self.browser.ask(method, f"/api/v1/{path}", json=body, headers=sent)


@pytest.fixture
def admin(browser: Browser) -> Admin:
    """Give the administrator's session."""
    return Admin(browser)


def hold(house: House) -> None:
    """Put a new project on hold: an event."""
    (made,) = projects(house)
    house.do(
        PutOnHold(command_id=key(), project_id=made, code="partner", reason="moves", until_on=house.today),
        by="coordinator",
    )


class TestTheFeed:
    def test_tells_in_order_what_one_may_see_under_the_ids_of_webhooks(
        self, house: House, console: FastAPI, browser: Browser
    ) -> None:
        hold(house)
        house.later(minutes=2)
        program, stranger = (Program(house, browser, who) for who in ("coordinator", "stranger"))
        console.state.house.clock.at = house.now

        told = program.get("events").json()

        ids = [one["id"] for one in told["data"]]
        assert ids == sorted(ids)
        assert set(ids) <= {row.id for row in house.rows("SELECT id FROM v_outbox")}
        assert "project.held" in [one["type"] for one in told["data"]]
        assert {one["specversion"] for one in told["data"]} == {"1.0"}
        assert program.get(f"events/{ids[0]}").json() == told["data"][0]
        held = next(one["id"] for one in told["data"] if one["type"] == "project.held")
        assert "project.held" not in [one["type"] for one in stranger.get("events").json()["data"]]
        assert stranger.get(f"events/{held}").status_code == 404
        assert program.get(f"events?cursor={told['next']}").json() == {"data": [], "next": told["next"]}

    def test_gives_what_is_young_again(self, house: House, browser: Browser) -> None:
        hold(house)
        program = Program(house, browser, "coordinator")

        first = program.get("events").json()

        assert first["data"]
        assert first["next"] is None
        assert program.get("events?kind=project.held").json()["data"] == first["data"][-1:]
        assert program.get("events?cursor=x").status_code == 400
        assert program.get("events?sort=-id").json()["code"] == "field_unknown"


class TestWebhooks:
    def test_are_added_rotated_and_ended_by_a_program_with_a_secret_shown_once(
        self, house: House, admin: Admin
    ) -> None:
        added = admin.ask("POST", "webhooks", {"url": "https://example.org/in", "types": ["project.*"]})
        assert added.status_code == 201, added.text
        endpoint, secret = added.json()["object_id"], added.json()["secret"]
        assert secret.startswith("whsec_")
        assert "secret" not in admin.ask("GET", f"webhooks/{endpoint}").json()

        rotated = admin.ask("POST", f"webhooks/{endpoint}/commands/rotate", {})
        assert rotated.json()["secret"] not in ("", secret)
        assert admin.ask("POST", f"webhooks/{endpoint}/commands/end-rotation", {}).status_code == 200
        assert admin.ask("POST", f"webhooks/{endpoint}/commands/ping", {}).status_code == 200
        own = admin.ask("POST", f"webhooks/{endpoint}/commands/rotate", {"secret": secret})
        assert own.status_code == 200
        assert "secret" not in own.json()
        assert admin.ask("DELETE", f"webhooks/{endpoint}").status_code == 204
        assert admin.ask("GET", f"webhooks/{endpoint}").json()["status"] == "disabled"

    def test_are_nothing_for_others(self, house: House, browser: Browser) -> None:
        program = Program(house, browser, "coordinator")

        assert program.get("webhooks").status_code == 403
        refused = program.post("webhooks", {"url": "https://example.org/in"}, idempotency_key="k")
        assert (refused.status_code, refused.json()["code"]) == (403, "role")


class TestTokens:
    def test_are_given_used_listed_and_taken_back(self, house: House, admin: Admin) -> None:
        who = house.people["coordinator"].user_id

        given = admin.ask("POST", f"users/{who}/tokens", {"days": 30, "scopes": ["read"]})
        assert given.status_code == 201, given.text
        secret, token_id = given.json()["token"], given.json()["token_id"]
        assert house.one("SELECT token_sha256 FROM api_token") == fingerprint(secret)
        bearer = {"authorization": f"Bearer {secret}"}
        assert admin.browser.ask("GET", "/api/v1/projects", headers=bearer).status_code == 200
        (listed,) = admin.ask("GET", f"users/{who}/tokens").json()["data"]
        assert listed["last_used_at"] is not None
        assert set(listed) == {"id", "user_id", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"}

        assert admin.ask("DELETE", f"users/{who}/tokens/{token_id}").status_code == 204
        assert admin.browser.ask("GET", "/api/v1/projects", headers=bearer).status_code == 401
        again = admin.ask("DELETE", f"users/{who}/tokens/{token_id}")
        assert (again.status_code, again.json()["code"]) == (409, "token_not_found")

    @pytest.mark.parametrize("body", [{"days": 367, "scopes": ["read"]}, {"days": 1, "scopes": []}, {"days": 1}])
    def test_are_short_lived_and_say_what_they_are_for(self, house: House, admin: Admin, body: object) -> None:
        answer = admin.ask("POST", f"users/{house.people['coordinator'].user_id}/tokens", body)

        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")

    def test_ask_so_often_and_no_more_often(self, house: House, console: FastAPI, browser: Browser) -> None:
        program = Program(house, browser, "coordinator")
        console.state.house.meter.at_once = 2
        console.state.house.meter.per_minute = 1

        answers = [program.get("platforms?limit=1") for _ in range(3)]

        assert [one.status_code for one in answers] == [200, 200, 429]
        assert answers[2].json()["code"] == "too_many"
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60


class TestRoles:
    def test_are_given_and_taken_back(self, house: House, admin: Admin) -> None:
        who, at = house.people["nobody"].user_id, house.parties["platform"]
        body = {"role": "lab_lead", "organisation_id": str(at)}

        given = admin.ask("POST", f"users/{who}/grants", body)
        assert given.status_code == 201, given.text
        (listed,) = admin.ask("GET", f"users/{who}/grants").json()["data"]
        assert (listed["role"], listed["id"]) == ("lab_lead", given.json()["grant_id"])
        assert admin.ask("DELETE", f"users/{who}/grants/{listed['id']}").status_code == 204
        assert admin.ask("POST", f"users/{who}/disable").status_code == 200
        assert admin.ask("GET", f"users/{who}").json()["status"] == "disabled"
        assert admin.ask("POST", f"users/{who}/enable").status_code == 200

    def test_are_an_administrators_to_give(self, house: House, browser: Browser) -> None:
        program, who = Program(house, browser, Role.AUDITOR), house.people["nobody"].user_id

        answer = program.post(f"users/{who}/grants", {"role": "admin"}, idempotency_key="k")

        assert (answer.status_code, answer.json()["code"]) == (403, "role")
        own = program.post(f"users/{house.people[Role.AUDITOR].user_id}/tokens", {"days": 1, "scopes": ["read"]},
                           idempotency_key="k")  # fmt: skip
        assert own.status_code == 403
