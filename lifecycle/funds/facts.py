"""What the verbs of a fund look at: its sources, accounts, holds, limits, and what is still pending."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.banking.own_ids import names_ours
from lifecycle.chart import Rule, judged
from lifecycle.commands import FactsOf, Stamp, Task
from lifecycle.installation import is_for_real_work
from lifecycle.ledger.accounts import SHARED, accounts_of
from lifecycle.ledger.cases import explained_lines
from lifecycle.ledger.sums import promised_by, suspense_by_fund
from models.agreements import Agreement, RecoveryOrder
from models.funds import ApprovalLimit, ApprovalTier, CapitalCall, Contribution, Fund, FundSource
from models.holds import ExceptionCase, Hold
from models.ledger import Account
from models.payouts import PaymentBatch, Payout
from models.people import Organisation, User
from models.reading import Groups, beside, rows_by, table_of
from models.statements import BankStatement, StatementLine
from models.states import AccountKind, FundStatus, LineStatus, PaymentBatchState, PayoutState, RecoveryState, Role

ALIVE_BATCHES = (
    PaymentBatchState.PREPARED,
    PaymentBatchState.SENT,
    PaymentBatchState.UNKNOWN,
    PaymentBatchState.ACKNOWLEDGED,
)
"""A batch in one of these may still pay."""
OPEN_PAYOUTS = (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.INSTRUCTED, PayoutState.RETURNED)


@dataclass(frozen=True, kw_only=True)
class BirthFacts:
    """A fund that shall be opened, and what the database holds of it already."""

    command: Any
    is_owner_known: bool = False
    is_code_taken: bool = False
    account_of: str | None = None
    """Code of the fund that pays from the same account of the bank and is not closed."""
    is_for_real: bool = False
    """The database is for real work; rehearsals name made-up banks."""
    shared: frozenset[AccountKind] = frozenset()
    """Shared accounts of its currency that are there, or that an earlier command of the batch brings."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """How much of a fund is not over yet."""

    batches: int = 0
    payouts: int = 0
    agreements: int = 0
    exceptions: int = 0
    recoveries: int = 0
    suspense_minor: int = 0
    """Money at its bank of which nobody has said yet whose it is."""


@dataclass(frozen=True, kw_only=True)
class FundFacts:
    """One command on a fund, with all that its rules may ask."""

    command: Any
    fund: Any
    stamp: Stamp
    roles: frozenset[Role] = frozenset()
    person_roles: frozenset[Role] = frozenset()
    """What the actor's human holds at the funder, under this or another account."""
    sources: tuple[Any, ...] = ()
    accounts: Mapping[AccountKind, Any] = field(default_factory=dict)
    holds: tuple[Any, ...] = ()
    """Those that were not lifted."""
    tiers: tuple[Any, ...] = ()
    limits: tuple[Any, ...] = ()
    """Tiers and limits in force."""
    calls: int = 0
    """How often capital was called."""
    bank_refs: frozenset[str] = frozenset()
    booking: Any = None
    """The bank's booking of the contribution that lies in suspense, where its statement came first."""
    cases: tuple[Any, ...] = ()
    """What asks two people about that booking."""
    is_of_a_payment: bool = False
    """That booking names a payment, or a file, of ours."""
    is_booking_agreed: bool = False
    """Two people have closed the case about it, so that it can be entered."""
    organisations: frozenset[UUID] = frozenset()
    person_id: UUID | None = None
    """The human behind the account that the command names."""
    pending: Pending = field(default_factory=Pending)
    promised_minor: int = 0
    """What agreements in force were awarded, and what closed ones paid."""

    @cached_property
    def source(self) -> Any:
        """The investor's commitment that the command speaks of, or None."""
        command = self.command
        if hasattr(command, "source_id"):
            return next((row for row in self.sources if row.id == command.source_id), None)
        named = (command.organisation_id, command.kind)
        return next((row for row in self.sources if (row.organisation_id, row.kind) == named), None)

    @property
    def uncalled_minor(self) -> int:
        """What investors committed and were not asked for yet."""
        return sum(row.committed_minor - row.called_minor for row in self.sources)

    def balance(self, kind: AccountKind) -> int:
        """Return the kept balance of one of the fund's accounts."""
        return int(self.accounts[kind].balance_minor)


