"""Reminders in words: the days to come, and the answer for each that was planned."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cli.door import Door
from cli.lookup import Lookup
from cli.output import Column
from lifecycle.actor import Actor
from lifecycle.errors import NotFound, Unmet
from notifications.outlook import explain, preview

_COMING = (
    Column(key="told_at"),
    Column(key="what", kind="deadline", is_wide=True),
    Column(key="number"),
    Column(key="label"),
    Column(key="deadline_on"),
    Column(key="rung"),
    Column(key="is_provisional"),
    Column(key="people", is_wide=True),
    Column(key="why", kind="audience"),
    Column(key="reason", kind="silence", is_wide=True),
)
_PAST = (
    Column(key="told_at"),
    Column(key="what", kind="deadline", is_wide=True),
    Column(key="number"),
    Column(key="label"),
    Column(key="deadline_on"),
    Column(key="rung"),
    Column(key="audience", kind="audience", is_wide=True),
    Column(key="status", kind="reminder"),
    Column(key="reason", kind="silence", is_wide=True),
    Column(key="decided_at"),
)
_BY_NUMBER: Mapping[str, Callable[[Lookup, str], Any]] = {
    "PT": Lookup.project,
    "PO": Lookup.payout,
    "AG": Lookup.agreement,
    "RC": Lookup.recovery,
}


def show_preview(door: Door, days: int, project: str) -> None:
    """Print what goes out within so many days; a day that may still move is marked."""
    zone = ZoneInfo(door.settings.timezone)

    def work(session: Session) -> list[dict[str, Any]]:
        about = door.lookup(session).project(project) if project else None
        return preview(session, door.stamp(Actor.clock()), zone=zone, days=days, project_id=about)

    rows = door.read(work)
    door.output.table(_COMING, [_shown(door, row) for row in rows])
    if any(row["is_provisional"] for row in rows):
        door.output.say("days_provisional")


def show_explained(door: Door, ref: str) -> None:
    """Print the reminders of a thing, the oldest first; a planned one with what would keep it back today."""
    rows = door.read(lambda session: _explained(door, session, ref))
    door.output.table(_PAST, [_shown(door, row) for row in rows])


def _explained(door: Door, session: Session, ref: str) -> list[dict[str, Any]]:
    stamp = door.stamp(Actor.clock())
    with suppress(ValueError):
        known = UUID(ref)
        rows = explain(session, stamp, reminder_id=known) or explain(session, stamp, about=known)
        if not rows:
            raise NotFound(Unmet(code=NotFound.code, values={"ref": ref}))
        return rows
    find = _BY_NUMBER.get(ref[:2].upper(), Lookup.fund)
    return explain(session, stamp, about=find(door.lookup(session), ref))


def _shown(door: Door, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its instants on the wall clock of the installation, for people."""
    if door.output.as_json:
        return dict(row)
    decided_at = row.get("decided_at")
    return {
        **row,
        "told_at": door.local(row["due_at"]),
        "label": row["label"]["zh" if door.output.lang == "zh-CN" else "en"],
        "deadline_on": row["on"],
        "rung": f"{row['rung']:+d}" if row["rung"] else "0",
        "decided_at": door.local(decided_at) if decided_at else None,
    }
