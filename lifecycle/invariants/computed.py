"""Invariants that need more than SQL: hashes, files, what a standard asks."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import bindparam, select, text
from sqlmodel import Session

from lifecycle.audit.verify import verify
from models.payouts import Approval
from models.ports import FileStore, OutsideError
from models.programmes import StandardPack
from models.projects import Project, Requirement, StageRun

_CHUNK_BYTES = 1024 * 1024


def audit_verifies(session: Session, keys: Mapping[str, Ed25519PublicKey]) -> Iterator[dict[str, Any]]:
    """Yield every problem of the audit trail (I15)."""
    for problem in verify(session, keys=keys).problems:
        yield problem.document()


def referenced_files(session: Session) -> dict[str, str]:
    """Return every hash that an evidence row refers to, with the id of one such row."""
    rows = session.execute(text("SELECT sha256, MIN(id) AS evidence_id FROM v_evidence GROUP BY sha256"))
    return {row.sha256: row.evidence_id for row in rows}


def wrong_files(referenced: Mapping[str, str], files: FileStore) -> Iterator[dict[str, Any]]:
    """Yield every referenced hash that has no file with that content (I22)."""
    for sha256, evidence_id in referenced.items():
        why = _wrong(files, sha256)
        if why:
            yield {"sha256": sha256, "evidence_id": evidence_id, "why": why}


def requirements_of_the_pack(session: Session) -> Iterator[dict[str, Any]]:
    """Yield every visit whose requirements are not exactly the criteria of the project's frozen pack (H02)."""
    packs: dict[tuple[str, str], frozenset[str]] = {}
    for digest, body in session.execute(select(_PACK.c.sha256, _PACK.c.body)):
        for stage in body["stages"]:
            packs[digest, stage["id"]] = frozenset(criterion["id"] for criterion in stage["criteria"])
    for run in _visits(session):
        asked = packs.get((run["pack_sha256"], run["stage"]), frozenset())
        if asked != run["clauses"]:
            yield {
                "stage_run_id": run["stage_run_id"],
                "missing": sorted(asked - run["clauses"]),
                "surplus": sorted(run["clauses"] - asked),
            }


def roles_as_decided(session: Session) -> Iterator[dict[str, Any]]:
    """Yield every word on a payout whose role is not the one that its audit row says (H08).

    The hash of an approval covers the columns of its view, and the view has no role.
    """
    said: dict[int, str] = {}
    bodies = text("SELECT body FROM v_audit WHERE object_type = 'payout' AND action IN :words").bindparams(
        bindparam("words", _WORDS, expanding=True)
    )
    for (body,) in session.execute(bodies, execution_options={"yield_per": 2_000}):
        told = json.loads(body)
        if "role" in told["detail"]:
            said |= {seq: told["detail"]["role"] for view, seq, _ in told["rows"] if view == "v_approval"}
    columns = (_APPROVAL.c.seq, _APPROVAL.c.payout_id, _APPROVAL.c.role)
    for row in session.execute(select(*columns).order_by(_APPROVAL.c.seq), execution_options={"yield_per": 2_000}):
        if said.get(row.seq, row.role) != row.role:
            yield {"seq": row.seq, "payout_id": str(row.payout_id), "role": str(row.role), "said": said[row.seq]}


def _visits(session: Session) -> Iterator[dict[str, Any]]:
    statement = (
        select(_RUN.c.id, _RUN.c.stage, _PROJECT.c.pack_sha256, _REQUIREMENT.c.clause)
        .select_from(
            _RUN.join(_PROJECT, _PROJECT.c.id == _RUN.c.project_id).outerjoin(
                _REQUIREMENT, _REQUIREMENT.c.stage_run_id == _RUN.c.id
            )
        )
        .order_by(_RUN.c.id)
    )
    visit: dict[str, Any] | None = None
    for row in session.execute(statement, execution_options={"yield_per": 2_000}):
        if visit is None or visit["stage_run_id"] != str(row.id):
            if visit is not None:
                yield visit
            visit = {
                "stage_run_id": str(row.id),
                "stage": str(row.stage),
                "pack_sha256": row.pack_sha256,
                "clauses": frozenset(),
            }
        if row.clause is not None:
            visit["clauses"] |= {row.clause}
    if visit is not None:
        yield visit


def _wrong(files: FileStore, sha256: str) -> str | None:
    digest = hashlib.sha256()
    try:
        if not files.exists(sha256):
            return "no such file"
        with files.open(sha256) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OutsideError:
        return "the file cannot be read"
    return None if digest.hexdigest() == sha256 else "the file has another content"


def _table(model: Any) -> Any:
    return model.__table__


_PACK, _PROJECT, _RUN, _REQUIREMENT = (_table(model) for model in (StandardPack, Project, StageRun, Requirement))
_APPROVAL = _table(Approval)
_WORDS = [f"payout.{verb}" for verb in ("certify", "approve", "reapprove", "reject", "release")]
