"""The bank: payment batches, what the bank sent, bookings that nothing explains, and cases for two people.

Who runs the installation sees files by count, total and hash; whose money goes where is for the funder's people.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Forbidden, LifecycleError, NotFound, Stale, unmet
from lifecycle.exceptions.commands import CONFIRM, PROPOSE
from lifecycle.exceptions.proposal import Action as WayOut
from lifecycle.exceptions.queries import about, about_batch, cases
from lifecycle.payouts.queries import batch, batches, statement, statements, unmatched
from models.agreements import RecoveryOrder
from models.holds import CaseFile
from models.money import Money
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import rows_by, table_of
from models.states import DEAD, BankEventKind, RecoveryState, Role
from web.acts import actions, carry, command, refusal, right_first
from web.bank_files import kept
from web.errors import by_field, reasons_of, status_of
from web.forms import KEY, VERSION, Input, as_typed, read
from web.listing import Form, Listing, answer, limit_of, wanted
from web.money_nouns import BATCHES, CASES, STATEMENTS
from web.money_rights import (
    BANK_ROLES,
    FUNDER_ROLES,
    readable_batches,
    readable_cases,
    readable_statements,
    sees_payees,
)
from web.pages.record import Note, Record, acts_of, record_page, split
from web.papers import download
from web.proof import prove
from web.reading_rights import as_id
from web.record import Scribe, listed
from web.render import Words, page
from web.session import Somebody, Typed, Visit, number_of, text_of

router = APIRouter()
LATEST = 20
TAKERS = frozenset({Role.ACCOUNTANT, Role.OPERATOR})
_BATCH = ("number", "fund", "state", "instruction_count", "total_minor", "execution_on", "sent_at", "answer_due_at")
_FILE = (
    *("fund", "state", "instruction_count", "total_minor", "execution_on", "format", "msg_id", "file_name"),
    *("file_sha256", "created_at", "sent_at", "answer_due_at"),
)
_PAID = ("payout", "amount_minor", "holder_name", "account_last", "end_to_end_id", "status", "why")
_STATEMENT = ("statement_ref", "fund", "status", "matched", "duplicate", "exception", "settled", "file_name", "at")
_SAID = (
    *("fund", "source", "status", "sequence_no", "opening_minor", "closing_minor", "booked_from_on"),
    *("booked_until_on", "file_name", "file_sha256", "at", "refused"),
)
_LINE = ("line_ref", "booked_on", "amount_minor", "counterparty", "bank_ref", "status", "means")
_UNMATCHED = ("line_ref", "booked_on", "amount_minor", "counterparty", "bank_ref", "statement_ref")
_CASE = ("kind", "fund", "object_type", "opened_at", "action", "proposed_by")


@router.get("/bank")
def show(visit: Somebody) -> Response:
    """Show what went to the bank and came back, and what waits for two people."""
    need_bank(visit)
    return bank_page(visit, ())


def bank_page(visit: Visit, reasons: Any, *, status: int = 200) -> Response:
    """Show the page of the bank, with the reasons why a file was not taken."""
    words = Words(visit.lang, visit.house.zone)
    rights = visit.rights
    sees = sees_payees(rights)

    def work(session: Session) -> dict[str, Any]:
        scribe = Scribe(words, kinds={"kind": "case"})
        lines = unmatched(session)
        waiting = cases(session, state="open", reach=readable_cases(rights))
        sent = batches(session, reach=readable_batches(visit), limit=LATEST)
        came = statements(session, reach=readable_statements(visit), limit=LATEST)
        return {
            "batches": scribe.table(
                words.t("bank.batches"),
                sent,
                _BATCH,
                empty=words.t("bank.no_batches"),
                links={"number": lambda row: f"/payment-batches/{row['number']}"},
            ),
            "statements": scribe.table(
                words.t("bank.statements"),
                [{**row, "statement_ref": row["statement_ref"] or row["file_name"]} for row in came],
                _STATEMENT,
                empty=words.t("bank.no_statements"),
                links={"statement_ref": lambda row: f"/statements/{row['id']}"},
            ),
            "unmatched": scribe.table(
                words.t("bank.unmatched"),
                [row for row in lines if row["case_id"] in {one["id"] for one in waiting}],
                _UNMATCHED,
                empty=words.t("bank.no_unmatched"),
                links={"line_ref": lambda row: f"/exceptions/{row['case_id']}"},
            ),
            "cases": scribe.table(
                words.t("bank.cases"),
                waiting,
                _CASE,
                empty=words.t("bank.no_cases"),
                links={"kind": lambda row: f"/exceptions/{row['id']}"},
            ),
        }

    may_take = bool(visit.roles & TAKERS) and visit.house.take_file is not None
    return page(visit, "bank.html", status=status, **visit.read(work), sees=sees, may_take=may_take, reasons=reasons)


@router.get("/payment-batches")
@router.get("/payment-batches.{form}")
def list_batches(visit: Somebody, form: str = "", after: str = "") -> Response:
    """List payment files, the newest first."""
    need_bank(visit)
    reach = readable_batches(visit)
    kind = wanted(form)
    rows = visit.read(lambda session: batches(session, reach=reach, after=after, limit=limit_of(kind)))
    found = listed("payment_batches", _BATCH, rows, form=kind, key="number")
    return _list(visit, found, kind, {"number": lambda row: f"/payment-batches/{row['number']}"})


@router.get("/statements")
@router.get("/statements.{form}")
def list_statements(visit: Somebody, form: str = "", after: str = "") -> Response:
    """List what the bank sent, the newest first."""
    need_bank(visit)
    reach = readable_statements(visit)
    kind = wanted(form)
    rows = visit.read(lambda session: statements(session, reach=reach, after=as_id(after), limit=limit_of(kind)))
    named = [{**row, "statement_ref": row["statement_ref"] or row["file_name"]} for row in rows]
    found = listed("statements", _STATEMENT, named, form=kind, key="id")
    return _list(visit, found, kind, {"statement_ref": lambda row: f"/statements/{row['id']}"})


@router.get("/exceptions")
@router.get("/exceptions.{form}")
def list_cases(visit: Somebody, form: str = "", after: str = "") -> Response:
    """List cases for two people, the newest first, closed ones too."""
    need_bank(visit)
    kind = wanted(form)
    rows = visit.read(
        lambda session: cases(session, reach=readable_cases(visit.rights), after=as_id(after), limit=limit_of(kind))
    )
    names = (*_CASE, "closed_at", "confirmed_by")
    found = listed("exceptions", names, rows, form=kind, key="id", kinds={"kind": "case"})
    return _list(visit, found, kind, {"kind": lambda row: f"/exceptions/{row['id']}"})


def _sees(words: Words) -> str:
    """Say whose cases those are that the reader may not see."""
    return words.t("exceptions.theirs", roles=[words.word("role", one) for one in sorted(FUNDER_ROLES)])


def _list(visit: Visit, found: Listing, kind: Form | None, links: Any) -> Response:
    words = Words(visit.lang, visit.house.zone)
    scribe = Scribe(words, kinds={"kind": "case"})
    names = [one.key for one in found.columns]
    title = words.t(f"{found.name}.title")
    theirs = found.name == "exceptions" and not sees_payees(visit.rights)
    table = scribe.table(title, found.rows, names, empty=words.t("list_empty"), links=links)
    return answer(
        visit, found, kind, "money_list.html", table=table, other=("bank",), theirs=_sees(words) if theirs else ""
    )


@router.get("/payment-batches/{ref}")
def show_batch(visit: Somebody, ref: str) -> Response:
    """Show one payment file: count, total, hash; and to the funder's people each payment."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = BATCHES.find(session, visit, ref)
        found = batch(session, row.id)
        scribe = Scribe(words, row.currency)
        links = {"payout": lambda one: f"/payouts/{one['payout']}"}
        paid = []
        if sees_payees(visit.rights):
            paid.append(scribe.table(words.t("bank.payments"), found["instructions"], _PAID, empty="", links=links))
            opened = cases(session, reach=readable_cases(visit.rights) & about_batch(row.id))
            if opened:
                of_case = replace(scribe, kinds={"kind": "case"})
                names = (*_CASE, "closed_at")
                to_case = {"kind": lambda one: f"/exceptions/{one['id']}"}
                paid.append(of_case.table(words.t("exceptions.title"), opened, names, empty="", links=to_case))
        return Record(
            title=words.t("bank.batch", number=row.number),
            own=row.number,
            crumbs=[(words.t("bank.title"), "/bank")],
            facts=scribe.facts(found, _FILE),
            tables=paid,
            acts=acts_of(session, visit, BATCHES, row),
        )

    return record_page(visit, visit.read(work))


