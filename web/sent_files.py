"""A table that was sent to be looked through first: kept for a day, read again only in the session that sent it."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lifecycle.errors import Invalid, NotFound, unmet
from lifecycle.imports.problems import Unreadable
from models.file_store import NotStoredError
from web.papers import files_of
from web.session import Visit


def key_of(visit: Visit, sha256: str) -> str:
    """Return what says that a file came in this session: whoever knows a hash alone reads nothing."""
    return hashlib.sha256(f"import:{visit.csrf}:{sha256}".encode()).hexdigest()[:32]


def need_own(visit: Visit, sha256: str, key: str) -> None:
    """Refuse an address of a file that this session did not send itself: for it there is none."""
    if key != key_of(visit, sha256):
        raise NotFound(NotFound.code)


@contextmanager
def on_disk(visit: Visit, sha256: str) -> Iterator[Path]:
    """Give a place on disk with the content of a file that was kept; `NotFound` when it was swept since."""
    with TemporaryDirectory(prefix="pilotway-import-") as folder:
        path = Path(folder) / "table"
        try:
            with files_of(visit.house).open(sha256) as file, path.open("wb") as target:
                shutil.copyfileobj(file, target)
        except (NotStoredError, ValueError):
            raise NotFound(NotFound.code) from None
        yield path


def as_invalid(problem: Unreadable) -> Invalid:
    """Return what is wrong with a whole table as a refusal of the field that it came with."""
    place = {"row": problem.row} if problem.row is not None else {}
    return Invalid(unmet(problem.code, **{"field": "file", **place, **problem.params}))
