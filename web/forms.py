"""A form out of a command: its fields become inputs, what was typed becomes its values. Nothing is rounded or guessed.

Types make inputs (`date` a day, an enum a choice, `…_minor` an amount); what a choice offers for a reference comes
from `lookups`. A page with a form of its own hands over inputs of its own and uses the same reading.
"""

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs
from uuid import UUID

from starlette.datastructures import FormData, QueryParams

from lifecycle.errors import Invalid, Unmet, unmet
from models.clock import parse_instant
from models.limits import LONG_TEXT
from models.money import AmountProblem, minor_or_zero_of
from web.nouns import AnyVerb
from web.session import text_of

Options: TypeAlias = Sequence[tuple[str, Any]]
"""(value, what people see) of a choice: a text, a text by language, or parts of which pairs are stored words."""
Typing: TypeAlias = FormData | QueryParams
"""What was typed into a form, or stands in an address to begin it with."""
PICK = "pick"
MOST_ROWS = 60
KEY, VERSION = "command_id", "expected_version"
_LONG = frozenset({"reason", "note", "answer", "disposition", "summary", "text", "description"})
ROWS_MORE = "more"
"""Name of the button that asks for further rows."""
FEWEST_ROWS = 4
_TUPLES: Mapping[str, tuple[str, ...]] = {"levels": ("scale", "item", "level")}
"""What the parts of a value stand for, where it is no dataclass with names of its own."""
_BY_PROGRAMS: Mapping[str, tuple[str, ...]] = {"disbursement.freeze": ("checks",)}
"""Fields that no person fills in."""
_COUNTED = frozenset({"defects"})
"""Fields whose numbers by name are counts."""
_MARKED = frozenset({"points"})
"""Fields that give each of what is offered a number."""
_WORDS = {"role": "role", "target": "state", "outcome": "outcome", "party": "party", "verdict": "verdict"}
"""Field -> kind of stored word that its choices are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field as it is typed in."""

    name: str
    kind: str
    """text, long, number, amount, day, instant, yes, choice, choices, lines, pairs; `rows` of `columns`, `picks` of
    people or things with `columns` beside, `marks` one number for each option, `grid` lines of numbers; `special`: a
    page of its own."""
    hint: Any = str
    is_required: bool = True
    options: Options = ()
    word: str = ""
    """Kind of stored word of the options, where they are not named already."""
    currency: str = "CNY"
    columns: tuple["Input", ...] = ()
    """What stands beside each other in each row."""
    label: str = ""
    """What people see, where the catalogue has no word for it: a field of a standard."""
    is_set: bool = False
    """Of a box: whether it is ticked before anybody touched it."""

    @property
    def called(self) -> str:
        """The field whose label it bears: a code that is chosen says why, one that is typed in is the thing's own."""
        return "own_code" if self.name == "code" and not self.options else self.name


def inputs(verb: AnyVerb, offered: Mapping[str, Options], *, currency: str = "CNY") -> tuple[Input, ...]:
    """Return what a verb asks besides its subject, key and version; `offered` are the choices of its references."""
    hints = get_type_hints(verb.command)
    skipped = {KEY, VERSION, f"{verb.subject_name}_id", *_BY_PROGRAMS.get(verb.permission, ())}
    return tuple(
        _with_columns(
            _input(one.name, hints[one.name], offered.get(one.name), currency, is_required=_is_required(one)), offered
        )
        for one in fields(verb.command)
        if one.name not in skipped
    )


def _with_columns(one: Input, offered: Mapping[str, Options]) -> Input:
    """Return the input of a list of values with what each row of it asks."""
    if one.kind not in ("rows", "picks"):
        return one
    if is_dataclass(one.hint):
        hints = get_type_hints(one.hint)
        asked = [(item.name, hints[item.name], _is_required(item), item.default is True) for item in fields(one.hint)]
    else:
        names = _TUPLES.get(one.name, ())
        asked = [(name, hint, True, False) for name, hint in zip(names, get_args(one.hint), strict=True)]
    columns = [
        replace(_input(name, hint, offered.get(name), one.currency, is_required=needed), is_set=is_set)
        for name, hint, needed, is_set in asked
    ]
    return replace(one, columns=tuple(item for item in columns if one.kind == "rows" or item.kind == "yes"))


