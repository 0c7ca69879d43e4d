"""Reading rows in sets: one prepared statement per table, key and order, whatever the number of ids."""

import functools
from collections.abc import Collection, Iterable
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlmodel import Session

Groups: TypeAlias = dict[UUID, list[Any]]
"""Key -> its rows, in the order that was asked for."""


def table_of(model: Any) -> Any:
    """Return the table of a model class, as Core speaks of it."""
    return model.__table__


def rows_by(session: Session, model: Any, key: str, ids: Collection[UUID], *order: str) -> Groups:
    """Return the rows whose key is one of the ids, grouped by key; without ids nothing is read."""
    if not ids:
        return {}
    connection = session.connection()
    ids = tuple(dict.fromkeys(ids))
    if len(ids) == 1:
        (only,) = ids
        return grouped(connection.execute(_one(model, key, order), {"wanted": only}), key)
    return grouped(connection.execute(_several(model, key, order), {"wanted": list(ids)}), key)


def grouped(rows: Iterable[Any], key: str) -> Groups:
    """Group rows by a column."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault(getattr(row, key), []).append(row)
    return groups


@functools.cache
def _one(model: Any, key: str, order: tuple[str, ...]) -> Select[Any]:
    table = table_of(model)
    return select(table).where(table.c[key] == bindparam("wanted")).order_by(*(table.c[name] for name in order))


@functools.cache
def _several(model: Any, key: str, order: tuple[str, ...]) -> Select[Any]:
    table = table_of(model)
    wanted: Any = bindparam("wanted", expanding=True)
    return select(table).where(table.c[key].in_(wanted)).order_by(*(table.c[name] for name in order))
