"""Funds for lists and pages: what is promised, paid and free; who paid in; the lines of the ledger; burn by month."""

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlmodel import Session

from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.sums import freed_by_settlement, suspense_by_fund
from models.agreements import Agreement, Milestone, RecoveryOrder, RecoveryPart
from models.funds import CapitalCall, Contribution, Fund, FundSource
from models.holds import Hold
from models.ledger import Account, Posting
from models.look import once_a_look
from models.money import Money
from models.payouts import Payout
from models.people import Organisation
from models.projects import Project
from models.reading import one_of, rows_by, table_of
from models.statements import BankEvent
from models.states import AccountKind, FundStatus, MilestoneState, PayoutState, PostingKind, RecoveryPartKind

MOST_LINES = 200
"""Lines of one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the money of a fund stands, in minor units: paid + reserved + committed + free = commitment."""

    commitment_minor: int
    committed_minor: int
    """What active agreements still owe, beyond what is reserved; what was paid back under a settled one is not owed."""
    approved_minor: int
    in_transit_minor: int
    paid_minor: int
    """Net of what the bank returned and of what firms repaid."""
    repaid_minor: int
    """What firms paid back: with it, what is paid is the balance of the ledger's paid account."""
    free_minor: int
    """Neither paid nor owed to anybody. It can be promised; of what firms paid back once their agreement is closed."""
    returned_minor: int
    """What the bank sent back, in all."""
    fee_minor: int
    subscribed_minor: int
    called_minor: int
    paid_in_minor: int
    """By investors."""
    unnamed_minor: int
    """Paid in without an investor: the fund's own money."""
    available_minor: int
    suspense_minor: int
    """The fund's part of what nobody could explain yet."""

    @property
    def reserved_minor(self) -> int:
        """Approved or on its way."""
        return self.approved_minor + self.in_transit_minor

    @property
    def cash_minor(self) -> int:
        """What the bank's balance shall be: what came in, less what is paid and fees, and what nobody could explain."""
        return self.available_minor + self.reserved_minor + self.suspense_minor


@once_a_look
def positions(session: Session, fund_ids: Collection[UUID]) -> Mapping[UUID, Position]:
    """Return the position of each of these funds, in a fixed number of statements."""
    ids = list(fund_ids)
    funds = rows_by(session, Fund, "id", ids)
    accounts = accounts_of(session, ids)
    awards = _award_sums(session, ids)
    paid, repaid, waiting = _paid(session, ids), _repaid(session, ids), _waiting(session, ids)
    freed = freed_by_settlement(session, ids)
    returned, suspense, sources = _returned(session, ids), suspense_by_fund(session, ids), _source_sums(session, ids)
    unnamed = _unnamed(session, ids)
    found = {}
    for fund_id in funds:
        held = {kind: int(row.balance_minor) for kind, row in accounts[fund_id].items()}
        net = {
            is_active: paid.get((fund_id, is_active), 0) - repaid.get((fund_id, is_active), 0)
            for is_active in (True, False)
        }
        reserved_active = sum(waiting.get((fund_id, state, True), 0) for state in _RESERVED)
        states = {
            state: sum(waiting.get((fund_id, state, active), 0) for active in (True, False)) for state in _RESERVED
        }
        committed = awards.get(fund_id, 0) - net[True] - reserved_active - freed.get(fund_id, 0)
        commitment = int(funds[fund_id][0].commitment_minor)
        found[fund_id] = Position(
            commitment_minor=commitment,
            committed_minor=committed,
            approved_minor=states[PayoutState.APPROVED],
            in_transit_minor=states[PayoutState.INSTRUCTED],
            paid_minor=net[True] + net[False],
            repaid_minor=sum(repaid.get((fund_id, is_active), 0) for is_active in (True, False)),
            free_minor=commitment - committed - net[True] - net[False] - sum(states.values()),
            returned_minor=returned.get(fund_id, 0),
            fee_minor=held[AccountKind.FEE],
            subscribed_minor=sources.get(fund_id, (0, 0, 0))[0],
            called_minor=sources.get(fund_id, (0, 0, 0))[1],
            paid_in_minor=sources.get(fund_id, (0, 0, 0))[2],
            unnamed_minor=unnamed.get(fund_id, 0),
            available_minor=held[AccountKind.AVAILABLE],
            suspense_minor=suspense.get(fund_id, 0),
        )
    return found


_RESERVED = (PayoutState.APPROVED, PayoutState.INSTRUCTED)


