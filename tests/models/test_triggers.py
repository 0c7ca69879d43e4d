"""What happened stays as it was written, whoever asks the database otherwise."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from lifecycle.audit.keys import new_key
from models.base import Row
from models.db import reading, transaction
from models.migrate import upgrade
from models.tables import metadata
from models.triggers import APPEND_ONLY
from tests.lifecycle.audit.conftest import signed
from tests.lifecycle.world import a_world, some_projects

WRITTEN = ("transition", "audit_record", "command_record", "checkpoint")


class TestAppendOnly:
    @pytest.mark.parametrize("table", WRITTEN)
    def test_rows_are_neither_changed_nor_removed(self, engine: Engine, table: str) -> None:
        world, programme, firm = a_world(engine)
        some_projects(world, programme, firm, 2)
        signed(world, new_key())
        before = self.rows(engine, table)
        assert before, "an empty table refuses nothing"

        for statement in (f"UPDATE {table} SET at = at", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="only grows"), transaction(engine) as session:
                session.execute(text(statement))

        assert self.rows(engine, table) == before

    @pytest.mark.postgres
    @pytest.mark.parametrize("database_kind", ["postgres"])
    @pytest.mark.parametrize("table", APPEND_ONLY)
    def test_tables_are_not_emptied_either(self, engine: Engine, table: str) -> None:
        with pytest.raises(DBAPIError, match="only grows"), transaction(engine) as session:
            session.execute(text(f"TRUNCATE {table} CASCADE"))

    @pytest.mark.parametrize("table", APPEND_ONLY)
    def test_every_table_whose_docstring_says_so_has_its_triggers(self, sqlite_engine: Engine, table: str) -> None:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        with reading(sqlite_engine) as session:
            found = set(session.execute(text(names), {"table": table}).scalars())
        assert found == {f"{table}_no_update", f"{table}_no_delete"}

    def test_is_what_the_tables_say_of_themselves(self) -> None:
        said = {
            str(mapper.class_.__tablename__)
            for mapper in Row._sa_registry.mappers
            if "Append-only." in (mapper.class_.__doc__ or "")
        }
        assert said == set(APPEND_ONLY)
        assert set(APPEND_ONLY) <= set(metadata.tables)

    def test_comes_back_with_the_next_migrate_when_it_was_taken_away(self, sqlite_engine: Engine) -> None:
        with transaction(sqlite_engine) as session:
            session.execute(text("DROP TRIGGER transition_no_update"))
        upgrade(sqlite_engine)
        with reading(sqlite_engine) as session:
            found = session.execute(text("SELECT COUNT(*) FROM sqlite_master WHERE name = 'transition_no_update'"))
            assert found.scalar_one() == 1

    @staticmethod
    def rows(engine: Engine, table: str) -> list[tuple[object, ...]]:
        with reading(engine) as session:
            return [tuple(row) for row in session.execute(text(f"SELECT * FROM {table}"))]
