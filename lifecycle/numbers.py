"""Human numbers (`PT-2026-0042`, `PO-2026-0007`): drawn in order, one series per kind and year, never given twice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session

from models.db import is_sqlite
from models.installation import NumberSeries
from models.reading import table_of


@dataclass(frozen=True, slots=True)
class Number:
    """One drawn number; it counts once its series is written with the effects (`Effects.numbers`)."""

    kind: str
    year: int
    place: int

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.kind}-{self.year}-{self.place:04d}"

    @property
    def series(self) -> dict[tuple[str, int], int]:
        """Return what the series stands at with this number."""
        return {(self.kind, self.year): self.place}


def drawn(session: Session, kind: str, years: Sequence[int], *, may_write: bool) -> list[Number]:
    """Return a number for each year named, in their order; when writing, the counters are locked first."""
    last = last_numbers(session, kind, set(years), may_write=may_write) if years else {}
    numbers = []
    for year in years:
        last[year] += 1
        numbers.append(Number(kind, year, last[year]))
    return numbers


def last_numbers(session: Session, kind: str, years: Collection[int], *, may_write: bool) -> dict[int, int]:
    """Return the last number given per year; when writing, the counters are locked first."""
    table = table_of(NumberSeries)
    if may_write and not is_sqlite(session):
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - only this database needs the row before the lock

        rows = [{"kind": kind, "year": year, "last": 0} for year in sorted(set(years))]
        session.execute(insert(table).on_conflict_do_nothing(), rows)
    statement = select(table.c.year, table.c.last).where(table.c.kind == kind, table.c.year.in_(set(years)))
    if may_write:
        statement = statement.order_by(table.c.year).with_for_update()
    found = {row.year: row.last for row in session.execute(statement)}
    return {year: found.get(year, 0) for year in years}


def written(kind: str, year: int, number: int) -> str:
    """Return a human number as it is written."""
    return str(Number(kind, year, number))
