"""Rows of one sheet of an XLSX workbook, as texts, within the limits; formulas are named, never computed.

Two passes over the sheet: a survey of what openpyxl does not tell when it streams (hidden rows and columns, merged
cells, true extent, nesting), then openpyxl's read-only rows.
"""

import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import openpyxl
from defusedxml import DefusedXmlException
from openpyxl.utils.cell import column_index_from_string, range_boundaries

from lifecycle.imports.archive import MAX_PART, MEBIBYTE, check_archive
from lifecycle.imports.problems import Unreadable, ValueProblem, shown
from lifecycle.imports.table import MAX_COLUMNS, CellProblem, RawRow, column_letter

ZIP_MARK = b"PK\x03\x04"
OLD_OFFICE_MARK = b"\xd0\xcf\x11\xe0"
MAX_ROWS = 20_000
"""Data rows of one sheet (limits table)."""
MAX_DEPTH = 32
MAX_MERGES = 1_000

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, ParseError, DefusedXmlException,
    ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, EOFError, NotImplementedError,
)  # fmt: skip


@dataclass(slots=True)
class _Survey:
    """What one sheet looks like, found without building its cells."""

    last_row: int = 0
    last_column: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, str]] = field(default_factory=list)

    row: int = 0
    column: int = 0

    def take(self, tag: str, attributes: dict[str, str]) -> None:
        """Note one element of the sheet."""
        if tag == "c":
            self.column = _further(_column(attributes.get("r"), self.column), self.column)
        elif tag in ("v", "f", "is"):
            self.last_row, self.last_column = max(self.last_row, self.row), max(self.last_column, self.column)
        elif tag == "row":
            self.row, self.column = _further(int(attributes.get("r", self.row + 1)), self.row), 0
            if _is_true(attributes.get("hidden")) and self.row <= 2 * MAX_ROWS:
                self.hidden_rows.add(self.row)
        elif tag == "col" and _is_true(attributes.get("hidden")):
            start, end = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            if not 1 <= start <= end:
                raise Unreadable("xlsx_damaged", "columns from 1 on")
            self.hidden_columns.update(range(start - 1, min(end, MAX_COLUMNS)))
        elif tag == "mergeCell" and len(self.merged) <= MAX_MERGES:
            _, first, _, last_row = range_boundaries(attributes.get("ref", ""))
            # A merge of whole columns (`A:C`) has no rows of its own: it touches all of them.
            self.merged.append((first or 1, last_row or MAX_ROWS, shown(attributes.get("ref", ""))))

    def merge_over(self, row: int) -> str | None:
        """Return the range of merged cells that touches this row, if any."""
        return next((name for first, last, name in self.merged if first <= row <= last), None)


def xlsx_rows(path: Path, sheet: str | None, header_row: int) -> Iterator[RawRow]:
    """Yield every row of the sheet from the first on; `Unreadable` when the workbook or its extent is refused."""
    if not openpyxl.DEFUSEDXML:  # pragma: no cover - an installation without its guard must not read workbooks
        raise Unreadable("xlsx_unguarded", "defusedxml")
    with path.open("rb") as file:  # by its content: openpyxl would judge a path by its ending
        try:
            check_archive(path)
            _check_parts(path)
            with _quiet():
                book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        except _DAMAGED:
            raise Unreadable("xlsx_damaged", "XLSX") from None
        try:
            yield from _sheet_rows(path, _sheet(book, sheet), header_row)
        except _DAMAGED:
            raise Unreadable("xlsx_damaged", "XLSX") from None
        finally:
            book.close()


def _sheet(book: Any, name: str | None) -> Any:
    """Return the named sheet, or the only visible one."""
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if name is None and len(visible) == 1:
        return visible[0]
    names = shown(", ".join(sheet.title for sheet in visible))
    if name is None:
        raise Unreadable("sheet_ambiguous", "one visible sheet, or `sheet` named", sheets=names)
    for sheet in book.worksheets:
        if sheet.title == name:
            return sheet
    raise Unreadable("sheet_missing", "sheet of the mapping", sheet=shown(name), sheets=names)


