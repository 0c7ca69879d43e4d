"""What the bank says of one instruction, written down: events, entries, the payout's move, a case where it misfits.

A fact from outside is recorded, never refused; only what people say instead of the bank needs two of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.chart import about_input, decide
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.cases import explained, opened_case, put_by_the_bank, set_aside_by, set_aside_of
from lifecycle.ledger.entries import Accounts, Sealed, entry
from lifecycle.payouts.after_all import Room, room_of
from lifecycle.payouts.chart import OBJECT_TYPE, VERSION, PayoutChart
from lifecycle.payouts.matching import FEE_NOT_COVERED
from lifecycle.payouts.outcomes import Known, Outcome, Said, Step, outcome, tellings
from lifecycle.payouts.owing import Lowered, lowered_by, set_off_by_return
from lifecycle.payouts.payload import Payload, seen
from lifecycle.payouts.reopening import reopened, to_reopen
from models.funds import Fund
from models.holds import ExceptionCase, Hold
from models.money import said
from models.payouts import PaymentInstruction, Payout
from models.reading import Groups, rows_by
from models.statements import BankEvent, StatementLine
from models.states import (
    DEAD,
    AccountKind,
    BankEffect,
    BankEventKind,
    BankSource,
    InstructionStatus,
    PayoutState,
    PostingKind,
)

HOLD_DAYS = 3650
"""A contradiction holds the fund until two people lift it, not until a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learn(Command):
    """The bank, or two people with its written word, say something of one instruction."""

    payout_id: UUID
    instruction_id: UUID
    source: BankSource
    kind: BankEventKind
    amount_minor: int = 0
    bank_ref: str | None = None
    statement_line_id: UUID | None = None
    booked_on: date | None = None
    """The day of the bank's booking: that day the promise was kept, whenever its statement came (F21)."""
    content_hash: str = ""
    reason: str | None = None
    exception_id: UUID | None = None
    """The case in which two people agreed, where they say it and not the bank."""
    set_aside_minor: int = 0
    """What a booking that two people now explain had set aside (a debit negative): it is taken out of suspense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnFacts:
    """A word of the bank, the instruction it speaks of, and what is known of that already."""

    command: Learn
    stamp: Stamp
    payout: Any
    project: Any
    fund: Any
    instruction: Any
    """None where the command names none of this payout."""
    others_alive: int = 0
    """How many other attempts to pay this payout may still pay, or have paid."""
    accounts: Accounts
    result: Outcome
    available_minor: int = 0
    """Money of the fund that is free, less what earlier words of the same batch took."""
    fund_is_held: bool = False
    """What the bank said before holds the fund already."""
    room: Room | None = None
    """What its tranche holds beside the others, of a payout that was given up; None of one that is live."""
    case: Any = None
    line: Any = None
    """The booking that two people explain."""
    closed_agreement: Any = None
    """The agreement that is over and opens again, because money of it comes back."""
    lowered: tuple[Lowered, ...] = ()
    """Debts of the firm under the agreement that go beyond what it still has, once this money is back."""
    aside_minor: int = 0
    """What of it lies in suspense still, for this case; a debit negative."""
    is_said: bool = False
    """What the two people of this case say of the instruction is written down already."""
    is_heard: bool = False
    """This very word of the bank is written down already."""

    @property
    def content_hash(self) -> str:
        """Name the word: what the bank wrote, or the case in which two people agreed."""
        return self.command.content_hash if self.case is None else _case_hash(self.case.id)

    def next_hash(self) -> str:
        """Return the hash of the same request under its next revision: what was approved before counts no more."""
        payout = self.payout
        payload = Payload(
            payout_id=payout.id,
            revision=payout.revision + 1,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            fund_id=payout.fund_id,
            milestone_id=payout.milestone_id,
            payee_hash=self.instruction.payee_hash,
            evidence=tuple(payout.evidence),
        )
        return payload.sha256


def learn_facts(session: Session, tasks: Sequence[Task[Learn]], stamp: Stamp) -> list[LearnFacts]:
    """Read the instructions, what was applied to them, and the accounts of their funds."""
    wanted = [task.command.instruction_id for task in tasks]
    attempts = rows_by(session, PaymentInstruction, "payout_id", [task.row.id for task in tasks], "attempt")
    events = rows_by(session, BankEvent, "instruction_id", wanted, "seq")
    ledger = accounts_of(session, {task.fund.id for task in tasks})
    holds = rows_by(session, Hold, "object_id", {task.fund.id for task in tasks})
    agreed = [task.command.exception_id for task in tasks]
    cases = rows_by(session, ExceptionCase, "id", [key for key in agreed if key is not None])
    named = [task.command.statement_line_id for task in tasks if task.command.set_aside_minor]
    lines = rows_by(session, StatementLine, "id", [key for key in named if key is not None])
    aside = set_aside_by(session, lines) if lines else {}
    held = {key for key, rows in holds.items() if put_by_the_bank(rows)}
    spoken_of = [
        next((row for row in attempts.get(task.row.id, ()) if row.id == task.command.instruction_id), None)
        for task in tasks
    ]
    results = [_outcome(task.command, row, events) for task, row in zip(tasks, spoken_of, strict=True)]
    after_all = [task.row for task, one in zip(tasks, results, strict=True) if _is_after_all(one)]
    room = room_of(session, after_all)
    reopens = to_reopen(session, [task for task, one in zip(tasks, results, strict=True) if one.returned_minor])
    returns = [one.returned_minor for one in results]
    lowered = lowered_by(session, [task.row for task in tasks], [one.more_paid_minor for one in results], returns)
    taken: dict[UUID, int] = {}
    facts = []
    for place, (task, instruction, result) in enumerate(zip(tasks, spoken_of, results, strict=True)):
        command, fund = task.command, task.fund.id
        of_payout = attempts.get(task.row.id, ())
        case = next(iter(cases.get(command.exception_id, ())), None) if command.exception_id else None
        said = events.get(command.instruction_id, ()) if case is not None else ()
        facts.append(
            LearnFacts(
                command=command,
                stamp=stamp,
                payout=task.row,
                project=task.project,
                fund=task.fund,
                instruction=instruction,
                others_alive=sum(row is not instruction and row.status not in DEAD for row in of_payout),
                accounts=ledger[fund],
                result=result,
                available_minor=ledger[fund][AccountKind.AVAILABLE].balance_minor - taken.get(fund, 0),
                fund_is_held=fund in held,
                room=room.get(task.row.id),
                case=case,
                line=next(iter(lines.get(command.statement_line_id, ())), None) if command.statement_line_id else None,
                closed_agreement=reopens.get(task.row.id) if result.returned_minor else None,
                lowered=lowered.get(place, ()),
                aside_minor=0 if case is None else set_aside_of(case, aside),
                is_said=case is not None and any(row.content_hash == _case_hash(case.id) for row in said),
                is_heard=any(_is_the_same(row, command) for row in events.get(command.instruction_id, ())),
            )
        )
        if result.holds_fund:
            held.add(fund)
        if command.kind == BankEventKind.FEE:
            taken[fund] = taken.get(fund, 0) + command.amount_minor
    return facts


def _is_after_all(result: Outcome) -> bool:
    return any(step.is_after_rejection for step in result.steps)


def _case_hash(case_id: UUID) -> str:
    return sha256(f"case:{case_id}")


def _is_the_same(row: Any, command: Learn) -> bool:
    """Say whether a word of the bank is this one: one without a reference of the bank's own is told from no other."""
    ours = (command.source, command.bank_ref, command.kind, command.content_hash)
    return command.bank_ref is not None and ours == (row.source, row.bank_ref, row.kind, row.content_hash)


