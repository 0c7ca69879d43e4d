"""Recipes of the verbs of payouts, accounts of payees, payment batches, statements and cases."""

from datetime import timedelta

from flows.claims import claim_batch
from lifecycle.payouts import batches, payees, statements, taking_back
from lifecycle.payouts import commands as payout
from lifecycle.payouts.quarantine import QuarantineFile
from lifecycle.payouts.write_off import WriteOff
from lifecycle.people.commands import AddOrganisation, GrantRole
from models.db import transaction
from models.ids import new_id
from models.states import OrganisationKind, Role, StatementStatus
from tests import factories as make
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.recipes import Made, given, recipe

AMOUNT = pay.AMOUNT


@recipe(
    "payout.request",
    by=Role.FINANCE_OFFICER,
    moves=(("payout", "request", "", "requested"),),
    tells="payout.requested",
)
def request(house: House, count: int) -> Made:
    return [pay.request(house, one) for one in pay.accepted(house, count)]


@recipe("payout.certify", by=Role.CERTIFIER, tells="payout.certified")
def certify(house: House, count: int) -> Made:
    return given(payout.Certify, pay.payouts(house, count), amount_minor=AMOUNT)


@recipe(
    "payout.approve",
    by=Role.FUND_MANAGER,
    moves=(("payout", "approve", "requested", "approved"),),
    tells="payout.approved",
)
def approve(house: House, count: int) -> Made:
    return given(payout.Approve, pay.payouts(house, count), amount_minor=AMOUNT)


@recipe(
    "payout.reapprove",
    by=Role.FUND_MANAGER,
    moves=(("payout", "reapprove", "returned", "approved"),),
    tells="payout.approved",
)
def reapprove(house: House, count: int) -> Made:
    return given(payout.Reapprove, pay.payouts(house, count, state="returned"), amount_minor=AMOUNT)


@recipe("payout.release", by=Role.PAYER, tells="payout.released")
def release(house: House, count: int) -> Made:
    return given(payout.Release, pay.payouts(house, count, state="approved"))


@recipe(
    "payout.reject",
    by=Role.FUND_MANAGER,
    moves=(("payout", "reject", "requested", "rejected"),),
    tells="payout.rejected",
)
def reject(house: House, count: int) -> Made:
    return given(payout.Reject, pay.payouts(house, count), reason="another project's report")


@recipe(
    "payout.send_back",
    by=Role.FUND_MANAGER,
    moves=(("payout", "send_back", "requested", "requested"),),
    tells="payout.sent_back",
)
def send_back(house: House, count: int) -> Made:
    return given(payout.SendBack, pay.payouts(house, count), reason="the invoice is missing")


@recipe(
    "payout.amend",
    by=Role.FINANCE_OFFICER,
    moves=(("payout", "amend", "requested", "requested"),),
    tells="payout.amended",
)
def amend(house: House, count: int) -> Made:
    return given(payout.Amend, pay.payouts(house, count), new_amount_minor=AMOUNT - 1, reason="one fen less")


@recipe(
    "payout.cancel",
    by=Role.FINANCE_OFFICER,
    moves=(("payout", "cancel", "approved", "cancelled"),),
    tells="payout.cancelled",
)
def cancel(house: House, count: int) -> Made:
    return given(payout.Cancel, pay.payouts(house, count, state="approved"), reason="paid by the parent")


@recipe(
    "payout.instruct",
    by=Role.PAYER,
    moves=(("payout", "instruct", "approved", "instructed"),),
    tells="payout.instructed",
)
def instruct(house: House, count: int) -> Made:
    return given(payout.Instruct, pay.payouts(house, count, state="approved"), batch_id=new_id())


@recipe(
    "payout.learn",
    "payout.confirm",
    by=Role.ACCOUNTANT,
    moves=(("payout", "confirm", "instructed", "paid"),),
    tells="payout.paid",
)
def learn(house: House, count: int) -> Made:
    return [pay.word(house, one, "settle") for one in pay.payouts(house, count, state="instructed")]


