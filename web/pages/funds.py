"""Funds: the list, the page of one with its position and burn, its ledger, and what each investor gave."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import Forbidden, Invalid, unmet
from lifecycle.funds.commands import ADD
from lifecycle.funds.queries import (
    MOST_LINES,
    Position,
    balances,
    burn,
    funds,
    investor_statement,
    ledger_lines,
    positions,
)
from lifecycle.reports.fund_page import fund_projects, holds_and_cases, reconciliation, upcoming, walls
from models.states import AccountKind, Role
from web.acts import actions
from web.asking import Ask, ask, take
from web.asking import show as show_form
from web.charts.burn import Month, burn_curve
from web.charts.position import position_bar
from web.listing import Listing, answer, limit_of, wanted
from web.money_nouns import FUNDS
from web.money_rights import FUNDER_ROLES, PLATFORM_ROLES, funds_in_total, readable_funds
from web.pages.record import split
from web.record import Scribe, columns, listed
from web.render import Words, page
from web.session import Somebody, Typed, Visit

router = APIRouter()
SHOWN = 100
"""Agreements on the page of a fund, the newest."""
PLACES = ("paid", "reserved", "committed", "free")
"""Parts of the bar, in the order in which money goes, from its end."""
_INVESTOR = ("investor", "kind", "committed_minor", "called_minor", "paid_in_minor", "uncalled_minor", "used_minor")
_PROJECT = (
    *("project", "agreement", "amount_minor", "paid_minor", "asked_minor", "reserved_minor", "left_minor"),
    *("next_tranche", "next_due_on"),
)
_KINDS = {"entry": "entry", "account": "account"}
_FUND = (
    "code",
    "name",
    "funder",
    "status",
    "paid_minor",
    "reserved_minor",
    "promised_minor",
    "free_minor",
    "cash_minor",
)
_LINE = ("seq", "at", "entry", "account", "amount_minor", "balance_minor", "about", "bank_ref")


@router.get("/funds")
@router.get("/funds.{form}")
def show_list(visit: Somebody, form: str = "") -> Response:
    """List the funds that one may read, each with its position; who coordinates sees the totals of their own part."""
    if not visit.roles & (FUNDER_ROLES | PLATFORM_ROLES):
        raise Forbidden(unmet("role", needs=sorted(FUNDER_ROLES), verb="read"))

    def work(session: Session) -> tuple[list[dict[str, Any]], Mapping[Any, Position], set[Any]]:
        rows = funds(session, reach=funds_in_total(visit))
        whole = {row["id"] for row in funds(session, reach=readable_funds(visit.rights))}
        return rows, positions(session, [row["id"] for row in rows]), whole

    rows, places, whole = visit.read(work)
    words = Words(visit.lang, visit.house.zone)
    bars = {row["id"]: _bar(places[row["id"]], words, row["currency"]) for row in rows}
    may_add = bool(visit.roles & {Role.SPONSOR, Role.ADMIN})
    moneys = [_in_figures(row, places[row["id"]]) for row in rows]
    listing = Listing(name="funds", columns=columns(_FUND), rows=moneys)
    values: dict[str, Any] = {"funds": rows, "places": places, "bars": bars, "whole": whole}
    return answer(visit, listing, wanted(form), "funds.html", **values, may_add=may_add)


def _in_figures(row: Mapping[str, Any], place: Position) -> dict[str, Any]:
    own = {name: getattr(place, name) for name in ("paid_minor", "reserved_minor", "free_minor", "cash_minor")}
    return {**row, **own, "fund": row["code"], "funder": row["organisation"], "promised_minor": place.committed_minor}


@router.get("/funds/new")
def new(visit: Somebody) -> Response:
    """Ask what a new fund is."""
    return show_form(visit, _asked(visit))


@router.post("/funds/new")
def add(visit: Somebody, form: Typed) -> Response:
    """Open the fund and lead to the receipt; else show the form again."""
    return take(visit, _asked(visit), form)


def _asked(visit: Visit) -> Ask:
    return ask(visit, ADD, back="/funds", crumb=Words(visit.lang, visit.house.zone).t("funds.title"))


@router.get("/funds/{code}")
def show(visit: Somebody, code: str) -> Response:
    """Show one fund: what is paid, promised and free, how it burns, who gave, what is due, what the bank says."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> dict[str, Any]:
        row = FUNDS.find(session, visit, code)
        place = positions(session, [row.id])[row.id]
        scribe = Scribe(words, row.currency, {"kind": "kind"})
        months = burn(session, row.id, visit.house.zone)
        found = {
            "fund": row,
            "place": place,
            "bar": _bar(place, words, row.currency),
            "places": [(name, int(getattr(place, f"{name}_minor"))) for name in PLACES],
            "months": months,
            "curve": _curve(months, words, row.currency),
            "investors": _investors(session, row, scribe, words),
            "per_page": SHOWN,
            "projects": _projects(session, visit, row, scribe, words),
            "ahead": upcoming(session, row.id, visit.today),
            "walls": walls(session, row.id),
            "bank": reconciliation(session, row.id),
            **holds_and_cases(session, row.id),
        }
        return {**found, **split(actions(session, visit, FUNDS, row))}

    return page(visit, "fund.html", **visit.read(work))


