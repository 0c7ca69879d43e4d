"""A whole file comes in: looked through first, then written in one transaction; or its good rows in parts.

The door gives the transactions; here is what happens in them. Memory holds one chunk, however long the file.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as ByRow
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, StatementError
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.imports.applicants import row_error
from lifecycle.imports.arrivals import Arrived, Destination, Fate, Reception, Settled
from lifecycle.imports.mapping import Mapping
from lifecycle.imports.outcome import Outcome, ProjectRow, RowError
from lifecycle.imports.problems import ValueProblem, shown
from lifecycle.imports.report import MOVED, Named, Report
from lifecycle.imports.rows import read_projects

T = TypeVar("T")

CHUNK = 400
"""Rows that are looked up and written by one set of statements."""
NOTHING: ByRow[int, RowError] = MappingProxyType({})
_RAISED = "P0001"
"""A trigger of ours spoke (PostgreSQL)."""
ATTEMPTS = 2
"""A file that the database refuses, though every row of it may come in, met another import: it is tried once more."""


class Run(Protocol):
    """Does a piece of work in one transaction (or one snapshot), from the start again when a race was lost."""

    def __call__(self, work: Callable[[Session], T], /) -> T:
        """Return what the work returns."""


class How(StrEnum):
    """What is to be done with the file."""

    CHECK = "check"
    """Say what would become of each row, and write nothing."""
    WHOLE = "whole"
    """All rows in one transaction, or none of them when one is wrong."""
    PARTIAL = "partial"
    """The good rows, chunk by chunk in transactions of their own; the wrong ones are told."""
    PARTS = "parts"
    """As `WHOLE` where one chunk holds it; a longer file is written chunk by chunk, and others write in between."""


class Phase(StrEnum):
    """Which way through the file it is."""

    CHECKING = "checking"
    WRITING = "writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far it has come; `errors` are those of the last chunk."""

    phase: Phase
    rows: int
    total: int | None
    errors: tuple[RowError, ...] = ()


Tell: TypeAlias = Callable[[Step], None]
Note: TypeAlias = Callable[[Session, Report], None]
Settle: TypeAlias = Callable[[Sequence[ProjectRow]], Arrived]


def _nothing(_session: Session, _report: Report) -> None:
    """Note nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the caller gives: snapshots, transactions, and an ear for what goes on."""

    read: Run
    write: Run
    tell: Tell
    note: Note = _nothing
    """Called with the report in the transaction that writes the last of it, where anything is written."""


class _Unfit(Exception):
    """A row turned out wrong while everything or nothing was to be written."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__()


class _Undo(Exception):
    """Ends a transaction that was only tried."""


def bring_in(path: Path, mapping: Mapping, *, into: Destination, stamp: Stamp, how: How, door: Door) -> Report:
    """Bring the projects of a file in and say what became of its rows; repeated, it changes nothing.

    With `How.WHOLE` the file is looked through first, and written in one transaction only when no row is wrong (safety
    A16); while it is written nobody else writes on SQLite. Raises `LifecycleError` when the actor may not import.
    """
    bringing = _Bringing(path, mapping, into, stamp, door)
    if how is How.CHECK:
        return bringing.checked(Reception.rehearsing(into, stamp))
    if how is How.PARTIAL:
        return bringing.in_parts()
    seen = bringing.checked(Reception.promising(into, stamp) if how is How.WHOLE else Reception.rehearsing(into, stamp))
    if seen.wrong:
        return seen
    is_long = how is How.PARTS and seen.rows > CHUNK
    return bringing.in_parts(seen.rows) if is_long else bringing.whole(seen)


@dataclass(frozen=True, slots=True)
class _Bringing:
    """One file on its way in."""

    path: Path
    mapping: Mapping
    into: Destination
    stamp: Stamp
    door: Door

    def checked(self, reception: Reception, refused: ByRow[int, RowError] = NOTHING) -> Report:
        """Go through the file without writing; rows of which the database was found to refuse them are wrong."""

        def settle(rows: Sequence[ProjectRow]) -> Arrived:
            good = [row for row in rows if row.row not in refused]
            bad = [_wrong(row, refused[row.row]) for row in rows if row.row in refused]
            arrived = self.door.read(lambda session: reception.settle(session, good))
            return replace(arrived, settled=(*arrived.settled, *bad))

        return self._through(settle, Phase.CHECKING)

    def in_parts(self, total: int | None = None) -> Report:
        """Write the good rows of each chunk; a row that the database refuses stands alone in the end."""
        report = self._through(lambda rows: _split(rows, self._in_one_transaction), Phase.WRITING, total)
        if report.is_written:
            self.door.write(lambda session: self.door.note(session, report))
        return report

    def whole(self, checked: Report) -> Report:
        """Write all rows in one transaction, or none."""
        at_work: list[ProjectRow] = []
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.door.write(lambda session: self._all(session, checked.rows, at_work))
            except _Unfit as unfit:
                return unfit.report
            except StatementError as error:
                if not _blames_rows(error):
                    raise
                refused = {row.row: wrong for row, wrong in _refusals(_split(at_work, self._tried))}
                if refused:
                    return self.checked(Reception.rehearsing(self.into, self.stamp), refused)
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError

    def _all(self, session: Session, total: int, at_work: list[ProjectRow]) -> Report:
        reception = Reception.writing(self.into, self.stamp)

        def settle(rows: Sequence[ProjectRow]) -> Arrived:
            at_work[:] = rows
            return reception.settle(session, rows)

        report = self._through(settle, Phase.WRITING, total)
        if report.wrong:
            raise _Unfit(replace(report, is_written=False))
        if report.is_written:
            self.door.note(session, report)
        return report

    def _in_one_transaction(self, rows: Sequence[ProjectRow]) -> Arrived:
        return self.door.write(lambda session: Reception.writing(self.into, self.stamp).settle(session, rows))

    def _tried(self, rows: Sequence[ProjectRow]) -> Arrived:
        """Write the rows and take it back, to learn whether the database would have them."""
        found: list[Arrived] = []

        def work(session: Session) -> None:
            found[:] = [Reception.writing(self.into, self.stamp).settle(session, rows)]
            raise _Undo

        with suppress(_Undo):
            self.door.write(work)
        return found[0]

    def _through(self, settle: Settle, phase: Phase, total: int | None = None) -> Report:
        report = Report()
        for outcomes in _chunks(read_projects(self.path, self.mapping)):
            rows = [outcome for outcome in outcomes if isinstance(outcome, ProjectRow)]
            errors = report.add(outcomes, settle(rows) if rows else Arrived())
            report.show_wrong(errors, _named(self.mapping))
            self.door.tell(Step(phase=phase, rows=report.rows, total=total, errors=errors))
        is_writing = phase is Phase.WRITING
        report.is_written = is_writing and any(report.fates[fate] for fate in MOVED)
        return report


def _named(mapping: Mapping) -> Named:
    column_of = {rule.to: rule.column for rule in mapping.columns}
    return mapping.row_key[0], column_of.get("name", ""), column_of.get("organisation", "")


def _chunks(outcomes: Iterator[Outcome]) -> Iterator[list[Outcome]]:
    while chunk := list(islice(outcomes, CHUNK)):
        yield chunk


def _split(rows: Sequence[ProjectRow], settle: Settle) -> Arrived:
    """Settle the rows; when the database refuses them, halve them until the row that it means stands alone."""
    try:
        return settle(rows)
    except StatementError as error:
        if not _blames_rows(error):
            raise
        if len(rows) == 1:
            reason = shown(str(getattr(error, "orig", None) or error).partition("\n")[0])
            problem = ValueProblem("database_refused", "database", reason=reason)
            return Arrived(settled=(_wrong(rows[0], row_error(rows[0], problem)),))
    half = len(rows) // 2
    first, second = _split(rows[:half], settle), _split(rows[half:], settle)
    return Arrived(settled=(*first.settled, *second.settled), organisations=first.organisations + second.organisations)


def _blames_rows(error: StatementError) -> bool:
    """Say whether a value is to blame, not the state of the database: a full disk refuses every row."""
    raised = isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", None) == _RAISED
    return isinstance(error, IntegrityError | DataError) or type(error) is StatementError or raised


def _wrong(row: ProjectRow, error: RowError) -> Settled:
    return Settled(row=row, fate=Fate.WRONG, error=error)


def _refusals(arrived: Arrived) -> Iterator[tuple[ProjectRow, RowError]]:
    for item in arrived.settled:
        if item.error is not None:
            yield item.row, item.error
