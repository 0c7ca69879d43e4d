"""Funds, agreements, tranches and cost statements as people read them, and how their parts are typed in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from cli.output import Column
from lifecycle.agreements import queries as agreements
from lifecycle.agreements.terms import PlannedTranche, TrancheChange
from lifecycle.errors import Invalid, unmet
from lifecycle.funds import queries as funds
from lifecycle.funds.commands import Tier
from lifecycle.milestones import queries as milestones
from models.db import reading
from models.money import MAX_MINOR, Money
from models.states import MilestoneState
from notifications.words import title

Reader = Callable[[str], int]
"""From a typed amount to minor units."""


def with_money(rows: Iterable[Mapping[str, Any]], currency: str | None = None) -> list[dict[str, Any]]:
    """Return the rows with every `…_minor` as people read it beside it; in the row's own currency, else the given."""
    return [{**row, **_read(row, str(row.get("currency") or currency or "CNY"))} for row in rows]


def _read(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    return {
        name.removesuffix("_minor"): Money(value, currency).display
        for name, value in row.items()
        if name.endswith("_minor") and isinstance(value, int)
    }


_FUND = ("code", "name", "organisation", "commitment", "committed", "reserved", "paid", "free", "status", "is_on_hold")
_POSITION = (
    *("approved", "in_transit", "repaid", "returned", "fee", "subscribed", "called", "paid_in", "unnamed"),
    *("available", "suspense", "cash"),
)


def list_funds(door: Any) -> None:
    """Show every fund with its position."""
    with reading(door.engine) as session:
        rows = funds.funds(session)
        places = funds.positions(session, [row["id"] for row in rows])
    shown = [{**row, **_position(places[row["id"]])} for row in rows]
    door.output.table(columns(_FUND), with_money(shown))


def _position(position: funds.Position) -> dict[str, int]:
    names = (*_FUND[3:8], *_POSITION)
    return {f"{name}_minor": getattr(position, f"{name}_minor") for name in names}


def show_fund(door: Any, ref: str) -> None:
    """Show one fund: its position, and each investor."""
    with reading(door.engine) as session:
        fund_id = door.lookup(session).fund(ref)
        row = next(one for one in funds.funds(session) if one["id"] == fund_id)
        position = funds.positions(session, [fund_id])[fund_id]
        investors = funds.investor_statement(session, fund_id)
    (shown,) = with_money([{**row, **_position(position)}])
    shown["investors"] = with_money(investors)
    door.output.record(columns((*_FUND, *_POSITION)), shown)
    if not door.output.as_json:
        _investors(door, shown["investors"])


_INVESTOR = ("organisation", "kind", "subscribed", "called", "paid_in", "uncalled", "used")


_CALL = ("call_no", "organisation", "amount", "due_on", "corrects_no")


def _investors(door: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    door.output.table(columns(_INVESTOR), [{**row, "subscribed": row["committed"]} for row in rows])


def show_investors(door: Any, ref: str) -> None:
    """Show what each investor committed, was asked for, paid in, and its part of what was paid."""
    with reading(door.engine) as session:
        rows = funds.investor_statement(session, door.lookup(session).fund(ref))
    _investors(door, with_money(rows))
    calls = [
        {**call, "organisation": row["organisation"], "currency": row["currency"]}
        for row in rows
        for call in row["calls"]
    ]
    if calls and not (door.output.as_json or door.output.fields):
        door.output.table(columns(_CALL), with_money(sorted(calls, key=lambda call: call["call_no"])))


_LINE = (
    *("seq", "at", "kind", "account", "amount", "balance", "investor", "project", "payout", "recovery", "bank_ref"),
    "entry_id",
)


def show_ledger(door: Any, ref: str, after: int, limit: int) -> None:
    """Show a page of the ledger's lines, each with the balance of its account after it."""
    with reading(door.engine) as session:
        rows = funds.ledger_lines(session, door.lookup(session).fund(ref), after=after, limit=limit)
    door.output.table(columns(_LINE, kind="entry", account="account"), with_money(rows))


def show_burn(door: Any, ref: str) -> None:
    """Show what was planned, came in and was paid, month by month."""
    with reading(door.engine) as session:
        lookup = door.lookup(session)
        fund_id = lookup.fund(ref)
        rows = funds.burn(session, fund_id, ZoneInfo(door.settings.timezone))
        currency = lookup.currency_of({"fund_id": fund_id})
    if not door.output.as_json:
        rows = [{**row, "month": row["month"] or title("burn", "undated", door.output.lang)} for row in rows]
    shown = ("month", "planned", "paid_in", "paid_out", "paid", "returned")
    door.output.table(columns(shown), with_money(rows, currency))


_AGREEMENT = ("number", "project", "organisation", "fund", "amount", "paid", "reserved", "standing", "signed_on")
_TERMS = (
    "signed_by_sme",
    "signed_by_funder",
    "own_money",
    "rate",
    "supplement_no",
    "starts_on",
    "ends_on",
    "audit_accepted_on",
)
_TRANCHE = ("agreement", "tranche", "amount", "paid", "state", "gate", "criteria", "due_on")


def list_agreements(door: Any, fund: str, project: str) -> None:
    """Show agreements, of one fund or project where it is named."""
    with reading(door.engine) as session:
        lookup = door.lookup(session)
        fund_id = lookup.fund(fund) if fund else None
        project_id = lookup.project(project) if project else None
        rows = agreements.agreements(session, fund_id=fund_id, project_id=project_id)
    door.output.table(columns(_AGREEMENT), with_money(rows))


def show_agreement(door: Any, ref: str) -> None:
    """Show one agreement and its tranches."""
    with reading(door.engine) as session:
        row = agreements.agreement(session, door.lookup(session).agreement(ref))
    (shown,) = with_money([row])
    shown["rate"] = f"{row['rate_basis_points'] / 100:g}%"
    shown["tranches"], shown["costs"] = with_money(row["tranches"]), with_money(row["costs"])
    door.output.record(columns((*_AGREEMENT, *_TERMS)), shown)
    if not door.output.as_json:
        door.output.table(columns(_TRANCHE[1:]), shown["tranches"])


def list_milestones(door: Any, agreement: str, state: str) -> None:
    """Show tranches, of one agreement or in one state where it is named."""
    with reading(door.engine) as session:
        of = door.lookup(session).agreement(agreement) if agreement else None
        rows = milestones.milestones(session, agreement_id=of, state=_state(state))
    door.output.table(columns(_TRANCHE), with_money(rows))


def _state(text: str) -> MilestoneState | None:
    try:
        return MilestoneState(text) if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field="state", value=text, form=" | ".join(MilestoneState))) from None


