"""Files that come with a form of the bank's pages: looked at on disk, handed to who reads them, or kept as evidence."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from starlette.datastructures import FormData, UploadFile

from lifecycle.errors import Invalid, unmet
from models.file_store import EvidenceFiles, TooLarge
from models.ports import Stored
from web.house import House
from web.session import Visit

FIELD = "file"
_CHUNK = 1 << 20


@contextmanager
def uploaded(form: FormData) -> Iterator[tuple[Path, str]]:
    """Give a place on disk with what came with a form, and its plain name; `Invalid` for no file."""
    found = form.get(FIELD)
    if not isinstance(found, UploadFile) or not found.filename:
        raise Invalid(unmet("field_missing", field=FIELD))
    name = PurePosixPath(found.filename.replace("\\", "/")).name
    if not name.isprintable():
        raise Invalid(unmet("value_wrong", field=FIELD, value=ascii(name)[:60], form=""))
    with TemporaryDirectory(prefix="pilotway-bank-") as folder:
        path = Path(folder) / "content"
        with path.open("wb") as target:
            shutil.copyfileobj(found.file, target, _CHUNK)
        yield path, name


def kept(house: House, form: FormData) -> tuple[Stored, str]:
    """Put the file into the store of evidence; return hash and size, and its name. `Invalid` says why not."""
    with uploaded(form) as (path, name):
        try:
            with path.open("rb") as stream:
                return EvidenceFiles(house.settings.evidence_place()).put(stream), name
        except TooLarge as error:
            raise Invalid(unmet("file_too_large", field=FIELD, limit=error.limit_bytes >> 20)) from error


def taken(visit: Visit, form: FormData) -> Any:
    """Have a file of the bank read and its bookings written down by who signed in; what became of it.

    The house was given who can do that; one without answers `Invalid`.
    """
    take = visit.house.take_file
    if take is None:
        raise Invalid(unmet("no_bank_here"))
    with uploaded(form) as (path, name):
        return take(visit.house.engine, name, lambda: path.open("rb"), visit.stamp)
