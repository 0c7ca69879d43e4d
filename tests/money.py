"""Money for tests: a fund with its accounts, an agreement, payouts in every state, written as the engine writes them.

No verb is asked whether it may: the acts go straight into the journal, so the rows are sound in every other way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlmodel import Session

from lifecycle import journal
from lifecycle.commands import REGISTRY, Act, Effects, Task
from lifecycle.installation import write_edges
from lifecycle.ledger.accounts import accounts_of, new_accounts
from lifecycle.ledger.entries import Sealed, entry
from lifecycle.people.commands import AddOrganisation
from models.agreements import Agreement, Milestone
from models.base import Row, Subject
from models.db import transaction
from models.funds import Contribution, Fund, FundSource
from models.holds import ExceptionCase
from models.ids import new_id
from models.payouts import Approval, PayeeAccount, PaymentBatch, PaymentInstruction, Payout
from models.statements import BankEvent, BankStatement, StatementLine
from models.states import AccountKind, OrganisationKind, PostingKind, Role
from models.tables import object_type_of
from tests.factories import House, a_project, key
from tests.remembered import remembered

Move: TypeAlias = tuple[str, str, str]
"""Event, from, to."""

_REQUESTED: tuple[Move, ...] = (("request", "", "requested"),)
_APPROVED: tuple[Move, ...] = (*_REQUESTED, ("approve", "requested", "approved"))
_INSTRUCTED: tuple[Move, ...] = (*_APPROVED, ("instruct", "approved", "instructed"))
_PAID: tuple[Move, ...] = (*_INSTRUCTED, ("confirm", "instructed", "paid"))
PAYOUT: Mapping[str, tuple[Move, ...]] = {
    "requested": _REQUESTED,
    "rejected": (*_REQUESTED, ("reject", "requested", "rejected")),
    "cancelled": (*_REQUESTED, ("cancel", "requested", "cancelled")),
    "approved": _APPROVED,
    "instructed": _INSTRUCTED,
    "paid": _PAID,
    "returned": (*_PAID, ("bounce", "paid", "returned")),
    "recalled": (*_INSTRUCTED, ("recall", "instructed", "approved")),
}
_PREPARED: Move = ("prepare", "", "prepared")
_SENT: Move = ("send", "prepared", "sent")
BATCH: Mapping[str, tuple[Move, ...]] = {
    "prepared": (_PREPARED,),
    "sent": (_PREPARED, _SENT),
    "unknown": (_PREPARED, ("doubt", "prepared", "unknown")),
    "acknowledged": (_PREPARED, _SENT, ("acknowledge", "sent", "acknowledged")),
    "settled": (_PREPARED, _SENT, ("settle", "sent", "settled")),
    "abandoned": (_PREPARED, ("abandon", "prepared", "abandoned")),
}
_MILESTONE: Sequence[Move] = (
    ("plan", "", "planned"),
    ("submit", "planned", "submitted"),
    ("accept", "submitted", "accepted"),
)
_WAIVED: Sequence[Move] = (("plan", "", "planned"), ("waive", "planned", "waived"))
_ARROWS = {
    "payout": {move for path in PAYOUT.values() for move in path},
    "batch": {move for path in BATCH.values() for move in path},
    "milestone": {*_MILESTONE, *_WAIVED},
}
ACCOUNT = "6222020200000000001"
AMOUNT = 7_000


@dataclass(slots=True)
class Money:
    """A fund with what hangs on it."""

    house: House
    fund_id: UUID
    source_id: UUID
    accounts: Mapping[AccountKind, Any]
    project_id: UUID | None = None
    agreement_id: UUID | None = None
    payee_id: UUID | None = None
    milestones: list[UUID] = field(default_factory=list)

    def entry(self, kind: PostingKind, amount_minor: int, **of: Any) -> Sealed:
        """Return the two postings of an entry of this fund."""
        return entry(kind, amount_minor, self.accounts, new_id=new_id, **of)

    def fund_act(self, *sealed: tuple[type[Row], Mapping[str, Any]]) -> Act:
        """Return an act on the fund, as it is now, that writes these rows."""
        with Session(self.house.engine) as session:
            row = session.get_one(Fund, self.fund_id)
        return Act(table=Fund, object_type="fund", id=self.fund_id, action="fund.book", row=row, sealed=tuple(sealed))

    def balance(self, kind: AccountKind) -> int:
        """Return the kept balance of one of its accounts."""
        return int(self.house.one("SELECT balance_minor FROM v_account WHERE id = :id", id=str(self.accounts[kind].id)))


def write(house: House, *acts: Act, rows: tuple[tuple[type[Row], Mapping[str, Any]], ...] = ()) -> None:
    """Write acts as the engine would, without asking whether they may happen."""
    with transaction(house.engine) as session:
        write_in(session, house, *acts, rows=rows)


def write_in(
    session: Session, house: House, *acts: Act, rows: tuple[tuple[type[Row], Mapping[str, Any]], ...] = ()
) -> None:
    """Do the same in a transaction that stays open."""
    command = AddOrganisation(command_id=key(), name="any", kind=OrganisationKind.SME)
    done = journal.Done(REGISTRY[AddOrganisation], Task(command=command), Effects(acts=acts, rows=rows))
    journal.write(session, [done], house.stamp())


def born(table: type[Subject], subject: UUID, values: Mapping[str, Any], *sealed: Any, action: str = "add") -> Act:
    """Return the act with which a subject comes to be."""
    name = object_type_of(str(table.__tablename__))
    return Act(table=table, object_type=name, id=subject, action=f"{name}.{action}", values=values, sealed=sealed)


def moved(table: type[Subject], subject: UUID, path: Sequence[Move], values: Mapping[str, Any]) -> list[Act]:
    """Return one act per arrow of a path; the first is the birth."""
    name = object_type_of(str(table.__tablename__))
    return [
        Act(
            table=table,
            object_type=name,
            id=subject,
            action=f"{name}.{event}",
            event=event,
            from_state=source,
            to_state=target,
            values=values,
        )
        for event, source, target in path
    ]


def with_sealed(act: Act, *sealed: Any) -> Act:
    """Return the same act with rows that only grow."""
    return replace(act, sealed=sealed)


def a_fund(house: House, *, code: str = "F1", paid_in: int = 1_000_000) -> Money:
    """Return an active fund whose single source has paid in."""
    fund_id, source_id = new_id(), new_id()
    shared = {AccountKind(row.kind) for row in house.rows("SELECT kind FROM v_account WHERE fund_id IS NULL")}
    with transaction(house.engine) as session:
        write_edges(session, ((kind, 1, *move) for kind, moves in _ARROWS.items() for move in moves))
    values = {
        "code": code,
        "name": code,
        "organisation_id": house.parties["funder"],
        "currency": "CNY",
        "commitment_minor": paid_in,
        "status": "active",
        "debtor_name": "基金",
        "debtor_account": f"{ACCOUNT}{code}",
        "debtor_bank": "102100099996",
        "created_at": house.now,
    }
    write(
        house,
        born(Fund, fund_id, values),
        rows=new_accounts(fund_id, code, "CNY", shared, new_id),
    )
    with Session(house.engine) as session:
        accounts = accounts_of(session, [fund_id])[fund_id]
    money = Money(house, fund_id, source_id, accounts)
    source = {
        "fund_id": fund_id,
        "organisation_id": house.parties["funder"],
        "kind": "state",
        "committed_minor": paid_in,
        "called_minor": paid_in,
        "paid_in_minor": paid_in,
    }
    paid = money.entry(PostingKind.FUND_IN, paid_in)
    contribution = {
        "id": new_id(),
        "fund_id": fund_id,
        "source_id": source_id,
        "amount_minor": paid_in,
        "received_on": house.today,
        "entry_id": paid[0][1]["entry_id"],
        "at": house.now,
    }
    write(house, born(FundSource, source_id, source, *paid), rows=((Contribution, contribution),))
    return money


def an_agreement(money: Money, *, tranches: int = 10) -> None:
    """Give the fund a project, an agreement over accepted tranches of 7,000 each and a waived one, and a payee."""
    house = money.house
    money.project_id, money.agreement_id, money.payee_id = a_project(house), new_id(), new_id()
    money.milestones = [new_id() for _ in range(tranches + 1)]
    agreement = {
        "number": f"A-{key()[-8:]}",
        "project_id": money.project_id,
        "fund_id": money.fund_id,
        "amount_minor": tranches * AMOUNT,
        "currency": "CNY",
        "rate_basis_points": 7000,
        "payment_days": 30,
        "own_money_minor": 0,
        "starts_on": house.today,
        "signed_on": house.today,
        "status": "active",
        "created_at": house.now,
    }
    payee = {
        "organisation_id": house.parties["sme"],
        "holder_name": "甲公司",
        "account_number": "6222020200000000002",
        "bank_code": "102100099996",
        "payee_hash": "a" * 64,
        "status": "confirmed",
        "proposed_by": house.people[Role.FINANCE_OFFICER].user_id,
        "confirmed_by": house.people[Role.CERTIFIER].user_id,
        "at": house.now,
    }
    acts = [born(Agreement, money.agreement_id, agreement), born(PayeeAccount, money.payee_id, payee)]
    for number, milestone in enumerate(money.milestones, start=1):
        is_waived = number > tranches
        values = {
            "project_id": money.project_id,
            "agreement_id": money.agreement_id,
            "fund_id": money.fund_id,
            "number": number,
            "tranche": f"T{number}",
            "amount_minor": AMOUNT,
            "currency": "CNY",
            "state": "waived" if is_waived else "accepted",
        }
        acts += moved(Milestone, milestone, _WAIVED if is_waived else _MILESTONE, values)
    write(house, *acts)


def a_payout(money: Money, state: str, *, batch: str = "settled", place: int = 0) -> UUID:
    """Return a payout of a tranche in this state; what the bank was told lies in a batch of this state.

    `recalled` is approved again after its batch was abandoned.
    """
    house, payout, instruction = money.house, new_id(), new_id()
    requester, certifier, approver = (
        house.people[role].user_id for role in (Role.FINANCE_OFFICER, Role.CERTIFIER, Role.FUND_DIRECTOR)
    )
    values = {
        "number": f"PO-{key()[-8:]}",
        "purpose": "milestone",
        "project_id": money.project_id,
        "agreement_id": money.agreement_id,
        "milestone_id": money.milestones[place],
        "fund_id": money.fund_id,
        "payee_account_id": money.payee_id,
        "amount_minor": AMOUNT,
        "currency": "CNY",
        "state": "approved" if state == "recalled" else state,
        "payload_hash": "b" * 64,
        "requested_by": requester,
        "approvals_needed": 1,
        "created_at": house.now,
    }
    said = [
        (Approval, {"payout_id": payout, "approver_id": who, "decision": word, "payload_hash": "b" * 64, "role": role})
        for who, word, role in ((certifier, "certify", Role.CERTIFIER), (approver, "approve", Role.FUND_DIRECTOR))
    ]
    of = {"payout_id": payout}
    sealed: dict[str, list[Any]] = {"approve": [*said, *money.entry(PostingKind.RESERVE, AMOUNT, **of)]}
    acts, rows = moved(Payout, payout, PAYOUT[state], values), []
    if any(act.event == "instruct" for act in acts):
        more, batch_id = _a_batch(money, batch)
        acts += more
        status = {"returned": "returned", "recalled": "abandoned"}.get(state, batch)
        rows.append((PaymentInstruction, _instruction(money, instruction, payout, batch_id, status)))
    for event, kind, word in (("confirm", PostingKind.POST, "settle"), ("bounce", PostingKind.RETURN, "return")):
        if any(act.event == event for act in acts):
            line, told, more_rows = _a_statement(money, -AMOUNT if word == "settle" else AMOUNT)
            acts, rows = [*acts, told], [*rows, *more_rows]
            said_by_bank = bank_event(word, instruction_id=instruction, statement_line_id=line)
            sealed[event] = [said_by_bank, *money.entry(kind, AMOUNT, is_of_bank_event=True, **of)]
    write(house, *(with_sealed(act, *sealed.get(str(act.event), ())) for act in acts), rows=tuple(rows))
    return payout


def bank_event(kind: str, **more: Any) -> tuple[type[Row], Mapping[str, Any]]:
    """Return what the bank said of an instruction."""
    return BankEvent, {
        "source": "camt053",
        "bank_ref": key(),
        "kind": kind,
        "amount_minor": AMOUNT,
        "currency": "CNY",
        "content_hash": "c" * 64,
        "effect": "applied",
        **more,
    }


def money_from_nowhere(money: Money, amount: int = 500) -> UUID:
    """Book a credit that nobody knows; it lies in suspense and waits for two people. Return its case."""
    line, told, rows = _a_statement(money, amount, status="exception")
    credit = bank_event("credit", statement_line_id=line, amount_minor=amount, effect="suspense")
    case = new_id()
    opened = {
        "kind": "unmatched",
        "object_type": "statement_line",
        "object_id": line,
        "fund_id": money.fund_id,
        "opened_at": money.house.now,
    }
    entry_of_it = money.entry(PostingKind.SUSPENSE, amount, is_of_bank_event=True)
    write(
        money.house,
        with_sealed(told, credit, *entry_of_it),
        born(ExceptionCase, case, opened, action="open"),
        rows=rows,
    )
    return case


@remembered
def money_in_every_state(house: House) -> Money:
    """Return a fund with a payout in every state, a batch in every state, and money from nowhere."""
    money = a_fund(house)
    an_agreement(money)
    places = iter(range(10))
    for state in ("requested", "rejected", "cancelled", "approved"):
        a_payout(money, state, place=next(places))
    for batch in ("prepared", "sent", "unknown", "acknowledged"):
        a_payout(money, "instructed", batch=batch, place=next(places))
    place = next(places)
    a_payout(money, "paid", place=place)
    a_payout(money, "returned", place=place)
    a_payout(money, "recalled", batch="abandoned", place=next(places))
    money_from_nowhere(money)
    return money


def _a_batch(money: Money, state: str) -> tuple[list[Act], UUID]:
    batch, name = new_id(), key()[-12:]
    values = {
        "number": name,
        "msg_id": f"M{name}",
        "state": state,
        "fund_id": money.fund_id,
        "format": "pain001",
        "debtor_name": "基金",
        "debtor_account": ACCOUNT,
        "debtor_bank": "102100099996",
        "execution_on": money.house.today + timedelta(days=1),
        "instruction_count": 1,
        "total_minor": AMOUNT,
        "currency": "CNY",
        "file_name": f"M{name}.xml",
        "file_sha256": "d" * 64,
        "created_at": money.house.now,
        "sent_at": None if state in ("prepared", "abandoned") else money.house.now,
    }
    return moved(PaymentBatch, batch, BATCH[state], values), batch


def _instruction(money: Money, instruction: UUID, payout: UUID, batch: UUID, status: str) -> dict[str, Any]:
    return {
        "id": instruction,
        "payout_id": payout,
        "batch_id": batch,
        "attempt": 1,
        "end_to_end_id": f"E{key()[-12:]}",
        "amount_minor": AMOUNT,
        "currency": "CNY",
        "holder_name": "甲公司",
        "account_number": "6222020200000000002",
        "bank_code": "102100099996",
        "payee_hash": "a" * 64,
        "payload_hash": "b" * 64,
        "approvals_needed": 1,
        "remittance": "T1",
        "status": status,
        "created_at": money.house.now,
    }


def _a_statement(money: Money, amount: int, status: str = "matched") -> tuple[UUID, Act, tuple[Any, ...]]:
    statement, line = new_id(), new_id()
    values = {
        "source": "camt053",
        "account_number": ACCOUNT,
        "fund_id": money.fund_id,
        "statement_ref": key(),
        "opening_minor": 100_000,
        "closing_minor": 100_000 + amount,
        "currency": "CNY",
        "file_name": "statement.xml",
        "file_sha256": "e" * 64,
        "status": "imported",
        "at": money.house.now,
    }
    booked = {
        "id": line,
        "statement_id": statement,
        "line_ref": "1",
        "amount_minor": amount,
        "currency": "CNY",
        "booked_on": money.house.today,
        "content_hash": key().replace("-", "") * 2,
        "status": status,
        "at": money.house.now,
    }
    return line, born(BankStatement, statement, values, action="import"), ((StatementLine, booked),)
