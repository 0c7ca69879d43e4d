"""What a choice offers where money is concerned: accounts, files by their hash, tranches, orders, investors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import select
from sqlmodel import Session

from models.agreements import Agreement, Milestone, RecoveryOrder
from models.evidence import Evidence
from models.funds import FundSource
from models.holds import ExceptionCase
from models.money import Money
from models.payouts import PayeeAccount
from models.people import Organisation
from models.projects import Project
from models.reading import table_of
from models.statements import BankStatement, StatementLine
from models.states import (
    ENDED,
    EvidenceStatus,
    LineStatus,
    MilestoneState,
    PayeeStatus,
    RecoveryState,
)

Offer: TypeAlias = Callable[[Session, Any, Any], Sequence[tuple[str, str]]]
MOST = 500


def accounts(session: Session, noun: Any, row: Any) -> list[tuple[str, str]]:
    """The accounts of the project's firm that are not retired."""
    account, project = table_of(PayeeAccount), table_of(Project)
    statement = (
        select(account.c.id, account.c.holder_name, account.c.bank_name, account.c.account_number)
        .join(project, project.c.organisation_id == account.c.organisation_id)
        .where(project.c.id == noun.project_id(row), account.c.status != PayeeStatus.RETIRED)
    )
    rows = session.execute(statement.order_by(account.c.at.desc()).limit(MOST))
    return [(str(one.id), f"{one.holder_name} · {one.bank_name} …{one.account_number[-4:]}") for one in rows]


def files(session: Session, noun: Any, row: Any) -> list[tuple[str, str]]:
    """The evidence of the project that counts, by its hash."""
    evidence = table_of(Evidence)
    statement = select(evidence.c.sha256, evidence.c.type, evidence.c.file_name).where(
        evidence.c.project_id == noun.project_id(row), evidence.c.status == EvidenceStatus.CURRENT
    )
    rows = session.execute(statement.order_by(evidence.c.at.desc(), evidence.c.id).limit(MOST))
    return [(one.sha256, f"{one.type} · {one.file_name}") for one in rows]


def projects(session: Session, _noun: Any, _row: Any) -> list[tuple[str, str]]:
    """The projects that go on."""
    project = table_of(Project)
    statement = select(project.c.id, project.c.number, project.c.name).where(project.c.stage.not_in(ENDED))
    rows = session.execute(statement.order_by(project.c.number).limit(MOST))
    return [(str(one.id), f"{one.number} {one.name}") for one in rows]


def released(session: Session, _noun: Any, row: Any) -> list[tuple[str, str]]:
    """The accepted tranches of the same fund, that a debt may be set off against."""
    milestone, agreement = table_of(Milestone), table_of(Agreement)
    statement = (
        select(milestone.c.id, milestone.c.tranche, milestone.c.amount_minor, milestone.c.currency, agreement.c.number)
        .join(agreement, agreement.c.id == milestone.c.agreement_id)
        .where(milestone.c.fund_id == row.fund_id, milestone.c.state == MilestoneState.ACCEPTED)
    )
    rows = session.execute(statement.order_by(agreement.c.number, milestone.c.number).limit(MOST))
    return [
        (str(one.id), f"{one.number} {one.tranche} · {Money(one.amount_minor, one.currency).display}") for one in rows
    ]


def sources(session: Session, _noun: Any, row: Any) -> list[tuple[str, str]]:
    """The investors of the fund."""
    source, owner = table_of(FundSource), table_of(Organisation)
    statement = (
        select(source.c.id, owner.c.name, source.c.committed_minor)
        .join(owner, owner.c.id == source.c.organisation_id)
        .where(source.c.fund_id == row.id)
    )
    rows = session.execute(statement.order_by(source.c.id).limit(MOST))
    return [(str(one.id), f"{one.name} · {Money(one.committed_minor, row.currency).display}") for one in rows]


def cases(session: Session, _noun: Any, row: Any) -> list[tuple[str, str]]:
    """The cases of the fund that wait for two people."""
    case = table_of(ExceptionCase)
    statement = select(case.c.id, case.c.kind, case.c.opened_at).where(
        case.c.fund_id == row.fund_id, case.c.closed_at.is_(None)
    )
    rows = session.execute(statement.order_by(case.c.opened_at).limit(MOST))
    return [(str(one.id), f"{one.kind} · {one.opened_at:%Y-%m-%d}") for one in rows]


def bookings(session: Session, _noun: Any, row: Any) -> list[tuple[str, str]]:
    """The bookings of the fund's account that nothing explains yet."""
    line, statement_of = table_of(StatementLine), table_of(BankStatement)
    statement = (
        select(line.c.id, line.c.amount_minor, line.c.currency, line.c.booked_on, line.c.counterparty)
        .join(statement_of, statement_of.c.id == line.c.statement_id)
        .where(statement_of.c.fund_id == row.fund_id, line.c.status == LineStatus.EXCEPTION)
    )
    rows = session.execute(statement.order_by(line.c.booked_on.desc()).limit(MOST))
    return [
        (str(one.id), f"{one.booked_on} · {Money(one.amount_minor, one.currency).display} · {one.counterparty or ''}")
        for one in rows
    ]


def orders(session: Session, _noun: Any, row: Any) -> list[tuple[str, str]]:
    """The recovery orders of the fund that are open."""
    order = table_of(RecoveryOrder)
    statement = select(order.c.id, order.c.number).where(
        order.c.fund_id == row.fund_id, order.c.state == RecoveryState.OPEN
    )
    return [(str(one.id), one.number) for one in session.execute(statement.order_by(order.c.number).limit(MOST))]


MONEY_OFFERS: Mapping[str, Offer] = {
    "payee_account_id": accounts,
    "evidence_sha256": files,
    "milestone.submit.evidence": files,
    "minute_sha256": files,
    "new_evidence": files,
    "project_id": projects,
    "milestone_id": released,
    "source_id": sources,
    "exception_id": cases,
    "statement_line_id": bookings,
    "recovery_id": orders,
}
