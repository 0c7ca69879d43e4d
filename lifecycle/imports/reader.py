"""Any table file in, rows of texts out: which reader a file needs is told by its content."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lifecycle.imports.csv_file import Encoding, csv_rows, detect_encoding
from lifecycle.imports.problems import Unreadable, shown
from lifecycle.imports.table import RawRow
from lifecycle.imports.xlsx_file import OLD_OFFICE_MARK, ZIP_MARK, xlsx_rows

HIDDEN_SHEET = "pilotway"
"""Sheet of a template that nobody sees: its first cell says the version."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFormat:
    """What a mapping says about the file; everything left out is found from its content."""

    kind: str | None = None
    """`csv` or `xlsx`."""
    encoding: Encoding | None = None
    delimiter: str = ","
    sheet: str | None = None
    header_row: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """An opened table: its rows from the first on, and whether its encoding was found rather than declared."""

    rows: Iterator[RawRow]
    is_assumed_gb18030: bool = False


def open_table(path: Path, expected: TableFormat) -> Table:
    """Return the rows of a CSV, gzipped CSV or XLSX file as a stream; `Unreadable` when it is none of them."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise Unreadable("file_empty", "not empty")
    if start.startswith(OLD_OFFICE_MARK):
        raise Unreadable("xls_old_or_encrypted", "XLSX without password")
    kind = "xlsx" if start.startswith(ZIP_MARK) else "csv"
    if expected.kind not in (None, kind):
        raise Unreadable("format_mismatch", f"format {expected.kind}", expected=str(expected.kind), found=kind)
    if kind == "xlsx":
        return Table(xlsx_rows(path, expected.sheet, expected.header_row))
    if start.startswith(_UTF16_MARKS):
        raise Unreadable("encoding_unknown", "utf-8", row=1, encoding="utf-8")
    encoding = detect_encoding(path, expected.encoding)
    is_assumed = encoding == "gb18030" and expected.encoding is None
    return Table(csv_rows(path, encoding, expected.delimiter), is_assumed)


def check_version(path: Path, version: str) -> None:
    """Refuse a template of another kind or version; a table that never was one has none."""
    try:
        first = next(iter(open_table(path, TableFormat(kind="xlsx", sheet=HIDDEN_SHEET)).rows), None)
    except Unreadable as problem:
        if problem.code in ("sheet_missing", "format_mismatch"):
            return
        raise
    found = first.cells[0] if first is not None and first.cells else ""
    if found != version:
        raise Unreadable("template_version", version, found=shown(found), known=version)
