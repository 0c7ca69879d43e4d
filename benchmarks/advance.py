"""B1: one `advance` through the full command against the same statements sent by the driver, same commits."""

import sqlite3
from typing import Any

from benchmarks.stage import captured, done, ground, registered, sqlite, timed
from lifecycle.projects.commands import Advance

COUNT = 200


def run() -> dict[str, Any]:
    """Return rates and their ratio on SQLite."""
    with sqlite() as (engine, copy):
        on = ground(engine)
        ids = registered(engine, on, COUNT * 2)
        warm, counted = ids[:COUNT], ids[COUNT:]
        commands = [Advance(command_id=f"a{project}", project_id=project, reason="bench") for project in ids]
        for command in commands[: len(warm)]:
            done(engine, command)
        bare = copy()
        with captured(engine) as kept:
            seconds = timed(lambda: [done(engine, command) for command in commands[len(warm) :]] and None)
        driver = timed(lambda: _again(str(bare), kept))
        statements = sum(1 for item in kept if item) / len(counted)
        return {
            "advance_per_second": len(counted) / seconds,
            "bare_per_second": len(counted) / driver,
            "ratio": driver / seconds,
            "statements": statements,
        }


def _again(path: str, kept: list[Any]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    cursor = connection.cursor()
    for item in kept:
        if item is None:
            cursor.execute("COMMIT")
            continue
        statement, parameters, many = item
        (cursor.executemany if many else cursor.execute)(statement, parameters).fetchall()
    connection.close()


if __name__ == "__main__":
    print(run())