def _award_sums(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    return {row[0]: int(row[1]) for row in session.execute(_statements()["awards"], {"wanted": ids})}


def _paid(session: Session, ids: list[UUID]) -> dict[tuple[UUID, bool], int]:
    rows = session.execute(_statements()["paid"], {"wanted": ids})
    return {(row[0], row[1] == FundStatus.ACTIVE): int(row[2]) for row in rows}


def _repaid(session: Session, ids: list[UUID]) -> dict[tuple[UUID, bool], int]:
    """Return (fund, is the agreement active) -> what came back under recovery orders, less what was set off there."""
    met, against = (session.execute(_statements()[name], {"wanted": ids}) for name in ("met", "set_off"))
    found: dict[tuple[UUID, bool], int] = {}
    for row in (*met, *against):
        key = row[0], row[1] == FundStatus.ACTIVE
        found[key] = found.get(key, 0) + int(row[2])
    return found


def _waiting(session: Session, ids: list[UUID]) -> dict[tuple[UUID, PayoutState, bool], int]:
    rows = session.execute(_statements()["waiting"], {"wanted": ids})
    return {(row[0], PayoutState(row[1]), row[2] == FundStatus.ACTIVE): int(row[3]) for row in rows}


def _returned(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    return {row[0]: int(row[1]) for row in session.execute(_statements()["returned"], {"wanted": ids})}


def _source_sums(session: Session, ids: list[UUID]) -> dict[UUID, tuple[int, int, int]]:
    rows = session.execute(_statements()["sources"], {"wanted": ids})
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}


def _unnamed(session: Session, ids: list[UUID]) -> dict[UUID, int]:
    return {row[0]: int(row[1]) for row in session.execute(_statements()["unnamed"], {"wanted": ids})}


@functools.cache
def _statements() -> Mapping[str, Any]:
    """Return the statements of a position, each of the `wanted` funds."""
    posting, account, payout, agreement = map(table_of, (Posting, Account, Payout, Agreement))
    order, part, source, paid_in = map(table_of, (RecoveryOrder, RecoveryPart, FundSource, Contribution))
    of_paid = posting.join(account, account.c.id == posting.c.account_id)
    is_paid = (one_of(account.c.fund_id), account.c.kind == AccountKind.PAID)
    return {
        "awards": select(agreement.c.fund_id, func.sum(agreement.c.amount_minor))
        .where(one_of(agreement.c.fund_id), agreement.c.status == FundStatus.ACTIVE)
        .group_by(agreement.c.fund_id),
        "paid": select(account.c.fund_id, agreement.c.status, func.sum(posting.c.amount_minor))
        .select_from(of_paid)
        .join(payout, payout.c.id == posting.c.payout_id)
        .join(agreement, agreement.c.id == payout.c.agreement_id)
        .where(*is_paid)
        .group_by(account.c.fund_id, agreement.c.status),
        "met": select(order.c.fund_id, agreement.c.status, func.sum(order.c.repaid_minor + order.c.set_off_minor))
        .join(agreement, agreement.c.id == order.c.agreement_id)
        .where(one_of(order.c.fund_id))
        .group_by(order.c.fund_id, agreement.c.status),
        "set_off": select(agreement.c.fund_id, agreement.c.status, func.sum(-part.c.amount_minor))
        .join(agreement, agreement.c.id == part.c.against_agreement_id)
        .where(one_of(agreement.c.fund_id))
        .group_by(agreement.c.fund_id, agreement.c.status),
        "waiting": select(payout.c.fund_id, payout.c.state, agreement.c.status, func.sum(payout.c.amount_minor))
        .join(agreement, agreement.c.id == payout.c.agreement_id)
        .where(one_of(payout.c.fund_id), payout.c.state.in_(_RESERVED))
        .group_by(payout.c.fund_id, payout.c.state, agreement.c.status),
        "returned": select(account.c.fund_id, -func.sum(posting.c.amount_minor))
        .select_from(of_paid)
        .where(*is_paid, posting.c.kind == PostingKind.RETURN)
        .group_by(account.c.fund_id),
        "sources": select(
            source.c.fund_id,
            *(func.sum(source.c[name]) for name in ("committed_minor", "called_minor", "paid_in_minor")),
        )
        .where(one_of(source.c.fund_id))
        .group_by(source.c.fund_id),
        "unnamed": select(paid_in.c.fund_id, func.sum(paid_in.c.amount_minor))
        .where(one_of(paid_in.c.fund_id), paid_in.c.source_id.is_(None))
        .group_by(paid_in.c.fund_id),
    }


def funds(session: Session, *, reach: Any = None) -> list[dict[str, Any]]:
    """Return every fund with its owner, by code; `reach` is a condition on `fund`: what the reader may see."""
    fund, owner, hold = table_of(Fund), table_of(Organisation), table_of(Hold)
    held = select(hold.c.id).where(hold.c.object_id == fund.c.id, hold.c.lifted_at.is_(None)).exists()
    columns = [fund.c[name] for name in ("id", "code", "name", "currency", "commitment_minor", "status", "version")]
    statement = (
        select(*columns, owner.c.name.label("organisation"), held.label("is_on_hold"))
        .join(owner, owner.c.id == fund.c.organisation_id)
        .order_by(fund.c.code)
    )
    if reach is not None:
        statement = statement.where(reach)
    return [{**row._mapping, "is_on_hold": bool(row.is_on_hold)} for row in session.execute(statement)]  # noqa: SLF001


def investor_statement(session: Session, fund_id: UUID) -> list[dict[str, Any]]:
    """Return every investor's commitment with its calls and contributions, and its part of what was paid.

    What was paid is shared out in proportion to what each has paid in; the fund's opening money bears no part of it.
    """
    position = positions(session, [fund_id])[fund_id]
    fund, source, owner = table_of(Fund), table_of(FundSource), table_of(Organisation)
    columns = [source.c[name] for name in ("id", "kind", "committed_minor", "called_minor", "paid_in_minor")]
    statement = (
        select(*columns, owner.c.name.label("organisation"), fund.c.currency)
        .join_from(source, owner, owner.c.id == source.c.organisation_id)
        .join(fund, fund.c.id == source.c.fund_id)
        .where(source.c.fund_id == fund_id)
        .order_by(source.c.id)
    )
    found = _plain(session.execute(statement))
    weights = [row["paid_in_minor"] for row in found]
    used = max(0, min(position.paid_minor, sum(weights)))
    parts = Money(used, found[0]["currency"]).split(weights) if sum(weights) else ()
    calls, paid = (
        _of_sources(session, CapitalCall, fund_id, "call_no"),
        _of_sources(session, Contribution, fund_id, "at"),
    )
    for place, row in enumerate(found):
        row["uncalled_minor"] = row["committed_minor"] - row["called_minor"]
        row["used_minor"] = parts[place].minor if parts else 0
        row["calls"] = calls.get(row["id"], [])
        row["contributions"] = paid.get(row["id"], [])
    return found


_SHOWN = {
    CapitalCall: ("source_id", "call_no", "corrects_no", "amount_minor", "due_on"),
    Contribution: ("source_id", "amount_minor", "received_on", "bank_ref", "note"),
}


def _of_sources(session: Session, model: Any, fund_id: UUID, order: str) -> dict[UUID, list[dict[str, Any]]]:
    table = table_of(model)
    columns = (table.c[name] for name in _SHOWN[model])
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in _plain(session.execute(select(*columns).where(table.c.fund_id == fund_id).order_by(table.c[order]))):
        found.setdefault(row.pop("source_id"), []).append(row)
    return found


def ledger_lines(
    session: Session, fund_id: UUID, *, after: int = 0, limit: int = MOST_LINES, account: AccountKind | None = None
) -> list[dict[str, Any]]:
    """Return the postings of a fund's own accounts, or of one, with a number above `after`, in order: one page.

    Each says what it is about (investor, project, payout or recovery order), the bank's reference where one is known,
    and the balance of its account after it.
    """
    posting, of, payout, event = map(table_of, (Posting, Account, Payout, BankEvent))
    paid_in, source, investor = map(table_of, (Contribution, FundSource, Organisation))
    part, order, project = map(table_of, (RecoveryPart, RecoveryOrder, Project))
    columns = [posting.c[name] for name in ("seq", "at", "kind", "amount_minor", "currency", "entry_id")]
    about = [
        investor.c.name.label("investor"),
        project.c.number.label("project"),
        payout.c.number.label("payout"),
        order.c.number.label("recovery"),
        func.coalesce(paid_in.c.bank_ref, part.c.bank_ref, event.c.bank_ref).label("bank_ref"),
    ]
    statement = (
        select(*columns, of.c.kind.label("account"), *about)
        .join_from(posting, of, of.c.id == posting.c.account_id)
        .outerjoin(payout, payout.c.id == posting.c.payout_id)
        .outerjoin(paid_in, paid_in.c.entry_id == posting.c.entry_id)
        .outerjoin(source, source.c.id == paid_in.c.source_id)
        .outerjoin(investor, investor.c.id == source.c.organisation_id)
        .outerjoin(part, (part.c.entry_id == posting.c.entry_id) & (part.c.kind == RecoveryPartKind.REPAID))
        .outerjoin(order, order.c.id == part.c.recovery_id)
        .outerjoin(project, project.c.id == func.coalesce(payout.c.project_id, order.c.project_id))
        .outerjoin(event, event.c.seq == posting.c.bank_event_seq)
        .where(of.c.fund_id == fund_id, posting.c.seq > after)
        .order_by(posting.c.seq)
        .limit(min(limit, MOST_LINES))
    )
    if account is not None:
        statement = statement.where(of.c.kind == account)
    balances = _balances(session, fund_id, after)
    lines = _plain(session.execute(statement))
    for line in lines:
        balances[line["account"]] = line["balance_minor"] = balances.get(line["account"], 0) + line["amount_minor"]
    return lines


def balances(session: Session, fund_id: UUID) -> dict[AccountKind, tuple[int, int]]:
    """Return per account of a fund how many lines there are, and what they sum to."""
    posting, account = table_of(Posting), table_of(Account)
    statement = (
        select(account.c.kind, func.count(), func.sum(posting.c.amount_minor))
        .join_from(posting, account, account.c.id == posting.c.account_id)
        .where(account.c.fund_id == fund_id)
    )
    found = session.execute(statement.group_by(account.c.kind))
    return {AccountKind(row[0]): (int(row[1]), int(row[2])) for row in found}


def _balances(session: Session, fund_id: UUID, until: int) -> dict[AccountKind, int]:
    """Return what the accounts of a fund held after the posting of this number."""
    posting, account = table_of(Posting), table_of(Account)
    statement = (
        select(account.c.kind, func.sum(posting.c.amount_minor))
        .join_from(posting, account, account.c.id == posting.c.account_id)
        .where(account.c.fund_id == fund_id, posting.c.seq <= until)
    )
    return {row[0]: int(row[1]) for row in session.execute(statement.group_by(account.c.kind))}


def burn(session: Session, fund_id: UUID, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return per month what was planned, came in, was paid and came back, in minor units, without empty months.

    The database sums by hour; the months are those of the place. A tranche waits for its gate: what the plan gives no
    day stands in a last row without a month, so that the plan sums to the awards.
    """
    months: dict[str, dict[str, int]] = {}
    for row in session.execute(_BY_HOUR, {"fund": str(fund_id)}):
        month = f"{datetime.fromisoformat(f'{row.hour}:00:00+00:00').astimezone(zone):%Y-%m}"
        _add(months, month, _COUNTED[row.kind], abs(int(row.amount)))
    milestone = table_of(Milestone)
    planned = select(milestone.c.due_on, func.sum(milestone.c.amount_minor)).where(
        milestone.c.fund_id == fund_id, milestone.c.state != MilestoneState.WAIVED
    )
    for day, amount in session.execute(planned.group_by(milestone.c.due_on)):
        _add(months, f"{day:%Y-%m}" if day else _UNDATED, "planned_minor", int(amount))
    empty = dict.fromkeys(("planned_minor", *_COUNTED.values()), 0)
    return [{"month": month if month != _UNDATED else None, **empty, **months[month]} for month in sorted(months)]


_UNDATED = "~"
"""Behind every month."""


_COUNTED = {"post": "paid_minor", "return": "returned_minor", "fund_in": "paid_in_minor", "fund_out": "paid_out_minor"}
_BY_HOUR = text(
    "SELECT substr(p.at, 1, 13) AS hour, p.kind AS kind, SUM(p.amount_minor) AS amount"
    " FROM v_posting p JOIN v_account a ON a.id = p.account_id WHERE a.fund_id = :fund"
    " AND ((a.kind = 'paid' AND p.kind IN ('post', 'return'))"
    " OR (a.kind = 'available' AND p.kind IN ('fund_in', 'fund_out')))"
    " GROUP BY substr(p.at, 1, 13), p.kind"
)


def _add(months: dict[str, dict[str, int]], month: str, name: str, amount: int) -> None:
    sums = months.setdefault(month, {})
    sums[name] = sums.get(name, 0) + amount


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping
