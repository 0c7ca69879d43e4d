"""Approvals, postings and what the bank said, against the audit bodies that name them: each once, each as written.

A posting has no chain of its own: an act on a payout, a fund or a statement names it, and one act names many. So what
is named is gathered while the chains are read, 48 bytes a row, and then laid beside the view in the order of numbers.
"""

import re
from array import array
from collections.abc import Iterator
from typing import Any, TypeAlias

from sqlmodel import Session

from lifecycle.audit import streams
from lifecycle.audit.findings import Findings, Problem, ProblemKind
from lifecycle.canonical import canonical, sha256

_Entry: TypeAlias = tuple[int, str, int]
"""Number of the row, SHA-256 that it had when it was written, number of the audit row that says so."""

_DIGEST_BYTES = 32


def is_readable(seq: int, digest: str) -> bool:
    """Say whether a body writes number and hash as everybody does."""
    return 0 <= seq < 2**63 and re.fullmatch("[0-9a-f]{64}", digest) is not None


class Named:
    """What the bodies name in one view, kept small: a million rows are 48 MB."""

    def __init__(self, view: str) -> None:
        self.view = view
        self._word = view.removeprefix("v_").replace("_", " ")
        self._seqs, self._audit_seqs, self._digests = array("q"), array("q"), bytearray()

    def add(self, seq: int, digest: str, *, audit_seq: int) -> None:
        """Remember that an audit row names this row with this hash."""
        self._seqs.append(seq)
        self._audit_seqs.append(audit_seq)
        self._digests += bytes.fromhex(digest)

    def compare(self, session: Session, findings: Findings) -> None:
        """Read the view beside what was named; add what is missing, changed, named twice or not at all."""
        entries = self._in_order()
        entry = next(entries, None)
        for row in streams.numbered(session, self.view):
            while entry is not None and entry[0] < row.seq:
                self._broken(session, findings, entry, "is not there")
                entry = next(entries, None)
            if entry is None or entry[0] > row.seq:
                detail = f"{self._word} {row.seq} is named by no audit row"
                findings.add(Problem(kind=ProblemKind.FOREIGN, detail=detail))
                continue
            digest = sha256(canonical(list(row)))
            if digest != entry[1]:
                self._broken(session, findings, entry, "is not as it was written")
            entry = next(entries, None)
            while entry is not None and entry[0] == row.seq:
                self._broken(session, findings, entry, "is named a second time")
                entry = next(entries, None)
        while entry is not None:
            self._broken(session, findings, entry, "is not there")
            entry = next(entries, None)

    def _in_order(self) -> Iterator[_Entry]:
        for place in sorted(range(len(self._seqs)), key=self._seqs.__getitem__):
            digest = self._digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES].hex()
            yield self._seqs[place], digest, self._audit_seqs[place]

    def _broken(self, session: Session, findings: Findings, entry: _Entry, what: str) -> None:
        seq, _, audit_seq = entry
        at: Any = None if findings.is_full else streams.audit_row(session, audit_seq)
        findings.add(
            Problem(
                kind=ProblemKind.ROW,
                detail=f"{self._word} {seq} {what}",
                object_type=at and at.object_type,
                object_id=at and at.object_id,
                chain_seq=at and at.chain_seq,
                seq=audit_seq,
            )
        )
