"""A file brought into a test's world, and what the world looks like afterwards."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import inspect, text
from sqlmodel import Session

from lifecycle.imports.arrivals import Destination
from lifecycle.imports.mapping import Mapping
from lifecycle.imports.outcome import RowError
from lifecycle.imports.portfolio import Door, How, Step, bring_in
from lifecycle.imports.report import Report
from models.db import reading, run_in_transaction
from tests.factories import House

T = TypeVar("T")


def brought(
    house: House,
    path: Path,
    how: Mapping,
    *,
    mode: How = How.WHOLE,
    programme: str = "default",
    by: str = "admin",
    platform: str | None = "platform",
    tell: Callable[[Step], None] = lambda step: None,
) -> Report:
    def read(work: Callable[[Session], T]) -> T:
        with reading(house.engine) as session:
            return work(session)

    def write(work: Callable[[Session], T]) -> T:
        return run_in_transaction(house.engine, work)

    place = house.parties[platform] if platform else None
    into = Destination(source=how.source, programme_id=house.programmes[programme], platform_id=place)
    door = Door(read=read, write=write, tell=tell)
    return bring_in(path, how, into=into, stamp=house.stamp(by), how=mode, door=door)


def fates(report: Report) -> dict[str, int]:
    """The counts that are not zero."""
    return {str(fate): count for fate, count in report.fates.items() if count}


def wrong(errors: Iterable[RowError]) -> list[tuple[int | None, str]]:
    return [(error.row, error.code) for error in errors]


def digest(house: House) -> str:
    """The hash of every row of every table."""
    found = hashlib.sha256()
    with house.engine.connect() as connection:
        for table in sorted(inspect(connection).get_table_names()):
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            found.update(repr((table, sorted(map(repr, rows)))).encode())
    return found.hexdigest()


def project(house: House, key: str) -> Any:
    (row,) = house.rows("SELECT * FROM project WHERE outside_key = :key", key=key)
    return row
