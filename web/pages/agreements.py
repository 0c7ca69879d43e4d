"""Agreements with their tranches, stated cost and settlement, and what is owed back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.agreements import queries as agreements
from lifecycle.endings import queries as endings
from lifecycle.errors import Forbidden, unmet
from lifecycle.milestones import queries as milestones
from lifecycle.payouts.queries import Which, payouts
from models.agreements import Agreement
from models.evidence import Evidence
from models.funds import Fund
from models.reading import table_of
from models.states import RecoveryState
from web.listing import answer, limit_of, wanted
from web.money_nouns import AGREEMENTS, COSTS, MILESTONES, RECOVERIES
from web.money_rights import MONEY_ROLES, readable_agreements, readable_payouts, readable_recoveries
from web.pages.record import Note, Record, acts_of, record_page
from web.record import Scribe, Table, listed
from web.render import Words
from web.session import Somebody, Visit

router = APIRouter()
_LISTED = ("number", "project", "organisation", "fund", "amount_minor", "paid_minor", "reserved_minor", "standing")
_TERMS = (
    *("project", "organisation", "fund", "amount_minor", "paid_minor", "reserved_minor", "standing"),
    *("funding_basis_points", "own_money_minor", "cost_categories", "supplement_no", "signed_by_sme"),
    *("signed_by_funder", "signed_on", "starts_on", "ends_on", "audit_accepted_on", "closed_on"),
)
_TRANCHE = ("tranche", "amount_minor", "paid_minor", "state", "tied_to", "due_on")
_COST = ("statement_no", "from_on", "until_on", "claimed_minor", "own_money_minor", "accepted_minor", "is_final")
_PAYOUT = ("number", "tranche", "amount_minor", "state", "pay_by_on", "paid_on")
_SETTLED = (
    *("award_minor", "cost_minor", "paid_minor", "returned_minor", "recovered_minor", "set_off_minor"),
    *("net_minor", "advance_minor", "entitlement_minor", "difference_minor", "acceptance_minor"),
    *("retention_minor", "settlement_minor", "owed_minor", "settled_on", "statement_due_on"),
)
_RECOVERY = (
    *("number", "agreement", "code", "amount_minor", "repaid_minor", "set_off_minor", "written_off_minor"),
    *("left_minor", "due_on", "state", "interest_minor"),
)
_PART = ("met_by", "amount_minor", "bank_ref", "notified_on", "met_on", "at")


@router.get("/agreements")
@router.get("/agreements.{form}")
def show_list(visit: Somebody, form: str = "", fund: str = "", after: str = "") -> Response:
    """List the agreements that one may read."""
    _allowed(visit)
    words, kind = Words(visit.lang, visit.house.zone), wanted(form)
    reach = readable_agreements(visit)
    if fund:
        reach &= table_of(Agreement).c.fund_id.in_(select(table_of(Fund).c.id).where(table_of(Fund).c.code == fund))
    rows = visit.read(lambda session: agreements.agreements(session, reach=reach, after=after, limit=limit_of(kind)))
    found = listed("agreements", _LISTED, rows, form=kind, key="number", day="ends_on")
    table = Scribe(words).table(
        words.t("agreements.title"), found.rows, _LISTED, empty=words.t("agreements.empty"), links=_LINKS
    )
    return answer(visit, found, kind, "money_list.html", table=table, other=("recoveries",))


@router.get("/agreements/{ref}")
def show(visit: Somebody, ref: str) -> Response:
    """Show one agreement: terms, tranche plan, stated cost, payouts, settlement, what is owed back."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = AGREEMENTS.find(session, visit, ref)
        found = agreements.agreement(session, row.id)
        found |= {"funding_basis_points": row.rate_basis_points, "supplement_no": row.supplement_no or None}
        scribe = Scribe(words, row.currency)
        settled = endings.statement(session, row.id)
        owed = endings.recoveries(session, today=visit.today, agreement_id=row.id)
        paid = payouts(
            session,
            today=visit.today,
            calendar=visit.stamp.calendar,
            which=Which(reach=readable_payouts(visit), project_id=row.project_id),
        )
        own = [one for one in paid if one["agreement"] == row.number]
        tables = [
            _plan(scribe, found["tranches"], words),
            _costs(scribe, found["costs"], words),
            scribe.table(
                words.t("payouts.title"), own, _PAYOUT, empty=words.t("agreements.no_payouts"), links=_PAYOUT_LINKS
            ),
            _settlement(scribe, settled, words),
        ]
        if owed:
            tables.append(_recoveries(scribe, owed, words))
        if found["supplements"]:
            said = ("supplement_no", "at", "reason")
            tables.append(scribe.table(words.t("agreements.supplements"), found["supplements"], said, empty=""))
        return Record(
            title=words.t("agreements.one", number=row.number),
            own=row.number,
            crumbs=[(words.t("agreements.title"), "/agreements")],
            facts=scribe.facts(found, _TERMS, {"project": f"/projects/{found['project']}", "fund": _fund_url(found)}),
            tables=tables,
            notes=_unsigned(found, words),
            acts=acts_of(session, visit, AGREEMENTS, row),
        )

    return record_page(visit, visit.read(work))