def show_milestone(door: Any, ref: str) -> None:
    """Show one tranche with its report."""
    with reading(door.engine) as session:
        row = milestones.milestone(session, door.lookup(session).milestone(ref))
    (shown,) = with_money([row])
    door.output.record(columns((*_TRANCHE, "needs", "submitted_by", "decided_by", "reason")), shown)


_COST = (
    "agreement",
    "statement_no",
    "from_on",
    "until_on",
    "claimed",
    "own_money",
    "accepted",
    "accepted_own",
    "is_final",
)


def list_costs(door: Any, agreement: str) -> None:
    """Show cost statements."""
    with reading(door.engine) as session:
        of = door.lookup(session).agreement(agreement) if agreement else None
        rows = agreements.costs(session, agreement_id=of)
    door.output.table(columns(_COST), with_money(rows))


def show_cost(door: Any, ref: str) -> None:
    """Show one cost statement."""
    with reading(door.engine) as session:
        row = agreements.cost(session, door.lookup(session).cost(ref))
    door.output.record(columns((*_COST, "submitted_by", "verified_by", "reason")), with_money([row])[0])


_KINDS = {
    "stage": "state",
    "state": "state",
    "status": "state",
    "standing": "standing",
    "kind": "kind",
    "needs": "need",
}
_WIDE = frozenset({"name", "organisation", "investor", "criteria", "needs", "reason"})


def columns(keys: Sequence[str], **kinds: str) -> tuple[Column, ...]:
    """Return the columns of these keys; what kind of word a column holds can be said otherwise than usual."""
    of = {**_KINDS, **kinds}
    return tuple(Column(key=key, kind=of.get(key), is_wide=key in _WIDE) for key in keys)


def planned_tranches(given: Sequence[str]) -> tuple[PlannedTranche, ...]:
    """Read `CODE:SHARE:G2[:DAY]` or `CODE:SHARE:G3.1+G3.2[:DAY]`; the share is in basis points."""
    found = []
    for text in given:
        code, share, tied, *day = text.split(":")
        found.append(
            PlannedTranche(
                code=code,
                share_basis_points=int(share),
                due_on=date.fromisoformat(day[0]) if day else None,
                **_tied(tied),
            )
        )
    return tuple(found)


def _tied(text: str) -> dict[str, Any]:
    return {"criteria": tuple(text.split("+"))} if "." in text else {"gate": text or None}


def changed_tranches(given: Sequence[str], read: Reader) -> tuple[TrancheChange, ...]:
    """Read `CODE:AMOUNT[:G3 or G3.1+G3.2][:DAY]`; an empty place leaves what is there."""
    found = []
    for text in given:
        code, amount, tied, day = [*text.split(":"), "", "", ""][:4]
        found.append(
            TrancheChange(
                code=code,
                amount_minor=read(amount) if amount else None,
                due_on=_day(day),
                **_tied(tied),
            )
        )
    return tuple(found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field="tranche", value=text, form="YYYY-MM-DD")) from None


def tiers(given: Sequence[str], read: Reader) -> tuple[Tier, ...]:
    """Read `AMOUNT:APPROVERS[:director][:minute]`; `max` stands for the largest amount there is."""
    found = []
    for text in given:
        edge, needed, *more = text.split(":")
        if not needed.isdecimal() or not set(more) <= {"director", "minute"}:
            raise Invalid(unmet("value_wrong", field="tier", value=text, form="AMOUNT:N[:director][:minute]"))
        found.append(
            Tier(
                up_to_minor=MAX_MINOR if edge == "max" else read(edge),
                approvers_needed=int(needed),
                is_director_needed="director" in more,
                is_minute_needed="minute" in more,
            )
        )
    return tuple(found)