def _sheet_rows(path: Path, sheet: Any, header_row: int) -> Iterator[RawRow]:
    # The path of the sheet's part is known to openpyxl alone.
    survey = _surveyed(path, sheet._worksheet_path)  # noqa: SLF001
    if survey.last_column > MAX_COLUMNS:
        raise Unreadable("sheet_columns", f"columns <= {MAX_COLUMNS}", limit=MAX_COLUMNS, found=survey.last_column)
    if len(survey.merged) > MAX_MERGES:
        raise Unreadable("merged_cells", "no merged cells", range=survey.merged[0][2])
    if survey.last_row > MAX_ROWS + header_row:
        raise Unreadable("sheet_rows", f"rows <= {MAX_ROWS}", limit=MAX_ROWS, found=survey.last_row - header_row)
    if not survey.last_row:
        return
    rows = sheet.iter_rows(min_row=1, max_row=survey.last_row, min_col=1, max_col=survey.last_column)
    number = 0
    while True:
        with _quiet():
            cells = next(rows, None)
        if cells is None:
            return
        number += 1
        yield _raw_row(number, cells, survey, sheet.title)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence openpyxl: what it warns of is no concern here, or becomes a cell error (a date too large)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _raw_row(number: int, cells: tuple[Any, ...], survey: _Survey, sheet: str) -> RawRow:
    texts, problems = [], []
    if number in survey.hidden_rows:
        problems.append(CellProblem(None, ValueProblem("hidden_row", "no hidden rows", row=number)))
    merged = survey.merge_over(number)
    if merged is not None:
        problems.append(CellProblem(None, ValueProblem("merged_cells", "no merged cells", range=merged)))
    for index, cell in enumerate(cells):
        text, code = _text(cell)
        texts.append(text)
        if code is not None:
            place = f"{column_letter(index)}{number}"
            problems.append(CellProblem(index, ValueProblem(code, "values, not formulas", cell=place)))
        if text and index in survey.hidden_columns:
            letter = column_letter(index)
            problems.append(CellProblem(index, ValueProblem("hidden_column", "no hidden columns", letter=letter)))
    return RawRow(number, texts, tuple(problems), sheet)


def _text(cell: Any) -> tuple[str, str | None]:
    """Return the cell as text, and the code of what is wrong with it."""
    value, kind = cell.value, cell.data_type
    if kind == "f":
        return str(getattr(value, "text", value)), "formula_cell"
    if kind == "e":
        return str(value), "error_cell"
    return _plain(value), None


def _plain(value: object) -> str:
    """Return the value as a spreadsheet would write it plainly; a day has no time of day."""
    match value:
        case None:
            text = ""
        case bool():
            text = "TRUE" if value else "FALSE"
        case float():
            text = _number(value)
        case datetime():
            text = value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
        case date() | time():
            text = value.isoformat()
        case _:
            text = str(value)
    return text


def _number(value: float) -> str:
    """Return the shortest digits that mean this number, without exponent: 1.1 where the file has 1.1000000000000001.

    A sum such as 12345.332 behind a cell that shows 12345.33 keeps its third decimal, to be refused as an amount.
    """
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def _check_parts(path: Path) -> None:
    """Refuse a DTD, entities, deep nesting or excessive size in every part that openpyxl reads whole."""
    with zipfile.ZipFile(path) as archive:
        sheets, others = _declared_parts(archive)
        for member in archive.infolist():
            name = member.filename
            if name in others and member.file_size > MAX_PART:
                raise Unreadable("archive_part", f"part <= {MAX_PART}", limit=MAX_PART // MEBIBYTE, member=shown(name))
            if name not in sheets and (name in others or name.endswith((".xml", ".rels"))):
                with archive.open(member) as part:
                    _scan(part, _nothing)


def _declared_parts(archive: zipfile.ZipFile) -> tuple[set[str], set[str]]:
    """Return the names of the sheets and of all other parts by their declared type: a name alone can lie."""
    sheets: set[str] = set()
    others: set[str] = set()

    def declared(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Override":
            is_sheet = attributes.get("ContentType", "").endswith(".worksheet+xml")
            (sheets if is_sheet else others).add(attributes.get("PartName", "").removeprefix("/"))

    with archive.open("[Content_Types].xml") as part:
        _scan(part, declared)
    return sheets - others, others


def _surveyed(path: Path, part_name: str) -> _Survey:
    survey = _Survey()
    with zipfile.ZipFile(path) as archive, archive.open(part_name) as part:
        _scan(part, survey.take)
    return survey


def _nothing(_tag: str, _attributes: dict[str, str]) -> None:
    """Look at no element: the scan itself is the check."""


def _scan(part: IO[bytes], take: Callable[[str, dict[str, str]], None]) -> None:
    """Call `take` with the local name and attributes of each element; refuse a DTD (so any entity), deep nesting."""
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise Unreadable("xlsx_depth", f"XML depth <= {MAX_DEPTH}", limit=MAX_DEPTH)
        take(name.rpartition(" ")[2], attributes)

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_parts: object) -> None:
        raise Unreadable("xlsx_dtd", "no DTD")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    parser.ParseFile(part)


def _further(place: int, before: int) -> int:
    """Return the place when it lies beyond the one before: openpyxl would drop a row out of order without a word."""
    if place <= before:
        raise Unreadable("xlsx_damaged", "rows and cells in order")
    return place


def _column(reference: str | None, before: int) -> int:
    return before + 1 if reference is None else column_index_from_string(reference.rstrip("0123456789"))


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")
