"""Whom a change of version would touch: what a simulation says, in words, with the projects that the reader may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from lifecycle.projects.board import COUNTED
from lifecycle.projects.queries import living_count, living_under
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.simulation import Clause, Round, Simulation, simulated
from notifications.gates import in_language
from notifications.words import Lang
from web.listing import Column, Listing
from web.reading_rights import readable_projects, readable_projects_among
from web.render import Words
from web.session import Visit

MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clause: how many gates say something else of it, and which of those the reader may see."""

    clause: str
    title: str
    failing_count: int
    failing: Sequence[Any]
    passing_count: int
    passing: Sequence[Any]
    staying: int

    @property
    def is_moved(self) -> bool:
        """Say whether any gate says something else."""
        return self.failing_count + self.passing_count > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the gates of one kind say: present ones, or passed ones."""

    at: Sequence[str]
    """The gates at which the versions ask for different things."""
    count: int
    failing_count: int
    """Those that would newly fail at something."""
    open_count: int
    """Those at which something passes by neither version."""
    rows: Sequence[Row]
    """The clauses that move."""
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Whom a change of version would touch."""

    version: str
    """The one that projects have frozen."""
    count: str
    """Projects under way that have frozen it, counted as far as the board counts."""
    locked: Sequence[Any]
    """The first of them that the reader may see."""
    now: Told
    past: Told


def impact_of(session: Session, visit: Visit, old: Pack, new: Pack) -> Impact:
    """Return whom a change from one pack to another would touch; the newer one need not be stored."""
    sha256, words = library.sha256(old), Words(visit.lang, visit.house.zone)
    found, seen = _looked_ahead(session, visit, old, new)
    return Impact(
        version=old.version,
        count=words.at_least(living_count(session, sha256, most=COUNTED), COUNTED),
        locked=living_under(session, sha256, limit=MOST_NAMED, reach=readable_projects(visit.rights, visit.actor)),
        now=_told(found.now, seen, visit.lang),
        past=_told(found.past, seen, visit.lang),
    )


def table_of_clauses(session: Session, visit: Visit, old: Pack, new: Pack) -> Listing:
    """Return every clause of the gates that were judged: at how many it would say something else."""
    found, seen = _looked_ahead(session, visit, old, new)
    rows = [{**row, "title": in_language(row["title"], visit.lang)} for row in found.table(seen)]
    return Listing(name="simulation", columns=_CLAUSES, rows=rows)


def _looked_ahead(session: Session, visit: Visit, old: Pack, new: Pack) -> tuple[Simulation, Mapping[Any, Any]]:
    """Return the simulation, and the projects in it that the reader may see, by their ids."""
    found = simulated(session, old, new, visit.stamp, visit.house.zone)
    moved = {
        one.project.id: one.project
        for round_ in (found.now, found.past)
        for one in round_.gates
        if one.failing or one.passing
    }
    return found, {row.id: row for row in readable_projects_among(session, visit, list(moved.values()))}


def _told(found: Round, seen: Mapping[Any, Any], lang: Lang) -> Told:
    rows = [_row(one, seen, lang) for one in found.clauses]
    return Told(
        at=found.at,
        count=len(found.gates),
        failing_count=len(found.failing),
        open_count=len(found.open),
        rows=[row for row in rows if row.is_moved],
        is_cut=found.is_cut,
    )


def _row(one: Clause, seen: Mapping[Any, Any], lang: Lang) -> Row:
    return Row(
        clause=one.clause,
        title=in_language(one.title, lang),
        failing_count=len(one.failing),
        failing=[gate.project for gate in one.failing if gate.project.id in seen],
        passing_count=len(one.passing),
        passing=[gate.project for gate in one.passing if gate.project.id in seen],
        staying=one.staying,
    )


_CLAUSES = (
    Column(key="gates_judged", kind="word"),
    Column(key="clause"),
    Column(key="title"),
    Column(key="newly_failing", kind="number"),
    Column(key="newly_passing", kind="number"),
    Column(key="staying", kind="number"),
    Column(key="projects_failing", kind="list"),
    Column(key="projects_passing", kind="list"),
    Column(key="is_cut", kind="yes"),
)
