"""What was paid and what came back, summed from the postings; by agreement, in fixed statements."""

import functools
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session

from models.agreements import Agreement, Milestone, RecoveryOrder, RecoveryPart
from models.ledger import Account, Posting
from models.look import once_a_look
from models.payouts import Payout
from models.projects import Project
from models.reading import beside, one_of, rows_by, table_of
from models.statements import BankEvent, BankStatement, StatementLine
from models.states import AccountKind, FundStatus, MilestoneState, PayoutState, ProjectState


@once_a_look
def paid_by_agreement(session: Session, agreement_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return P of the fund rules: what was paid for each agreement, net of what the bank returned and of repayments.

    A debt that was set off discharges both: it counts as paid back under its own agreement, and as paid under that of
    the tranche it was set off against. Three statements.
    """
    paid, met, set_off = (_sums(session, statement, agreement_ids) for statement in _paid_met_and_set_off())
    for agreement, amount in met.items():
        paid[agreement] = paid.get(agreement, 0) - amount
    for agreement, amount in set_off.items():
        paid[agreement] = paid.get(agreement, 0) + amount
    return paid


@functools.cache
def _paid_met_and_set_off() -> tuple[Any, ...]:
    posting, account, payout = table_of(Posting), table_of(Account), table_of(Payout)
    paid = (
        select(payout.c.agreement_id, func.sum(posting.c.amount_minor))
        .join_from(payout, posting, posting.c.payout_id == payout.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .where(one_of(payout.c.agreement_id), beside(account.c.kind) == AccountKind.PAID)
        .group_by(payout.c.agreement_id)
    )
    order, part = table_of(RecoveryOrder), table_of(RecoveryPart)
    met = select(order.c.agreement_id, func.sum(order.c.repaid_minor + order.c.set_off_minor))
    against = part.c.against_agreement_id
    set_off = select(against, func.sum(part.c.amount_minor)).where(one_of(against)).group_by(against)
    return paid, met.where(one_of(order.c.agreement_id)).group_by(order.c.agreement_id), set_off


@once_a_look
def promised_by(session: Session, fund_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return what each fund has promised: awards of active agreements, and what closed ones paid. Three statements."""
    rows = session.connection().execute(_awards(), {"wanted": list(fund_ids)}).all()
    paid = paid_by_agreement(session, [row.id for row in rows if row.status == FundStatus.CLOSED])
    found: dict[UUID, int] = {}
    for row in rows:
        counted = row.amount_minor if row.status == FundStatus.ACTIVE else paid.get(row.id, 0)
        found[row.fund_id] = found.get(row.fund_id, 0) + counted
    return found


@functools.cache
def _awards() -> Any:
    agreement = table_of(Agreement)
    columns = (agreement.c.id, agreement.c.fund_id, agreement.c.status, agreement.c.amount_minor)
    return select(*columns).where(one_of(agreement.c.fund_id))


def paid_by_milestone(session: Session, agreement_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return tranche -> what was paid for it, net of returns, set-offs included. Two statements."""
    posting, account, payout, part = map(table_of, (Posting, Account, Payout, RecoveryPart))
    statement = (
        select(payout.c.milestone_id, func.sum(posting.c.amount_minor))
        .join_from(payout, posting, posting.c.payout_id == payout.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .where(one_of(payout.c.agreement_id), payout.c.milestone_id.is_not(None), account.c.kind == AccountKind.PAID)
        .group_by(payout.c.milestone_id)
    )
    found = _sums(session, statement, agreement_ids)
    set_off = select(part.c.milestone_id, func.sum(part.c.amount_minor)).where(
        one_of(part.c.against_agreement_id), part.c.milestone_id.is_not(None)
    )
    for milestone, amount in _sums(session, set_off.group_by(part.c.milestone_id), agreement_ids).items():
        found[milestone] = found.get(milestone, 0) + amount
    return found


def set_off_against(session: Session, milestone_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return tranche -> what was set off against it. One statement."""
    return _sums(session, _set_off(), milestone_ids)


@functools.cache
def _set_off() -> Any:
    part = table_of(RecoveryPart)
    statement = select(part.c.milestone_id, func.sum(part.c.amount_minor)).where(one_of(part.c.milestone_id))
    return statement.group_by(part.c.milestone_id)


def freed_by_settlement(session: Session, fund_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return what settled agreements that are not closed yet hold of each fund and owe to nobody: it came back.

    One statement where none is settled, ten else.
    """
    found: dict[UUID, int] = {}
    for row, freed in _freed(session, table_of(Agreement).c.fund_id.in_(list(fund_ids))):
        found[row.fund_id] = found.get(row.fund_id, 0) + freed
    return found


def freed_by_agreement(session: Session, agreement_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the same for each of these agreements that is settled and not closed yet."""
    found = _freed(session, table_of(Agreement).c.id.in_(list(agreement_ids)))
    return {row.id: freed for row, freed in found}


def _freed(session: Session, which: ColumnElement[bool]) -> list[tuple[Any, int]]:
    """Return (agreement, what it holds and owes to nobody).

    A settled agreement owes what its settlement pays: in its tranches while the project goes on, besides them else.
    """
    agreement, project = table_of(Agreement), table_of(Project)
    columns = [agreement.c[name] for name in ("id", "fund_id", "amount_minor", "settlement_minor")]
    statement = (
        select(*columns, project.c.stage)
        .join(project, project.c.id == agreement.c.project_id)
        .where(
            which,
            agreement.c.status == FundStatus.ACTIVE,
            agreement.c.settled_on.is_not(None),
        )
    )
    rows = session.connection().execute(statement).all()
    ids = [row.id for row in rows]
    if not ids:
        return []
    paid, reserved = paid_by_agreement(session, ids), reserved_by_agreement(session, ids)
    besides, in_tranches = _paid_besides(session, ids), _unpaid_in_tranches(session, ids)
    found: list[tuple[Any, int]] = []
    for row in rows:
        unpaid = row.settlement_minor - besides.get(row.id, 0)
        if row.stage not in (ProjectState.STOPPED, ProjectState.WITHDRAWN):
            unpaid += in_tranches.get(row.id, 0)
        held = row.amount_minor - paid.get(row.id, 0)
        found.append((row, max(0, held - max(unpaid, reserved.get(row.id, 0)))))
    return found


def _paid_besides(session: Session, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return agreement -> what was paid for no tranche of it, net of returns. One statement."""
    posting, account, payout = table_of(Posting), table_of(Account), table_of(Payout)
    statement = (
        select(payout.c.agreement_id, func.sum(posting.c.amount_minor))
        .join_from(payout, posting, posting.c.payout_id == payout.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .where(one_of(payout.c.agreement_id), payout.c.milestone_id.is_(None), account.c.kind == AccountKind.PAID)
    )
    return _sums(session, statement.group_by(payout.c.agreement_id), ids)


def _unpaid_in_tranches(session: Session, ids: Collection[UUID]) -> dict[UUID, int]:
    """Return agreement -> what its tranches still hold. Three statements."""
    paid, found = paid_by_milestone(session, ids), {}
    for agreement, plan in rows_by(session, Milestone, "agreement_id", ids).items():
        living = (row for row in plan if row.state != MilestoneState.WAIVED)
        found[agreement] = sum(row.amount_minor - paid.get(row.id, 0) for row in living)
    return found


@once_a_look
def reserved_by_agreement(session: Session, agreement_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return what is approved or on its way for each agreement: the money that is reserved. One statement."""
    return _sums(session, _reserved(), agreement_ids)


@functools.cache
def _reserved() -> Any:
    payout = table_of(Payout)
    statement = select(payout.c.agreement_id, func.sum(payout.c.amount_minor)).where(
        one_of(payout.c.agreement_id), payout.c.state.in_((PayoutState.APPROVED, PayoutState.INSTRUCTED))
    )
    return statement.group_by(payout.c.agreement_id)


@once_a_look
def suspense_by_fund(session: Session, fund_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return each fund's part of suspense, which all funds of a currency share. One statement.

    A line of it belongs to the fund whose own account the same entry moves, else to that of its payout, else to that of
    the statement which it came by.
    """
    return _sums(session, _suspense(), fund_ids)


@functools.cache
def _suspense() -> Any:
    posting, account, payout = table_of(Posting), table_of(Account), table_of(Payout)
    event, line, statement_of = table_of(BankEvent), table_of(StatementLine), table_of(BankStatement)
    beside, owned = posting.alias("beside"), account.alias("owned")
    of_entry = (
        select(owned.c.fund_id)
        .join_from(beside, owned, owned.c.id == beside.c.account_id)
        .where(beside.c.entry_id == posting.c.entry_id, owned.c.fund_id.is_not(None))
        .limit(1)
        .scalar_subquery()
    )
    owner = func.coalesce(of_entry, payout.c.fund_id, statement_of.c.fund_id).label("owner")
    owners = (
        select(owner, posting.c.amount_minor)
        .outerjoin_from(posting, payout, payout.c.id == posting.c.payout_id)
        .outerjoin(event, event.c.seq == posting.c.bank_event_seq)
        .outerjoin(line, line.c.id == event.c.statement_line_id)
        .outerjoin(statement_of, statement_of.c.id == line.c.statement_id)
        .where(posting.c.account_id.in_(select(account.c.id).where(account.c.kind == AccountKind.SUSPENSE)))
        .subquery()
    )
    summed = select(owners.c.owner, func.sum(owners.c.amount_minor)).where(one_of(owners.c.owner))
    return summed.group_by(owners.c.owner)


def moved_after(session: Session, fund_ids: Collection[UUID], on: date) -> dict[UUID, dict[date, int]]:
    """Return fund -> day after this one -> what bookings of that day changed of the money at the bank. One statement.

    Notices of a day arrive before the statement of the day before it.
    """
    posting, account, event = table_of(Posting), table_of(Account), table_of(BankEvent)
    line, statement_of = table_of(StatementLine), table_of(BankStatement)
    statement = (
        select(statement_of.c.fund_id, line.c.booked_on, func.sum(posting.c.amount_minor))
        .join_from(statement_of, line, line.c.statement_id == statement_of.c.id)
        .join(event, event.c.statement_line_id == line.c.id)
        .join(posting, posting.c.bank_event_seq == event.c.seq)
        .join(account, account.c.id == posting.c.account_id)
        .where(
            statement_of.c.fund_id.in_(list(fund_ids)),
            or_(statement_of.c.booked_until_on.is_(None), statement_of.c.booked_until_on > on),
            line.c.booked_on > on,
            account.c.kind.in_(_AT_THE_BANK),
        )
        .group_by(statement_of.c.fund_id, line.c.booked_on)
    )
    found: dict[UUID, dict[date, int]] = {}
    for fund, day, amount in session.connection().execute(statement):
        found.setdefault(fund, {})[day] = int(amount)
    return found


_AT_THE_BANK = (AccountKind.AVAILABLE, AccountKind.RESERVED, AccountKind.SUSPENSE)


def _sums(session: Session, statement: Any, ids: Collection[UUID]) -> dict[UUID, int]:
    return {row[0]: int(row[1]) for row in session.connection().execute(statement, {"wanted": list(ids)})}
