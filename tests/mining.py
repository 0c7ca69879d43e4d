"""Reads our event logs with pm4py, which lives in an environment of its own (`make mining`): large, and AGPL."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import skip_or_fail

PYTHON = Path(__file__).parent.parent / ".venv-mining" / "bin" / "python"

_READ_XES = """
import json, sys, pm4py
log = pm4py.read_xes(sys.argv[1], show_progress_bar=False)
rows = log.sort_values(["case:concept:name", "time:timestamp"], kind="stable")
found = [[row["case:concept:name"], row["concept:name"], str(row.get("to_state"))] for _, row in rows.iterrows()]
print(json.dumps(found))
"""
_READ_OCEL = """
import json, sys, pm4py
log = pm4py.read_ocel2_json(sys.argv[1])
print(json.dumps({"events": len(log.events), "objects": sorted(log.objects["ocel:type"].unique().tolist()),
                  "activities": log.events["ocel:activity"].tolist(), "relations": len(log.relations)}))
"""


def read_xes(path: Path) -> list[list[str]]:
    """Return (case, activity, state reached) of every event, as pm4py reads them."""
    found: list[list[str]] = _asked(_READ_XES, path)
    return found


def read_ocel(path: Path) -> dict[str, Any]:
    """Return what pm4py finds in an object-centric log."""
    found: dict[str, Any] = _asked(_READ_OCEL, path)
    return found


def _asked(script: str, path: Path) -> Any:
    if not PYTHON.exists():
        skip_or_fail("pm4py was not found: make mining")
    answer = subprocess.run([PYTHON, "-W", "ignore", "-c", script, path], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    return json.loads(answer.stdout.splitlines()[-1])
