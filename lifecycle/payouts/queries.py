"""Payouts, accounts of payees, payment batches and statements, for lists and pages. No account number leaves here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.ledger.accounts import accounts_of
from lifecycle.payouts.payees import changed_on
from lifecycle.payouts.promises import promise_row
from lifecycle.payouts.terms import WAITING
from models.agreements import Agreement, Milestone
from models.funds import Fund
from models.holds import ExceptionCase
from models.payouts import Approval, PayeeAccount, PaymentBatch, PaymentInstruction, Payout
from models.people import Organisation, User
from models.projects import Project
from models.reading import beside, rows_by, table_of
from models.statements import BankEvent, BankStatement, StatementLine
from models.states import AccountKind, LineStatus, PayeeStatus, PaymentBatchState, PayoutState

_PAYOUT = (
    *("id", "number", "purpose", "amount_minor", "currency", "state", "revision", "version", "payload_hash"),
    *(
        "approvals_needed",
        "is_director_needed",
        "is_minute_needed",
        "attempt",
        "complete_on",
        "pay_by_on",
        "paid_on",
        "reason",
        "created_at",
    ),
)
_ACCOUNT = ("id", "holder_name", "bank_code", "bank_name", "status", "warnings", "usable_on", "payee_hash", "at")
_BATCH = (
    *("id", "number", "msg_id", "state", "format", "instruction_count", "total_minor", "currency", "execution_on"),
    *("file_name", "file_sha256", "fence", "version", "created_at", "sent_at", "answer_due_at"),
)
_INSTRUCTION = (
    "id",
    "attempt",
    "end_to_end_id",
    "amount_minor",
    "currency",
    "holder_name",
    "status",
    "why",
    "created_at",
)
_STATEMENT = (
    *("id", "source", "statement_ref", "sequence_no", "opening_minor", "closing_minor", "currency", "booked_from_on"),
    *("booked_until_on", "file_name", "file_sha256", "status", "refusal", "at"),
)
_LINE = (*("id", "line_ref", "amount_minor", "currency", "booked_on", "bank_ref", "counterparty", "details", "status"),)
_SHOWN_DIGITS = 4


def last_digits(account_number: str) -> str:
    """Return what may be shown of an account number."""
    return account_number[-_SHOWN_DIGITS:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which payouts are asked for; all where nothing is said."""

    state: PayoutState | None = None
    fund_id: UUID | None = None
    project_id: UUID | None = None
    id: UUID | None = None
    due_until: date | None = None
    """Still awaited by their firm, and promised up to this day (F21)."""
    reach: Any = None
    """Condition on `payout`: what the reader may see."""
    states: tuple[PayoutState, ...] = ()
    ids: Collection[UUID] = ()
    text: str = ""
    """Part of a number, a project or a firm."""
    fund: str = ""
    """Code of the fund."""
    after: str = ""
    """Number of the last one of the page before."""
    limit: int | None = None
    is_newest_first: bool = False


_ALL = Which()


def payouts(session: Session, *, today: date, calendar: Calendar, which: Which = _ALL) -> list[dict[str, Any]]:
    """Return payouts with what and whom they are for and how their promise stands (F21), by number."""
    payout, fund, project, agreement = map(table_of, (Payout, Fund, Project, Agreement))
    milestone, firm, account = map(table_of, (Milestone, Organisation, PayeeAccount))
    statement = (
        select(
            *(payout.c[name] for name in _PAYOUT),
            project.c.number.label("project"),
            project.c.name.label("project_name"),
            firm.c.name.label("organisation"),
            fund.c.code.label("fund"),
            fund.c.name.label("fund_name"),
            agreement.c.number.label("agreement"),
            milestone.c.tranche,
            account.c.holder_name.label("payee"),
            account.c.bank_name,
            account.c.account_number,
        )
        .join_from(payout, project, project.c.id == payout.c.project_id)
        .outerjoin(firm, firm.c.id == project.c.organisation_id)
        .join(fund, fund.c.id == payout.c.fund_id)
        .join(agreement, agreement.c.id == payout.c.agreement_id)
        .outerjoin(milestone, milestone.c.id == payout.c.milestone_id)
        .join(account, account.c.id == payout.c.payee_account_id)
        .order_by(payout.c.number.desc() if which.is_newest_first else payout.c.number)
        .limit(which.limit)
    )
    if which.after:
        seen = payout.c.number < which.after if which.is_newest_first else payout.c.number > which.after
        statement = statement.where(seen)
    rows = [_masked(row) for row in session.execute(statement.where(*conditions(which)))]
    return [{**row, **promise_row(row, today, calendar)} for row in rows]


