"""The same story in a real Chromium: with a mouse, with the keyboard alone, on a telephone, without scripts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.factories import House
from tests.web.story import PASSWORD, Stage, opened, tell

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Browser as Chromium

from tests.web.chromium import WHAT_TO_INSTALL, chromium, program, served
from tests.web.clicking import Clicker, Telephone, Typist


def _scriptless(browser: Chromium, base: str) -> Clicker:
    """Return somebody whose browser runs no scripts."""
    return Clicker(browser, base, java_script_enabled=False)


@pytest.mark.long
@pytest.mark.parametrize(
    "visitor",
    [
        pytest.param(Clicker, id="mouse"),
        pytest.param(Typist, id="keyboard", marks=pytest.mark.prove),
        pytest.param(Telephone, id="390px", marks=pytest.mark.prove),
        pytest.param(_scriptless, id="no js", marks=pytest.mark.prove),
    ],
)
def test_the_robot_goes_there_in_a_real_browser(
    visitor: Callable[[Chromium, str], Clicker],
    house: House,
    tmp_path: Path,
) -> None:
    if program() is None:
        skip_or_fail(WHAT_TO_INSTALL)
    app, clock, bank = opened(house, tmp_path)
    with served(app) as base, chromium() as browser:

        def enter(login: str) -> Clicker:
            found = visitor(browser, base)
            found.open("/login")
            found.press("Sign in", login=login, password=PASSWORD)
            return found

        tell(Stage(house, clock, bank, enter))

    assert house.one("SELECT stage FROM project") == "in_production"
