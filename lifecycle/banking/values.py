"""Values as bank files write them: amounts, days, moments, counts, texts. What is not unmistakable is refused."""

import re
import unicodedata
from datetime import UTC, date, datetime

from lifecycle.banking.refusal import BankFileRefused, Place, shown
from models.money import CURRENCY_DECIMALS, MAX_MINOR

MAX_TOTAL = 2**63 - 1
"""Upper limit of a balance or a sum in minor units: what the database stores."""

NAME, FREE, REFERENCE, ACCOUNT = 140, 500, 35, 34
"""Characters of a name, of free text, of a reference and of an account number (ISO 20022 Max140Text and so on)."""

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,17}))?", re.ASCII)
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)
_COUNT = re.compile(r"[0-9]{1,15}", re.ASCII)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format, half, private and unassigned characters; line and paragraph separators."""


def minor_exact(text: str, currency: str, element: Place) -> int:
    """Return an amount in minor units, 1 to 10^13, with no more decimals than the currency has."""
    places = _decimals(currency, element)
    whole, fraction = _digits(text, element)
    if len(fraction) > places:
        raise _too_many_decimals(len(fraction), places, element)
    return _booking(int(whole + fraction.ljust(places, "0")), MAX_MINOR, element)


def minor(text: str, currency: str, element: Place) -> int:
    """Return an amount of an ISO 20022 message in minor units, 1 to 10^13.

    The messages allow five decimals: zeros behind the currency's last one say nothing and are taken, other digits
    would have to be rounded and are refused. Integer arithmetic only.
    """
    return _booking(minor_or_zero(text, currency, element, most=MAX_MINOR), MAX_MINOR, element)


def minor_or_zero(text: str, currency: str, element: Place, *, most: int = MAX_TOTAL) -> int:
    """Return a balance, a sum or a part as `minor` does, but zero too."""
    places = _decimals(currency, element)
    whole, fraction = _digits(text, element)
    kept = fraction.rstrip("0") if len(fraction) > places else fraction
    if len(kept) > places:
        raise _too_many_decimals(len(kept), places, element)
    found = int(whole + kept.ljust(places, "0"))
    if found > most:
        raise BankFileRefused("bank_amount_too_large", element=element, rule=f"<= {most}", limit=most)
    return found


def decimal(minor_units: int, currency: str) -> str:
    """Return the amount as decimal text with exactly the decimals of its currency: 123450 CNY is 1234.50."""
    places = CURRENCY_DECIMALS[currency]
    digits = str(minor_units).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def day(text: str, element: Place) -> date:
    """Return a day as it is written, without moving it to another time zone."""
    written = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(written[1] if written else "")
    except ValueError:
        raise BankFileRefused("bank_date", element=element, rule="YYYY-MM-DD", found=shown(text)) from None


def day_of_moment(text: str, element: Place) -> date:
    """Return the day of a moment as it is written: a bank books on its own calendar."""
    return _moment(text, element).date()


def moment(text: str, element: Place) -> datetime:
    """Return a moment in UTC; one without an offset names no moment and is refused."""
    found = _moment(text, element)
    if found.tzinfo is None:
        raise BankFileRefused("bank_moment", element=element, rule="with offset", found=shown(text))
    return found.astimezone(UTC)


def count(text: str, element: Place) -> int:
    """Return a whole number of at most 15 digits."""
    if not _COUNT.fullmatch(text):
        raise BankFileRefused("bank_count", element=element, rule="[0-9]{1,15}", found=shown(text))
    return int(text)


def legible(text: str, element: Place, most: int) -> str:
    """Return a text that is to leave: not empty, not longer than `most`, nothing in it that cannot be seen."""
    if not 0 < len(text) <= most:
        raise BankFileRefused("bank_text_length", element=element, rule=f"1–{most}", limit=most, found=len(text))
    if text.strip() != text:
        raise BankFileRefused("bank_text_spaces", element=element, rule="no space at either end", found=shown(text))
    unseen = next((one for one in text if unicodedata.category(one) in _UNSEEN), None)
    if unseen is not None:
        character = f"U+{ord(unseen):04X}"
        raise BankFileRefused("bank_text_unseen", element=element, rule="visible characters", character=character)
    return text


def _decimals(currency: str, element: Place) -> int:
    try:
        return CURRENCY_DECIMALS[currency]
    except KeyError:
        rule = "currencies taken in"
        raise BankFileRefused("bank_currency_unknown", element=element, rule=rule, currency=shown(currency)) from None


def _digits(text: str, element: Place) -> tuple[str, str]:
    matched = _AMOUNT.fullmatch(text)
    if matched is None:
        raise BankFileRefused("bank_amount", element=element, rule="digits, full stop, digits", found=shown(text))
    return matched[1], matched[2] or ""


def _booking(found: int, most: int, element: Place) -> int:
    if found == 0:
        raise BankFileRefused("bank_amount_zero", element=element, rule=">= 1 minor unit")
    if found > most:
        raise BankFileRefused("bank_amount_too_large", element=element, rule=f"<= {most}", limit=most)
    return found


def _too_many_decimals(found: int, places: int, element: Place) -> BankFileRefused:
    rule = f"decimals <= {places}"
    return BankFileRefused("bank_amount_decimals", element=element, rule=rule, allowed=places, found=found)


def _moment(text: str, element: Place) -> datetime:
    try:
        return datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
    except ValueError:
        raise BankFileRefused("bank_moment", element=element, rule="xs:dateTime", found=shown(text)) from None
