import pytest

from lifecycle.reports.survival import lasting


class TestLasting:
    def test_without_anything_going_on_is_the_plain_quantile(self) -> None:
        found = lasting([(days, True) for days in range(1, 11)])

        assert (found.n, found.ended, found.median, found.p90) == (10, 10, 5, 9)

    def test_counts_what_goes_on_as_lasting_at_least_so_long(self) -> None:
        over = [(2, True), (4, True), (6, True), (8, True)]

        assert lasting(over).median == 4
        assert lasting([*over, (5, False), (7, False)]).median == 6  # by hand: 5/6, 4/6, 4/6 x 2/3 = 0.444 at 6

    @pytest.mark.parametrize("spells", [[], [(3, False)], [(1, True), (3, False), (3, False)]])
    def test_says_nothing_while_too_few_have_ended(self, spells: list[tuple[int, bool]]) -> None:
        assert lasting(spells).median is None
