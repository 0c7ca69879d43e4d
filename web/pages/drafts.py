"""Drafts of standards: written and checked by one editor, read beside what it replaces and published by another."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Invalid, LifecycleError, NotFound, Unmet, unmet
from lifecycle.people.commands import PROPOSE_STANDARD, ProposeStandard, PublishStandard
from lifecycle.people.queries import replaced_by, standards
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.difference import differences
from lifecycle.standards.faults import faults
from lifecycle.standards.pack import Pack
from lifecycle.standards.problem import Problem
from lifecycle.verdicts.packs import packs_of
from models.people import User
from models.reading import rows_by
from notifications.words import sentence
from web.acts import actions
from web.asking import need
from web.errors import reasons_of, status_of
from web.forms import KEY
from web.listing import Listing, answer, wanted
from web.nouns import DRAFTS
from web.pack_form import groups_of, merged
from web.pages.impact import impact_of, table_of_clauses
from web.pages.standards import comparison, text_of_pack
from web.render import page
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
LARGEST = 1_000_000
_FIELDS = {"reason_missing": "reason"}
_OF_NUMBER = "n."


@router.get("/standard-drafts/new")
def new(visit: Somebody, base: str = "") -> Response:
    """Show the text of a published version to begin with: the one named, else the newest."""
    need(visit, PROPOSE_STANDARD)
    pack = visit.read(lambda session: _published(session, base))
    return _page(visit, text_of_pack(pack) if pack else "", "", report=None)


@router.post("/standard-drafts/new")
def check_or_hand_over(visit: Somebody, form: Typed) -> Response:
    """Say what the check finds and what changes; hand it over when that was asked and nothing is found."""
    need(visit, PROPOSE_STANDARD)
    reason = text_of(form, "reason")
    try:
        text = _text(form)
    except LifecycleError as error:
        return _page(visit, text_of(form, "text"), reason, report=None, error=error)
    pack, found = _read(text)
    report = visit.read(lambda session: _report(session, visit, pack, found))
    if not form.get("hand"):
        return _page(visit, text, reason, report=report)
    if pack is None or found:
        return _page(visit, text, reason, report=report, error=Invalid(*map(_told, found)))
    handed = visit.act(
        ProposeStandard(
            command_id=text_of(form, KEY) or str(visit.house.new_id()),
            sha256=library.sha256(pack),
            body=pack.canonical(),
            reason=reason.strip(),
        )
    )
    if handed.error is not None:
        return _page(visit, text, reason, report=report, error=handed.error)
    return RedirectResponse(f"/receipts/{handed.command.command_id}", status_code=303)


@router.get("/standard-drafts/numbers")
def numbers(visit: Somebody, base: str = "") -> Response:
    """Show the numbers of a published version as a form, each beside its line of the text."""
    need(visit, PROPOSE_STANDARD)
    return _numbers_page(visit, base, {}, report=None)


@router.post("/standard-drafts/numbers")
def check_or_go_on(visit: Somebody, form: Typed) -> Response:
    """Say what the numbers change; go on with them in the text when that was asked."""
    need(visit, PROPOSE_STANDARD)
    base = text_of(form, "base")
    typed = {name.removeprefix(_OF_NUMBER): text_of(form, name) for name in form if name.startswith(_OF_NUMBER)}
    pack = visit.read(lambda session: _published(session, base))
    try:
        text = merged(text_of_pack(pack), typed) if pack else ""
    except Invalid as error:
        return _numbers_page(visit, base, typed, report=None, error=error)
    changed, found = _read(text)
    report = visit.read(lambda session: _report(session, visit, changed, found))
    if form.get("go"):
        return _page(visit, text, "", report=report)
    return _numbers_page(visit, base, typed, report=report)


@router.get("/standard-drafts/{ref}")
def show(visit: Somebody, ref: str) -> Response:
    """Show what the draft changes and whom it would touch, and whether the reader may publish it."""
    return _draft_page(visit, ref)


@router.get("/standard-drafts/{ref}/yaml")
def as_yaml(visit: Somebody, ref: str) -> Response:
    """Give the text of the draft."""
    row = visit.read(lambda session: DRAFTS.find(session, visit, ref))
    headers = {"content-disposition": f'attachment; filename="{row.code}-{row.pack_version}-draft.yaml"'}
    text = text_of_pack(Pack.model_validate(row.body))
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


@router.get("/standard-drafts/{ref}/simulation.{form}")
def simulation(visit: Somebody, ref: str, form: str) -> Response:
    """Give the clauses at which the draft would have said something else, as a table."""

    def work(session: Session) -> Listing:
        new = Pack.model_validate(DRAFTS.find(session, visit, ref).body)
        old = replaced_by(session, new)
        if old is None:
            raise NotFound(NotFound.code)
        return table_of_clauses(session, visit, old, new)

    return answer(visit, visit.read(work), wanted(form))


@router.post("/standard-drafts/{ref}/publish")
def publish(visit: Somebody, form: Typed, ref: str) -> Response:
    """Publish what another editor handed over."""
    row = visit.read(lambda session: DRAFTS.find(session, visit, ref))
    published = visit.act(_publish(row, text_of(form, KEY) or str(visit.house.new_id())))
    if published.error is not None:
        return _draft_page(visit, ref, error=published.error)
    return RedirectResponse(f"/standards/{row.code}/{row.pack_version}", status_code=303)


def _draft_page(visit: Visit, ref: str, *, error: LifecycleError | None = None) -> Response:
    def work(session: Session) -> dict[str, Any]:
        row = DRAFTS.find(session, visit, ref)
        new = Pack.model_validate(row.body)
        old = replaced_by(session, new)
        (by,) = rows_by(session, User, "id", [row.proposed_by])[row.proposed_by]
        values = {"row": row, "by": by.name, "old": "", "can": [one for one in _acts(session, row) if one.is_allowed]}
        if old is not None:
            values["old"] = f"{old.code}@{old.version}"
            values["compared"] = comparison(visit, old, new)
            values["impact"] = impact_of(session, visit, old, new)
        return values

    def _acts(session: Session, row: Any) -> Sequence[Any]:
        return actions(session, visit, DRAFTS, row)

    found = visit.read(work)
    row = found["row"]
    refusal = None if row.closed_at else visit.rehearse(_publish(row, "rehearsal")).error
    return page(
        visit,
        "draft.html",
        status=status_of(error) if error else 200,
        **found,
        closed=reasons_of(refusal) if refusal else (),
        key=str(visit.house.new_id()),
        reasons=reasons_of(error) if error else (),
    )


def _publish(row: Any, key: str) -> PublishStandard:
    return PublishStandard(command_id=key, sha256=row.sha256, body=row.body)


def _page(
    visit: Visit, text: str, reason: str, *, report: dict[str, Any] | None, error: LifecycleError | None = None
) -> Response:
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "draft_new.html",
        status=status_of(error) if error else 200,
        text=text,
        reason=reason,
        report=report,
        key=str(visit.house.new_id()),
        reasons=reasons,
        wrong={_FIELDS[one.code]: one for one in reasons if one.code in _FIELDS},
    )


def _numbers_page(
    visit: Visit,
    base: str,
    typed: Mapping[str, str],
    *,
    report: dict[str, Any] | None,
    error: LifecycleError | None = None,
) -> Response:
    pack = visit.read(lambda session: _published(session, base))
    if pack is None:
        raise NotFound(NotFound.code)
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "draft_numbers.html",
        status=status_of(error) if error else 200,
        base=f"{pack.code}@{pack.version}",
        groups=groups_of(text_of_pack(pack), pack, visit.lang),
        typed=typed,
        report=report,
        reasons=reasons,
        wrong={str(one.values.get("field")) for one in reasons},
    )


def _text(form: FormData) -> str:
    """Return what was typed, or the content of the file that came instead."""
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return text_of(form, "text").replace("\r\n", "\n")
    content = upload.file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Invalid(unmet("file_too_large", field="file", limit=1))
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Invalid(unmet("file_is_not_utf8", field="file")) from None


def _read(text: str) -> tuple[Pack | None, Sequence[Problem]]:
    try:
        pack, lines = library.from_text(text)
    except library.BadPack as bad:
        return None, bad.problems
    return pack, faults(pack, rules=frozenset(RULES), lines=lines)


def _report(session: Session, visit: Visit, pack: Pack | None, found: Sequence[Problem]) -> dict[str, Any]:
    said = [
        {
            "line": (one.line or "").removeprefix(f"{library.WHOLE}:"),
            "path": one.path,
            "said": sentence(one.code, one.values, visit.lang),
        }
        for one in found
    ]
    values: dict[str, Any] = {"faults": said, "base": ""}
    if pack is not None:
        values |= {
            "name": f"{pack.code}@{pack.version}",
            "clauses": sum(len(stage.criteria) for stage in pack.stages),
        }
        old = replaced_by(session, pack)
        if old is not None:
            values |= {"base": f"{old.code}@{old.version}", "changes": _changes(visit, old, pack)}
    return values


def _changes(visit: Visit, old: Pack, new: Pack) -> list[dict[str, Any]]:
    if not differences(old, new):
        return []
    return [
        {**row, "path": f"{part['name']} {row['path']}"}
        for part in comparison(visit, old, new)["parts"]
        for row in part["rows"]
    ]


def _published(session: Session, name: str) -> Pack | None:
    """Return the version that is named, else the one published last."""
    rows = standards(session)
    named = [one for one in rows if f"{one['code']}@{one['version']}" == name]
    chosen = named or sorted(rows, key=lambda one: one["published_at"])[-1:]
    return packs_of(session, [chosen[0]["sha256"]])[chosen[0]["sha256"]] if chosen else None


def _told(problem: Problem) -> Unmet:
    return Unmet(code=problem.code, clause=problem.clause, values=problem.values)
