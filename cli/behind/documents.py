"""Evidence from files and typed values: stored first, then handed in; and as it lies there."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from cli.door import Door
from cli.output import Column
from lifecycle.errors import Invalid, unmet
from lifecycle.imports.taking_in import Bringer, Share, keep, look_at_document
from lifecycle.projects.queries import project_rows
from lifecycle.requirements.commands import AddEvidence
from lifecycle.requirements.queries import document, documents
from lifecycle.standards.filled import as_value
from lifecycle.standards.pack import EvidenceType, FormField, Pack
from lifecycle.verdicts.packs import packs_of
from models.file_store import EvidenceFiles
from notifications.gates import in_language


def add_document(
    door: Door,
    ref: str,
    type_or_clause: str,
    file: Path,
    *,
    values: Sequence[str],
    form: Path | None,
    revision: str | None,
) -> None:
    """Store the file, then hand it in; a file whose command is refused is swept by `recover`."""
    kind = _one_type(_pack(door, ref), type_or_clause)
    filled = _form(kind, values, form)
    sha256, size = stored(door, file)

    def make(lookup: Any, key: str) -> AddEvidence:
        return AddEvidence(
            command_id=key,
            project_id=lookup.project(ref),
            type=kind.id,
            file_name=file.name,
            sha256=sha256,
            size_bytes=size,
            form=filled,
            revision=revision,
        )

    door.act(make, ref=ref)


def stored(door: Door, file: Path, look: Callable[[Path, str], None] = look_at_document) -> tuple[str, int]:
    """Put a file into the store of evidence, by the rule of the pages; return its SHA-256 and its size."""
    look(file, file.name)
    settings = door.settings
    by = Bringer(
        engine=door.engine,
        user_id=door.read(door.actor).user_id,
        now=door.now,
        share=Share(files=settings.upload_files, mib=settings.upload_mib),
        new_id=settings.make_ids().new,
    )
    kept = keep(by, EvidenceFiles(settings.evidence_place()), file)
    return kept.sha256, kept.size_bytes


def form_rows(door: Door, ref: str, type_or_clause: str) -> list[dict[str, Any]]:
    """Return the fields that a type of evidence, or every type that a clause asks for, wants filled in."""
    rows = []
    for kind in _types(_pack(door, ref), type_or_clause):
        for item in kind.fields:
            rows.append(_field_row(kind, item, door))
            rows.extend(_field_row(kind, column, door, f"{item.name}[].") for column in item.columns)
    return rows


def _field_row(kind: EvidenceType, item: FormField, door: Door, prefix: str = "") -> dict[str, Any]:
    return {
        "type": kind.id,
        "field": prefix + item.name,
        "title": in_language(item.title, door.output.lang),
        "kind": item.kind,
        "unit": item.unit,
        "required": item.required,
        "choices": list(item.choices),
    }


def document_rows(door: Door, ref: str, *, is_every: bool) -> list[dict[str, Any]]:
    """Return the documents of a project: those that count, or every version there ever was."""
    rows = door.read(lambda session: documents(session, door.lookup(session).project(ref)))
    titles = {kind.id: in_language(kind.title, door.output.lang) for kind in _pack(door, ref).evidence_types}
    named = [{**row, "title": titles.get(row["type"], "")} for row in rows]
    return named if is_every else [row for row in named if row["status"] == "current"]


def show_document(door: Door, evidence_id: str) -> None:
    """Print one document with the values of its form."""
    found = door.read(lambda session: document(session, door.lookup(session).evidence(evidence_id)))
    output = door.output
    output.record(_FACTS, found)
    if not output.as_json and not output.fields:
        for name, value in found["form"].items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            output.line(f"  {name} = {text}")


_FACTS = (
    Column(key="number"),
    Column(key="type"),
    Column(key="key"),
    Column(key="version_no"),
    Column(key="file_name"),
    Column(key="sha256"),
    Column(key="size_bytes"),
    Column(key="revision"),
    Column(key="status", kind="state"),
    Column(key="submitted_on"),
    Column(key="valid_until_on"),
    Column(key="author"),
    Column(key="id"),
)


def _pack(door: Door, ref: str) -> Pack:
    def work(session: Any) -> Pack:
        (row,) = project_rows(session, [door.lookup(session).project(ref)])
        return packs_of(session, [row.pack_sha256])[row.pack_sha256]

    pack: Pack = door.read(work)
    return pack


def _types(pack: Pack, type_or_clause: str) -> list[EvidenceType]:
    if pack.has(type_or_clause):
        return [pack.evidence_type(type_id) for type_id in pack.criterion(type_or_clause).evidence]
    if pack.has_evidence_type(type_or_clause):
        return [pack.evidence_type(type_or_clause)]
    raise Invalid(unmet("evidence_type_unknown", name=type_or_clause, known=pack.types_like(type_or_clause)))


def _one_type(pack: Pack, type_or_clause: str) -> EvidenceType:
    types = _types(pack, type_or_clause)
    if len(types) != 1:
        raise Invalid(unmet("clause_has_several_types", clause=type_or_clause, known=[kind.id for kind in types]))
    return types[0]


def _form(kind: EvidenceType, values: Sequence[str], file: Path | None) -> dict[str, Any]:
    """Return the typed values; what is wrong in kind stays as typed, for the rule to name it."""
    form: dict[str, Any] = dict(_loaded(file)) if file else {}
    fields = {item.name: item for item in kind.fields}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign:
            raise Invalid(unmet("value_wrong", field="--value", value=text, form="NAME=VALUE"))
        form[name] = as_value(fields[name], value) if name in fields else value
    return form


def _loaded(file: Path) -> Mapping[str, Any]:
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(unmet("form_file_wrong", file=file.name, problem=str(error))) from error
    if not isinstance(loaded, dict):
        raise Invalid(unmet("form_file_wrong", file=file.name, problem="no mapping"))
    return {str(name): _as_json(value) for name, value in loaded.items()}


def _as_json(value: Any) -> Any:
    """YAML reads a day as a day; a form holds its text."""
    if isinstance(value, dict):
        return {str(name): _as_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
