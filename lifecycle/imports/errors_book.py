"""The wrong rows of a table as a workbook, a note in each cell that is wrong: to be mended and sent again as it is.

Written row by row: memory holds one row and the notes. Whatever a cell begins with, it is no formula.
"""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from lifecycle.imports.errors_file import Sentence
from lifecycle.imports.outcome import RowError

MOST_ROWS = 5_000
"""Wrong rows of one workbook; who has more of them mends the cause first."""
_HEAD, _WRONG = PatternFill("solid", fgColor="E6F0FA"), PatternFill("solid", fgColor="FDECEB")
_LONGEST = 32_767
"""Characters of a cell."""


class ErrorsBook:
    """The workbook being written: the headings as the file has them, the wrong rows, and behind them what is wrong."""

    def __init__(self, path: Path, *, sentence: Sentence) -> None:
        self._path, self._sentence = path, sentence
        self._book = Workbook(write_only=True)
        self._page: Any = self._book.create_sheet("Errors")
        self._columns: list[str] | None = None
        self._waiting: list[RowError] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._write()
        if self._columns is None:
            self._head([])
        self._book.save(self._path)

    def add(self, errors: Iterable[RowError]) -> None:
        """Write the rows that the errors are about; the last one waits, for more of its errors may come."""
        for _, those in groupby(errors, key=lambda error: error.row):
            told = list(those)
            if self._waiting and self._waiting[0].row != told[0].row:
                self._write()
            self._waiting += told

    def _write(self) -> None:
        told, self._waiting = self._waiting, []
        if not told or self.count == MOST_ROWS:
            return
        if self._columns is None:
            self._head(list(told[0].cells))
        self.count += 1
        notes: dict[str, list[str]] = {}
        for error in told:
            notes.setdefault(error.column or "", []).append(self._sentence(error.code, error.params))
        cells = [self._cell(told[0].cells.get(name, ""), notes.get(name, ())) for name in self._columns or ()]
        self._page.append([*cells, self._cell(self._summary(told), notes.get("", ()))])

    def _summary(self, told: Iterable[RowError]) -> str:
        """Return everything that is wrong with a row, each by row, column and reason."""
        said = []
        for error in told:
            place = " ".join(filter(None, [str(error.row or ""), error.column]))
            said.append(f"{place}: {self._sentence(error.code, error.params)}" if place else "")
        return "\n".join(said)

    def _head(self, columns: list[str]) -> None:
        self._columns = columns
        for place in range(1, len(columns) + 1):
            self._page.column_dimensions[get_column_letter(place)].width = 18
        self._page.column_dimensions[get_column_letter(len(columns) + 1)].width = 60
        self._page.freeze_panes = "A2"
        heads = [self._cell(name) for name in (*columns, self._sentence("heading_reason", {}))]
        for cell in heads:
            cell.font, cell.fill = Font(bold=True), _HEAD
        self._page.append(heads)

    def _cell(self, text: str, notes: Iterable[str] = ()) -> Any:
        cell = WriteOnlyCell(self._page, ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST] or None)
        if text:
            cell.data_type = "s"
        if said := "\n".join(notes):
            cell.fill = _WRONG
            comment = Comment(said, "Pilotway")
            comment.width, comment.height = 320, 110
            cell.comment = comment
        return cell
