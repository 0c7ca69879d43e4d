"""Invariants, recovery and the audit trail: whether what is stored can be trusted."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from cli.behind.banking import folders, teller
from cli.door import Door
from cli.errors import BROKEN, PARTLY, CannotWork
from cli.output import Column
from flows.recovery import Finished, finish
from lifecycle import recovery
from lifecycle.actor import Actor
from lifecycle.audit.checkpoints import write_checkpoint
from lifecycle.audit.keys import BadKeyError, read_private_key, read_public_keys
from lifecycle.audit.verify import verify
from lifecycle.disbursement.commands import freeze_for
from lifecycle.engine import execute
from lifecycle.errors import Invalid, unmet
from lifecycle.invariants.check import (
    EVIDENCE_FILES,
    Report,
    UnknownCheckError,
    all_checks,
    check,
    chosen,
    frozen,
    with_evidence_files,
)
from lifecycle.verdicts.soundness import fresh_verdicts
from models.db import run_in_transaction
from models.file_store import EvidenceFiles
from models.states import Door as DoorName
from notifications.words import title


def check_all(door: Door, only: tuple[str, ...]) -> None:
    """Ask the invariants, stop disbursement when one about money is broken, and print; exit 7 when one is broken."""
    report = _asked(door, only)
    if report.broken_money:
        report = _frozen(door, report)
    _tell(door, report)


def find_all(door: Door, only: tuple[str, ...]) -> None:
    """Ask the invariants and print what they found; nothing is stopped. Leaves with exit 7 when one is broken."""
    _tell(door, _asked(door, only))


def _asked(door: Door, only: tuple[str, ...]) -> Report:
    stamp = door.stamp(Actor.clock(DoorName.CLI))
    checks = (*all_checks(_public_keys(door)), fresh_verdicts(stamp))
    try:
        asked = chosen(checks, only) if only else checks
    except UnknownCheckError as error:
        raise Invalid(unmet("check_unknown", value=str(error), known=[one.id for one in checks])) from error
    hours = door.settings.bank_answer_hours
    report = door.read(lambda session: check(session, asked, now=door.now, bank_answer_hours=hours))
    if not only or EVIDENCE_FILES in only:
        report = with_evidence_files(report, EvidenceFiles(door.settings.evidence_place()))
    return report


def _frozen(door: Door, report: Report) -> Report:
    """Put the hold, unless one stands for the same; return the report with what stands now."""
    stamp = door.stamp(Actor.clock(DoorName.CLI))
    freeze = freeze_for(report, str(stamp.new_id()))
    run_in_transaction(door.engine, lambda session: execute(session, [freeze], stamp=stamp))
    return replace(report, frozen=door.read(frozen))


def _tell(door: Door, report: Report) -> None:
    _print_checks(door, report.document())
    if not report.is_ok:
        raise typer.Exit(BROKEN)


def _print_checks(door: Door, document: Mapping[str, Any]) -> None:
    output = door.output
    if output.as_json:
        output.document(document)
        return
    for one in document["checks"]:
        mark, colour = ("sound", "") if one["ok"] else ("broken", "red")
        tail = "" if one["ok"] else f"  {one['rows_count']}"
        output.line(f"{output.mark(mark)} {one['id']:<4} {title('invariant', one['id'], output.lang)}{tail}", colour)
        for row in one["sample"]:
            output.line("          " + ", ".join(f"{key} {value}" for key, value in row.items()))
    output.say("all_is_well" if document["ok"] else "invariant_broken")


def recover_all(door: Door) -> None:
    """Finish and sweep what a crash left; leaves with exit 6 when something could not be done."""
    files = EvidenceFiles(door.settings.evidence_place())
    old = list(files.old_files(recovery.ORPHAN_AGE))
    found = door.read(lambda session: recovery.look(session, old, today=door.today))
    stamp = door.stamp(Actor.clock(DoorName.RECOVER))
    finished = finish(door.engine, teller(door), folders(door), stamp)
    document = _with_payments(recovery.sweep(found, files, now=door.now), finished)
    output = door.output
    if output.as_json:
        output.document(document)
    else:
        for one in document["moved"]:
            output.line(f"{one['object_type']} {one['object_id']}\t{one['from']} -> {one['to']}\t{one['why']}")
        for name in ("unknown", "waiting"):
            output.line(f"{name}\t{len(document[name])}")
        output.record((Column(key="temp_files"), Column(key="orphan_files")), document["swept"])
        for one in document["failed"]:
            output.warn(f"{one['object_type']} {one['object_id']}: {one['error']}", "red")
    if document["failed"]:
        raise typer.Exit(PARTLY)


def _with_payments(document: dict[str, Any], finished: Finished) -> dict[str, Any]:
    swept = {**document["swept"], "temp_files": document["swept"]["temp_files"] + finished.temp_files}
    known = {name: getattr(finished, name) for name in ("moved", "claims_taken", "unknown", "waiting")}
    return {**document, **known, "swept": swept, "failed": [*document["failed"], *finished.failed]}


def verify_trail(door: Door, files: list[Path]) -> None:
    """Re-compute the audit trail and print what contradicts it; leaves with exit 7 when something does."""
    contents = {str(path): path.read_bytes() for path in files}
    keys = _public_keys(door)
    if contents and not keys:
        raise Invalid(unmet("public_key_missing"))
    found = door.read(lambda session: verify(session, files=contents, keys=keys))
    document, output = found.document(), door.output
    if output.as_json:
        output.document(document)
    else:
        for one in document["problems"]:
            place = f"{one['object_type']} {one['object_id']} {one['chain_seq']}"
            output.line(f"{one['kind']:<10} {place}  {one['detail']}", "red")
        for one in document["checkpoints"]:
            mark, colour = ("sound", "") if one["ok"] else ("broken", "red")
            output.line(f"{output.mark(mark)} {one['file']}", colour)
        code = "trail_verifies" if found.is_ok else "trail_broken"
        output.say(code, rows=found.rows_count, chains=found.chains_count, problems=found.problems_count)
    if not found.is_ok:
        raise typer.Exit(BROKEN)


def write_checkpoint_file(door: Door, out: Path | None) -> None:
    """Sign all chain heads and write the file to carry out of the house, where nobody says where named by its time."""
    place = door.settings.checkpoint_key
    if place is None:
        raise Invalid(unmet("private_key_missing"))
    try:
        key = read_private_key(place.read_bytes())
    except BadKeyError as error:
        raise CannotWork("key", f"{place}: {error}") from error
    path = out or door.settings.checkpoint_place() / f"{door.now:%Y%m%dT%H%M%SZ}.json"
    if path.exists():
        raise Invalid(unmet("file_exists", file=str(path)))
    made = run_in_transaction(door.engine, lambda session: write_checkpoint(session, key=key, now=door.now))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.content)
    door.output.record((Column(key="file"), Column(key="sha256")), made.document(str(path)))


def _public_keys(door: Door) -> Any:
    place = door.settings.checkpoint_public_key
    if place is None or not place.exists():
        return {}
    try:
        return read_public_keys(place.read_bytes())
    except BadKeyError as error:
        raise CannotWork("key", f"{place}: {error}") from error
