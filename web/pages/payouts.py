"""Payouts: the queue, the decision on one, one word on several, and the approval slip to be printed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.disbursement.commands import standing_holds
from lifecycle.engine import BatchRefused
from lifecycle.errors import Forbidden, Invalid, LifecycleError, NotFound, Stale, unmet
from lifecycle.payouts import together as several
from lifecycle.payouts.queries import Which, payout, payouts
from lifecycle.permissions import IN_PERSON
from models.money import AmountProblem, minor_or_zero_of
from models.states import PayoutState
from notifications.slip import slip
from web.acts import carry, changes_since, command, refusal, right_first
from web.errors import by_field, reasons_of, status_of
from web.forms import KEY, VERSION, Input, as_typed, read
from web.listing import answer, limit_of, wanted
from web.money_nouns import PAYOUTS
from web.money_rights import MONEY_ROLES, readable_payouts
from web.nouns import AnyVerb
from web.pages.payouts_queue import TABS, Queue, may_go_together, queue
from web.pages.payouts_view import DECISIONS, REFUSALS, DecisionPage, decision_page
from web.proof import prove
from web.proving import need_money_proof
from web.reading_rights import as_id
from web.record import listed
from web.render import page, qr_of
from web.session import Somebody, Typed, Visit, number_of, text_of

router = APIRouter()
_LISTED = (
    *("number", "project", "project_name", "organisation", "fund", "agreement", "tranche", "amount_minor", "state"),
    *("payee", "account_last", "pay_by_on", "paid_on", "promise"),
)
NOTE = Input(name="remark", kind="long", is_required=False)
REASON = replace(NOTE, is_required=True)


@router.get("/payouts")
@router.get("/payouts.{form}")
def show_queue(
    visit: Somebody, form: str = "", tab: str = "", q: str = "", fund: str = "", after: str = ""
) -> Response:
    """Show payouts by who is waited for, with counts and totals."""
    if not visit.roles & MONEY_ROLES:
        raise Forbidden(unmet("role", needs=sorted(MONEY_ROLES), verb="read"))
    chosen, kind = tab if tab in TABS else TABS[0], wanted(form)
    most = limit_of(kind) - 1

    def work(session: Session) -> tuple[Queue, tuple[Any, ...]]:
        asked = queue(session, visit, tab=chosen, text=q.strip(), fund=fund.strip(), after=after, most=most)
        return asked, standing_holds(session)

    found, holds = visit.read(work)
    listing = replace(
        listed("payouts", _LISTED, found.rows, form=kind, key="number", day="pay_by_on"), following=found.following
    )
    values: dict[str, Any] = {"queue": found, "holds": holds, "tab": chosen, "q": q, "fund": fund}
    return answer(visit, listing, kind, "payouts.html", **values, may_go_together=may_go_together)


@router.get("/payouts/together")
def review(visit: Somebody, word: str = "") -> Response:
    """Show what would be approved or released at once: the list, the count, the total; nothing is done yet."""
    ids = visit.request.query_params.getlist("id")
    return _together(visit, _word(word), _chosen(visit, ids), None, key=str(visit.house.new_id()))


@router.post("/payouts/together")
def give_together(visit: Somebody, form: Typed) -> Response:
    """Approve or release all of them or none; the total is typed again."""
    word = _word(text_of(form, "word"))
    rows = _chosen(visit, [str(one) for one in form.getlist("id")])
    key = text_of(form, KEY) or str(visit.house.new_id())
    seen = _seen([str(one) for one in form.getlist("seen")])
    items = [
        several.Item(id=row["id"], version=seen[row["id"]][0], payload_hash=seen[row["id"]][1])
        for row in rows
        if row["id"] in seen
    ]
    try:
        total = _amount(form, rows[0]["currency"] if rows else "CNY")
        prove(visit, form)
        need_money_proof(visit)
        stamp = visit.stamp
        visit.write(lambda session: several.together(session, word, items, total_minor=total, key=key, stamp=stamp))
    except LifecycleError as error:
        return _together(visit, word, rows, form, key=str(visit.house.new_id()), error=error)
    return RedirectResponse(f"/payouts/together/done?{visit_query(word, items)}", status_code=303)


def _seen(said: Sequence[str]) -> dict[UUID, tuple[int, str]]:
    """Return what was seen of each payout: its version and the hash of what is asked; what reads as neither is left."""
    parts = [one.split(" ") for one in said]
    known = [(as_id(one[0]), one) for one in parts if len(one) == 3]
    return {found: (number_of(one[1], 0), one[2]) for found, one in known if found is not None}


def visit_query(word: str, items: Sequence[several.Item]) -> str:
    """Return the address of what was done together."""
    return "&".join([f"word={word}", *(f"id={one.id}" for one in items)])


@router.get("/payouts/together/done")
def done(visit: Somebody, word: str = "") -> Response:
    """Show what became of payouts that were given one word together."""
    rows = _chosen(visit, visit.request.query_params.getlist("id"))
    return page(visit, "payouts_done.html", rows=rows, given=_word(word), total=_totals(rows))


@router.get("/payouts/{ref}")
def show(visit: Somebody, ref: str) -> Response:
    """Show one payout with everything that is seen before a word on it is given, its buttons last."""
    found = visit.read(lambda session: decision_page(session, visit, ref))
    return _decision(visit, found, None, key=str(visit.house.new_id()))


@router.get("/payouts/{ref}/slip")
def show_slip(visit: Somebody, ref: str) -> Response:
    """Show the approval slip as it is printed and signed."""

    def work(session: Any) -> dict[str, Any]:
        row = PAYOUTS.find(session, visit, ref)
        return payout(session, row.id, today=visit.today, calendar=visit.stamp.calendar)

    row = visit.read(work)
    square = qr_of(visit, f"/payouts/{row['number']}", row["number"])
    return page(visit, "slip.html", row=row, square=square, lines=slip(row, visit.lang, visit.house.zone))


@router.get("/payouts/{ref}/do/{name}")
def lead(visit: Somebody, ref: str, name: str) -> Response:
    """Lead to the page of the payout where a decision is made with all facts before it; else to the verb's page."""
    from web.pages.acts import confirm  # noqa: PLC0415 - the page of every verb takes what is left

    verb = PAYOUTS.verb(name)
    if verb.permission in (*DECISIONS, *REFUSALS):
        row = visit.read(lambda session: PAYOUTS.find(session, visit, ref))
        return RedirectResponse(f"{PAYOUTS.url(row)}#decide", status_code=303)
    return confirm(visit, PAYOUTS.path, ref, name)


@router.post("/payouts/{ref}/decide")
def decide(visit: Somebody, form: Typed, ref: str) -> Response:
    """Give one's word and lead to the receipt; else show the page again with every reason and what was typed."""
    found = visit.read(lambda session: decision_page(session, visit, ref))
    key = text_of(form, KEY) or str(visit.house.new_id())
    seen = text_of(form, VERSION)
    version = number_of(seen, found.row.version)
    verb = PAYOUTS.verb(text_of(form, "verb"))
    try:
        values = _values(verb, found, form)
        if verb.permission in IN_PERSON:
            prove(visit, form)
    except LifecycleError as error:
        first = right_first(visit, PAYOUTS, found.row, verb, error)
        return _decision(visit, found, form, key=key, version=version, error=first)
    answer = carry(visit, command(verb, found.row.id, values, key=key, version=version))
    if answer.error is None:
        return RedirectResponse(f"/receipts/{answer.command.command_id}", status_code=303)
    refused = refusal(visit, PAYOUTS, found.row, answer.error)
    fresh = str(visit.house.new_id())
    if isinstance(refused, Stale):
        return _decision(visit, found, form, key=fresh, error=refused, seen=version)
    return _decision(visit, found, form, key=fresh, version=version, error=refused)


def _values(verb: AnyVerb, found: DecisionPage, form: FormData) -> dict[str, Any]:
    """Return what the verb is told: what the page showed, and what was typed into it."""
    own = verb.command.__dataclass_fields__
    asked = [one for one in found.inputs if one.name in own]
    asked += [REASON if "reason" in own else NOTE]
    said = read(asked, form)
    note = said.pop(NOTE.name, "")
    for name in ("reason", "note"):
        if name in own and (note or name == "note"):
            said[name] = note
    for name in ("payload_hash",):
        if name in own:
            said[name] = text_of(form, name) or found.facts["payload_hash"]
    if "amount_minor" in own and "amount_minor" not in said:
        seen = text_of(form, "seen_minor")
        said["amount_minor"] = number_of(seen, 0)
    return said


def _decision(  # noqa: PLR0913 - the state of one form
    visit: Visit,
    found: DecisionPage,
    form: FormData | None,
    *,
    key: str,
    version: int | None = None,
    error: LifecycleError | None = None,
    seen: int | None = None,
) -> Response:
    reasons = reasons_of(error) if error else ()
    theirs = []
    if seen is not None:
        theirs = visit.read(lambda session: changes_since(session, PAYOUTS, found.row, seen))
    known = {one.name for one in (*found.inputs, NOTE)}
    return page(
        visit,
        "payout.html",
        status=status_of(error) if error else 200,
        payout=found,
        facts=found.facts,
        typed=as_typed((*found.inputs, NOTE), form),
        note=NOTE,
        key=key,
        version=found.row.version if version is None else version,
        reasons=reasons,
        wrong=by_field(reasons, known),
        theirs=theirs,
        needs_proof=not visit.has_stepped_up() and any(one.verb.permission in IN_PERSON for one in found.can),
    )


def _word(said: str) -> several.Word:
    if said == "approve":
        return "approve"
    if said == "release":
        return "release"
    raise NotFound(NotFound.code)


def _chosen(visit: Visit, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the payouts with these ids that may be read, in their order; `NotFound` where one of them may not."""
    try:
        wanted = {UUID(one.split(" ")[0]) for one in ids}
    except ValueError:
        raise NotFound(NotFound.code) from None
    which = Which(reach=readable_payouts(visit), states=tuple(PayoutState))

    def work(session: Any) -> list[dict[str, Any]]:
        rows = payouts(session, today=visit.today, calendar=visit.stamp.calendar, which=replace(which, ids=wanted))
        return rows if len(rows) == len(wanted) else []

    found = visit.read(work) if wanted else []
    if wanted and not found:
        raise NotFound(NotFound.code)
    return found


def _totals(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    currencies = sorted({row["currency"] for row in rows})
    return [(one, sum(row["amount_minor"] for row in rows if row["currency"] == one)) for one in currencies]


def _amount(form: FormData, currency: str) -> int:
    typed = text_of(form, "total").strip()
    if not typed:
        raise Invalid(unmet("field_missing", field="total"))
    try:
        return minor_or_zero_of(typed, currency, thousands=",")
    except AmountProblem as problem:
        raise Invalid(unmet(problem.code, field="total", **problem.params)) from None


def _together(
    visit: Visit,
    word: several.Word,
    rows: Sequence[Mapping[str, Any]],
    form: FormData | None,
    *,
    key: str,
    error: LifecycleError | None = None,
) -> Response:
    numbers = {row["id"]: row["number"] for row in rows}
    refused = {
        numbers[one.command.payout_id]: one.error.unmet  # type: ignore[attr-defined]
        for one in (error.answers if isinstance(error, BatchRefused) else ())
        if one.error is not None
    }
    return page(
        visit,
        "payouts_together.html",
        status=status_of(error) if error else 200,
        given=word,
        rows=rows,
        totals=_totals(rows),
        several=[row["number"] for row in rows if word == "approve" and row["approvals_needed"] > 1],
        total=text_of(form, "total") if form is not None else "",
        key=key,
        reasons=() if refused else reasons_of(error) if error else (),
        refused=refused,
        needs_proof=not visit.has_stepped_up(),
    )
