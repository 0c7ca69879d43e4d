"""What became of a file, or would: counts, sums, the first rows of each fate. Memory does not grow with the file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TypeAlias

from lifecycle.imports.arrivals import Arrived, Fate, Settled
from lifecycle.imports.differences import Change
from lifecycle.imports.outcome import Outcome, RowError, RowSkipped

MOVED = (Fate.NEW, Fate.CHANGED)
"""Fates of rows that bring something."""
SHOWN = 200
"""Errors, and rows of each fate, that a report keeps; every error goes to the listener."""
Named: TypeAlias = tuple[str, str, str]
"""Columns of the number, the name and the applicant; an empty one where the table has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row as it is shown with what became of it."""

    row: int
    fate: Fate
    key: str
    """Its number in the table."""
    name: str
    organisation: str = ""
    stage: str = ""
    number: str = ""
    changes: tuple[Change, ...] = ()
    errors: tuple[RowError, ...] = ()


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of the file."""

    fates: Counter[Fate] = field(default_factory=Counter)
    """Rows by what became of them, or would become; an error of the whole file counts as one wrong row."""
    stages: Counter[str] = field(default_factory=Counter)
    """New projects by stage."""
    organisations: int = 0
    notices: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    errors: list[RowError] = field(default_factory=list)
    """The first of them."""
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(label, currency) -> minor units that new and changed rows report."""
    lines: dict[Fate, list[Line]] = field(default_factory=lambda: {fate: [] for fate in Fate})
    """The first rows of each fate."""
    is_written: bool = False
    """Whether anything was stored."""
    since: int = 0
    """Row of the file behind which it begins."""
    through: int = 0
    """Row of the file up to which it tells; an error of the whole file stands where it was met."""
    last_wrong: int | None = -1
    room: int = SHOWN
    """So many rows that bring something are listed; of a file in parts that is all of them together."""

    def onwards(self) -> "Report":
        """Return the part of a report that follows this one: it begins with what did not move anything yet."""
        is_moved = self.is_moved
        return Report(
            fates=Counter() if is_moved else Counter(self.fates),
            organisations=0 if is_moved else self.organisations,
            since=self.through if is_moved else self.since,
            through=self.through,
            last_wrong=self.last_wrong,
            room=self.room - len(self.moved()),
        )

    @property
    def is_moved(self) -> bool:
        """Say whether a row brings something."""
        return any(self.fates[fate] for fate in MOVED)

    @property
    def rows(self) -> int:
        """Rows below the header."""
        return sum(self.fates.values())

    @property
    def wrong(self) -> int:
        """Rows that cannot come in."""
        return self.fates[Fate.WRONG]

    def add(self, outcomes: Sequence[Outcome], arrived: Arrived) -> tuple[RowError, ...]:
        """Count a chunk and return its errors by row."""
        self.organisations += arrived.organisations
        for item in arrived.settled:
            if item.error is None:
                self.fates[item.fate] += 1
                self.notices.update(notice.code for notice in item.row.notices)
            if item.fate is Fate.NEW:
                self.stages[str(item.row.stage)] += 1
            if item.fate in MOVED:
                for one in item.row.money:
                    self.totals[one.label, one.currency] += one.amount_minor
            if item.error is None:
                self._show(_line(item))
        for outcome in outcomes:
            self.through = place_of(outcome, self.through)
            if isinstance(outcome, RowSkipped):
                self.fates[Fate.SKIPPED] += 1
                self.skipped[outcome.code] += 1
        errors = [outcome for outcome in outcomes if isinstance(outcome, RowError)]
        errors += [item.error for item in arrived.settled if item.error is not None]
        return self.blame(errors)

    def show_wrong(self, errors: Sequence[RowError], named: Named) -> None:
        """Show the rows that the errors are about, by what stands in the columns that name a row."""
        for number, those in groupby(errors, key=lambda error: error.row or 0):
            told = tuple(those)
            key, name, organisation = (told[0].cells.get(column, "") for column in named)
            line = Line(row=number, fate=Fate.WRONG, key=key, name=name, organisation=organisation, errors=told)
            shown = self.lines[Fate.WRONG]
            if shown and shown[-1].row == number:  # the rest of its errors came with the next chunk
                shown[-1] = replace(line, errors=(*shown[-1].errors, *told))
            else:
                self._show(line)

    def _show(self, line: Line) -> None:
        if len(self.lines[line.fate]) < SHOWN:
            self.lines[line.fate].append(line)

    def shown(self, fate: Fate | None = None) -> list[Line]:
        """Return the first rows of one fate, or of all: those that are wrong first, else in the order of the file."""
        if fate is not None:
            return self.lines[fate]
        every = (line for lines in self.lines.values() for line in lines)
        return sorted(every, key=lambda line: (line.fate is not Fate.WRONG, line.row))[:SHOWN]

    def moved(self) -> list[Line]:
        """Return the first rows that bring something."""
        return sorted((line for fate in MOVED for line in self.lines[fate]), key=lambda line: line.row)[: self.room]

    def blame(self, errors: Sequence[RowError]) -> tuple[RowError, ...]:
        """Count the rows that the errors are about, and return the errors in the order of the file."""
        in_order = sorted(errors, key=lambda error: error.row or 0)
        for error in in_order:
            self.fates[Fate.WRONG] += error.row != self.last_wrong
            self.last_wrong = error.row
        self.errors.extend(in_order[: SHOWN - len(self.errors)])
        return tuple(in_order)


def place_of(outcome: Outcome, before: int) -> int:
    """Return the row of an outcome; what is wrong with the whole file stands behind the row before."""
    return outcome.row or before + 1


def _line(item: Settled) -> Line:
    row = item.row
    return Line(
        row=row.row,
        fate=item.fate,
        key=row.key.partition(":")[2],
        name=row.name or "",
        organisation=row.organisation or "",
        stage=str(row.stage),
        number=item.number,
        changes=item.changes,
    )
