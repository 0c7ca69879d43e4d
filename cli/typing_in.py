"""How the fields of a command are typed in: which text makes which value. Nothing is rounded, nothing is guessed."""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

import typer

from lifecycle.errors import Invalid, unmet
from models.money import AmountProblem, minor_or_zero_of

TODAY = "today"
"""Typed for a day: the day of this run, by its clock and time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a field's type is typed in: the kind Typer knows, how text becomes a value, whether it may come often."""

    kind: Any = str
    parse: Callable[[str], Any] | None = None
    metavar: str = ""
    is_many: bool = False
    is_mapping: bool = False
    is_amount: bool = False
    """Stays text until the currency is known, then `amount_of` reads it."""


def shape_of(hint: Any, name: str) -> Shape:
    """Return how a field of this type and name is typed in."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if origin in (Union, types.UnionType):
        return shape_of(inner[0], name)
    if origin in (tuple, list, frozenset) or hint in (tuple, list):
        within = shape_of(inner[0], name) if inner else Shape()
        return replace(within, is_many=True)
    if (isinstance(origin, type) and issubclass(origin, Mapping)) or hint is dict:
        return Shape(parse=_pair, metavar="NAME=VALUE", is_many=True, is_mapping=True)
    if origin is Literal:
        return Shape(kind=hint)
    if name.endswith("_minor"):
        return Shape(metavar="AMOUNT", is_amount=True)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Shape(kind=hint)
    return _PLAIN.get(hint, Shape())


def _pair(text: str) -> tuple[str, Any]:
    """Read `name=value`; the value is JSON where it reads as JSON, else text."""
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise ValueError(f"expected NAME=VALUE, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def amount_of(text: str, currency: str | None, *, field: str) -> int:
    """Return the typed amount in minor units, zero included (the verb knows whether zero may be).

    Raises `Invalid` with the code that a file would get for the same text. Where no currency is typed it is yuan.
    """
    try:
        return minor_or_zero_of(text, currency or "CNY")
    except AmountProblem as problem:
        raise Invalid(unmet(problem.code, field=field, **problem.params)) from None


def _instant(text: str) -> datetime:
    from models.clock import parse_instant

    return parse_instant(text)


def _day(text: str) -> date | str:
    if text == TODAY:
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a day such as 2026-03-31, got {text!r}") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"expected an id such as 0197e78b-fa84-74a9-817a-8105bc319994, got {text!r}") from None


_PLAIN: Mapping[Any, Shape] = {
    str: Shape(metavar="TEXT"),
    int: Shape(kind=int, metavar="N"),
    float: Shape(kind=float, metavar="NUMBER"),
    bool: Shape(kind=bool),
    date: Shape(parse=_day, metavar="DAY"),
    datetime: Shape(parse=_instant, metavar="ISO"),
    UUID: Shape(parse=_id, metavar="ID"),
}


def account_typed(command: Any) -> None:
    """Refuse what cannot be an account, of a payee or of a fund; raises `Invalid`.

    Asked where people type, in rehearsals too: only their files name made-up banks. For real work the commands ask it.
    """
    from lifecycle.banking.account_codes import account_reasons
    from lifecycle.payouts.payees import plain

    number = getattr(command, "account_number", None) or getattr(command, "debtor_account", None)
    code = getattr(command, "bank_code", None) or getattr(command, "debtor_bank", None)
    if number is not None and code is not None and (reasons := account_reasons(plain(number), plain(code))):
        raise Invalid(*reasons)


def readable(parse: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Return the parser with its own words in the usage error, and at peace with a value it made before."""

    def read(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    read.__name__ = parse.__name__.strip("_")
    return read
