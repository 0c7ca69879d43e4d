"""The catalogue of import sentences as the tests read it."""

from functools import cache
from pathlib import Path

import yaml

import lifecycle.imports
from lifecycle.imports.problems import Params

CODE = Path(lifecycle.imports.__file__).parent
SOURCES = (*CODE.glob("*.py"), CODE.parents[1] / "models" / "money.py")
"""What raises these codes: the package, and the parser of amounts that it shares with every other door."""
CATALOGUE = CODE.parents[1] / "notifications" / "locale" / "imports.yaml"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return found


def sentence_in(language: str, code: str, params: Params) -> str:
    return catalogue()[code][language].format_map(dict(params))
