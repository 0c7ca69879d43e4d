"""A table of projects without a mapping of its own: its header is found, its columns get a field, a mapping follows.

Pure. The words by which people name columns, stages and kinds come from the caller: they are in the catalogue, in both
languages. What a person chose for a column counts; nothing is taken that was not chosen.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from lifecycle.canonical import sha256
from lifecycle.errors import Invalid, Unmet, unmet
from lifecycle.imports.batch_rows import folded
from lifecycle.imports.mapping import Mapping as ProjectMapping
from lifecycle.imports.problems import Unreadable, shown
from lifecycle.imports.reader import TableFormat, check_version, open_table
from lifecycle.imports.table import RawRow, column_letter
from lifecycle.imports.texts import SPACES

VERSION = "projects-1"
"""Of the template; a column that changes its meaning makes a new one."""
LEFT_OUT = ""
FACT, MONEY, MONEY_10K, CURRENCY = "fact", "money", "money_10k", "currency"
FIELDS = (
    *("number", "name", "stage", "organisation", "credit_code", "organisation_kind", "organisation_country"),
    *("organisation_id", "received_on", "started_on", "ended_on", "trl_start", "trl_current", "trl_goal", "mrl"),
    *(MONEY, MONEY_10K, CURRENCY, "parent", FACT),
)
"""What a column may be, in the order of the template; several may be amounts or facts, each other one is there once."""
TEMPLATE = tuple(name for name in FIELDS if name not in ("organisation_id", MONEY_10K))
REQUIRED = ("number", "name")
CURRENCY_USUAL = "CNY"
HEADER_LAST = 20
"""A header stands in one of the first rows."""
SAMPLES = 3
"""Rows below the header that are shown beside the choice."""
_SEVERAL = frozenset({LEFT_OUT, FACT, MONEY, MONEY_10K})
_AMOUNTS = frozenset({MONEY, MONEY_10K})
_LEAST_HEADINGS = 2
_IN_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
_DAYS = (
    *("YYYY-MM-DD", "YYYY/M/D", "YYYY.M.D", "YYYY年M月D日", "YYYYMMDD"),
    *("YYYY-MM", "YYYY/M", "YYYY年M月", "YYYY", "YYYY年"),
)
_PLAIN = frozenset(
    {"organisation_id", "credit_code", "parent", "organisation_country", "trl_start", "trl_current", "trl_goal", "mrl"}
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of tables: heading, folded -> field; stage or kind of organisation -> every word for it."""

    headings: Mapping[str, str]
    units: Mapping[str, str]
    """Unit in brackets behind the heading of an amount, folded -> the field that such an amount is."""
    stages: Mapping[str, Sequence[str]]
    kinds: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The header of a table: where it stands, its names in their order, what stands in the first rows below."""

    header_row: int
    names: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]

    @property
    def known_as(self) -> str:
        """The same for every table with these headings, whatever its rows."""
        return layout_of(*(folded(name) for name in self.names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody says of a table that its columns do not."""

    columns: tuple[str, ...]
    """Field of each column, in their order; left out where it is empty."""
    stage: str = ""
    """Stage of all projects, where no column says it."""
    currency: str = CURRENCY_USUAL
    """Of all amounts, where no column says it."""


def look_at(path: Path, spoken: Spoken, header_row: int | None = None) -> Layout:
    """Return the header of a table: the row that is named, else the first in which headings are known, else the first.

    `Unreadable` for what is no table, an old template, and a header with a cell that is merged, hidden, empty or twice.
    """
    check_version(path, VERSION)
    if header_row is not None and header_row > HEADER_LAST:
        raise Unreadable("header_row_beyond", f"row <= {HEADER_LAST}", row=header_row, limit=HEADER_LAST)
    rows = [raw for raw in islice(open_table(path, TableFormat()).rows, HEADER_LAST + SAMPLES) if not raw.is_blank]
    at = _header_at(rows, spoken, header_row)
    raw = rows[at]
    names = _names(raw)
    samples = tuple(tuple(shown(text) for text in one.cells[: len(names)]) for one in rows[at + 1 : at + 1 + SAMPLES])
    return Layout(header_row=raw.number, names=names, samples=samples)


def suggested(layout: Layout, spoken: Spoken) -> tuple[str, ...]:
    """Return the field of each column as its heading says it; a field that is there already is not given twice."""
    found: list[str] = []
    for name in layout.names:
        field = _known(name, spoken)
        found.append(field if field in _SEVERAL or field not in found else LEFT_OUT)
    return tuple(found)


def unclear(layout: Layout, spoken: Spoken) -> tuple[str, ...]:
    """Return the headings of amounts behind which stands what is no known unit: what they are is for people to say."""
    amounts = (name for name in layout.names if spoken.headings.get(_bare(folded(name))) in _AMOUNTS)
    return tuple(name for name in amounts if _known(name, spoken) == LEFT_OUT)


def chosen_before(how: Mapping[str, Any] | None, layout: Layout) -> Choice | None:
    """Return the choice by which a table was read, where it is one for these columns."""
    if not how or len(how.get("columns", ())) != len(layout.names):
        return None
    return Choice(columns=tuple(how["columns"]), stage=how["stage"], currency=how["currency"])


