"""Every verb of every noun through one page: confirm, carry out, receipt. A refusal keeps what was typed."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import LifecycleError, Stale
from lifecycle.imports import accepted
from lifecycle.permissions import IN_PERSON
from notifications.words import Names
from web.acts import (
    Action,
    Change,
    actions,
    carry,
    changes_since,
    command,
    names,
    refusal,
    right_first,
)
from web.batch_book import brought
from web.errors import by_field, reasons_of, status_of
from web.forecast import Forecast, begun, forecast, rehearsable
from web.forms import KEY, ROWS_MORE, VERSION, Input, Typing, as_typed, inputs, read
from web.lookups import offered
from web.nouns import PROJECTS, AnyVerb, Noun, noun_at
from web.proof import prove
from web.receipts import receipt
from web.render import page, qr_of
from web.session import Somebody, Typed, Visit, number_of, text_of

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One verb on one thing, as its page shows it."""

    noun: Noun
    row: Any
    verb: AnyVerb
    action: Action
    inputs: tuple[Input, ...]
    names: Names = field(default_factory=dict)
    home: str = ""
    """Address of the project that it belongs to, where it is none itself."""
    home_name: str = ""


@router.get("/{path}/{ref}/do/{name}")
def confirm(visit: Somebody, path: str, ref: str, name: str) -> Response:
    """Show what will happen, what it asks, and why not where it is not possible."""
    asked = _asked(visit, path, ref, name)
    typed = visit.read(lambda session: begun(session, asked.row, asked.verb, visit.request.query_params or None))
    return _page(visit, asked, typed, key=str(visit.house.new_id()), version=asked.row.version)


@router.post("/{path}/{ref}/do/{name}")
def carry_out(visit: Somebody, form: Typed, path: str, ref: str, name: str) -> Response:
    """Do it and lead to the receipt; else show the page again with every reason and with what was typed."""
    asked = _asked(visit, path, ref, name)
    key = text_of(form, KEY) or str(visit.house.new_id())
    seen = text_of(form, VERSION)
    version = number_of(seen, asked.row.version)
    if form.get(ROWS_MORE):
        return _page(visit, asked, form, key=key, version=version)
    try:
        values = read(asked.inputs, form)
        if asked.verb.permission in IN_PERSON:
            prove(visit, form)
    except LifecycleError as error:
        return _page(visit, asked, form, key=key, version=version, error=_right_first(visit, asked, error))
    answer = carry(visit, command(asked.verb, asked.row.id, values, key=key, version=version))
    if answer.error is None:
        return RedirectResponse(f"/receipts/{answer.command.command_id}", status_code=303)
    refused = refusal(visit, asked.noun, asked.row, answer.error)
    fresh = str(visit.house.new_id())
    if isinstance(refused, Stale):
        return _page(visit, asked, form, key=fresh, version=asked.row.version, error=refused, seen=version)
    return _page(visit, asked, form, key=fresh, version=version, error=refused)


@router.get("/receipts/{command_id}")
def show_receipt(visit: Somebody, command_id: str) -> Response:
    """Show what became of a command: who did what with which figures, what comes next, the seal in the audit trail."""
    found = visit.read(lambda session: receipt(session, visit, command_id))
    if "projects" in found.answer:
        whole = visit.read(lambda session: accepted.whole(session, command_id, found.answer))
        return page(visit, "import_receipt.html", receipt=found, answer=whole)
    if found.verb == accepted.BATCHES:
        return page(visit, "batch_receipt.html", receipt=found, rows=brought(found.answer, visit.lang))
    square = qr_of(visit, f"/receipts/{quote(command_id, safe='')}", command_id)
    return page(visit, "receipt.html", receipt=found, noun=found.noun, row=found.row, square=square)


def _asked(visit: Visit, path: str, ref: str, name: str) -> Asked:
    noun = noun_at(path)
    verb = noun.verb(name)

    def work(session: Session) -> Asked:
        row = noun.find(session, visit, ref)
        (action,) = actions(session, visit, noun, row, [verb])
        project_id = noun.project_id(row)
        home = None if project_id in (None, row.id) else PROJECTS.find(session, visit, str(project_id))
        return Asked(
            noun=noun,
            row=row,
            verb=verb,
            action=action,
            inputs=inputs(verb, offered(session, verb, noun, row), currency=getattr(row, "currency", "CNY")),
            names=names(session, visit, noun, row),
            home=PROJECTS.url(home) if home else "",
            home_name=PROJECTS.name(home) if home else "",
        )

    return visit.read(work)


def _page(  # noqa: PLR0913 - the state of one form
    visit: Visit,
    asked: Asked,
    form: Typing | None,
    *,
    key: str,
    version: int,
    error: LifecycleError | None = None,
    seen: int | None = None,
) -> Response:
    reasons = reasons_of(error) if error else ()
    theirs: list[Change] = []
    if seen is not None:
        theirs = visit.read(lambda session: changes_since(session, asked.noun, asked.row, seen))
    return page(
        visit,
        "act.html",
        status=status_of(error) if error else 200,
        asked=asked,
        typed=as_typed(asked.inputs, form),
        key=key,
        version=version,
        reasons=reasons,
        wrong=by_field(reasons, {one.name for one in asked.inputs}),
        theirs=theirs,
        needs_proof=asked.verb.permission in IN_PERSON and not visit.has_stepped_up(),
        told=visit.read(lambda session: _told(session, visit, asked, str(form.get("number", "")) if form else "")),
    )


def _right_first(visit: Visit, asked: Asked, error: LifecycleError) -> LifecycleError:
    return right_first(visit, asked.noun, asked.row, asked.verb, error)


def _told(session: Session, visit: Visit, asked: Asked, number: str) -> Forecast:
    """Return what the page says before anything is done: what it is about, and what the verb would write."""
    values = rehearsable(asked.inputs) if asked.action.is_allowed else None
    trial = None if values is None else command(asked.verb, asked.row.id, values, key="rehearsal", version=None)
    return forecast(session, visit, asked.noun, asked.row, asked.verb, trial, number=number)
