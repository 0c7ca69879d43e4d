"""A form out of a command: its fields become inputs, what was typed becomes its values. Nothing is rounded or guessed.

Types make inputs (`date` a day, an enum a choice, `…_minor` an amount); what a choice offers for a reference comes
from `lookups`. A page with a form of its own hands over inputs of its own and uses the same reading.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from starlette.datastructures import FormData

from lifecycle.errors import Invalid, Unmet, unmet
from models.clock import parse_instant
from models.limits import LONG_TEXT
from models.money import AmountProblem, minor_or_zero_of
from web.nouns import AnyVerb
from web.session import text_of

Options: TypeAlias = Sequence[tuple[str, str]]
"""(value, what people see) of a choice."""
KEY, VERSION = "command_id", "expected_version"
_LONG = frozenset({"reason", "note", "answer", "disposition", "summary", "text", "description"})
_WORDS = {"role": "role", "target": "state", "outcome": "outcome", "party": "party", "verdict": "verdict"}
"""Field -> kind of stored word that its choices are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field as it is typed in."""

    name: str
    kind: str
    """text, long, number, amount, day, instant, yes, choice, choices, lines, pairs; `special`: a page of its own."""
    hint: Any = str
    is_required: bool = True
    options: Options = ()
    word: str = ""
    """Kind of stored word of the options, where they are not named already."""
    currency: str = "CNY"


def inputs(verb: AnyVerb, offered: Mapping[str, Options], *, currency: str = "CNY") -> tuple[Input, ...]:
    """Return what a verb asks besides its subject, key and version; `offered` are the choices of its references."""
    hints = get_type_hints(verb.command)
    skipped = {KEY, VERSION, f"{verb.subject_name}_id"}
    return tuple(
        _input(one.name, hints[one.name], offered.get(one.name), currency, is_required=_is_required(one))
        for one in fields(verb.command)
        if one.name not in skipped
    )


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
            wrong.append(unmet("field_missing", field=one.name))
    if wrong:
        raise Invalid(*wrong)
    return values


def as_typed(asked: Sequence[Input], form: FormData | None) -> dict[str, Any]:
    """Return what a form shows again: text, or a list where several may be chosen."""
    if form is None:
        return {one.name: [] if one.kind == "choices" else "" for one in asked}
    return {
        one.name: [str(value) for value in form.getlist(one.name)] if one.kind == "choices" else text_of(form, one.name)
        for one in asked
    }


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
    if plain is bool and rest["is_required"]:  # nobody says no by leaving a box as it was
        return Input(kind="choice", options=[(one, one) for one in _ANSWERS], word="answer", **rest)
    kinds = {bool: "yes", int: "number", float: "number", date: "day", datetime: "instant"}
    return Input(kind=kinds.get(plain) or ("long" if name in _LONG else "text"), **rest)


def _many(inner: Any, rest: Mapping[str, Any]) -> Input:
    if words := _words_of(inner):
        own = {**rest, "hint": inner}
        name = str(rest["name"]).rstrip("s")
        return Input(kind="choices", options=[(one, one) for one in words], word=_WORDS.get(name, name), **own)
    kind = "special" if is_dataclass(inner) or get_origin(inner) is not None else "lines"
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
    typed = text_of(form, one.name).strip().replace("\r\n", "\n")
    if not typed:
        return None
    if one.kind == "lines":
        return tuple(_parsed(one, line.strip()) for line in typed.split("\n") if line.strip())
    if one.kind == "pairs":
        return dict(_pair(one, line) for line in typed.split("\n") if line.strip())
    return _parsed(one, typed)


def _pair(one: Input, line: str) -> tuple[str, Any]:
    name, sign, value = line.partition("=")
    if not sign or not name.strip():
        raise _Wrong(unmet("value_wrong", field=one.name, value=line, form="NAME=VALUE"))
    if get_args(one.hint)[1:] == (int,):  # whole numbers by name are amounts of money: budgets, stated cost
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
