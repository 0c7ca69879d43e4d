"""What one person owes, over all projects and all money that they reach; the page `/inbox` lists the same."""

from dataclasses import asdict
from datetime import date

from cli.door import Door
from cli.output import Column
from notifications.todo import LOOKED_AT, todo_of

_COLUMNS = (
    Column(key="due_on"),
    Column(key="number"),
    Column(key="name", is_wide=True),
    Column(key="clause"),
    Column(key="title", is_wide=True),
    Column(key="reason", is_wide=True),
    Column(key="ref"),
)
_SAID = tuple(column.key for column in _COLUMNS)


def print_todo(door: Door) -> None:
    """Print everything that waits for the acting person, soonest due first; `NotSignedIn` when nobody acts."""
    found = door.read(lambda session: todo_of(session, door.stamp(door.actor(session)), door.output.lang))
    owed = sorted(found.owed, key=lambda one: (one.due_on or date.max, one.number))
    door.output.table(_COLUMNS, [{key: asdict(one)[key] for key in _SAID} for one in owed])
    if found.is_cut:
        door.output.say("todo_cut", limit=LOOKED_AT)
