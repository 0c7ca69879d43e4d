"""What can be wrong with a value or a whole file, as exceptions with a code.

The sentences of the codes stand in `notifications/locale/imports.yaml`.
"""

from collections.abc import Mapping
from typing import TypeAlias

Params: TypeAlias = Mapping[str, str | int]
SHOWN_CHARACTERS = 80


class ValueProblem(ValueError):
    """A single value breaks a rule. `rule` is short and the same in every language (`M1`, `text <= 200`)."""

    def __init__(self, code: str, rule: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.rule = rule
        self.params: Params = params


class Unreadable(Exception):
    """The file as a whole cannot be trusted: reading stops here. `row` is set when one row is to blame."""

    def __init__(
        self, code: str, rule: str, *, row: int | None = None, column: str | None = None, **params: str | int
    ) -> None:
        super().__init__(code)
        self.code = code
        self.rule = rule
        self.row = row
        self.column = column
        self.params: Params = params


def shown(text: str) -> str:
    """Return `text` fit to be printed in a message: shortened, everything invisible written as an escape.

    A control or direction character would otherwise change the terminal or the page that shows the error.
    """
    short = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return "".join(_visible(character) for character in short)


def _visible(character: str) -> str:
    if character.isprintable() or character == "\u3000":
        return character
    return f"\\u{{{ord(character):04x}}}"
