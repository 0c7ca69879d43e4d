"""The statements that write rows, built once per table and set of columns: their number does not grow with the rows."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, insert, update
from sqlmodel import Session, SQLModel

from lifecycle.commands import Effects
from lifecycle.errors import Unmet, unmet
from models.base import Row as TableRow
from models.reading import table_of


def misfits(effects: Effects) -> tuple[Unmet, ...]:
    """Return what is too long or too large for its column, on either database: SQLite itself would keep it."""
    written = [
        *((act.table, act.values) for act in effects.acts),
        *(row for act in effects.acts for row in act.sealed),
        *effects.rows,
        *((table, values) for table, _, values in effects.updates),
    ]
    return tuple(fault for table, values in written for fault in _too_large(table, values))


def _too_large(table: type[TableRow], values: Mapping[str, Any]) -> Iterator[Unmet]:
    limits = _limits(table)
    for name, value in values.items():
        field, kind, limit = limits.get(name, ("", None, 0))
        if kind is str and isinstance(value, str) and len(value) > limit:
            yield unmet("text_over_limit", field=field, limit=limit, length=len(value))
        elif kind is int and isinstance(value, int) and abs(value) > limit:
            yield unmet("number_over_limit", field=field, limit=limit)


@functools.cache
def _limits(table: type[TableRow]) -> dict[str, tuple[str, type, int]]:
    limits: dict[str, tuple[str, type, int]] = {}
    for column in table_of(table).columns:
        length = getattr(column.type, "length", None)
        field = f"{table_of(table).name}.{column.name}"
        if length:
            limits[column.name] = (field, str, length)
        elif isinstance(column.type, Integer):
            limits[column.name] = (field, int, 2**63 - 1 if isinstance(column.type, BigInteger) else 2**31 - 1)
    return limits


def insert_rows(session: Session, table: type[TableRow], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, with the model's own defaults for what they do not say."""
    if rows:
        defaults = _defaults(table)
        session.connection().execute(_insert_into(table), [{**defaults, **row} for row in rows])


@functools.cache
def _insert_into(table: type[TableRow]) -> Any:
    """Return one statement per table: a new one each time would be looked up anew by its parts."""
    return insert(table_of(table))


@functools.cache
def _defaults(table: type[TableRow]) -> dict[str, Any]:
    """Return the model's own defaults: Core inserts do not know them."""
    defaults = {}
    for name, info in table.model_fields.items():
        if not info.is_required() and name not in ("id", "seq"):
            defaults[name] = info.get_default(call_default_factory=True)
    return defaults


@functools.cache
def dependency_order(table: type[TableRow]) -> int:
    """Return the place of a table after all those that it refers to."""
    return SQLModel.metadata.sorted_tables.index(table_of(table))


@functools.cache
def update_subjects(table: type[TableRow], columns: tuple[str, ...]) -> Any:
    """Return the statement that changes rows (`b_id`) as long as they have the version that was read (`b_version`)."""
    target = table_of(table)
    statement = update(target).where(target.c.id == bindparam("b_id"), target.c.version == bindparam("b_version"))
    return statement.values({column: bindparam(f"v_{column}") for column in columns})


@functools.cache
def update_rows(table: type[TableRow], columns: tuple[str, ...]) -> Any:
    """Return the statement that changes rows (`b_id`, of the one column that is their key), whatever their version."""
    target = table_of(table)
    (key,) = target.primary_key
    return update(target).where(key == bindparam("b_id")).values({name: bindparam(f"v_{name}") for name in columns})


def prefixed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new values as the parameters of either update."""
    return {f"v_{name}": value for name, value in values.items()}
