"""A drafted migration says what the tables have, in words that stay right when the code moves on."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Table

from models import migrate, readiness
from models.base import metadata
from models.db import make_engine
from models.states import ProjectState
from models.types import Day, Id, JSONText, minor_column, state_column

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture
def another_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a migration folder without revisions, and one table more than the product has."""
    shutil.copytree(readiness.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("versions"))
    (tmp_path / "migrations" / "versions").mkdir()
    monkeypatch.setattr(migrate, "MIGRATIONS", tmp_path / "migrations")
    table = Table(
        "draft_example",
        metadata,
        Column("id", Id, primary_key=True),
        Column("on", Day),
        Column("facts", JSONText),
        state_column(ProjectState, name="state"),
        minor_column(name="amount_minor"),
    )
    yield tmp_path / "migrations"
    metadata.remove(table)


class TestDraft:
    def test_names_the_file_by_date_and_matter(self, another_chain: Path) -> None:
        path = migrate.draft("add the example", NOW)
        assert path.name == "2026_11_22_0300_add_the_example.py"

    def test_names_types_of_the_house_and_none_of_its_enums(self, another_chain: Path) -> None:
        source = migrate.draft("add the example", NOW).read_text(encoding="utf-8")

        assert "from models.types import Day\nfrom models.types import Id\nfrom models.types import JSONText" in source
        assert "sa.Column('state', sa.Text(), nullable=False)" in source
        assert "state IN ('intake', 'feasibility'," in source
        assert "amount_minor BETWEEN 1 AND 10000000000000" in source
        assert "sqlmodel" not in source
        assert "ProjectState" not in source

    @pytest.mark.long
    def test_leads_to_the_tables_when_it_is_run(self, another_chain: Path, empty_url: str) -> None:
        migrate.draft("add the example", NOW)
        engine = make_engine(empty_url)

        migrate.upgrade(engine)

        found = migrate.differences(engine)
        engine.dispose()
        assert found == []
