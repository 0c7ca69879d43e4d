"""Payments for tests by real commands: accounts, payouts and batches in every state, bookings of the bank, cases.

Every payout has a fund, a project and an agreement of its own, so that many can be told something at once.
"""

from typing import Any
from uuid import UUID

from lifecycle.banking.answers import Detail, EntryStatus, StatementLine
from lifecycle.banking.own_ids import end_to_end_id
from lifecycle.exceptions.commands import ConfirmWayOut, ProposeWayOut
from lifecycle.exceptions.proposal import Action, proposal_hash
from lifecycle.milestones.commands import AcceptMilestone
from lifecycle.payouts.adoption import Adopt
from lifecycle.payouts.batches import Abandon, Acknowledge, Doubt, PrepareBatch, Send, Settle
from lifecycle.payouts.commands import Approve, Cancel, Certify, Instruct, Reject, Release, RequestPayout
from lifecycle.payouts.learning import Learn
from lifecycle.payouts.matching import Match, Register, match
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount
from lifecycle.payouts.statements import TakeLines, TakeStatement
from models.db import reading
from models.holds import ExceptionCase
from models.ids import new_id
from models.states import BankEventKind, BankSource, Role
from tests.factories import FUND_ACCOUNT, TODAY, House, agreements, hand_in, ids_of, key, pay_in, reported
from tests.remembered import remembered

AMOUNT = 10_000
"""A hundred yuan: one approval is enough, however many payouts a test makes."""
PAID_IN = 500_000_000
ACCOUNT: dict[str, Any] = {"holder_name": "sme", "account_number": "6222 0202 0011 2233", "bank_code": "ICBKCNBJ"}
STATES = ("requested", "approved", "instructed", "paid", "returned")
BATCHES = ("prepared", "sent", "unknown", "acknowledged", "settled", "abandoned")


def hashed() -> str:
    """Return a SHA-256 that nobody used."""
    return key().replace("-", "") * 2


@remembered
def payee(house: House) -> UUID:
    """Return the confirmed account of the firm, the same one each time."""
    found = house.rows("SELECT id FROM payee_account WHERE status = 'confirmed' ORDER BY usable_on, at")
    if found:
        return UUID(str(found[0].id))
    propose = ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **ACCOUNT)
    (account,) = ids_of(house.do(propose, by=Role.FINANCE_OFFICER))
    confirm = ConfirmAccount(command_id=key(), payee_account_id=account, called="021-5555 0101, Mrs Lin")
    house.do(confirm, by=Role.ACCOUNTANT)
    return account


@remembered
def accepted(house: House, count: int = 1, *, pack: str = "funded", **terms: Any) -> list[UUID]:
    """Return first tranches, accepted, of agreements whose funds have five million yuan each."""
    ids = agreements(house, count, pack=pack, **terms)
    made = reported(house, *ids)
    house.do(*(AcceptMilestone(command_id=key(), milestone_id=one, reason="seen") for one in made), by=Role.CERTIFIER)
    pay_in(house, *(fund_of(house, one) for one in made), amount_minor=PAID_IN)
    return made


def fund_of(house: House, milestone: UUID) -> UUID:
    """Return the fund that a tranche is paid from."""
    agreement = house.one("SELECT agreement_id FROM v_milestone WHERE id = :id", id=str(milestone))
    return UUID(house.one("SELECT fund_id FROM v_agreement WHERE id = :id", id=agreement))


def payer_of(house: House, payout: UUID) -> UUID:
    """Return the fund that a payout is paid from."""
    return UUID(house.one("SELECT fund_id FROM v_payout WHERE id = :id", id=str(payout)))


def request(house: House, milestone: UUID, *, amount_minor: int = AMOUNT, **more: Any) -> RequestPayout:
    """Return the command that asks for money of a tranche."""
    account = more.pop("payee_account_id", None) or payee(house)
    asked: dict[str, Any] = {"milestone_id": milestone, "payee_account_id": account, "new_amount_minor": amount_minor}
    return RequestPayout(command_id=key(), **asked, **more)


@remembered
def payouts(
    house: House, count: int = 1, *, state: str = "requested", pack: str = "funded", amount_minor: int = AMOUNT
) -> list[UUID]:
    """Return payouts in a state, as the commands of all who take part lead there; `released` waits for the bank."""
    asked = [request(house, one, amount_minor=amount_minor) for one in accepted(house, count, pack=pack)]
    made = ids_of(house.do(*asked, by=Role.FINANCE_OFFICER))
    match state:
        case "rejected":
            house.do(*(Reject(command_id=key(), payout_id=one, reason="no") for one in made), by=Role.FUND_MANAGER)
        case "cancelled":
            house.do(*(Cancel(command_id=key(), payout_id=one, reason="no") for one in made), by=Role.FINANCE_OFFICER)
        case "released":
            approve(house, *made, amount_minor=amount_minor)
            release(house, *made)
        case _:
            _on_the_way(house, made, state, amount_minor)
    return made


