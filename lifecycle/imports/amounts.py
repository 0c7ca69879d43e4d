"""The one parser of amounts of money, for files and for forms alike: text in, whole minor units out.

A text is refused rather than guessed at; nothing is rounded. Integer arithmetic throughout, no float.
"""

import re

from lifecycle.imports.problems import ValueProblem
from models.money import CURRENCY_DECIMALS, MAX_MINOR

THOUSANDS = (",", ".", " ", "'", "\u00a0", "\u202f")
SCALES = (1, 1_000, 10_000, 1_000_000, 100_000_000)
"""Units an amount column may be counted in: 1, thousand, 万, million, 亿."""

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
_GROUPED = re.compile("[1-9][0-9]{0,2}(?:_[0-9]{3})+", re.ASCII)
_LONGEST = 40
_RULE = "amount"


class AmountProblem(ValueProblem):
    """The text is not one unmistakable amount within the limits."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code, _RULE, **params)


def decimals_of(currency: str) -> int:
    """Return the number of minor digits of an ISO 4217 code; `AmountProblem` for a currency not taken in."""
    try:
        return CURRENCY_DECIMALS[currency]
    except KeyError:
        raise AmountProblem("currency_unknown", currency=currency[:20]) from None


def parse_minor(text: str, currency: str, decimals: int | None = None, *, thousands: str = "", scale: int = 1) -> int:
    """Return the amount in minor units of `currency`, 1 to 10^13; `AmountProblem` for anything else.

    `decimals` is the number of minor digits, by default that of the currency. `thousands` is the one separator that
    may group the whole part by three; without it every separator is refused. `scale` is what one unit of the text is
    worth (10,000 for 万元); more decimals are then allowed as far as the result stays whole.
    """
    minor = parse_minor_or_zero(text, currency, decimals, thousands=thousands, scale=scale)
    if minor == 0:
        raise AmountProblem("amount_zero")
    return minor


def parse_minor_or_zero(
    text: str, currency: str, decimals: int | None = None, *, thousands: str = "", scale: int = 1
) -> int:
    """Return the amount as `parse_minor` does, but take zero too: for facts reported by others, never for payments."""
    places = (decimals_of(currency) if decimals is None else decimals) + _zeros(scale)
    matched = _PLAIN.fullmatch(_ungrouped(text, thousands)) if len(text) <= _LONGEST else None
    if matched is None:
        raise _diagnosed(text)
    whole, fraction = matched.group(1), matched.group(2) or ""
    if len(fraction) > places:
        raise AmountProblem("amount_decimals", allowed=places, found=len(fraction))
    minor = int(whole + fraction + "0" * (places - len(fraction)))
    if minor > MAX_MINOR:
        raise AmountProblem("amount_too_large", limit=MAX_MINOR)
    return minor


def _zeros(scale: int) -> int:
    if scale not in SCALES:
        raise AmountProblem("amount_scale", scale=scale)
    return len(str(scale)) - 1


def _ungrouped(text: str, thousands: str) -> str:
    """Return the text without its declared separator; where a full stop groups, a comma is the decimal sign.

    Groups that are not of three are refused: `1.23` with grouping full stops is not taken for a decimal number.
    """
    if not thousands:
        return text
    if thousands not in THOUSANDS:
        raise AmountProblem("amount_separator")
    whole, point, fraction = text.partition("," if thousands == "." else ".")
    if thousands in whole and not _GROUPED.fullmatch(whole.replace(thousands, "_")):
        raise AmountProblem("amount_separator")
    return whole.replace(thousands, "") + ("." if point else "") + fraction


_SIGNS = "+-−＋－(（"
_DIAGNOSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("amount_empty", re.compile(r"\s*")),
    ("amount_sign", re.compile(rf"\s*[{re.escape(_SIGNS)}].*|.*[{re.escape(_SIGNS)}]\s*", re.DOTALL)),
    ("amount_digits", re.compile(r".*[^\W0-9A-Za-z_].*", re.DOTALL)),
    ("amount_exponent", re.compile(r"[0-9.]+[eE][+-]?[0-9]+")),
    (
        "amount_separator",
        re.compile(r"[0-9.,'’_\s\u066b\u066c，。．]*[,'’_\s\u066b\u066c，。．][0-9.,'’_\s\u066b\u066c，。．]*"),
    ),
    ("amount_separator", re.compile(r"[0-9]*\.[0-9]*\.[0-9.]*")),
)


def _diagnosed(text: str) -> AmountProblem:
    """Say what is wrong with a text that is no plain number."""
    found = next((code for code, pattern in _DIAGNOSES if pattern.fullmatch(text[: _LONGEST + 1])), None)
    return AmountProblem(found or "amount_malformed")
