"""Invariants, recovery and the audit trail: whether what is stored can be trusted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from cli.behind.banking import folders, teller
from cli.door import Door
from cli.errors import BROKEN, PARTLY, CannotWork
from cli.output import Column
from flows.recovery import Finished, finish
from flows.soundness import ask, known_checks, public_keys, sign_heads, stop_disbursement
from lifecycle import recovery
from lifecycle.actor import Actor
from lifecycle.audit.keys import BadKeyError
from lifecycle.audit.verify import verify
from lifecycle.errors import Invalid, unmet
from lifecycle.invariants.check import EVIDENCE_FILES, Report, UnknownCheckError, with_evidence_files
from models.file_store import EvidenceFiles, MemoryFiles
from models.states import Door as DoorName
from notifications.words import title


def check_all(door: Door, only: tuple[str, ...]) -> None:
    """Ask the invariants, stop disbursement when one about money is broken, and print; exit 7 when one is broken."""
    report = _asked(door, only)
    if report.broken_money:
        report = stop_disbursement(door.engine, report, door.stamp(Actor.clock(DoorName.CLI)))
    _tell(door, report)


def find_all(door: Door, only: tuple[str, ...]) -> None:
    """Ask the invariants and print what they found; nothing is stopped. Leaves with exit 7 when one is broken."""
    _tell(door, _asked(door, only))


def _asked(door: Door, only: tuple[str, ...]) -> Report:
    stamp = door.stamp(Actor.clock(DoorName.CLI))
    try:
        report = ask(door.engine, door.settings, stamp, only)
    except UnknownCheckError as error:
        known = known_checks(door.settings, stamp)
        raise Invalid(unmet("check_unknown", value=str(error), known=known)) from error
    except BadKeyError as error:
        raise CannotWork("key", str(error)) from error
    if not only or EVIDENCE_FILES in only:
        report = with_evidence_files(report, EvidenceFiles(door.settings.evidence_place()))
    return report


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
    document, output = recovered(door), door.output
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


def recovered(door: Door) -> dict[str, Any]:
    """Finish what a crash left, sweep the evidence files too, and return `pilotway-recover/1`."""
    files = EvidenceFiles(door.settings.evidence_place())
    return _finished(door, list(files.old_files(recovery.ORPHAN_AGE)), files)


def recovered_payments(door: Door) -> dict[str, Any]:
    """Do the same without looking through the evidence files: what a worker does before each of its passes."""
    return _finished(door, [], MemoryFiles())


def _finished(door: Door, old: list[str], files: recovery.Leftovers) -> dict[str, Any]:
    found = door.read(lambda session: recovery.look(session, old, today=door.today))
    stamp = door.stamp(Actor.clock(DoorName.RECOVER))
    finished = finish(door.engine, teller(door), folders(door), stamp)
    return _with_payments(recovery.sweep(found, files, now=door.now), finished)


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
    if door.settings.checkpoint_key is None:
        raise Invalid(unmet("private_key_missing"))
    try:
        path, made = sign_heads(door.engine, door.settings, door.now, out)
    except BadKeyError as error:
        raise CannotWork("key", str(error)) from error
    except FileExistsError as error:
        raise Invalid(unmet("file_exists", file=str(error))) from error
    door.output.record((Column(key="file"), Column(key="sha256")), made.document(str(path)))


def _public_keys(door: Door) -> Any:
    try:
        return public_keys(door.settings)
    except BadKeyError as error:
        raise CannotWork("key", str(error)) from error