def minutes_of(house: House, *payout_ids: UUID) -> list[str]:
    """File a committee's minute for the project of each payout; return the SHA-256 of each."""
    sql = "SELECT project_id FROM v_payout WHERE id = :id"
    projects = (UUID(house.one(sql, id=str(one))) for one in payout_ids)
    made = hand_in(house, *projects, type="minute", title="committee")
    return [str(house.one("SELECT sha256 FROM v_evidence WHERE id = :id", id=str(one))) for one in made]


def _on_the_way(house: House, made: list[UUID], state: str, amount_minor: int) -> None:
    steps = STATES.index(state)
    if steps >= 1:
        approve(house, *made, amount_minor=amount_minor)
    if steps >= 2:
        instruct(house, *made)
    if steps >= 3:
        tell(house, *made, kind="settle")
    if steps >= 4:
        tell(house, *made, kind="return")


def certify(house: House, *ids: UUID, amount_minor: int = AMOUNT) -> None:
    """Certify payouts as correct."""
    house.do(*(Certify(command_id=key(), payout_id=one, amount_minor=amount_minor) for one in ids), by=Role.CERTIFIER)


def approve(house: House, *ids: UUID, amount_minor: int = AMOUNT, by: str = Role.FUND_MANAGER) -> None:
    """Approve payouts."""
    house.do(*(Approve(command_id=key(), payout_id=one, amount_minor=amount_minor) for one in ids), by=by)


def release(house: House, *ids: UUID) -> None:
    """Let the next payment run take payouts."""
    house.do(*(Release(command_id=key(), payout_id=one) for one in ids), by=Role.PAYER)


def instruct(house: House, *ids: UUID) -> list[UUID]:
    """Put each approved payout into a prepared batch of its own; return the batches."""
    made = [new_id() for _ in ids]
    prepare = [
        PrepareBatch(
            command_id=key(),
            fund_id=payer_of(house, one),
            batch_id=batch,
            payout_ids=(one,),
            execution_on=house.today,
        )
        for one, batch in zip(ids, made, strict=True)
    ]
    house.do(*(Instruct(command_id=key(), payout_id=one, batch_id=b) for one, b in zip(ids, made, strict=True)))
    house.do(*prepare)
    return made


@remembered
def batches(house: House, count: int = 1, *, state: str = "prepared") -> list[UUID]:
    """Return batches of one payout each, in a state."""
    made = instruct(house, *payouts(house, count, state="approved"))
    if state in ("sent", "acknowledged", "settled"):
        house.do(*(Send(command_id=key(), batch_id=one, fence=0) for one in made))
    if state in ("unknown", "abandoned"):
        house.do(*(Doubt(command_id=key(), batch_id=one, why="no_answer") for one in made))
    if state == "acknowledged":
        house.do(*(Acknowledge(command_id=key(), batch_id=one) for one in made))
    if state == "settled":
        tell(house, *(payout_of(house, one) for one in made), kind="settle")
        house.do(*(Settle(command_id=key(), batch_id=one) for one in made))
    if state == "abandoned":
        for one in made:
            house.do(abandon(house, one), by=Role.FUND_MANAGER)
    return made


def payout_of(house: House, batch: UUID) -> UUID:
    """Return the payout of a batch."""
    return UUID(house.one("SELECT payout_id FROM v_instruction WHERE batch_id = :id", id=str(batch)))


def case_of(house: House, about: UUID) -> UUID:
    """Return the open case about something."""
    return UUID(house.one("SELECT id FROM v_exception WHERE object_id = :id AND closed_at IS NULL", id=str(about)))


def propose(case: UUID, action: str = "abandon_batch", **more: Any) -> ProposeWayOut:
    """Return the command that proposes a way out of a case."""
    file = {"evidence_sha256": hashed(), "file_name": "letter.pdf", "size_bytes": 1}
    said = {"reason": "the bank wrote", **file, **more}
    return ProposeWayOut(command_id=key(), exception_id=case, action=Action(action), **said)


def agree(house: House, *cases: UUID, action: str = "abandon_batch", **more: Any) -> None:
    """Have two people agree on a way out of cases; what follows from it is not done yet."""
    house.do(*(propose(one, action, **more) for one in cases), by=Role.ACCOUNTANT)
    house.do(*(confirm(house, one, action) for one in cases), by=Role.FUND_MANAGER)


def confirm(house: House, case: UUID, action: str = "abandon_batch", **more: Any) -> ConfirmWayOut:
    """Return the command that agrees to what is proposed for a case."""
    said = {"action": Action(action), "proposal_hash": seen(house, case), **more}
    return ConfirmWayOut(command_id=key(), exception_id=case, **said)


def seen(house: House, case: UUID) -> str:
    """Return the hash of what is proposed for a case; of nothing where nothing is."""
    with reading(house.engine) as session:
        row = session.get(ExceptionCase, case)
        return proposal_hash(row) or "-"


