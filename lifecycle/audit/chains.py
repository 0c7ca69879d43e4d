"""Every chain re-computed: hashes, links, numbers, the rows that bodies name, and the heads that objects carry."""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from sqlmodel import Session

from lifecycle.audit import streams
from lifecycle.audit.findings import Findings, Problem, ProblemKind
from lifecycle.audit.sealed import Named, is_readable
from lifecycle.canonical import canonical, sha256
from lifecycle.sealing import SEALED
from models.base import NO_AUDIT
from models.tables import subject_tables

_ObjectKey: TypeAlias = tuple[str, str]

_NAMED = (
    "action",
    "actor_id",
    "at",
    "chain_seq",
    "command_id",
    "door",
    "from_state",
    "object_id",
    "object_type",
    "to_state",
)
"""Keys of a body that say the same as the columns beside it."""
_TRANSITIONS, _HEAD, _CHAIN = range(3)


@dataclass(slots=True)
class _Object:
    """One object while its chain is read: its transitions that no body has named yet, and what it says of its head."""

    key: _ObjectKey
    findings: Findings
    named_rows: Mapping[str, Named]
    """What bodies name in the other views that only grow, gathered over all objects."""
    unnamed: dict[int, Any] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)
    head: tuple[int, str] | None = None
    last: tuple[int, str] = (0, NO_AUDIT)
    rows_count: int = 0

    def add(self, kind: ProblemKind, detail: str, row: Any = None) -> None:
        """Note what is wrong with this object, at an audit row or in all."""
        self.findings.add(
            Problem(
                kind=kind,
                detail=detail,
                object_type=self.key[0],
                object_id=self.key[1],
                chain_seq=row.chain_seq if row else None,
                seq=row.seq if row else None,
            )
        )


def verify_chains(session: Session, findings: Findings) -> tuple[int, int]:
    """Read every chain beside its object and transitions; return how many rows and chains there are."""
    rows_count = chains_count = 0
    named_rows = {view: Named(view) for view in SEALED.values()}
    for one in _objects(session, findings, named_rows):
        rows_count += one.rows_count
        chains_count += one.rows_count > 0
        for seq in one.unnamed:
            one.add(ProblemKind.FOREIGN, f"transition {seq} is named by no audit row")
        _compare_head(one)
    for named in named_rows.values():
        named.compare(session, findings)
    return rows_count, chains_count


def _objects(session: Session, findings: Findings, named_rows: Mapping[str, Named]) -> Iterator[_Object]:
    """Bring the three streams together, object by object; each is sorted by object, so nothing is kept."""
    sources = (
        (streams.transitions(session), _TRANSITIONS),
        (streams.subject_heads(session), _HEAD),
        (streams.audit_rows(session), _CHAIN),
    )
    parts = heapq.merge(*(_parts(rows, source) for rows, source in sources), key=lambda part: part[:2])
    for key, of_object in groupby(parts, key=lambda part: part[0]):
        one = _Object(key=key, findings=findings, named_rows=named_rows)
        for _, source, rows in of_object:
            _take(one, source, rows)
        yield one


def _parts(rows: Iterator[Any], source: int) -> Iterator[tuple[_ObjectKey, int, Iterator[Any]]]:
    for key, of_object in groupby(rows, key=lambda row: (row.object_type, row.object_id)):
        yield key, source, of_object


def _take(one: _Object, source: int, rows: Iterable[Any]) -> None:
    if source == _TRANSITIONS:
        one.unnamed = {row.seq: row for row in rows}
    elif source == _HEAD:
        one.head = next((row.chain_seq, row.hash) for row in rows)
    else:
        for row in rows:
            _verify_row(one, row)


def _verify_row(one: _Object, row: Any) -> None:
    one.rows_count += 1
    before_seq, before_hash = one.last
    if row.chain_seq != before_seq + 1:
        one.add(ProblemKind.GAP, f"number {row.chain_seq} follows number {before_seq}", row)
    if row.prev_hash != before_hash:
        one.add(ProblemKind.LINK, "it does not name the hash of the row before it", row)
    if row.hash != sha256(f"{row.prev_hash}\n{row.body}"):
        one.add(ProblemKind.HASH, "its hash is not that of its body", row)
    one.last = (row.chain_seq, row.hash)
    body = _body(row.body)
    differing = [name for name in _NAMED if body.get(name) != getattr(row, name)]
    if differing:
        one.add(ProblemKind.ROW, f"body and columns differ: {', '.join(differing)}", row)
    named = body.get("rows")
    for entry in named if isinstance(named, list) else [None]:
        _verify_named(one, row, entry)


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _verify_named(one: _Object, row: Any, entry: Any) -> None:
    """Compare one `[view, seq, sha256]` of a body with the row that it names."""
    match entry:
        case ["v_transition", int(seq), str(expected)]:
            pass
        case [str(view), int(seq), str(expected)] if view in one.named_rows and is_readable(seq, expected):
            one.named_rows[view].add(seq, expected, audit_seq=row.seq)
            return
        case _:
            one.add(ProblemKind.ROW, "it names rows in a form that nobody writes", row)
            return
    found = one.unnamed.pop(seq, None)
    if seq in one.named:
        one.add(ProblemKind.ROW, f"transition {seq} is named a second time", row)
    elif found is None:
        one.add(ProblemKind.ROW, f"transition {seq} is not there", row)
    elif sha256(canonical(list(found))) != expected:
        one.add(ProblemKind.ROW, f"transition {seq} is not as it was written", row)
    one.named.add(seq)


def _compare_head(one: _Object) -> None:
    """Compare the end of a chain with what its object says: alone it shows neither a cut tail nor a rewrite."""
    last_seq, last_hash = one.last
    if one.key[0] not in _KINDS:
        one.add(ProblemKind.FOREIGN, "no object of this kind exists")
    elif one.head is None:
        if one.rows_count:
            one.add(ProblemKind.MISSING, "the object of this chain is not there")
    elif one.head[0] and not one.rows_count:
        one.add(ProblemKind.MISSING, f"its chain of {one.head[0]} rows is not there")
    elif one.head[0] > last_seq:
        one.add(ProblemKind.TRUNCATED, f"the chain ends at {last_seq}, its object says {one.head[0]}")
    elif one.head[0] < last_seq:
        one.add(ProblemKind.FOREIGN, f"the chain goes on to {last_seq}, its object says {one.head[0]}")
    elif one.head[1] != last_hash:
        one.add(ProblemKind.REWRITTEN, f"its object knows another hash for row {last_seq}")


_KINDS = frozenset(subject_tables())
