"""The 24 projects on 21 November 2025: in every situation, and sound."""

from collections import Counter
from datetime import date, datetime

import pytest
from sqlalchemy import Engine

from lifecycle import engine as melody
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Stamp
from lifecycle.demo.story import HOME
from lifecycle.invariants.check import all_checks, check
from lifecycle.projects.commands import Advance
from models.db import reading
from models.ids import new_id
from models.people import User
from models.projects import Project
from models.reading import table_of
from models.states import Door
from tests.stories.telling import rows

pytestmark = pytest.mark.slow
TODAY = date(2025, 11, 21)


def test_twenty_four_stand_where_the_board_shows_them(portfolio: Engine) -> None:
    held = "SELECT object_id FROM hold WHERE lifted_at IS NULL"
    stands = Counter(
        "on hold" if is_held else stage
        for stage, is_held in rows(portfolio, f"SELECT stage, id IN ({held}) FROM project")
    )

    assert stands == {
        "intake": 3,
        "feasibility": 3,
        "small_batch_trial": 3,
        "market_validation": 2,
        "handoff": 1,
        "on hold": 1,
        "in_production": 8,
        "withdrawn": 1,
        "stopped": 2,
    }


def test_as_many_have_entered_each_stage_as_the_funnel_says(portfolio: Engine) -> None:
    entered = dict(rows(portfolio, "SELECT stage, count(DISTINCT project_id) FROM stage_run GROUP BY stage"))

    assert entered == {
        "intake": 24,
        "feasibility": 20,
        "small_batch_trial": 16,
        "market_validation": 11,
        "handoff": 9,
    }
    back = rows(portfolio, "SELECT DISTINCT project_id FROM stage_run WHERE state = 'recycled' AND stage LIKE 'small%'")
    assert len(back) == 4


def test_numbers_are_those_of_the_manual(portfolio: Engine) -> None:
    numbers = dict(rows(portfolio, "SELECT number, name FROM project"))

    assert [numbers[number] for number in ("PT-2024-0009", "PT-2025-0003", "PT-2025-0014", "PT-2025-0021")] == [
        "智能捕蚊机",
        "电子级光刻胶过滤器",
        "智能炒菜机器人",
        "发酵罐在线探头",
    ]


def test_the_mosquito_trap_needs_nothing_but_the_word_of_its_coordinator(portfolio: Engine) -> None:
    project, user = table_of(Project), table_of(User)
    with reading(portfolio) as session:
        trap = session.execute(project.select().where(project.c.number == "PT-2024-0009")).one()
        zhang = session.execute(user.select().where(user.c.login == "coordinator")).one()
        actor = Actor(user_id=zhang.id, person_id=zhang.person_id, name=zhang.name, door=Door.CLI)
        noon = datetime(2025, 11, 21, 12, tzinfo=HOME)
        stamp = Stamp(now=noon, today=TODAY, actor=actor, calendar=china(), new_id=new_id)
        command = Advance(command_id="now", project_id=trap.id, reason="移交完成")
        (answer,) = melody.rehearse(session, [command], stamp=stamp)

    assert (answer.unmet, answer.document["state"]) == ((), "in_production")


def test_four_are_overdue(portfolio: Engine) -> None:
    late = rows(
        portfolio,
        "SELECT p.number FROM project p JOIN stage_run r ON r.id = p.stage_run_id"
        " WHERE r.due_on < '2025-11-21' ORDER BY p.number",
    )

    assert [number for (number,) in late] == ["PT-2025-0013", "PT-2025-0014", "PT-2025-0016", "PT-2025-0017"]


def test_every_invariant_holds(portfolio: Engine) -> None:
    with reading(portfolio) as session:
        report = check(session, all_checks(), now=datetime(2025, 11, 21, 12, tzinfo=HOME))

    assert [result.id for result in report.results if not result.is_ok] == []
