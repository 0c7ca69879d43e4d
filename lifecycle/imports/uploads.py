"""What may be handed in as a document: told by its content, never by its name; looked at within limits, never unpacked.

Portable documents, pictures, office files without macros or formulas, plain text and tables, archives of these.
"""

import io
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from lifecycle.imports.archive import check_archive
from lifecycle.imports.problems import Unreadable, shown

PDF, PNG, JPEG, TEXT, ZIP = "application/pdf", "image/png", "image/jpeg", "text/plain", "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument"
XLSX, DOCX = f"{_OFFICE}.spreadsheetml.sheet", f"{_OFFICE}.wordprocessingml.document"
PPTX = f"{_OFFICE}.presentationml.presentation"
ENDINGS: Mapping[str, tuple[str, ...]] = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    XLSX: (".xlsx",),
    DOCX: (".docx",),
    PPTX: (".pptx",),
    ZIP: (".zip",),
    TEXT: (".txt", ".csv", ".json", ".md"),
}
"""Type -> endings that its name may have: the allow-list."""
PICTURES = frozenset({PNG, JPEG})
MAX_PIXELS, MAX_SIDE = 200_000_000, 30_000
"""The largest camera of a phone makes 200 million pixels; a picture is judged by its header and never decoded."""
_CHUNK = 1 << 16
_TAIL = 65_557
"""A zip's end stands in its last bytes: its own 22 and a comment."""
_MAX_TEXT = 8 << 20
_ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".tgz", ".xz", ".bz2", ".zst", ".tar", ".jar")
_ACTIVE = (".exe", ".dll", ".msi", ".bat", ".cmd", ".com", ".scr", ".ps1", ".vbs", ".js", ".hta", ".lnk", ".sh")
_FORMULA = re.compile(r"""(?:^|[,;\t])[ "']*(?:[=@]|[+-](?![\d.,; \t"'\r\n]|$))""", re.MULTILINE)
_FOLDERS = {"xl/workbook.xml": XLSX, "word/document.xml": DOCX, "ppt/presentation.xml": PPTX}


def check_upload(path: Path, name: str) -> str:
    """Return the media type of a file that may be handed in under this name; `Unreadable` says why it may not.

    Refused: what is empty, no type of the list, another type than its name says, two types at once, an archive beyond
    the limits or with an archive or program in it, office files with macros, formulas or a document type, pictures
    that would not fit into memory, text that is none (safety 2.10).
    """
    with path.open("rb") as file:
        head = file.read(_CHUNK)
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    kind = _kind(path, head)
    if not name.lower().endswith(ENDINGS[kind]):
        raise Unreadable("file_type_differs", "name fits content", name=shown(name), kind=kind)
    if kind in (PDF, PNG, JPEG) and _holds_archive(tail):
        raise Unreadable("file_of_two_types", "one type", name=shown(name))
    if kind in _CHECKS:
        _CHECKS[kind](path, head)
    if name.lower().endswith(".csv"):
        _check_table(path)
    return kind


def _kind(path: Path, head: bytes) -> str:
    if not head:
        raise Unreadable("file_empty", "not empty")
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"PK\x03\x04"):
        return _packed_kind(path)
    if _is_text(head):
        return TEXT
    raise Unreadable("file_type_unknown", "type on the list", known=", ".join(_endings()))


def _endings() -> Iterator[str]:
    for endings in ENDINGS.values():
        yield endings[0][1:]
    yield "csv"


def _is_text(head: bytes) -> bool:
    if b"\0" in head or head[:64].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<svg", b"<script")):
        return False
    return _decoded(head) is not None


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        for cut in range(4):  # a chunk may end within a character
            try:
                return content[: len(content) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
    return None


def _holds_archive(tail: bytes) -> bool:
    at = tail.rfind(b"PK\x05\x06")
    return at >= 0 and len(tail) - at >= 22


def _packed_kind(path: Path) -> str:
    check_archive(path)
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except BadZipFile:
        raise Unreadable("archive_damaged", "whole archive") from None
    return next((kind for part, kind in _FOLDERS.items() if part in names), ZIP)


def _check_zip(path: Path, _head: bytes) -> None:
    with ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                start = file.read(4)
            is_archive = member.filename.lower().endswith(_ARCHIVES) or start == b"PK\x03\x04"
            if is_archive or member.filename.lower().endswith(_ACTIVE) or start.startswith((b"MZ", b"\x7fELF", b"#!")):
                raise Unreadable("archive_holds", "documents only", member=shown(member.filename))


def _check_office(path: Path, _head: bytes) -> None:
    with ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.lower().endswith((".xml", ".rels")):
                with archive.open(member) as file:
                    _check_part(file.read, member.filename)


def _check_part(read: Callable[[int], bytes], name: str) -> None:
    """Go through one part as XML: no document type, no formula in a sheet, no target on another machine."""
    parser = expat.ParserCreate()
    where = {"cell": ""}

    def begin(tag: str, attributes: dict[str, str]) -> None:
        plain = tag.rpartition(":")[2]
        if plain == "c":
            where["cell"] = attributes.get("r", "")
        if plain == "f" and name.startswith("xl/worksheets/"):
            raise Unreadable("formula_cell", "values, not formulas", cell=shown(where["cell"] or name))

    def doctype(*_: object) -> None:
        raise Unreadable("xlsx_dtd", "no document type")

    parser.StartElementHandler, parser.StartDoctypeDeclHandler = begin, doctype
    try:
        while chunk := read(_CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003 - the parser's own form
        parser.Parse(b"", True)  # noqa: FBT003 - the parser's own form
    except expat.ExpatError:
        raise Unreadable("office_damaged", "whole file", member=shown(name)) from None


def _check_text(path: Path, _head: bytes) -> None:
    content = path.read_bytes() if path.stat().st_size <= _MAX_TEXT else None
    if content is None:
        raise Unreadable("file_too_large", f"text <= {_MAX_TEXT}", limit=_MAX_TEXT >> 20)
    text = _decoded(content)
    if text is None or any(ord(char) < 32 and char not in "\t\r\n\f" for char in text):
        raise Unreadable("file_type_unknown", "text", known=", ".join(_endings()))


def _check_table(path: Path) -> None:
    text = _decoded(path.read_bytes()) or ""
    if found := _FORMULA.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise Unreadable("formula_text", "values, not formulas", cell=f"#{line}")


def _check_picture(_path: Path, head: bytes) -> None:
    size = _png_size(head) if head.startswith(b"\x89PNG") else _jpeg_size(head)
    if size is None:
        raise Unreadable("picture_damaged", "whole picture")
    width, height = size
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise Unreadable("picture_too_large", f"pixels <= {MAX_PIXELS}", width=width, height=height)


def _png_size(head: bytes) -> tuple[int, int] | None:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    file = io.BytesIO(head)
    file.seek(2)
    while len(mark := file.read(4)) == 4 and mark[0] == 0xFF:
        if mark[1] in range(0xC0, 0xD0) and mark[1] not in (0xC4, 0xC8, 0xCC):
            body = file.read(5)
            if len(body) < 5:
                return None
            height, width = struct.unpack(">HH", body[1:5])
            return width, height
        file.seek(struct.unpack(">H", mark[2:4])[0] - 2, io.SEEK_CUR)
    return None


_CHECKS: Mapping[str, Callable[[Path, bytes], None]] = {
    PNG: _check_picture,
    JPEG: _check_picture,
    XLSX: _check_office,
    DOCX: _check_office,
    PPTX: _check_office,
    ZIP: _check_zip,
    TEXT: _check_text,
}