def read(asked: Sequence[Input], form: FormData) -> dict[str, Any]:
    """Return the values that were typed, empty ones left out; `Invalid` names every field that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[Unmet] = []
    for one in asked:
        try:
            value = _value(one, form)
        except _Wrong as problem:
            wrong.append(problem.reason)
            continue
        if value is not None:
            values[one.name] = value
        elif one.is_required:
            is_chosen = one.kind in ("choice", "choices", "picks")
            wrong.append(unmet("choice_missing" if is_chosen else "field_missing", field=one.name))
    if wrong:
        raise Invalid(*wrong)
    return values


def as_typed(asked: Sequence[Input], form: Typing | None) -> dict[str, Any]:
    """Return what a form shows again: text, or a list where several may be chosen."""
    return {one.name: _shown(one, form) for one in asked}


def _shown(one: Input, form: Typing | None) -> Any:
    if one.kind in ("rows", "picks"):
        return _rows_shown(one, form)
    if one.kind == "marks":
        return {value: _text(form, f"{one.name}.{value}") for value, _ in one.options}
    if one.kind == "choices":
        return [str(value) for value in form.getlist(one.name)] if form is not None else []
    return _text(form, one.name) or ("yes" if form is None and one.is_set else "")


def _text(form: Typing | None, name: str) -> str:
    value = form.get(name, "") if form is not None else ""
    return value if isinstance(value, str) else ""


def _rows_shown(one: Input, form: Typing | None) -> list[dict[str, Any]]:
    filled = [place for place in range(MOST_ROWS) if _is_filled(one, form, place)]
    count = max(FEWEST_ROWS, *(place + 2 for place in filled), 0) if filled else FEWEST_ROWS
    if form is not None and _text(form, ROWS_MORE) == one.name:
        count = max(count, _rows_sent(one, form)) + FEWEST_ROWS
    return [_row_shown(one, form, place) for place in range(min(count, MOST_ROWS))]


def _rows_sent(one: Input, form: Typing) -> int:
    sent = {name for name in form if name.startswith(f"{one.name}.")}
    return len({name.split(".")[1] for name in sent})


def _row_shown(one: Input, form: Typing | None, place: int) -> dict[str, Any]:
    is_new = form is None or not _is_filled(one, form, place)
    cells = (*one.columns, Input(name=PICK, kind="choice")) if one.kind == "picks" else one.columns
    return {
        cell.name: _shown(replace(cell, name=f"{one.name}.{place}.{cell.name}"), None if is_new else form)
        for cell in cells
    }


def _is_filled(one: Input, form: Typing | None, place: int) -> bool:
    """Say whether anything but ticks was typed into a row."""
    names = [PICK] if one.kind == "picks" else [cell.name for cell in one.columns if cell.kind != "yes"]
    return any(_text(form, f"{one.name}.{place}.{name}").strip() for name in names)


class _Wrong(Exception):
    def __init__(self, reason: Unmet) -> None:
        self.reason = reason
        super().__init__(reason.code)


def _is_required(one: Any) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _input(name: str, hint: Any, offered: Options | None, currency: str, *, is_required: bool) -> Input:
    is_optional, plain = _plain(hint)
    rest: dict[str, Any] = {
        "name": name,
        "hint": plain,
        "is_required": is_required and not is_optional,
        "currency": currency,
    }
    origin, inner = get_origin(plain), [one for one in get_args(plain) if one is not Ellipsis]
    if offered is not None and inner and is_dataclass(inner[0]):
        return Input(kind="picks", options=offered, **{**rest, "hint": inner[0]})
    if offered is not None and name in _MARKED:
        return Input(kind="marks", options=offered, **rest)
    if offered is not None:
        kind = "choices" if origin in (tuple, list, frozenset) else "choice"
        return Input(kind=kind, options=offered, **{**rest, "hint": inner[0] if kind == "choices" else plain})
    if origin in (tuple, list, frozenset):
        return _many(inner[0] if inner else str, rest)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Input(kind="pairs", **rest)
    if words := _words_of(plain):
        return Input(kind="choice", options=[(one, one) for one in words], word=_WORDS.get(name, name), **rest)
    if is_dataclass(plain):
        return Input(kind="special", **rest)
    if name.endswith("_minor"):
        return Input(kind="amount", **rest)
    if plain is bool and (rest["is_required"] or is_optional):  # nobody says no by leaving a box as it was
        return Input(kind="choice", options=[(one, one) for one in _ANSWERS], word="answer", **rest)
    kinds = {bool: "yes", int: "number", float: "number", date: "day", datetime: "instant"}
    return Input(kind=kinds.get(plain) or ("long" if name in _LONG else "text"), **rest)


def _many(inner: Any, rest: Mapping[str, Any]) -> Input:
    if words := _words_of(inner):
        own = {**rest, "hint": inner}
        name = str(rest["name"]).rstrip("s")
        return Input(kind="choices", options=[(one, one) for one in words], word=_WORDS.get(name, name), **own)
    if is_dataclass(inner) or rest["name"] in _TUPLES:
        return Input(kind="rows", **{**rest, "hint": inner})
    if get_origin(inner) is tuple and get_args(inner) == (float, ...):
        return Input(kind="grid", **rest)
    kind = "special" if get_origin(inner) is not None else "lines"
    return Input(kind=kind, **{**rest, "hint": inner})


def _plain(hint: Any) -> tuple[bool, Any]:
    """Return whether None will do, and the type without it."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [one for one in get_args(hint) if one is not type(None)]
        return len(inner) < len(get_args(hint)), inner[0]
    return False, hint


