"""What one person owes, over all projects that they reach: requirements, votes, conditions, entry lines."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

from sqlmodel import Session

from cli.door import Door
from cli.output import Column
from lifecycle.actor import Actor
from lifecycle.projects.queries import living_project_ids
from notifications.todo import Owed, asked_of, seats_and_debts

_CHUNK = 500
_COLUMNS = (
    Column(key="due_on"),
    Column(key="number"),
    Column(key="name", is_wide=True),
    Column(key="clause"),
    Column(key="title", is_wide=True),
    Column(key="reason", is_wide=True),
)
_SAID = tuple(column.key for column in _COLUMNS)


def print_todo(door: Door) -> None:
    """Print everything that waits for the acting person, soonest due first; `NotSignedIn` when nobody acts."""
    found = door.read(lambda session: list(_owed(door, session, door.actor(session))))
    found.sort(key=lambda one: (one.due_on or date.max, one.number))
    door.output.table(_COLUMNS, [{key: asdict(one)[key] for key in _SAID} for one in found])


def _owed(door: Door, session: Session, actor: Actor) -> Iterator[Owed]:
    lang = door.output.lang
    yield from seats_and_debts(session, actor, lang)
    for ids in living_project_ids(session, _CHUNK):
        yield from asked_of(session, actor, ids, door.stamp(actor), lang)
