"""What is in a database, in short: to see that nothing changed, or only what should."""

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import Engine

from models.tables import metadata


def digest(engine: Engine, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return for every table a hash over its rows, whatever their order.

    What is named in `without` does not count: `table`, `column` of any table, or `table.column`.
    """
    with engine.connect() as connection:
        cursor = connection.connection.cursor()  # the driver's own: nothing here needs to be turned into our types
        found = {table: _hash_of(cursor, table, columns) for table, columns in _columns(without)}
        cursor.close()
        connection.rollback()
    return found


@cache
def _columns(without: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return each table's name with the columns that count."""
    kept = {
        name: [one.name for one in table.columns if not {one.name, f"{name}.{one.name}"} & without]
        for name, table in sorted(metadata.tables.items())
        if name not in without
    }
    return tuple((name, ", ".join(f'"{one}"' for one in columns)) for name, columns in kept.items())


def _hash_of(cursor: Any, table: str, columns: str) -> str:
    cursor.execute(f"SELECT {columns} FROM {table}")
    rows = sorted(map(repr, cursor.fetchall()))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the tables that differ."""
    return {table for table in before if before[table] != after[table]}