def mapping_of(layout: Layout, choice: Choice, spoken: Spoken, source: str) -> ProjectMapping:
    """Return the mapping that the choice makes of the table; `Invalid` names what is missing or chosen twice."""
    if len(choice.columns) != len(layout.names):
        found, expected = len(choice.columns), len(layout.names)
        raise Invalid(unmet("columns_count", field="column", found=found, expected=expected))
    fields = dict(zip(layout.names, choice.columns, strict=True))
    if wrong := tuple(_wrong(fields, choice)):
        raise Invalid(*wrong)
    column_of = {field: name for name, field in fields.items() if field}
    try:
        return ProjectMapping.model_validate(
            {
                "source": source,
                "about": {"zh": "按列对应的项目表", "en": "A table of projects whose columns were matched"},
                "header_row": layout.header_row,
                "row_key": [column_of["number"]],
                "columns": list(_rules(fields, choice, column_of.get(CURRENCY), spoken)),
                "stages": list(_stages(column_of.get("stage"), choice.stage, spoken)),
                "required": ["name"],
                "ignore": "rest",
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid(unmet("columns_unfit", field="column", why=shown(str(first["msg"])))) from None


def layout_of(*words: str) -> str:
    """Return the hash by which a way of reading tables is found again."""
    return sha256("\n".join(words))[:32]


def source_of(programme: str, programme_id: UUID, platform_id: UUID | None) -> str:
    """Return whose numbers the rows bear: those of one programme at one platform mean the same project each time."""
    name = re.sub("[^a-z0-9]+", "_", programme.casefold()).strip("_")[:24]
    return f"p_{name}_{sha256(f'{programme_id}:{platform_id}')[:12]}"


def _known(name: str, spoken: Spoken) -> str:
    """Return the field that a heading means: as it stands, else without what stands in brackets.

    Behind an amount that is its unit: one that is not known as a whole would make another amount of it.
    """
    plain = folded(name)
    if plain in spoken.headings:
        return spoken.headings[plain]
    field = spoken.headings.get(_bare(plain), LEFT_OUT)
    if field not in _AMOUNTS:
        return field
    units = {spoken.units.get(one.strip("([ ])"), LEFT_OUT) for one in _IN_BRACKETS.findall(plain)}
    return units.pop() if len(units) == 1 and units <= {field, MONEY_10K} else LEFT_OUT


def _bare(plain: str) -> str:
    return " ".join(_IN_BRACKETS.sub(" ", plain).split())


def _header_at(rows: Sequence[RawRow], spoken: Spoken, header_row: int | None) -> int:
    if not rows:
        raise Unreadable("file_empty", "not empty")
    if header_row is not None:
        at = next((place for place, raw in enumerate(rows) if raw.number == header_row), None)
        if at is None:
            raise Unreadable("header_row_empty", "header", row=header_row)
        return at
    for at, raw in enumerate(rows):
        known = {_known(cell, spoken) for cell in raw.cells} - {LEFT_OUT}
        if len(known) >= _LEAST_HEADINGS and raw.number <= HEADER_LAST:
            return at
    return 0


def _names(raw: RawRow) -> tuple[str, ...]:
    """Return the column names as reading the rows will find them; `Unreadable` where one cannot be trusted."""
    names = [unicodedata.normalize("NFC", cell.strip(SPACES)) for cell in raw.cells]
    while names and not names[-1]:
        names.pop()
    for item in raw.problems:
        params = dict(item.problem.params) | {"row": raw.number}
        raise Unreadable(item.problem.code, item.problem.rule, **params)  # type: ignore[arg-type]
    seen: set[str] = set()
    for index, name in enumerate(names):
        letter = column_letter(index)
        if not name:
            raise Unreadable("header_empty", "named columns", row=raw.number, letter=letter)
        if name in seen:
            raise Unreadable("column_duplicate", "unique columns", row=raw.number, column=shown(name), letter=letter)
        seen.add(name)
    return tuple(names)


def _wrong(fields: Mapping[str, str], choice: Choice) -> Iterator[Unmet]:
    """Yield what the choice lacks, and what it gives twice."""
    chosen = list(fields.values())
    for name in dict.fromkeys(chosen):
        if name not in (*FIELDS, LEFT_OUT):
            yield unmet("columns_unfit", field="column", why=shown(name))
        elif name not in _SEVERAL and chosen.count(name) > 1:
            yield unmet("column_field_twice", field="column", table_field=name)
    for name in REQUIRED:
        if name not in chosen:
            yield unmet("column_field_missing", field="column", table_field=name)
    if "stage" not in chosen and not choice.stage:
        yield unmet("stage_not_said", field="stage")


def _rules(
    fields: Mapping[str, str], choice: Choice, currency: str | None, spoken: Spoken
) -> Iterator[Mapping[str, Any]]:
    of_amounts = {"currency": choice.currency} if currency is None else {"currency_column": currency}
    for name, field in fields.items():
        match field:
            case "name" | "organisation":
                yield {"column": name, "to": field, "line_breaks": "space"}
            case "received_on" | "started_on" | "ended_on":
                yield {"column": name, "to": field, "formats": _DAYS}
            case "organisation_kind":
                kinds = {word: kind for kind, words in spoken.kinds.items() for word in words}
                yield {"column": name, "to": field, "choices": kinds}
            case "money" | "money_10k":
                scale = 10_000 if field == MONEY_10K else 1
                yield {"column": name, "to": "money", "label": name, "thousands": ",", "scale": scale, **of_amounts}
            case "fact":
                yield {"column": name, "to": "fact", "label": name, "as": "text"}
            case plain if plain in _PLAIN:
                yield {"column": name, "to": plain}


def _stages(column: str | None, stage: str, spoken: Spoken) -> Iterator[Mapping[str, Any]]:
    if column is None:
        why = {"zh": "导入时为整张表选定的阶段。", "en": "The stage that was chosen for the whole table."}
        yield {"stage": stage, "why": why}
        return
    why = {"zh": f"表中“{column}”一列写明的阶段。", "en": f"The stage that the table says in its column {column}."}
    for one, words in spoken.stages.items():
        yield {"when": [{"column": column, "is": list(words)}], "stage": one, "why": why}
