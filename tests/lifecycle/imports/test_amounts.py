"""Amounts get the same verdict from a CSV file, and from text and number cells of a workbook."""

import csv
from pathlib import Path

import pytest

from lifecycle.imports.rows import RowError, RowSkipped
from tests.amounts import CORPUS, NUMBERS, of_fact
from tests.lifecycle.imports.tables import GOOD, HEADER, mapping, outcomes, xlsx_file

ASKED = [(text, of_fact(verdict)) for text, verdict in CORPUS if text]
"""An empty cell is no amount at all: nothing was reported."""


def verdicts(path: Path, tmp_path: Path) -> list[int | str]:
    """The amount of each row, or the code it is refused with: the last one, after what a table says of formulas."""
    found: dict[int | None, int | str] = {}
    for one in outcomes(path, mapping(tmp_path)):
        assert not isinstance(one, RowSkipped)
        found[one.row] = one.code if isinstance(one, RowError) else one.money[0].amount_minor
    return list(found.values())


def rows(values: list[object]) -> list[list[object]]:
    return [[*HEADER], *([f"P{number}", *GOOD[1:-1], value] for number, value in enumerate(values))]


class TestEveryDoor:
    def test_of_a_csv_file_gives_the_verdict_of_the_corpus(self, tmp_path: Path) -> None:
        with (tmp_path / "book.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows([text for text, _ in ASKED]))

        assert verdicts(tmp_path / "book.csv", tmp_path) == [verdict for _, verdict in ASKED]

    def test_of_a_text_cell_gives_the_verdict_of_the_corpus(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, rows([text for text, _ in ASKED]))
        for cell in book.active["H"]:
            cell.data_type = "s"
        book.save(path)

        assert verdicts(path, tmp_path) == [verdict for _, verdict in ASKED]

    @pytest.mark.parametrize(("number", "verdict"), NUMBERS)
    def test_of_a_number_cell_gives_the_verdict_of_its_digits(
        self, tmp_path: Path, number: float, verdict: int | str
    ) -> None:
        path, book = xlsx_file(tmp_path, rows([number]))
        book.save(path)

        assert verdicts(path, tmp_path) == [of_fact(verdict)]