def abandon(house: House, batch: UUID) -> Abandon:
    """Return the command that gives up a batch on which two people have agreed."""
    case = case_of(house, batch)
    agree(house, case)
    return Abandon(command_id=key(), batch_id=batch, reason="the bank wrote", exception_id=case)


def lost(house: House, payout: UUID, amount_minor: int = -AMOUNT) -> UUID:
    """Have the bank book a payment under an id of ours that a restored database does not know; return its case."""
    end = lost_end(house, payout)
    found = tuple(match([booked(amount_minor, end)], Register(currency="CNY")))
    (statement,) = ids_of(house.do(take(payer_of(house, payout))))
    (answer,) = house.do(TakeLines(command_id=key(), statement_id=statement, first_place=1, found=found))
    return case_of(house, UUID(answer["line_ids"][0]))


def lost_end(house: House, payout: UUID) -> str:
    """Return the id under which what this database was restored from has paid a payout."""
    number = str(house.one("SELECT number FROM v_payout WHERE id = :id", id=str(payout)))
    other = "ABCD" if house.one("SELECT epoch FROM installation") != "ABCD" else "DCBA"
    return end_to_end_id(other, number, 1)


def adopt(house: House, payout: UUID) -> Adopt:
    """Return the command that takes a lost payment up on which two people have agreed."""
    case = lost(house, payout)
    agree(house, case, action="adopt")
    end, batch = lost_end(house, payout), new_id()
    named: dict[str, Any] = {"end_to_end_id": end, "execution_on": house.today, "exception_id": case}
    return Adopt(command_id=key(), payout_id=payout, batch_id=batch, **named)


def word(house: House, payout: UUID, kind: str, **more: Any) -> Learn:
    """Return what the bank says of the newest instruction of a payout."""
    sql = "SELECT id, amount_minor FROM v_instruction WHERE payout_id = :id ORDER BY attempt DESC"
    instruction = house.rows(sql, id=str(payout))[0]
    said: dict[str, Any] = {
        "source": BankSource.CAMT053,
        "amount_minor": instruction.amount_minor,
        "bank_ref": key(),
        "content_hash": hashed(),
    }
    return Learn(
        command_id=key(),
        payout_id=payout,
        instruction_id=UUID(instruction.id),
        kind=BankEventKind(kind),
        **{**said, **more},
    )


def tell(house: House, *ids: UUID, kind: str, **more: Any) -> None:
    """Have the bank say something of payouts."""
    house.do(*(word(house, one, kind, **more) for one in ids))


def booked(amount_minor: int, end_to_end_id: str | None = None, **more: Any) -> StatementLine:
    """Return a booking of the bank; a debit is negative."""
    detail = Detail(end_to_end_id=end_to_end_id, amount_minor=amount_minor, currency="CNY") if end_to_end_id else None
    usual: dict[str, Any] = {
        "position": 1,
        "line_ref": "1",
        "status": EntryStatus.BOOKED,
        "currency": "CNY",
        "booked_on": TODAY,
        "details": (detail,) if detail else (),
        "content_hash": hashed(),
    }
    return StatementLine(amount_minor=amount_minor, **{**usual, **more})


def unexplained(amount_minor: int, **more: Any) -> tuple[Match, ...]:
    """Return what becomes of a booking that names nothing."""
    return tuple(match([booked(amount_minor, **more)], Register(currency="CNY")))


def take(fund: UUID, **more: Any) -> TakeStatement:
    """Return the command that writes the head of a statement down."""
    usual: dict[str, Any] = {
        "source": BankSource.CAMT053,
        "account_number": FUND_ACCOUNT,
        "statement_ref": key(),
        "file_name": "camt.xml",
        "file_sha256": hashed(),
        "currency": "CNY",
    }
    return TakeStatement(command_id=key(), fund_id=fund, **{**usual, **more})


def statements(house: House, count: int = 1, **more: Any) -> list[UUID]:
    """Return statements, each of a fund of its own with five million yuan."""
    funds = [fund_of(house, one) for one in accepted(house, count)]
    return ids_of(house.do(*(take(one, **more) for one in funds)))


def set_aside(house: House, *statement_ids: UUID, amount_minor: int = -1_200) -> list[UUID]:
    """Write a booking that nothing explains into each statement; return the lines."""
    found = unexplained(amount_minor)
    lines = (TakeLines(command_id=key(), statement_id=one, first_place=1, found=found) for one in statement_ids)
    return [UUID(answer["line_ids"][0]) for answer in house.do(*lines)]


def credited(house: House, fund: UUID, amount_minor: int) -> UUID:
    """Have money come in at a fund's bank that nothing explains; return its booking."""
    (statement,) = ids_of(house.do(take(fund)))
    return set_aside(house, statement, amount_minor=amount_minor)[0]
