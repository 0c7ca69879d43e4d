"""The migrations lead from nothing to exactly what the tables say, on both databases."""

from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from models.db import make_engine, reading
from models.migrate import differences, heads, upgrade
from models.readiness import MIGRATIONS, head_revision
from models.tables import metadata


def form_of(engine: Engine) -> dict[str, Any]:
    """Return everything about the tables that must not differ, CHECKs included, in no particular order."""
    inspector = inspect(engine)
    return {
        table: {
            "columns": {one["name"]: (str(one["type"]), one["nullable"]) for one in inspector.get_columns(table)},
            "key": inspector.get_pk_constraint(table),
            "checks": {one["name"]: one["sqltext"] for one in inspector.get_check_constraints(table)},
            "unique": {one["name"]: one["column_names"] for one in inspector.get_unique_constraints(table)},
            "indexes": {str(one["name"]): (one["column_names"], one["unique"]) for one in inspector.get_indexes(table)},
            "foreign": {
                one["name"]: (one["constrained_columns"], one["referred_table"], one["options"])
                for one in inspector.get_foreign_keys(table)
            },
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


class TestChain:
    def test_has_one_head_and_it_is_the_newest_file(self) -> None:
        assert heads() == [head_revision()] if head_revision() else heads() == []

    def test_every_file_is_named_by_its_revision(self) -> None:
        for path in (MIGRATIONS / "versions").glob("*.py"):
            assert f'revision = "{path.stem[:15]}"' in path.read_text(encoding="utf-8").replace("'", '"')

    def test_leads_from_nothing_to_the_tables_as_alembic_sees_them(self, engine: Engine) -> None:
        assert differences(engine) == []

    def test_leads_from_nothing_to_the_tables_with_every_constraint(self, engine: Engine, empty_url: str) -> None:
        fresh = make_engine(empty_url)
        metadata.create_all(fresh)
        expected = form_of(fresh)
        fresh.dispose()

        assert form_of(engine) == expected

    def test_a_second_upgrade_changes_nothing(self, engine: Engine) -> None:
        before = form_of(engine)
        upgrade(engine)
        assert form_of(engine) == before

    def test_leaves_foreign_keys_on_after_an_upgrade(self, sqlite_engine: Engine) -> None:
        upgrade(sqlite_engine)
        with reading(sqlite_engine) as session:
            assert session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


@pytest.mark.parametrize("database_kind", ["sqlite"])
class TestAnEmptyDatabase:
    def test_gets_our_mark(self, engine: Engine) -> None:
        with reading(engine) as session:
            assert session.execute(text("PRAGMA application_id")).scalar_one() == 0x50574159
