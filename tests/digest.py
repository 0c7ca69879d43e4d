"""What is in a database, in short: to see that nothing changed, or only what should."""

import hashlib

from sqlalchemy import Engine

from models.tables import metadata


def digest(engine: Engine) -> dict[str, str]:
    """Return for every table a hash over its rows, whatever their order."""
    found = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in connection.exec_driver_sql(f"SELECT * FROM {table.name}"))
            found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        connection.rollback()
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the tables that differ."""
    return {table for table in before if before[table] != after[table]}