def birth_facts(rules: Callable[[], tuple[Rule, ...]]) -> FactsOf[Any, BirthFacts]:
    """Return the fact query of a fund's birth; the first sound command of a currency brings its shared accounts."""

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[BirthFacts]:  # noqa: ARG001
        fund, account = table_of(Fund), table_of(Account)
        codes = [task.command.code for task in tasks]
        taken = set(session.execute(select(fund.c.code).where(fund.c.code.in_(codes))).scalars())
        owners = rows_by(session, Organisation, "id", [task.command.organisation_id for task in tasks])
        paying = paying_from(session, {plain_account(task.command.debtor_account) for task in tasks})
        statement = select(account.c.currency, account.c.kind).where(account.c.fund_id.is_(None))
        for_real = is_for_real_work(session)
        shared: dict[str, set[AccountKind]] = {}
        for row in session.execute(statement):
            shared.setdefault(row.currency, set()).add(AccountKind(row.kind))
        found = []
        for task in tasks:
            command = task.command
            one = BirthFacts(
                command=command,
                is_owner_known=command.organisation_id in owners,
                is_code_taken=command.code in taken,
                account_of=paying.get((plain_account(command.debtor_account), command.currency)),
                is_for_real=for_real,
                shared=frozenset(shared.get(command.currency, ())),
            )
            if not judged(rules(), one):
                shared[command.currency] = set(SHARED)
            found.append(one)
        return found

    return facts


def plain_account(number: str) -> str:
    """Return the number of the account that a fund pays from, as it is stored: without blanks."""
    return "".join(number.split())


def paying_from(session: Session, numbers: Collection[str]) -> dict[tuple[str, str], str]:
    """Return account and currency -> code of the fund that has it; what closed funds had is free."""
    fund = table_of(Fund)
    statement = select(fund.c.debtor_account, fund.c.currency, fund.c.code).where(
        fund.c.debtor_account.in_(numbers), fund.c.status != FundStatus.CLOSED
    )
    return {(row.debtor_account, row.currency): row.code for row in session.execute(statement)}


def size_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[FundFacts]:
    """Read what each fund has promised."""
    promised = promised_by(session, [task.fund.id for task in tasks])
    return [
        FundFacts(command=task.command, fund=task.fund, stamp=stamp, promised_minor=promised.get(task.fund.id, 0))
        for task in tasks
    ]


_IN_ORDER: Mapping[Any, str] = {
    FundSource: "id",
    ApprovalTier: "up_to_minor",
    ApprovalLimit: "since_at",
}


def fund_facts(*models: Any) -> FactsOf[Any, FundFacts]:
    """Return the fact query of a verb that looks at these tables; accounts come with `Account`, and so on."""

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[FundFacts]:
        ids = [task.fund.id for task in tasks]
        rows = {
            model: rows_by(session, model, "fund_id", ids, _IN_ORDER[model]) for model in models if model in _IN_ORDER
        }
        accounts = accounts_of(session, ids) if Account in models else {}
        holds = rows_by(session, Hold, "object_id", ids, "from_at") if Hold in models else {}
        calls = _calls(session, ids) if CapitalCall in models else {}
        refs = _bank_refs(session, tasks) if Contribution in models else {}
        bookings = _bookings(session, tasks) if Contribution in models else {}
        cases = rows_by(session, ExceptionCase, "object_id", [row.id for row in bookings.values()]) if bookings else {}
        people = _persons(session, tasks) if User in models else {}
        organisations = _organisations(session, tasks) if Organisation in models else frozenset()
        one = FundFacts(command=None, fund=None, stamp=stamp, organisations=organisations)
        return [
            replace(
                one,
                command=task.command,
                fund=task.fund,
                roles=task.roles,
                person_roles=task.person_roles,
                sources=tuple(rows.get(FundSource, {}).get(task.fund.id, ())),
                accounts=accounts.get(task.fund.id, {}),
                holds=tuple(row for row in holds.get(task.fund.id, ()) if row.lifted_at is None),
                tiers=_in_force(rows.get(ApprovalTier, {}), task.fund.id),
                limits=_in_force(rows.get(ApprovalLimit, {}), task.fund.id),
                calls=calls.get(task.fund.id, 0),
                bank_refs=refs.get(task.fund.id, frozenset()),
                **_booking(task, bookings, cases),
                person_id=people.get(getattr(task.command, "user_id", None)),
            )
            for task in tasks
        ]

    return facts


