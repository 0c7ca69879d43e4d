"""The default pack for tests of lint and compare, and how to change one part of a frozen pack."""

from functools import cache
from typing import Any

from pydantic import BaseModel

from lifecycle.standards import library
from lifecycle.standards.pack import Pack, Stage

DEFAULT = library.PACKS / "default-2026.1"


@cache
def default() -> Pack:
    """The default pack; a stage whose file is not written yet is the bare one."""
    bare = library.bare()
    parts = [library.load_stage(path) for path in sorted(DEFAULT.glob("*_*.yaml")) + _one_word_files()]
    written: dict[str, Stage] = {part.stage.id: part.stage for part in parts}
    return bare.model_copy(
        update={
            "code": "default",
            "rehearsal_only": False,
            "profiles": {"manufacture": ("assembly", "process"), "firm_size": ("cn_industrial", "eu")},
            "evidence_types": tuple(kind for part in parts for kind in part.evidence_types),
            "stages": tuple(written.get(stage.id, stage) for stage in bare.stages),
        }
    )


def _one_word_files() -> list[Any]:
    return [path for path in sorted(DEFAULT.glob("*.yaml")) if "_" not in path.stem and path.stem != "pack"]


def changed(part: Any, path: str, value: object) -> Any:
    """A copy of a part of a pack with the value at `stages/0/title` or `criteria/2/parameters/n` replaced."""
    first, _, rest = path.partition("/")
    if isinstance(part, BaseModel):
        return part.model_copy(update={first: changed(getattr(part, first), rest, value) if rest else value})
    if isinstance(part, tuple):
        at = int(first)
        return (*part[:at], changed(part[at], rest, value) if rest else value, *part[at + 1 :])
    if isinstance(part, dict):
        return {**part, first: changed(part[first], rest, value) if rest else value}
    raise TypeError(path)
