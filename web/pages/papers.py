"""Evidence: the documents of a project, handing one in with the form that its type asks for, each with its hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.actor import read_rights
from lifecycle.engine import project_parties
from lifecycle.errors import Invalid, LifecycleError, NotFound, Refused, Unmet
from lifecycle.projects.queries import project_rows
from lifecycle.requirements.commands import ADD_EVIDENCE, AddEvidence
from lifecycle.requirements.queries import document, documents
from lifecycle.requirements.rules import form_reasons
from lifecycle.standards.filled import as_value
from lifecycle.standards.pack import EvidenceType, FormField, Pack
from lifecycle.standards.parties import hands_in
from lifecycle.verdicts.packs import packs_of
from models.states import STAGES, EvidenceStatus
from notifications.gates import in_language
from web.acts import Action, actions, refusal
from web.errors import reasons_of, status_of
from web.forms import KEY, MOST_ROWS, ROWS_MORE, VERSION, Input, Typing, as_typed
from web.listing import Listing, answer, wanted
from web.nouns import PROJECTS
from web.papers import download, file_of, kept, preview
from web.reading_rights import evidence_of
from web.record import columns
from web.render import Words, page
from web.session import Somebody, Typed, Visit, number_of, text_of

router = APIRouter()
_LISTED = ("document", "key", "file_name", "status", "version_no", "author", "submitted_on", "valid_until_on", "sha256")
_PREFIX = "v_"
_KINDS = {"int": "number", "number": "number", "percent": "number", "money": "number", "date": "day", "list": "lines"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Handing in to one project: whether it is possible, and of which type."""

    row: Any
    action: Action
    kind: EvidenceType | None
    inputs: tuple[Input, ...]
    choices: list[tuple[str, str, str, bool]]
    """(type, title, clauses that it serves, whether it is of the present stage) that this person hands in."""


@router.get("/projects/{ref}/files")
@router.get("/projects/{ref}/files.{form}")
def files(visit: Somebody, ref: str, form: str = "", every: bool = False) -> Response:  # noqa: FBT001, FBT002 - from the query
    """List the documents that count, or every version there ever was."""

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        pack = _pack(session, row)
        titles = {one.id: in_language(one.title, visit.lang) for one in pack.evidence_types}
        found = documents(session, row.id)
        shown = [one for one in found if every or one["status"] == EvidenceStatus.CURRENT]
        (act,) = actions(session, visit, PROJECTS, row, [ADD_EVIDENCE])
        return {
            "row": row,
            "papers": shown,
            "groups": by_gate(pack, shown),
            "titles": titles,
            "act": act,
            "older": len(found) - len(shown),
        }

    found = visit.read(work)
    rows = [{**one, "document": found["titles"].get(one["type"], one["type"])} for one in found["papers"]]
    listing = Listing(name="files", columns=columns(_LISTED), rows=rows, day="valid_until_on")
    return answer(visit, listing, wanted(form), "files.html", **found, is_every=every)


@router.get("/projects/{ref}/do/evidence-add")
def hand_in(visit: Somebody, ref: str, type: str = "") -> Response:  # noqa: A002 - the domain's word
    """Ask which document it is, then for the file and the values of its form."""
    desk = visit.read(lambda session: _desk(session, visit, ref, type))
    return _page(visit, desk, None)


@router.post("/projects/{ref}/do/evidence-add")
def handed_in(visit: Somebody, form: Typed, ref: str) -> Response:
    """Keep the file, then hand it in; lead to the document with its hash, else show why not and what was typed."""
    desk = visit.read(lambda session: _desk(session, visit, ref, text_of(form, "type")))
    if desk.kind is None or form.get(ROWS_MORE):
        return _page(visit, desk, form)
    if not desk.action.is_allowed:
        return _page(visit, desk, form, error=Refused(*desk.action.reasons))
    values = filled(desk.kind.fields, form)
    try:
        stored, name = kept(visit, file_of(form))
    except Invalid as error:  # what else is wrong is said at once
        wrong = form_reasons(desk.kind.fields, values, desk.kind.id)
        return _page(visit, desk, form, error=type(error)(*error.unmet, *wrong))
    seen = text_of(form, VERSION)
    command = AddEvidence(
        command_id=text_of(form, KEY) or str(visit.house.new_id()),
        expected_version=number_of(seen, desk.row.version),
        project_id=desk.row.id,
        type=desk.kind.id,
        file_name=name,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        form=values,
        revision=text_of(form, "revision").strip() or None,
    )
    answer = visit.act(command)
    if answer.error is not None:
        return _page(visit, desk, form, error=refusal(visit, PROJECTS, desk.row, answer.error))
    return RedirectResponse(f"/evidence/{answer.document['object_id']}?receipt={command.command_id}", status_code=303)


