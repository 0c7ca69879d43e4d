"""The database about itself: which one it is, and which arrows its charts have. Written by `init` and `migrate`."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from models.clock import FixedClock, SystemClock
from models.db import is_sqlite
from models.installation import DISBURSEMENT_ID, Disbursement, Installation
from models.journal import Edge
from models.ports import Clock
from models.reading import table_of
from models.runs import CALENDAR_ID, WorkingCalendar
from models.settings import Mode, Settings

Arrow: TypeAlias = tuple[str, int, str, str, str]
"""(object type, version of its chart, event, from, to); from is empty where the object is not there yet."""

_EPOCH_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, 1, I and O: an epoch is read aloud to a bank."""


class OtherModeError(ValueError):
    """The database was made for the other mode; a rehearsal never becomes production, nor the other way round."""


def new_epoch() -> str:
    """Return four letters drawn at random; part of every id that leaves the house, so a restore never repeats one."""
    return "".join(secrets.choice(_EPOCH_LETTERS) for _ in range(4))


def initialise(session: Session, *, mode: Mode | None, now: datetime, new_id: Callable[[], UUID]) -> Installation:
    """Write the single row that says which database this is, and return it; safe to repeat.

    Without a mode the stored one holds, at first `production`. Raises `OtherModeError` when the stored one differs.
    """
    found = session.get(Installation, 1)
    if found is None:
        found = Installation(database_id=str(new_id()), epoch=new_epoch(), mode=mode or "production", created_at=now)
        session.add(found)
        session.flush()
    if mode and found.mode != mode:
        raise OtherModeError(f"this database was made for {found.mode}, not for {mode}")
    write_single_rows(session)
    return found


def write_single_rows(session: Session) -> None:
    """Write the rows of which there is one: all disbursement, and the working calendar. Safe to repeat."""
    for table, key in ((Disbursement, DISBURSEMENT_ID), (WorkingCalendar, CALENDAR_ID)):
        if session.get(table, key) is None:
            session.add(table(id=key))
            session.flush()


def write_edges(session: Session, arrows: Iterable[Arrow]) -> None:
    """Add the arrows of the charts to those the database knows; those of older versions stay. Safe to repeat."""
    columns = ("object_type", "definition_version", "event", "from_state", "to_state")
    rows = [dict(zip(columns, arrow, strict=True)) for arrow in sorted(set(arrows))]
    if not rows:
        return
    table: Any = Edge.__table__  # type: ignore[attr-defined]
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    session.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def is_for_real_work(session: Session) -> bool:
    """Say whether this database is for real work, and not for rehearsals. One statement."""
    return bool(session.execute(select(table_of(Installation).c.mode)).scalar_one() == "production")


@dataclass(frozen=True, slots=True)
class PlayedClock:
    """The clock of a rehearsal, asked anew each time: a demonstration's walks while it is served."""

    engine: Engine

    def now(self) -> datetime:
        """Return the instant at which the rehearsal stands."""
        with self.engine.connect() as connection:
            at: datetime = connection.execute(select(table_of(Installation).c.clock_at)).scalar_one()
        return at


def clock_of(engine: Engine, settings: Settings) -> Clock:
    """Return the clock that is set, else the rehearsal's own, else the machine's; SettingsError where it may not be.

    The rehearsal's stands still for who asks once; `PlayedClock` is for a process that lives long.
    """
    with engine.connect() as connection:
        row = connection.execute(select(table_of(Installation))).one()
    mode = settings.checked_mode(row.mode)
    clock = settings.make_clock()
    if isinstance(clock, SystemClock) and mode == "rehearsal" and row.clock_at is not None:
        return FixedClock(row.clock_at)
    return clock
