"""What is in a database, in short: to see that nothing changed, or only what should."""

import hashlib
from typing import Any

from sqlalchemy import Engine

from models.tables import metadata


def digest(engine: Engine, without: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return for every table a hash over its rows, whatever their order.

    What is named in `without` does not count: `table`, `column` of any table, or `table.column`.
    """
    with engine.connect() as connection:
        cursor = connection.connection.cursor()  # the driver's own: nothing here needs to be turned into our types
        found = {
            table.name: _hash_of(cursor, table.name, _columns(table, without))
            for table in metadata.sorted_tables
            if table.name not in without
        }
        cursor.close()
        connection.rollback()
    return found


def _columns(table: Any, without: frozenset[str]) -> str:
    names = [column.name for column in table.columns]
    kept = [name for name in names if name not in without and f"{table.name}.{name}" not in without]
    return ", ".join(kept) if len(kept) < len(names) else "*"


def _hash_of(cursor: Any, table: str, columns: str) -> str:
    cursor.execute(f"SELECT {columns} FROM {table}")
    rows = sorted(map(repr, cursor.fetchall()))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the tables that differ."""
    return {table for table in before if before[table] != after[table]}