@router.get("/evidence/{ref}")
def show(visit: Somebody, ref: str, receipt: str = "") -> Response:
    """Show one document: what it says, its hash, its versions, and as much of the file as can be shown safely."""

    def work(session: Session) -> dict[str, Any]:
        row = evidence_of(session, visit, ref)
        project = PROJECTS.find(session, visit, str(row.project_id))
        pack, found = _pack(session, project), document(session, row.id)
        kind = pack.evidence_type(row.type) if pack.has_evidence_type(row.type) else None
        others = [one for one in documents(session, project.id) if (one["type"], one["key"]) == (row.type, row.key)]
        clauses = _clauses(pack, row.type)
        withdraw = actions(session, visit, PROJECTS, project, [PROJECTS.verb("evidence-withdraw")])
        return {
            "row": row,
            "project": project,
            "paper": found,
            "title": in_language(kind.title, visit.lang) if kind else row.type,
            "values": _values(kind, found["form"], visit),
            "versions": sorted(others, key=lambda one: -one["version_no"]),
            "clauses": clauses,
            "withdraw": withdraw[0],
        }

    found = visit.read(work)
    return page(visit, "paper.html", **found, shown=preview(visit.house, found["row"]), receipt=receipt[:40])


@router.get("/evidence/{ref}/file")
def content(visit: Somebody, ref: str) -> Response:
    """Give the file itself, as an attachment."""
    row = visit.read(lambda session: evidence_of(session, visit, ref))
    return download(visit.house, row)


def _pack(session: Session, row: Any) -> Pack:
    return packs_of(session, [row.pack_sha256])[row.pack_sha256]


