import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import MAX_MINOR, AmountProblem, Money, minor_of, minor_or_zero_of, within_limits
from tests.amounts import CORPUS, of_fact

amounts = st.integers(min_value=-MAX_MINOR, max_value=MAX_MINOR)
weights = st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=8).filter(any)


def yuan(minor: int) -> Money:
    return Money(minor, "CNY")


def verdict_of(text: str, currency: str = "CNY", **how: str | int) -> int | str:
    try:
        return minor_of(text, currency, **how)  # type: ignore[arg-type]
    except AmountProblem as problem:
        return problem.code


class TestParser:
    @pytest.mark.parametrize(("text", "verdict"), CORPUS, ids=ascii)
    def test_gives_the_verdict_of_the_corpus(self, text: str, verdict: int | str) -> None:
        assert verdict_of(text) == verdict

    @given(st.integers(min_value=1, max_value=MAX_MINOR))
    def test_reads_back_every_amount_it_may_hold(self, minor: int) -> None:
        assert minor_of(str(Decimal(minor).scaleb(-2)), "EUR") == minor

    @given(st.text(max_size=12))
    def test_answers_any_text_with_an_amount_or_its_refusal(self, text: str) -> None:
        verdict = verdict_of(text)

        assert 1 <= verdict <= MAX_MINOR if isinstance(verdict, int) else verdict.startswith("amount_")

    def test_counts_yen_without_decimals(self) -> None:
        assert verdict_of("500", "JPY") == 500
        assert verdict_of("500.0", "JPY") == "amount_decimals"

    @pytest.mark.parametrize("currency", ["", "RMB", "cny", "KWD", "XXX"])
    def test_refuses_a_currency_it_does_not_know(self, currency: str) -> None:
        assert verdict_of("1", currency) == "currency_unknown"

    @pytest.mark.parametrize(("text", "verdict"), [("0.00", 0), ("-0", "amount_sign"), ("7", 700)])
    def test_takes_the_zero_of_a_reported_fact_alone(self, text: str, verdict: int | str) -> None:
        try:
            assert minor_or_zero_of(text, "USD") == of_fact(verdict)
        except AmountProblem as problem:
            assert problem.code == verdict  # noqa: PT017 - one table, two kinds of answer


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
        assert verdict_of(text, "EUR", thousands=thousands) == minor

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
        assert verdict_of(text, "EUR", thousands=thousands) == "amount_separator"


class TestScale:
    def test_reads_ten_thousands_exactly(self) -> None:
        assert verdict_of("120.5", scale=10_000) == 120_500_000
        assert verdict_of("0.000001", scale=10_000) == 1

    def test_refuses_what_does_not_come_out_whole(self) -> None:
        assert verdict_of("0.0000001", scale=10_000) == "amount_decimals"

    def test_refuses_a_unit_nobody_counts_in(self) -> None:
        assert verdict_of("1", scale=7) == "amount_scale"


class TestWithinLimits:
    @pytest.mark.parametrize("minor", [1, MAX_MINOR])
    def test_takes_an_amount_at_the_limit(self, minor: int) -> None:
        assert within_limits(minor) == minor

    @pytest.mark.parametrize(
        ("given_", "code"),
        [
            (0, "amount_zero"),
            (-1, "amount_sign"),
            (MAX_MINOR + 1, "amount_too_large"),
            (1.0, "amount_malformed"),
            (True, "amount_malformed"),
            ("1", "amount_malformed"),
            (math.nan, "amount_malformed"),
            (None, "amount_malformed"),
        ],
    )
    def test_refuses_one_beyond_and_what_is_no_whole_number(self, given_: object, code: str) -> None:
        with pytest.raises(AmountProblem) as refused:
            within_limits(given_)  # type: ignore[arg-type]

        assert refused.value.code == code


class TestMoney:
    def test_adds_and_takes_away_within_one_currency(self) -> None:
        assert yuan(150) + yuan(50) - yuan(300) == -yuan(100)
        assert yuan(1) < yuan(2) <= yuan(2)
        assert Money(1, "EUR") != yuan(1)

    @pytest.mark.parametrize("act", [Money.__add__, Money.__sub__, Money.__lt__, Money.__le__])
    def test_refuses_to_mix_currencies(self, act: object) -> None:
        with pytest.raises(ValueError, match="CNY and EUR do not mix"):
            act(yuan(1), Money(1, "EUR"))  # type: ignore[operator]

    @pytest.mark.parametrize("minor", [1.0, True, Decimal(1), "1"])
    def test_is_made_of_whole_units_only(self, minor: object) -> None:
        with pytest.raises(TypeError):
            Money(minor, "CNY")  # type: ignore[arg-type]

    def test_is_made_of_a_currency_that_is_taken_in(self) -> None:
        with pytest.raises(AmountProblem, match="currency_unknown"):
            Money(1, "KWD")

    @pytest.mark.parametrize(
        ("money", "plain", "display"),
        [
            (yuan(120_000_000), "1200000.00", "¥1,200,000.00"),
            (yuan(1), "0.01", "¥0.01"),
            (yuan(0), "0.00", "¥0.00"),
            (yuan(-123_456), "-1234.56", "-¥1,234.56"),
            (Money(99_900, "EUR"), "999.00", "EUR 999.00"),
            (Money(1_500, "JPY"), "1500", "JPY 1,500"),
            (Money(-5, "KRW"), "-5", "-KRW 5"),
        ],
    )
    def test_shows_every_digit(self, money: Money, plain: str, display: str) -> None:
        assert (money.plain, money.display) == (plain, display)

    @given(st.integers(min_value=1, max_value=MAX_MINOR), st.sampled_from(["CNY", "JPY"]))
    def test_writes_what_the_parser_reads(self, minor: int, currency: str) -> None:
        assert minor_of(Money(minor, currency).plain, currency) == minor


class TestSplit:
    @pytest.mark.parametrize(
        ("minor", "shares", "parts"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (5, [1, 1, 1], [2, 2, 1]),
            (10, [40, 35, 25], [4, 4, 2]),  # 4, 3.5, 2.5: a tie of remainders goes by order
            (10, [25, 35, 40], [3, 3, 4]),
            (1, [1, 99], [0, 1]),
            (-100, [1, 1, 1], [-34, -33, -33]),
            (7, [0, 1, 0], [0, 7, 0]),
            (0, [3, 2], [0, 0]),
        ],
    )
    def test_gives_larger_remainders_first_then_by_order(self, minor: int, shares: list[int], parts: list[int]) -> None:
        assert [part.minor for part in yuan(minor).split(shares)] == parts

    @given(amounts, weights)
    def test_hands_out_every_unit_and_nobody_is_a_whole_unit_off(self, minor: int, shares: list[int]) -> None:
        parts = [part.minor for part in yuan(minor).split(shares)]

        assert sum(parts) == minor
        assert all(
            abs(part * sum(shares) - minor * share) < sum(shares) for part, share in zip(parts, shares, strict=True)
        )

    @pytest.mark.parametrize("shares", [[], [0], [0, 0], [1, -1], [3, -1]])
    def test_refuses_weights_that_share_nothing(self, shares: list[int]) -> None:
        with pytest.raises(ValueError, match="weights"):
            yuan(100).split(shares)
