"""The rows of the one table that `make bench` prints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

HEAD = ("mark", "work", "figure", "ratio", "asked", "reached", "spread")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measured thing: what it did in absolute terms, and its ratio to the bare work in each run."""

    mark: str
    """Number of the mark; a dash where none was set."""
    work: str
    figure: str
    ratios: tuple[float, ...] = ()
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        """The median of the runs."""
        return median(self.ratios)

    @property
    def is_reached(self) -> bool | None:
        """Say whether the mark is reached; None where there is none."""
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return self.ratio <= self.at_most if self.at_most is not None else None

    def cells(self) -> tuple[str, ...]:
        """Return the row as it is printed."""
        asked = f"≥ {self.at_least}" if self.at_least is not None else f"≤ {self.at_most}" if self.at_most else "–"
        reached = {None: "–", True: "yes", False: "no"}[self.is_reached]
        if not self.ratios:
            return (self.mark, self.work, self.figure, "–", asked, reached, "–")
        half = (max(self.ratios) - min(self.ratios)) / 2 / self.ratio
        spread = f"± {half:.0%}" if len(self.ratios) > 1 else "–"
        return (self.mark, self.work, self.figure, f"{self.ratio:.2f}", asked, reached, spread)


def written(cells: Sequence[str]) -> str:
    """Return one line of the table, which is Markdown."""
    return f"| {' | '.join(cells)} |"


def lines(results: Iterable[Result]) -> list[str]:
    """Return the table."""
    return [written(HEAD), written(["---"] * len(HEAD)), *(written(result.cells()) for result in results)]