def by_gate(pack: Pack, papers: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    """Return (gate, stage, documents) by the first gate that asks for such a document; what none asks for last."""
    asked: dict[str, str] = {}
    for stage in pack.stages:
        for one in stage.criteria:
            for kind in (*one.evidence, *one.supporting):
                asked.setdefault(kind, str(stage.id))
    order = (*((f"G{place}", str(stage)) for place, stage in enumerate(STAGES, 1)), ("", ""))
    found = [(gate, stage, [one for one in papers if asked.get(one["type"], "") == stage]) for gate, stage in order]
    return [group for group in found if group[2]]


def _clauses(pack: Pack, type_id: str) -> list[str]:
    criteria = [one for stage in pack.stages for one in stage.criteria]
    return [one.id for one in criteria if type_id in (*one.evidence, *one.supporting)]


def _desk(session: Session, visit: Visit, ref: str, type_id: str) -> Desk:
    row = PROJECTS.find(session, visit, ref)
    pack = _pack(session, row)
    if type_id and not pack.has_evidence_type(type_id):
        raise NotFound(NotFound.code)
    (action,) = actions(session, visit, PROJECTS, row, [ADD_EVIDENCE])
    kind = pack.evidence_type(type_id) if type_id else None
    return Desk(
        row=row,
        action=action,
        kind=kind,
        inputs=inputs_of(kind.fields, visit) if kind else (),
        choices=[] if kind else _choices(session, visit, pack, row),
    )


def _choices(session: Session, visit: Visit, pack: Pack, row: Any) -> list[tuple[str, str, str, bool]]:
    (full,) = project_rows(session, [row.id])
    roles = read_rights(session, visit.actor, [row.id], today=visit.today).roles_for(project_parties(full), row.id)
    gate = f"G{STAGES.index(row.stage) + 1}." if row.stage in STAGES else "-"
    found = []
    for kind in pack.evidence_types:
        if hands_in(pack, kind) & roles:
            clauses = _clauses(pack, kind.id)
            is_present = any(one.startswith(gate) for one in clauses)
            found.append((kind.id, in_language(kind.title, visit.lang), " ".join(clauses), is_present))
    return sorted(found, key=lambda one: not one[3])


def inputs_of(fields: Sequence[FormField], visit: Visit, *, prefix: str = _PREFIX) -> tuple[Input, ...]:
    """Return the inputs of a form that a standard describes, labelled as it says."""
    return tuple(_input(one, visit, prefix) for one in fields)


def _input(one: FormField, visit: Visit, prefix: str) -> Input:
    title = in_language(one.title, visit.lang) + _unit(one, visit)
    rest: dict[str, Any] = {"name": f"{prefix}{one.name}", "label": title, "is_required": one.required}
    if one.kind == "table":
        return Input(kind="rows", columns=inputs_of(one.columns, visit, prefix=""), **rest)
    if one.kind == "bool":
        return Input(kind="choice", options=[("yes", "yes"), ("no", "no")], word="answer", **rest)
    if one.kind == "choice":
        return Input(kind="choice", options=[(word, word) for word in one.choices], word="choice", **rest)
    return Input(kind=_KINDS.get(one.kind, "text"), **rest)


def _unit(one: FormField, visit: Visit) -> str:
    """Return in brackets what a value is counted in; money is typed with decimals, however it is kept."""
    words = Words(visit.lang, visit.house.zone)
    said = ("yuan" if "CNY" in str(one.unit) else "currency") if one.kind == "money" else one.unit
    return words.t("in_brackets", what=words.word("unit", said)) if said else ""


def filled(fields: Sequence[FormField], form: Typing, *, prefix: str = _PREFIX) -> dict[str, Any]:
    """Return the typed values; what does not read as its kind stays as typed, for the rule to name it."""
    found: dict[str, Any] = {}
    for one in fields:
        value = _rows(one, form, prefix) if one.kind == "table" else _one(one, _text(form, f"{prefix}{one.name}"))
        if value not in (None, []):
            found[one.name] = value
    return found


def _rows(one: FormField, form: Typing, prefix: str) -> list[dict[str, Any]]:
    rows = [filled(one.columns, form, prefix=f"{prefix}{one.name}.{place}.") for place in range(MOST_ROWS)]
    return [row for row in rows if row]


def _one(one: FormField, typed: str) -> Any:
    if not typed.strip():
        return None
    if one.kind == "list":
        return [line.strip() for line in typed.splitlines() if line.strip()]
    return as_value(one, typed.strip())


def _text(form: Typing, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _page(visit: Visit, desk: Desk, form: FormData | None, *, error: LifecycleError | None = None) -> Response:
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "hand_in.html",
        status=status_of(error) if error else 200,
        desk=desk,
        row=desk.row,
        kind_title=in_language(desk.kind.title, visit.lang) if desk.kind else "",
        typed=as_typed(desk.inputs, form),
        revision=text_of(form, "revision") if form else "",
        key=str(visit.house.new_id()),
        reasons=reasons,
        wrong=_wrong(reasons),
    )


def _wrong(reasons: Sequence[Unmet]) -> Mapping[str, Unmet]:
    """Return the reasons by the input that they are about."""
    found = {}
    for one in reasons:
        if "field" in one.values:
            found[str(one.values["field"])] = one
        elif one.code.startswith("form_field"):
            found[f"{_PREFIX}{one.values['name']}"] = one
    return found


def _values(kind: EvidenceType | None, form: Mapping[str, Any], visit: Visit) -> list[tuple[str, Any]]:
    known = {one.name: one for one in kind.fields} if kind else {}
    currency = str(form.get("currency", "CNY"))
    titles = {name: in_language(one.title, visit.lang) for name, one in known.items()}
    return [(titles.get(name, name), _value(known.get(name), value, currency, visit)) for name, value in form.items()]


def _value(asked: FormField | None, value: Any, currency: str, visit: Visit) -> Any:
    """Return what was typed as people read it: of a table the heads and rows, of the rest one text or truth."""
    words = Words(visit.lang, visit.house.zone)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        columns = {one.name: one for one in asked.columns} if asked else {}
        names = list(columns) or list(value[0])
        heads = [in_language(columns[name].title, visit.lang) if name in columns else name for name in names]
        rows = [[_value(columns.get(name), row.get(name), currency, visit) for name in names] for row in value]
        return {"heads": heads, "rows": rows}
    if asked is None or value is None:
        return value
    if asked.kind == "money" and isinstance(value, int):
        return words.money(value, currency)
    if asked.choices:
        said = [words.word("choice", one) for one in (value if isinstance(value, list) else [value])]
        return words.among(said)
    return value
