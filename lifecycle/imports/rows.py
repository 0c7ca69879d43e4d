"""A file and its mapping in, a stream of project rows and of row errors out. Pure: nothing is written anywhere.

Every row of the file is accounted for: it becomes a `ProjectRow`, a `RowSkipped`, or one or more `RowError`.
"""

import unicodedata
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import get_args

from lifecycle.imports.mapping import (
    ColumnIs,
    Condition,
    FactRule,
    LevelIs,
    Mapping,
    MoneyRule,
    Standard,
)
from lifecycle.imports.outcome import Outcome, ProjectRow, RowError, RowSkipped
from lifecycle.imports.problems import Params, Unreadable, ValueProblem, shown
from lifecycle.imports.reader import Table, open_table
from lifecycle.imports.seen import SeenKeys
from lifecycle.imports.table import RawRow, column_letter
from lifecycle.imports.texts import SPACES, Notice, one_line
from lifecycle.imports.values import Draft, Reading, compiled
from lifecycle.stages.maturity import cross_check
from models.limits import OUTSIDE_KEY

__all__ = ["Outcome", "ProjectRow", "RowError", "RowSkipped", "read_projects"]

STANDARD: tuple[str, ...] = get_args(Standard)
_TRL_BELOW_MRL = 7
"""From MRL 8 on, M1 asks for a TRL one lower than the MRL."""


def read_projects(path: Path, mapping: Mapping) -> Iterator[Outcome]:
    """Yield what each row of the file is, in its order, holding one row at a time.

    A wrong row yields all of its errors at once and the next row goes on. A file that cannot be trusted as a whole
    (unreadable, over a limit, wrong header) yields errors without a project and ends there.
    """
    file = shown(path.name)
    try:
        yield from _outcomes(open_table(path, mapping.table), mapping, file)
    except Unreadable as problem:
        yield RowError(
            file=file,
            row=problem.row,
            column=problem.column,
            value="",
            rule=problem.rule,
            code=problem.code,
            params=problem.params,
        )


def _outcomes(table: Table, mapping: Mapping, file: str) -> Iterator[Outcome]:
    header: list[str] | None = None
    row_reader: _RowReader | None = None
    has_rows = False
    for raw in table.rows:
        if raw.number < mapping.header_row or raw.is_blank:
            continue
        if row_reader is None or header is None:
            header = _header(raw)
            errors = [_header_error(file, raw.number, problem) for problem in _header_problems(header, raw, mapping)]
            if errors:
                yield from errors
                return
            row_reader = _RowReader(mapping, header, file, is_assumed_gb18030=table.is_assumed_gb18030)
            continue
        has_rows = True
        yield from row_reader.read(raw)
    if header is None:
        raise Unreadable("file_empty", "not empty")
    if not has_rows:
        raise Unreadable("file_no_rows", "rows below the header")


def _header(raw: RawRow) -> list[str]:
    """Return the column names, without the empty cells that a spreadsheet leaves at the right."""
    names = [unicodedata.normalize("NFC", cell.strip(SPACES)) for cell in raw.cells]
    while names and not names[-1]:
        names.pop()
    return names


def _header_problems(header: list[str], raw: RawRow, mapping: Mapping) -> Iterator[tuple[str, ValueProblem]]:
    """Yield (column, what is wrong): each name is there once, known, and none that is read is absent."""
    for item in raw.problems:
        yield (header[item.index] if item.index is not None and item.index < len(header) else ""), item.problem
    if not mapping.used & set(header):
        yield (
            "",
            ValueProblem("header_missing", "header of the mapping", row=raw.number, expected=_listed(mapping.used)),
        )
        return
    for index, name in enumerate(header):
        if not name:
            yield "", ValueProblem("header_empty", "named columns", letter=column_letter(index))
        elif name in header[:index]:
            yield name, ValueProblem("column_duplicate", "unique columns", letter=column_letter(index))
        elif name not in mapping.used and mapping.ignore != "rest" and name not in mapping.ignore:
            yield name, ValueProblem("column_unknown", "columns of the mapping", letter=column_letter(index))
    for name in sorted(mapping.used - set(header)):
        yield name, ValueProblem("column_missing", "columns of the mapping", expected=_listed(mapping.used))


def _listed(names: frozenset[str]) -> str:
    return shown(", ".join(sorted(names)))


def _header_error(file: str, row: int, found: tuple[str, ValueProblem]) -> RowError:
    column, problem = found
    name = shown(column)
    return RowError(
        file=file, row=row, column=name or None, value=name, rule=problem.rule, code=problem.code, params=problem.params
    )


