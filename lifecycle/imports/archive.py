"""Limits on compressed files, checked before anything is parsed or unpacked.

A 1 GiB member of an archive shrinks to 1 MB and openpyxl does not guard against it: the directory of the archive is
judged first, and a compressed stream is counted while it is read.
"""

import gzip
import io
import stat
import struct
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from lifecycle.imports.problems import Unreadable, shown

MEBIBYTE = 1 << 20
MAX_FILE = 50 * MEBIBYTE
MAX_MEMBERS = 1_000
MAX_TOTAL = 200 * MEBIBYTE
MAX_RATIO = 100
MAX_PART = 32 * MEBIBYTE
"""One part of a workbook that is read whole: shared strings, styles. Sheets are streamed and fall under the total."""

_END = struct.Struct("<4s4H2LH")
_END_MARK, _LOCATOR_MARK = b"PK\x05\x06", b"PK\x06\x07"
_LONGEST_COMMENT = 65_535
_LARGEST_DIRECTORY = MEBIBYTE
_RATIO_COUNTS_FROM = MEBIBYTE


def check_archive(path: Path) -> None:
    """Refuse (`Unreadable`) an archive that is too large, packed too densely, encrypted, or holds active content."""
    if path.stat().st_size > MAX_FILE:
        raise Unreadable("file_too_large", f"file <= {MAX_FILE}", limit=MAX_FILE // MEBIBYTE)
    _check_directory(path)
    with ZipFile(path) as archive:
        members = archive.infolist()
        _check_names(members)
        for member in members:
            _check_member(member)
        total, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if total > MAX_TOTAL:
        raise Unreadable("archive_total", f"unpacked <= {MAX_TOTAL}", limit=MAX_TOTAL // MEBIBYTE)
    if total > MAX_RATIO * max(packed, 1):
        raise Unreadable("archive_ratio", f"ratio <= {MAX_RATIO}:1", limit=MAX_RATIO, member="*")


def _check_directory(path: Path) -> None:
    """Refuse too many members before `ZipFile` reads the directory into memory; zip64 is not needed below 50 MiB."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _END.size - _LONGEST_COMMENT - 20))
        tail = file.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise Unreadable("xlsx_damaged", "XLSX")
    _, _, _, _, members, directory_size, _, _ = _END.unpack_from(tail, at)
    has_zip64 = tail[max(0, at - 20) : at].startswith(_LOCATOR_MARK)
    if has_zip64 or members > MAX_MEMBERS or directory_size > _LARGEST_DIRECTORY:
        raise Unreadable("archive_members", f"members <= {MAX_MEMBERS}", limit=MAX_MEMBERS)


def _check_names(members: list[ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) > MAX_MEMBERS:
        raise Unreadable("archive_members", f"members <= {MAX_MEMBERS}", limit=MAX_MEMBERS)
    if len({name.lower() for name in names}) != len(names):
        raise Unreadable("archive_names", "unique member names", member=shown(_first_repeated(names)))
    for name in names:
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise Unreadable("archive_names", "plain member names", member=shown(name))
        if name.lower().endswith("vbaproject.bin") or name.lower().startswith("xl/externallinks/"):
            raise Unreadable("xlsx_active_content", "no macros, no external links", member=shown(name))


def _first_repeated(names: list[str]) -> str:
    lowered = [name.lower() for name in names]
    return next(name for name in lowered if lowered.count(name) > 1)


def _check_member(member: ZipInfo) -> None:
    name = shown(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):  # what no system of Unix packed says none
        raise Unreadable("archive_link", "files only", member=name)
    if member.flag_bits & 0x1:
        raise Unreadable("xlsx_encrypted", "not encrypted")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Unreadable("archive_method", "stored or deflated", member=name)
    if member.file_size > MAX_RATIO * max(member.compress_size, 1):
        raise Unreadable("archive_ratio", f"ratio <= {MAX_RATIO}:1", limit=MAX_RATIO, member=name)
    is_read_whole = member.filename.endswith((".xml", ".rels")) and not member.filename.startswith("xl/worksheets/")
    if is_read_whole and member.file_size > MAX_PART:
        raise Unreadable("archive_part", f"part <= {MAX_PART}", limit=MAX_PART // MEBIBYTE, member=name)


class BoundedGzip(io.RawIOBase):
    """A gzip stream that refuses (`Unreadable`) to unpack beyond the total or the ratio of the limits table."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._unpacked = gzip.GzipFile(fileobj=file)
        self._out = 0

    def readable(self) -> bool:
        """Return True: the stream is for reading only."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer with unpacked bytes, counting them against the bytes read so far."""
        data = self._unpacked.read(len(buffer))
        buffer[: len(data)] = data
        self._out += len(data)
        if self._out > MAX_TOTAL:
            raise Unreadable("archive_total", f"unpacked <= {MAX_TOTAL}", limit=MAX_TOTAL // MEBIBYTE)
        if self._out > max(_RATIO_COUNTS_FROM, MAX_RATIO * self._file.tell()):
            raise Unreadable("archive_ratio", f"ratio <= {MAX_RATIO}:1", limit=MAX_RATIO, member="gzip")
        return len(data)

    def close(self) -> None:
        """Close the unpacker and the file beneath it."""
        self._unpacked.close()
        self._file.close()
        super().close()