@recipe("payee_account.propose", by=Role.FINANCE_OFFICER, tells="payee_account.proposed")
def propose_account(house: House, count: int) -> Made:
    """Each of a firm of its own, for which the same person keeps the books."""
    add = (AddOrganisation(command_id=key(), name=f"firm {key()}", kind=OrganisationKind.SME) for _ in range(count))
    firms = make.ids_of(house.do(*add))
    user = house.people[Role.FINANCE_OFFICER].user_id
    grants = (
        GrantRole(command_id=key(), user_id=user, role=Role.FINANCE_OFFICER, organisation_id=firm) for firm in firms
    )
    house.do(*grants)
    return given(payees.ProposeAccount, firms, **pay.ACCOUNT)


@recipe("payee_account.confirm", by=Role.ACCOUNTANT, tells="payee_account.confirmed")
def confirm_account(house: House, count: int) -> Made:
    """Accounts of the firm that a fund of the accountant's has an agreement with."""
    make.agreements(house, 1)
    firm = house.parties["sme"]
    propose = [
        payees.ProposeAccount(
            command_id=key(), organisation_id=firm, **{**pay.ACCOUNT, "account_number": str(int(hashed[-20:], 16))}
        )
        for hashed in (pay.hashed() for _ in range(count))
    ]
    ids = make.ids_of(house.do(*propose, by=Role.FINANCE_OFFICER))
    return given(payees.ConfirmAccount, ids, called="021-5555 0101, Mrs Lin")


@recipe("payee_account.retire", by=Role.FUND_MANAGER, tells="payee_account.retired")
def retire_account(house: House, count: int) -> Made:
    ids = make.ids_of(house.do(*confirm_account(house, count), by=Role.ACCOUNTANT))
    return given(payees.RetireAccount, ids, reason="closed")


@recipe("batch.prepare", by=Role.PAYER, moves=(("batch", "prepare", "", "prepared"),))
def prepare(house: House, count: int) -> Made:
    ids = pay.payouts(house, count, state="approved")
    made = [new_id() for _ in ids]
    pairs = list(zip(ids, made, strict=True))
    house.do(*(payout.Instruct(command_id=key(), payout_id=one, batch_id=batch) for one, batch in pairs))
    return [
        batches.PrepareBatch(
            command_id=key(),
            fund_id=pay.payer_of(house, one),
            batch_id=batch,
            payout_ids=(one,),
            execution_on=house.today,
        )
        for one, batch in pairs
    ]


@recipe("batch.send", by=Role.PAYER, moves=(("batch", "send", "prepared", "sent"),), tells="batch.sent")
def send(house: House, count: int) -> Made:
    return given(batches.Send, pay.batches(house, count), fence=0)


@recipe(
    "batch.doubt",
    "batch.doubt",
    "exception.open",
    by=Role.ACCOUNTANT,
    moves=(("batch", "doubt", "prepared", "unknown"),),
    tells="batch.unknown",
)
def doubt(house: House, count: int) -> Made:
    return given(batches.Doubt, pay.batches(house, count), why="no_answer")


@recipe(
    "batch.find",
    "batch.find",
    "exception.close",
    by=Role.ACCOUNTANT,
    moves=(("batch", "find", "unknown", "sent"),),
)
def find(house: House, count: int) -> Made:
    return given(batches.Find, pay.batches(house, count, state="unknown"), why="it lies in the folder")


@recipe(
    "batch.acknowledge",
    by=Role.ACCOUNTANT,
    moves=(("batch", "acknowledge", "sent", "acknowledged"),),
    tells="batch.acknowledged",
)
def acknowledge(house: House, count: int) -> Made:
    return given(batches.Acknowledge, pay.batches(house, count, state="sent"), bank_ref="R-1")


@recipe(
    "batch.settle",
    by=Role.ACCOUNTANT,
    moves=(("batch", "settle", "acknowledged", "settled"),),
    tells="batch.settled",
)
def settle(house: House, count: int) -> Made:
    ids = pay.batches(house, count, state="acknowledged")
    pay.tell(house, *(pay.payout_of(house, one) for one in ids), kind="settle")
    return given(batches.Settle, ids)