def closing_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[FundFacts]:
    """Read the accounts of each fund, and count what is still pending."""
    ids = [task.fund.id for task in tasks]
    batches = _count(session, PaymentBatch, ids, lambda table: table.c.state.in_(ALIVE_BATCHES))
    payouts = _count(session, Payout, ids, lambda table: table.c.state.in_(OPEN_PAYOUTS))
    agreements = _count(session, Agreement, ids, lambda table: table.c.status == FundStatus.ACTIVE)
    cases = _count(session, ExceptionCase, ids, lambda table: table.c.closed_at.is_(None))
    recoveries = _count(session, RecoveryOrder, ids, lambda table: beside(table.c.state) == RecoveryState.OPEN)
    aside = suspense_by_fund(session, ids)
    return [
        replace(
            one,
            pending=Pending(
                batches=batches.get(one.fund.id, 0),
                payouts=payouts.get(one.fund.id, 0),
                agreements=agreements.get(one.fund.id, 0),
                exceptions=cases.get(one.fund.id, 0),
                recoveries=recoveries.get(one.fund.id, 0),
                suspense_minor=aside.get(one.fund.id, 0),
            ),
        )
        for one in fund_facts(Account)(session, tasks, stamp)
    ]


def _in_force(groups: Groups, fund_id: UUID) -> tuple[Any, ...]:
    return tuple(row for row in groups.get(fund_id, ()) if row.until_at is None)


def _count(session: Session, model: Any, ids: Sequence[UUID], condition: Callable[[Any], Any]) -> dict[UUID, int]:
    table = table_of(model)
    statement = select(table.c.fund_id, func.count()).where(table.c.fund_id.in_(ids), condition(table))
    return {row[0]: row[1] for row in session.execute(statement.group_by(table.c.fund_id))}


def _calls(session: Session, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the number of the last call of each fund."""
    call = table_of(CapitalCall)
    statement = select(call.c.fund_id, func.max(call.c.call_no)).where(call.c.fund_id.in_(ids))
    return {row[0]: row[1] for row in session.execute(statement.group_by(call.c.fund_id))}


def _bookings(session: Session, tasks: Sequence[Task[Any]]) -> dict[tuple[UUID, str, int], Any]:
    """Return fund, reference and amount -> the booking in suspense that a contribution of these is."""
    line, statement = table_of(StatementLine), table_of(BankStatement)
    refs = {task.command.bank_ref for task in tasks if task.command.bank_ref}
    if not refs:
        return {}
    wanted = (
        select(line, statement.c.fund_id)
        .join(statement, statement.c.id == line.c.statement_id)
        .where(
            statement.c.fund_id.in_({task.fund.id for task in tasks}),
            line.c.bank_ref.in_(refs),
            line.c.status == LineStatus.EXCEPTION,
        )
        .order_by(line.c.at)
    )
    rows = session.connection().execute(wanted).all()
    known = explained_lines(session, [row.id for row in rows]) if rows else frozenset()
    return {
        (row.fund_id, row.bank_ref, row.amount_minor): row
        for row in rows
        if row.id not in known and row.currency in {task.fund.currency for task in tasks if task.fund.id == row.fund_id}
    }


def _booking(task: Task[Any], bookings: Mapping[tuple[UUID, str, int], Any], cases: Groups) -> dict[str, Any]:
    command = task.command
    ref, amount = getattr(command, "bank_ref", None), getattr(command, "amount_minor", 0)
    row = bookings.get((task.fund.id, ref or "", amount))
    about = cases.get(row.id, ()) if row is not None else ()
    return {
        "booking": row,
        "cases": tuple(case for case in about if case.closed_at is None),
        "is_of_a_payment": row is not None and names_ours(row),
        "is_booking_agreed": any(case.action == "close" and case.confirmed_by is not None for case in about),
    }


def _bank_refs(session: Session, tasks: Sequence[Task[Any]]) -> dict[UUID, frozenset[str]]:
    """Return which of the references that the commands bring were booked already, by fund."""
    table = table_of(Contribution)
    wanted = [task.command.bank_ref for task in tasks]
    ids = [task.fund.id for task in tasks]
    statement = select(table.c.fund_id, table.c.bank_ref).where(table.c.fund_id.in_(ids), table.c.bank_ref.in_(wanted))
    found: dict[UUID, set[str]] = {}
    for row in session.execute(statement):
        found.setdefault(row.fund_id, set()).add(row.bank_ref)
    return {fund: frozenset(refs) for fund, refs in found.items()}


def _persons(session: Session, tasks: Sequence[Task[Any]]) -> dict[UUID | None, UUID]:
    user = table_of(User)
    wanted = [task.command.user_id for task in tasks]
    statement = select(user.c.id, user.c.person_id).where(user.c.id.in_(wanted))
    return {row.id: row.person_id for row in session.execute(statement)}


def _organisations(session: Session, tasks: Sequence[Task[Any]]) -> frozenset[UUID]:
    return frozenset(rows_by(session, Organisation, "id", [task.command.organisation_id for task in tasks]))
