"""What no single page is about: headers, methods, unexpected errors, hostile names, fields that nobody asked for."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from jinja2.exceptions import SecurityError
from starlette.responses import RedirectResponse

from lifecycle.access.queries import signed_in as session_of
from models.db import reading
from tests.factories import House, key
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of
from web.cookies import SESSION as COOKIE
from web.render import environment, hashed_name

TEMPLATES = sorted((Path(__file__).parents[2] / "web/templates").glob("*.html"))
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"


class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/login", "/healthz", "/nowhere", "/api/v1/projects/PT-1"])
    def test_over_https_asks_for_https_for_a_year(self, browser: Browser, path: str) -> None:
        answer = browser.ask("GET", f"https://console.example{path}")
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"

    @pytest.mark.parametrize("path", ["/login", "/healthz", "/nowhere", "/api/v1/projects/PT-1"])
    def test_lets_no_other_origin_read_it(self, browser: Browser, path: str) -> None:
        answer = browser.ask("GET", path, headers={"origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]

    @pytest.mark.parametrize(
        "path", ["/login", "/healthz", "/nowhere", "/api/v1/projects/PT-1", "/api/v1/openapi.json"]
    )
    def test_says_its_type_and_what_letters_it_is_written_in(self, browser: Browser, path: str) -> None:
        kind = browser.ask("GET", path).headers["content-type"]
        assert kind == "text/html; charset=utf-8" or re.fullmatch(r"application/(problem\+)?json", kind)

    @pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "NONSENSE"])
    def test_to_a_method_that_the_address_does_not_know_is_405(self, browser: Browser, method: str) -> None:
        assert browser.ask(method, "/login").status_code == 405

    @pytest.mark.parametrize("path", ["/static", "/static/", "/static/app.css", "/static/../app.py", "/.git/config"])
    def test_serves_no_folder_and_no_file_but_those_that_ship(self, browser: Browser, path: str) -> None:
        assert browser.ask("GET", path).status_code in (404, 405)


class TestARedirect:
    def test_is_told_to_a_script_that_measures_an_upload_with_its_place(
        self, console: FastAPI, browser: Browser
    ) -> None:
        @console.post("/measured")
        def measured() -> RedirectResponse:
            return RedirectResponse("/inbox#todo", status_code=303)

        followed, told = browser.ask("POST", "/measured"), browser.ask("POST", "/measured", headers={"x-measured": "1"})

        assert (followed.status_code, followed.headers["location"]) == (303, "/inbox#todo")
        assert (told.status_code, told.headers["x-location"]) == (200, "/inbox#todo")
        assert "location" not in told.headers

    @pytest.mark.parametrize("template", [one for one in TEMPLATES if "multipart/form-data" in one.read_text("utf-8")])
    def test_may_follow_every_upload_for_each_is_measured(self, template: Path) -> None:
        for form in re.findall(r"<form[^>]*multipart/form-data[^>]*>", template.read_text("utf-8")):
            assert "data-measured" in form


class TestWhatIsPacked:
    def test_is_what_ships_with_us_and_never_a_page(self, browser: Browser) -> None:
        """What is packed together with a token tells of the token by its length."""
        own = {"accept-encoding": "gzip"}
        sheet = f"/static/{hashed_name('app.css')}"
        answer = browser.ask("GET", sheet, headers=own)
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
        assert answer.content == browser.ask("GET", sheet, headers={"accept-encoding": "identity"}).content
        assert "content-encoding" not in browser.ask("GET", "/login", headers=own).headers


class TestAnUnexpectedError:
    def test_says_a_trace_id_and_nothing_of_what_went_wrong(
        self, console: FastAPI, browser: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        @console.get("/broken")
        def broken() -> None:
            raise RuntimeError("SELECT secret FROM everywhere")

        with caplog.at_level(logging.ERROR, logger="pilotway.web"):
            page = browser.open("/broken")

        assert page.status == 500
        assert "SELECT" not in page.answer.text
        assert page.answer.headers["x-trace-id"] in page.answer.text
        assert page.answer.headers["x-trace-id"] in caplog.text
        assert "frame-ancestors 'none'" in page.answer.headers["content-security-policy"]


class TestAWrongTry:
    def test_is_logged_with_its_kind_and_place_and_without_what_was_typed(
        self, browser: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.open("/login")
        with caplog.at_level(logging.WARNING, logger="pilotway.access"):
            page = browser.send("Sign in", login="coordinator\nx", password="wrong and long enough")
        assert len(caplog.messages) == 1
        assert f"{page.answer.headers['x-trace-id']} wrong password from '192.0.2.1' for login " in caplog.text
        assert "long enough" not in caplog.text
        assert "coordinator" not in caplog.text


class TestAHostileText:
    def test_is_shown_as_text(self, signed_in: Callable[..., Browser]) -> None:
        page = signed_in("coordinator").ask("GET", "/projects", params={"q": HOSTILE})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;{{7*7}}" in page.text

    @pytest.mark.parametrize("text", ["' OR '1'='1", "'; DROP TABLE project; --", '" UNION SELECT 1 --', "%' --"])
    def test_finds_nothing_where_it_is_looked_for(self, house: House, browser: Browser, text: str) -> None:
        browser.open("/login")
        page = browser.send("Sign in", login=text, password="correct horse battery")
        assert page.status == 401
        assert house.one("SELECT count(*) FROM project") == 0

    def test_with_a_line_break_begins_no_header(self, browser: Browser) -> None:
        browser.open("/login")
        page = browser.send("Sign in", login="x", password="y", next="/board\r\nset-cookie: a=b")
        assert "a" not in page.answer.cookies


class TestATemplate:
    @pytest.mark.parametrize("asked", ["one.__class__", "one.append(1)", "one.append.__self__", "shown.__globals__"])
    def test_reaches_nothing_of_python_behind_what_it_shows_however_often_it_asks(self, asked: str) -> None:
        template = environment().from_string(f"{{{{ {asked} }}}}")
        for one in ([], [1]):
            with pytest.raises(SecurityError):
                template.render(one=one, shown=console_of)
        assert environment().from_string("{{ one.index(1) }}").render(one=[1]) == "0"


class TestAField:
    def test_that_takes_a_password_shows_none_and_lets_managers_help(self) -> None:
        found = [tag for path in TEMPLATES for tag in re.findall(r"<input[^>]*>", path.read_text("utf-8"))
                 if re.search(r'name="(password|now|new|again)"', tag)]  # fmt: skip
        assert len(found) >= 5
        assert all('type="password"' in tag and "autocomplete=" in tag for tag in found)
        assert not any("onpaste" in path.read_text("utf-8") for path in TEMPLATES)

    def test_that_nobody_asked_for_is_refused(self, browser: Browser) -> None:
        asked = {"login": "coordinator", "password": "x", "is_admin": True}
        answer = browser.ask("POST", "/api/v1/session", json=asked)
        assert (answer.status_code, answer.json()["unmet"]) == (422, ["field_unknown"])

    @pytest.mark.parametrize("wrong", [{"login": 1}, {"login": ["a"]}, {"login": None}, {"login": {"a": 1}}])
    def test_of_another_type_is_refused(self, browser: Browser, wrong: dict[str, object]) -> None:
        assert browser.ask("POST", "/api/v1/session", json={"password": "x", **wrong}).status_code == 422


class TestASession:
    def test_has_a_token_of_256_bits_that_is_new_each_time(self, signed_in: Callable[..., Browser]) -> None:
        tokens = {signed_in("coordinator").client.cookies[COOKIE] for _ in range(3)}
        assert len(tokens) == 3
        assert {len(one.partition(".")[2]) for one in tokens} == {43}

    def test_ends_after_eight_hours_however_much_it_is_used(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("coordinator")
        token = visitor.client.cookies[COOKIE]
        for _ in range(16):
            house.now += timedelta(minutes=29)
            with Browser(console_of(house)) as later:
                later.client.cookies = visitor.client.cookies
                assert later.open("/board").path == "/board"
        house.now += timedelta(minutes=16)
        with reading(house.engine) as session:
            assert session_of(session, token, house.now) is None

    def test_is_left_by_a_button_on_every_page_and_takes_the_cache_along(
        self, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("coordinator")
        for path in ("/inbox", "/board", "/projects", "/security", "/nowhere"):
            assert "Sign out" in [words for form in visitor.open(path).forms for words, _, _ in form.buttons]
        form = dict(visitor.page.form("/logout").fields)
        answer = visitor.ask("POST", "/logout", data=form, headers={"sec-fetch-site": "same-origin", "origin": ADDRESS})
        assert answer.headers["clear-site-data"] == '"cache"'
        assert f'{COOKIE}=""' in answer.headers["set-cookie"]

    def test_key_of_nobody_is_no_address(self, browser: Browser) -> None:
        assert browser.open(f"/receipts/{key()}").path.startswith("/login")
