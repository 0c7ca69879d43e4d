"""`advance` is killed before and after every statement and at the commit: all of it happened, or nothing (A1-A9)."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from lifecycle import recovery
from lifecycle.projects.commands import Advance
from models.db import make_engine, reading
from models.file_store import EvidenceFiles
from models.migrate import upgrade
from models.states import ProjectState, Role
from tests import postgres
from tests.conftest import copied, on_server, skip_or_fail
from tests.factories import House, a_house, key, projects
from tests.lifecycle.concurrency.races import assert_sound
from tests.lifecycle.crashes import victim
from tests.lifecycle.crashes.conftest import KILLED, Victims

pytestmark = [pytest.mark.slow, pytest.mark.long_on_postgres]

MOST = 60
"""More than the boundaries of one advance: each is tried on a project of its own."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def durable_house(
    request: pytest.FixtureRequest, sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Give a world on a database that writes through to the disk."""
    if request.param == "sqlite":
        path, template = sqlite_house_template
        file = tmp_path_factory.mktemp("crash") / "house.db"
        shutil.copyfile(path, file)
        engine = make_engine(str(file))
        yield copied(template, engine)
        engine.dispose()
        return
    if postgres.programs() is None:
        skip_or_fail(postgres.WHAT_TO_INSTALL)
    with postgres.server(("fsync=on", "full_page_writes=on")) as address:
        on_server(address, "CREATE DATABASE house")
        engine = make_engine(make_url(address.format("house")))
        upgrade(engine)
        yield a_house(engine)
        engine.dispose()


def traces(house: House, command: Advance) -> dict[str, Any]:
    """Return everything that an advance of this project writes, counted."""
    mine = f"project_id = '{command.project_id}'"
    ours = f"command_id = '{command.command_id}'"
    visits = f"SELECT state FROM v_stage_run WHERE {mine} ORDER BY opened_on, id"
    told = f"dedupe_key LIKE 'project.advanced:{command.project_id}:%'"
    return {
        "stage": house.one(f"SELECT stage FROM v_project WHERE id = '{command.project_id}'"),
        "visits": [row.state for row in house.rows(visits)],
        "requirements": house.one(f"SELECT COUNT(*) FROM v_requirement WHERE {mine}"),
        "transitions": house.one(f"SELECT COUNT(*) FROM v_transition WHERE {ours}"),
        "audit": house.one(f"SELECT COUNT(*) FROM v_audit WHERE {ours}"),
        "outbox": house.one(f"SELECT COUNT(*) FROM v_outbox WHERE {told}"),
        "command": house.one(f"SELECT COUNT(*) FROM v_command WHERE {ours}"),
    }


BEFORE = {
    "stage": "small_batch_trial",
    "visits": ["open"],
    "requirements": 0,
    "transitions": 0,
    "audit": 0,
    "outbox": 0,
    "command": 0,
}
AFTER = {
    "stage": "market_validation",
    "visits": ["passed", "open"],
    "requirements": 1,
    "transitions": 3,
    "audit": 3,
    "outbox": 1,
    "command": 1,
}


def by_coordinator(command: Advance) -> victim.Work:
    return partial(victim.given, command, Role.COORDINATOR)


@pytest.mark.parametrize("stride", [12, pytest.param(1, marks=pytest.mark.long)])
def test_at_every_boundary_all_or_nothing_and_the_same_command_completes_once(
    durable_house: House,
    victims: Victims,
    tmp_path: Path,
    record_property: Any,
    capsys: pytest.CaptureFixture[str],
    stride: int,
) -> None:
    house = durable_house
    waiting = iter(projects(house, MOST, stage=ProjectState.SMALL_BATCH_TRIAL, pack="lean"))
    found: dict[str, int] = {"before": 0, "after": 0}

    def next_command() -> Advance:
        return Advance(command_id=key(), project_id=next(waiting), reason="ready")

    for _ in range(2):  # the first time a process reads the standard besides
        untouched = next_command()
        code, boundaries = victims.send(house, by_coordinator(untouched), victim.NOBODY_IS_KILLED)
        assert code == 0
        assert traces(house, untouched) == AFTER

    tried = sorted({*range(1, boundaries + 1, stride), boundaries})
    for boundary in tried:
        command = next_command()
        code, passed = victims.send(house, by_coordinator(command), boundary)
        assert (code, passed) == (KILLED, boundary)

        left = traces(house, command)
        assert left in (BEFORE, AFTER), f"half done at boundary {boundary} of {boundaries}"
        found["after" if left == AFTER else "before"] += 1
        assert_sound(house.engine, house)
        assert recovered(house, tmp_path) == {"failed": [], "moved": []}

        (answer,) = house.ask(command, by=Role.COORDINATOR)
        assert answer.is_done
        assert answer.is_replay is (left == AFTER)
        assert traces(house, command) == AFTER

    assert found["before"] >= len(tried) - 2
    assert found["after"] >= 1, "killed after the commit, before the answer"
    record_property("boundaries", boundaries)
    with capsys.disabled():
        print(f"\n{house.engine.dialect.name}: advance killed at {len(tried)} of {boundaries} boundaries {found}")  # noqa: T201
    assert boundaries >= 30
    assert_sound(house.engine, house)


def recovered(house: House, folder: Path) -> dict[str, Any]:
    """Run recovery over the database and an empty store, twice: it is safe to repeat."""
    files = EvidenceFiles(str(folder))
    for _ in range(2):
        with reading(house.engine) as session:
            left = recovery.look(session, (), today=house.today)
        document = recovery.sweep(left, files, now=house.now)
    return {"failed": document["failed"], "moved": document["moved"]}
