"""Signing in with a passkey and nothing else: what it takes, what it leaves, and who is kept out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from lifecycle.access.commands import ResetAccess, SetPassword
from lifecycle.access.passwords import hashed
from lifecycle.people.commands import DisableUser
from models.states import Role
from tests.factories import House, key
from tests.web.authenticator import SecurityKey, coded
from tests.web.browser import Browser
from tests.web.conftest import console_of, with_password
from tests.web.test_security import (
    OUR_ADDRESS,
    PASSWORD,
    SAME,
    challenge,
    entering,
    posting,
    stepping_up,
    with_app,
    with_passkey,
)
from web.cookies import HALFWAY, KEY_ALONE, SESSION


@pytest.fixture
def app(house: House) -> FastAPI:
    """Give a console in which passkeys have a place, and somebody with a password of their own."""
    with_password(house, "coordinator")
    return console_of(house, is_demo=False, api=OUR_ADDRESS)


@pytest.fixture
def own(app: FastAPI) -> Iterator[Browser]:
    """Give the browser of who is signed in with a password."""
    with Browser(app) as browser:
        entering(browser)
        yield browser


@pytest.fixture
def other(app: FastAPI) -> Iterator[Browser]:
    """Give another browser, at the page to sign in."""
    with Browser(app) as browser:
        browser.open("/login?next=/projects")
        yield browser


def asked(browser: Browser) -> Any:
    return challenge(browser, "/login/key/challenge")


def entered(browser: Browser, one: SecurityKey) -> Any:
    return posting(browser, "/login/key", proof_passkey=one.sign(asked(browser)))


class TestAPasskeyAlone:
    def test_lets_in_where_somebody_wanted_to_go_and_counts_as_both_factors(
        self, house: House, own: Browser, other: Browser
    ) -> None:
        one = with_passkey(own)

        page = entered(other, one)

        assert (page.path, page.status) == ("/projects", 200)
        assert other.client.cookies.get(KEY_ALONE) is None
        said = house.rows("SELECT body FROM audit_record WHERE action = 'user.sign_in' ORDER BY seq DESC LIMIT 1")
        detail = json.loads(said[0].body)["detail"]
        assert (detail["kind"], detail["has_no_password"]) == ("passkey", True)
        assert detail["passkey_id"] == str(house.one("SELECT id FROM passkey"))
        assert house.one("SELECT last_used_at IS NOT NULL FROM passkey")

    def test_is_led_to_no_password_that_somebody_else_set_and_its_owner_may_not_know(
        self, house: House, own: Browser, other: Browser, app: FastAPI
    ) -> None:
        """Who types that password has to change it, also where the same passkey is the second step."""
        one, account = with_passkey(own), house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=account, password_hash=hashed(PASSWORD)), by=Role.ADMIN)

        assert entered(other, one).path == "/projects"

        with Browser(app) as typing:
            entering(typing)
            page = posting(typing, "/login/otp", proof_passkey=one.sign(challenge(typing, "/login/passkey")))
            assert page.path.startswith("/security/password")
            assert other.open("/board").path == "/board"

    def test_proves_nothing_about_money_yet(self, own: Browser, other: Browser) -> None:
        entered(other, with_passkey(own))

        assert other.open("/security/codes").path == "/step-up?next=/security/codes"

    def test_is_asked_for_any_key_of_this_place_that_verifies_who_holds_it(self, other: Browser) -> None:
        said = asked(other)

        assert (said["rpId"], said["userVerification"]) == ("console.example", "required")
        assert not said.get("allowCredentials")

    def test_is_kept_with_the_account_where_the_device_can(self, own: Browser) -> None:
        stepping_up(own)
        own.open("/security/passkeys")

        said = challenge(own, "/security/passkeys/challenge")

        assert said["authenticatorSelection"]["residentKey"] == "preferred"
        assert said["extensions"] == {"credProps": True}


class TestNobodyIsLetIn:
    def refused(self, browser: Browser, page: Any, status: int = 401) -> str:
        assert (page.status, page.path) == (status, "/login/key")
        assert page.title.startswith("Error: ")
        assert browser.client.cookies.get(SESSION) is None
        assert ("next", "/projects") in page.form("/login").fields
        return str(page.text)

    def test_by_a_key_that_did_not_verify_who_holds_it(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        one.verifies = False

        assert "could not be verified" in self.refused(other, entered(other, one))

    def test_by_a_key_that_names_another_account_or_none(self, house: House, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        for handle in (coded(house.people["fund_manager"].user_id.bytes), "", "!"):
            one.handle = handle
            self.refused(other, entered(other, one))

    def test_by_a_key_of_another_place(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        one.origin = "https://console.example.evil.example"

        self.refused(other, entered(other, one))

    @pytest.mark.parametrize("brought", ["", "{}", "[]", "nothing", '{"id": 5, "response": {"clientDataJSON": 1}}'])
    def test_by_what_is_no_key(self, other: Browser, brought: str) -> None:
        asked(other)

        self.refused(other, posting(other, "/login/key", proof_passkey=brought))

    def test_by_a_key_that_nobody_has_or_that_was_removed(self, own: Browser, other: Browser) -> None:
        stranger = SecurityKey(OUR_ADDRESS, handle=coded(b"x" * 16))
        unknown = self.refused(other, entered(other, stranger))
        one = with_passkey(own)
        own.open("/security")
        own.follow("remove a passkey")
        own.send("remove a passkey")

        assert self.refused(other, entered(other, one)) == unknown

    def test_by_the_signature_of_another_key(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        forged = SecurityKey(OUR_ADDRESS, id=one.id, handle=one.handle, count=one.count)

        self.refused(other, entered(other, forged))

    def test_by_a_key_that_counts_backwards(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        entered(other, one)
        other.send("Sign out")
        one.count = 0
        other.open("/login?next=/projects")

        assert "counts backwards" in self.refused(other, entered(other, one))

    def test_into_an_account_that_is_closed(self, house: House, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        house.do(DisableUser(command_id=key(), user_id=house.people["coordinator"].user_id), by="admin")

        self.refused(other, entered(other, one))

    def test_into_an_account_whose_access_was_reset(self, house: House, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        house.do(ResetAccess(command_id=key(), user_id=house.people["coordinator"].user_id), by="admin")

        self.refused(other, entered(other, one))


class TestAChallenge:
    def test_is_answered_once_though_the_browser_keeps_it(self, house: House, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        said = asked(other)
        cookie = other.client.cookies[KEY_ALONE]
        form = other.page.form("/login/key")
        first, second = one.sign(said), one.sign(said)
        statuses = []
        for brought in (first, second):
            other.client.cookies.clear()
            other.client.cookies.set(KEY_ALONE, cookie, domain="console.example")
            data = {**dict(form.fields), "proof_passkey": brought}
            statuses.append(other.ask("POST", "/login/key", data=data, headers=SAME).status_code)

        assert statuses == [303, 401]
        assert house.one("SELECT count(*) FROM web_session WHERE kind = 'passkey'") == 1

    def test_is_over_after_five_minutes(self, house: House, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        said = asked(other)
        house.now += timedelta(minutes=5)
        with Browser(console_of(house, is_demo=False, api=OUR_ADDRESS)) as later:
            later.client.cookies = other.client.cookies
            data = {**dict(other.page.form("/login/key").fields), "proof_passkey": one.sign(said)}
            answer = later.ask("POST", "/login/key", data=data, headers=SAME)

        assert answer.status_code == 401
        assert "begin again" in answer.text

    @pytest.mark.parametrize("cookie", ["", "a.b.c", "a.9999999999.00", "a.9999999999.é"])
    def test_is_one_that_we_have_sealed(self, own: Browser, other: Browser, cookie: str) -> None:
        one = with_passkey(own)
        said = asked(other)
        data = {**dict(other.page.form("/login/key").fields), "proof_passkey": one.sign(said)}
        headers = {**SAME, "cookie": f"{KEY_ALONE}={cookie}".encode()}
        other.client.cookies.clear()

        answer = other.ask("POST", "/login/key", data=data, headers=headers)

        assert answer.status_code == 401

    def test_that_was_refused_is_no_way_around_the_password(self, house: House, own: Browser, other: Browser) -> None:
        """Its row names what no browser knows: with the text of the cookie nobody comes to the second step."""
        with_app(own, house)
        one = with_passkey_beside(own, house)
        text = ""
        for count in (5, 0):
            one.count = count
            said = asked(other)
            text = other.client.cookies[KEY_ALONE]
            posting(other, "/login/key", proof_passkey=one.sign(said))
            other.client.cookies.clear()
            other.open("/login")

        for token in (text, text.partition(".")[0], text.rpartition(".")[2]):
            other.client.cookies.set(HALFWAY, token, domain="console.example")
            assert not [form for form in other.open("/login/otp").forms if form.action == "/login/otp"]

    def test_is_not_drawn_for_another_site(self, other: Browser) -> None:
        for path in ("/login/key/challenge", "/login/key"):
            assert other.ask("POST", path, headers={"sec-fetch-site": "cross-site"}).status_code == 403

    def test_is_drawn_only_where_keys_have_a_place_and_challenges_a_seal(self, house: House) -> None:
        with Browser(console_of(house, is_demo=False)) as browser:
            page = browser.open("/login")
            assert not [one for one in page.forms if one.action == "/login/key"]
            assert challenge(browser, "/login/key/challenge").status_code == 401


def with_passkey_beside(browser: Browser, house: House) -> SecurityKey:
    """Add a passkey to an account that has an app already; its session was proven when the app was added."""
    browser.open("/security/passkeys")
    one = SecurityKey(OUR_ADDRESS)
    posting(
        browser,
        "/security/passkeys",
        name="phone",
        proof_passkey=one.register(challenge(browser, "/security/passkeys/challenge")),
    )
    assert house.one("SELECT count(*) FROM passkey") == 1
    return one


class TestTooManyTries:
    def test_from_one_place_are_stopped_whatever_they_bring(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        stranger = SecurityKey(OUR_ADDRESS, handle=coded(b"x" * 16))
        for _ in range(10):
            assert entered(other, stranger).status == 401

        page = entered(other, one)

        assert page.status == 429
        assert "wait 5 minutes" in page.text
        assert other.send("Sign in", login="coordinator", password=PASSWORD).status == 429

    def test_of_a_stranger_keep_nobody_out_of_a_browser_that_is_known(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        forged = SecurityKey(OUR_ADDRESS, id=one.id, handle=one.handle)
        for _ in range(10):
            assert entered(other, forged).status == 401
        assert entered(other, one).status == 429

        own.send("Sign out")

        assert entered(own, one).path == "/inbox"

    def test_in_a_known_browser_stop_the_second_factors_of_its_account(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        own.send("Sign out")
        one.verifies = False
        for _ in range(5):
            assert entered(own, one).status == 401
        one.verifies = True

        assert entered(own, one).status == 429
        assert entered(other, one).status == 429

    def test_of_passwords_stop_it_too(self, own: Browser, other: Browser) -> None:
        one = with_passkey(own)
        for _ in range(10):
            other.send("Sign in", login="nobody", password="wrong and long enough")

        assert entered(other, one).status == 429


class TestMySecurity:
    @pytest.mark.parametrize(
        ("verifies", "keeps", "said"),
        [
            (True, True, "signs in alone"),
            (True, False, "second step after the password"),
            (False, True, "second step after the password"),
        ],
    )
    def test_says_which_key_signs_in_alone(self, own: Browser, *, verifies: bool, keeps: bool, said: str) -> None:
        stepping_up(own)
        own.open("/security/passkeys")
        one = SecurityKey(OUR_ADDRESS, verifies=verifies, keeps=keeps)
        brought = one.register(challenge(own, "/security/passkeys/challenge"))
        posting(own, "/security/passkeys", name="office computer", proof_passkey=brought)

        page = own.open("/security")

        assert f"office computer {said}" in page.text
        assert ("remove it and add it again" in page.text) == (said != "signs in alone")


def test_a_console_without_a_key_of_the_installation_offers_no_such_way(house: House) -> None:
    app = console_of(house, is_demo=False, api=OUR_ADDRESS)
    app.state.house = replace(app.state.house, secret=None)
    with Browser(app) as browser:
        assert not [one for one in browser.open("/login").forms if one.action == "/login/key"]
        assert challenge(browser, "/login/key/challenge").status_code == 401