def _outcome(command: Learn, instruction: Any, events: Groups) -> Outcome:
    if instruction is None:
        return Outcome(steps=(), status=InstructionStatus.PREPARED)
    rows = events.get(instruction.id, [])
    known = Known(
        amount_minor=instruction.amount_minor,
        status=InstructionStatus(instruction.status),
        applied=tuple(_said(row) for row in rows if row.effect == BankEffect.APPLIED),
        told=tellings((_said(row), row.effect) for row in rows),
    )
    said = Said(source=command.source, kind=command.kind, amount_minor=command.amount_minor, bank_ref=command.bank_ref)
    return outcome(known, said)


def _said(row: Any) -> Said:
    return Said(source=row.source, kind=row.kind, amount_minor=row.amount_minor, bank_ref=row.bank_ref)


@about_input
def of_this_payout(facts: LearnFacts) -> tuple[Unmet, ...]:
    """What is said is said of an attempt to pay this payout."""
    return () if facts.instruction is not None else (unmet("not_found", ref=str(facts.command.instruction_id)),)


@about_input
def heard_once(facts: LearnFacts) -> tuple[Unmet, ...]:
    """A word of the bank counts once, whoever brings it again."""
    return (unmet("already_exists", field="bank_ref", value=facts.command.bank_ref),) if facts.is_heard else ()


@about_input
def two_agreed(facts: LearnFacts) -> tuple[Unmet, ...]:
    """What people say instead of the bank, one of them proposed with its written word and another confirmed."""
    if facts.command.source != BankSource.PEOPLE:
        return ()
    ok = facts.case is not None and facts.case.confirmed_by is not None
    return () if ok else (unmet("two_people_missing"),)


