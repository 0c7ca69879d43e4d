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
from lifecycle.errors import LifecycleError
from lifecycle.imports.applicants import refused as refused_row
from lifecycle.imports.applicants import row_error
from lifecycle.imports.arrivals import Arrived, Destination, Fate, Reception, Settled
from lifecycle.imports.mapping import Mapping
from lifecycle.imports.outcome import Outcome, ProjectRow, RowError
from lifecycle.imports.problems import ValueProblem, shown
from lifecycle.imports.report import Named, Report, place_of
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
    """As `WHOLE` where one chunk holds it; a longer file, and its rest, goes in by chunks; others write in between."""


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


def _nothing(_session: Session, _report: Report) -> None:
    """Note nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What the caller gives: snapshots, transactions, and an ear for what goes on."""

    read: Run
    write: Run
    tell: Tell
    note: Note = _nothing
    """Called in each transaction that brings something in, with the report of what nobody was told of before."""
    told: int = 0
    """Row up to which an earlier run of the same sending came: what it wrote, and told of, is not asked again."""


class _Settle(Protocol):
    """Settles the rows of a chunk; those that are refused already are wrong."""

    def __call__(self, outcomes: Sequence[Outcome], refused: ByRow[int, RowError] = ..., /) -> Arrived:
        """Return what became of them."""


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
    is_long = how is How.PARTS and (seen.rows > CHUNK or door.told > 0)
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

        def settle(outcomes: Sequence[Outcome], _refused: ByRow[int, RowError] = NOTHING) -> Arrived:
            return self.door.read(lambda session: _settled(reception, session, outcomes, refused))

        return self._through(settle, Phase.CHECKING)

    def in_parts(self, total: int | None = None) -> Report:
        """Write the good rows of each chunk; a row that the database refuses stands alone in the end."""
        parts = _Parts(self)
        report = self._through(parts.settle, Phase.WRITING, total)
        parts.end()
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
                refused = {item.row.row: item.error for item in _split(at_work, self._tried).settled if item.error}
                if refused:
                    return self.checked(Reception.rehearsing(self.into, self.stamp), refused)
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError

    def _all(self, session: Session, total: int, at_work: list[ProjectRow]) -> Report:
        reception = Reception.writing(self.into, self.stamp)

        def settle(outcomes: Sequence[Outcome], refused: ByRow[int, RowError] = NOTHING) -> Arrived:
            at_work[:] = _rows(outcomes)
            return _settled(reception, session, outcomes, refused)

        report = self._through(settle, Phase.WRITING, total)
        if report.wrong:
            raise _Unfit(replace(report, is_written=False))
        if report.is_written:
            self.door.note(session, report)
        return report

    def _tried(self, outcomes: Sequence[Outcome], refused: ByRow[int, RowError] = NOTHING) -> Arrived:
        """Write the rows and take it back, to learn whether the database would have them."""
        found: list[Arrived] = []

        def work(session: Session) -> None:
            found[:] = [_settled(Reception.writing(self.into, self.stamp), session, outcomes, refused)]
            raise _Undo

        with suppress(_Undo):
            self.door.write(work)
        return found[0]

    def _through(self, settle: _Settle, phase: Phase, total: int | None = None) -> Report:
        report = Report(since=self.door.told, through=self.door.told)
        for outcomes in _chunks(self._untold()):
            errors = report.add(outcomes, settle(outcomes))
            report.show_wrong(errors, _named(self.mapping))
            self.door.tell(Step(phase=phase, rows=report.rows, total=total, errors=errors))
        report.is_written = phase is Phase.WRITING and report.is_moved
        return report

    def _untold(self) -> Iterator[Outcome]:
        place = 0
        for outcome in read_projects(self.path, self.mapping):
            place = place_of(outcome, place)
            if place > self.door.told:
                yield outcome


class _Parts:
    """Chunks that are written one by one, each with its part of what is told of the file."""

    def __init__(self, of: _Bringing) -> None:
        self._of, self._untold = of, Report(since=of.door.told, through=of.door.told)
        self._is_begun = bool(of.door.told)

    def settle(self, outcomes: Sequence[Outcome], _refused: ByRow[int, RowError] = NOTHING) -> Arrived:
        """Write a chunk."""
        return _split(outcomes, self._written)

    def end(self) -> None:
        """Tell of the rows behind the last one that moved something."""
        if self._is_begun and self._untold.rows:
            self._of.door.write(lambda session: self._of.door.note(session, self._untold))

    def _written(self, outcomes: Sequence[Outcome], refused: ByRow[int, RowError] = NOTHING) -> Arrived:
        of = self._of

        def work(session: Session) -> tuple[Arrived, Report]:
            arrived = _settled(Reception.writing(of.into, of.stamp), session, outcomes, refused)
            part = self._untold.onwards()
            part.add(outcomes, arrived)
            if part.is_moved:
                of.door.note(session, part)
            return arrived, part

        try:
            arrived, part = of.door.write(work)
        except LifecycleError as error:
            if not self._is_begun:
                raise
            # Earlier chunks are in: who may not go on by now has an error in each row that is left.
            return self._written(outcomes, {row.row: refused_row(row, error) for row in _rows(outcomes)})
        self._untold, self._is_begun = part.onwards(), self._is_begun or part.is_moved
        return arrived


def _settled(
    reception: Reception, session: Session, outcomes: Sequence[Outcome], refused: ByRow[int, RowError]
) -> Arrived:
    rows = _rows(outcomes)
    good = [row for row in rows if row.row not in refused]
    arrived = reception.settle(session, good) if good else Arrived()
    bad = (Settled(row=row, fate=Fate.WRONG, error=refused[row.row]) for row in rows if row.row in refused)
    return replace(arrived, settled=(*arrived.settled, *bad))


def _rows(outcomes: Sequence[Outcome]) -> list[ProjectRow]:
    return [outcome for outcome in outcomes if isinstance(outcome, ProjectRow)]


def _named(mapping: Mapping) -> Named:
    column_of = {rule.to: rule.column for rule in mapping.columns}
    return mapping.row_key[0], column_of.get("name", ""), column_of.get("organisation", "")


def _chunks(outcomes: Iterator[Outcome]) -> Iterator[list[Outcome]]:
    while chunk := list(islice(outcomes, CHUNK)):
        yield chunk


def _split(outcomes: Sequence[Outcome], settle: _Settle) -> Arrived:
    """Settle the rows; when the database refuses them, halve them until the row that it means stands alone."""
    try:
        return settle(outcomes)
    except StatementError as error:
        rows = _rows(outcomes)
        if not rows or not _blames_rows(error):
            raise
        if len(rows) == 1:
            reason = shown(str(getattr(error, "orig", None) or error).partition("\n")[0])
            problem = ValueProblem("database_refused", "database", reason=reason)
            return settle(outcomes, {rows[0].row: row_error(rows[0], problem)})
    half = len(outcomes) // 2
    first, second = _split(outcomes[:half], settle), _split(outcomes[half:], settle)
    return Arrived(settled=(*first.settled, *second.settled), organisations=first.organisations + second.organisations)


def _blames_rows(error: StatementError) -> bool:
    """Say whether a value is to blame, not the state of the database: a full disk refuses every row."""
    raised = isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", None) == _RAISED
    return isinstance(error, IntegrityError | DataError) or type(error) is StatementError or raised
