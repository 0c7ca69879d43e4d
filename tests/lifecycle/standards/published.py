"""The default pack for tests of lint and compare, and how to change one part of a frozen pack."""

from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel

from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from models.states import STAGES

DEFAULT = library.PACKS / "default-2026.1"
WRITTEN = tuple(stage for stage in STAGES if (DEFAULT / f"{stage}.yaml").is_file())


@cache
def default() -> Pack:
    """The default pack; a stage whose file is not written yet is the bare one."""
    if WRITTEN == STAGES:
        return library.default()
    parts = {stage: library.load_stage(DEFAULT / f"{stage}.yaml") for stage in WRITTEN}
    return Pack.model_validate(
        {
            **yaml.safe_load((DEFAULT / "pack.yaml").read_text("utf-8")),
            "evidence_types": tuple(kind for part in parts.values() for kind in part.evidence_types),
            "stages": tuple(parts[stage].stage if stage in parts else library.bare().stage(stage) for stage in STAGES),
        }
    )


def changed(part: Any, path: str, value: object) -> Any:
    """A copy of a part of a pack with one value replaced; list items go by id, name or number.

    `stages/intake/criteria/G1.6/parameters/similarity`
    """
    first, _, rest = path.partition("/")
    if isinstance(part, BaseModel):
        return part.model_copy(update={first: changed(getattr(part, first), rest, value) if rest else value})
    if isinstance(part, tuple):
        at = next(
            number
            for number, item in enumerate(part)
            if first in {getattr(item, "id", None), getattr(item, "name", None), str(number)}
        )
        return (*part[:at], changed(part[at], rest, value) if rest else value, *part[at + 1 :])
    if isinstance(part, dict):
        return {**part, first: changed(part[first], rest, value) if rest else value}
    raise TypeError(path)
