"""A table of trial batches in, rows out: a heading says what a column is, and what is wrong stands at its cell.

Pure. The words that people write in headings and in columns with a choice come from the caller: they are in the
catalogue, in both languages.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifecycle.imports.amounts import reported_minor
from lifecycle.imports.dates import DateFormat, parse_date
from lifecycle.imports.problems import Params, Unreadable, ValueProblem, shown
from lifecycle.imports.reader import TableFormat, check_version, open_table
from lifecycle.imports.table import RawRow, column_letter
from lifecycle.imports.texts import SPACES, many_lines, one_line

COLUMNS = (
    *("number", "made_on", "kind", "revision", "started", "passed_first_time", "defects", "is_conforming", "is_closed"),
    *("size", "hours", "recipe", "equipment", "worker", "cost", "currency", "reason"),
)
"""What a table may say of a batch, in the order of the template."""
REQUIRED = ("number", "made_on", "started", "passed_first_time")
MOST_ROWS = 200
"""Batches of one table: all of them are judged, and written, in one transaction."""
VERSION = "batches-1"
"""Of the template; a column that changes its meaning makes a new one."""
_LOOKED_AT, _LEAST_HEADINGS = 8, 2
"""A header stands in the first rows, and this many of its names are known."""
_DAYS: tuple[DateFormat, ...] = ("YYYY-MM-DD", "YYYY/M/D", "YYYY.M.D", "YYYY年M月D日")
_WHOLE = re.compile("0|[1-9][0-9]{0,9}")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_DEFECT = re.compile(r"(?P<name>.*?[^\s=＝:：])\s*[\s=＝:：]\s*(?P<count>[0-9]{1,9})")
_BETWEEN_DEFECTS = re.compile(r"[;；,，、\n]")
_PROJECT = re.compile(r"\s*(PT-[0-9]{4}-[0-9]{4,})\b")


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a table, folded: heading -> column; for each column with a choice, word -> value."""

    headings: Mapping[str, str]
    choices: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """What is wrong with one cell, or (with `column` None) with the row."""

    column: str | None
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One row: its cells as they were read, the values that could be made of them, and every error."""

    row: int
    cells: Mapping[str, str]
    values: Mapping[str, Any]
    """Without what was left empty."""
    errors: tuple[CellError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTable:
    """A whole table, and the headings of it that nobody knows: those columns are not read."""

    rows: tuple[BatchRow, ...]
    unread: tuple[str, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    """Column -> the letter over it in the file."""


def folded(words: str) -> str:
    """Return words as they are compared: in one width and case, with single spaces, without a mark of duty."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().replace("*", " ").split())


def read_batches(path: Path, spoken: Spoken, project: str) -> BatchTable:
    """Return the batches that a table names; `Unreadable` for what is no such table, or another project's."""
    check_version(path, VERSION)
    lines = iter(open_table(path, TableFormat()).rows)
    header, index_of, unread = _header(lines, spoken, project)
    rows: list[BatchRow] = []
    seen: dict[str, int] = {}
    for raw in lines:
        if raw.is_blank:
            continue
        if len(rows) == MOST_ROWS:
            raise Unreadable("batch_rows", f"rows <= {MOST_ROWS}", limit=MOST_ROWS)
        rows.append(_row(raw, header, index_of, spoken, seen))
    if not rows:
        raise Unreadable("file_no_rows", "rows below the header")
    letters = {column: column_letter(index) for column, index in index_of.items()}
    return BatchTable(rows=tuple(rows), unread=unread, letters=letters)


def _header(lines: Iterator[RawRow], spoken: Spoken, project: str) -> tuple[list[str], dict[str, int], tuple[str, ...]]:
    """Return the names of the columns, where those that are known stand, and those that are not."""
    for raw, _ in zip(lines, range(_LOOKED_AT), strict=False):
        _check_project(raw, project)
        known = [spoken.headings.get(folded(cell)) for cell in raw.cells]
        if sum(one is not None for one in known) < _LEAST_HEADINGS:
            continue
        index_of: dict[str, int] = {}
        for index, column in enumerate(known):
            if column in index_of:
                name = shown(raw.cells[index])
                raise Unreadable(
                    "column_duplicate", "columns once", row=raw.number, column=name, letter=column_letter(index)
                )
            if column is not None:
                index_of[column] = index
        missing = [name for name in REQUIRED if name not in index_of]
        if missing:
            raise Unreadable("batch_columns_missing", "columns", row=raw.number, columns=",".join(missing))
        names = [cell.strip(SPACES) for cell in raw.cells]
        unread = tuple(shown(names[index]) for index, column in enumerate(known) if column is None and names[index])
        return names, index_of, unread
    raise Unreadable("batch_columns_missing", "columns", columns=",".join(REQUIRED))


