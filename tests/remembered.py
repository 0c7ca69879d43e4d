"""Parts of a world that are built once per process: who asks for the same from the same beginning gets a copy.

Only on SQLite, where a world is one file; elsewhere, and in a world that something was written to, all is built anew.
"""

import functools
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Hashable
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:  # worlds are built by what is remembered here
    from tests.factories import House

F = TypeVar("F", bound=Callable[..., Any])

_AT_MOST = 120
"""Worlds that are kept, of two megabytes each."""
_UNWRITTEN = 0
"""The time at which a copy says it was written last: whatever is written to it later moves that to the present."""


@dataclass(frozen=True, slots=True)
class _World:
    file: Path
    answer: Any
    facts: dict[str, Any]
    """What a house knows besides its database."""


_ANY_HOUSE = object()
"""Stands in an answer for the house that asked."""
_worlds: OrderedDict[Hashable, _World] = OrderedDict()
_numbers = count(1)


def remembered(build: F) -> F:
    """Let what this function builds in a house, its first argument, be copied for the next one that asks for it.

    It must do nothing but write there, and answer with values that may name the house.
    """

    @functools.wraps(build)
    def asked(house: "House", *args: Any, **kwargs: Any) -> Any:
        if not _is_unwritten(house):
            return build(house, *args, **kwargs)
        begun = (house.copy_of, house.now, house.funds_made, len(house.people), len(house.programmes))
        place = (begun, build.__module__, build.__qualname__, args, tuple(sorted(kwargs.items())))
        try:
            world = _worlds.get(place)
        except TypeError:  # asked with something that is no key
            return build(house, *args, **kwargs)
        if world is None:
            answer = build(house, *args, **kwargs)
            _remember(place, house, answer)
            return answer
        _worlds.move_to_end(place)
        _become(house, world)
        return deepcopy(world.answer, {id(_ANY_HOUSE): house})

    return cast("F", asked)


def copy_into(template: Path, file: Path) -> None:
    """Copy a world's file, whose connections are closed, so that one sees whether the copy was written to."""
    shutil.copyfile(template, file)
    os.utime(file, (_UNWRITTEN, _UNWRITTEN))


def _is_unwritten(house: "House") -> bool:
    """Return whether the database is what was copied: nothing in the file, nothing in the log beside it."""
    if house.copy_of is None or not isinstance(house.engine.pool, QueuePool) or house.engine.pool.checkedout():
        return False
    file = _file_of(house)
    log = file.with_name(f"{file.name}-wal")
    return file.stat().st_mtime == _UNWRITTEN and not (log.exists() and log.stat().st_size)


def _remember(place: Hashable, house: "House", answer: Any) -> None:
    if house.copy_of is None or not _let_go(house):
        return
    kept = house.copy_of.parent / f"world-{next(_numbers)}.db"
    copy_into(_file_of(house), kept)
    os.utime(_file_of(house), (_UNWRITTEN, _UNWRITTEN))
    _worlds[place] = _World(kept, deepcopy(answer, {id(house): _ANY_HOUSE}), deepcopy(_facts(house)))
    house.copy_of = kept
    if len(_worlds) > _AT_MOST:
        _worlds.popitem(last=False)[1].file.unlink()


def _become(house: "House", world: _World) -> None:
    house.engine.dispose()
    copy_into(world.file, _file_of(house))
    for name, value in deepcopy(world.facts).items():
        setattr(house, name, value)
    house.copy_of = world.file


def _let_go(house: "House") -> bool:
    """Close all connections, so that the file is whole; return whether nobody else holds it open."""
    house.engine.dispose()
    file = _file_of(house)
    return not file.with_name(f"{file.name}-wal").exists()


def _file_of(house: "House") -> Path:
    return Path(str(house.engine.url.database))


def _facts(house: "House") -> dict[str, Any]:
    return {name: getattr(house, name) for name in ("now", "parties", "people", "programmes", "funds_made")}
