"""Accounts of payees: entered by the firm, confirmed by a second person who has called back. Only last digits shown."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import Forbidden, unmet
from lifecycle.payouts.queries import accounts
from models.payouts import PayeeAccount
from models.people import Organisation
from models.reading import rows_by, table_of
from models.states import PayeeStatus, Role
from web.listing import answer, limit_of, wanted
from web.money_nouns import PAYEES
from web.money_rights import FUNDER_ROLES, SME_ROLES, readable_accounts
from web.nouns import ORGANISATIONS
from web.pages.record import Note, Record, acts_of, record_page
from web.reading_rights import as_id
from web.record import Scribe, listed
from web.render import Words
from web.session import Somebody, Visit

router = APIRouter()
_LISTED = ("holder_name", "organisation", "account_last", "bank_name", "status", "usable_on", "proposed_by", "warnings")
_SHOWN = (
    *("organisation", "holder_name", "account_last", "bank_name", "bank_code", "status", "usable_on"),
    *("proposed_by", "at", "confirmed_by", "called_back", "warnings", "reason"),
)
_READERS = FUNDER_ROLES | SME_ROLES


@router.get("/payees")
@router.get("/payees.{form}")
def show_list(visit: Somebody, form: str = "", after: str = "") -> Response:
    """List accounts: those that wait for a second person first."""
    if not visit.roles & _READERS:
        raise Forbidden(unmet("role", needs=sorted(_READERS), verb="read"))
    words, kind = Words(visit.lang, visit.house.zone), wanted(form)
    reach = readable_accounts(visit)
    rows = visit.read(lambda session: accounts(session, reach=reach, after=as_id(after), limit=limit_of(kind)))
    found = listed("payees", _LISTED, rows, form=kind, key="id")
    table = Scribe(words).table(
        words.t("payees.title"),
        found.rows,
        _LISTED,
        empty=words.t("payees.empty"),
        links={"holder_name": lambda row: f"/payees/{row['id']}"},
    )
    firms = sorted({at for role, at in visit.rights.grants if role is Role.FINANCE_OFFICER and at is not None}, key=str)
    enter = [f"/organisations/{firm}/do/payee-account-propose" for firm in firms]
    return answer(visit, found, kind, "payees.html", table=table, enter=enter)


@router.get("/payees/{ref}")
def show(visit: Somebody, ref: str) -> Response:
    """Show one account: whose it is, who entered it, who called back."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = PAYEES.find(session, visit, ref)
        (found,) = accounts(session, reach=table_of(PayeeAccount).c.id == row.id)
        back = row.called_back
        called = " · ".join(str(back[name]) for name in ("called", "on", "note") if back.get(name))
        scribe = Scribe(words)
        warnings = [Note(text=words.word("warning", one), is_bad=True) for one in row.warnings]
        waits = [Note(text=words.t("payees.waits"))] if row.status == PayeeStatus.PROPOSED else []
        return Record(
            title=words.t("payees.one", holder=row.holder_name, digits=found["account_last"]),
            own=f"…{found['account_last']}",
            crumbs=[(words.t("payees.title"), "/payees")],
            facts=scribe.facts({**found, "called_back": called, "reason": row.reason}, _SHOWN),
            notes=[*warnings, *waits],
            acts=acts_of(session, visit, PAYEES, row),
        )

    return record_page(visit, visit.read(work))


@router.get("/organisations/{ref}/accounts")
def show_accounts(visit: Somebody, ref: str) -> Response:
    """Show the accounts of one organisation."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row: Any = ORGANISATIONS.find(session, visit, ref)
        known = rows_by(session, Organisation, "id", [row.id])[row.id][0]
        rows = accounts(session, organisation_id=row.id, reach=readable_accounts(visit))
        scribe = Scribe(words, kinds={"kind": "organisation"})
        links = {"holder_name": lambda one: f"/payees/{one['id']}"}
        own = ("holder_name", "account_last", "bank_name", "status", "usable_on")
        return Record(
            title=row.name,
            own=row.name,
            crumbs=[(words.t("payees.title"), "/payees")],
            facts=scribe.facts({"name": known.name, "credit_code": known.credit_code}, ("name", "credit_code")),
            tables=[scribe.table(words.t("payees.title"), rows, own, empty=words.t("payees.empty"), links=links)],
            acts=_acts(session, visit, row),
        )

    return record_page(visit, visit.read(work))


def _acts(session: Session, visit: Visit, row: Any) -> Any:
    return [one for one in acts_of(session, visit, ORGANISATIONS, row) if not one.is_for_others]
