"""Who may read what of the money: its funder's people, auditors, and the two sides of the project, as far as it goes.

The operator of the installation sees files of the bank, never amounts; who decides nothing sees no fund.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlmodel import Session

from lifecycle.actor import Actor, Rights
from lifecycle.errors import NotFound
from lifecycle.permissions import PARTIES_OF_ROLE
from lifecycle.reach import Way, in_one_way, is_paid, of_firms_paid_by
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.funds import Fund
from models.holds import ExceptionCase
from models.installation import DISBURSEMENT_ID, Disbursement
from models.payouts import PayeeAccount, PaymentBatch, Payout
from models.projects import Project, ProjectMember
from models.reading import beside, table_of
from models.statements import BankStatement
from models.states import Role
from web.reading_rights import as_id, wide_roles
from web.session import Visit

FUNDER_ROLES = frozenset(
    {
        *(Role.CERTIFIER, Role.FUND_MANAGER, Role.FUND_DIRECTOR, Role.PAYER, Role.ACCOUNTANT, Role.SPONSOR),
        *(Role.AUDITOR, Role.ADMIN),
    }
)
"""Who sees a fund, where the role is held at its organisation; auditors and administrators without one see all."""
SME_ROLES = frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER})
PLATFORM_ROLES = frozenset({Role.COORDINATOR, Role.CERTIFIER, Role.TECHNICAL_MANAGER})
MONEY_ROLES = FUNDER_ROLES | SME_ROLES | PLATFORM_ROLES
BANK_ROLES = (FUNDER_ROLES - {Role.CERTIFIER, Role.SPONSOR}) | {Role.OPERATOR}
MONEY_READERS = frozenset(
    {role for role, parties in PARTIES_OF_ROLE.items() if {"sme", "platform", "funder", "programme"} & set(parties)}
    | {Role.ADMIN, Role.AUDITOR}
)
"""Who reads about a project's money: its firm, its platform and its funder; panels, customers and operators do not."""
_EVERYWHERE = frozenset({Role.AUDITOR, Role.ADMIN})


def disbursement_of(session: Session, visit: Visit, ref: str) -> Any:
    """Return the row that all disbursement is; `NotFound` for who neither pays, approves, runs nor audits."""
    table = table_of(Disbursement)
    is_it = ref in ("", "all", str(DISBURSEMENT_ID)) and bool(wide_roles(visit) & (BANK_ROLES | FUNDER_ROLES))
    row = session.execute(select(table).where(table.c.id == DISBURSEMENT_ID)).one_or_none() if is_it else None
    if row is None:
        raise NotFound(NotFound.code)
    return row


def _at(rights: Rights, roles: frozenset[Role]) -> list[UUID]:
    """Return the organisations at which somebody holds one of these roles."""
    return sorted({at for role, at in rights.grants if role in roles and at is not None}, key=str)


def sees_all_money(rights: Rights) -> bool:
    """Say whether somebody reads the money of every fund."""
    return any(role in _EVERYWHERE and at is None for role, at in rights.grants)


def readable_funds(rights: Rights) -> ColumnElement[bool]:
    """Return the condition on `fund`: those of one's own organisation."""
    if not rights.is_active:
        return false()
    fund = table_of(Fund)
    found: ColumnElement[bool] = true() if sees_all_money(rights) else fund.c.organisation_id.in_(_own(rights))
    return found


