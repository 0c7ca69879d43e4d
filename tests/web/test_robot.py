"""The robot's story goes on by clicking, from 21 November 2025."""

import hashlib
import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

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
def visitor(story: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser in front of the demonstration."""
    files = str(tmp_path_factory.getbasetemp() / "robot-evidence")
    with Browser(make_app(house_of(story, Settings(evidence_dir=files)))) as found:
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
        assert "09-16 · 61 d in 2 visits" in page.text
        assert "sent back ×1 · 10 d" in page.text

    def test_judges_the_unit_cost_and_one_thing_less_is_missing(self, visitor: Browser, story: Engine) -> None:
        visitor.open("/board")
        visitor.send("coordinator")
        visitor.follow(ROBOT)
        page = visitor.follow("judge the requirement")

        assert page.path.endswith("/gate/G3.8")
        visitor.send("yes", reason="checked against the quotes")

        assert visitor.page.path.startswith("/receipts/")
        assert "12 of 14 done" in visitor.follow(ROBOT).text
        with story.connect() as connection:
            door = text("SELECT door FROM audit_record WHERE action = 'requirement.judge' ORDER BY seq DESC LIMIT 1")
            assert connection.execute(door).scalar_one() == "web"


@pytest.mark.slow
class TestTheFirm:
    def test_hands_in_the_record_of_its_third_batch_and_gets_its_hash(self, visitor: Browser, story: Engine) -> None:
        number = arrive(visitor, story, "sme")
        visitor.open("/")
        visitor.follow(ROBOT)
        assert "Whose turn it is now Yours" in visitor.page.text
        visitor.follow("Hand in: ")

        page = visitor.send(
            "Hand in",
            v_batch="B-03",
            v_made_on="2025-11-12",
            v_size="120",
            v_size_unit="台",
            v_line="line 1",
            file=("B-03.pdf", RECORD),
            **({"revision": "B"} if "revision" in visitor.page.form("/evidence-add").names else {}),
        )

        assert hashlib.sha256(RECORD).hexdigest() in page.text
        assert "B-03.pdf" in visitor.open(f"/projects/{number}/files").text

    def test_finishes_the_batch_and_says_so(self, visitor: Browser, story: Engine) -> None:
        number = arrive(visitor, story, "sme")
        visitor.open(f"/projects/{number}/batches/B-03")
        visitor.follow("correct a batch")
        visitor.send(
            "correct a batch", started="120", passed_first_time="118", reason="finished", defects="温控=1\n外观=1"
        )
        assert visitor.page.path.startswith("/receipts/"), visitor.page.text
        visitor.open(f"/projects/{number}/batches/B-03")
        visitor.follow("close a batch")
        visitor.send("close a batch", is_conforming="yes")

        page = visitor.open(f"/projects/{number}")
        assert "14 of 14 done" in page.text

    def test_hands_the_stage_in(self, visitor: Browser, story: Engine) -> None:
        number = arrive(visitor, story, "sme")
        visitor.open(f"/my/{number}")
        visitor.follow("submit")

        visitor.send("submit with 1 still missing")

        assert visitor.page.path.startswith("/receipts/"), visitor.page.text


@pytest.mark.slow
class TestThePanel:
    def test_is_called_by_the_coordinator_seat_by_seat(self, visitor: Browser, story: Engine) -> None:
        number = arrive(visitor, story, "coordinator")
        visitor.open(f"/projects/{number}/gate")
        visitor.follow("call a review")
        while "panel.7.pick" not in visitor.page.form("/review-call").names:
            visitor.send("More rows")
        picks = panel_of(visitor, story, number)
        typed = {f"panel.{place}.pick": pick for place, pick in enumerate(picks)}
        typed |= {f"panel.{place}.has_vote": "yes" for place in range(len(picks))}

        visitor.send("call a review", planned_on="2025-12-01", **typed, **{"panel.0.is_chair": "yes"})

        assert visitor.page.path.startswith("/receipts/"), visitor.page.text
        visitor.open(f"/projects/{number}/gate")
        page = visitor.follow("Review G3")
        assert "方组长" in page.text or "chair" in page.text
        assert "Documents frozen when the panel was called" in page.text

    def test_sees_nothing_that_changes_from_then_on(self, visitor: Browser, story: Engine) -> None:
        number = arrive(visitor, story, "sme")

        page = visitor.open(f"/projects/{number}/do/evidence-add?type=batch_record")

        assert page.status == 200
        assert not [form for form in page.forms if form.action.endswith("/evidence-add")]


RECORD = b"%PDF-1.7\nthe record of batch B-03\n%%EOF\n"


def arrive(visitor: Browser, story: Engine, login: str) -> str:
    """Sign in with one click and return the number of the robot's project."""
    visitor.open("/login")
    visitor.send(login)
    with story.connect() as connection:
        return str(connection.execute(text("SELECT number FROM project WHERE name = :n"), {"n": ROBOT}).scalar_one())


def panel_of(visitor: Browser, story: Engine, number: str) -> list[str]:
    """Return the choices for those who sat at the gate before, chair first, and for the outside seats of this gate."""
    with story.connect() as connection:
        before = connection.execute(
            text(
                "SELECT DISTINCT m.user_id, m.role, m.is_chair FROM panel_member m JOIN review r ON r.id = m.review_id"
                " JOIN project p ON p.id = r.project_id WHERE p.number = :n AND r.gate = 'G2' ORDER BY m.is_chair DESC"
            ),
            {"n": number},
        ).all()
        outside = connection.execute(
            text(
                "SELECT g.role, min(g.user_id) AS user_id FROM role_grant g, project p WHERE p.number = :n"
                " AND g.role IN ('quality_engineer', 'lab_lead') AND g.organisation_id <> p.platform_id"
                " AND g.organisation_id <> p.organisation_id GROUP BY g.role"
            ),
            {"n": number},
        ).all()
    wanted = [f"user_id={UUID(str(row.user_id))}&role={row.role}" for row in (*before, *outside)]
    options = re.findall(r'<option value="([^"]+)"', visitor.page.answer.text)
    offered = [html.unescape(one) for one in options]
    return [next(one for one in offered if one.split("&competences")[0] == pick) for pick in wanted]
