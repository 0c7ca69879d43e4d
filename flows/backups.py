"""Backups: a copy of the whole database while others write, with the checkpoint that says what its trail was.

SQLite by its online backup, PostgreSQL by `pg_dump`. Evidence files lie outside and are copied by whoever keeps them.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.engine import URL

from flows.alarms import tell_backup_failed
from flows.soundness import sign_heads, sync_folder
from flows.turns import Effect, Outcome, Turn
from lifecycle.audit.streams import chain_heads
from lifecycle.canonical import canonical, instant, sha256
from models.db import is_sqlite, reading
from models.installation import Installation
from models.journal import AuditRecord
from models.ports import OutsideError
from models.reading import table_of
from models.settings import Settings

MINUTES = 60
"""How long the program of the database may take."""
_OWN = 0o600
_DEBIAN = Path("/usr/lib/postgresql")


class ProgramMissingError(Exception):
    """A program that comes with PostgreSQL is not installed; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was written."""

    path: Path
    sha256: str
    at: datetime
    checkpoint: Mapping[str, Any]
    """`seq, audit_seq, heads_count, heads_sha256`; without a key nothing is signed and `seq` is None."""

    def document(self) -> dict[str, Any]:
        """Return the contract's document."""
        return {"file": str(self.path), "sha256": self.sha256, **self.checkpoint, "at": instant(self.at)}


def make_backup(engine: Engine, settings: Settings, out: Path, *, now: datetime) -> Made:
    """Sign a checkpoint and copy the database, with it in it, to a file that is there whole or not at all.

    Raises `FileExistsError`, `ProgramMissingError`, and `OutsideError` where the copy was not made or is not sound.
    """
    if out.exists():
        raise FileExistsError(out)
    checkpoint = _checkpoint(engine, settings, now)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    part.touch(mode=_OWN)  # what it holds is for nobody else: accounts, secrets of webhooks and chats
    try:
        (_copy_sqlite if is_sqlite(engine) else _dump_postgres)(engine, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(out.parent)
    return Made(path=out, sha256=digest, at=now, checkpoint=checkpoint)


def _checkpoint(engine: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
    """Sign the heads beside the other checkpoints; where no key is set say them unsigned."""
    if settings.checkpoint_key is not None:
        folder, stem = settings.checkpoint_place(), f"{now:%Y%m%dT%H%M%SZ}-backup"
        number = 1
        while (place := folder / f"{stem}{'' if number == 1 else f'-{number}'}.json").exists():
            number += 1
        _, made = sign_heads(engine, settings, now, place)
        return {name: getattr(made.row, name) for name in ("seq", "audit_seq", "heads_count", "heads_sha256")}
    with reading(engine) as session:
        heads = [list(head) for head in chain_heads(session)]
        record = table_of(AuditRecord)
        newest = session.execute(select(record.c.seq).order_by(record.c.seq.desc()).limit(1)).scalar()
    said = {"audit_seq": newest or 0, "heads_count": len(heads), "heads_sha256": sha256(canonical(heads))}
    return {"seq": None, **said}


def _copy_sqlite(engine: Engine, part: Path) -> None:
    """Copy by the online backup in one step: a snapshot that hinders no writer, then one file without a log."""
    raw = engine.raw_connection()
    target = sqlite3.connect(part)
    try:
        source: Any = raw.driver_connection
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise OutsideError(f"{part.name}: {error}") from error
    finally:
        target.close()
        raw.close()
    if found != "ok":
        raise OutsideError(f"{part.name}: {found}")


def _dump_postgres(engine: Engine, part: Path) -> None:
    arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--file={part}"]
    run_program("pg_dump", [*arguments, *place_of(engine.url)], engine.url)
    run_program("pg_restore", ["--list", str(part)], engine.url)  # it can be read


def place_of(url: URL) -> list[str]:
    """Return where a database is, as the programs of PostgreSQL are told; the password goes another way."""
    host = url.host or url.query.get("host")
    said = {"--host": host, "--port": url.port, "--username": url.username, "--dbname": url.database}
    return [f"{name}={value}" for name, value in said.items() if value]


def run_program(name: str, arguments: Sequence[str], url: URL) -> str:
    """Run a program of PostgreSQL and return what it prints; `ProgramMissingError`, `OutsideError` with its words."""
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [str(program(name)), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - a program found by its name, with our own arguments
            command, env=environment, capture_output=True, text=True, timeout=60 * MINUTES, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OutsideError(f"{name} was not ready after {MINUTES} minutes") from error
    if done.returncode:
        raise OutsideError(f"{name}: {done.stderr.strip()[-800:]}")
    return done.stdout


def program(name: str) -> Path:
    """Return where a program of PostgreSQL lies: the newest that its package installed, else the one on the path."""
    newest_first = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: -int(path.parent.parent.name))
    found = next(iter(newest_first), None) or shutil.which(name)
    if found is None:
        raise ProgramMissingError(name)
    return Path(found)


def backup(turn: Turn) -> Outcome:
    """Write a backup into the folder that is set and keep the newest ones; refused where none is set.

    One that cannot be made is a task for the operators.
    """
    folder = turn.settings.backup_dir
    if folder is None:
        return Outcome(refused=1, refusal="backup_dir_missing")
    name = f"pilotway-{_database_id(turn.engine)[:8]}"
    path = folder / f"{name}-{turn.slot_at:%Y%m%dT%H%M%S%fZ}.backup"
    known = path.exists()  # a run taken over whose predecessor came that far
    effects = []
    if not known:
        try:
            made = make_backup(turn.engine, turn.settings, path, now=turn.stamp.now)
        except (OutsideError, OSError) as error:
            tell_backup_failed(turn, str(error))
            failed = Effect(effect="failed", object_type="backup", ref=str(path), detail=str(error))
            return Outcome(found=1, failed=1, effects=(failed,))
        except ProgramMissingError as error:
            tell_backup_failed(turn, f"program_missing: {error}")
            return Outcome(refused=1, refusal=f"program_missing: {error}")
        effects.append(Effect(effect="backup.written", object_type="backup", ref=str(path), detail=made.sha256))
    for old in sorted(folder.glob(f"{name}-*.backup"))[: -turn.settings.backup_keep]:
        old.unlink(missing_ok=True)
        effects.append(Effect(effect="removed", object_type="backup", ref=str(old)))
    return Outcome(found=1, done=0 if known else 1, effects=effects)


def _database_id(engine: Engine) -> str:
    with reading(engine) as session:
        return str(session.execute(select(table_of(Installation).c.database_id)).scalar_one())
