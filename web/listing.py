"""A list once said, four ways told: on a page, as `.json` for programs, `.csv` and `.xlsx` for people, `.ics` for days.

A handler names columns and rows; what the address ends with says how they are told. Filters are those of the page.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from starlette.responses import Response

from lifecycle.canonical import instant
from lifecycle.errors import NotFound
from lifecycle.imports.errors_file import neutralised
from models.money import Money
from notifications.feed import DayOf, written
from web.render import Words, page
from web.session import Visit

PER_PAGE = 50
MOST = 10_000
"""Rows of a file; one that would be longer says so in `x-rows-left-out`."""

Row: TypeAlias = Mapping[str, Any]


class Form(StrEnum):
    """What an address of a list may end with."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    ICS = "ics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: where its value stands in a row, and how people read it."""

    key: str
    kind: str = "text"
    """text, word, words, verb, day, at, instant (to the second), number, money, yes, hash or list."""
    word: str = ""
    """Kind of stored word, for `word` and `words`."""
    link: str = ""
    """Key of the address that the value leads to; an empty address leads nowhere."""
    label: str = ""
    """Key of another heading than the field's own."""
    bad: tuple[str, ...] = ()
    """Stored words that stand out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows under columns."""

    name: str
    """What its words, its region and its files are called: `page.<name>.title`."""
    columns: Sequence[Column]
    rows: Sequence[Row]
    following: str | None = None
    """Where the next page begins."""
    day: str = ""
    """Key of the day that a row is about, where its rows are dated."""
    summary: Callable[[Row, Words], str] | None = None
    """What a calendar says of a row."""

    @property
    def forms(self) -> tuple[str, ...]:
        """Return what it can be told as."""
        return tuple(str(one) for one in Form if one is not Form.ICS or self.day)


def wanted(form: str) -> Form | None:
    """Return what an address ends with: nothing for a page; `NotFound` for what no list is told as."""
    try:
        return Form(form) if form else None
    except ValueError:
        raise NotFound(NotFound.code) from None


def limit_of(form: Form | None) -> int:
    """Return how many rows to read: one more than are shown, so that it is known whether there are more."""
    return (PER_PAGE if form is None else MOST) + 1


def paged(name: str, columns: Sequence[Column], rows: Sequence[Row], *, form: Form | None, key: str) -> Listing:
    """Return a list of what was read by `limit_of`: the page that is shown, and where the next one begins."""
    shown = rows[:PER_PAGE] if form is None else rows
    following = str(shown[-1][key]) if len(rows) > len(shown) else None
    return Listing(name=name, columns=columns, rows=shown, following=following)


def answer(visit: Visit, listing: Listing, form: Form | None, template: str = "list.html", **values: Any) -> Response:
    """Return a list as a page, or as the file that was asked for."""
    if form is None:
        return page(visit, template, listing=listing, **values)
    if form is Form.ICS and not listing.day:
        raise NotFound(NotFound.code)
    words = Words(visit.lang, visit.house.zone)
    content, kind = _TOLD[form](listing, words, visit)
    name = f"{listing.name.replace('.', '-')}-{visit.today:%Y%m%d}.{form}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-language": visit.lang}
    if len(listing.rows) > MOST:
        headers["x-rows-left-out"] = "yes"
    return Response(content, media_type=kind, headers=headers)


def _json(listing: Listing, _words: Words, _visit: Visit) -> tuple[bytes, str]:
    keys = [column.key for column in listing.columns]
    rows = [{key: _plain(row.get(key)) for key in keys} for row in listing.rows[:MOST]]
    return json.dumps({"data": rows}, ensure_ascii=False).encode(), "application/json"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, UUID | StrEnum) else value


def _csv(listing: Listing, words: Words, _visit: Visit) -> tuple[bytes, str]:
    """UTF-8 with a byte order mark, which Excel needs; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([words.heading(column.label or column.key) for column in listing.columns])
    for row in listing.rows[:MOST]:
        writer.writerow([_cell(words, column, row) for column in listing.columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode(errors="backslashreplace"), "text/csv; charset=utf-8"


def _cell(words: Words, column: Column, row: Row) -> str:
    value = row.get(column.key)
    if column.kind == "number" and isinstance(value, int | float):
        return str(value)
    if column.kind == "money" and value is not None:
        return _money(row, column).plain
    said = words.shown(column, row)
    return "" if said == "–" else neutralised(said)


def _money(row: Row, column: Column) -> Money:
    return Money(int(row[column.key]), str(row.get("currency") or "CNY"))


def _xlsx(listing: Listing, words: Words, _visit: Visit) -> tuple[bytes, str]:
    """Texts are texts, whatever they begin with; numbers, amounts and days are what they are."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    heads = [_text(sheet, words.heading(column.label or column.key)) for column in listing.columns]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    for row in listing.rows[:MOST]:
        sheet.append([_xlsx_cell(sheet, words, column, row) for column in listing.columns])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _xlsx_cell(sheet: Any, words: Words, column: Column, row: Row) -> Any:
    value = row.get(column.key)
    if value is None:
        return None
    if column.kind == "number":
        return value
    if column.kind == "money":
        return Decimal(_money(row, column).plain)
    if column.kind == "day":
        return value
    said = words.shown(column, row)
    return None if said == "–" else _text(sheet, said)


def _text(sheet: Any, said: str) -> Any:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", said))
    cell.data_type = "s"
    return cell


def _ics(listing: Listing, words: Words, visit: Visit) -> tuple[bytes, str]:
    summary = listing.summary or _first_cells(listing)
    days = [
        DayOf(
            uid=f"{listing.name}-{row.get('id') or number}",
            on=row[listing.day],
            summary=summary(row, words),
            is_provisional=visit.stamp.calendar.is_provisional(row[listing.day]),
        )
        for number, row in enumerate(listing.rows[:MOST])
        if row.get(listing.day)
    ]
    name = words.t(f"{listing.name}.title")
    host = visit.request.url.hostname or "pilotway"
    return written(days, name=name, database_id=host, now=visit.now), "text/calendar; charset=utf-8"


def _first_cells(listing: Listing) -> Callable[[Row, Words], str]:
    return lambda row, words: " ".join(words.shown(one, row) for one in listing.columns[:2])


_TOLD: Mapping[Form, Callable[[Listing, Words, Visit], tuple[bytes, str]]] = {
    Form.JSON: _json,
    Form.CSV: _csv,
    Form.XLSX: _xlsx,
    Form.ICS: _ics,
}
