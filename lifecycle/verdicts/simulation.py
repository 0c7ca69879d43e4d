"""What another version of a standard would have said: gates judged by two packs on the same records, side by side.

The judgement is the one of every gate (`stages.judgement`); nothing is written, and neither pack need be published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.stages.judgement import judge_stage
from lifecycle.stages.rules import RULES
from lifecycle.standards.pack import Criterion, Pack
from lifecycle.verdicts.packs import registers_until
from lifecycle.verdicts.records import Desk
from lifecycle.verdicts.shelf import Shelf
from models.projects import Project, StageRun
from models.reading import rows_by, table_of
from models.states import STAGES, ProjectState, StageRunState

MOST_PROJECTS = 200
"""Projects whose present gate is judged, and as many whose passed gates are; more would keep a page waiting."""
MOST_GATES = 200
"""Passed gates that are judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One gate of one project, judged by both packs; a clause that only one of them has is nothing to fail at there."""

    project: Any
    """Its row: id, number, name."""
    gate: str
    on: date
    """The day as of which it is judged: today, or the day on which the gate was passed."""
    asked: tuple[str, ...]
    """The clauses of both packs."""
    failing: tuple[str, ...]
    """What passes by the older pack and would not by the newer one."""
    passing: tuple[str, ...]
    """What does not pass by the older pack and would by the newer one."""
    open: tuple[str, ...]
    """What passes by neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause over all gates that were judged."""

    clause: str
    failing: Sequence[Judged]
    passing: Sequence[Judged]
    staying: int
    """Gates of which it says the same by both packs."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """Gates in the order of their projects' numbers."""

    gates: Sequence[Judged]
    is_cut: bool
    """There are more projects than were looked at."""

    @cached_property
    def failing(self) -> Sequence[Judged]:
        """The gates that would newly fail at something."""
        return [one for one in self.gates if one.failing]

    @cached_property
    def open(self) -> Sequence[Judged]:
        """The gates at which something passes by neither pack."""
        return [one for one in self.gates if one.open]

    @cached_property
    def clauses(self) -> Sequence[Clause]:
        """Every clause of the gates that were judged, by number."""
        known = dict.fromkeys(clause for one in self.gates for clause in one.asked)
        return [self._clause(clause) for clause in sorted(known, key=_place)]

    def _clause(self, clause: str) -> Clause:
        failing = [one for one in self.gates if clause in one.failing]
        passing = [one for one in self.gates if clause in one.passing]
        asked = sum(clause in one.asked for one in self.gates)
        return Clause(clause=clause, failing=failing, passing=passing, staying=asked - len(failing) - len(passing))


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a change from one pack to another means for projects that have frozen the older one."""

    gates: tuple[str, ...]
    """The gates at which the packs ask for different things; only these are judged."""
    now: Round
    """The present gates of those that have not ended."""
    past: Round
    """The gates that they and the ended ones passed, each on the records of the day on which it was passed."""


def simulated(session: Session, sha256: str, old: Pack, new: Pack, stamp: Stamp, zone: tzinfo) -> Simulation:
    """Judge the projects that have frozen the pack of this hash by it and by another one, the first by number."""
    stages = tuple(stage for stage in STAGES if _says_otherwise(old, new, stage))
    project = table_of(Project)
    frozen = select(project).where(project.c.pack_sha256 == sha256).order_by(project.c.number)
    at_these = frozen.where(project.c.stage.in_(stages))
    beyond = frozen.where(project.c.stage.not_in(STAGES[: STAGES.index(stages[0]) + 1] if stages else STAGES))
    bench = _Bench(session, old, new, stamp)
    now, past = (
        session.execute(asked.limit(MOST_PROJECTS + 1)).all() if stages else [] for asked in (at_these, beyond)
    )
    passed = bench.passed(past[:MOST_PROJECTS], stages, zone)
    return Simulation(
        gates=tuple(map(_gate, stages)),
        now=Round(gates=bench.judged(now[:MOST_PROJECTS]), is_cut=len(now) > MOST_PROJECTS),
        past=Round(
            gates=bench.judged_then(passed[:MOST_GATES]), is_cut=len(past) > MOST_PROJECTS or len(passed) > MOST_GATES
        ),
    )


def _says_otherwise(old: Pack, new: Pack, stage: ProjectState) -> bool:
    """Say whether the two may judge a gate differently: a verdict follows from criteria and types of evidence."""
    return old.evidence_types != new.evidence_types or _reached(old, stage) != _reached(new, stage)


def _reached(pack: Pack, stage: ProjectState) -> dict[str, Criterion]:
    """Return the criteria of a stage, and those elsewhere that have to be met before them."""
    found: dict[str, Criterion] = {}
    waiting = list(pack.stage(stage).criteria)
    while waiting:
        one = waiting.pop()
        if one.id not in found:
            found[one.id] = one
            waiting += [pack.criterion(clause) for clause in one.after]
    return found


def _gate(stage: ProjectState) -> str:
    return f"G{STAGES.index(stage) + 1}"


class _Then:
    """A project's row as it was when one of its visits ended."""

    def __init__(self, row: Any, run: Any, end: datetime) -> None:
        self._row, self.end, self.run = row, end, run
        self.stage, self.stage_run_id = run.stage, run.id
        self.platform_since_at = self._until(row.platform_since_at)
        self.receiver_since_at = self._until(row.receiver_since_at)
        restart = row.last_restart_on
        self.last_restart_on = restart if restart is not None and restart <= run.closed_on else None

    def _until(self, at: datetime | None) -> datetime | None:
        return at if at is not None and at < self.end else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


