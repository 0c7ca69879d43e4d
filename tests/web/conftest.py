"""The console over a world of one's own, and people in front of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from models.clock import FixedClock
from models.ids import RandomIds
from models.settings import Settings
from tests.factories import House, key
from tests.web.browser import Browser
from web.app import make_app
from web.house import House as Place
from web.meter import Meter

KEY = b"the key of this installation"
PASSWORD = "correct horse battery"


def with_password(house: House, login: str) -> str:
    """Give somebody of a world a password of their own, and return their login."""
    asked = SetPassword(command_id=key(), user_id=house.people[login].user_id, password_hash=hashed(PASSWORD))
    house.do(asked, by=login)
    return login


def console_of(
    house: House, *, is_demo: bool = True, is_rehearsal: bool = True, files: Path | None = None, **settings: Any
) -> FastAPI:
    """Return the console of a world; its people sign in with one click, unless it is no demonstration."""
    place = Place(
        engine=house.engine,
        settings=Settings(evidence_dir=str(files), **settings) if files else Settings(**settings),
        clock=FixedClock(house.now),
        ids=RandomIds(),
        is_rehearsal=is_rehearsal,
        is_demo=is_demo,
        secret=KEY,
        visits=Meter(per_minute=10**6, at_once=10**6),
    )
    return make_app(place)


@pytest.fixture
def console(house: House, tmp_path: Path) -> FastAPI:
    """Give the console of a world of one's own, with a store of evidence of its own."""
    return console_of(house, files=tmp_path / "evidence")


@pytest.fixture
def visitors() -> Iterator[ExitStack]:
    """Give what closes every browser at the end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def browser(console: FastAPI, visitors: ExitStack) -> Browser:
    """Give a browser in which nobody is signed in."""
    return visitors.enter_context(Browser(console))


@pytest.fixture
def signed_in(console: FastAPI, visitors: ExitStack) -> Callable[..., Browser]:
    """Give a browser in which this person is signed in: `signed_in("coordinator")`."""

    def enter(login: str, *, lang: str = "en") -> Browser:
        visitor = visitors.enter_context(Browser(console, lang=lang))
        sign_in(visitor, login)
        return visitor

    return enter


def sign_in(visitor: Browser, login: str) -> None:
    """Sign in as one of the world's people with one click; the page offers those of the demonstration only."""
    page = visitor.open("/login")
    form = next(form for form in page.forms if form.action == "/login")
    data = {**dict(form.fields), "login": login}
    answer = visitor.ask("POST", "/login/as", data=data, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303, answer.text
    visitor.open(answer.headers["location"])
