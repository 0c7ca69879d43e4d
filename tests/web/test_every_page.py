"""Every page there is, as somebody meets it: readable for everybody, at every width, in both languages and themes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from notifications.words import LANGUAGES, Lang
from tests.conftest import skip_or_fail, take_away_settings
from tests.web.chromium import WHAT_TO_INSTALL, chromium, program, served
from tests.web.every_page import (
    ANY_VERB,
    DOWNLOAD,
    EXAMPLES,
    FORMS,
    LOOKERS,
    NO_PAGES,
    Stop,
    example_of,
    parameters,
    routes,
    stops,
)
from tests.web.furnished import console_at, furnish
from tests.web.walking import STATES, heard, looked_at, one_look, walk
from web.app import PAGES
from web.nouns import NOUNS


class TestTheList:
    @pytest.mark.parametrize("route", [one for one in routes() if one != ANY_VERB])
    def test_has_an_example_for_every_page(self, route: str) -> None:
        assert not parameters(route) or example_of(route), f"{route}: say in EXAMPLES how an example of it is found"

    def test_says_nothing_about_pages_that_are_not_there(self) -> None:
        known = {route.path for router in PAGES for route in router.routes}  # type: ignore[attr-defined]
        begins = {*known, *(f"/{path.split('/')[1]}" for path in known)}

        assert set(NO_PAGES) <= known
        assert set(EXAMPLES) <= known
        assert set(LOOKERS) <= begins
        assert not [path for path in NO_PAGES if path.endswith(DOWNLOAD)]

    def test_names_verbs_that_are_there(self) -> None:
        assert [one for one in FORMS if NOUNS[one[1]].verb(one[3]) is None] == []


@pytest.fixture(scope="module")
def world(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the demonstration with what its story leaves out."""
    folder = tmp_path_factory.mktemp("furnished") / "world"
    shutil.copytree(demonstration, folder)
    with pytest.MonkeyPatch.context() as settings:
        take_away_settings(settings)
        settings.chdir(folder)
        furnish()
    return folder


@pytest.fixture(scope="module")
def console(world: Path) -> Iterator[tuple[str, list[Stop]]]:
    """Give where the console answers, and every page of it."""
    with console_at(world) as app, served(app) as base:
        with app.state.house.engine.connect() as connection:
            found = stops(connection)
        yield base, found


@pytest.fixture(scope="module")
def browser(console: tuple[str, list[Stop]]) -> Iterator[Browser]:
    """Give a real browser; after the console, for its loop would be in the way of who furnishes the world."""
    assert console
    if program() is None:
        skip_or_fail(WHAT_TO_INSTALL)
    with chromium() as found:
        yield found


@pytest.mark.long
@pytest.mark.parametrize("lang", ["zh-CN", pytest.param("en", marks=pytest.mark.prove)])
class TestEveryPage:
    def test_is_readable_light_small_and_asks_nobody_else(
        self, browser: Browser, console: tuple[str, list[Stop]], lang: Lang
    ) -> None:
        base, found = console

        assert walk(browser, base, found, lang, is_whole=False) == []

    @pytest.mark.parametrize("state", STATES)
    def test_is_so_too_when_something_went_wrong(
        self, browser: Browser, console: tuple[str, list[Stop]], lang: Lang, state: str
    ) -> None:
        login, reach = STATES[state]
        with heard(browser, console[0], login, lang) as (page, ear):
            reach(page)
            title = page.title()
            found = [*looked_at(page, one_look(list(STATES).index(state), lang)), *ear.taken()]

        assert found == []
        assert title


@pytest.mark.prove
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_so_at_every_width_in_both_themes(
    browser: Browser, console: tuple[str, list[Stop]], lang: Lang
) -> None:
    base, found = console

    assert walk(browser, base, found, lang, is_whole=True) == []
