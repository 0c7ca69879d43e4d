"""What another version of a standard would have said: gates judged by two packs on the same records, side by side.

The judgement is the one of every gate (`stages.judgement`); nothing is written, and neither pack need be published.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, union_all
from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.stages.judgement import judge_stage
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.pack import Criterion, Pack
from lifecycle.standards.part import Text
from lifecycle.verdicts.packs import packs_of, registers_until
from lifecycle.verdicts.records import Desk
from lifecycle.verdicts.shelf import Shelf
from models.programmes import StandardPack
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
    title: Text
    """As the first of the packs that has it calls it."""
    failing: Sequence[Judged]
    passing: Sequence[Judged]
    staying: int
    """Gates of which it says the same by both packs."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """Gates in the order of their projects' numbers."""

    at: tuple[str, ...]
    """The gates at which the packs ask for different things; only these are judged."""
    gates: Sequence[Judged]
    is_cut: bool
    """There are more than were looked at."""
    packs: Sequence[Pack]
    """The newer one, the one that it would replace, then what there was besides."""

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
        staying = asked - len(failing) - len(passing)
        title = next(pack for pack in self.packs if pack.has(clause)).criterion(clause).title
        return Clause(clause=clause, title=title, failing=failing, passing=passing, staying=staying)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a version would mean for projects that have frozen another one."""

    now: Round
    """The present gates of those that have not ended and have frozen the version that it would replace."""
    past: Round
    """The gates that projects under any of the older versions passed, each on the records of that day."""

    def table(self, named: Container[UUID] | None = None) -> list[dict[str, Any]]:
        """Return every clause of both rounds; of the projects those `named` are told by number, else all."""

        def numbers(gates: Sequence[Judged]) -> list[str]:
            return [one.project.number for one in gates if named is None or one.project.id in named]

        return [
            {
                "gates_judged": kind,
                "clause": one.clause,
                "title": one.title,
                "newly_failing": len(one.failing),
                "newly_passing": len(one.passing),
                "staying": one.staying,
                "projects_failing": numbers(one.failing),
                "projects_passing": numbers(one.passing),
                "is_cut": round_.is_cut,
            }
            for kind, round_ in (("present", self.now), ("passed", self.past))
            for one in round_.clauses
        ]


def simulated(session: Session, old: Pack, new: Pack, stamp: Stamp, zone: tzinfo) -> Simulation:
    """Judge projects by the pack that they have frozen and by another one: the first by number.

    Those under way are of the version `old`; passed gates are judged of that one and of all others with `new`'s code.
    """
    sha256 = library.sha256(old)
    bench = _Bench(session, {sha256: old, **_versions(session, new)}, new, stamp)
    stages = bench.stages[sha256]
    passed, are_more = bench.passed(zone)
    living = bench.living(sha256) if stages else []
    packs = (new, *bench.packs.values())
    return Simulation(
        now=Round(
            at=_gates(stages),
            gates=bench.judged(living[:MOST_PROJECTS]),
            is_cut=len(living) > MOST_PROJECTS,
            packs=packs,
        ),
        past=Round(
            at=_gates(frozenset().union(*bench.stages.values())),
            gates=bench.judged_then(passed[:MOST_GATES]),
            is_cut=are_more or len(passed) > MOST_GATES,
            packs=packs,
        ),
    )


def _versions(session: Session, new: Pack) -> dict[str, Pack]:
    """Return the other published versions of a standard by their hashes."""
    pack = table_of(StandardPack)
    others = select(pack.c.sha256).where(pack.c.code == new.code, pack.c.pack_version != new.version)
    return packs_of(session, session.scalars(others))


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


def _gates(stages: Collection[ProjectState]) -> tuple[str, ...]:
    return tuple(_gate(stage) for stage in STAGES if stage in stages)


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
    """The packs that projects have frozen and the one they are judged by besides, and the rows that these look at."""

    def __init__(self, session: Session, packs: Mapping[str, Pack], new: Pack, stamp: Stamp) -> None:
        self.session, self.packs, self.new, self.stamp = session, packs, new, stamp
        self.stages = {
            sha256: frozenset(stage for stage in STAGES if _says_otherwise(pack, new, stage))
            for sha256, pack in packs.items()
        }

    def living(self, sha256: str) -> Sequence[Any]:
        """Return projects at a stage whose gate may be judged differently, one more than are judged."""
        at_these = _PROJECT.c.stage.in_(self.stages[sha256])
        return self.session.execute(_frozen(sha256).where(at_these).limit(MOST_PROJECTS + 1)).all()

    def judged(self, rows: Sequence[Any]) -> list[Judged]:
        """Judge the present gates of these projects."""
        shelf = self._shelf(rows)
        return [self._judged(row, shelf, self.stamp.today) for row in rows]

    def passed(self, zone: tzinfo) -> tuple[list[_Then], bool]:
        """Return projects as they were when they last passed gates that may be judged differently; are there more."""
        rows = self._beyond()
        runs = rows_by(
            self.session, StageRun, "project_id", [row.id for row in rows[:MOST_PROJECTS]], "opened_on", "visit"
        )
        then = [
            _Then(row, run, datetime.combine(run.closed_on + timedelta(days=1), time(), zone))
            for row in rows[:MOST_PROJECTS]
            for run in {run.stage: run for run in runs.get(row.id, ()) if _is_passed(run)}.values()
            if run.stage in self.stages[row.pack_sha256]
        ]
        return then, len(rows) > MOST_PROJECTS

    def _beyond(self) -> list[Any]:
        """Return projects beyond the first stage whose gate may be judged differently, by number, one too many."""
        each = [
            _frozen(sha256).where(_PROJECT.c.stage.not_in(STAGES[: min(map(STAGES.index, stages)) + 1]))
            for sha256, stages in self.stages.items()
            if stages
        ]
        if not each:
            return []
        some = union_all(*(select(one.limit(MOST_PROJECTS + 1).subquery()) for one in each)).subquery()
        return list(self.session.execute(select(some).order_by(some.c.number).limit(MOST_PROJECTS + 1)))

    def judged_then(self, passed: Sequence[_Then]) -> list[Judged]:
        """Judge gates that were passed, on what was there then."""
        shelf = self._shelf(passed)
        return [self._judged(row, shelf.then(row, row.end), row.run.closed_on) for row in passed]

    def _shelf(self, rows: Sequence[Any]) -> Shelf:
        asked = {(row.pack_sha256, ProjectState(row.stage)) for row in rows}
        read = (registers_until(pack, stage) for sha256, stage in asked for pack in (self.packs[sha256], self.new))
        return Shelf(self.session, rows, frozenset().union(*read))

    def _judged(self, row: Any, shelf: Shelf, day: date) -> Judged:
        before, after = (self._passes(pack, row, shelf, day) for pack in (self.packs[row.pack_sha256], self.new))
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


def _frozen(sha256: str) -> Select[Any]:
    return select(_PROJECT).where(_PROJECT.c.pack_sha256 == sha256).order_by(_PROJECT.c.number)


def _is_passed(run: Any) -> bool:
    return run.state == StageRunState.PASSED and run.closed_on is not None


def _place(clause: str) -> tuple[str, int]:
    gate, _, number = clause.partition(".")
    return gate, int(number)


_PROJECT = table_of(Project)
