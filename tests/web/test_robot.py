"""The robot's story goes on by clicking, from 21 November 2025."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from lifecycle.demo.people import founding
from lifecycle.demo.robot import robot
from models.settings import Settings
from tests.stories.telling import played
from tests.web.browser import Browser
from web.app import make_app
from web.house import house_of

ROBOT = "智能炒菜机器人"


@pytest.fixture(scope="module")
def story(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give the story as it stands on 21 November; its tests go on with it, in their order."""
    file = tmp_path_factory.mktemp("robot") / "story.db"
    engine = played(sqlite_template, file, date(2025, 11, 21), (founding, robot))
    yield engine
    engine.dispose()


@pytest.fixture
def visitor(story: Engine) -> Iterator[Browser]:
    """Give a browser in front of the demonstration."""
    with Browser(make_app(house_of(story, Settings()))) as found:
        yield found


@pytest.mark.slow
class TestTheCoordinator:
    def test_sees_what_is_missing_who_owes_it_since_when_and_what_would_suffice(self, visitor: Browser) -> None:
        visitor.open("/board")
        visitor.send("coordinator")
        page = visitor.follow(ROBOT)

        assert "11 of 14 done" in page.text
        assert "93.3%" in page.text
        assert "李工" in page.text
        assert "since 09-16" in page.text
        assert "due 2025-11-24" in page.text
        assert "61 d / target 45 d" in page.text
        assert "sent back ×1 · 10 d" in page.text

    def test_judges_the_unit_cost_and_one_thing_less_is_missing(self, visitor: Browser, story: Engine) -> None:
        visitor.open("/board")
        visitor.send("coordinator")
        visitor.follow(ROBOT)
        visitor.follow("judge the requirement")

        visitor.send("judge the requirement", clause="G3.8", yes="yes", reason="checked against the quotes")

        assert visitor.page.path.startswith("/receipts/")
        assert "12 of 14 done" in visitor.follow(ROBOT).text
        with story.connect() as connection:
            door = text("SELECT door FROM audit_record WHERE action = 'requirement.judge' ORDER BY seq DESC LIMIT 1")
            assert connection.execute(door).scalar_one() == "web"
