"""Documents between browser and store: what came with a form looked at and kept, what is kept shown within limits."""

import csv
import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.responses import StreamingResponse

from lifecycle.commands import Command
from lifecycle.errors import Forbidden, Invalid, NotFound, unmet
from lifecycle.imports.problems import Unreadable
from lifecycle.imports.reader import TableFormat, open_table
from lifecycle.imports.taking_in import Bringer, Share, keep, look_at_document
from lifecycle.imports.uploads import PDF, PICTURES, TEXT, XLSX, check_upload
from models.file_store import DEFAULT_LIMIT_BYTES, EvidenceFiles, NotStoredError
from models.ports import Stored
from web.house import House
from web.session import Visit

SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_TEXT = 20, 12, 4_000
LARGEST_PREVIEW = 5 << 20
_CHUNK = 1 << 20
_SANDBOX = "sandbox; default-src 'none'"
_AS_THEMSELVES = PICTURES | {PDF}
"""Types that a browser is told; of all others it learns nothing but that it is a file."""


def files_of(house: House) -> EvidenceFiles:
    """Return the store of this house."""
    return EvidenceFiles(house.settings.evidence_place())


def file_of(form: FormData, field: str = "file") -> UploadFile:
    """Return the file that came with a form; `Invalid` for none, an empty one, or a name that deceives."""
    found = form.get(field)
    if not isinstance(found, UploadFile) or not found.filename:
        raise Invalid(unmet("field_missing", field=field))
    return found


def name_of(upload: UploadFile, field: str = "file") -> str:
    """Return the plain name of a file, without the folders that some browsers send; `Invalid` for what hides signs."""
    name = PurePosixPath((upload.filename or "").replace("\\", "/")).name
    if not name.isprintable():
        raise Invalid(unmet("file_name_wrong", name=ascii(name)[:60], field=field))
    return name


@contextmanager
def looked_at(upload: UploadFile, field: str = "file") -> Iterator[tuple[Path, str]]:
    """Give a place on disk with the content of an upload, and its name; `Invalid` says why it is not taken."""
    name = name_of(upload, field)
    with TemporaryDirectory(prefix="pilotway-upload-") as folder:
        path = Path(folder) / "content"
        with path.open("wb") as target:
            shutil.copyfileobj(upload.file, target, _CHUNK)
        if path.stat().st_size > DEFAULT_LIMIT_BYTES:
            raise Invalid(unmet("file_too_large", field=field, limit=DEFAULT_LIMIT_BYTES >> 20))
        yield path, name


def kept(visit: Visit, upload: UploadFile, field: str = "file") -> tuple[Stored, str]:
    """Put an upload into the store of evidence if its content may be there; return its hash and size, and its name.

    `Invalid` says why not, `QuotaUsed` that the day's share is used up.

    What no command refers to is swept by `recover` after a day.
    """
    with looked_at(upload, field) as (path, name):
        look_at_document(path, name, field)
        return keep(bringer(visit), files_of(visit.house), path, field), name


def kept_for(visit: Visit, upload: UploadFile, asked: Callable[[Stored, str], Command]) -> Command:
    """Put an upload into the store of evidence for a command that tells of it; return the command.

    Nothing is kept for who may not give the command. `Invalid` and `QuotaUsed` as above.
    """
    with looked_at(upload) as (path, name):
        look_at_document(path, name)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        command = asked(Stored(sha256=sha256, size_bytes=path.stat().st_size), name)
        if not isinstance(visit.rehearse(command).error, Forbidden):
            keep(bringer(visit), files_of(visit.house), path)
        return command


def bringer(visit: Visit) -> Bringer:
    """Return who brings a file with this request, and how much they may bring in a day."""
    house = visit.house
    share = Share(files=house.settings.upload_files, mib=house.settings.upload_mib)
    user_id = visit.actor.user_id
    return Bringer(engine=house.engine, user_id=user_id, now=visit.now, share=share, new_id=house.new_id)


def download(house: House, row: Any) -> StreamingResponse:
    """Return a stored file as an attachment in which nothing runs; `NotFound` when the store has lost it."""
    try:
        file = files_of(house).open(row.sha256)
    except NotStoredError:
        raise NotFound(NotFound.code) from None
    head = file.read(8)
    file.seek(0)
    kind = _kind_of_head(head)

    def chunks() -> Iterator[bytes]:
        with file:
            while chunk := file.read(_CHUNK):
                yield chunk

    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(row.file_name, safe='')}",
        "content-security-policy": _SANDBOX,
        "x-content-type-options": "nosniff",
        "content-length": str(row.size_bytes),
    }
    return StreamingResponse(chunks(), media_type=kind, headers=headers)


def _kind_of_head(head: bytes) -> str:
    known = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF-": PDF}
    found = next((kind for mark, kind in known.items() if head.startswith(mark)), "")
    return found if found in _AS_THEMSELVES else "application/octet-stream"


def preview(house: House, row: Any) -> dict[str, Any]:
    """Return what a page may show of a stored file: a picture, the first rows of a table, the begin of a text."""
    nothing: dict[str, Any] = {"kind": "none"}
    if row.size_bytes > LARGEST_PREVIEW:
        return {"kind": "picture"} if row.file_name.lower().endswith((".png", ".jpg", ".jpeg")) else nothing
    try:
        with files_of(house).open(row.sha256) as file:
            content = file.read(LARGEST_PREVIEW)
    except NotStoredError:
        return {"kind": "lost"}
    with TemporaryDirectory(prefix="pilotway-preview-") as folder:
        path = Path(folder) / "content"
        path.write_bytes(content)
        with suppress(Unreadable):
            return _shown(path, row.file_name)
    return nothing


def _shown(path: Path, name: str) -> dict[str, Any]:
    kind = check_upload(path, name)
    if kind in PICTURES:
        return {"kind": "picture"}
    if kind == XLSX:
        rows = list(islice(open_table(path, TableFormat(kind="xlsx")).rows, SHOWN_ROWS))
        return {"kind": "table", "rows": [list(row.cells)[:SHOWN_COLUMNS] for row in rows]}
    if kind == TEXT and name.lower().endswith(".csv"):
        lines = csv.reader(io.StringIO(_text(path)))
        return {"kind": "table", "rows": [row[:SHOWN_COLUMNS] for row in islice(lines, SHOWN_ROWS)]}
    if kind == TEXT:
        return {"kind": "text", "text": _text(path)[:SHOWN_TEXT]}
    return {"kind": "none"}


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")
