"""What programs can list of the money: payouts, funds, agreements, what is owed back, the bank."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from lifecycle.payouts.queries import Which, ids_of
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.funds import Contribution, Fund, FundSource
from models.holds import ExceptionCase
from models.ledger import Account, Posting
from models.payouts import PayeeAccount, PaymentBatch, Payout
from models.reading import table_of
from models.statements import BankStatement
from models.states import (
    AccountKind,
    MilestoneState,
    PayeeStatus,
    PaymentBatchState,
    PayoutPurpose,
    PayoutState,
    RecoveryState,
    StatementStatus,
)
from web import money_rights as money
from web.api.resources import Filter, Part, Reach, Resource, Sort, acted_on_since, by_column, of_columns
from web.session import Visit


def _payouts(**asked: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = table_of(Payout).c.id.in_(ids_of(Which(**asked)))
    return found


def _fund_named(_visit: Visit, code: str) -> ColumnElement[bool]:
    return _payouts(fund=code)


def _in_fund(model: Any) -> Filter:
    fund = table_of(Fund)
    return Filter(
        kind=str,
        where=lambda _visit, code: table_of(model).c.fund_id.in_(select(fund.c.id).where(fund.c.code == code)),
        about="code of the fund",
    )


def _of_funds(model: Any) -> Reach:
    fund = table_of(Fund)
    return lambda visit: table_of(model).c.fund_id.in_(select(fund.c.id).where(money.readable_funds(visit.rights)))


def _of_kind(_visit: Visit, kind: AccountKind) -> ColumnElement[bool]:
    account = table_of(Account)
    found: ColumnElement[bool] = table_of(Posting).c.account_id.in_(select(account.c.id).where(account.c.kind == kind))
    return found


def _postings(visit: Visit) -> ColumnElement[bool]:
    account = table_of(Account)
    mine = select(account.c.id).where(_of_funds(Account)(visit))
    found: ColumnElement[bool] = table_of(Posting).c.account_id.in_(mine)
    return found


_ALL = (
    Resource(
        path="payouts",
        model=Payout,
        view="v_payout",
        reach=money.readable_payouts,
        order="number",
        orders={"due": Sort(column="pay_by_on", kind=date)},
        readers=money.MONEY_ROLES,
        filters={
            "q": Filter(
                kind=str,
                where=lambda _visit, value: _payouts(text=value.strip()),
                about="part of the number, the project or the firm",
            ),
            "fund": Filter(kind=str, where=_fund_named, about="code of the fund"),
            **acted_on_since(Payout),
            **of_columns(Payout, state=PayoutState, purpose=PayoutPurpose, project_id=UUID, fund_id=UUID),
        },
    ),
    Resource(
        path="funds",
        model=Fund,
        view="v_fund",
        reach=lambda visit: money.readable_funds(visit.rights),
        order="code",
        readers=money.FUNDER_ROLES | money.PLATFORM_ROLES,
    ),
    Resource(
        path="agreements",
        model=Agreement,
        view="v_agreement",
        reach=money.readable_agreements,
        readers=money.MONEY_ROLES,
        filters={
            "fund": _in_fund(Agreement),
            **acted_on_since(Agreement),
            **of_columns(Agreement, project_id=UUID, fund_id=UUID),
        },
    ),
    Resource(
        path="milestones",
        model=Milestone,
        view="v_milestone",
        reach=money.readable_milestones,
        filters={
            **acted_on_since(Milestone),
            **of_columns(Milestone, project_id=UUID, agreement_id=UUID, state=MilestoneState),
        },
    ),
    Resource(
        path="costs",
        model=CostStatement,
        fields=(
            *("id", "project_id", "agreement_id", "fund_id", "statement_no", "from_on", "until_on", "claimed_minor"),
            *("own_money_minor", "accepted_minor", "is_final", "evidence_sha256", "submitted_at", "verified_at"),
            "version",
        ),
        reach=money.readable_costs,
        filters={**acted_on_since(CostStatement), **of_columns(CostStatement, project_id=UUID, agreement_id=UUID)},
    ),
    Resource(
        path="recoveries",
        model=RecoveryOrder,
        fields=(
            *("id", "number", "project_id", "agreement_id", "fund_id", "amount_minor", "currency", "code", "due_on"),
            *("state", "repaid_minor", "set_off_minor", "written_off_minor", "ordered_at", "version"),
        ),
        reach=money.readable_recoveries,
        order="number",
        readers=money.MONEY_ROLES,
        filters={**acted_on_since(RecoveryOrder), **of_columns(RecoveryOrder, project_id=UUID, state=RecoveryState)},
    ),
    Resource(
        path="payees",
        model=PayeeAccount,
        view="v_payee_account",
        reach=money.readable_accounts,
        readers=money.FUNDER_ROLES | money.SME_ROLES,
        filters=of_columns(PayeeAccount, organisation_id=UUID, status=PayeeStatus),
    ),
    Resource(
        path="payment-batches",
        model=PaymentBatch,
        view="v_batch",
        reach=money.readable_batches,
        readers=money.BANK_ROLES,
        is_newest_first=True,
        filters={"fund": _in_fund(PaymentBatch), **of_columns(PaymentBatch, state=PaymentBatchState)},
    ),
    Resource(
        path="statements",
        model=BankStatement,
        fields=(
            *("id", "fund_id", "source", "statement_ref", "sequence_no", "currency", "booked_from_on"),
            *("booked_until_on", "file_name", "file_sha256", "status", "at", "version"),
        ),
        reach=money.readable_statements,
        readers=money.BANK_ROLES,
        is_newest_first=True,
        filters=of_columns(BankStatement, status=StatementStatus),
    ),
    Resource(
        path="exceptions",
        model=ExceptionCase,
        view="v_exception",
        reach=lambda visit: money.readable_cases(visit.rights),
        readers=money.BANK_ROLES,
        filters=of_columns(ExceptionCase, kind=str),
    ),
)
RESOURCES: Mapping[str, Resource] = {one.path: one for one in _ALL}

LEDGER = Resource(
    path="ledger",
    model=Posting,
    view="v_posting",
    reach=_postings,
    key="seq",
    order="seq",
    filters={"account": Filter(kind=AccountKind, where=_of_kind, about="account of the fund")},
)
COMMITMENTS = Resource(
    path="commitments",
    model=FundSource,
    fields=("id", "fund_id", "organisation_id", "kind", "committed_minor", "called_minor", "paid_in_minor", "version"),
    reach=_of_funds(FundSource),
)
CONTRIBUTIONS = Resource(
    path="contributions",
    model=Contribution,
    fields=("id", "fund_id", "source_id", "amount_minor", "received_on", "bank_ref", "entry_id", "at"),
    reach=_of_funds(Contribution),
)


def _of_accounts(fund_id: UUID) -> ColumnElement[bool]:
    account = table_of(Account)
    own = select(account.c.id).where(account.c.fund_id == fund_id)
    found: ColumnElement[bool] = table_of(Posting).c.account_id.in_(own)
    return found


_OF_PROJECTS = ("milestones", "payouts", "agreements", "recoveries")
PARTS: Mapping[tuple[str, str], Part] = {
    **{("projects", name): by_column(RESOURCES[name], "project_id") for name in _OF_PROJECTS},
    ("agreements", "milestones"): by_column(RESOURCES["milestones"], "agreement_id"),
    ("agreements", "costs"): by_column(RESOURCES["costs"], "agreement_id"),
    ("funds", "ledger"): Part(resource=LEDGER, within=_of_accounts),
    ("funds", "commitments"): by_column(COMMITMENTS, "fund_id"),
    ("funds", "contributions"): by_column(CONTRIBUTIONS, "fund_id"),
    ("funds", "payouts"): by_column(RESOURCES["payouts"], "fund_id"),
    ("organisations", "payees"): by_column(RESOURCES["payees"], "organisation_id"),
}
