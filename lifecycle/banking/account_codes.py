"""Whether what was typed can be an account: code of its bank (BIC, CNAPS), Chinese account number, IBAN. Pure."""

import re

from lifecycle.errors import Unmet, unmet

CNAPS = re.compile(r"[0-9]{12}")
"""Number of a bank in China's payment system (人民银行 支付系统行号)."""
BIC = re.compile(r"[A-Z0-9]{4}(?P<country>[A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
"""ISO 9362: prefix, country, suffix, and a branch or none."""
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
"""ISO 13616: country, two check digits, the account as its country writes it."""
CHINESE_ACCOUNT = re.compile(r"(?:NRA|OSA|FT[EFINU])?[0-9]+")
"""Digits; those of non-residents, offshore business and the free trade zones bear letters in front."""
LONGEST = 34
_MOST_OF_IBAN = 97


def account_reasons(number: str, bank_code: str) -> tuple[Unmet, ...]:
    """Return why this cannot be an account: its number, or the code of its bank; without blanks, in capitals."""
    bic = BIC.fullmatch(bank_code)
    is_chinese = CNAPS.fullmatch(bank_code) is not None or (bic is not None and bic["country"] == "CN")
    reasons = () if is_chinese or bic else (unmet("bank_code_wrong", value=bank_code[:40]),)
    return (*_number_reasons(number, is_chinese=is_chinese), *reasons)


def _number_reasons(number: str, *, is_chinese: bool) -> tuple[Unmet, ...]:
    if not (number.isascii() and number.isalnum() and len(number) <= LONGEST):
        return (unmet("account_number_wrong", limit=LONGEST),)
    if is_chinese:
        return () if CHINESE_ACCOUNT.fullmatch(number) else (unmet("account_not_digits"),)
    return (unmet("iban_check_wrong"),) if IBAN.fullmatch(number) and not is_iban(number) else ()


def is_iban(number: str) -> bool:
    """Say whether the check digits of an IBAN are right: moved to the end, letters as 10 to 35, it leaves 1 by 97."""
    moved = number[4:] + number[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % _MOST_OF_IBAN == 1
