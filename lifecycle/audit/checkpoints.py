"""Signed statements of all chain heads, carried out of the database: they show a cut, a rewrite, a chain that is gone.

A checkpoint is cut exactly: nobody writes audit rows while its heads are read, so the heads of any stored checkpoint
can be derived again from the rows up to its `audit_seq`.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import text
from sqlmodel import Session, col, select

from lifecycle.audit import streams
from lifecycle.audit.findings import FileVerdict, Findings, Problem, ProblemKind
from lifecycle.audit.keys import key_id
from lifecycle.canonical import canonical, sha256
from models.db import is_sqlite
from models.installation import Installation
from models.journal import Checkpoint

FORMAT = "pilotway-checkpoint/1"
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFile:
    """A checkpoint as it leaves the house: the bytes to keep, and what its row says."""

    content: bytes
    row: Checkpoint

    def document(self, file: str) -> dict[str, Any]:
        """Return what the command line answers for a checkpoint written to this file."""
        return {
            "file": file,
            "sha256": self.row.file_sha256,
            "seq": self.row.seq,
            "audit_seq": self.row.audit_seq,
            "heads_count": self.row.heads_count,
            "heads_sha256": self.row.heads_sha256,
            "at": _instant(self.row.at),
        }


def write_checkpoint(session: Session, *, key: Ed25519PrivateKey, now: datetime) -> CheckpointFile:
    """Sign the heads of all chains, store the row, and return the file to carry away.

    Raises `LookupError` before `init`: without a database id a checkpoint belongs to nobody.
    """
    if not is_sqlite(session):  # SQLite has one writer, and that is us
        session.execute(text("LOCK TABLE audit_record IN SHARE ROW EXCLUSIVE MODE"))
    previous = _newest(session)
    heads = [list(head) for head in streams.chain_heads(session)]
    audit_seq = session.execute(text("SELECT COALESCE(MAX(seq), 0) FROM v_audit")).scalar_one()
    row = Checkpoint(
        seq=1 if previous is None or previous.seq is None else previous.seq + 1,
        audit_seq=audit_seq,
        heads_count=len(heads),
        heads_sha256=sha256(canonical(heads)),
        file_sha256="",
        at=now,
        key_id=key_id(key.public_key()),
        signature="",
    )
    document = _document(row, heads, database_id=_database_id(session), previous=previous)
    row.signature = base64.b64encode(key.sign(canonical(document).encode())).decode()
    content = canonical({**document, "signature": row.signature}).encode()
    row.file_sha256 = hashlib.sha256(content).hexdigest()
    session.add(row)
    session.flush()
    return CheckpointFile(content=content, row=row)


def compare_file(
    session: Session, findings: Findings, *, file: str, content: bytes, keys: Mapping[str, Ed25519PublicKey]
) -> FileVerdict:
    """Compare the chains with a checkpoint file; what it proves it proves by its signature, so an unknown key fails."""
    before = findings.count
    document = _read(content)
    if document is None:
        findings.add(Problem(kind=ProblemKind.SIGNATURE, detail=f"{file} is no checkpoint"))
        return FileVerdict(file=file, seq=None, is_ok=False)
    if not _is_signed(document, keys):
        detail = f"{file} is not signed by a key that is known"
        findings.add(Problem(kind=ProblemKind.SIGNATURE, detail=detail))
    if document["database_id"] != _database_id(session):
        findings.add(Problem(kind=ProblemKind.FOREIGN, detail=f"{file} is of another database"))
    else:
        _compare_row(session, findings, file, document)
        _compare_heads(session, findings, file, document["heads"])
    return FileVerdict(file=file, seq=document["seq"], is_ok=findings.count == before)


def compare_stored(session: Session, findings: Findings, *, keys: Mapping[str, Ed25519PublicKey]) -> None:
    """Derive the heads of every stored checkpoint again; with keys, check the newest one's file and signature too."""
    cuts = [_Cut(row) for row in session.exec(select(Checkpoint).order_by(col(Checkpoint.seq)))]
    for place, cut in enumerate(cuts, start=1):
        if cut.row.seq != place:
            findings.add(Problem(kind=ProblemKind.MISSING, detail=f"there is no checkpoint {place}"))
            return
    _derive(session, cuts)
    for cut in cuts:
        if cut.heads_sha256() != cut.row.heads_sha256 or cut.heads_count != cut.row.heads_count:
            findings.add(Problem(kind=ProblemKind.REWRITTEN, detail=f"checkpoint {cut.row.seq} saw other heads"))
    if cuts and keys:
        _compare_newest(session, findings, [cut.row for cut in cuts[-2:]], keys)


@dataclass(slots=True)
class _Cut:
    """The heads as they were at one checkpoint, hashed while the chains are read."""

    row: Checkpoint
    heads_count: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, head: str) -> None:
        self.digest.update((("," if self.heads_count else "[") + head).encode())
        self.heads_count += 1

    def heads_sha256(self) -> str:
        whole = self.digest.copy()
        whole.update(b"]" if self.heads_count else b"[]")
        return str(whole.hexdigest())


def _derive(session: Session, cuts: Sequence[_Cut]) -> None:
    if not cuts:
        return
    for _, chain in groupby(streams.chain_links(session), key=lambda row: (row.object_type, row.object_id)):
        waiting, head = list(cuts), None
        for row in chain:
            waiting = _pass(waiting, head, row.seq)
            head = row
        for cut in waiting:
            cut.add(_head(head))


def _pass(waiting: list[_Cut], head: Any, seq: int) -> list[_Cut]:
    """Give the head so far to the cuts that lie before this row; return those that lie behind it."""
    passed = [cut for cut in waiting if cut.row.audit_seq < seq]
    if not passed:
        return waiting
    if head is not None:
        for cut in passed:
            cut.add(_head(head))
    return [cut for cut in waiting if cut.row.audit_seq >= seq]


