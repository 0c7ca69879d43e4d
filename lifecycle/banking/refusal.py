"""Why a bank file is not taken: code, element and rule. Sentences in `notifications/locale/banking.yaml`."""

from typing import TypeAlias

from lifecycle.errors import Invalid, Unmet

Place: TypeAlias = object
"""Where something stands: a text, or anything whose `str` is its path (made only when it is refused)."""

_SHOWN = 80


class BankFileRefused(Invalid):
    """A bank file, or what one would be made of, breaks a rule; nothing of it may be used."""

    def __init__(self, code: str, *, element: Place, rule: str, **values: str | int) -> None:
        self.element, self.rule = str(element), rule
        super().__init__(Unmet(code=code, values={"element": self.element, "rule": rule, **values}))


def shown(text: str) -> str:
    """Return a text of a stranger fit to be printed: shortened, and everything invisible written as an escape."""
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(one if one.isprintable() else f"\\u{{{ord(one):04x}}}" for one in short)
