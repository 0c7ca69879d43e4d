from collections.abc import Callable
from datetime import timedelta

import pytest

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from tests.factories import House, key
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of
from web.cookies import SESSION as COOKIE

PASSWORD = "correct horse battery"
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def coordinator(house: House) -> str:
    """Give the login of somebody who has a password."""
    own = house.people["coordinator"].user_id
    house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed(PASSWORD)), by="coordinator")
    return "coordinator"


class TestSigningIn:
    def test_leads_to_where_somebody_wanted_to_go(self, browser: Browser, coordinator: str) -> None:
        browser.open("/projects?stage=intake")
        assert browser.page.path.startswith("/login?next=")

        page = browser.send("Sign in", login=coordinator, password=PASSWORD)

        assert page.path == "/projects?stage=intake"
        assert page.status == 200

    def test_gives_a_cookie_that_no_script_reads(self, browser: Browser, coordinator: str) -> None:
        browser.open("/login")
        form = dict(browser.page.form("/login").fields)

        answer = browser.ask("POST", "/login", data={**form, "login": coordinator, "password": PASSWORD}, headers=SAME)

        cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(COOKIE))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie

    @pytest.mark.parametrize("login", ["coordinator", "nobody-at-all"])
    def test_never_says_which_half_was_wrong(self, browser: Browser, coordinator: str, login: str) -> None:
        browser.open("/login")

        page = browser.send("Sign in", login=login, password="wrong and long enough")

        assert page.status == 401
        assert page.title.startswith("Error: ")
        assert "The account or the password is wrong" in page.text
        assert ("login", login) in page.form("/login").fields

    def test_is_refused_after_ten_wrong_tries_even_with_the_right_password(
        self, browser: Browser, coordinator: str
    ) -> None:
        browser.open("/login")
        for _ in range(10):
            browser.send("Sign in", login=coordinator, password="wrong and long enough")

        page = browser.send("Sign in", login=coordinator, password=PASSWORD)

        assert page.status == 429
        assert "wait 5 minutes" in page.text

    def test_of_a_stranger_elsewhere_keeps_nobody_out_of_a_known_browser(
        self, house: House, browser: Browser, coordinator: str
    ) -> None:
        browser.open("/login")
        browser.send("Sign in", login=coordinator, password=PASSWORD)
        browser.send("Sign out")
        with Browser(console_of(house)) as stranger:
            stranger.open("/login")
            for _ in range(10):
                stranger.send("Sign in", login=coordinator, password="wrong and long enough")

        browser.open("/login")
        page = browser.send("Sign in", login=coordinator, password=PASSWORD)

        assert page.path == "/inbox"

    @pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"])
    def test_leads_nowhere_else(self, browser: Browser, coordinator: str, elsewhere: str) -> None:
        browser.open("/login")

        page = browser.send("Sign in", login=coordinator, password=PASSWORD, next=elsewhere)

        assert page.path == "/inbox"

    def test_by_one_click_exists_in_a_demonstration_only(self, house: House) -> None:
        with Browser(console_of(house, is_demo=False)) as visitor:
            visitor.open("/login")
            form = dict(visitor.page.form("/login").fields)
            answer = visitor.ask("POST", "/login/as", data={**form, "login": "coordinator"}, headers=SAME)

        assert answer.status_code == 401


class TestASession:
    def test_ends_with_signing_out(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        token = visitor.client.cookies[COOKIE]
        visitor.send("Sign out")

        visitor.client.cookies.set(COOKIE, token, domain="console.example")

        assert visitor.open("/board").path.startswith("/login")

    def test_ends_after_half_an_hour_without_a_click(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        house.now += timedelta(minutes=31)
        with Browser(console_of(house)) as later:
            later.client.cookies = visitor.client.cookies

            assert later.open("/board").path.startswith("/login")

    def test_is_told_in_the_audit_trail_of_the_account(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        visitor.send("Sign out")

        said = [row.action for row in house.rows("SELECT action FROM audit_record ORDER BY seq DESC LIMIT 2")]
        assert said == ["user.sign_out", "user.sign_in"]


class TestAForm:
    @pytest.mark.parametrize(
        "headers",
        [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"sec-fetch-site": "same-site"}],
    )
    def test_of_another_site_is_refused(self, signed_in: Callable[..., Browser], headers: dict[str, str]) -> None:
        visitor = signed_in("coordinator")
        form = dict(visitor.page.form("/logout").fields)

        answer = visitor.ask("POST", "/logout", data=form, headers=headers)

        assert answer.status_code == 403
        assert visitor.open("/board").path == "/board"

    def test_without_the_token_of_its_session_is_refused(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")

        answer = visitor.ask("POST", "/logout", data={}, headers={"sec-fetch-site": "same-origin", "origin": ADDRESS})

        assert answer.status_code == 403
