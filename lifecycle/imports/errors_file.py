"""The error file: every wrong row with its number, column, rule and reason, so that it can be mended and sent again.

It is opened in a spreadsheet, and its cells were written by others: what would be taken as a formula is neutralised by
an apostrophe in front, in a way that `restored` takes back exactly.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from lifecycle.imports.outcome import RowError
from lifecycle.imports.problems import Params

Sentence = Callable[[str, Params], str]
"""Code and parameters in, one sentence in the language asked out."""

HEADINGS = ("heading_file", "heading_row", "heading_column", "heading_value", "heading_rule", "heading_code",
            "heading_reason")  # fmt: skip
_FORMULA_STARTS = "=+-@\t\r\n＝＋－＠'"


def neutralised(text: str) -> str:
    """Return the text with an apostrophe in front when a spreadsheet could take it as a formula (or it has one)."""
    return f"'{text}" if text and text[0] in _FORMULA_STARTS else text


def restored(text: str) -> str:
    """Return the text that `neutralised` was given."""
    return text.removeprefix("'")


class ErrorsFile:
    """The file being written: CSV in UTF-8 with a byte order mark, which Excel needs.

    The first columns say what is wrong, those after them are the row as it was read.
    """

    def __init__(self, path: Path, *, sentence: Sentence) -> None:
        self._path, self._sentence = path, sentence
        self._columns: list[str] | None = None
        self.count = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file)
        return self

    def __exit__(self, *error: object) -> None:
        if self._columns is None:
            self._head([])
        self._file.close()

    def add(self, errors: Iterable[RowError]) -> None:
        """Write the errors as lines, below the headings that the first of them brings."""
        for error in errors:
            if self._columns is None:
                self._head(list(error.cells))
            self._writer.writerow(_line(error, self._columns or [], self._sentence))
            self.count += 1

    def _head(self, columns: list[str]) -> None:
        self._columns = columns
        self._writer.writerow([*(self._sentence(code, {}) for code in HEADINGS), *map(neutralised, columns)])


def _line(error: RowError, columns: list[str], sentence: Sentence) -> list[str]:
    what = (error.file, "" if error.row is None else str(error.row), error.column or "", error.value, error.rule,
            error.code, sentence(error.code, error.params))  # fmt: skip
    return [neutralised(text) for text in (*what, *(error.cells.get(column, "") for column in columns))]
