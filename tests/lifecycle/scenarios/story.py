"""Scenario files for tests: the example that the contract prints, and changes of it."""

import json
import re
from pathlib import Path
from typing import Any

_CONTRACT = Path(__file__).parents[3] / "docs" / "contract.md"


def example() -> dict[str, Any]:
    """Return the example of the contract, to be changed."""
    found = re.search(r"```json\n(.*?)```", _CONTRACT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    story: dict[str, Any] = json.loads(found[1])
    return story


def changed(place: str, value: Any) -> dict[str, Any]:
    """Return the example with another value at a place (`/funds/0/code`)."""
    story = example()
    at: Any = story
    *way, last = [int(step) if step.isdigit() else step for step in place.split("/")[1:]]
    for step in way:
        at = at[step]
    at[last] = value
    return story


def written(story: dict[str, Any]) -> bytes:
    """Return the file."""
    return json.dumps(story, ensure_ascii=False).encode()
