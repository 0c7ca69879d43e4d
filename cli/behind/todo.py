"""What one person owes, over all projects that they reach: requirements, votes, conditions, entry lines."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlmodel import Session

from cli.door import Door
from cli.output import Column
from lifecycle.actor import Actor
from lifecycle.errors import Unmet
from lifecycle.people.queries import Holder, WhoOwes, people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates, living_project_ids
from lifecycle.projects.rules import entry_met
from lifecycle.reviews.queries import conditions_of, votes_of
from models.states import Role
from notifications.gates import in_language, reasons_of, type_names
from notifications.words import explain_unmet, sentence

_CHUNK = 500
_COLUMNS = (
    Column(key="due_on"),
    Column(key="number"),
    Column(key="name", is_wide=True),
    Column(key="clause"),
    Column(key="title", is_wide=True),
    Column(key="reason", is_wide=True),
)


def print_todo(door: Door) -> None:
    """Print everything that waits for the acting person, soonest due first; `NotSignedIn` when nobody acts."""
    rows = door.read(lambda session: list(_owed(door, session, door.actor(session))))
    rows.sort(key=lambda row: (row["due_on"] or date.max, row["number"]))
    door.output.table(_COLUMNS, rows)


def _owed(door: Door, session: Session, actor: Actor) -> Iterator[dict[str, Any]]:
    lang = door.output.lang
    for row in conditions_of(session, actor.user_id):
        yield {**row, "title": sentence("todo_condition", {}, lang), "reason": row["note"]}
    for row in votes_of(session, actor.user_id):
        yield {**row, "title": sentence("todo_vote", {}, lang), "reason": ""}
    for ids in living_project_ids(session, _CHUNK):
        people = people_who_owe(session, ids)
        for facts in gates(session, ids, door.stamp(actor)):
            yield from _asked(facts, people, actor, door)


def _asked(facts: ProjectFacts, people: WhoOwes, actor: Actor, door: Door) -> Iterator[dict[str, Any]]:
    """Yield what the gate of one project, and the entry behind it, wait for from this person."""
    lang, names = door.output.lang, type_names(facts.pack, door.output.lang)
    project = {"number": facts.project.number, "name": facts.project.name}
    open_ones = [verdict for verdict in facts.verdicts if not verdict.passes]
    for verdict in open_ones:
        mine = next((one for one in reasons_of(verdict) if _is_mine(one, facts, people, actor)), None)
        if mine is not None:
            words = explain_unmet(mine, lang, names)
            title = in_language(facts.pack.criterion(verdict.clause).title, lang)
            yield {**project, "due_on": verdict.due_on, "clause": verdict.clause, "title": title, "reason": words.what}
    for line in entry_met(facts):
        if line.clause is None and _is_mine(line, facts, people, actor):
            what = explain_unmet(line, lang, names).what
            yield {**project, "due_on": None, "clause": "", "title": sentence("todo_entry", {}, lang), "reason": what}


def _is_mine(reason: Unmet, facts: ProjectFacts, people: WhoOwes, actor: Actor) -> bool:
    """Say whether this person is among those to ask, and did not hand in what is to be judged."""
    holders: tuple[Holder, ...] = people.get((facts.project.id, Role(reason.role)), ()) if reason.role else ()
    barred = reason.values.get("not_by", ())
    return str(actor.person_id) not in barred and any(one.person_id == actor.person_id for one in holders)