def only_one_pays(facts: LearnFacts) -> tuple[Unmet, ...]:
    """A dead attempt was settled after all: no other one may be alive, and what is asked for since is the same sum.

    Where the payout was given up meanwhile, its tranche has room for it beside what was asked for since.
    """
    if not _is_after_all(facts.result):
        return ()
    if facts.others_alive:
        return (unmet("batch_may_be_alive", count=facts.others_alive),)
    payout, room = facts.payout, facts.room
    if payout.amount_minor != facts.instruction.amount_minor:
        return (unmet("amount_differs", **said(payout.currency, asked=payout.amount_minor)),)
    if room is None or payout.amount_minor <= room.left_minor:
        return ()
    values = {**said(payout.currency, left=room.left_minor), "payouts": list(room.others)}
    return (Unmet(code="milestone_exceeded", values=values),)


@about_input
def explains_booking(facts: LearnFacts) -> tuple[Unmet, ...]:
    """Two people say once what it was, and of a booking what lies in suspense still.

    It is not what is known of the payment already either: its money would be forgotten.
    """
    aside = facts.command.set_aside_minor
    if facts.is_said or aside != (facts.aside_minor if aside else 0):
        return (unmet("booking_explained"),)
    is_known = any(step.effect == BankEffect.DUPLICATE for step in facts.result.steps)
    return (unmet("match_known_already"),) if aside and is_known else ()


_DEAD = (InstructionStatus.REJECTED, InstructionStatus.RETURNED)
_LONGEST_WHY = 1000


def learned(facts: LearnFacts, _target: str, stamp: Stamp) -> Effects:
    """Write each step with its entry in an act of its own; a case and a hold where it contradicts what is known."""
    result = facts.result
    acts: list[Act] = []
    state = str(facts.payout.state)
    for place, step in enumerate(result.steps):
        act, state = _step(facts, step, place, state, stamp)
        acts.append(act)
    messages = [_told(facts, step.event) for step in result.steps if step.event]
    code = result.exception or _not_covered(facts)
    if code:
        detail = {
            "instruction": facts.instruction.end_to_end_id,
            "amount_minor": facts.command.amount_minor,
            "expected_minor": facts.instruction.amount_minor,
            "payout": facts.payout.number,
        }
        line = facts.command.statement_line_id
        kind, key = ("instruction", facts.instruction.id) if line is None else ("statement_line", line)
        acts.append(opened_case(code, kind, key, facts.fund, stamp, **detail))
        messages.append(_told(facts, "contradicted", code=code))
    if facts.closed_agreement is not None:
        opened, told = reopened(facts.closed_agreement, facts.payout, result.returned_minor, stamp)
        acts.append(opened)
        messages.append(told)
    rows: list[tuple[Any, Mapping[str, Any]]] = []
    for one in facts.lowered:
        act, part, message = set_off_by_return(one, facts.payout, facts.project, stamp)
        acts.append(act)
        rows.append(part)
        messages.append(message)
    if result.holds_fund and not facts.fund_is_held:
        acts.append(_fund_held(facts, result.exception or "", stamp))
        rows.append((Hold, _hold(facts, stamp)))
    updates: tuple[Any, ...] = ()
    if result.status != facts.instruction.status:
        values: dict[str, Any] = {"status": result.status}
        if result.status in _DEAD and facts.command.reason:
            values["why"] = facts.command.reason[:_LONGEST_WHY]
        updates = ((PaymentInstruction, facts.instruction.id, values),)
    return Effects(
        acts=tuple(acts),
        rows=tuple(rows),
        updates=updates,
        messages=tuple(messages),
        says={"effect": str(result.steps[0].effect), "exception": code},
    )


def _step(facts: LearnFacts, step: Step, place: int, state: str, stamp: Stamp) -> tuple[Act, str]:
    target = decide(PayoutChart, state, step.event, facts) if step.event else state
    values: dict[str, Any] = {}
    if step.event:
        values = {"state": PayoutState(target)}
    if step.event == "confirm":
        values["paid_on"] = facts.command.booked_on or stamp.today
    if step.event == "bounce":  # a next attempt needs all approvals anew
        values |= {"revision": facts.payout.revision + 1, "payload_hash": facts.next_hash(), "paid_on": None}
    act = Act(
        table=Payout,
        object_type=OBJECT_TYPE,
        id=facts.payout.id,
        action=f"{OBJECT_TYPE}.{step.event or 'learn'}",
        row=facts.payout,
        event=step.event,
        from_state=state,
        to_state=target,
        values=values,
        detail={
            "said": str(step.said.kind),
            "effect": str(step.effect),
            "instruction_id": facts.instruction.id,
            "reason": facts.command.reason,
            **seen(facts.payout),
        },
        sealed=(
            *_taken_out(facts, place, stamp),
            *_event_row(facts, step, place),
            *_entries(facts, step, state, stamp),
        ),
        definition_version=VERSION,
    )
    return act, target


