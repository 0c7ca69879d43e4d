"""The workbook of a project's trial batches: a template to fill in, or the same with what is wrong marked in its cells.

Headings stand in both languages, so one template serves everybody; columns with a choice offer it, days and numbers are
checked by the spreadsheet already. A hidden sheet says which template it is.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from lifecycle.imports.batch_rows import COLUMNS, MOST_ROWS, REQUIRED, VERSION, CellError, Spoken, folded
from lifecycle.imports.errors_book import HEAD, mark
from lifecycle.imports.reader import HIDDEN_SHEET
from models.states import BatchKind
from notifications.words import LANGUAGES, Lang, sentence, title

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEADER = 3
_FIRST_YEAR = date(2000, 1, 1)
_YES = {True: ("true", "y", "1", "√"), False: ("false", "n", "0", "x")}
_WIDE = {"defects": 26, "reason": 34, "number": 14}
_DAY = "yyyy-mm-dd"
_COLUMN_OF = {"batch": "number", "cost_minor": "cost"}
"""Field of a command -> the column that says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands in the workbook of one project."""

    number: str
    name: str
    rows: Sequence[Mapping[str, Any]]
    """Cells by column: texts as they were read, or days and numbers."""
    notes: Mapping[tuple[int, str], str] = field(default_factory=dict)
    """(place of the row, column) -> what is wrong there; an empty column is the row's."""


def heading(column: str, lang: str) -> str:
    """Return the heading of a column."""
    return sentence(f"page.batch_table.column.{column}", {}, "en" if lang == "en" else "zh-CN")


@cache
def spoken() -> Spoken:
    """Return every word by which a table may name a column or a choice, in both languages."""
    headings: dict[str, str] = {}
    for column in COLUMNS:
        also = [one for lang in LANGUAGES for one in sentence(f"page.batch_table.also.{column}", {}, lang).split("|")]
        own = [heading(column, lang) for lang in LANGUAGES]
        headings |= {folded(words): column for words in (column, _both(column), *own, *also)}
    kinds = {folded(words): kind for kind in BatchKind for words in (str(kind), *_said("kind", kind))}
    answers = {
        folded(words): is_yes
        for is_yes, also in _YES.items()
        for words in (*also, *_answer(is_yes), " ".join(_answer(is_yes)))
    }
    kinds |= {folded(" ".join(_said("kind", kind))): kind for kind in BatchKind}
    return Spoken(headings=headings, choices={"kind": kinds, "is_conforming": answers, "is_closed": answers})


def offered(column: str) -> tuple[str, ...]:
    """Return what a column with a choice offers, in both languages; nothing for any other."""
    if column == "kind":
        return tuple(" ".join(_said("kind", kind)) for kind in BatchKind)
    return tuple(" ".join(_answer(is_yes)) for is_yes in (True, False)) if column in spoken().choices else ()


def written(sheet: Sheet) -> bytes:
    """Return the workbook."""
    book = Workbook()
    page: Any = book.active
    page.title = "Batches"
    page["A1"] = f"{sheet.number} {_clean(sheet.name)}"
    page["A1"].font = Font(bold=True, size=13)
    page["A2"] = " ".join(sentence("page.batch_table.how", {"most": MOST_ROWS}, lang) for lang in LANGUAGES)
    page["A2"].font = Font(color="4A5667")
    for place, column in enumerate(COLUMNS, start=1):
        _head(page, place, column)
    for place, row in enumerate(sheet.rows):
        for at, column in enumerate(COLUMNS, start=1):
            _fill(page.cell(_HEADER + 1 + place, at), row.get(column))
    for (place, column), said in sheet.notes.items():
        mark(page.cell(_HEADER + 1 + place, COLUMNS.index(column or "number") + 1), said)
    page.freeze_panes = page.cell(_HEADER + 1, 2)
    hidden: Any = book.create_sheet(HIDDEN_SHEET)
    hidden.append([VERSION, sheet.number])
    hidden.sheet_state = "veryHidden"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def noted(errors: Sequence[Sequence[CellError]], lang: Lang) -> dict[tuple[int, str], str]:
    """Return the notes of a marked workbook, from what is wrong with each of its rows."""
    notes: dict[tuple[int, str], str] = {}
    for place, ones in enumerate(errors):
        for error in ones:
            at = (place, error.column or "")
            notes[at] = "\n".join(filter(None, [notes.get(at), said_of(error, lang)]))
    return notes


