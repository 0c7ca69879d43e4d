"""The whole story, played once for all who look at it."""

import fcntl
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.db import make_engine
from tests.stories.telling import played


@pytest.fixture(scope="package")
def portfolio(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give the whole story up to 21 November 2025; nobody writes into it, so processes that run tests share it."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    file = folder / "story.db"
    with (folder / "story.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            begun = folder / "story-begun.db"
            played(sqlite_template, begun, date(2025, 11, 21)).dispose()
            begun.rename(file)
    engine = make_engine(str(file))
    yield engine
    engine.dispose()