def _event_row(facts: LearnFacts, step: Step, place: int) -> Sealed:
    is_implied = step.said.source == BankSource.IMPLIED
    row = {
        "source": step.said.source,
        "bank_ref": step.said.bank_ref,
        "end_to_end_id": facts.instruction.end_to_end_id,
        "instruction_id": facts.instruction.id,
        "statement_line_id": None if is_implied else facts.command.statement_line_id,
        "kind": step.said.kind,
        "amount_minor": step.said.amount_minor,
        "currency": facts.instruction.currency,
        "content_hash": facts.content_hash if not place else sha256(f"{facts.content_hash}:{place}"),
        "effect": step.effect,
    }
    return ((BankEvent, row),)


def _taken_out(facts: LearnFacts, place: int, stamp: Stamp) -> Sealed:
    """Return the entry that takes a booking out of suspense, once, before the first step that explains it."""
    aside = facts.command.set_aside_minor
    if not aside or place or facts.line is None:
        return ()
    of = {"payout_id": facts.payout.id, "is_of_bank_event": True}
    word = explained(facts.line, aside, facts.case.facts.get("instruction") if facts.case is not None else None)
    return (word, *entry(PostingKind.SUSPENSE, -aside, facts.accounts, new_id=stamp.new_id, **of))


def _entries(facts: LearnFacts, step: Step, state: str, stamp: Stamp) -> Sealed:
    if step.posting is None or not step.posted_minor:
        return ()
    payout_id = facts.payout.id
    if step.is_after_rejection and state != PayoutState.APPROVED:  # its money is free: reserved and paid in one act
        new_id, amount = stamp.new_id, step.posted_minor
        reserved = entry(PostingKind.RESERVE, amount, facts.accounts, new_id=new_id, payout_id=payout_id)
        paid = entry(
            PostingKind.POST, amount, facts.accounts, new_id=new_id, payout_id=payout_id, is_of_bank_event=True
        )
        return (*reserved, *paid)
    if step.posting == PostingKind.FEE:
        kind = _fee_kind(facts, step.posted_minor)
        signed = -step.posted_minor if kind == PostingKind.SUSPENSE else step.posted_minor
        return entry(kind, signed, facts.accounts, new_id=stamp.new_id, payout_id=payout_id, is_of_bank_event=True)
    return entry(
        step.posting,
        step.posted_minor,
        facts.accounts,
        new_id=stamp.new_id,
        payout_id=payout_id,
        is_of_bank_event=True,
    )


def _not_covered(facts: LearnFacts) -> str | None:
    fees = [step.posted_minor for step in facts.result.steps if step.posting == PostingKind.FEE]
    return FEE_NOT_COVERED if any(_fee_kind(facts, one) == PostingKind.SUSPENSE for one in fees) else None


def _fee_kind(facts: LearnFacts, amount_minor: int) -> PostingKind:
    """A fee that the fund cannot pay is set aside with a case: a fact is not refused (`safety.md` 2.4)."""
    return PostingKind.FEE if facts.available_minor >= amount_minor else PostingKind.SUSPENSE


def _fund_held(facts: LearnFacts, code: str, stamp: Stamp) -> Act:
    return Act(
        table=Fund,
        object_type="fund",
        id=facts.fund.id,
        action="fund.hold",
        row=facts.fund,
        detail={"reason": "contradiction", "code": code, "payout": facts.payout.number, "on": stamp.today},
    )


def _hold(facts: LearnFacts, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "object_type": "fund",
        "object_id": facts.fund.id,
        "reason": "contradiction",
        "note": facts.payout.number,
        "needs_decision": True,
        "from_at": stamp.now,
        "from_on": stamp.today,
        "until_on": stamp.today + timedelta(days=HOLD_DAYS),
    }


def _told(facts: LearnFacts, event: str | None, **more: Any) -> Message:
    kind = {"confirm": "paid", "bounce": "returned"}.get(event or "", event or "learned")
    said = {
        "number": facts.payout.number,
        "amount_minor": facts.payout.amount_minor,
        "currency": facts.payout.currency,
        **more,
    }
    return Message(kind=f"{OBJECT_TYPE}.{kind}", object_type=OBJECT_TYPE, object_id=facts.payout.id, facts=said)


LEARN: Verb[Learn, LearnFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="learn",
    command=Learn,
    subject=Payout,
    subject_id=lambda command: command.payout_id,
    state=lambda facts: str(facts.payout.state),
    facts=learn_facts,
    rules=(of_this_payout, heard_once, two_agreed, only_one_pays, explains_booking),
    effects=learned,
)
