"""Everything that a process without a person needs to work: the database, checked, and the clock with its bodies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from flows.bodies import BODIES
from flows.clock import Clockwork
from flows.turns import never
from lifecycle.actor import Actor
from lifecycle.calendars.book import calendar_of
from lifecycle.commands import Stamp
from lifecycle.installation import clock_of
from models.clock import SystemClock
from models.db import make_engine, reading
from models.readiness import check_ready
from models.settings import Settings
from models.states import Door


@contextmanager
def opened(settings: Settings, is_stopped: Callable[[], bool] = never) -> Iterator[Clockwork]:
    """Give the clock of the database that is set, checked as at every start; let go of the database afterwards."""
    engine = make_engine(settings.db)
    try:
        check_ready(engine)
        clock = clock_of(engine, settings)
        now = clock.now()
        today = now.astimezone(ZoneInfo(settings.timezone)).date()
        with reading(engine) as session:
            calendar = calendar_of(session)
        new_id = settings.make_ids().new
        stamp = Stamp(now=now, today=today, actor=Actor.clock(Door.FLOW), calendar=calendar, new_id=new_id)
        yield Clockwork(
            engine=engine,
            settings=settings,
            stamp=stamp,
            bodies=BODIES,
            is_stopped=is_stopped,
            now=clock.now,
            is_played=not isinstance(clock, SystemClock),
        )
    finally:
        engine.dispose()
