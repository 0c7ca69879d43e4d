"""The nouns of the money: their addresses, how they are found, and what is offered first."""

from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.funds import Fund
from models.holds import ExceptionCase
from models.installation import Disbursement
from models.payouts import PayeeAccount, PaymentBatch, Payout
from models.statements import BankStatement
from web import money_rights as rights
from web.nouns import ALL, NOUNS, Noun

PAYOUTS = Noun(
    path="payouts",
    subject=Payout,
    view="v_payout",
    find=rights.payout_of,
    ref=lambda row: row.number,
    title=lambda _row: "",
    project_id=lambda row: row.project_id,
    next_word="payout.next",
    asks_version=True,
    first=(
        *("payout.certify", "payout.approve", "payout.reapprove", "payout.release", "payout.send_back"),
        *("payout.reject", "payout.amend", "payout.cancel"),
    ),
)
FUNDS = Noun(
    path="funds",
    subject=Fund,
    view="v_fund",
    find=rights.fund_of,
    ref=lambda row: row.code,
    title=lambda row: row.name,
    first=("fund.contribute", "fund.call", "fund.commit", "agreement.draft", "fund.hold", "fund.resume"),
)
AGREEMENTS = Noun(
    path="agreements",
    subject=Agreement,
    view="v_agreement",
    find=rights.agreement_of,
    ref=lambda row: row.number,
    title=lambda _row: "",
    project_id=lambda row: row.project_id,
    first=("agreement.sign", "cost.submit", "agreement.accept_audit", "agreement.settle", "payout.settle"),
)
MILESTONES = Noun(
    path="milestones",
    has_list=False,
    subject=Milestone,
    view="v_milestone",
    find=rights.milestone_of,
    ref=lambda row: str(row.id),
    title=lambda row: row.tranche,
    asks_version=True,
    project_id=lambda row: row.project_id,
    first=("milestone.submit", "milestone.accept", "milestone.reject", "payout.request", "milestone.announce"),
)
COSTS = Noun(
    path="costs",
    has_list=False,
    subject=CostStatement,
    view="",
    find=rights.cost_of,
    ref=lambda row: str(row.id),
    title=lambda row: str(row.statement_no),
    project_id=lambda row: row.project_id,
    first=("cost.verify",),
)
RECOVERIES = Noun(
    path="recoveries",
    subject=RecoveryOrder,
    view="",
    find=rights.recovery_of,
    ref=lambda row: row.number,
    title=lambda _row: "",
    project_id=lambda row: row.project_id,
    first=("recovery.repay", "recovery.set_off", "recovery.write_off"),
)
PAYEES = Noun(
    path="payees",
    subject=PayeeAccount,
    view="v_payee_account",
    find=rights.account_of,
    ref=lambda row: str(row.id),
    title=lambda row: row.holder_name,
    first=("payee_account.confirm",),
)
BATCHES = Noun(
    path="payment-batches",
    subject=PaymentBatch,
    view="",
    find=rights.batch_of,
    ref=lambda row: row.number,
    title=lambda _row: "",
    first=("batch.take_back",),
)
STATEMENTS = Noun(
    path="statements",
    subject=BankStatement,
    view="",
    find=rights.statement_of,
    ref=lambda row: str(row.id),
    title=lambda row: row.statement_ref,
)
CASES = Noun(
    path="exceptions",
    subject=ExceptionCase,
    view="v_exception",
    find=rights.case_of,
    ref=lambda row: str(row.id),
    title=lambda _row: "",
    first=("exception.propose", "exception.confirm"),
)
DISBURSEMENT = Noun(
    path="disbursement",
    has_list=False,
    subject=Disbursement,
    find=rights.disbursement_of,
    ref=lambda _row: ALL,
    title=lambda _row: "",
    first=("disbursement.lift", "disbursement.freeze"),
    asks_version=False,
)
MONEY = (DISBURSEMENT, PAYOUTS, FUNDS, AGREEMENTS, MILESTONES, COSTS, RECOVERIES, PAYEES, BATCHES, STATEMENTS, CASES)
NOUNS.update({one.path: one for one in MONEY})
