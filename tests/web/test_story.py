"""The robot's story from intake to production by clicking: in this process, and in a real Chromium."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser as Chromium

from flows.bank_channel import DropFolders
from flows.reconciliation import take_file
from models.clock import FixedClock
from tests.conftest import skip_or_fail
from tests.factories import House
from tests.web.browser import Browser
from tests.web.clicking import Clicker, Telephone, Typist, chromium, program, served
from tests.web.conftest import console_of
from tests.web.story import PASSWORD, Stage, prepare, tell


class Reader:
    """A visitor without scripts, in this process."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    @property
    def path(self) -> str:
        """The address of the page."""
        return self.browser.page.path

    @property
    def text(self) -> str:
        """Its words."""
        return self.browser.page.text

    def open(self, path: str) -> None:
        """Open a page, which has to be there."""
        assert self.browser.open(path).status == 200, f"{path}: {self.text}"

    def follow(self, words: str) -> None:
        """Click a link."""
        self.browser.follow(words)

    def choose(self, permission: str) -> None:
        """Click the link to a verb."""
        found = re.search(rf'href="([^"]+)" data-verb="{re.escape(permission)}"', self.browser.page.answer.text)
        assert found, f"{permission} is not offered on {self.path}: {self.text}"
        self.open(unescape(found[1]))

    def submit(self, /, file: Any = None, **typed: str) -> None:
        """Press the button of the form that carries a command."""
        form = next(form for form in self.browser.page.forms if "command_id" in form.names)
        self.browser.send(form.buttons[-1][0], file=file, **typed)

    def press(self, button: str, /, file: Any = None, **typed: str) -> None:
        """Press a button."""
        self.browser.send(button, file=file, **typed)


@pytest.fixture
def clock(house: House) -> FixedClock:
    """Give the clock of the console, which the story moves."""
    return FixedClock(house.now)


@pytest.fixture
def console(house: House, clock: FixedClock, tmp_path: Path) -> FastAPI:
    """Give a console that reads files of the bank."""
    prepare(house)
    app = console_of(house, files=tmp_path / "evidence")
    app.state.house = replace(app.state.house, take_file=take_file, clock=clock)
    return app


@pytest.fixture
def bank(tmp_path: Path) -> DropFolders:
    """Give the folders of the bank."""
    out, inbox = tmp_path / "out", tmp_path / "in"
    out.mkdir()
    inbox.mkdir()
    return DropFolders(out, inbox)


@pytest.mark.slow
def test_the_robot_goes_from_intake_to_production(
    house: House, console: FastAPI, clock: FixedClock, bank: DropFolders, tmp_path: Path
) -> None:
    with ExitStack() as stack:

        def enter(login: str) -> Reader:
            browser = stack.enter_context(Browser(console))
            browser.open("/login")
            browser.send("Sign in", login=login, password=PASSWORD)
            return Reader(browser)

        tell(Stage(house, clock, bank, enter))

    assert house.one("SELECT stage FROM project") == "in_production"


def _scriptless(browser: Chromium, base: str) -> Clicker:
    """Return somebody whose browser runs no scripts."""
    return Clicker(browser, base, java_script_enabled=False)


@pytest.mark.long
@pytest.mark.parametrize(
    "visitor", [Clicker, Typist, Telephone, _scriptless], ids=["mouse", "keyboard", "390px", "no js"]
)
def test_the_robot_goes_there_in_a_real_browser(
    visitor: Callable[[Chromium, str], Clicker],
    house: House,
    console: FastAPI,
    clock: FixedClock,
    bank: DropFolders,
) -> None:
    place = program()
    if place is None:
        skip_or_fail("Chromium was not found: on Debian `apt-get install chromium fonts-wqy-microhei`")
        return
    with served(console) as base, chromium(place) as browser:

        def enter(login: str) -> Clicker:
            found = visitor(browser, base)
            found.open("/login")
            found.press("Sign in", login=login, password=PASSWORD)
            return found

        tell(Stage(house, clock, bank, enter))

    assert house.one("SELECT stage FROM project") == "in_production"