def _words_of(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [str(one) for one in get_args(hint)]
    return [str(one.value) for one in hint] if isinstance(hint, type) and issubclass(hint, Enum) else []


def _value(one: Input, form: FormData) -> Any:
    if one.kind == "yes":
        return text_of(form, one.name) == "yes"
    if one.kind == "choices":
        return tuple(_parsed(one, str(value)) for value in form.getlist(one.name) if value) or None
    if one.kind in ("rows", "picks"):
        return tuple(_row(one, form, place) for place in range(MOST_ROWS) if _is_filled(one, form, place)) or None
    if one.kind == "marks":
        return tuple(_marks(one, form)) or None
    typed = text_of(form, one.name).strip().replace("\r\n", "\n")
    if not typed:
        return None
    if one.kind == "lines":
        return tuple(_parsed(one, line.strip()) for line in typed.split("\n") if line.strip())
    if one.kind == "pairs":
        return dict(_pair(one, line) for line in typed.split("\n") if line.strip())
    if one.kind == "grid":
        return tuple(_numbers(one, line) for line in typed.split("\n") if line.strip())
    return _parsed(one, typed)


def _row(one: Input, form: FormData, place: int) -> Any:
    """Return one row as the value that the command has many of."""
    found: dict[str, Any] = {}
    if one.kind == "picks":
        found = _picked(one, text_of(form, f"{one.name}.{place}.{PICK}"))
    for column in one.columns:
        value = _value(replace(column, name=f"{one.name}.{place}.{column.name}"), form)
        if value is None and column.is_required:
            raise _Wrong(unmet("field_missing", field=one.name))
        if value is not None:
            found[column.name] = value
    if not is_dataclass(one.hint):
        return tuple(found[column.name] for column in one.columns)
    make: Any = one.hint
    return make(**found)


def _picked(one: Input, said: str) -> dict[str, Any]:
    """Return the fields that an option stands for; it carries them as a query."""
    hints, query = get_type_hints(one.hint), parse_qs(said)
    found: dict[str, Any] = {}
    for name, values in query.items():
        if name not in hints:
            raise _Wrong(unmet("value_wrong", field=one.name, value=said, form=""))
        inner = get_args(hints[name])
        kept = [
            _parsed(Input(name=one.name, kind="text", hint=inner[0] if inner else hints[name]), value)
            for value in values
        ]
        found[name] = tuple(kept) if inner else kept[0]
    return found


def _marks(one: Input, form: FormData) -> Iterator[tuple[str, int]]:
    for value, _ in one.options:
        typed = text_of(form, f"{one.name}.{value}").strip()
        if typed:
            yield value, _parsed(Input(name=one.name, kind="number", hint=int), typed)


def _numbers(one: Input, line: str) -> tuple[float, ...]:
    return tuple(
        _parsed(replace(one, hint=float, kind="number"), part) for part in re.split(r"[,，;\s]+", line.strip())
    )


def _pair(one: Input, line: str) -> tuple[str, Any]:
    name, sign, value = line.replace("＝", "=").partition("=")
    if not sign or not name.strip():
        raise _Wrong(unmet("value_wrong", field=one.name, value=line, form="NAME=VALUE"))
    if one.name in _COUNTED:
        return name.strip(), _parsed(replace(one, kind="number", hint=int), value.strip())
    if get_args(one.hint)[1:] == (int,):  # other whole numbers by name are amounts of money: budgets, stated cost
        return name.strip(), _parsed(replace(one, kind="amount"), value.strip())
    return name.strip(), value.strip()


def _parsed(one: Input, typed: str) -> Any:
    if len(typed) > LONG_TEXT:
        raise _Wrong(unmet("text_over_limit", field=one.name, limit=LONG_TEXT, length=len(typed)))
    if one.kind == "amount":
        try:
            return minor_or_zero_of(typed, one.currency, thousands=",")  # as pages write amounts
        except AmountProblem as problem:
            raise _Wrong(unmet(problem.code, field=one.name, **problem.params)) from None
    try:
        return _READERS.get(one.hint, one.hint if isinstance(one.hint, type) else str)(typed)
    except (ValueError, TypeError, KeyError):
        form = _FORMS.get(one.hint, "")
        raise _Wrong(unmet("value_wrong", field=one.name, value=typed, form=form)) from None


_ANSWERS = {"yes": True, "no": False}
_READERS: Mapping[Any, Any] = {
    bool: _ANSWERS.__getitem__,
    date: date.fromisoformat,
    datetime: parse_instant,
    UUID: UUID,
    int: int,
    float: float,
}
_FORMS: Mapping[Any, str] = {date: "2026-03-31", datetime: "2026-03-31T09:00+08:00", int: "0", float: "0.0"}
