"""What every request finds in place: the database, checked, the clock, the calendar, the keys, and which mode it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from lifecycle.actor import Actor
from lifecycle.calendar import Calendar
from lifecycle.calendars.book import calendar_of
from lifecycle.commands import Stamp
from lifecycle.entrance.links import secret_of
from lifecycle.installation import PlayedClock, clock_of
from models.clock import FixedClock, SystemClock
from models.db import make_engine, reading
from models.installation import Installation
from models.limits import SESSION_AT_ONCE, SESSION_PER_MINUTE
from models.ports import Clock, Ids
from models.readiness import check_ready
from models.reading import table_of
from models.settings import Settings
from notifications.words import Lang
from web.meter import Meter
from web.waiting import Waiting

FEED_PER_MINUTE = 6
"""Requests for one calendar in the long run, per process of the console: a program asks a few times a day."""
FEED_AT_ONCE = 12
"""Requests for one calendar right after each other."""


class Backstage(Protocol):
    """What only the program that starts the console can see: pages and flows do not know each other."""

    def due(self, schedule_id: str) -> int | None:
        """Return how much a run of a schedule would find now; None where nobody can tell before it runs."""

    def foreseen(self, schedule_id: str) -> Sequence[Mapping[str, Any]] | None:
        """Return what a run would do: `{"effect", "object_type", "object_id", "ref", "detail"}`; None as above."""

    def findings(self, lang: Lang) -> Sequence[Mapping[str, Any]]:
        """Return what `doctor` finds: `{"name", "ok", "detail", "remedy"}`, in one language."""


class Nobody:
    """A console that was started alone."""

    def due(self, _schedule_id: str) -> int | None:
        """Nobody can tell."""
        return None

    def foreseen(self, _schedule_id: str) -> Sequence[Mapping[str, Any]] | None:
        """Nobody can tell."""
        return None

    def findings(self, _lang: Lang) -> Sequence[Mapping[str, Any]]:
        """Nobody looks."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The ports of one console process."""

    engine: Engine
    settings: Settings
    clock: Clock
    ids: Ids
    is_rehearsal: bool
    is_demo: bool
    """A rehearsal with a clock of its own: its people sign in with one click."""
    secret: bytes | None = field(default=None, repr=False)
    """The key that links in mails follow from; without one none are sent."""
    backstage: Backstage = field(default_factory=Nobody)
    meter: Meter = field(default_factory=Meter)
    """How often API tokens ask."""
    visits: Meter = field(default_factory=lambda: Meter(per_minute=SESSION_PER_MINUTE, at_once=SESSION_AT_ONCE))
    """How often sessions ask."""
    waiting: Waiting = field(default_factory=Waiting)
    """How much waits for whom, for the bar of every page."""
    feeds: Meter = field(default_factory=lambda: Meter(per_minute=FEED_PER_MINUTE, at_once=FEED_AT_ONCE))
    """How often calendar programs ask for one calendar."""
    take_file: Callable[[Engine, str, Callable[[], BinaryIO], Stamp], Any] | None = None
    """Reads a file of the bank; whoever composes the process hands it over, pages know no flows."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the installation."""
        return ZoneInfo(self.settings.timezone)

    @property
    def demands_second_factor(self) -> bool:
        """Say whether a second factor is asked of who decides about money."""
        return self._demanded != "offered"

    @property
    def demands_it_of_everybody(self) -> bool:
        """Say whether nobody who types a password gets further without a second factor."""
        return self._demanded == "everybody"

    @property
    def _demanded(self) -> str:
        return self.settings.second_factor or ("offered" if self.is_rehearsal else "money")

    @property
    def provider(self) -> str:
        """What people call the identity provider; empty where there is none."""
        issuer = self.settings.oidc_issuer
        return (self.settings.oidc_name or urlsplit(issuer).hostname or "") if issuer else ""

    def today(self, now: datetime) -> date:
        """Return the day of an instant, where the installation is."""
        return now.astimezone(self.zone).date()

    def new_id(self) -> UUID:
        """Return a key that nobody had before."""
        return self.ids.new()

    def calendar(self) -> Calendar:
        """Return the working days as they are entered now."""
        with reading(self.engine) as session:
            return calendar_of(session)

    def stamp(self, actor: Actor, now: datetime) -> Stamp:
        """Return when and by whom: what a verb may know of the world."""
        return Stamp(now=now, today=self.today(now), actor=actor, calendar=self.calendar(), new_id=self.new_id)


@contextmanager
def opened(settings: Settings, backstage: Backstage | None = None) -> Iterator[House]:
    """Give the house of the database that is set, checked as at every start; let go of the database afterwards."""
    engine = make_engine(settings.db)
    try:
        check_ready(engine)
        yield replace(house_of(engine, settings), backstage=backstage or Nobody())
    finally:
        engine.dispose()


def house_of(engine: Engine, settings: Settings) -> House:
    """Return the house of a database that is ready; SettingsError where a setting does not fit its mode."""
    with engine.connect() as connection:
        row = connection.execute(select(table_of(Installation))).one()
    is_rehearsal = settings.checked_mode(row.mode) == "rehearsal"
    clock = clock_of(engine, settings)
    is_played = isinstance(clock, FixedClock) and isinstance(settings.make_clock(), SystemClock)
    return House(
        engine=engine,
        settings=settings,
        clock=PlayedClock(engine) if is_played else clock,
        ids=settings.make_ids(),
        is_rehearsal=is_rehearsal,
        is_demo=is_rehearsal and row.clock_at is not None,
        secret=secret_of(settings, database_id=row.database_id, is_rehearsal=is_rehearsal),
    )
