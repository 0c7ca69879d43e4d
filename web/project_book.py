"""The workbook in which projects come in: a template to fill in, and every word by which a table may name its columns.

Headings stand in both languages; columns with a choice offer it. A hidden sheet says which template it is, and holds
what is offered.
"""

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from lifecycle.imports.batch_rows import folded
from lifecycle.imports.columns import FIELDS, TEMPLATE, VERSION, Spoken
from lifecycle.imports.reader import HIDDEN_SHEET
from models.money import CURRENCY_DECIMALS
from models.states import OrganisationKind, ProjectState
from notifications.words import LANGUAGES, Lang, sentence, title
from web.batch_book import head_of

_HEADER, _ROWS = 3, 2_000
_MARKED = ("number", "name", "stage")
_WIDE = {"name": 36, "organisation": 30, "credit_code": 24, "fact": 36}
_LEVELS = {"trl_start": 9, "trl_current": 9, "trl_goal": 9, "mrl": 10}


def heading(field: str, lang: Lang) -> str:
    """Return the heading of a field."""
    return title("table_field", field, lang)


def said(code: str, params: Mapping[str, Any], lang: Lang) -> str:
    """Return what is wrong with a row, in which fields have the names that the table gives them."""
    field = params.get("field")
    return sentence(code, {**params, "field": heading(str(field), lang)} if field in FIELDS else params, lang)


@cache
def spoken() -> Spoken:
    """Return every word by which a table may name a field, a stage or a kind of organisation, in both languages."""
    headings: dict[str, str] = {}
    for field in FIELDS:
        also = [one for lang in LANGUAGES for one in sentence(f"page.import.also.{field}", {}, lang).split("|")]
        own = [heading(field, lang) for lang in LANGUAGES]
        headings |= {folded(words): field for words in (field, _both(field), *own, *also)}
    units = {
        folded(unit): field
        for field in ("money", "money_10k")
        for lang in LANGUAGES
        for unit in sentence(f"page.import.unit.{field}", {}, lang).split("|")
    }
    return Spoken(
        headings=headings,
        units=units,
        stages={str(one): _words("state", one) for one in ProjectState},
        kinds={str(one): _words("organisation", one) for one in OrganisationKind},
    )


def template() -> bytes:
    """Return the workbook to fill in."""
    book = Workbook()
    page: Any = book.active
    page.title = "Projects"
    page["A1"] = " ".join(sentence("page.import.title", {}, lang) for lang in LANGUAGES)
    page["A1"].font = Font(bold=True, size=13)
    page["A2"] = " ".join(sentence("page.import.how", {}, lang) for lang in LANGUAGES)
    page["A2"].font = Font(color="4A5667")
    hidden: Any = book.create_sheet(HIDDEN_SHEET)
    hidden["A1"] = VERSION
    hidden.sheet_state = "veryHidden"
    for place, field in enumerate(TEMPLATE, start=1):
        words = f"{_both(field)}{' *' if field in _MARKED else ''}"
        head_of(page, _HEADER, place, words, width=_WIDE.get(field, 15))
        rule = _rule(field, hidden)
        rule.promptTitle = heading(field, "en")[:32]
        rule.prompt = "\n".join(sentence(f"page.import.asks.{field}", {}, lang) for lang in LANGUAGES)[:255]
        rule.showInputMessage = True
        letter = get_column_letter(place)
        rule.add(f"{letter}{_HEADER + 1}:{letter}{_HEADER + _ROWS}")
        page.add_data_validation(rule)
    page.freeze_panes = page.cell(_HEADER + 1, 3)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _rule(field: str, hidden: Any) -> DataValidation:
    """Return what the spreadsheet itself checks of a column; what it offers is written on the hidden sheet."""
    if choices := _offered(field):
        column = hidden.max_column + 1
        for row, words in enumerate(choices, start=1):
            hidden.cell(row, column, words)
        letter = get_column_letter(column)
        place = f"{HIDDEN_SHEET}!${letter}$1:${letter}${len(choices)}"
        return DataValidation(type="list", formula1=place, showErrorMessage=True)
    if field in _LEVELS:
        return DataValidation(
            type="whole", operator="between", formula1="1", formula2=str(_LEVELS[field]), showErrorMessage=True
        )
    if field == "money":
        return DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0", showErrorMessage=True)
    return DataValidation(type=None)


def _offered(field: str) -> tuple[str, ...]:
    kinds: Mapping[str, tuple[str, ...]] = {
        "stage": tuple(" ".join(_said("state", one)) for one in ProjectState),
        "organisation_kind": tuple(" ".join(_said("organisation", one)) for one in OrganisationKind),
        "currency": tuple(CURRENCY_DECIMALS),
    }
    return kinds.get(field, ())


def _words(kind: str, word: str) -> tuple[str, ...]:
    """Return every way to write a stored word: as people see it, both at once, in small letters, as it is stored."""
    zh, en = _said(kind, word)
    return tuple(dict.fromkeys((f"{zh} {en}", zh, en, en.lower(), en.capitalize(), str(word))))


def _said(kind: str, word: str) -> tuple[str, str]:
    zh, en = (title(kind, str(word), lang) for lang in LANGUAGES)
    return zh, en


def _both(field: str) -> str:
    return " ".join(heading(field, lang) for lang in LANGUAGES)
