"""Restoring a backup into an empty database: as it was, but under a new epoch, in doubt about the bank, and frozen.

What was sent after the backup was made nobody knows here: two people let money go on once the bank's statements are in.
"""

import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid5

from sqlalchemy import Engine, delete, inspect, select, update
from sqlmodel import Session

from flows.backups import place_of, run_program
from flows.soundness import sync_folder
from lifecycle.audit.checkpoints import heads_at
from lifecycle.audit.streams import chain_heads
from lifecycle.canonical import canonical, sha256
from lifecycle.commands import Command, Stamp
from lifecycle.disbursement.commands import Freeze, standing_holds
from lifecycle.engine import execute_all_or_none
from lifecycle.installation import new_epoch
from lifecycle.payouts.batches import Doubt
from models.db import is_sqlite, make_engine, run_in_transaction
from models.installation import Installation
from models.journal import Checkpoint, Claim
from models.payouts import PaymentBatch
from models.readiness import APPLICATION_ID, head_revision, refuse_network_file_system
from models.reading import table_of
from models.states import PaymentBatchState

MakeStamp: TypeAlias = Callable[[Any], Stamp]
"""From the row that says which database it is: when and by whom."""

_SPACE = UUID("b4d5a5f0-9a0d-5a0e-8c55-6a0a1e9d3c70")
_VERSION = re.compile(r"COPY \S*alembic_version \(version_num\) FROM stdin;\n(\S+)\n")
_REASON = "the database was restored: import the bank's statements up to now, then two people lift this"


class NotEmptyError(Exception):
    """There is something already where the backup was to go."""


class NoBackupError(Exception):
    """The file is no backup of ours, or not one that this program can restore; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore has made."""

    file: str
    epoch: str
    made_unknown: tuple[UUID, ...]
    heads_sha256: str
    """Derived from the restored rows as its newest checkpoint saw them: equal to what the backup said."""

    def document(self) -> dict[str, Any]:
        """Return the contract's document."""
        names = [str(one) for one in self.made_unknown]
        return {"file": self.file, "epoch": self.epoch, "made_unknown": names, "heads_sha256": self.heads_sha256}


def restore(engine: Engine, file: Path, make_stamp: MakeStamp) -> Restored:
    """Restore a backup into the database that is set, which must be empty; killed at any point it leaves none in use.

    Raises `NotEmptyError`, `NoBackupError`, and what the programs of PostgreSQL raise (`flows/backups.py`).
    """
    return (_into_sqlite if is_sqlite(engine) else _into_postgres)(engine, file, make_stamp)


def _into_sqlite(engine: Engine, file: Path, make_stamp: MakeStamp) -> Restored:
    """Change a copy beside the database, and give it its name at last."""
    target = Path(str(engine.url.database))
    if target.exists() and (target.stat().st_size or not target.is_file()):
        raise NotEmptyError(str(target))
    refuse_network_file_system(engine)
    _refuse_other_files(file)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(file, part)
        copy = make_engine(str(part))
        try:
            made = run_in_transaction(copy, lambda session: _made_safe(session, file, make_stamp))
        finally:
            copy.dispose()
        _into_one_file(part)
        with part.open("rb") as content:
            os.fsync(content.fileno())
        part.replace(target)
        sync_folder(target.parent)
    finally:
        for leftover in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
    return made


def _into_one_file(part: Path) -> None:
    """Bring what the log of a database still holds into its file, which alone is moved."""
    connection = sqlite3.connect(part)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()


def _refuse_other_files(file: Path) -> None:
    try:
        source = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            mark = source.execute("PRAGMA application_id").fetchone()[0]
            if mark != APPLICATION_ID:
                raise NoBackupError(f"{file} is no backup of an SQLite database of ours")
            found = source.execute("PRAGMA integrity_check(1)").fetchone()[0]
            revision = source.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        finally:
            source.close()
    except sqlite3.Error as error:
        raise NoBackupError(f"{file} is no backup of an SQLite database of ours ({error})") from error
    if found != "ok":
        raise NoBackupError(f"{file} is damaged: {found}")
    _refuse_other_revision(file, revision)


