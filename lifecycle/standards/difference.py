"""What differs between two versions of a standard, place by place; which of the two asks for more says `compare`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.standards.pack import Pack

_OWN = ("code", "version", "title", "based_on")
"""What tells two versions apart by their nature."""
_NAMES = ("id", "name", "code", "clause")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place: what stands there before and after; None for what was not there, or is gone."""

    path: str
    """Named and not counted: `small_batch_trial/criteria/G3.4/parameters/bound`."""
    old: Any
    new: Any

    @property
    def clause(self) -> str:
        """Return the clause that it is about; empty for none."""
        _, found, rest = self.path.partition("/criteria/")
        return rest.partition("/")[0] if found else ""

    @property
    def kind(self) -> str:
        """Return `added`, `removed` or `changed`."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"


def differences(old: Pack, new: Pack) -> list[Difference]:
    """Return every place in which two packs differ, in the order of the newer one; what they are called aside."""
    before, after = (dict(_places(_plain(pack), "")) for pack in (old, new))
    paths = [*after, *(path for path in before if path not in after)]
    return [
        Difference(path=path, old=before.get(path), new=after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]


def _plain(pack: Pack) -> dict[str, Any]:
    """Return the pack with its stages side by side, so that a path begins with the stage."""
    said = pack.model_dump(mode="json")
    stages = {stage["id"]: stage for stage in said.pop("stages")}
    return {**stages, **{key: value for key, value in said.items() if key not in _OWN}}


def _places(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _places(inner, f"{path}/{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value):
            name = next((inner[key] for key in _NAMES if inner.get(key)), number + 1)
            yield from _places(inner, f"{path}/{name}")
    elif value not in (None, [], {}):
        yield path, value
