"""A database knows which one it is, from `init` on and for ever."""

import re

import pytest
from sqlalchemy import Engine, text

from lifecycle.installation import OtherModeError, initialise, new_epoch, write_edges
from lifecycle.verbs import all_edges
from models.db import reading, transaction
from models.ids import new_id
from models.installation import Installation
from models.settings import Mode
from tests.lifecycle.world import NOW


def initialised(engine: Engine, mode: Mode | None) -> Installation:
    with transaction(engine) as session:
        return initialise(session, mode=mode, now=NOW, new_id=new_id)


class TestInitialise:
    def test_makes_production_unless_told_otherwise(self, engine: Engine) -> None:
        made = initialised(engine, None)
        assert (made.mode, made.created_at) == ("production", NOW)
        assert re.fullmatch(r"[A-HJ-NP-Z2-9]{4}", made.epoch)

    def test_keeps_what_is_there_when_it_is_repeated(self, engine: Engine) -> None:
        first = initialised(engine, "rehearsal")
        again = initialised(engine, None)
        assert (again.database_id, again.epoch, again.mode) == (first.database_id, first.epoch, "rehearsal")

    def test_refuses_the_other_mode(self, engine: Engine) -> None:
        initialised(engine, "rehearsal")
        with pytest.raises(OtherModeError, match="made for rehearsal, not for production"):
            initialised(engine, "production")

    def test_draws_another_epoch_each_time(self) -> None:
        assert len({new_epoch() for _ in range(50)}) > 45


class TestWriteEdges:
    def test_keeps_the_arrows_of_older_versions_and_adds_none_twice(self, engine: Engine) -> None:
        for _ in range(2):
            with transaction(engine) as session:
                write_edges(session, all_edges())
        with transaction(engine) as session:
            write_edges(session, [("project", 2, "advance", "intake", "handoff")])
            write_edges(session, [])

        with reading(engine) as session:
            found = {tuple(row) for row in session.execute(text("SELECT * FROM v_edge"))}
        assert found == {*all_edges(), ("project", 2, "advance", "intake", "handoff")}
