"""A row as a table holds it, before any mapping: texts, their place, and what is wrong with a cell as such."""

from dataclasses import dataclass

from lifecycle.imports.problems import ValueProblem

MAX_COLUMNS = 100
"""Columns of one table (limits table)."""


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A cell (or, with `index` None, the whole row) that a reader cannot give a text for."""

    index: int | None
    problem: ValueProblem


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row; `number` is what a spreadsheet shows at its left (from 1)."""

    number: int
    cells: list[str]
    problems: tuple[CellProblem, ...] = ()
    sheet: str = ""
    """Name of the sheet it stands in; none in a CSV file."""

    @property
    def is_blank(self) -> bool:
        """True when no cell holds anything but spaces."""
        return not self.problems and not any(cell and not cell.isspace() for cell in self.cells)


def column_letter(index: int) -> str:
    """Return the letters over the column with this index (0 is A, 26 is AA)."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