class _RowReader:
    """The mapping compiled against one header, with the keys seen so far."""

    def __init__(self, mapping: Mapping, header: list[str], file: str, *, is_assumed_gb18030: bool) -> None:
        self._mapping, self._header, self._file = mapping, header, file
        self._is_assumed = is_assumed_gb18030
        self._index = {name: index for index, name in enumerate(header)}
        self._used = [(name, self._index[name]) for name in header if name in mapping.used]
        self._steps: list[tuple[str, Reading]] = [
            (rule.column, compiled(rule, self._index)) for rule in mapping.columns
        ]
        self._column_of: dict[str, str] = {
            rule.to: rule.column for rule in mapping.columns if not isinstance(rule, MoneyRule | FactRule)
        }
        self._whys = [rule.why.model_dump() for rule in mapping.stages]
        self._seen = SeenKeys()

    def read(self, raw: RawRow) -> Iterator[Outcome]:
        """Yield what this row is: one project or skip, or all of its errors."""
        errors: list[RowError] = []
        cells = self._cells(raw, errors)
        if cells is not None:
            if any(cells[self._index[test.column]].strip(SPACES) not in test.is_ for test in self._mapping.filters):
                yield RowSkipped(file=self._file, row=raw.number, code="row_filtered")
                return
            outcome = self._project(raw, cells, errors)
            if outcome is not None:
                yield outcome
                return
        yield from errors

    def _cells(self, raw: RawRow, errors: list[RowError]) -> list[str] | None:
        """Return as many cells as the header has names, or None when the row has more or fewer than that."""
        cells, width = raw.cells, len(self._header)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) != width:
            problem = ValueProblem("row_ragged", f"cells = {width}", expected=width, found=len(cells))
            errors.append(self._error(raw, None, problem))
            return None
        for item in raw.problems:
            name = None if item.index is None else self._header[item.index] if item.index < width else ""
            if name is None or name in self._mapping.used:
                errors.append(self._error(raw, name, item.problem))
        wrong = {item.index for item in raw.problems}
        for name, index in self._used:
            if cells[index].startswith("=") and index not in wrong:
                place = f"{column_letter(index)}{raw.number}"
                errors.append(self._error(raw, name, ValueProblem("formula_text", "values, not formulas", cell=place)))
        return cells

    def _project(self, raw: RawRow, cells: list[str], errors: list[RowError]) -> ProjectRow | RowSkipped | None:
        """Return the project of the row; None when errors were found, now or before."""
        key = self._key(raw, cells, errors)
        first_row = None if key is None else self._seen.first_row(key, raw.number)
        if first_row is not None and self._mapping.duplicates == "first":
            params: Params = {"first": first_row, "key": shown(key or "")}
            return RowSkipped(file=self._file, row=raw.number, code="duplicate_skipped", params=params)
        if first_row is not None and self._mapping.duplicates == "error":
            problem = ValueProblem("row_key_duplicate", "unique row key", first=first_row, key=shown(key or ""))
            errors.append(self._error(raw, self._mapping.row_key[0], problem))
        draft = self._draft(raw, cells, errors)
        blamed = {error.column for error in errors}
        for column, problem in self._together(draft):
            if problem.code != "value_required" or column not in blamed:
                errors.append(self._error(raw, column, problem))
        stage = self._stage(draft, cells)
        column = self._stage_column()
        if stage is None and (column is None or column not in blamed):
            errors.append(self._error(raw, column, ValueProblem("stage_unknown", "stages of the mapping")))
        if errors or stage is None or key is None:
            return None
        return self._row(raw, key, draft, stage, first_row)

    def _key(self, raw: RawRow, cells: list[str], errors: list[RowError]) -> str | None:
        """Return `<source>:<values>`, or None after telling why the columns identify no row."""
        values = []
        for column in self._mapping.row_key:
            text = cells[self._index[column]].strip(SPACES)
            try:
                values.append(self._number(text))
            except ValueProblem as problem:
                errors.append(self._error(raw, column, problem))
        if len(values) < len(self._mapping.row_key):
            return None
        if len(values) > 1:  # else `x/y` and `z` would be one with `x` and `y/z`
            values = [value.replace("%", "%25").replace("/", "%2F") for value in values]
        key = f"{self._mapping.source}:{'/'.join(values)}"
        if len(key) > OUTSIDE_KEY:
            long = ValueProblem("row_key_too_long", f"row key <= {OUTSIDE_KEY}", limit=OUTSIDE_KEY, found=len(key))
            errors.append(self._error(raw, self._mapping.row_key[0], long))
            return None
        return key

    def _number(self, text: str) -> str:
        """Return a text that can name a row; refuse nothing at all and the words that stand for no number."""
        if not text:
            raise ValueProblem("row_key_empty", "row key")
        if text in self._mapping.placeholders:
            raise ValueProblem("row_key_placeholder", "row key")
        return one_line(text)[0]

    def _draft(self, raw: RawRow, cells: list[str], errors: list[RowError]) -> Draft:
        draft = Draft()
        wrong = {error.column for error in errors if error.column}
        for column, reading in self._steps:
            if column in wrong:  # of a formula nothing more is to be said
                continue
            try:
                reading(cells, draft)
            except ValueProblem as problem:
                errors.append(self._error(raw, column, problem))
        constants = self._mapping.constants
        if constants.organisation_country is not None:
            draft.lines["organisation_country"] = constants.organisation_country
        draft.kind = draft.kind or constants.organisation_kind
        if self._is_assumed and not all(cell.isascii() for cell in cells):
            draft.notices.append(Notice("", "encoding_assumed"))
        return draft

    def _together(self, draft: Draft) -> Iterator[tuple[str | None, ValueProblem]]:
        """Yield what is wrong between fields: what must be there, M1, the order of days, a parent that is no number."""
        for target in self._mapping.required:
            if not draft.has(target):
                yield self._column_of.get(target), ValueProblem("value_required", "required", field=target)
        trl, mrl = draft.levels.get("trl_current"), draft.levels.get("mrl")
        if trl is not None and mrl is not None and not cross_check(trl, mrl):
            least = mrl if mrl <= _TRL_BELOW_MRL else mrl - 1
            yield self._column_of["mrl"], ValueProblem("maturity_pair", "M1", trl=trl, mrl=mrl, least=least)
        started, ended = draft.days.get("started_on"), draft.days.get("ended_on")
        if started is not None and ended is not None and ended.last < started.on:
            yield self._column_of["ended_on"], ValueProblem("dates_reversed", "start <= end", start=str(started.on))
        if draft.lines.get("parent") in self._mapping.placeholders:
            yield self._column_of["parent"], ValueProblem("row_key_placeholder", "row key")
        received = draft.days.get("received_on")
        if received is not None and started is not None and received.on > started.last:
            draft.notices.append(Notice(self._column_of["received_on"], "received_after_start"))

    def _stage(self, draft: Draft, cells: list[str]) -> int | None:
        """Return the index of the first stage rule whose conditions all hold."""
        for index, rule in enumerate(self._mapping.stages):
            if all(self._holds(condition, draft, cells) for condition in rule.when):
                return index
        return None

    def _holds(self, condition: Condition, draft: Draft, cells: list[str]) -> bool:
        if isinstance(condition, ColumnIs):
            return cells[self._index[condition.column]].strip(SPACES) in condition.is_
        if isinstance(condition, LevelIs):
            level = draft.levels.get(condition.level)
            if level is None or condition.missing:
                return level is None and condition.missing
            return condition.at_least <= level <= condition.at_most
        day = draft.days.get(condition.day)
        if day is None:
            return False
        is_after = condition.after is None or day.on > condition.after
        return is_after and (condition.until is None or day.on <= condition.until)

    def _stage_column(self) -> str | None:
        """Return the column that most likely is to blame when no stage fits: the first that a rule tests."""
        tests = (test for rule in self._mapping.stages for test in rule.when)
        return next((test.column for test in tests if isinstance(test, ColumnIs)), None)

    def _row(self, raw: RawRow, key: str, draft: Draft, stage: int, first_row: int | None) -> ProjectRow:
        source = self._mapping.source
        lines, days, levels = draft.lines.get, draft.days.get, draft.levels.get
        organisation_id, parent = lines("organisation_id"), lines("parent")
        return ProjectRow(
            key=key,
            file=self._file,
            row=raw.number,
            stage=self._mapping.stages[stage].stage,
            stage_why=self._whys[stage],
            name=lines("name"),
            organisation=lines("organisation"),
            organisation_id=None if organisation_id is None else f"{source}:{organisation_id}",
            organisation_country=lines("organisation_country"),
            organisation_kind=draft.kind,
            credit_code=lines("credit_code"),
            received_on=days("received_on"),
            started_on=days("started_on"),
            ended_on=days("ended_on"),
            trl_start=levels("trl_start"),
            trl_current=levels("trl_current"),
            trl_goal=levels("trl_goal"),
            mrl=levels("mrl"),
            parent_key=None if parent is None else f"{source}:{parent}",
            money=tuple(draft.money),
            facts=draft.facts,
            missing=tuple(target for target in STANDARD if not draft.has(target)),
            notices=tuple(draft.notices),
            first_row=first_row,
            cells=self._by_column(raw),
        )

    def _error(self, raw: RawRow, column: str | None, problem: ValueProblem) -> RowError:
        cells = self._by_column(raw)
        return RowError(
            file=self._file,
            row=raw.number,
            column=column or None,
            value=shown(cells.get(column, "")) if column else "",
            rule=problem.rule,
            code=problem.code,
            params=problem.params,
            cells=cells,
        )

    def _by_column(self, raw: RawRow) -> dict[str, str]:
        return dict(zip_longest(self._header, raw.cells[: len(self._header)], fillvalue=""))
