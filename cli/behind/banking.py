"""Payment files and the bank's answers, from the command line: render, import, run, finish what was left."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import typer

from cli.door import Door
from cli.errors import BROKEN, PARTLY
from cli.output import Column
from flows.bank_channel import DropFolders
from flows.desk import folders_of, teller_of
from flows.disbursement import Teller
from flows.reconciliation import Taken, take_file
from lifecycle.actor import Actor
from lifecycle.canonical import sha256_of_bytes
from lifecycle.errors import Invalid, unmet
from lifecycle.payouts.batches import file_of
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import rows_by
from models.states import Door as DoorName
from notifications.words import sentence

_FILE = tuple(Column(key=key) for key in ("name", "status", "matched", "duplicate", "exception", "why"))


def folders(door: Door) -> DropFolders:
    """Return the folders that are set."""
    return folders_of(door.settings)


def teller(door: Door) -> Teller:
    """Return how this process hands payment files over."""
    return teller_of(door.engine, door.settings, door.stamp(Actor.clock(DoorName.FLOW)))


def render_batch(door: Door, ref: str, out: Path) -> None:
    """Write the batch's file anew; leaves with exit 7 and writes nothing when it is not the one that was prepared."""

    def work(session: Any) -> tuple[Any, bytes]:
        batch_id = door.lookup(session).batch(ref)
        (row,) = rows_by(session, PaymentBatch, "id", [batch_id])[batch_id]
        return row, file_of(row, rows_by(session, PaymentInstruction, "batch_id", [batch_id])[batch_id])

    row, data = door.read(work)
    if out.exists():
        raise Invalid(unmet("file_exists", file=str(out)))
    found = {"batch": row.number, "file_name": row.file_name, "sha256": sha256_of_bytes(data), "ok": False}
    found["ok"] = found["sha256"] == row.file_sha256
    if found["ok"]:
        out.write_bytes(data)
    else:
        door.output.say("file_differs", prepared=row.file_sha256, made=str(found["sha256"]))
    door.output.record(tuple(Column(key=key) for key in found), found)
    if not found["ok"]:
        raise typer.Exit(BROKEN)


def import_all(door: Door, files: Sequence[Path]) -> None:
    """Take files of the bank; leaves with exit 6 when one of them went to quarantine.

    Who is named acts with their own rights; where nobody is, who runs it holds the database, and it is the clock.
    """
    stamp = door.stamp(door.read(door.actor) if door.is_named else Actor.clock(DoorName.CLI))
    tell_taken(door, [take_file(door.engine, path.name, partial(_open, path), stamp) for path in files])


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def tell_taken(door: Door, taken: Sequence[Taken]) -> None:
    """Print what became of files of the bank."""
    documents = [one.document() for one in taken]
    if door.output.as_json:
        door.output.document({"files": documents})
    else:
        door.output.table(_FILE, documents)
        for one in taken:
            for reason in one.why.unmet if one.why is not None else ():
                door.output.warn(f"{one.name}: {sentence(reason.code, reason.values, door.output.lang)}", "red")
    if any(one.status == "quarantined" for one in taken):
        raise typer.Exit(PARTLY)