@router.get("/funds/{code}/ledger")
@router.get("/funds/{code}/ledger.{form}")
def show_ledger(visit: Somebody, code: str, form: str = "", account: str = "", after: int = 0) -> Response:
    """Show the lines of the ledger, of one account where it is chosen, each with the balance after it."""
    words, told = Words(visit.lang, visit.house.zone), wanted(form)
    kind = _account(account)

    def work(session: Session) -> dict[str, Any]:
        row = FUNDS.find(session, visit, code)
        lines = _lines(session, row.id, after, kind, limit_of(told))
        return {"fund": row, "lines": lines, "sums": balances(session, row.id)}

    found = visit.read(work)
    currency = found["fund"].currency
    scribe = Scribe(words, currency, _KINDS)
    lines = [
        {
            **line,
            "entry": line["kind"],
            "about": next(filter(None, (line[name] for name in _ABOUT)), ""),
            "currency": currency,
        }
        for line in found["lines"]
    ]
    listing = listed("ledger", _LINE, lines, form=told, key="seq", kinds=_KINDS)
    table = scribe.table(
        words.t("ledger.title"), listing.rows, _LINE, empty=words.t("ledger.empty"), links={"about": _leads_to}
    )
    return answer(
        visit,
        listing,
        told,
        "ledger.html",
        fund=found["fund"],
        table=table,
        account=str(kind or ""),
        accounts=[(str(one), *found["sums"].get(one, (0, 0))) for one in _OWN],
    )


def _lines(
    session: Session, fund_id: UUID, after: int, account: AccountKind | None, limit: int
) -> list[dict[str, Any]]:
    """Return so many lines, read in the portions that the ledger gives."""
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        begin = found[-1]["seq"] if found else after
        lines = ledger_lines(session, fund_id, after=begin, limit=min(limit - len(found), MOST_LINES), account=account)
        if not lines:
            break
        found += lines
    return found


@router.get("/funds/{code}/investors")
def show_investors(visit: Somebody, code: str) -> Response:
    """Show what each investor committed, was asked for and gave, and its part of what was paid: each for itself."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> dict[str, Any]:
        row = FUNDS.find(session, visit, code)
        scribe = Scribe(words, row.currency, {"kind": "kind"})
        rows = [{**one, "investor": one["organisation"]} for one in investor_statement(session, row.id)]
        calls = ("call_no", "amount_minor", "due_on", "corrects_no")
        given = ("received_on", "amount_minor", "bank_ref", "note")
        parts = [
            {
                "name": f"{one['organisation']} · {words.word('kind', one['kind'])}",
                "facts": scribe.facts(one, _INVESTOR[2:]),
                "calls": scribe.table(words.t("fund.calls"), one["calls"], calls, empty=words.t("fund.no_calls")),
                "given": scribe.table(
                    words.t("fund.given"), one["contributions"], given, empty=words.t("fund.nothing_given")
                ),
            }
            for one in rows
        ]
        return {"fund": row, "parts": parts}

    return page(visit, "investors.html", **visit.read(work))


_OWN = (AccountKind.AVAILABLE, AccountKind.RESERVED, AccountKind.PAID, AccountKind.FEE)
_ABOUT = ("payout", "recovery", "investor", "project")


def _leads_to(line: Mapping[str, Any]) -> str:
    if line["payout"]:
        return f"/payouts/{line['payout']}"
    if line["recovery"]:
        return f"/recoveries/{line['recovery']}"
    return ""


def _account(said: str) -> AccountKind | None:
    if not said:
        return None
    try:
        return AccountKind(said)
    except ValueError:
        raise Invalid(unmet("value_wrong", field="account", value=said, form=" | ".join(_OWN))) from None


def _bar(place: Position, words: Words, currency: str) -> Any:
    parts = [(name, int(getattr(place, f"{name}_minor"))) for name in PLACES]
    said = ", ".join(f"{words.t(f'fund.place.{name}')} {words.money(amount, currency)}" for name, amount in parts)
    return position_bar(parts, label=said)


def _curve(months: Sequence[Mapping[str, Any]], words: Words, currency: str) -> Any:
    points = [
        Month(
            name=row["month"],
            planned_minor=row["planned_minor"],
            paid_minor=row["paid_minor"] - row["returned_minor"],
            in_minor=row["paid_in_minor"] - row["paid_out_minor"],
        )
        for row in months
        if row["month"]
    ]
    names = {"planned": words.t("fund.planned"), "in": words.t("fund.came_in"), "paid": words.field("paid_minor")}
    label = words.t("fund.burn_label")
    return burn_curve(points, label=label, names=names, money=lambda minor: words.short_money(minor, currency))


def _investors(session: Session, row: Any, scribe: Scribe, words: Words) -> Any:
    rows = [{**one, "investor": one["organisation"]} for one in investor_statement(session, row.id)]
    return scribe.table(words.t("fund.investors"), rows, _INVESTOR, empty=words.t("fund.no_investors"))


def _projects(session: Session, visit: Visit, row: Any, scribe: Scribe, words: Words) -> Any:
    rows = [{**one, "agreement": one["number"]} for one in fund_projects(session, row.id, visit.today, limit=SHOWN)]
    links = {
        "project": lambda one: f"/projects/{one['project']}",
        "agreement": lambda one: f"/agreements/{one['agreement']}",
    }
    return scribe.table(words.t("fund.projects"), rows, _PROJECT, empty=words.t("fund.no_projects"), links=links)
