"""What can be wrong with an audit trail, gathered while it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MOST_PROBLEMS = 100
"""How many problems a document names at most; a broken table would otherwise fill the screen."""


class ProblemKind(StrEnum):
    """What is wrong (`docs/contract.md`, verify)."""

    HASH = "hash"
    """The row's hash is not that of its body and the hash before."""
    LINK = "link"
    """The row does not name the hash of the row before it."""
    GAP = "gap"
    """The row's number does not follow the one before it."""
    ROW = "row"
    """The body says something else than the columns, or than a row that it names."""
    TRUNCATED = "truncated"
    """The chain is shorter than its object or a checkpoint says."""
    REWRITTEN = "rewritten"
    """Another hash stands where its object or a checkpoint saw one."""
    MISSING = "missing"
    """The chain, its object or a checkpoint is not there."""
    SIGNATURE = "signature"
    """The checkpoint is not signed by a key that is known."""
    FOREIGN = "foreign"
    """A row that no audit body and no object knows, or another database's checkpoint."""


_CONTRADICTIONS = frozenset({ProblemKind.HASH, ProblemKind.LINK, ProblemKind.GAP, ProblemKind.ROW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong; `seq` and `chain_seq` where an audit row shows it."""

    kind: ProblemKind
    detail: str
    object_type: str | None = None
    object_id: str | None = None
    chain_seq: int | None = None
    seq: int | None = None

    def document(self) -> dict[str, Any]:
        """Return its plain JSON."""
        return {
            "seq": self.seq,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "chain_seq": self.chain_seq,
            "kind": str(self.kind),
            "detail": self.detail,
        }


@dataclass(slots=True)
class Findings:
    """All that was found so far: every problem counts, the first hundred are kept."""

    count: int = 0
    first_bad_seq: int | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Say whether another problem would only be counted."""
        return len(self.problems) >= MOST_PROBLEMS

    def add(self, problem: Problem) -> None:
        """Take in one problem."""
        self.count += 1
        if not self.is_full:
            self.problems.append(problem)
        if problem.kind in _CONTRADICTIONS and problem.seq is not None:
            self.first_bad_seq = min(problem.seq, self.first_bad_seq or problem.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """What became of one checkpoint file; `seq` is None when it could not be read."""

    file: str
    seq: int | None
    is_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Everything re-computed: how much was read and what is wrong."""

    rows_count: int
    chains_count: int
    problems_count: int
    first_bad_seq: int | None
    """Lowest `v_audit.seq` that contradicts itself, its neighbour or a row that it names."""
    problems: Sequence[Problem]
    files: Sequence[FileVerdict]

    @property
    def is_ok(self) -> bool:
        """Say whether nothing is wrong."""
        return self.problems_count == 0

    def document(self) -> dict[str, Any]:
        """Return `pilotway-verify/1`."""
        return {
            "format": "pilotway-verify/1",
            "ok": self.is_ok,
            "rows_count": self.rows_count,
            "chains_count": self.chains_count,
            "first_bad_seq": self.first_bad_seq,
            "problems": [problem.document() for problem in self.problems],
            "checkpoints": [{"file": one.file, "seq": one.seq, "ok": one.is_ok} for one in self.files],
        }
