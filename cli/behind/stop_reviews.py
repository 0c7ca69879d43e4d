"""Stop reviews that are due: which agreed limit of a trial is used up, and who calls the panel."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from cli.door import Door
from cli.errors import reason_lines
from lifecycle.actor import Actor
from lifecycle.errors import Unmet
from lifecycle.people.queries import people_who_owe
from lifecycle.trials.queries import stop_reviews_due
from models.states import Door as DoorName
from notifications.gates import named
from notifications.words import explain_unmet


def stop_reviews_of(door: Door, session: Session, rows: Sequence[Any]) -> dict[UUID, list[Unmet]]:
    """Return for each of these project rows the used-up limits that no panel has looked at, with names."""
    found = stop_reviews_due(session, rows, door.stamp(Actor.clock(DoorName.CLI)))
    people = people_who_owe(session, list(found))
    return {key: [named(reason, key, people) for reason in reasons] for key, reasons in found.items()}


def tell(door: Door, number: str, reasons: Sequence[Unmet]) -> None:
    """Say it on stderr, where it is seen whatever becomes of the output."""
    for reason in reasons:
        first, *others = reason_lines(explain_unmet(reason, door.output.lang), door.output)
        door.output.warn(f"{number}  {first}", "yellow")
        for line in others:
            door.output.warn(f"    {line.strip()}")
