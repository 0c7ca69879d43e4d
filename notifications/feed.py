"""Somebody's deadlines as a calendar (RFC 5545): days on which reminders reach them, and panels that they sit in.

A calendar program asks for it by an address with a secret, of which only the SHA-256 is kept. No amounts in it:
calendars are shared and shown on walls.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import Session

from lifecycle.commands import Stamp
from models.deliveries import ContactSetting
from models.people import RoleGrant, User
from models.reading import table_of
from models.reviews import PanelMember
from models.states import UserStatus
from notifications.asked import Asked, Directory
from notifications.deadlines import DEADLINES, Deadline, deadline_day
from notifications.near import Near, near_to
from notifications.words import Lang, title

BACK, AHEAD = timedelta(days=90), timedelta(days=400)
"""What is long overdue or far off is in no calendar."""
_CHUNK = 500
_LINE = 75
"""Octets of a line, without its end (RFC 5545, 3.1)."""
_LABEL_KINDS = {"stage_due": "state", "stage_maximum": "state", "hold_ends": "reason"}
"""Deadlines whose label is a stored word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOf:
    """One whole day in somebody's calendar."""

    uid: str
    on: date
    summary: str
    is_provisional: bool = False
    """The working days of that year are not announced yet (W6)."""


def new_address() -> tuple[str, str]:
    """Return a new secret for a calendar address, and what is stored of it: it is shown this once (`MakeFeed`)."""
    token = secrets.token_urlsafe(32)
    return token, _sha256(token)


def owner_of_feed(session: Session, token: str) -> UUID | None:
    """Return whose calendar an address is; None for a secret that is void, and for a disabled account."""
    setting, user = table_of(ContactSetting), table_of(User)
    asked = select(setting.c.user_id).join_from(setting, user, user.c.id == setting.c.user_id)
    is_theirs = (setting.c.feed_sha256 == _sha256(token), user.c.status == UserStatus.ACTIVE)
    found: UUID | None = session.execute(asked.where(*is_theirs)).scalar_one_or_none()
    return found


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def days_of(session: Session, user_id: UUID, stamp: Stamp, lang: Lang) -> list[DayOf]:
    """Return the open deadlines of which somebody is reminded on the day, and the days of their panels, by day."""
    seat, grant = table_of(PanelMember), table_of(RoleGrant)
    held = (grant.c.user_id == seat.c.user_id, grant.c.role == seat.c.role, grant.c.revoked_at.is_(None))
    mine = select(seat.c.review_id).where(seat.c.user_id == user_id, seat.c.recused_on.is_(None), exists().where(*held))
    panels = set(session.execute(mine).scalars())
    near = near_to(session, user_id, today=stamp.today)
    found = [day for one in DEADLINES for day in _days(session, one, near, panels, stamp, lang)]
    return sorted(found, key=lambda day: (day.on, day.summary))


def _days(
    session: Session, deadline: Deadline, near: Near, panels: set[UUID], stamp: Stamp, lang: Lang
) -> Iterator[DayOf]:
    asked_for = near.among(deadline)
    found = session.execute(asked_for).all() if asked_for is not None else ()
    rows = [(row, deadline_day(row.anchor_on, row.months)) for row in {row.object_id: row for row in found}.values()]
    days = [(row, day) for row, day in rows if stamp.today - BACK <= day <= stamp.today + AHEAD]
    for start in range(0, len(days), _CHUNK):
        chunk = days[start:][:_CHUNK]
        asked = [_asked(deadline, row) for row, _ in chunk]
        directory = Directory(session, asked, today=stamp.today)
        for (row, day), one in zip(chunk, asked, strict=True):
            is_told = any(person.user_id == near.user_id for person in directory.told(one))
            if is_told or (deadline.name == "review_planned" and row.object_id in panels):
                yield _day(deadline, row, day, directory.place(one), stamp, lang)


def _asked(deadline: Deadline, row: Any) -> Asked:
    return Asked(deadline.name, row.object_id, row.project_id, row.fund_id, deadline.ladder.rungs[0])


def _day(deadline: Deadline, row: Any, day: date, place: Any, stamp: Stamp, lang: Lang) -> DayOf:
    kind = _LABEL_KINDS.get(deadline.name)
    label = title(kind, str(row.label), lang) if kind else str(row.label)
    words = (title("deadline", deadline.name, lang), place.number, "" if label == place.number else label, place.name)
    return DayOf(
        uid=f"{deadline.name}-{row.object_id}",
        on=day,
        summary=" ".join(filter(None, words)),
        is_provisional=stamp.calendar.is_provisional(day),
    )


def written(days: Iterable[DayOf], *, name: str, database_id: str, now: datetime) -> bytes:
    """Return a calendar as RFC 5545 has it: whole days that block nobody's time, tentative where provisional."""
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Pilotway//Pilotway//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"),
        *(f"X-WR-CALNAME:{_escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT6H"),
        *(line for day in days for line in _event(day, database_id, now)),
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _event(day: DayOf, database_id: str, now: datetime) -> Sequence[str]:
    return (
        "BEGIN:VEVENT",
        f"UID:{day.uid}@{database_id}",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day.on:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day.on + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(day.summary)}",
        f"STATUS:{'TENTATIVE' if day.is_provisional else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    )


def _escaped(text: str) -> str:
    """Return text in which nothing can end its line or begin another property."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    for char in ("\\", ";", ","):
        plain = plain.replace(char, f"\\{char}")
    return plain


def _folded(line: str) -> str:
    """Return a line in pieces of at most 75 octets, never cut within a character."""
    pieces, used = [""], 0
    for char in line:
        size = len(char.encode())
        if used + size > _LINE:
            pieces.append(" ")
            used = 1
        pieces[-1] += char
        used += size
    return "\r\n".join(pieces)