def _head(row: Any) -> str:
    return canonical([row.object_type, row.object_id, row.chain_seq, row.hash])


def _compare_newest(
    session: Session, findings: Findings, rows: Sequence[Checkpoint], keys: Mapping[str, Ed25519PublicKey]
) -> None:
    newest = rows[-1]
    heads = [list(head) for head in heads_at(session, newest.audit_seq)]
    previous = rows[0] if len(rows) > 1 else None
    document = _document(newest, heads, database_id=_database_id(session), previous=previous)
    signed = {**document, "signature": newest.signature}
    if not _is_signed(signed, keys):
        detail = f"checkpoint {newest.seq} is not signed by a key that is known"
        findings.add(Problem(kind=ProblemKind.SIGNATURE, detail=detail))
    elif sha256(canonical(signed)) != newest.file_sha256:
        findings.add(Problem(kind=ProblemKind.REWRITTEN, detail=f"checkpoint {newest.seq} names another file"))


def heads_at(session: Session, audit_seq: int) -> Iterator[tuple[str, str, int, str]]:
    """Yield (object_type, object_id, chain_seq, hash) of every chain as it was at the audit row of this number."""
    for key, chain in groupby(streams.chain_links(session), key=lambda row: (row.object_type, row.object_id)):
        head = None
        for row in chain:
            head = row if row.seq <= audit_seq else head
        if head is not None:
            yield (*key, head.chain_seq, head.hash)


def _document(
    row: Checkpoint, heads: Sequence[Sequence[Any]], *, database_id: str, previous: Checkpoint | None
) -> dict[str, Any]:
    """Return what is signed."""
    return {
        "format": FORMAT,
        "database_id": database_id,
        "seq": row.seq,
        "audit_seq": row.audit_seq,
        "heads": heads,
        "previous_sha256": previous.file_sha256 if previous else None,
        "at": row.at,
        "key_id": row.key_id,
    }


def _read(content: bytes) -> dict[str, Any] | None:
    """Return the document of a checkpoint file, or None for what has not its form."""
    try:
        document = json.loads(content)
        canonical(document).encode()  # half a surrogate pair is text to JSON and to nobody else
    except (ValueError, TypeError, RecursionError):
        return None
    match document:
        case {
            "format": "pilotway-checkpoint/1",
            "database_id": str(),
            "seq": int(seq),
            "audit_seq": int(audit_seq),
            "heads": list(heads),
            "key_id": str(),
            "signature": str(),
        } if _is_number(seq) and _is_number(audit_seq) and all(_is_head(head) for head in heads):
            return dict(document)
    return None


def _is_head(head: Any) -> bool:
    match head:
        case [str(), str(), int(chain_seq), str(head_hash)]:
            return _is_number(chain_seq) and _SHA256.fullmatch(head_hash) is not None
    return False


def _is_number(value: int) -> bool:
    """Say whether the database can hold it as a number of a row."""
    return not isinstance(value, bool) and 0 <= value < 1 << 63


def _is_signed(document: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> bool:
    key = keys.get(document["key_id"])
    if key is None:
        return False
    said = {name: value for name, value in document.items() if name != "signature"}
    try:
        key.verify(base64.b64decode(document["signature"], validate=True), canonical(said).encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _compare_row(session: Session, findings: Findings, file: str, document: Mapping[str, Any]) -> None:
    row = session.get(Checkpoint, document["seq"])
    if row is None:
        detail = f"the database does not know checkpoint {document['seq']} of {file}"
        findings.add(Problem(kind=ProblemKind.MISSING, detail=detail))
    elif row.signature != document["signature"]:
        detail = f"the database knows another checkpoint {document['seq']} than {file}"
        findings.add(Problem(kind=ProblemKind.REWRITTEN, detail=detail))


def _compare_heads(session: Session, findings: Findings, file: str, heads: Sequence[Sequence[Any]]) -> None:
    wanted = {(head[0], head[1]): (head[2], head[3]) for head in heads}
    lengths: dict[tuple[str, str], int] = {}
    for row in streams.chain_links(session):
        key = (row.object_type, row.object_id)
        expected = wanted.get(key)
        if expected is None:
            continue
        lengths[key] = row.chain_seq
        if row.chain_seq == expected[0]:
            del wanted[key]
            if row.hash != expected[1]:
                problem = _of_file(key, expected[0], ProblemKind.REWRITTEN, f"{file} saw another hash here")
                findings.add(problem)
    for key, (chain_seq, _) in wanted.items():
        if key not in lengths:
            findings.add(_of_file(key, chain_seq, ProblemKind.MISSING, f"{file} saw this chain"))
        else:
            detail = f"{file} saw {chain_seq} rows, {lengths[key]} are there"
            findings.add(_of_file(key, chain_seq, ProblemKind.TRUNCATED, detail))


def _of_file(key: tuple[str, str], chain_seq: int, kind: ProblemKind, detail: str) -> Problem:
    return Problem(kind=kind, detail=detail, object_type=key[0], object_id=key[1], chain_seq=chain_seq)


def _newest(session: Session) -> Checkpoint | None:
    return session.exec(select(Checkpoint).order_by(col(Checkpoint.seq).desc()).limit(1)).first()


def _database_id(session: Session) -> str:
    installation = session.get(Installation, 1)
    if installation is None:
        raise LookupError("this database has no id: run `pilotway init`")
    return installation.database_id


def _instant(at: datetime) -> str:
    text: str = json.loads(canonical(at))
    return text
