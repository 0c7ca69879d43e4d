"""Keys are UUIDv7, grow, and repeat only where a rehearsal asks for it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import RandomIds, SeededIds, ids_from, new_id, using_ids, uuid7


class TestUuid7:
    @given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
    def test_carries_its_time_version_and_variant(self, unix_ms: int, tail: int) -> None:
        made = uuid7(unix_ms, tail)

        assert (made.version, made.variant) == (7, RFC_4122)
        assert made.int >> 80 == unix_ms
        assert (made.int >> 64 & 0xFFF) << 62 | made.int & (2**62 - 1) == tail

    @pytest.mark.parametrize(("unix_ms", "tail"), [(-1, 0), (2**48, 0), (0, -1), (0, 2**74)])
    def test_refuses_what_does_not_fit(self, unix_ms: int, tail: int) -> None:
        with pytest.raises(ValueError, match=r"range|bits"):
            uuid7(unix_ms, tail)


class TestRandomIds:
    def test_each_is_greater_than_the_one_before(self) -> None:
        ids = RandomIds()
        made = [ids.new() for _ in range(5_000)]
        assert made == sorted(set(made))

    def test_threads_never_get_the_same(self) -> None:
        ids = RandomIds()
        with ThreadPoolExecutor(4) as pool:
            made = [one for part in pool.map(lambda _: [ids.new() for _ in range(500)], range(4)) for one in part]
        assert len(set(made)) == 2_000


class TestSeededIds:
    def test_the_same_seed_gives_the_same_row_in_order(self) -> None:
        first, second = SeededIds(7), SeededIds(7)
        row = [first.new() for _ in range(100)]
        assert row == [second.new() for _ in range(100)] == sorted(row)

    def test_another_seed_gives_another_row(self) -> None:
        assert SeededIds(7).new() != SeededIds(8).new()


class TestNewId:
    def test_takes_the_source_in_use_and_goes_back_to_random(self) -> None:
        with using_ids(SeededIds(7)):
            seeded = new_id()

        assert seeded == SeededIds(7).new()
        assert new_id() != new_id()


class TestIdsFrom:
    def test_reads_both_kinds(self) -> None:
        assert isinstance(ids_from("random"), RandomIds)
        assert ids_from("seed:42").new() == SeededIds(42).new()

    @pytest.mark.parametrize("wrong", ["", "seed", "seed:", "seed:-1", "seed:1.5", "seed:４２", "Random"])
    def test_refuses_anything_else(self, wrong: str) -> None:
        with pytest.raises(ValueError, match="expected 'random' or 'seed:N'"):
            ids_from(wrong)
