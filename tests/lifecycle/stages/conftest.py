"""The reference data that the statistics are compared with; it lies beside the repository, never in it."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Return the folder of reference data, or skip visibly; in CI its absence is a failure."""
    root = Path(__file__).parents[3]
    folder = root / os.environ.get("PILOTWAY_REFERENCE_DATA", "../shared/data")
    if not folder.is_dir():
        reason = f"reference data not found at {folder}: set PILOTWAY_REFERENCE_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