@router.get("/milestones/{ref}")
def show_milestone(visit: Somebody, ref: str) -> Response:
    """Show one tranche: what it waits for, what was handed in, who decided, what was asked to be paid."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = MILESTONES.find(session, visit, ref)
        found = milestones.milestone(session, row.id)
        scribe = Scribe(words, row.currency, {"reason": "own_reason"})
        paid = payouts(
            session,
            today=visit.today,
            calendar=visit.stamp.calendar,
            which=Which(reach=readable_payouts(visit), project_id=row.project_id),
        )
        own = [one for one in paid if (one["agreement"], one["tranche"]) == (found["agreement"], row.tranche)]
        report = {"summary": found["report"].get("summary")}
        names = (
            *("agreement", "project", "amount_minor", "paid_minor", "state", "tied_to", "needs", "due_on"),
            *("summary", "submitted_by", "submitted_at", "decided_by", "decided_at", "reason"),
        )
        links = {
            "project": f"/projects/{found['project']}#gate",
            "agreement": f"/agreements/{found['agreement']}",
        }
        return Record(
            title=words.t("milestones.one", tranche=row.tranche, agreement=found["agreement"]),
            own=row.tranche,
            crumbs=_within(found, words),
            facts=scribe.facts({**found, **report, "tied_to": _tied(found)}, names, links),
            tables=[
                _papers(session, scribe, row.project_id, found["report"].get("evidence") or []),
                scribe.table(
                    words.t("payouts.title"), own, _PAYOUT, empty=words.t("agreements.no_payouts"), links=_PAYOUT_LINKS
                ),
            ],
            acts=acts_of(session, visit, MILESTONES, row),
        )

    return record_page(visit, visit.read(work))


@router.get("/costs/{ref}")
def show_cost(visit: Somebody, ref: str) -> Response:
    """Show one statement of cost, by category, with what was accepted of it."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = COSTS.find(session, visit, ref)
        found = agreements.cost(session, row.id)
        scribe = Scribe(words, found["currency"])
        by_category = [{"category": name, "amount_minor": amount} for name, amount in found["by_category"].items()]
        names = (
            *("agreement", "from_on", "until_on", "claimed_minor", "own_money_minor", "accepted_minor"),
            *("accepted_own_minor", "is_final", "evidence_sha256", "submitted_by", "submitted_at", "verified_by"),
            *("verified_at", "reason"),
        )
        return Record(
            title=words.t("costs.one", number=row.statement_no, agreement=found["agreement"]),
            own=str(row.statement_no),
            crumbs=_within(found, words),
            facts=scribe.facts(found, names, {"agreement": f"/agreements/{found['agreement']}"}),
            tables=[scribe.table(words.t("costs.by_category"), by_category, ("category", "amount_minor"), empty="")],
            acts=acts_of(session, visit, COSTS, row),
        )

    return record_page(visit, visit.read(work))


@router.get("/recoveries")
@router.get("/recoveries.{form}")
def list_recoveries(visit: Somebody, form: str = "", after: str = "") -> Response:
    """List what is owed back, and what became of it."""
    _allowed(visit)
    words, kind = Words(visit.lang, visit.house.zone), wanted(form)
    rows = visit.read(
        lambda session: endings.recoveries(
            session, today=visit.today, reach=readable_recoveries(visit), after=after, limit=limit_of(kind)
        )
    )
    found = listed("recoveries", _RECOVERY, rows, form=kind, key="number", kinds={"code": "recovery"}, day="due_on")
    table = _recoveries(Scribe(words), found.rows, words)
    return answer(visit, found, kind, "money_list.html", table=table, other=("agreements",))


