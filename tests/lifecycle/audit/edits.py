"""What somebody with the database file in hands might do: edits by plain SQL, past the triggers."""

import hashlib
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from models.tables import subject_tables
from models.triggers import drop_triggers

Edit: TypeAlias = Callable[[sqlite3.Connection], None]
Row: TypeAlias = dict[str, Any]

_AUDIT_TEXTS = ("at", "actor_id", "action", "from_state", "to_state", "command_id", "body", "prev_hash", "hash")
_TRANSITION_TEXTS = ("event", "from_state", "to_state", "actor_id", "command_id", "at")
OTHER_ID = "01980000-0000-7000-8000-000000000001"
REPLACED = {
    "at": "2020-01-01T00:00:00.000000Z",
    "actor_id": OTHER_ID,
    "body": "{}",
    "prev_hash": "a" * 64,
    "hash": "b" * 64,
}


def open_past_triggers(path: Path) -> sqlite3.Connection:
    """Open the file as its owner can: without triggers and foreign keys."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    for statement in drop_triggers("sqlite"):
        connection.execute(statement)
    return connection


def rows_of(connection: sqlite3.Connection, table: str) -> list[Row]:
    return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY seq")]


def a_hundred_edits(path: Path, seed: int) -> Iterator[tuple[str, Edit]]:
    """Yield a hundred named edits on rows drawn by the seed: change, delete, insert, swap, cut, drop."""
    draw = random.Random(seed)  # noqa: S311 - draws examples, keeps no secret
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    audits, moves = rows_of(connection, "audit_record"), rows_of(connection, "transition")
    connection.close()
    for number in range(100):
        audit, move = draw.choice(audits), draw.choice(moves)
        match number % 10:
            case 0 | 1:
                yield changed("audit_record", draw.choice(_AUDIT_TEXTS), audit["seq"])
            case 2:
                yield changed("transition", draw.choice(_TRANSITION_TEXTS), move["seq"])
            case 3:
                yield (
                    "change the door",
                    statement("UPDATE audit_record SET door = 'recover' WHERE seq = ?", audit["seq"]),
                )
            case 4:
                yield deleted(draw.choice(("audit_record", "transition")), draw, audits, moves)
            case 5:
                yield inserted(draw.choice((audit, None)), move)
            case 6:
                yield swapped("audit_record", *draw.sample(audits, 2))
            case 7:
                yield swapped("transition", *draw.sample(moves, 2))
            case 8:
                last = draw.randint(1, audit["chain_seq"])
                yield cut(audit["object_id"], last)
            case _:
                yield cut(audit["object_id"], 1)


def changed(table: str, column: str, seq: int) -> tuple[str, Edit]:
    value = REPLACED.get(column, "something_else")
    return f"change {table}.{column} of {seq}", statement(f"UPDATE {table} SET {column} = ? WHERE seq = ?", value, seq)


def deleted(table: str, draw: random.Random, audits: list[Row], moves: list[Row]) -> tuple[str, Edit]:
    seq = draw.choice(audits if table == "audit_record" else moves)["seq"]
    return f"delete {seq} of {table}", statement(f"DELETE FROM {table} WHERE seq = ?", seq)


def inserted(audit: Row | None, move: Row) -> tuple[str, Edit]:
    """Append a row: to a chain, soundly linked to its end, or a move that nobody made."""

    def edit(connection: sqlite3.Connection) -> None:
        if audit is None:
            _insert(connection, "transition", {**move, "seq": None})
            return
        last = dict(
            connection.execute(
                "SELECT * FROM audit_record WHERE object_id = ? ORDER BY chain_seq DESC LIMIT 1", (audit["object_id"],)
            ).fetchone()
        )
        body = json.dumps({**json.loads(last["body"]), "chain_seq": last["chain_seq"] + 1, "rows": []})
        forged = {"seq": None, "chain_seq": last["chain_seq"] + 1, "body": body, "prev_hash": last["hash"]}
        _insert(connection, "audit_record", {**last, **forged, "hash": sealed(last["hash"], body)})

    return "insert a row", edit


def swapped(table: str, one: Row, other: Row) -> tuple[str, Edit]:
    """Exchange what two rows say, but for their places."""
    kept = {"seq", "object_type", "object_id", "chain_seq"}
    columns = [name for name in one if name not in kept]

    def edit(connection: sqlite3.Connection) -> None:
        for target, source in ((one, other), (other, one)):
            setting = ", ".join(f"{name} = :{name}" for name in columns)
            connection.execute(f"UPDATE {table} SET {setting} WHERE seq = :place", {**source, "place": target["seq"]})

    return f"swap {one['seq']} and {other['seq']} of {table}", edit


def cut(object_id: str, first: int) -> tuple[str, Edit]:
    """Take away the end of a chain, or all of it."""
    gone = "DELETE FROM audit_record WHERE object_id = ? AND chain_seq >= ?"
    return f"cut the chain of {object_id} at {first}", statement(gone, object_id, first)


def rewritten(connection: sqlite3.Connection) -> None:
    """Say in every body that somebody else acted, and seal everything anew, heads included: no chain shows it."""
    heads: dict[tuple[str, str], str] = {}
    for row in rows_of(connection, "audit_record"):
        key = (row["object_type"], row["object_id"])
        before = heads.get(key, "0" * 64)
        body = json.dumps(
            {**json.loads(row["body"]), "actor_id": OTHER_ID},
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=True,
        )
        heads[key] = sealed(before, body)
        connection.execute(
            "UPDATE audit_record SET body = ?, actor_id = ?, prev_hash = ?, hash = ? WHERE seq = ?",
            (body, OTHER_ID, before, heads[key], row["seq"]),
        )
    tables = subject_tables()
    for (object_type, object_id), head in heads.items():
        connection.execute(f"UPDATE {tables[object_type]} SET audit_head = ? WHERE id = ?", (head, object_id))


def without_its_history(connection: sqlite3.Connection, object_type: str, object_id: str) -> None:
    """Take away a chain and everything that names it: no row that is left shows that it was there."""
    connection.execute("DELETE FROM audit_record WHERE object_id = ?", (object_id,))
    connection.execute("DELETE FROM transition WHERE object_id = ?", (object_id,))
    connection.execute(f"DELETE FROM {subject_tables()[object_type]} WHERE id = ?", (object_id,))


def sealed(before: str, body: str) -> str:
    return hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()


def _insert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    places = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", row)


def statement(sql: str, *values: Any) -> Edit:
    """Return the edit that runs one statement."""

    def edit(connection: sqlite3.Connection) -> None:
        connection.execute(sql, values)

    return edit
