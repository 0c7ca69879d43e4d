"""`pilotway check` finds money that was edited past the house: exit 7, the invariant by its name, and a freeze."""

import shutil
from pathlib import Path

import pytest

from lifecycle.invariants.check import all_checks
from lifecycle.invariants.money import MONEY
from models.db import make_engine, transaction
from tests.cli.conftest import Line
from tests.factories import House
from tests.lifecycle.invariants.test_money import PLANTED, plant_in
from tests.money import money_in_every_state

pytestmark = pytest.mark.slow
BY_THE_PROJECT = {"I25"}
"""Planted where a project that ended is at hand (`tests/lifecycle/invariants/test_money.py`)."""


def test_names_each_planted_mistake_and_freezes_what_concerns_money(
    at_home: Line, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    money_in_every_state(house)
    clean = at_home("check", "--json")
    assert (clean.code, clean.document["ok"], clean.document["frozen"]["on"]) == (0, True, False)
    house.engine.dispose()
    freezing, wrong, seen = {one.id for one in all_checks() if one.is_of_money}, {}, set[str]()
    for number, (ids, statements) in enumerate(PLANTED):
        if set(ids.split()) <= seen:
            continue
        seen |= set(ids.split())
        edited = tmp_path / f"{number}.db"
        shutil.copyfile(Path(str(house.engine.url.database)), edited)
        engine = make_engine(str(edited))
        with transaction(engine) as session:
            plant_in(session, *statements)
        engine.dispose()
        monkeypatch.setenv("PILOTWAY_DB", str(edited))

        said = at_home("check", "--json")

        broken = {one["id"] for one in said.document["checks"] if not one["ok"]}
        found = said.code, broken - {"I15"}, said.document["frozen"]["on"]
        if found != (7, set(ids.split()), bool(broken & freezing)):
            wrong[ids, *statements] = found
    assert wrong == {}
    assert {one.id for one in MONEY} - seen == BY_THE_PROJECT