@router.get("/recoveries/{ref}")
def show_recovery(visit: Somebody, ref: str) -> Response:
    """Show one recovery order: why, by when, and how each part of it was met."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = RECOVERIES.find(session, visit, ref)
        found = endings.recovery(session, row.id, today=visit.today)
        scribe = Scribe(words, row.currency, {"code": "recovery", "met_by": "part"})
        parts = [{**one, "met_by": one["kind"]} for one in found["parts"]]
        names = (*_RECOVERY[1:], "days_late", "reason", "ordered_by", "write_off_by", "write_off_reason")
        late = row.state == RecoveryState.OPEN and row.due_on < visit.today
        return Record(
            title=words.t("recoveries.one", number=row.number),
            own=row.number,
            crumbs=[(words.t("recoveries.title"), "/recoveries")],
            facts=scribe.facts(found, names, {"agreement": f"/agreements/{found['agreement']}"}),
            tables=[scribe.table(words.t("recoveries.parts"), parts, _PART, empty=words.t("recoveries.no_parts"))],
            notes=[Note(text=words.t("overdue_days", count=found["days_late"]), is_bad=True)] if late else [],
            acts=acts_of(session, visit, RECOVERIES, row),
        )

    return record_page(visit, visit.read(work))


_LINKS: Mapping[str, Any] = {
    "number": lambda row: f"/agreements/{row['number']}",
    "project": lambda row: f"/projects/{row['project']}",
}
_PAYOUT_LINKS: Mapping[str, Any] = {"number": lambda row: f"/payouts/{row['number']}"}


def _papers(session: Session, scribe: Scribe, project_id: UUID, hashes: Any) -> Table:
    """Return the documents that a report rests on, each leading to its page."""
    paper = table_of(Evidence)
    named = [hashes] if isinstance(hashes, str) else list(hashes)
    own = select(paper).where(paper.c.project_id == project_id, paper.c.sha256.in_(named)).order_by(paper.c.id)
    rows = [{"document": one.file_name, "submitted_on": one.submitted_on, "id": one.id} for one in session.execute(own)]
    links = {"document": lambda row: f"/evidence/{row['id']}"}
    empty = scribe.words.t("files.none")
    return scribe.table(scribe.words.t("files.title"), rows, ("document", "submitted_on"), empty=empty, links=links)


def _allowed(visit: Visit) -> None:
    if not visit.roles & MONEY_ROLES:
        raise Forbidden(unmet("role", needs=sorted(MONEY_ROLES), verb="read"))


def _fund_url(row: Mapping[str, Any]) -> str:
    return f"/funds/{row['fund']}"


def _within(row: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    return [(words.t("agreements.title"), "/agreements"), (row["agreement"], f"/agreements/{row['agreement']}")]


def _tied(row: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, [row["gate"] or "", *row["criteria"]]))


def _plan(scribe: Scribe, rows: Any, words: Words) -> Table:
    shown = [{**row, "tied_to": _tied(row)} for row in rows]
    links = {"tranche": lambda row: f"/milestones/{row['id']}"}
    return scribe.table(words.t("agreements.plan"), shown, _TRANCHE, empty=words.t("agreements.no_plan"), links=links)


def _costs(scribe: Scribe, rows: Any, words: Words) -> Table:
    links = {"statement_no": lambda row: f"/costs/{row['id']}"}
    return scribe.table(words.t("costs.title"), rows, _COST, empty=words.t("costs.empty"), links=links)


def _settlement(scribe: Scribe, found: Mapping[str, Any], words: Words) -> Table:
    """Return the settlement statement as a table of two columns: figures that sum."""
    rows = [
        {"item": words.field(name), "value": scribe.cell(name, found[name]).text}
        for name in _SETTLED
        if found.get(name) not in (None, "")
    ]
    return scribe.table(words.t("agreements.settlement"), rows, ("item", "value"), empty="")


def _recoveries(scribe: Scribe, rows: Any, words: Words) -> Table:
    own = Scribe(words, scribe.currency, {"code": "recovery"})
    links = {
        "number": lambda row: f"/recoveries/{row['number']}",
        "agreement": lambda row: f"/agreements/{row['agreement']}",
    }
    return own.table(words.t("recoveries.title"), rows, _RECOVERY, empty=words.t("recoveries.empty"), links=links)


def _unsigned(found: Mapping[str, Any], words: Words) -> list[Note]:
    return [Note(text=words.t("agreements.unsigned"))] if found["standing"] == "unsigned" else []
