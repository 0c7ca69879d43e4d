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
    rows = [["no", "title"], *([f"P{number}", f"机器人 {number}"] for number in numbers)]
    return csv_file(tmp_path, rows, name=f"{count}.csv")


def peak(house: House, path: Path, how: Mapping) -> tuple[int, int]:
    """Return the number of projects and the peak of memory while they come in."""
    tracemalloc.start()
    try:
        report = brought(house, path, how, mode=How.WHOLE, programme="bare")
        return report.rows, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.long
class TestBringingIn:
    def test_takes_no_more_memory_for_6_000_rows_than_for_600(self, house: House, tmp_path: Path) -> None:
        read = [rule for rule in BASE["columns"] if rule["column"] == "title"]
        # Ended projects have no visit: the fewest rows to write for each row read.
        stages = [{"stage": "stopped", "why": {"zh": "已终止", "en": "stopped"}}]
        how = mapping(tmp_path, columns=read, stages=stages)
        peak(house, generated(tmp_path, 0, 500), how)
        few, small = peak(house, generated(tmp_path, 1_000, 600), how)
        many, large = peak(house, generated(tmp_path, 10_000, 6_000), how)
        assert (few, many) == (600, 6_000)
        assert 0.8 <= large / small <= 1.2
