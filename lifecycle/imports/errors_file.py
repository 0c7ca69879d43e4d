"""The error file: every wrong row with its number, column, rule and reason, so that it can be mended and sent again.

It is opened in a spreadsheet, and its cells were written by others: what would be taken as a formula is neutralised by
an apostrophe in front, in a way that `restored` takes back exactly.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

from lifecycle.imports.problems import Params
from lifecycle.imports.rows import RowError

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


def write_errors(path: Path, errors: Iterable[RowError], *, sentence: Sentence) -> int:
    """Write the errors as CSV (UTF-8 with byte order mark, which Excel needs) and return their number.

    The first columns say what is wrong, those after them are the row as it was read. Errors stream through.
    """
    count = 0
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        columns: list[str] | None = None
        for error in errors:
            if columns is None:
                columns = list(error.cells)
                writer.writerow([*(sentence(code, {}) for code in HEADINGS), *map(neutralised, columns)])
            writer.writerow(_line(error, columns, sentence))
            count += 1
        if columns is None:
            writer.writerow([sentence(code, {}) for code in HEADINGS])
    return count


def _line(error: RowError, columns: list[str], sentence: Sentence) -> list[str]:
    what = (error.file, "" if error.row is None else str(error.row), error.column or "", error.value, error.rule,
            error.code, sentence(error.code, error.params))  # fmt: skip
    return [neutralised(text) for text in (*what, *(error.cells.get(column, "") for column in columns))]
