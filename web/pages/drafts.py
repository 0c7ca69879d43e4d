"""Drafts of standards: written and checked by one editor, read beside what it replaces and published by another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from web.pack_form import changed, groups_of, merged, values_of
from web.pages.impact import impact_of, table_of_clauses
from web.pages.standards import comparison, text_of_pack
from web.render import page
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
LARGEST = 1_000_000
WHOLE = "all"
"""Part of an address that asks for the whole text instead of one gate of it."""
_FIELDS = {"reason_missing": "reason"}
_OF_NUMBER = "n."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What an editor has typed: a text, and its numbers in the form beside it."""

    text: str
    part: str
    """The gate that is written, or `WHOLE`."""
    base: str = ""
    """`code@version` of the version that it begins with."""
    reason: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    """The numbers as they were when form and text were the same."""


@router.get("/standard-drafts/new")
def new(visit: Somebody, base: str = "", part: str = "") -> Response:
    """Show the text of one gate of a published version to begin with: the version named, else the newest."""
    need(visit, PROPOSE_STANDARD)
    pack = visit.read(lambda session: _published(session, base))
    if pack is None:
        return _page(visit, _Draft(text="", part=WHOLE))
    gates = [str(stage.gate) for stage in pack.stages]
    if part not in ("", WHOLE, *gates):
        raise NotFound(NotFound.code)
    part = part or gates[0]
    text = text_of_pack(pack, "" if part == WHOLE else part)
    return _page(visit, _Draft(text=text, part=part, base=f"{pack.code}@{pack.version}"), pack=pack)


@router.post("/standard-drafts/new")
def check_or_hand_over(visit: Somebody, form: Typed) -> Response:
    """Say what the check finds and what changes, or whom it would touch; hand it over when that was asked."""
    need(visit, PROPOSE_STANDARD)
    try:
        draft = _merged(_typed(form))
    except LifecycleError as error:
        return _page(visit, _as_typed(form), error=error)
    pack, found = visit.read(lambda session: _read(session, draft.text))
    if form.get("hand") and pack is not None and not found:
        handed = visit.act(
            ProposeStandard(
                command_id=text_of(form, KEY) or str(visit.house.new_id()),
                sha256=library.sha256(pack),
                body=pack.canonical(),
                reason=draft.reason.strip(),
            )
        )
        if handed.error is None:
            return RedirectResponse(f"/receipts/{handed.command.command_id}", status_code=303)
        return _page(visit, draft, pack=pack, found=found, error=handed.error)
    refusal = Invalid(*map(_told, found)) if form.get("hand") else None
    is_ahead = bool(form.get("simulate")) and not found
    return _page(visit, draft, pack=pack, found=found, error=refusal, is_ahead=is_ahead)


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
    visit: Visit,
    draft: _Draft,
    *,
    pack: Pack | None = None,
    found: Sequence[Problem] | None = None,
    error: LifecycleError | None = None,
    is_ahead: bool = False,
) -> Response:
    """Show a draft: its numbers beside its text, and below what was found when it was checked (`found`)."""

    def work(session: Session) -> dict[str, Any]:
        begun = _published(session, draft.base) if draft.base else None
        values: dict[str, Any] = {"report": None, "impact": None, "groups": (), "gates": begun.stages if begun else ()}
        if draft.part != WHOLE and pack is not None:
            values["groups"] = groups_of(draft.text, pack, visit.lang)
        elif draft.part != WHOLE and begun is not None:
            values["groups"] = groups_of(text_of_pack(begun, draft.part), begun, visit.lang)
        if found is not None:
            old = replaced_by(session, pack) if pack else None
            values["report"] = _report(visit, pack, old, found)
            if pack and old and is_ahead:
                values["impact"] = impact_of(session, visit, old, pack)
        return values

    values = visit.read(work)
    reasons = reasons_of(error) if error else ()
    numbers = {one.path: one.value for group in values["groups"] for one in group.numbers}
    return page(
        visit,
        "draft_new.html",
        status=status_of(error) if error else 200,
        **values,
        draft=draft,
        numbers={**numbers, **draft.numbers},
        seen=json.dumps(dict(draft.seen) or numbers),
        key=str(visit.house.new_id()),
        reasons=[one for one in reasons if one.values.get("field") not in draft.numbers],
        wrong={_FIELDS[one.code]: one for one in reasons if one.code in _FIELDS},
        wrong_numbers={one.values["field"]: one for one in reasons if one.values.get("field") in draft.numbers},
    )


def _as_typed(form: FormData) -> _Draft:
    """Return what was typed, without the content of a file."""
    try:
        seen = json.loads(text_of(form, "seen") or "{}")
    except ValueError:
        seen = {}
    return _Draft(
        text=text_of(form, "text").replace("\r\n", "\n"),
        part=text_of(form, "part") or WHOLE,
        base=text_of(form, "base"),
        reason=text_of(form, "reason"),
        numbers={name.removeprefix(_OF_NUMBER): text_of(form, name) for name in form if name.startswith(_OF_NUMBER)},
        seen={str(path): str(value) for path, value in seen.items()} if isinstance(seen, dict) else {},
    )


def _typed(form: FormData) -> _Draft:
    """Return what was typed; the content of a file takes the place of it all."""
    text, typed = _text(form), _as_typed(form)
    return typed if text == typed.text else replace(typed, text=text, part=WHOLE, numbers={}, seen={})


def _merged(draft: _Draft) -> _Draft:
    """Return the draft with form and text the same: what the form changed is put into a text that is YAML."""
    if not draft.numbers or not library.is_readable(draft.text):
        return draft
    text = merged(draft.text, changed(draft.text, draft.numbers, draft.seen))
    numbers = values_of(text)
    return replace(draft, text=text, numbers=numbers, seen=numbers)


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


def _read(session: Session, text: str) -> tuple[Pack | None, Sequence[Problem]]:
    try:
        pack, lines = library.from_text(text, lambda name: _named(session, name))
    except library.BadPack as bad:
        return None, bad.problems
    return pack, faults(pack, rules=frozenset(RULES), lines=lines)


def _report(visit: Visit, pack: Pack | None, old: Pack | None, found: Sequence[Problem]) -> dict[str, Any]:
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


def _named(session: Session, name: str) -> Pack | None:
    """Return the published version of this name."""
    found = _published(session, name)
    return found if found is not None and f"{found.code}@{found.version}" == name else None


def _told(problem: Problem) -> Unmet:
    return Unmet(code=problem.code, clause=problem.clause, values=problem.values)
