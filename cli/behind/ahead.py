"""What another version of a standard would change for projects: judged anew, printed clause by clause."""

from typing import Any

from sqlmodel import Session

from cli.behind.packs import known_pack
from cli.door import Door
from cli.output import Column
from lifecycle.actor import Actor
from lifecycle.errors import NotFound
from lifecycle.people.queries import replaced_by, versions_of
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from lifecycle.verdicts.simulation import Round, simulated
from notifications.gates import in_language
from notifications.words import Lang

_COLUMNS = (
    Column(key="gates_judged", kind="gates_judged"),
    Column(key="clause"),
    Column(key="newly_failing"),
    Column(key="newly_passing"),
    Column(key="staying"),
    Column(key="projects_failing", is_wide=True),
)


def simulate_pack(door: Door, standard: str, base: str) -> None:
    """Print at which clauses a standard would say something else than the one that projects have frozen."""
    new = known_pack(door, standard)

    def work(session: Session) -> tuple[Pack, Any]:
        old = _base(door, session, new, base)
        stamp = door.stamp(Actor.clock())
        sha256 = library.sha256(old)
        packs = {**versions_of(session, new.code, but=new.version), sha256: old}
        return old, simulated(session, sha256, packs, new, stamp, door.output.zone())

    old, found = door.read(work)
    rounds = (("present", found.now), ("passed", found.past))
    rows = [row for kind, one in rounds for row in _rows(kind, one, (new, old), door.output.lang)]
    shown = rows if door.output.as_json else [row for row in rows if row["newly_failing"] or row["newly_passing"]]
    if shown or door.output.as_json:
        door.output.table(_COLUMNS, shown)
    for kind, one in rounds:
        door.output.say(
            f"standard_simulated_{kind}",
            base=f"{old.code}@{old.version}",
            gates=list(one.at) or ["–"],
            count=len(one.gates),
            failing=len(one.failing),
        )
        if one.is_cut:
            door.output.say("standard_simulation_cut", count=len(one.gates))


def _base(door: Door, session: Session, new: Pack, base: str) -> Pack:
    if base:
        sha256 = door.lookup(session).standard(base)
        return packs_of(session, [sha256])[sha256]
    old = replaced_by(session, new)
    if old is None:
        raise NotFound("pack_not_found")
    return old


def _rows(kind: str, found: Round, packs: tuple[Pack, ...], lang: Lang) -> list[dict[str, Any]]:
    return [
        {
            "gates_judged": kind,
            "clause": one.clause,
            "title": in_language(next(p for p in packs if p.has(one.clause)).criterion(one.clause).title, lang),
            "newly_failing": len(one.failing),
            "newly_passing": len(one.passing),
            "staying": one.staying,
            "projects_failing": [gate.project.number for gate in one.failing],
            "projects_passing": [gate.project.number for gate in one.passing],
            "is_cut": found.is_cut,
        }
        for one in found.clauses
    ]