def column_said(error: CellError, lang: Lang) -> str:
    """Return the heading over an error, where its sentence does not name the column itself."""
    return heading(error.column, lang) if error.column and error.code != "value_required" else ""


def said_of(error: CellError, lang: Lang) -> str:
    """Return the sentence of an error, in which columns have the names that the table gives them."""
    params = dict(error.params)
    if "field" in params:
        params["field"] = heading(_COLUMN_OF.get(str(params["field"]), str(params["field"])), lang)
    if error.code == "table_word_unknown":
        params["choices"] = " / ".join(offered(error.column or ""))
    return sentence(error.code, params, lang)


def brought(answer: Mapping[str, Any], lang: Lang) -> Sequence[Mapping[str, Any]]:
    """Return what became of each row of a table that was brought in, its errors in words."""

    def told(column: str | None, code: str, params: Mapping[str, Any]) -> tuple[str, str]:
        error = CellError(column=column, code=code, params=params)
        return column_said(error, lang), said_of(error, lang)

    return [{**row, "errors": [told(*error) for error in row["errors"]]} for row in answer["batches"]]


def with_columns(params: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """Return what is said of a whole table, with the headings of the columns that it lacks."""
    names = str(params.get("columns", ""))
    listed = ("、" if lang == "zh-CN" else ", ").join(heading(one, lang) for one in names.split(",") if one)
    return {**params, **({"columns": listed} if names else {})}


def row_of(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch as it stands, as a row of the workbook."""
    plain = ("number", "made_on", "revision", "started", "passed_first_time", "size", "hours", "recipe", "equipment")
    conforming = batch["is_conforming"]
    return {
        **{name: batch[name] for name in (*plain, "worker")},
        "kind": " ".join(_said("kind", batch["kind"])),
        "defects": "; ".join(f"{name}={count}" for name, count in sorted(batch["defects"].items())),
        "is_conforming": None if conforming is None else " ".join(_answer(bool(conforming))),
        "is_closed": " ".join(_answer(bool(batch["is_closed"]))),
    }


def head_of(page: Any, row: int, place: int, words: str, *, width: int) -> None:
    """Write the heading of a column as every template has it."""
    cell = page.cell(row, place, words)
    cell.font, cell.fill = Font(bold=True), HEAD
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    page.column_dimensions[get_column_letter(place)].width = width


def _head(page: Any, place: int, column: str) -> None:
    words = f"{_both(column)}{' *' if column in REQUIRED else ''}"
    head_of(page, _HEADER, place, words, width=_WIDE.get(column, 15))
    letter = get_column_letter(place)
    rule = _rule(column)
    rule.promptTitle = heading(column, "en")[:32]
    rule.prompt = "\n".join(sentence(f"page.batch_table.asks.{column}", {}, lang) for lang in LANGUAGES)[:255]
    rule.showInputMessage = True
    rule.add(f"{letter}{_HEADER + 1}:{letter}{_HEADER + MOST_ROWS}")
    page.add_data_validation(rule)


def _rule(column: str) -> DataValidation:
    """Return what the spreadsheet itself checks of a column."""
    if choices := offered(column):
        return DataValidation(type="list", formula1=f'"{",".join(choices)}"', showErrorMessage=True)
    if column == "made_on":
        first = (_FIRST_YEAR - date(1899, 12, 30)).days
        return DataValidation(type="date", operator="greaterThan", formula1=str(first), showErrorMessage=True)
    if column in ("started", "passed_first_time"):
        return DataValidation(type="whole", operator="greaterThanOrEqual", formula1="0", showErrorMessage=True)
    if column in ("size", "hours", "cost"):
        return DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0", showErrorMessage=True)
    return DataValidation(type=None)


def _fill(cell: Any, value: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        cell.value = _clean(value)
        cell.data_type = "s"  # whatever it begins with, it is no formula
        return
    cell.value = value
    if isinstance(value, date):
        cell.number_format = _DAY


def _clean(words: str) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("", words)


def _both(column: str) -> str:
    return " ".join(heading(column, lang) for lang in LANGUAGES)


def _said(kind: str, word: object) -> Iterator[str]:
    return (title(kind, str(word), lang) for lang in LANGUAGES)


def _answer(is_yes: bool) -> tuple[str, ...]:  # noqa: FBT001 - the one thing that is said
    return tuple(sentence("page.yes" if is_yes else "page.no", {}, lang) for lang in LANGUAGES)
