"""Whether what is stored can be trusted: every invariant asked, disbursement stopped, all chain heads signed."""

import os
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from flows.alarms import tell_broken, tell_signed
from flows.turns import Effect, Outcome, Turn
from lifecycle.audit.checkpoints import CheckpointFile, write_checkpoint
from lifecycle.audit.keys import BadKeyError, read_private_key, read_public_keys
from lifecycle.commands import Stamp
from lifecycle.disbursement.commands import freeze_for
from lifecycle.engine import execute
from lifecycle.invariants.check import EVIDENCE_FILES, Report, Result, all_checks, check, chosen, frozen
from lifecycle.verdicts.soundness import fresh_verdicts
from models.db import reading, run_in_transaction
from models.settings import Settings


def ask(engine: Engine, settings: Settings, stamp: Stamp, only: Collection[str] = ()) -> Report:
    """Ask every invariant that the database alone shows, or those named; `UnknownCheckError`, `BadKeyError`."""
    checks = (*all_checks(public_keys(settings)), fresh_verdicts(stamp))
    asked = chosen(checks, only) if only else checks
    with reading(engine) as session:
        return check(session, asked, now=stamp.now, bank_answer_hours=settings.bank_answer_hours)


def known_checks(settings: Settings, stamp: Stamp) -> list[str]:
    """Return the ids of all invariants."""
    return [*(one.id for one in (*all_checks(public_keys(settings)), fresh_verdicts(stamp))), EVIDENCE_FILES]


def stop_disbursement(engine: Engine, report: Report, stamp: Stamp) -> Report:
    """Put the hold, unless one stands for the same; return the report with what stands now."""
    freeze = freeze_for(report, str(stamp.new_id()))
    run_in_transaction(engine, lambda session: execute(session, [freeze], stamp=stamp))
    with reading(engine) as session:
        return replace(report, frozen=frozen(session))


def public_keys(settings: Settings) -> Any:
    """Return the keys that verify checkpoints; `BadKeyError` names the file that is none."""
    place = settings.checkpoint_public_key
    if place is None or not place.exists():
        return {}
    try:
        return read_public_keys(place.read_bytes())
    except BadKeyError as error:
        raise BadKeyError(f"{place}: {error}") from error


def sign_heads(
    engine: Engine, settings: Settings, now: datetime, out: Path | None = None
) -> tuple[Path, CheckpointFile]:
    """Sign all chain heads and write the file to carry out of the house; return where it is and what it says.

    It is named by its time where nobody says where. `BadKeyError` for a file that is no key, `FileExistsError`.
    """
    place = settings.checkpoint_key
    if place is None:
        raise BadKeyError("no key is set")
    try:
        key = read_private_key(place.read_bytes())
    except BadKeyError as error:
        raise BadKeyError(f"{place}: {error}") from error
    path = out or settings.checkpoint_place() / f"{now:%Y%m%dT%H%M%SZ}.json"
    if path.exists():
        raise FileExistsError(path)
    made = run_in_transaction(engine, lambda session: write_checkpoint(session, key=key, now=now))
    write_whole(path, made.content)
    return path, made


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the disk know the names in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def invariants(turn: Turn) -> Outcome:
    """Ask every invariant of the database; one about money that is broken stops all disbursement.

    Evidence files are read once a day, by housekeeping: they may be many, and no money hangs on them.
    """
    report = ask(turn.engine, turn.settings, turn.stamp)
    stopped: list[Effect] = []
    if report.broken_money:
        was_on = report.frozen["on"]
        report = stop_disbursement(turn.engine, report, turn.stamp)
        if not was_on:
            hold = str(report.frozen["hold_id"])
            told = ", ".join(report.broken_money)
            stopped = [Effect(effect="disbursement.freeze", object_type="hold", object_id=hold, detail=told)]
    broken = [one for one in report.results if not one.is_ok]
    if broken:
        tell_broken(turn, broken)
    return Outcome(
        found=len(report.results),
        done=len(report.results) - len(broken),
        failed=len(broken),
        effects=(*stopped, *map(broken_effect, broken)),
    )


def broken_effect(one: Result) -> Effect:
    """Return a broken invariant in domain words."""
    return Effect(effect="failed", object_type="invariant", ref=one.id, detail=f"{one.name}: {one.rows_count}")


def invariants_broken(turn: Turn) -> int:
    """Count the broken invariants, and stop nothing."""
    return sum(not one.is_ok for one in ask(turn.engine, turn.settings, turn.stamp).results)


def checkpoint(turn: Turn) -> Outcome:
    """Sign all chain heads into the folder that is set and tell the auditors; refused where no key is."""
    if turn.settings.checkpoint_key is None:
        return Outcome(refused=1, refusal="private_key_missing")
    try:
        path, made = sign_heads(turn.engine, turn.settings, turn.stamp.now)
    except FileExistsError as error:  # this very instant was signed: a run taken over has nothing left to do
        tell_signed(turn, Path(str(error)).name)
        return Outcome(found=1, effects=(Effect(effect="checkpoint.known", object_type="checkpoint", ref=str(error)),))
    tell_signed(turn, path.name)
    written = Effect(
        effect="checkpoint.written",
        object_type="checkpoint",
        object_id=str(made.row.seq),
        ref=str(path),
        detail=made.row.heads_sha256,
    )
    return Outcome(found=1, done=1, effects=(written,))
