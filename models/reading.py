"""Reading rows in sets: one prepared statement per table, key and order, whatever the number of ids."""

import functools
from collections.abc import Collection, Iterable
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, tuple_
from sqlmodel import Session

from models.look import once_a_look

Groups: TypeAlias = dict[UUID, list[Any]]
"""Key -> its rows, in the order that was asked for."""


def table_of(model: Any) -> Any:
    """Return the table of a model class, as Core speaks of it."""
    return model.__table__


def beside(column: Any) -> ColumnElement[Any]:
    """Return a column as a plain value: a narrower index finds the rows, and this only leaves some of them out.

    SQLite keeps no counts of values: it would begin with all rows of a stage or state, of which there are five.
    """
    found: ColumnElement[Any] = func.coalesce(column, column)
    return found


@once_a_look
def rows_by(session: Session, model: Any, key: str, ids: Collection[UUID | str], *order: str) -> Groups:
    """Return the rows whose key is one of the ids, grouped by key; without ids nothing is read."""
    if not ids:
        return {}
    ids = tuple(dict.fromkeys(ids))
    statement = _rows_by(model, key, order, is_single=len(ids) == 1)
    return grouped(session.connection().execute(statement, wanted(ids)), key)


def one_of(column: Any, *, is_single: bool = False) -> ColumnElement[bool]:
    """Return the condition that a column has one of the `wanted` values; a single one is no list to be written out."""
    condition: ColumnElement[bool]
    condition = column == bindparam("wanted") if is_single else column.in_(bindparam("wanted", expanding=True))
    return condition


def wanted(ids: Collection[Any]) -> dict[str, Any]:
    """Return the parameter of `one_of` for these values."""
    values = list(ids)
    return {"wanted": values[0] if len(values) == 1 else values}


def behind(session: Session, column: Any, after: UUID) -> ColumnElement[bool]:
    """Return the condition on the rows behind one, in the order of a column and, where that is equal, of the id."""
    found: ColumnElement[bool] = tuple_(column, column.table.c.id) > _place_of(session, column, after)
    return found


def before(session: Session, column: Any, after: UUID) -> ColumnElement[bool]:
    """Return the condition on the rows before one in that order: those that follow it where the last come first."""
    found: ColumnElement[bool] = tuple_(column, column.table.c.id) < _place_of(session, column, after)
    return found


def _place_of(session: Session, column: Any, row_id: UUID) -> Any:
    key = column.table.c.id
    last = session.execute(select(column).where(key == row_id)).scalar()
    return tuple_(literal(last, column.type), literal(row_id, key.type))


def grouped(rows: Iterable[Any], key: str) -> Groups:
    """Group rows by a column."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault(getattr(row, key), []).append(row)
    return groups


@functools.cache
def _rows_by(model: Any, key: str, order: tuple[str, ...], *, is_single: bool) -> Select[Any]:
    table = table_of(model)
    condition = one_of(table.c[key], is_single=is_single)
    return select(table).where(condition).order_by(*(table.c[name] for name in order))
