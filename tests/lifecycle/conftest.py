"""The reference data that some oracles are read from; it is not part of this repository."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Return the folder of reference data; skips visibly where it is absent, and fails in CI."""
    folder = Path(
        os.environ.get("PILOTWAY_REFERENCE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")
    ).resolve()
    if folder.is_dir():
        return folder
    missing = f"no reference data in {folder}; set PILOTWAY_REFERENCE_DATA"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
