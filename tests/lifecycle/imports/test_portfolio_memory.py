import tracemalloc
from pathlib import Path

import pytest

from lifecycle.imports.mapping import Mapping
from lifecycle.imports.portfolio import How
from tests.factories import House
from tests.lifecycle.imports.bringing import brought
from tests.lifecycle.imports.tables import BASE, csv_file, mapping


def generated(tmp_path: Path, first: int, count: int) -> Path:
    numbers = range(first, first + count)
    rows = [["no", "title", "firm"], *([f"P{number}", f"机器人 {number}", f"Firm {number}"] for number in numbers)]
    return csv_file(tmp_path, rows, name=f"{count}.csv")


def peak(house: House, path: Path, how: Mapping, mode: How) -> tuple[int, int]:
    """Return the number of projects and the peak of memory while they come in."""
    tracemalloc.start()
    try:
        report = brought(house, path, how, mode=mode, programme="bare")
        return report.rows, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
class TestBringingIn:
    @pytest.mark.parametrize("mode", How)
    def test_takes_no_more_memory_for_30_000_rows_than_for_3_000(self, house: House, tmp_path: Path, mode: How) -> None:
        read = [rule for rule in BASE["columns"] if rule["column"] in ("title", "firm")]
        how = mapping(tmp_path, columns=read)
        peak(house, generated(tmp_path, 0, 500), how, mode)
        few, small = peak(house, generated(tmp_path, 1_000, 3_000), how, mode)
        many, large = peak(house, generated(tmp_path, 10_000, 30_000), how, mode)
        assert (few, many) == (3_000, 30_000)
        assert 0.8 <= large / small <= 1.2
