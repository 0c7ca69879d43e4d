"""The whole story, played once for all who look at it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.stories.telling import played


@pytest.fixture(scope="package")
def portfolio(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give the whole story up to 21 November 2025; nobody writes into it."""
    engine = played(sqlite_template, tmp_path_factory.mktemp("portfolio") / "story.db", date(2025, 11, 21))
    yield engine
    engine.dispose()
