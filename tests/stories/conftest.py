"""The whole story, played once for all who look at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.db import make_engine


@pytest.fixture(scope="package")
def portfolio(demonstration: Path) -> Iterator[Engine]:
    """Give the whole story up to 21 November 2025; nobody writes into it."""
    engine = make_engine(str(demonstration / "pilotway.db"))
    yield engine
    engine.dispose()