@recipe(
    "batch.take_back",
    "batch.take_back",
    "payout.recall",
    by=Role.PAYER,
    moves=(("batch", "take_back", "prepared", "abandoned"), ("payout", "recall", "instructed", "approved")),
    tells="batch.abandoned",
)
def take_back(house: House, count: int) -> Made:
    ids = pay.batches(house, count)
    with transaction(house.engine) as session:
        fences = {claim_batch(session, one, "payment run", lease=timedelta(0)) for one in ids}
    account = payees.RetireAccount(command_id=key(), payee_account_id=pay.payee(house), reason="fraud")
    house.do(account, by=Role.ACCOUNTANT)
    pay.payee(house)
    house.later(days=7)  # the next account has cooled off when another recipe pays to it
    return given(taking_back.TakeBack, ids, fence=fences.pop())


@recipe(
    "batch.abandon",
    "batch.abandon",
    "payout.recall",
    by=Role.FUND_MANAGER,
    moves=(("batch", "abandon", "unknown", "abandoned"), ("payout", "recall", "instructed", "approved")),
    tells="batch.abandoned",
)
def abandon(house: House, count: int) -> Made:
    return [pay.abandon(house, one) for one in pay.batches(house, count, state="unknown")]


@recipe(
    "payout.adopt",
    "payout.adopt",
    "batch.prepare",
    by=Role.FUND_MANAGER,
    moves=(("payout", "instruct", "approved", "instructed"), ("batch", "prepare", "", "prepared")),
)
def adopt(house: House, count: int) -> Made:
    return [pay.adopt(house, one) for one in pay.payouts(house, count, state="approved")]


@recipe("statement.take", by=Role.ACCOUNTANT)
def take(house: House, count: int) -> Made:
    return [pay.take(pay.fund_of(house, one)) for one in pay.accepted(house, count)]


@recipe(
    "statement.take_lines", "statement.take_lines", "exception.open", by=Role.ACCOUNTANT, tells="statement.unmatched"
)
def take_lines(house: House, count: int) -> Made:
    return given(statements.TakeLines, pay.statements(house, count), first_place=1, found=pay.unexplained(500))


@recipe("statement.compare", by=Role.ACCOUNTANT)
def compare(house: House, count: int) -> Made:
    ids = pay.statements(house, count, opening_minor=0, closing_minor=pay.PAID_IN)
    return given(statements.ComparePosition, ids)


@recipe("statement.complete", by=Role.ACCOUNTANT)
def complete(house: House, count: int) -> Made:
    return given(statements.CompleteStatement, pay.statements(house, count, status=StatementStatus.IMPORTING))


@recipe("statement.write_off", by=Role.ACCOUNTANT)
def write_off(house: House, count: int) -> Made:
    ids = pay.statements(house, count)
    lines = pay.set_aside(house, *ids)
    cases = [pay.case_of(house, one) for one in lines]
    pay.agree(house, *cases, action="write_off")
    return [
        WriteOff(command_id=key(), statement_id=one, statement_line_id=line, exception_id=case, reason="fee")
        for one, line, case in zip(ids, lines, cases, strict=True)
    ]


@recipe(
    "statement.quarantine",
    "statement.quarantine",
    "exception.open",
    by=Role.ACCOUNTANT,
    tells="statement.quarantined",
)
def quarantine(house: House, count: int) -> Made:
    return [
        QuarantineFile(
            command_id=key(), file_name="a.xml", file_sha256=pay.hashed(), code="bank_xml_dtd", detail={"element": "/"}
        )
        for _ in range(count)
    ]


@recipe("exception.propose", by=Role.ACCOUNTANT, tells="exception.proposed")
def propose_way_out(house: House, count: int) -> Made:
    return [pay.propose(pay.case_of(house, one)) for one in pay.batches(house, count, state="unknown")]


@recipe("exception.confirm", by=Role.FUND_MANAGER, tells="exception.closed")
def confirm_way_out(house: House, count: int) -> Made:
    ids = make.ids_of(house.do(*propose_way_out(house, count), by=Role.ACCOUNTANT))
    return [pay.confirm(house, one) for one in ids]
