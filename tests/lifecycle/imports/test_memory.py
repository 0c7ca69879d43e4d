import tracemalloc
from pathlib import Path

import pytest

from lifecycle.imports.mapping import Mapping
from lifecycle.imports.rows import ProjectRow, read_projects
from tests.lifecycle.imports.tables import BASE, csv_file, mapping


def peak(path: Path, how: Mapping) -> tuple[int, int]:
    """Return the number of projects and the peak of memory while reading them one by one."""
    tracemalloc.start()
    try:
        count = sum(isinstance(item, ProjectRow) for item in read_projects(path, how))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def generated(tmp_path: Path, count: int) -> Path:
    rows = [["no", "title", "sum"], *([f"P{number}", f"机器人 {number}", "1200.50"] for number in range(count))]
    return csv_file(tmp_path, rows, name=f"{count}.csv")


@pytest.mark.long
class TestReading:
    def test_takes_no_more_memory_for_30_000_rows_than_for_3_000(self, tmp_path: Path) -> None:
        read = [rule for rule in BASE["columns"] if rule["column"] in ("title", "sum")]
        how = mapping(tmp_path, columns=read)
        peak(generated(tmp_path, 10), how)
        few, small = peak(generated(tmp_path, 3_000), how)
        many, large = peak(generated(tmp_path, 30_000), how)
        assert (few, many) == (3_000, 30_000)
        assert 0.8 <= large / small <= 1.2