def _check_project(raw: RawRow, project: str) -> None:
    """Refuse the template of another project: its number stands above the header."""
    for cell in raw.cells:
        found = _PROJECT.match(cell)
        if found is not None and found.group(1) != project:
            raise Unreadable("batch_file_of_another", project, row=raw.number, found=found.group(1), project=project)


def _row(
    raw: RawRow, header: Sequence[str], index_of: Mapping[str, int], spoken: Spoken, seen: dict[str, int]
) -> BatchRow:
    texts = [*raw.cells, *([""] * (len(header) - len(raw.cells)))]
    cells = {column: texts[index].strip(SPACES) for column, index in index_of.items()}
    errors = list(_as_cells(raw, index_of))
    if any(texts[len(header) :]):
        errors.append(CellError(column=None, code="row_ragged", params={"expected": len(header), "found": len(texts)}))
    blamed = {error.column for error in errors}
    values: dict[str, Any] = {}
    for column in (one for one in COLUMNS if one in cells and one not in blamed):
        try:
            value = _value(column, cells, spoken, f"{column_letter(index_of[column])}{raw.number}")
        except ValueProblem as problem:
            errors.append(CellError(column=column, code=problem.code, params=problem.params))
        else:
            values |= {} if value is None else {column: value}
    number = values.get("number")
    if number is not None:
        first = seen.setdefault(number, raw.number)
        if first != raw.number:
            params: Params = {"key": shown(number), "first": first}
            errors.append(CellError(column="number", code="row_key_duplicate", params=params))
    return BatchRow(row=raw.number, cells=cells, values=values, errors=tuple(errors))


def _value(column: str, cells: Mapping[str, str], spoken: Spoken, place: str) -> Any:
    """Return what a cell says, None for an empty one; `ValueProblem` for what it cannot mean."""
    text = cells[column]
    if text.startswith("="):
        raise ValueProblem("formula_text", "values, not formulas", cell=place)
    if text:
        return _VALUES[column](text, cells, spoken.choices.get(column, {}))
    if column in REQUIRED:
        raise ValueProblem("value_required", "required", field=column)
    return None


def _as_cells(raw: RawRow, index_of: Mapping[str, int]) -> Iterator[CellError]:
    """Yield what is wrong with cells as such (formulas, hidden and merged ones), where they would be read."""
    column_at = {index: column for column, index in index_of.items()}
    for item in raw.problems:
        if item.index is None or item.index in column_at:
            column = None if item.index is None else column_at[item.index]
            yield CellError(column=column, code=item.problem.code, params=item.problem.params)


def _number(text: str, _cells: Any, _choices: Any) -> str:
    return one_line(text.upper(), limit=10)[0]


def _day(text: str, _cells: Any, _choices: Any) -> Any:
    return parse_date(text, _DAYS).on


def _whole(text: str, _cells: Any, _choices: Any) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueProblem("int_malformed", "whole number")
    return int(text)


def _decimal(text: str, _cells: Any, _choices: Any) -> float:
    if not _DECIMAL.fullmatch(text):
        raise ValueProblem("decimal_malformed", "number")
    return float(text)


def _word(text: str, _cells: Any, choices: Mapping[str, Any]) -> Any:
    if folded(text) not in choices:
        raise ValueProblem("table_word_unknown", "known words", choices=shown(", ".join(choices)))
    return choices[folded(text)]


def _defects(text: str, _cells: Any, _choices: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, (one.strip(SPACES) for one in _BETWEEN_DEFECTS.split(many_lines(text)[0]))):
        matched = _DEFECT.fullmatch(part)
        if matched is None or matched["name"] in found:
            raise ValueProblem("defects_malformed", "NAME=N", part=shown(part))
        found[one_line(matched["name"], limit=100)[0]] = int(matched["count"])
    return found


def _line(text: str, _cells: Any, _choices: Any) -> str:
    return one_line(text)[0]


def _lines(text: str, _cells: Any, _choices: Any) -> str:
    return many_lines(text)[0]


def _cost(text: str, cells: Mapping[str, str], _choices: Any) -> int:
    return reported_minor(text, _currency(cells.get("currency", ""), cells, None), thousands=",")


def _currency(text: str, _cells: Any, _choices: Any) -> str:
    if not text:
        raise ValueProblem("value_required", "currency", field="currency")
    return text.upper()


_VALUES: Mapping[str, Callable[[str, Mapping[str, str], Mapping[str, Any]], Any]] = {
    "number": _number,
    "made_on": _day,
    "kind": _word,
    "revision": _line,
    "started": _whole,
    "passed_first_time": _whole,
    "defects": _defects,
    "is_conforming": _word,
    "is_closed": _word,
    "size": _decimal,
    "hours": _decimal,
    "recipe": _line,
    "equipment": _line,
    "worker": _line,
    "cost": _cost,
    "currency": _currency,
    "reason": _lines,
}
