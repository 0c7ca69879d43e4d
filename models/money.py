"""Amounts of money: whole minor units of one currency, and the one parser of amounts for every door.

A text is refused rather than guessed at; nothing is rounded. Integer arithmetic throughout: no float, no Decimal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_MINOR = 10**13
"""Upper limit of one amount in minor units (limits table, one amount)."""

CURRENCY_DECIMALS = {
    "AUD": 2,
    "CAD": 2,
    "CHF": 2,
    "CNY": 2,
    "EUR": 2,
    "GBP": 2,
    "HKD": 2,
    "JPY": 0,
    "KRW": 0,
    "NZD": 2,
    "RON": 2,
    "SEK": 2,
    "SGD": 2,
    "TWD": 2,
    "USD": 2,
}
"""Currencies taken in, with their minor digits (ISO 4217). Those with three digits are left out on purpose."""

THOUSANDS = (",", ".", " ", "'", "\u00a0", "\u202f")
SCALES = (1, 1_000, 10_000, 1_000_000, 100_000_000)
"""Units an amount column may be counted in: 1, thousand, 万, million, 亿."""

_PLAIN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
_GROUPED = re.compile("[1-9][0-9]{0,2}(?:_[0-9]{3})+", re.ASCII)
_LONGEST = 40


class AmountProblem(ValueError):
    """What was given is not one unmistakable amount within the limits; `code` has its sentence in the catalogue."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency; negative where it is a difference. Other currencies never mix with it."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse a number that is not whole (`TypeError`) and a currency nobody takes in (`AmountProblem`)."""
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole: {self.minor!r}")
        decimals_of(self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def split(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Return shares in proportion to the weights that sum to this amount, to the last unit.

        Every share is rounded towards zero; the units left over go to the larger remainders first, ties by order.
        `ValueError` for a negative weight and for weights that sum to zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights are not negative and sum to more than zero")
        sign = -1 if self.minor < 0 else 1
        parts = [divmod(abs(self.minor) * weight, total) for weight in weights]
        left = abs(self.minor) - sum(whole for whole, _ in parts)
        first = sorted(range(len(parts)), key=lambda place: -parts[place][1])[:left]
        return tuple(Money(sign * (whole + (place in first)), self.currency) for place, (whole, _) in enumerate(parts))

    @property
    def plain(self) -> str:
        """Return the digits as files and the parser know them: `1200000.00`."""
        places = decimals_of(self.currency)
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        figure = f"{digits[:-places]}.{digits[-places:]}" if places else digits
        return f"-{figure}" if self.minor < 0 else figure

    @property
    def display(self) -> str:
        """Return the amount as people read it: `¥1,200,000.00`, `EUR 1,200.00`, `-¥0.01`."""
        whole, point, fraction = self.plain.lstrip("-").partition(".")
        figure = f"{int(whole):,}{point}{fraction}"
        sign, mark = "-" if self.minor < 0 else "", "¥" if self.currency == "CNY" else f"{self.currency} "
        return f"{sign}{mark}{figure}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.minor


def decimals_of(currency: str) -> int:
    """Return the number of minor digits of an ISO 4217 code; `AmountProblem` for a currency not taken in."""
    try:
        return CURRENCY_DECIMALS[currency]
    except KeyError:
        raise AmountProblem("currency_unknown", currency=currency[:20]) from None


def said(currency: str, **amounts: int) -> dict[str, str | int]:
    """Return the values of a reason: each amount as people read it, and under `..._minor` as a number for programs."""
    read: dict[str, str | int] = {name: Money(minor, currency).display for name, minor in amounts.items()}
    return read | {f"{name}_minor": minor for name, minor in amounts.items()}


def within_limits(minor: int) -> int:
    """Return an amount that may be paid, 1 to 10^13 minor units; `AmountProblem` for anything else.

    The one check for doors that take minor units as a number, and the last one behind the parser.
    """
    if type(minor) is not int:
        raise AmountProblem("amount_malformed")
    if minor < 0:
        raise AmountProblem("amount_sign")
    if minor == 0:
        raise AmountProblem("amount_zero")
    if minor > MAX_MINOR:
        raise AmountProblem("amount_too_large", limit=MAX_MINOR)
    return minor


def minor_of(text: str, currency: str, *, thousands: str = "", scale: int = 1) -> int:
    """Return the amount in minor units of `currency`, 1 to 10^13; `AmountProblem` for anything else.

    `thousands` is the one separator that may group the whole part by three; without it every separator is refused.
    `scale` is what one unit of the text is worth (10,000 for 万元); more decimals are then allowed as far as the
    result stays whole.
    """
    return within_limits(minor_or_zero_of(text, currency, thousands=thousands, scale=scale))


def minor_or_zero_of(text: str, currency: str, *, thousands: str = "", scale: int = 1) -> int:
    """Return the amount as `minor_of` does, but take zero too: for facts reported by others, never for payments."""
    places = decimals_of(currency) + _zeros(scale)
    matched = _PLAIN.fullmatch(_ungrouped(text, thousands)) if len(text) <= _LONGEST else None
    if matched is None:
        raise _diagnosed(text)
    whole, fraction = matched.group(1), matched.group(2) or ""
    if len(fraction) > places:
        raise AmountProblem("amount_decimals", allowed=places, found=len(fraction))
    minor = int(whole + fraction + "0" * (places - len(fraction)))
    return within_limits(minor) if minor else 0


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
