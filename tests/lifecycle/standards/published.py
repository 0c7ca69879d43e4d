"""The default pack for tests of lint and compare, and how to change one part of a frozen pack."""

from typing import Any

from pydantic import BaseModel

from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from models.states import STAGES

DEFAULT = library.PACKS / "default-2026.1"
WRITTEN = tuple(stage for stage in STAGES if (DEFAULT / f"{stage}.yaml").is_file())


def default() -> Pack:
    """The default pack."""
    return library.default()


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
            if first in {str(number), *(getattr(item, name, None) for name in ("id", "name", "code"))}
        )
        return (*part[:at], changed(part[at], rest, value) if rest else value, *part[at + 1 :])
    if isinstance(part, dict):
        return {**part, first: changed(part[first], rest, value) if rest else value}
    raise TypeError(path)
