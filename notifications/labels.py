"""What tells the things of one project apart in a reminder: clause, stage, type or number, and what people call it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.projects import Project
from models.reading import table_of
from notifications.deadlines import BY_NAME
from notifications.words import title

Key: TypeAlias = tuple[str, UUID]
"""(kind of deadline, id of the thing)."""
Both: TypeAlias = Mapping[str, str]
"""The same in zh and en."""
_STORED_WORDS: Mapping[str, str] = {"stage_run": "state", "hold": "reason"}
"""Things that are told apart by a stored word, and its kind."""
_OF_THE_STANDARD = frozenset({"requirement", "condition", "waiver", "evidence"})
"""Things that the standard of their project has a title for."""


def labels_of(session: Session, rows: Sequence[Any]) -> dict[Key, str]:
    """Return what tells things of one project apart (clause, number, type); at most one read for each kind."""
    found: dict[Key, str] = {}
    for what in {row.what for row in rows}:
        open_ones = BY_NAME[what].rows
        ids = {row.object_id for row in rows if row.what == what}
        asked = select(open_ones.c.object_id, open_ones.c.label).where(open_ones.c.object_id.in_(ids))
        found |= {(what, one.object_id): str(one.label) for one in session.execute(asked)}
    return found


def called(session: Session, rows: Sequence[Any], labels: Mapping[Key, str]) -> dict[Key, Both]:
    """Return what people call the things of these rows: clauses and documents by the title of their standard."""
    project = table_of(Project)
    ids = {row.project_id for row in rows if BY_NAME[row.what].object_type in _OF_THE_STANDARD} - {None}
    asked = select(project.c.id, project.c.pack_sha256).where(project.c.id.in_(ids))
    hashes = {row.id: row.pack_sha256 for row in session.execute(asked)} if ids else {}
    packs = packs_of(session, hashes.values()) if hashes else {}
    found: dict[Key, Both] = {}
    for row in rows:
        key = (row.what, row.object_id)
        kind, pack = BY_NAME[row.what].object_type, packs.get(hashes.get(row.project_id, ""))
        found[key] = _named(kind, labels.get(key, ""), pack if kind in _OF_THE_STANDARD else None)
    return found


def _named(object_type: str, label: str, pack: Pack | None) -> Both:
    if kind := _STORED_WORDS.get(object_type):
        return {"zh": title(kind, label, "zh-CN"), "en": title(kind, label, "en")}
    if pack is not None and pack.has(label):
        own = pack.criterion(label).title
        return {"zh": f"{label} {own.zh}", "en": f"{label} {own.en}"}
    if pack is not None and object_type == "evidence" and pack.has_evidence_type(label):
        own = pack.evidence_type(label).title
        return {"zh": own.zh, "en": own.en}
    return {"zh": label, "en": label}