def funds_in_total(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `fund` that leaves those whose totals one sees: one's own, and of one's platform."""
    fund, agreement, project = table_of(Fund), table_of(Agreement), table_of(Project)
    platforms = _at(visit.rights, PLATFORM_ROLES)
    paying = (
        select(agreement.c.fund_id)
        .join(project, project.c.id == agreement.c.project_id)
        .where(project.c.platform_id.in_(platforms))
    )
    return or_(readable_funds(visit.rights), fund.c.id.in_(paying)) if visit.rights.is_active else false()


def _own(rights: Rights) -> list[UUID]:
    return _at(rights, FUNDER_ROLES)


def _of_own_projects(rights: Rights, actor: Actor, among: Collection[UUID] | None) -> ColumnElement[bool] | None:
    """Return the condition on `project`: whose firm or platform one speaks for, or which one was named to audit."""
    member = table_of(ProjectMember)
    named = select(member.c.project_id).where(
        member.c.user_id == actor.user_id, member.c.until_at.is_(None), member.c.role == Role.AUDITOR
    )
    firms, platforms = _at(rights, SME_ROLES), _at(rights, PLATFORM_ROLES)
    ways: list[Way] = []
    if firms:
        ways.append(lambda project: _found_by(project.c.organisation_id, among).in_(firms))
    if platforms:
        ways.append(lambda project: _found_by(project.c.platform_id, among).in_(platforms))
    if any(role is Role.AUDITOR for role, _ in rights.grants):
        ways.append(lambda project: _found_by(project.c.id, among).in_(named))
    return _in_a_way(table_of(Project), ways, "id", among) if ways else None


def of_fund_or_project(
    table: Any, rights: Rights, actor: Actor, among: Collection[UUID] | None = None
) -> ColumnElement[bool]:
    """Return the condition on a table with fund and project: one's own on either side.

    With `among` only the rows of these few projects: they are found by it, however much somebody may read.
    """
    if not rights.is_active:
        return false()
    if sees_all_money(rights):
        return true() if among is None else table.c.project_id.in_(among)
    fund, project = table_of(Fund), table_of(Project)
    ways: list[Way] = []
    if own := _own(rights):
        funds = select(fund.c.id).where(fund.c.organisation_id.in_(own))
        ways.append(lambda of: _found_by(of.c.fund_id, among).in_(funds))
    if (mine := _of_own_projects(rights, actor, among)) is not None:
        projects = select(project.c.id).where(mine)
        ways.append(lambda of: _found_by(of.c.project_id, among).in_(projects))
    return _in_a_way(table, ways, "project_id", among)


def _found_by(column: Any, among: Collection[UUID] | None) -> Any:
    """Return a column by which rows are found; as a plain value where a few projects find them already."""
    return column if among is None else beside(column)


def _in_a_way(table: Any, ways: Sequence[Way], key: str, among: Collection[UUID] | None) -> ColumnElement[bool]:
    if among is None:
        return in_one_way(table, ways)
    found: ColumnElement[bool] = and_(table.c[key].in_(among), or_(false(), *(way(table) for way in ways)))
    return found


def readable_payouts(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `payout`."""
    return of_fund_or_project(table_of(Payout), visit.rights, visit.actor)


def readable_agreements(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `agreement`."""
    return of_fund_or_project(table_of(Agreement), visit.rights, visit.actor)


def readable_recoveries(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `recovery_order`."""
    return of_fund_or_project(table_of(RecoveryOrder), visit.rights, visit.actor)


def readable_milestones(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `milestone`."""
    return of_fund_or_project(table_of(Milestone), visit.rights, visit.actor)


def readable_costs(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `cost_statement`."""
    cost, agreement = table_of(CostStatement), table_of(Agreement)
    found: ColumnElement[bool] = cost.c.agreement_id.in_(select(agreement.c.id).where(readable_agreements(visit)))
    return found


def readable_accounts(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `payee_account`: of one's firm, of one that one's fund pays, or that none pays yet."""
    rights = visit.rights
    if not rights.is_active:
        return false()
    if sees_all_money(rights):
        return true()
    own: ColumnElement[bool] = table_of(PayeeAccount).c.organisation_id.in_(_at(rights, SME_ROLES))
    if not (funders := _own(rights)):
        return own
    return or_(own, of_firms_paid_by(funders), ~is_paid())


def of_bank(table: Any, rights: Rights) -> ColumnElement[bool]:
    """Return the condition on a table with a fund that the bank is concerned with; operators read all of it."""
    if not rights.is_active:
        return false()
    held = {role for role, at in rights.grants if at is None}
    if sees_all_money(rights) or Role.OPERATOR in held:
        return true()
    fund = table_of(Fund)
    own = _at(rights, BANK_ROLES)
    found: ColumnElement[bool] = table.c.fund_id.in_(select(fund.c.id).where(fund.c.organisation_id.in_(own)))
    return or_(found, table.c.fund_id.is_(None)) if own else false()


def readable_batches(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `payment_batch`."""
    return of_bank(table_of(PaymentBatch), visit.rights)


def readable_statements(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `bank_statement`."""
    return of_bank(table_of(BankStatement), visit.rights)


def sees_payees(rights: Rights) -> bool:
    """Say whether somebody sees whom a file pays; who only runs the installation sees count, total and hash."""
    return bool({role for role, _ in rights.grants} & FUNDER_ROLES)


def readable_cases(rights: Rights) -> ColumnElement[bool]:
    """Return the condition on `exception_case`: for those who see whose money it is about."""
    return of_bank(table_of(ExceptionCase), rights) if sees_payees(rights) else false()


def _found(model: Any, reach: Callable[[Visit], ColumnElement[bool]], column: str = "") -> Any:
    """Return what finds a row by id or by a human number within somebody's reach; `NotFound` for all else."""
    table = table_of(model)

    def find(session: Session, visit: Visit, ref: str) -> Any:
        known = as_id(ref)
        if known is None and not column:
            raise NotFound(NotFound.code)
        matches = table.c.id == known if known else table.c[column].in_({ref, ref.upper()})
        row = session.execute(select(table).where(matches, reach(visit))).one_or_none()
        if row is None:
            raise NotFound(NotFound.code)
        return row

    return find


payout_of = _found(Payout, readable_payouts, "number")
fund_of = _found(Fund, lambda visit: readable_funds(visit.rights), "code")
agreement_of = _found(Agreement, readable_agreements, "number")
milestone_of = _found(Milestone, readable_milestones)
cost_of = _found(CostStatement, readable_costs)
recovery_of = _found(RecoveryOrder, readable_recoveries, "number")
account_of = _found(PayeeAccount, readable_accounts)
batch_of = _found(PaymentBatch, readable_batches, "number")
statement_of = _found(BankStatement, readable_statements)
case_of = _found(ExceptionCase, lambda visit: readable_cases(visit.rights))
