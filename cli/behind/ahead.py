"""What another version of a standard would change for projects: judged anew, printed clause by clause."""

from sqlmodel import Session

from cli.behind.packs import known_pack
from cli.door import Door
from cli.output import Column
from lifecycle.actor import Actor
from lifecycle.errors import NotFound
from lifecycle.people.queries import replaced_by
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from lifecycle.verdicts.simulation import Simulation, simulated
from notifications.gates import in_language

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

    def work(session: Session) -> tuple[Pack, Simulation]:
        old = _base(door, session, new, base)
        return old, simulated(session, old, new, door.stamp(Actor.clock()), door.output.zone())

    old, found = door.read(work)
    rows = [{**row, "title": in_language(row["title"], door.output.lang)} for row in found.table()]
    shown = rows if door.output.as_json else [row for row in rows if row["newly_failing"] or row["newly_passing"]]
    if shown or door.output.as_json:
        door.output.table(_COLUMNS, shown)
    for kind, one in (("present", found.now), ("passed", found.past)):
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
