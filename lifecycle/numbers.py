"""Human numbers (`PT-2026-0042`, `AG-2026-0001`): one counter per kind and year, none given twice."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from models.db import is_sqlite
from models.installation import NumberSeries


def last_numbers(session: Session, kind: str, years: Collection[int], *, may_write: bool) -> dict[int, int]:
    """Return the last number given per year; when writing, the counters are locked first."""
    table: Any = NumberSeries.__table__  # type: ignore[attr-defined]
    if may_write and not is_sqlite(session):  # only this database needs the row before the lock
        rows = [{"kind": kind, "year": year, "last": 0} for year in sorted(set(years))]
        session.execute(insert(table).on_conflict_do_nothing(), rows)
    statement = select(table.c.year, table.c.last).where(table.c.kind == kind, table.c.year.in_(set(years)))
    if may_write:
        statement = statement.order_by(table.c.year).with_for_update()
    found = {row.year: row.last for row in session.execute(statement)}
    return {year: found.get(year, 0) for year in years}


def written(kind: str, year: int, number: int) -> str:
    """Return a human number as it is written."""
    return f"{kind}-{year}-{number:04d}"
