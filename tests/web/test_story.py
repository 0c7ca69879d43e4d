"""The robot's story from intake to production by clicking, in this process: nothing in it needs a script."""

import re
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.factories import House
from tests.web.browser import Browser
from tests.web.story import PASSWORD, Stage, opened, tell


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


@pytest.mark.long
def test_the_robot_goes_from_intake_to_production(house: House, tmp_path: Path) -> None:
    app, clock, bank = opened(house, tmp_path)
    with ExitStack() as stack:

        def enter(login: str) -> Reader:
            browser = stack.enter_context(Browser(app))
            browser.open("/login")
            browser.send("Sign in", login=login, password=PASSWORD)
            return Reader(browser)

        tell(Stage(house, clock, bank, enter))

    assert house.one("SELECT stage FROM project") == "in_production"
