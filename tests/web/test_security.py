"""Somebody keeps their own account: second factors, sessions, passwords. No script runs but where a key signs."""

import functools
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from models.states import Role
from tests.factories import House, key
from tests.web import authenticator
from tests.web.authenticator import SecurityKey, secret_on
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of
from tests.web.test_api import Program
from web.cookies import HALFWAY

PASSWORD = "correct horse battery"
OUR_ADDRESS = "https://console.example"
SAME = {"sec-fetch-site": "same-origin", "origin": ADDRESS}


@functools.cache
def _hash() -> str:
    return hashed(PASSWORD)


class TestWhereEverybodyNeedsAFactor:
    @pytest.fixture
    def strict(self, house: House) -> FastAPI:
        """Give a console in which nobody who types a password goes on without a second factor."""
        return console_of(house, is_demo=False, api=OUR_ADDRESS, second_factor="everybody")

    def test_no_page_opens_before_one_is_added(self, house: House, strict: FastAPI) -> None:
        with Browser(strict) as browser:
            entering(browser)
            assert browser.page.path == "/security"
            assert "no other page opens before" in browser.page.text
            assert browser.open("/board").path == "/security"
            program = browser.ask("GET", "/api/v1/projects/PT-1")
            assert (program.status_code, program.json()["code"]) == (403, "second_factor_to_add")

            with_app(browser, house)
            assert browser.open("/board").path == "/board"

    def test_a_program_goes_by_its_token(self, house: House, strict: FastAPI) -> None:
        with Browser(strict) as browser:
            assert Program(house, browser, "coordinator").get("projects").status_code == 200


@pytest.fixture(autouse=True)
def _passwords(house: House) -> None:
    """Give the coordinator and the fund manager a password of their own."""
    for who in ("coordinator", "fund_manager"):
        own = house.people[who].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=_hash()), by=who)


@pytest.fixture
def app(house: House) -> FastAPI:
    """Give a console whose people prove themselves with passwords, in which passkeys have a place."""
    return console_of(house, is_demo=False, api=OUR_ADDRESS)


@pytest.fixture
def visitor(app: FastAPI) -> Iterator[Browser]:
    """Give the browser of the coordinator, who is signed in with a password."""
    with Browser(app) as browser:
        entering(browser)
        yield browser


def entering(browser: Browser, login: str = "coordinator") -> None:
    browser.open("/login")
    browser.send("Sign in", login=login, password=PASSWORD)


def stepping_up(browser: Browser) -> None:
    browser.open("/step-up")
    browser.send("Go on", password=PASSWORD)


