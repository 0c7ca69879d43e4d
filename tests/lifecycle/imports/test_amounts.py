from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.imports.amounts import AmountProblem, parse_minor, parse_minor_or_zero
from models.money import MAX_MINOR

GOOD = [
    ("1", 100),
    ("0.01", 1),
    ("0.1", 10),
    ("0.10", 10),
    ("12345.60", 1_234_560),
    ("37626.00", 3_762_600),
    ("100000000000", MAX_MINOR),
    ("99999999999.99", MAX_MINOR - 1),
]
WRONG = [
    ("", "amount_empty"),
    (" ", "amount_empty"),
    ("\t", "amount_empty"),
    ("0", "amount_zero"),
    ("0.0", "amount_zero"),
    ("0.00", "amount_zero"),
    ("-0", "amount_sign"),
    ("-1", "amount_sign"),
    ("+1", "amount_sign"),
    ("1-", "amount_sign"),
    ("(1)", "amount_sign"),
    ("−1", "amount_sign"),
    ("－1", "amount_sign"),
    ("-1e5", "amount_sign"),
    ("--1", "amount_sign"),
    ("1.234", "amount_decimals"),
    ("100.000", "amount_decimals"),
    ("12345.332", "amount_decimals"),
    ("55073831.17000001", "amount_decimals"),
    ("0.001", "amount_decimals"),
    ("1e5", "amount_exponent"),
    ("1E5", "amount_exponent"),
    ("1.5e+3", "amount_exponent"),
    ("1e-2", "amount_exponent"),
    ("1,234", "amount_separator"),
    ("1,234.56", "amount_separator"),
    ("1.234.567", "amount_separator"),
    ("1 234", "amount_separator"),
    ("1\u00a0234", "amount_separator"),
    ("1\u202f234", "amount_separator"),
    ("1'234", "amount_separator"),
    ("1’234", "amount_separator"),
    ("1_000", "amount_separator"),
    ("1٬234", "amount_separator"),
    ("12,50", "amount_separator"),
    ("1，234", "amount_separator"),
    ("12．50", "amount_separator"),
    (" 1", "amount_separator"),
    ("1 ", "amount_separator"),
    ("1\n", "amount_separator"),
    ("1\u3000", "amount_separator"),
    ("１２", "amount_digits"),
    ("١٢٣", "amount_digits"),
    ("१२", "amount_digits"),
    ("①", "amount_digits"),
    ("十二", "amount_digits"),
    ("100万元", "amount_digits"),
    ("²", "amount_digits"),
    ("½", "amount_digits"),
    ("nan", "amount_malformed"),
    ("NaN", "amount_malformed"),
    ("inf", "amount_malformed"),
    ("Infinity", "amount_malformed"),
    ("0x10", "amount_malformed"),
    ("1L", "amount_malformed"),
    ("$1", "amount_malformed"),
    ("¥1", "amount_malformed"),
    ("1USD", "amount_malformed"),
    (".5", "amount_malformed"),
    ("5.", "amount_malformed"),
    (".", "amount_malformed"),
    ("01", "amount_malformed"),
    ("00", "amount_malformed"),
    ("007.00", "amount_malformed"),
    ("1/2", "amount_malformed"),
    ("TRUE", "amount_malformed"),
    ("=1+1", "amount_malformed"),
    ("1\u200b", "amount_malformed"),
    ("100000000000.01", "amount_too_large"),
    ("100000000001", "amount_too_large"),
    ("9" * 39, "amount_too_large"),
    ("9" * 5000, "amount_malformed"),
]


def code_of(text: str, currency: str = "CNY", **how: str | int) -> str:
    with pytest.raises(AmountProblem) as caught:
        parse_minor(text, currency, **how)  # type: ignore[arg-type]
    return caught.value.code


class TestParseMinor:
    @pytest.mark.parametrize(("text", "minor"), GOOD)
    def test_takes_plain_digits_with_at_most_two_decimals(self, text: str, minor: int) -> None:
        assert parse_minor(text, "CNY") == minor

    @pytest.mark.parametrize(("text", "code"), WRONG, ids=ascii)
    def test_refuses_what_is_not_one_unmistakable_amount(self, text: str, code: str) -> None:
        assert code_of(text) == code

    @given(st.integers(min_value=1, max_value=MAX_MINOR))
    def test_reads_back_every_amount_it_may_hold(self, minor: int) -> None:
        assert parse_minor(str(Decimal(minor).scaleb(-2)), "EUR", 2) == minor

    @given(st.text(max_size=12))
    def test_answers_any_text_with_an_amount_or_its_refusal(self, text: str) -> None:
        try:
            minor = parse_minor(text, "USD")
        except AmountProblem:
            return
        assert 1 <= minor <= MAX_MINOR

    def test_counts_yen_without_decimals(self) -> None:
        assert parse_minor("500", "JPY") == 500
        assert code_of("500.0", "JPY") == "amount_decimals"

    @pytest.mark.parametrize("currency", ["", "RMB", "cny", "KWD", "XXX"])
    def test_refuses_a_currency_it_does_not_know(self, currency: str) -> None:
        assert code_of("1", currency) == "currency_unknown"


class TestThousandsSeparator:
    @pytest.mark.parametrize(
        ("text", "thousands", "minor"),
        [
            ("1,234,567.89", ",", 123_456_789),
            ("1234567.89", ",", 123_456_789),
            ("1.234.567,89", ".", 123_456_789),
            ("1234,5", ".", 123_450),
            ("1 234", " ", 123_400),
            ("1'234.5", "'", 123_450),
        ],
    )
    def test_is_taken_when_declared(self, text: str, thousands: str, minor: int) -> None:
        assert parse_minor(text, "EUR", thousands=thousands) == minor

    @pytest.mark.parametrize(
        ("text", "thousands"),
        [
            ("1,23", ","),
            ("1,2345", ","),
            ("0,123", ","),
            (",123", ","),
            ("1.23", "."),
            ("1234,567", ","),
            ("1,,234", ","),
        ],
    )
    def test_refuses_groups_that_are_not_of_three(self, text: str, thousands: str) -> None:
        assert code_of(text, "EUR", thousands=thousands) == "amount_separator"


class TestScale:
    def test_reads_ten_thousands_exactly(self) -> None:
        assert parse_minor("120.5", "CNY", scale=10_000) == 120_500_000
        assert parse_minor("0.000001", "CNY", scale=10_000) == 1

    def test_refuses_what_does_not_come_out_whole(self) -> None:
        assert code_of("0.0000001", scale=10_000) == "amount_decimals"


class TestParseMinorOrZero:
    def test_takes_the_zero_of_a_reported_fact(self) -> None:
        assert parse_minor_or_zero("0.00", "USD") == 0

    def test_refuses_minus_zero_all_the_same(self) -> None:
        with pytest.raises(AmountProblem):
            parse_minor_or_zero("-0", "USD")
