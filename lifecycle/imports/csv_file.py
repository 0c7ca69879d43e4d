"""Rows of a CSV file (also packed with gzip), one at a time, in UTF-8 or GB18030."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from lifecycle.imports.archive import BoundedGzip
from lifecycle.imports.problems import Unreadable
from lifecycle.imports.table import MAX_COLUMNS, RawRow

Encoding: TypeAlias = Literal["utf-8", "gb18030"]
GZIP_MARK = b"\x1f\x8b"
LONGEST_LINE = 1 << 20
"""Characters of one line; a longer one is no table. A cell ends at the 131,072 characters of the csv module."""

_CHUNK = 1 << 16


def detect_encoding(path: Path, declared: Encoding | None) -> Encoding:
    """Return the encoding of the file: the declared one, else strict UTF-8, else strict GB18030.

    Reads the whole file once or twice in chunks. `Unreadable` names the row of the first byte that does not fit.
    """
    tried: tuple[Encoding, ...] = (declared,) if declared else ("utf-8", "gb18030")
    problems = []
    for encoding in tried:
        problem = _undecodable(path, encoding)
        if problem is None:
            return encoding
        problems.append(problem)
    raise problems[0]


def csv_rows(path: Path, encoding: Encoding, delimiter: str) -> Iterator[RawRow]:
    """Yield every record, blank ones too, numbered as a spreadsheet shows them; `Unreadable` at a broken quotation."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    number = 0
    with _opened(path) as binary:
        # The buffer in between bounds how much is unpacked at a time.
        text = io.TextIOWrapper(binary, encoding=codec, errors="strict", newline="")
        records = csv.reader(_lines(text), delimiter=delimiter, strict=True)
        while True:
            number += 1
            try:
                cells = next(records)
            except StopIteration:
                return
            except csv.Error as error:
                code = "csv_cell_too_long" if "field limit" in str(error) else "csv_malformed"
                raise Unreadable(code, "CSV, RFC 4180", row=number, line=records.line_num) from None
            except _LongLineError:
                raise Unreadable("csv_line_too_long", f"line <= {LONGEST_LINE}", row=number) from None
            if any(cells[MAX_COLUMNS:]):
                raise Unreadable(
                    "sheet_columns", f"columns <= {MAX_COLUMNS}", row=number, limit=MAX_COLUMNS, found=len(cells)
                )
            yield RawRow(number, cells)


class _LongLineError(Exception):
    """A line longer than any table has."""


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise _LongLineError
        yield line


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open the file, unpacking gzip by its first bytes, not by its name."""
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP_MARK
        file.seek(0)
        try:
            yield io.BufferedReader(BoundedGzip(file), _CHUNK) if is_packed else file
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise Unreadable("gzip_damaged", "gzip") from None


def _undecodable(path: Path, encoding: Encoding) -> Unreadable | None:
    """Return what stops the file from being text in this encoding, or None."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 0
    with _opened(path) as binary:
        while True:
            chunk = binary.read(_CHUNK)
            if b"\0" in chunk:
                row = lines + chunk[: chunk.index(b"\0")].count(b"\n") + 1
                raise Unreadable("file_nul", "no NUL byte", row=row)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                row = lines + error.object[: error.start].count(b"\n") + 1
                return Unreadable("encoding_unknown", encoding, row=row, encoding=encoding)
            if not chunk:
                return None
            lines += chunk.count(b"\n")
