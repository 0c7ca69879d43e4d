"""The clock of a demonstration: it stands still, and walks on while somebody serves it (decision 19)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from models.clock import SystemClock
from models.db import LostTransactionError, make_engine, run_in_transaction
from models.installation import Installation
from models.reading import table_of
from models.settings import Settings

STEP_SECONDS = 5.0
"""So often its new instant is written down; other processes read it there."""
_QUARTER = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def walking(settings: Settings) -> Iterator[None]:
    """Let the clock of a demonstration walk while the block works; any other clock goes by itself.

    It first steps to its next quarter of an hour, so that schedules fire while somebody watches.
    """
    engine = make_engine(settings.db)
    try:
        at = _moved(engine, next_quarter) if isinstance(settings.make_clock(), SystemClock) else None
        if at is None:
            yield
            return
        walk, is_over = Walk(engine=engine, at=at, moment=time.monotonic()), threading.Event()
        legs = threading.Thread(target=walk.on, args=(is_over,), name="walk", daemon=True)
        legs.start()
        try:
            yield
        finally:
            is_over.set()
            legs.join()
    finally:
        engine.dispose()


@dataclass(slots=True, kw_only=True)
class Walk:
    """How far the clock has come."""

    engine: Engine
    at: datetime
    """What we wrote last; somebody else who moves the clock, by hand or walking too, goes before."""
    moment: float
    """When we wrote it, by the monotonic clock."""

    def on(self, is_over: threading.Event) -> None:
        """Step on until told to stop; while the database is away it waits, and makes up for it then."""
        while not is_over.wait(STEP_SECONDS):
            try:
                self.step(time.monotonic())
            except (SQLAlchemyError, LostTransactionError):
                continue

    def step(self, moment: float) -> None:
        """Move the clock by what has passed since the last step."""
        passed = timedelta(seconds=moment - self.moment)
        self.at = _moved(self.engine, lambda at: at + passed if at == self.at else at) or self.at
        self.moment = moment


def next_quarter(at: datetime) -> datetime:
    """Return the quarter of an hour that comes after an instant."""
    return _EPOCH + ((at - _EPOCH) // _QUARTER + 1) * _QUARTER


def _moved(engine: Engine, move: Callable[[datetime], datetime]) -> datetime | None:
    """Move the clock that the database keeps, and return where it is; None where it keeps none."""
    table = table_of(Installation)

    def work(session: Session) -> datetime | None:
        at: datetime | None = session.execute(select(table.c.clock_at).with_for_update()).scalar_one()
        if at is None:
            return None
        session.execute(update(table).values(clock_at=move(at)))
        return move(at)

    return run_in_transaction(engine, work)