class _Bench:
    """Both packs, and the rows that either of them looks at."""

    def __init__(self, session: Session, old: Pack, new: Pack, stamp: Stamp) -> None:
        self.session, self.packs, self.stamp = session, (old, new), stamp

    def judged(self, rows: Sequence[Any]) -> list[Judged]:
        """Judge the present gates of these projects."""
        shelf = self._shelf(rows)
        return [self._judged(row, shelf, self.stamp.today) for row in rows]

    def passed(self, rows: Sequence[Any], stages: Sequence[ProjectState], zone: tzinfo) -> list[_Then]:
        """Return these projects as they were when they last passed the gates of these stages."""
        runs = rows_by(self.session, StageRun, "project_id", [row.id for row in rows], "opened_on", "visit")
        return [
            _Then(row, run, datetime.combine(run.closed_on + timedelta(days=1), time(), zone))
            for row in rows
            for run in {run.stage: run for run in runs.get(row.id, ()) if _is_passed(run)}.values()
            if run.stage in stages
        ]

    def judged_then(self, passed: Sequence[_Then]) -> list[Judged]:
        """Judge gates that were passed, on what was there then."""
        shelf = self._shelf(passed)
        return [self._judged(row, shelf.then(row, row.end), row.run.closed_on) for row in passed]

    def _shelf(self, rows: Sequence[Any]) -> Shelf:
        stages = {ProjectState(row.stage) for row in rows}
        read = frozenset().union(*(registers_until(pack, stage) for pack in self.packs for stage in stages))
        return Shelf(self.session, rows, read)

    def _judged(self, row: Any, shelf: Shelf, day: date) -> Judged:
        before, after = (self._passes(pack, row, shelf, day) for pack in self.packs)
        asked = tuple(sorted({*before, *after}, key=_place))
        said = {clause: (before.get(clause, True), after.get(clause, True)) for clause in asked}

        def those(*both: bool) -> tuple[str, ...]:
            return tuple(clause for clause in asked if said[clause] == both)

        return Judged(
            project=row,
            gate=_gate(ProjectState(row.stage)),
            on=day,
            asked=asked,
            failing=those(True, False),  # noqa: FBT003 - what both said
            passing=those(False, True),  # noqa: FBT003
            open=those(False, False),  # noqa: FBT003
        )

    def _passes(self, pack: Pack, row: Any, shelf: Shelf, day: date) -> dict[str, bool]:
        records = Desk(shelf, {row.pack_sha256: pack}).records(row, day)
        calendar = self.stamp.calendar.of(row.programme_id)
        return {one.clause: one.passes for one in judge_stage(pack, records, calendar=calendar, rules=RULES)}


def _is_passed(run: Any) -> bool:
    return run.state == StageRunState.PASSED and run.closed_on is not None


def _place(clause: str) -> tuple[str, int]:
    gate, _, number = clause.partition(".")
    return gate, int(number)
