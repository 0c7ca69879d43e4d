"""Interest on what is paid back late: from the day after the due day, on what is owed on each day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.endings.interest import Met, interest_of

DUE = date(2025, 3, 31)


def interest(*met: tuple[int, int], days: int, amount: int = 36_500_00, rate: int = 500) -> int:
    """Return the interest after so many days; parts as (day after the due day, amount)."""
    parts = [Met(DUE + timedelta(days=day), minor) for day, minor in met]
    return interest_of(amount, DUE, parts, rate_basis_points=rate, today=DUE + timedelta(days=days))


class TestInterest:
    def test_is_five_yuan_a_day_on_36500_at_five_percent(self) -> None:
        assert [interest(days=days) for days in (-3, 0, 1, 365)] == [0, 0, 5_00, 1_825_00]

    def test_ends_for_a_part_on_the_day_it_is_met(self) -> None:
        assert interest((10, 18_250_00), days=20) == 10 * 5_00 + 10 * 2_50
        assert interest((10, 36_500_00), days=400) == 10 * 5_00

    def test_is_not_asked_on_what_was_met_in_time(self) -> None:
        assert interest((0, 36_500_00), days=100) == interest((-9, 36_500_00), days=100) == 0

    def test_is_rounded_down(self) -> None:
        assert interest(days=1, amount=72_99) == 0
        assert interest(days=1, amount=73_00) == 1

    @given(
        st.lists(st.tuples(st.integers(-30, 90), st.integers(1, 10**6)), max_size=5),
        st.integers(-10, 120),
        st.integers(0, 10_000),
    )
    def test_is_the_sum_of_its_days(self, met: list[tuple[int, int]], days: int, rate: int) -> None:
        owed = sum(minor for _, minor in met) + 1_000
        by_day = sum(owed - sum(minor for on, minor in met if on < day) for day in range(1, days + 1))

        assert interest(*met, days=days, amount=owed, rate=rate) == by_day * rate // 3_650_000