def code(secret: str, house: House, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(house.now + timedelta(seconds=30 * steps))


def with_app(browser: Browser, house: House) -> tuple[str, list[str]]:
    """Add an authenticator app, and return its secret with the recovery codes."""
    secret = authenticator.with_app(browser, house, PASSWORD)
    return secret, re.findall(r"(?:[A-Z2-7]{4}-){6}[A-Z2-7]{4}", browser.page.text)


def challenge(browser: Browser, path: str) -> Any:
    token = next(form for form in browser.page.forms if form.action == "/language").fields[0][1]
    answer = browser.ask("POST", path, data={"csrf": token}, headers=SAME)
    return answer.json() if answer.status_code == 200 else answer


def with_passkey(browser: Browser, place: str = OUR_ADDRESS) -> SecurityKey:
    stepping_up(browser)
    browser.open("/security/passkeys")
    one = SecurityKey(place)
    brought = one.register(challenge(browser, "/security/passkeys/challenge"))
    posting(browser, "/security/passkeys", name="office computer", proof_passkey=brought)
    return one


def posting(browser: Browser, action: str, **typed: str) -> Any:
    """Send a form whose hidden field a script has filled."""
    form = browser.page.form(action)
    answer = browser.ask("POST", form.action, data={**dict(form.fields), **typed}, headers=SAME)
    return browser._arrive(answer)


class TestAnAuthenticatorApp:
    def test_is_shown_as_a_square_and_as_text_and_gives_ten_paper_codes(self, house: House, visitor: Browser) -> None:
        stepping_up(visitor)
        assert "<svg" in visitor.open("/security/totp").answer.text

        _, papers = with_app(visitor, house)

        assert len(set(papers)) == 10
        assert "10 left" in visitor.open("/security").text

    def test_asks_who_one_is_first(self, visitor: Browser) -> None:
        assert visitor.open("/security/totp").path == "/step-up?next=/security/totp"
        assert visitor.send("Go on", password=PASSWORD).path == "/security/totp"

    def test_is_not_kept_before_a_code_of_it_was_typed(self, house: House, visitor: Browser) -> None:
        stepping_up(visitor)
        before = visitor.open("/security/totp").form("/security/totp").fields
        page = visitor.send("add an authenticator app", code="000000")

        assert page.status == 401
        assert "The code is wrong" in page.text
        assert [one for one in before if one[0] == "sealed"] == [
            one for one in page.form("/security/totp").fields if one[0] == "sealed"
        ]
        assert house.one("SELECT count(*) FROM totp_secret") == 0

    def test_is_stored_sealed_where_there_is_a_key(self, house: House, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("a key of the installation", encoding="ascii")
        with Browser(console_of(house, is_demo=False, secret_file=tmp_path / "secret")) as browser:
            entering(browser)
            secret, _ = with_app(browser, house)

        stored = str(house.one("SELECT secret FROM totp_secret"))
        assert stored.startswith("sealed:")
        assert secret not in stored

    def test_is_not_offered_for_real_work_without_a_key(self, house: House) -> None:
        with Browser(console_of(house, is_demo=False, is_rehearsal=False)) as browser:
            entering(browser)
            stepping_up(browser)
            page = browser.open("/security/totp")
        assert page.status == 403
        assert "PILOTWAY_SECRET_FILE" in page.text

    def test_goes_with_a_proof(self, house: House, visitor: Browser) -> None:
        with_app(visitor, house)
        visitor.open("/security/totp/remove")
        visitor.send("remove the authenticator app")
        assert house.one("SELECT count(*) FROM totp_secret WHERE revoked_at IS NULL") == 0


class TestTheSecondStep:
    def test_asks_for_a_code_after_the_password_and_leads_on(
        self, house: House, app: FastAPI, visitor: Browser
    ) -> None:
        secret, _ = with_app(visitor, house)
        with Browser(app) as other:
            other.open("/projects")
            page = other.send("Sign in", login="coordinator", password=PASSWORD)
            assert page.path == "/login/otp?next=/projects"
            assert other.open("/projects").path.startswith("/login")

            other.open("/login/otp?next=/projects")
            page = other.send("Sign in", proof_code=code(secret, house))

            assert page.path == "/projects"
            assert other.client.cookies.get(HALFWAY) is None

    def test_takes_no_code_twice(self, house: House, app: FastAPI, visitor: Browser) -> None:
        secret, _ = with_app(visitor, house)
        for expected in ("/", "/login/otp"):
            with Browser(app) as other:
                entering(other)
                page = other.send("Sign in", proof_code=code(secret, house))
                assert page.path.startswith(expected)
        assert "has been used" in page.text

    def test_takes_a_paper_code_once(self, house: House, app: FastAPI, visitor: Browser) -> None:
        _, papers = with_app(visitor, house)
        for status in (200, 401):
            with Browser(app) as other:
                entering(other)
                page = other.send("Sign in", proof_code=papers[0].lower())
                assert page.status == status

    def test_is_refused_after_five_wrong_codes_even_with_the_right_one(
        self, house: House, app: FastAPI, visitor: Browser
    ) -> None:
        secret, _ = with_app(visitor, house)
        with Browser(app) as other:
            entering(other)
            for _ in range(5):
                assert other.send("Sign in", proof_code="000000").status == 401
            page = other.send("Sign in", proof_code=code(secret, house))
        assert page.status == 429

    def test_ends_after_five_minutes(self, house: House, app: FastAPI, visitor: Browser) -> None:
        secret, _ = with_app(visitor, house)
        with Browser(app) as other:
            entering(other)
            house.now += timedelta(minutes=5)
            with Browser(console_of(house, is_demo=False)) as later:
                later.client.cookies = other.client.cookies
                form = {**dict(other.page.form("/login/otp").fields), "proof_code": code(secret, house)}
                answer = later.ask("POST", "/login/otp", data=form, headers=SAME)
        assert answer.status_code == 401
        assert "begin again" in answer.text

    def test_is_said_at_once_by_a_program(self, house: House, app: FastAPI, visitor: Browser) -> None:
        secret, _ = with_app(visitor, house)
        known = {"login": "coordinator", "password": PASSWORD}
        with Browser(app) as program:
            missing = program.ask("POST", "/api/v1/session", json=known)
            wrong = program.ask("POST", "/api/v1/session", json={**known, "code": "000000"})
            right = program.ask("POST", "/api/v1/session", json={**known, "code": code(secret, house)})
        assert [one.status_code for one in (missing, wrong, right)] == [401, 401, 200]
        assert [missing.json()["code"], wrong.json()["code"]] == ["second_factor_required", "code_wrong"]


class TestAPasskey:
    def test_lets_in_as_the_second_step(self, house: House, app: FastAPI, visitor: Browser) -> None:
        one = with_passkey(visitor)
        assert "office computer" in visitor.open("/security").text
        with Browser(app) as other:
            entering(other)
            brought = one.sign(challenge(other, "/login/passkey"))
            assert posting(other, "/login/otp", proof_passkey=brought).path == "/inbox"
        said = house.rows("SELECT body FROM audit_record WHERE action = 'user.sign_in' ORDER BY seq DESC LIMIT 1")
        assert '"kind":"passkey"' in said[0].body

    def test_of_another_place_lets_nobody_in(self, app: FastAPI, visitor: Browser) -> None:
        one = with_passkey(visitor)
        one.origin = "https://console.example.evil.example"
        with Browser(app) as other:
            entering(other)
            page = posting(other, "/login/otp", proof_passkey=one.sign(challenge(other, "/login/passkey")))
        assert page.status == 401
        assert "could not be verified" in page.text

    def test_that_counts_backwards_lets_nobody_in(self, app: FastAPI, visitor: Browser) -> None:
        one = with_passkey(visitor)
        one.count = 4
        for count, status in ((4, 200), (2, 401)):
            one.count = count
            with Browser(app) as other:
                entering(other)
                page = posting(other, "/login/otp", proof_passkey=one.sign(challenge(other, "/login/passkey")))
                assert page.status == status
        assert "counts backwards" in page.text

    def test_of_another_place_is_not_registered(self, house: House, visitor: Browser) -> None:
        with_passkey(visitor, "https://evil.example")
        assert house.one("SELECT count(*) FROM passkey") == 0

    def test_proves_who_one_is_once_per_challenge(self, app: FastAPI, visitor: Browser) -> None:
        one = with_passkey(visitor)
        with Browser(app) as other:
            entering(other)
            posting(other, "/login/otp", proof_passkey=one.sign(challenge(other, "/login/passkey")))
            other.open("/step-up?next=/security")
            brought = one.sign(challenge(other, "/step-up/passkey"))
            assert posting(other, "/step-up", proof_passkey=brought).path == "/security"
            other.open("/step-up")
            assert posting(other, "/step-up", proof_passkey=brought).status == 401

    def test_is_not_asked_for_by_another_site(self, visitor: Browser) -> None:
        stepping_up(visitor)
        visitor.open("/security/passkeys")
        for path in ("/security/passkeys/challenge", "/step-up/passkey", "/login/passkey"):
            answer = visitor.ask("POST", path, headers={"sec-fetch-site": "cross-site"})
            assert answer.status_code == 403

    def test_has_no_place_where_the_installation_says_no_address(self, house: House) -> None:
        with Browser(console_of(house, is_demo=False)) as browser:
            entering(browser)
            assert "says no address" in browser.open("/security").text
            assert browser.open("/security/passkeys").status == 403

    def test_goes_with_a_proof(self, house: House, visitor: Browser) -> None:
        with_passkey(visitor)
        visitor.open("/security")
        visitor.follow("remove a passkey")
        visitor.send("remove a passkey")
        assert house.one("SELECT count(*) FROM passkey WHERE revoked_at IS NULL") == 0


class TestADecisionAboutMoney:
    def test_asks_for_the_second_factor_of_who_has_one(self, house: House, app: FastAPI) -> None:
        with Browser(app) as browser:
            entering(browser, "fund_manager")
            secret, _ = with_app(browser, house)
            house.now += timedelta(minutes=6)
            with Browser(console_of(house, is_demo=False)) as later:
                later.client.cookies = browser.client.cookies
                page = later.open("/step-up")
                assert "password" not in page.form("/step-up").names
                assert later.send("Go on", proof_code="111111").status == 401
                assert later.send("Go on", proof_code=code(secret, house)).path == "/inbox"

    def test_of_who_has_none_is_refused_in_real_work(self, house: House) -> None:
        with Browser(console_of(house, is_demo=False, is_rehearsal=False)) as browser:
            entering(browser, "fund_manager")
            stepping_up(browser)
            refused = deciding(browser)
            assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_missing")

    def test_of_who_has_none_needs_the_password_in_a_rehearsal(self, house: House, app: FastAPI) -> None:
        with Browser(app) as browser:
            entering(browser, "fund_manager")
            assert deciding(browser).json()["code"] == "step_up_required"
            stepping_up(browser)
            assert deciding(browser).status_code == 422

    def test_asks_for_the_factor_in_a_demonstration_too_once_there_is_one(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("fund_manager")
        visitor.open("/step-up")
        visitor.send("Go on")
        page = visitor.open("/security/totp")
        visitor.send("add an authenticator app", code=code(secret_on(page), house, -1))
        page = visitor.open("/step-up")
        assert "proof_code" in page.form("/step-up").names


def deciding(browser: Browser) -> Any:
    """Approve nothing at all by the API: refused for who has not proven themselves, else for what is asked."""
    token = next(form for form in browser.page.forms if form.action == "/language").fields[0][1]
    headers = {**SAME, "x-csrf-token": token, "idempotency-key": key()}
    return browser.ask(
        "POST", "/api/v1/payouts/commands/approve", json={"items": [], "total_minor": 0}, headers=headers
    )


class TestSessions:
    def test_are_listed_with_device_and_address_and_ended_one_by_one(self, app: FastAPI, visitor: Browser) -> None:
        with Browser(app) as other:
            other.client.headers["user-agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Safari/605"
            entering(other)
            page = visitor.open("/security")
            assert "Safari on iPhone" in page.text
            assert "192.0.2.1" in page.text

            visitor.send("End")
            assert other.open("/board").path == "/board", "who ends a session proves who they are"
            stepping_up(visitor)
            visitor.open("/security")
            visitor.send("End")

            assert other.open("/board").path.startswith("/login")
            assert visitor.open("/board").path == "/board"

    def test_all_end_but_this_one(self, app: FastAPI, visitor: Browser) -> None:
        with Browser(app) as other, Browser(app) as third:
            entering(other)
            entering(third)
            stepping_up(visitor)
            visitor.open("/security")
            visitor.send("End all others")
            assert [one.open("/board").path for one in (visitor, other, third)] == [
                "/board",
                *["/login?next=/board"] * 2,
            ]

    def test_of_somebody_else_are_not_ended(self, house: House, app: FastAPI, visitor: Browser) -> None:
        with Browser(app) as other:
            entering(other, "fund_manager")
            stepping_up(visitor)
            theirs = house.one("SELECT id FROM web_session ORDER BY created_at DESC, id DESC LIMIT 1")
            visitor.open("/security")
            data = {**dict(visitor.page.form("/language").fields), "session": str(theirs)}
            answer = visitor.ask("POST", "/security/sessions/end", data=data, headers=SAME)
            assert answer.status_code in (403, 404, 409)
            assert other.open("/board").path == "/board"


class TestAPassword:
    @pytest.mark.parametrize(
        ("now", "new", "again", "said"),
        [
            ("wrong and long enough", "another long way home", "another long way home", "present password is wrong"),
            (PASSWORD, "too short", "too short", "12 to 128"),
            (PASSWORD, "coordinatorcoordinator", "coordinatorcoordinator", "too easily guessed"),
            (PASSWORD, "1qaz2wsx3edc", "1qaz2wsx3edc", "have leaked"),
            (PASSWORD, "platform-2026!", "platform-2026!", "too easily guessed"),
            (PASSWORD, "another long way home", "another long way hone", "differ"),
            (PASSWORD, PASSWORD, PASSWORD, "is the present one"),
        ],
    )
    def test_is_not_changed(self, visitor: Browser, now: str, new: str, again: str, said: str) -> None:
        visitor.open("/security/password")
        page = visitor.send("Change the password", now=now, new=new, again=again)
        assert page.status == 422
        assert said in page.text

    def test_is_changed_and_every_other_session_ends(self, app: FastAPI, visitor: Browser) -> None:
        with Browser(app) as other:
            entering(other)
            visitor.open("/security/password")
            page = visitor.send(
                "Change the password", now=PASSWORD, new="another long way home", again="another long way home"
            )
            assert "every other session has ended" in page.text
            assert other.open("/board").path.startswith("/login")

    def test_that_an_administrator_set_opens_nothing_before_it_is_changed(self, house: House, app: FastAPI) -> None:
        own = house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=_hash()), by=Role.ADMIN)
        with Browser(app) as browser:
            browser.open("/board")
            page = browser.send("Sign in", login="coordinator", password=PASSWORD)
            assert page.path == "/security/password?next=/board"
            assert browser.open("/security/totp").path.startswith("/security/password")
            program = browser.ask("GET", "/api/v1/projects/PT-1")
            assert (program.status_code, program.json()["code"]) == (403, "password_to_change")

            browser.open("/security/password?next=/board")
            page = browser.send(
                "Change the password", now=PASSWORD, new="another long way home", again="another long way home"
            )
            assert page.path == "/board"

    def test_that_an_administrator_set_lasts_three_days(self, house: House) -> None:
        own = house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=_hash()), by=Role.ADMIN)
        house.now += timedelta(days=3)
        with Browser(console_of(house, is_demo=False)) as browser:
            browser.open("/login")
            page = browser.send("Sign in", login="coordinator", password=PASSWORD)
            assert page.status == 401


class TestAnAdministrator:
    def test_sets_a_password_that_is_shown_once(self, house: House, signed_in: Callable[..., Browser]) -> None:
        admin = signed_in("admin")
        admin.open("/users/coordinator/do/set-password")
        page = admin.send("set a password")
        shown = re.search(r"Password ([\w-]{22})", page.text)
        assert shown
        with Browser(console_of(house, is_demo=False)) as browser:
            browser.open("/login")
            page = browser.send("Sign in", login="coordinator", password=shown.group(1))
            assert page.path.startswith("/security/password")

    def test_resets_what_was_lost(self, house: House, visitor: Browser, signed_in: Callable[..., Browser]) -> None:
        with_app(visitor, house)
        admin = signed_in("admin")
        admin.open("/users/coordinator/do/reset-access")
        admin.send("reset the ways to sign in")

        assert visitor.open("/board").path.startswith("/login")
        assert house.one("SELECT count(*) FROM totp_secret WHERE revoked_at IS NULL") == 0
        visitor.open("/login")
        assert visitor.send("Sign in", login="coordinator", password=PASSWORD).status == 401