def ids_of(which: Which) -> Select[Any]:
    """Return the statement that selects the ids of the payouts asked for."""
    payout, fund, project, firm = map(table_of, (Payout, Fund, Project, Organisation))
    return (
        select(payout.c.id)
        .join_from(payout, project, project.c.id == payout.c.project_id)
        .outerjoin(firm, firm.c.id == project.c.organisation_id)
        .join(fund, fund.c.id == payout.c.fund_id)
        .where(*conditions(which))
    )


def conditions(which: Which) -> list[Any]:
    """Return the conditions on payouts with their project, firm and fund."""
    payout, fund, project, firm = map(table_of, (Payout, Fund, Project, Organisation))
    state = payout.c.state if which.reach is None else beside(payout.c.state)
    found = [
        payout.c[name] == value
        for name in ("state", "fund_id", "project_id", "id")
        if (value := getattr(which, name)) is not None
    ]
    if which.due_until is not None:
        found += [payout.c.pay_by_on <= which.due_until, payout.c.state.in_(WAITING)]
    if which.reach is not None:
        found.append(which.reach)
    if which.states:
        found.append(state.in_(which.states))
    if which.ids:
        found.append(payout.c.id.in_(list(which.ids)))
    if which.fund:
        found.append(fund.c.code == which.fund)
    if which.text:
        named = (payout.c.number, project.c.number, project.c.name, firm.c.name)
        found.append(or_(*(column.icontains(which.text, autoescape=True) for column in named)))
    return found


def _masked(row: Any) -> dict[str, Any]:
    known = dict(row._mapping)  # noqa: SLF001 - the documented name of a row's mapping
    number = known.pop("account_number")
    return {**known, "account_last": last_digits(number)}


def payout(session: Session, payout_id: UUID, *, today: date, calendar: Calendar) -> dict[str, Any]:
    """Return one payout in full: who asked, who said what of it, every attempt, and where its fund stands."""
    (listed,) = payouts(session, today=today, calendar=calendar, which=Which(id=payout_id))
    table = table_of(Payout)
    row = session.execute(select(table).where(table.c.id == payout_id)).one()
    words = rows_by(session, Approval, "payout_id", [payout_id], "seq").get(payout_id, [])
    account = rows_by(session, PayeeAccount, "id", [row.payee_account_id])[row.payee_account_id][0]
    people = {row.requested_by, account.proposed_by, account.confirmed_by}
    people |= {one for word in words for one in (word.approver_id, word.on_behalf_of_id)}
    names = _names(session, people)
    available = accounts_of(session, [row.fund_id])[row.fund_id][AccountKind.AVAILABLE].balance_minor
    return {
        **listed,
        "evidence": list(row.evidence),
        "requested_by": names.get(row.requested_by),
        "account_confirmed_by": names.get(account.confirmed_by),
        **_changed(session, account, today),
        "words": [
            {
                "decision": str(word.decision),
                "approver_id": word.approver_id,
                "by": names.get(word.approver_id),
                "on_behalf_of": names.get(word.on_behalf_of_id),
                "role": str(word.role),
                "is_valid": word.payload_hash == row.payload_hash,
                "called_back": dict(word.called_back),
                "at": word.at,
            }
            for word in words
        ],
        "instructions": instructions(session, payout_id=payout_id),
        **_around(row, available),
    }


def _changed(session: Session, account: Any, today: date) -> dict[str, Any]:
    """Return the account that this one took the place of, for 30 days from its confirmation; else nothing (F16)."""
    nothing = {"account_changed_on": None, "payee_before": None, "account_last_before": None}
    changed = changed_on(account, today)
    if changed is None:
        return nothing
    on = changed.isoformat()
    own = rows_by(session, PayeeAccount, "organisation_id", [account.organisation_id], "at")[account.organisation_id]
    confirmed = [row for row in own if row.confirmed_by is not None]
    before = [row for row in confirmed if (row.called_back["on"], row.at) < (on, account.at)]
    if not before:
        return nothing
    last = max(before, key=lambda row: (row.called_back["on"], row.at))
    held, digits = last.holder_name, last_digits(last.account_number)
    return {"account_changed_on": changed, "payee_before": held, "account_last_before": digits}


