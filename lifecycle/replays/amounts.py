"""Amounts as logs hold them: signed, zero too, and rounded only where the mapping says so. Integer arithmetic."""

import re

from models.money import AmountProblem, decimals_of, minor_or_zero_of

_SCIENTIFIC = re.compile(r"([1-9])\.([0-9]{1,15})[eE]\+?([0-9]{1,2})", re.ASCII)
_COMPUTED = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9]{1,20})", re.ASCII)


def minor_of_text(text: str, currency: str, *, is_rounded: bool) -> int:
    """Return an amount in minor units, negative and zero too; `AmountProblem` for what is not one clear amount.

    Where the mapping says `half_up`, decimals beyond the currency's are rounded half away from zero; else refused.
    """
    sign, plain = (-1, text[1:]) if text.startswith("-") else (1, text)
    matched = _COMPUTED.fullmatch(plain)
    if matched is None or not is_rounded:
        return sign * minor_or_zero_of(_without_empty_decimals(plain), currency)
    places = decimals_of(currency)
    whole, fraction = matched[1], matched[2].ljust(places + 1, "0")
    minor = int(whole + fraction[:places]) + (fraction[places] >= "5")
    if minor > 10**13:
        raise AmountProblem("amount_too_large", limit=10**13)
    return sign * minor


def plain_of(text: str) -> str:
    """Return `6.0E7`, as programs write large numbers, in plain digits; any other text as it is."""
    sign, number = ("-", text[1:]) if text.startswith("-") else ("", text)
    matched = _SCIENTIFIC.fullmatch(number)
    if matched is None or int(matched[3]) > 15:
        return text
    places = int(matched[3])
    digits = matched[2].ljust(places, "0")
    return f"{sign}{matched[1]}{digits[:places]}" + (f".{digits[places:]}" if digits[places:] else "")


def _without_empty_decimals(text: str) -> str:
    """Return `1473400.0` as `1473400`, and `0.500` as `0.50`: trailing zeros say nothing."""
    whole, point, fraction = text.partition(".")
    left = fraction.rstrip("0")
    return text if not point or not fraction.isdigit() else whole + (f".{left}" if left else "")