@router.get("/statements/{ref}")
def show_statement(visit: Somebody, ref: str) -> Response:
    """Show one statement with its bookings, and what each became."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = STATEMENTS.find(session, visit, ref)
        found = statement(session, row.id)
        scribe = Scribe(words, row.currency or "CNY", {"means": "kind"})
        refused = words.code(row.refusal["code"]) if row.refusal and row.refusal.get("code") else ""
        lines = [
            {
                **one,
                "means": [said["kind"] for said in one["means"]],
                "status": "case_closed" if one["is_settled"] else one["status"],
            }
            for one in found["lines"]
        ]
        booked = (
            [scribe.table(words.t("bank.bookings"), lines, _LINE, empty=words.t("bank.no_bookings"))]
            if sees_payees(visit.rights)
            else []
        )
        return Record(
            title=words.t("bank.statement", ref=row.statement_ref or row.file_name),
            own=row.statement_ref or row.file_name,
            crumbs=[(words.t("bank.title"), "/bank")],
            facts=scribe.facts({**found, "refused": refused}, _SAID),
            tables=booked,
            notes=[Note(text=words.t("bank.quarantined", why=refused), is_bad=True)] if refused else [],
            acts=acts_of(session, visit, STATEMENTS, row),
        )

    return record_page(visit, visit.read(work))


@router.get("/exceptions/{ref}")
def show_case(visit: Somebody, ref: str) -> Response:
    """Show one case: its figures, its ways out, what is proposed; one proposes, another confirms."""
    return _case(visit, ref, None, key=str(visit.house.new_id()))


@router.get("/exceptions/{ref}/file")
def letter(visit: Somebody, ref: str) -> Response:
    """Give the file that the proposed way out rests on: the bank's letter, as an attachment."""

    def work(session: Session) -> Any:
        row, file = CASES.find(session, visit, ref), table_of(CaseFile)
        own = (file.c.exception_id == row.id, file.c.sha256 == row.evidence_sha256)
        found = session.execute(select(file).where(*own).order_by(file.c.at.desc())).first()
        if found is None:
            raise NotFound(NotFound.code)
        return found

    return download(visit.house, visit.read(work))


@router.get("/exceptions/{ref}/do/{name}")
def lead(visit: Somebody, ref: str, name: str) -> Response:
    """Lead to the page of the case, where its ways out are proposed and confirmed."""
    row = visit.read(lambda session: CASES.find(session, visit, ref))
    CASES.verb(name)
    return RedirectResponse(f"{CASES.url(row)}#decide", status_code=303)


@router.post("/exceptions/{ref}/propose")
def propose(visit: Somebody, form: Typed, ref: str) -> Response:
    """Propose a way out, resting on a file of the bank."""
    row = visit.read(lambda session: CASES.find(session, visit, ref))
    try:
        said = read(_asked(visit, row), form)
        stored, name = kept(visit, form)
    except LifecycleError as error:
        return _case(visit, ref, form, key=text_of(form, KEY), error=right_first(visit, CASES, row, PROPOSE, error))
    file = {"evidence_sha256": stored.sha256, "file_name": name, "size_bytes": stored.size_bytes}
    return _done(visit, form, ref, row, PROPOSE, {**said, **file})


@router.post("/exceptions/{ref}/confirm")
def confirm(visit: Somebody, form: Typed, ref: str) -> Response:
    """Agree as the second person to exactly what was seen; it is carried out in the same transaction."""
    row = visit.read(lambda session: CASES.find(session, visit, ref))
    try:
        seen = Input(name="action", kind="choice", hint=WayOut), Input(name="proposal_hash", kind="text")
        said = read(seen, form)
        prove(visit, form)
    except LifecycleError as error:
        return _case(visit, ref, form, key=text_of(form, KEY), error=right_first(visit, CASES, row, CONFIRM, error))
    return _done(visit, form, ref, row, CONFIRM, said)


def _done(visit: Visit, form: FormData, ref: str, row: Any, verb: Any, said: dict[str, Any]) -> Response:
    seen = text_of(form, VERSION)
    version = number_of(seen, row.version)
    key = text_of(form, KEY) or str(visit.house.new_id())
    answer = carry(visit, command(verb, row.id, said, key=key, version=version))
    if answer.error is None:
        return RedirectResponse(f"/receipts/{answer.command.command_id}", status_code=303)
    refused = refusal(visit, CASES, row, answer.error)
    again = None if isinstance(refused, Stale) else version
    return _case(visit, ref, form, key=str(visit.house.new_id()), error=refused, version=again)


def _case(
    visit: Visit,
    ref: str,
    form: FormData | None,
    *,
    key: str,
    error: LifecycleError | None = None,
    version: int | None = None,
) -> Response:
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> dict[str, Any]:
        row = CASES.find(session, visit, ref)
        (found,) = cases(session, case_id=row.id)
        scribe = Scribe(words, found["currency"] or "CNY", {"kind": "case", "reason": "reason", "why": "why"})
        names = [name for name, value in found["facts"].items() if name != "currency" and value is not None]
        proposed = ("action", "reason", "proposal", "evidence_sha256", "proposed_by", "proposed_at")
        letter = {"evidence_sha256": f"{CASES.url(row)}/file"}
        acts = actions(session, visit, CASES, row)
        found["proposal"] = {name: value for name, value in found["proposal"].items() if value is not None}
        return {
            "about": about(session, row),
            "case": found,
            "row": row,
            "facts": scribe.facts(found, ("fund", "object_type", "opened_at", "closed_at", "confirmed_by")),
            "figures": _figures(scribe, found["facts"], names),
            "proposal": scribe.facts(found, proposed, letter) if found["proposed_by"] else [],
            "by_name": {one.verb.name: one for one in acts},
            **split(acts),
        }

    found = visit.read(work)
    asked = _asked(visit, found["row"])
    reasons = reasons_of(error) if error else ()
    known = {*(one.name for one in asked), "file"}
    return page(
        visit,
        "exception.html",
        status=status_of(error) if error else 200,
        **found,
        inputs=asked,
        typed=as_typed(asked, form),
        key=key,
        version=found["row"].version if version is None else version,
        reasons=reasons,
        wrong=by_field(reasons, known),
        needs_proof=not visit.has_stepped_up(),
    )


def _figures(scribe: Scribe, facts: Any, names: Any) -> list[Any]:
    """Return the figures that do not agree; their names are those of the journal where no label knows them."""
    return [
        *scribe.facts({name: facts[name] for name in names if name.endswith("_minor")}, names),
        *scribe.facts(
            {name: str(facts[name]) for name in names if not name.endswith("_minor") and facts[name] is not None}, names
        ),
    ]


def _asked(visit: Visit, row: Any) -> tuple[Input, ...]:
    """Return what a proposal asks: a way out that fits, why, and for a match what the booking belongs to."""

    def work(session: Session) -> tuple[Input, ...]:
        (found,) = cases(session, case_id=row.id)
        ways = [(str(one), str(one)) for one in found["possible"]]
        asked = [
            Input(name="action", kind="choice", hint=WayOut, options=ways, word="way_out"),
            Input(name="reason", kind="long"),
        ]
        if WayOut.MATCH in found["possible"]:
            kinds = [(str(one), str(one)) for one in (BankEventKind.SETTLE, BankEventKind.RETURN, BankEventKind.FEE)]
            asked += [
                Input(name="end_to_end_id", kind="choice", is_required=False, options=_payments(session, row)),
                Input(name="kind", kind="choice", hint=BankEventKind, is_required=False, options=kinds, word="kind"),
                Input(name="recovery_id", kind="choice", hint=UUID, is_required=False, options=_orders(session, row)),
            ]
        return tuple(asked)

    return visit.read(work)


def _payments(session: Session, row: Any) -> list[tuple[str, str]]:
    """Return the payments of the fund that a booking may belong to, the newest first."""
    one, of = table_of(PaymentInstruction), table_of(PaymentBatch)
    statement_of = (
        select(one.c.end_to_end_id, one.c.holder_name, one.c.amount_minor, one.c.currency, one.c.status)
        .join(of, of.c.id == one.c.batch_id)
        .where(of.c.fund_id == row.fund_id)
        .order_by(one.c.created_at.desc())
        .limit(200)
    )
    found = []
    for paid in session.execute(statement_of):
        amount = Money(paid.amount_minor, paid.currency).display
        mark = "" if paid.status not in DEAD else " ×"
        found.append((paid.end_to_end_id, f"{paid.end_to_end_id} · {amount} · {paid.holder_name}{mark}"))
    return found


def _orders(session: Session, row: Any) -> list[tuple[str, str]]:
    orders = rows_by(session, RecoveryOrder, "fund_id", [row.fund_id] if row.fund_id else [], "number")
    waiting = [one for one in orders.get(row.fund_id, []) if one.state == RecoveryState.OPEN]
    return [(str(one.id), one.number) for one in waiting]


def need_bank(visit: Visit) -> None:
    """Refuse who has no part in what goes to the bank and comes from it."""
    if not visit.roles & BANK_ROLES:
        raise Forbidden(unmet("role", needs=sorted(BANK_ROLES), verb="read"))