_HELD = (PayoutState.APPROVED, PayoutState.INSTRUCTED, PayoutState.PAID)


def _around(row: Any, available_minor: int) -> dict[str, int]:
    """Return what the fund has free without this payout, and with it."""
    if row.state in _HELD:
        return {"before_minor": available_minor + row.amount_minor, "after_minor": available_minor}
    after = available_minor - (row.amount_minor if row.state == PayoutState.REQUESTED else 0)
    return {"before_minor": available_minor, "after_minor": after}


def _names(session: Session, users: set[UUID | None]) -> Mapping[UUID | None, str]:
    return {key: rows[0].name for key, rows in rows_by(session, User, "id", {one for one in users if one}).items()}


def accounts(
    session: Session,
    *,
    organisation_id: UUID | None = None,
    reach: Any = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return the accounts of payees with who entered and confirmed them; of one firm where it is named.

    `reach` is a condition on `payee_account`: what the reader may see. A page of them begins behind
    `after`: those that wait for a second person come first.
    """
    account, firm = table_of(PayeeAccount), table_of(Organisation)
    statement = (
        select(account, firm.c.name.label("organisation"))
        .join(firm, firm.c.id == account.c.organisation_id)
        .order_by(firm.c.name, account.c.at)
    )
    if organisation_id is not None:
        statement = statement.where(account.c.organisation_id == organisation_id)
    if reach is not None:
        statement = statement.where(reach)
    rows = list(session.execute(statement)) if limit is None else _page_of(session, statement, after, limit)
    names = _names(session, {one for row in rows for one in (row.proposed_by, row.confirmed_by)})
    return [
        {
            "organisation": row.organisation,
            **{name: getattr(row, name) for name in _ACCOUNT},
            "account_last": last_digits(row.account_number),
            "proposed_by": names.get(row.proposed_by),
            "confirmed_by": names.get(row.confirmed_by),
        }
        for row in rows
    ]


def _page_of(session: Session, statement: Any, after: UUID | None, limit: int) -> list[Any]:
    """Return a page of accounts: those that wait for a second person, then all others, each part by id."""
    account = table_of(PayeeAccount)
    last = session.execute(select(account.c.status).where(account.c.id == after)).scalar() if after else None
    by_id = statement.order_by(None).order_by(account.c.id)
    rows: list[Any] = []
    if last in (None, PayeeStatus.PROPOSED):
        first = by_id.where(account.c.status == PayeeStatus.PROPOSED)
        rows += session.execute((first.where(account.c.id > after) if last else first).limit(limit))
    if len(rows) < limit:
        others = by_id.where(beside(account.c.status) != PayeeStatus.PROPOSED)
        is_among = last not in (None, PayeeStatus.PROPOSED)
        rows += session.execute((others.where(account.c.id > after) if is_among else others).limit(limit - len(rows)))
    return rows


def batches(
    session: Session, *, state: PaymentBatchState | None = None, reach: Any = None, after: str = "", limit: int = 0
) -> list[dict[str, Any]]:
    """Return payment batches by number, of one state where it is named; a page of them the newest first."""
    batch, fund = table_of(PaymentBatch), table_of(Fund)
    statement = (
        select(*(batch.c[name] for name in _BATCH), fund.c.code.label("fund"))
        .join(fund, fund.c.id == batch.c.fund_id)
        .order_by(batch.c.number)
    )
    if state is not None:
        statement = statement.where(batch.c.state == state)
    if reach is not None:
        statement = statement.where(reach)
    if limit:
        statement = statement.order_by(None).order_by(batch.c.number.desc()).limit(limit)
    if after:
        statement = statement.where(batch.c.number < after)
    return _plain(session.execute(statement))


def batch(session: Session, batch_id: UUID) -> dict[str, Any]:
    """Return one payment batch with its instructions."""
    (listed,) = [row for row in batches(session) if row["id"] == batch_id]
    return {**listed, "instructions": instructions(session, batch_id=batch_id)}


def instructions(
    session: Session, *, payout_id: UUID | None = None, batch_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Return attempts of a payout or of a batch, in the order of their end-to-end ids."""
    instruction, payout, batch = map(table_of, (PaymentInstruction, Payout, PaymentBatch))
    statement = (
        select(
            *(instruction.c[name] for name in _INSTRUCTION),
            instruction.c.account_number,
            payout.c.number.label("payout"),
            batch.c.number.label("batch"),
        )
        .join_from(instruction, payout, payout.c.id == instruction.c.payout_id)
        .join(batch, batch.c.id == instruction.c.batch_id)
        .order_by(instruction.c.end_to_end_id)
    )
    for name, value in {"payout_id": payout_id, "batch_id": batch_id}.items():
        if value is not None:
            statement = statement.where(instruction.c[name] == value)
    return [_masked(row) for row in session.execute(statement)]


def statements(
    session: Session, *, reach: Any = None, after: UUID | None = None, limit: int = 0
) -> list[dict[str, Any]]:
    """Return what the bank sent, with how many of its lines are matched, known already, open or settled, by arrival.

    Settled are those that did not match and whose cases two people closed.
    With a limit the newest ones, the newest first, a page of them behind `after`; `reach` is a condition on
    `bank_statement`.
    """
    statement, line, fund = map(table_of, (BankStatement, StatementLine, Fund))
    listed = (
        select(*(statement.c[name] for name in _STATEMENT), fund.c.code.label("fund"))
        .outerjoin(fund, fund.c.id == statement.c.fund_id)
        .order_by(statement.c.at, statement.c.id)
    )
    if reach is not None:
        listed = listed.where(reach)
    if limit:
        listed = listed.order_by(None).order_by(statement.c.id.desc()).limit(limit)
    if after is not None:
        listed = listed.where(statement.c.id < after)
    rows = _plain(session.execute(listed))
    ids = [row["id"] for row in rows]
    is_open = func.sum(case((_waits(line), 1), else_=0))
    counted = select(line.c.statement_id, line.c.status, func.count(), is_open).where(line.c.statement_id.in_(ids))
    grouped = session.execute(counted.group_by(line.c.statement_id, line.c.status)).all()
    counts = {(row[0], row[1]): int(row[2]) for row in grouped}
    open_ones = {row[0]: int(row[3]) for row in grouped if row[1] == LineStatus.EXCEPTION}
    return [
        {
            **row,
            **{str(status): counts.get((row["id"], status), 0) for status in LineStatus},
            "exception": open_ones.get(row["id"], 0),
            "settled": counts.get((row["id"], LineStatus.EXCEPTION), 0) - open_ones.get(row["id"], 0),
        }
        for row in rows
    ]


def _waits(line: Any) -> Any:
    """Return the condition that a case about a line is open."""
    opened = table_of(ExceptionCase)
    return exists().where(opened.c.object_id == line.c.id, opened.c.closed_at.is_(None))


def statement(session: Session, statement_id: UUID) -> dict[str, Any]:
    """Return one statement with its lines."""
    (listed,) = [row for row in statements(session) if row["id"] == statement_id]
    return {**listed, "lines": lines(session, statement_id=statement_id)}


def lines(
    session: Session, *, statement_id: UUID | None = None, status: LineStatus | None = None
) -> list[dict[str, Any]]:
    """Return bookings with what the bank's word on them became, of one statement or one status where it is named."""
    line, statement = table_of(StatementLine), table_of(BankStatement)
    listed = (
        select(
            *(line.c[name] for name in _LINE),
            *(statement.c[name] for name in ("statement_ref", "file_name")),
            and_(line.c.status == LineStatus.EXCEPTION, ~_waits(line)).label("is_settled"),
        )
        .join(statement, statement.c.id == line.c.statement_id)
        .order_by(statement.c.at, statement.c.id, line.c.line_ref)
    )
    for name, value in {"statement_id": statement_id, "status": status}.items():
        if value is not None:
            listed = listed.where(line.c[name] == value)
    rows = _plain(session.execute(listed))
    said = rows_by(session, BankEvent, "statement_line_id", {row["id"] for row in rows}, "seq")
    return [
        {
            **row,
            "means": [
                {"kind": str(one.kind), "amount_minor": one.amount_minor, "end_to_end_id": one.end_to_end_id}
                for one in said.get(row["id"], ())
            ],
        }
        for row in rows
    ]


def unmatched(session: Session) -> list[dict[str, Any]]:
    """Return the bookings of which nobody has said yet what they are, each with its case: two people must."""
    found = lines(session, status=LineStatus.EXCEPTION)
    cases = rows_by(session, ExceptionCase, "object_id", [row["id"] for row in found])
    waiting = {key: one.id for key, rows in cases.items() for one in rows if one.closed_at is None}
    return [{**row, "case_id": waiting[row["id"]]} for row in found if row["id"] in waiting]


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping
