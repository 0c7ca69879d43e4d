"""What is in a database, in short: to see that nothing changed, or only what should."""

import hashlib
from typing import Any

from sqlalchemy import Engine

from models.tables import metadata


def digest(engine: Engine) -> dict[str, str]:
    """Return for every table a hash over its rows, whatever their order."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()  # the driver's own: nothing here needs to be turned into our types
        found = {table.name: _hash_of(cursor, table.name) for table in metadata.sorted_tables}
        cursor.close()
        connection.rollback()
    return found


def _hash_of(cursor: Any, table: str) -> str:
    cursor.execute(f"SELECT * FROM {table}")
    rows = sorted(map(repr, cursor.fetchall()))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the tables that differ."""
    return {table for table in before if before[table] != after[table]}
