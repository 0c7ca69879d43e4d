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
HEAD = PatternFill("solid", fgColor="E6F0FA")
_WRONG = PatternFill("solid", fgColor="FDECEB")
_LONGEST = 32_767
"""Characters of a cell."""


def mark(cell: Any, said: str) -> None:
    """Write what is wrong with a cell as a note beside it."""
    cell.fill = _WRONG
    comment = Comment(said, "Pilotway")
    comment.width, comment.height = 320, 110
    cell.comment = comment


class ErrorsBook:
    """The workbook being written: the headings and the wrong rows as the file has them.

    The note in the first cell of a row says all that is wrong with it, the others what is wrong with their cell.
    """

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
        if self.count > MOST_ROWS:
            self._page.title = self._sentence("heading_cut", {"most": MOST_ROWS, "rows": self.count})
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
        self.count += bool(told)
        if not told or self.count > MOST_ROWS:
            return
        if self._columns is None:
            self._head(list(told[0].cells))
        columns = self._columns or [""]  # of a file without a header there is but what is wrong with it
        notes: dict[str, list[str]] = {}
        for error in told:
            said = self._sentence(error.code, error.params)
            place = " ".join(filter(None, [str(error.row or ""), error.column]))
            notes.setdefault(columns[0], []).append(f"{place}: {said}" if place else said)
            if error.column not in (None, columns[0]):
                notes.setdefault(error.column or "", []).append(said)
        self._page.append([self._cell(told[0].cells.get(name, ""), notes.get(name, ())) for name in columns])

    def _head(self, columns: list[str]) -> None:
        self._columns = columns
        for place in range(1, len(columns) + 1):
            self._page.column_dimensions[get_column_letter(place)].width = 18
        self._page.freeze_panes = "A2"
        heads = [self._cell(name) for name in columns]
        for cell in heads:
            cell.font, cell.fill = Font(bold=True), HEAD
        self._page.append(heads)

    def _cell(self, text: str, notes: Iterable[str] = ()) -> Any:
        cell = WriteOnlyCell(self._page, ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST] or None)
        if text:
            cell.data_type = "s"
        if said := "\n".join(notes):
            mark(cell, said)
        return cell
