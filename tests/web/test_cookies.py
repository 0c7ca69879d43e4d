"""What a browser is given to keep: bound to this host over https, closed to scripts, drawn anew with each proof."""

import re
from collections.abc import Callable

import pytest

from lifecycle.access.queries import signed_in as session_of
from models.db import reading
from tests.factories import House
from tests.house.test_rules import ROOT
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import PASSWORD, with_password
from web.cookies import DEVICE, HOST_ONLY, KEYS, LANGUAGE, SESSION

SAFE = "https://console.example"
SAME = {"sec-fetch-site": "same-origin"}


def given(browser: Browser, place: str, path: str, **form: str) -> dict[str, list[str]]:
    """Return what a browser is told to keep when it sends a form: name of the cookie -> its attributes."""
    answer = browser.ask("POST", f"{place}{path}", data=form, headers={**SAME, "origin": place})
    assert answer.status_code == 303, answer.text
    told = [one.split("; ") for one in answer.headers.get_list("set-cookie")]
    return {first.partition("=")[0]: sorted(rest) for first, *rest in told}


def is_open(house: House, token: str) -> bool:
    with reading(house.engine) as session:
        return session_of(session, token, house.now) is not None


class TestOverHttps:
    def test_each_is_bound_to_this_host_by_its_name(self, browser: Browser) -> None:
        csrf = dict(browser.open(f"{SAFE}/login").form("/login").fields)["csrf"]

        told = given(browser, SAFE, "/login/as", login="coordinator", csrf=csrf)
        form = dict(browser.open(f"{SAFE}/preferences").form("/preferences").fields)
        told |= given(browser, SAFE, "/preferences", **{**form, "language": "en"})

        assert set(told) == {f"{HOST_ONLY}{one}" for one in (SESSION, DEVICE, LANGUAGE, KEYS)}
        for attributes in told.values():
            assert {"HttpOnly", "Path=/", "Secure"} <= set(attributes)
            assert not [one for one in attributes if one.lower().startswith("domain")]
            assert {"SameSite=lax", "SameSite=strict"} & set(attributes)

    def test_none_is_believed_that_a_neighbour_could_have_set(
        self, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        stolen = signed_in("coordinator").client.cookies[SESSION]

        plain = browser.ask("GET", f"{SAFE}/board", headers={"cookie": f"{SESSION}={stolen}"})
        named = browser.ask("GET", f"{SAFE}/board", headers={"cookie": f"{HOST_ONLY}{SESSION}={stolen}"})

        assert (plain.status_code, named.status_code) == (303, 200)

    def test_leaving_takes_the_cookie_away(self, browser: Browser) -> None:
        csrf = dict(browser.open(f"{SAFE}/login").form("/login").fields)["csrf"]
        given(browser, SAFE, "/login/as", login="coordinator", csrf=csrf)
        csrf = dict(browser.open(f"{SAFE}/board").form("/logout").fields)["csrf"]

        told = given(browser, SAFE, "/logout", csrf=csrf)

        assert {"Max-Age=0", "Path=/", "Secure"} <= set(told[f"{HOST_ONLY}{SESSION}"])


def test_on_this_machine_without_https_the_names_are_plain(browser: Browser) -> None:
    csrf = dict(browser.open("/login").form("/login").fields)["csrf"]

    told = given(browser, ADDRESS, "/login/as", login="coordinator", csrf=csrf)

    assert set(told) == {SESSION, DEVICE}
    assert all("HttpOnly" in one and "Secure" not in one for one in told.values())


def test_no_room_of_the_console_sets_or_reads_a_cookie_by_itself() -> None:
    own = re.compile(r"set_cookie\(|delete_cookie\(|request\.cookies")
    found = [path.name for path in sorted((ROOT / "web").rglob("*.py")) if own.search(path.read_text("utf-8"))]
    assert found == ["cookies.py"]


class TestTheTokenOfASession:
    def test_ends_with_the_next_sign_in_of_the_same_browser(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("coordinator")
        before = visitor.client.cookies[SESSION]
        csrf = dict(visitor.open("/board").form("/logout").fields)["csrf"]

        given(visitor, ADDRESS, "/login/as", login="fund_manager", csrf=csrf)

        assert not is_open(house, before)
        assert is_open(house, visitor.client.cookies[SESSION])

    @pytest.mark.parametrize("door", ["page", "program"])
    def test_is_another_one_after_proving_oneself_again(self, house: House, browser: Browser, door: str) -> None:
        with_password(house, "coordinator")
        browser.open("/login")
        browser.send("Sign in", login="coordinator", password=PASSWORD)
        before = browser.client.cookies[SESSION]
        form = dict(browser.open("/step-up").form("/step-up").fields)

        if door == "page":
            given(browser, ADDRESS, "/step-up", **{**form, "password": PASSWORD})
        else:
            headers = {**SAME, "x-csrf-token": form["csrf"]}
            answer = browser.ask("POST", "/api/v1/session/step-up", json={"password": PASSWORD}, headers=headers)
            assert answer.status_code == 200, answer.text

        assert not is_open(house, before)
        assert is_open(house, browser.client.cookies[SESSION])
        assert "Max-Age=0" in given(browser, ADDRESS, "/logout", csrf=form["csrf"])[SESSION]