def _refuse_other_revision(file: Path, revision: str) -> None:
    if revision != head_revision():
        raise NoBackupError(
            f"{file} is at revision {revision}, this program needs {head_revision()}: restore it with the program"
            " that made it, then migrate"
        )


def _into_postgres(engine: Engine, file: Path, make_stamp: MakeStamp) -> Restored:
    """Restore all but the revision, without which nothing works on the database; then make it safe and write that."""
    with file.open("rb") as content:
        if content.read(5) != b"PGDMP":
            raise NoBackupError(f"{file} is no backup of a PostgreSQL database")
    with engine.connect() as connection:
        if inspect(connection).get_table_names() or inspect(connection).get_view_names():
            raise NotEmptyError(engine.url.render_as_string(hide_password=True))
    contents = run_program("pg_restore", ["--list", str(file)], engine.url)
    one_table = ["--data-only", "--table=alembic_version", "--file=-", str(file)]
    said = _VERSION.search(run_program("pg_restore", one_table, engine.url))
    if said is None:
        raise NoBackupError(f"{file} is no backup of a database of ours")
    _refuse_other_revision(file, said[1])
    with tempfile.NamedTemporaryFile("w", suffix=".list") as wanted:
        wanted.write("".join(line for line in contents.splitlines(keepends=True) if not _is_revision(line)))
        wanted.flush()
        how = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", f"--use-list={wanted.name}"]
        run_program("pg_restore", [*how, *place_of(engine.url), str(file)], engine.url)

    def finish(session: Session) -> Restored:
        made = _made_safe(session, file, make_stamp)
        session.connection().exec_driver_sql("INSERT INTO alembic_version (version_num) VALUES (%s)", (said[1],))
        return made

    return run_in_transaction(engine, finish)


def _is_revision(line: str) -> bool:
    return " TABLE DATA " in line and " alembic_version " in line


def _made_safe(session: Session, file: Path, make_stamp: MakeStamp) -> Restored:
    """Draw a new epoch, doubt every batch that the bank may have, stop all disbursement; one transaction."""
    installation = table_of(Installation)
    row = session.execute(select(installation)).one()
    stamp, heads = make_stamp(row), _heads_sha256(session)
    epoch = next(drawn for drawn in iter(new_epoch, "") if drawn != row.epoch)
    session.execute(update(installation).values(epoch=epoch))
    session.execute(delete(table_of(Claim)))
    batch = table_of(PaymentBatch)
    on_the_way = batch.c.state.in_((PaymentBatchState.PREPARED, PaymentBatchState.SENT))
    doubted = tuple(session.execute(select(batch.c.id).where(on_the_way).order_by(batch.c.number)).scalars())
    commands: list[Command] = [
        Doubt(command_id=str(uuid5(_SPACE, f"doubt:{one}:{epoch}")), batch_id=one, why="restored") for one in doubted
    ]
    freeze = Freeze(command_id=str(uuid5(_SPACE, f"freeze:{epoch}")), reason=_REASON, code="restored")
    if all(hold.reason != freeze.code for hold in standing_holds(session)):  # the backup of a restored database
        commands.append(freeze)
    execute_all_or_none(session, commands, stamp=stamp)
    return Restored(file=str(file), epoch=epoch, made_unknown=doubted, heads_sha256=heads)


def _heads_sha256(session: Session) -> str:
    """Return the hash of all chain heads as the newest checkpoint saw them; as they are where there is none."""
    checkpoint = table_of(Checkpoint)
    newest = session.execute(select(checkpoint.c.audit_seq).order_by(checkpoint.c.seq.desc()).limit(1)).scalar()
    heads = chain_heads(session) if newest is None else heads_at(session, newest)
    return sha256(canonical([list(head) for head in heads]))
