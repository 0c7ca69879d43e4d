"""Payment batches: prepared in one transaction with their instructions, sent, doubted, found, settled, abandoned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.banking import bank_excel, pain001
from lifecycle.banking.orders import CreditTransfer, PaymentOrder
from lifecycle.banking.own_ids import end_to_end_id, message_id
from lifecycle.banking.template import Template, template_of
from lifecycle.canonical import plain, sha256_of_bytes
from lifecycle.chart import decide
from lifecycle.commands import Act, Command, Effects, FactsOf, Message, Stamp, Task, Verb
from lifecycle.ledger.accounts import accounts_of
from lifecycle.ledger.cases import closed_cases, opened_case
from lifecycle.ledger.entries import Accounts
from lifecycle.numbers import Number, drawn
from lifecycle.payouts import batch_rules as rules
from lifecycle.payouts.batch_chart import OBJECT_TYPE, VERSION, BatchChart
from lifecycle.payouts.chart import VERSION as PAYOUT_VERSION
from lifecycle.payouts.chart import PayoutChart
from lifecycle.payouts.effects import cancelled_with_project
from models.funds import Fund
from models.holds import ExceptionCase
from models.installation import Installation
from models.payouts import PayeeAccount, PaymentBatch, PaymentInstruction, Payout
from models.projects import Project
from models.reading import rows_by, table_of
from models.states import DEAD, InstructionStatus, PaymentBatchState, PayoutPurpose, PayoutState, ProjectState

ANSWER_HOURS = 24
"""How long the bank's word is awaited before a batch is unknown (limits table)."""
_ENDINGS = {"pain001": "xml", "bank_excel": "xlsx"}
"""Format -> ending of the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareBatch(Command):
    """Write down what one payment file will say, for payouts that passed the last gate just before."""

    fund_id: UUID
    batch_id: UUID
    payout_ids: tuple[UUID, ...]
    execution_on: date
    template: Template | None = None
    """What the bank's portal takes; without one it takes a message (pain.001)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommand(Command):
    """Base of what is said of one payment batch."""

    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(BatchCommand):
    """The file lies where the bank takes it."""

    fence: int
    answer_hours: int = ANSWER_HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt(BatchCommand):
    """Nobody can say whether the bank has it: its money stays reserved, nothing is sent again."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Find(BatchCommand):
    """The file was found where it was put."""

    why: str
    answer_hours: int = ANSWER_HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(BatchCommand):
    """The bank has taken the file in."""

    bank_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(BatchCommand):
    """The bank has said its last word on every instruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandon(BatchCommand):
    """Give up a batch that never left; its payouts are approved again, their money stays reserved."""

    reason: str
    exception_id: UUID
    """The case in which two people agreed on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareFacts:
    """A fund, the payouts its batch will carry with their accounts, and the ids that leave the house."""

    command: PrepareBatch
    stamp: Stamp
    fund: Any
    payouts: tuple[Any, ...] = ()
    accounts: Mapping[UUID, Any] = field(default_factory=dict)
    project_numbers: Mapping[UUID, str] = field(default_factory=dict)
    alive: frozenset[UUID] = frozenset()
    """Payouts that a live instruction carries already."""
    epoch: str = ""
    number: Number


def prepare_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PrepareFacts]:
    """Read the payouts named, their accounts and projects, and the epoch of this database."""
    wanted = [one for task in tasks for one in task.command.payout_ids]
    payouts = {key: rows[0] for key, rows in rows_by(session, Payout, "id", wanted).items()}
    accounts = rows_by(session, PayeeAccount, "id", {row.payee_account_id for row in payouts.values()})
    projects = rows_by(session, Project, "id", {row.project_id for row in payouts.values()})
    instructions = rows_by(session, PaymentInstruction, "payout_id", wanted)
    epoch = session.execute(select(table_of(Installation).c.epoch)).scalar_one()
    years = [stamp.today.year for _ in tasks]
    numbers = drawn(session, "PB", years, may_write=all(task.is_locked for task in tasks))
    return [
        PrepareFacts(
            command=task.command,
            stamp=stamp,
            fund=task.fund,
            payouts=tuple(payouts[one] for one in task.command.payout_ids if one in payouts),
            accounts={key: rows[0] for key, rows in accounts.items()},
            project_numbers={key: rows[0].number for key, rows in projects.items()},
            alive=frozenset(key for key, rows in instructions.items() if any(row.status not in DEAD for row in rows)),
            epoch=epoch,
            number=number,
        )
        for task, number in zip(tasks, numbers, strict=True)
    ]


def instruction_rows(facts: PrepareFacts) -> list[dict[str, Any]]:
    """Return the instructions of the batch, in the order of their payouts' numbers."""
    rows = []
    for payout in sorted(facts.payouts, key=lambda row: row.number):
        account = facts.accounts[payout.payee_account_id]
        rows.append(
            {
                "id": facts.stamp.new_id(),
                "payout_id": payout.id,
                "batch_id": facts.command.batch_id,
                "attempt": payout.attempt,
                "end_to_end_id": end_to_end_id(facts.epoch, payout.number, payout.attempt),
                "amount_minor": payout.amount_minor,
                "currency": payout.currency,
                "holder_name": account.holder_name,
                "account_number": account.account_number,
                "bank_code": account.bank_code,
                "payee_hash": account.payee_hash,
                "payload_hash": payout.payload_hash,
                "approvals_needed": payout.approvals_needed,
                "remittance": f"{facts.project_numbers[payout.project_id]} {payout.number}",
                "status": InstructionStatus.PREPARED,
                "created_at": facts.stamp.now,
            }
        )
    return rows


def order_of(batch: Any, instructions: Sequence[Any]) -> PaymentOrder:
    """Return what a batch's file says: nothing but its rows, in the order of their end-to-end ids."""
    return PaymentOrder(
        msg_id=batch.msg_id,
        created_at=batch.created_at,
        execution_on=batch.execution_on,
        debtor_name=batch.debtor_name,
        debtor_account=batch.debtor_account,
        debtor_bank_code=batch.debtor_bank,
        currency=batch.currency,
        transfers=tuple(
            CreditTransfer(
                end_to_end_id=row.end_to_end_id,
                amount_minor=row.amount_minor,
                currency=row.currency,
                payee_name=row.holder_name,
                payee_account=row.account_number,
                payee_bank_code=row.bank_code,
                remittance=row.remittance,
            )
            for row in sorted(instructions, key=lambda row: str(row.end_to_end_id))
        ),
    )


def file_of(batch: Any, instructions: Sequence[Any]) -> bytes:
    """Return the bytes of a batch's payment file, the same on any machine and at any time."""
    order = order_of(batch, instructions)
    return pain001.render(order) if batch.template is None else bank_excel.render(order, template_of(batch.template))


def prepared(facts: PrepareFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the batch of these payouts, and their instructions."""
    return written(facts, instruction_rows(facts), stamp)


def written(facts: PrepareFacts, rows: Sequence[dict[str, Any]], stamp: Stamp) -> Effects:
    """Write batch and instructions, with the hash of the file they make."""
    fund, command = facts.fund, facts.command
    msg_id = message_id(facts.epoch, str(facts.number))
    made_as = "pain001" if command.template is None else "bank_excel"
    values: dict[str, Any] = {
        "number": str(facts.number),
        "msg_id": msg_id,
        "state": PaymentBatchState.PREPARED,
        "fund_id": fund.id,
        "format": made_as,
        "template": None if command.template is None else plain(command.template),
        "debtor_name": fund.debtor_name,
        "debtor_account": fund.debtor_account,
        "debtor_bank": fund.debtor_bank,
        "execution_on": command.execution_on,
        "instruction_count": len(rows),
        "total_minor": sum(row["amount_minor"] for row in rows),
        "currency": fund.currency,
        "file_name": f"{msg_id}.{_ENDINGS[made_as]}",
        "created_at": stamp.now,
    }
    values["file_sha256"] = sha256_of_bytes(file_of(_Seen(values), [_Seen(row) for row in rows]))
    act = Act(
        table=PaymentBatch,
        object_type=OBJECT_TYPE,
        id=command.batch_id,
        action=f"{OBJECT_TYPE}.prepare",
        event="prepare",
        to_state=PaymentBatchState.PREPARED,
        values=values,
        detail={key: values[key] for key in ("number", "msg_id", "instruction_count", "total_minor", "file_sha256")},
        definition_version=VERSION,
    )
    return Effects(
        acts=(act,),
        rows=tuple((PaymentInstruction, row) for row in rows),
        numbers=facts.number.series,
        says={"number": str(facts.number), "file_name": values["file_name"], "file_sha256": values["file_sha256"]},
    )


class _Seen:
    """A row that is not written yet, read like one that is."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFacts:
    """One command on a batch, with its instructions, their payouts, and the cases that are open on it."""

    command: Any
    stamp: Stamp
    batch: Any
    fund: Any
    instructions: tuple[Any, ...] = ()
    payouts: tuple[Any, ...] = ()
    cases: tuple[Any, ...] = ()
    """Exceptions on this batch that nobody has closed."""
    agreed: Any = None
    """The case that the command names, where it is about this batch."""
    ended: Mapping[UUID, Any] = field(default_factory=dict)
    """Those projects of its payouts that have ended before their time."""
    accounts: Accounts = field(default_factory=dict)
    kept: frozenset[UUID] = frozenset()
    """Payouts that may not leave any more; read for who takes a batch back."""


def batch_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[BatchFacts]:
    """Read instructions, payouts and open cases of each batch."""
    ids = [task.row.id for task in tasks]
    instructions = rows_by(session, PaymentInstruction, "batch_id", ids, "end_to_end_id")
    wanted = {row.payout_id for rows in instructions.values() for row in rows}
    payouts = {key: rows[0] for key, rows in rows_by(session, Payout, "id", wanted).items()}
    cases = rows_by(session, ExceptionCase, "object_id", ids, "opened_at")
    projects = rows_by(session, Project, "id", {row.project_id for row in payouts.values()})
    ledger = accounts_of(session, {task.fund.id for task in tasks})
    return [
        BatchFacts(
            command=task.command,
            stamp=stamp,
            batch=task.row,
            fund=task.fund,
            instructions=tuple(instructions.get(task.row.id, ())),
            payouts=tuple(payouts[row.payout_id] for row in instructions.get(task.row.id, ())),
            cases=tuple(row for row in cases.get(task.row.id, ()) if row.closed_at is None),
            ended={key: rows[0] for key, rows in projects.items() if rows[0].stage in _ENDED_EARLY},
            accounts=ledger.get(task.fund.id, {}),
            agreed=_named(cases.get(task.row.id, ()), task.command),
        )
        for task in tasks
    ]


def _named(cases: Sequence[Any], command: Any) -> Any:
    return next((row for row in cases if row.id == getattr(command, "exception_id", None)), None)


_ENDED_EARLY = (ProjectState.STOPPED, ProjectState.WITHDRAWN)
_FOLDED = (
    InstructionStatus.PREPARED,
    InstructionStatus.SENT,
    InstructionStatus.UNKNOWN,
    InstructionStatus.ACKNOWLEDGED,
)
"""Statuses in which an instruction simply follows its batch."""


def batch_act(facts: BatchFacts, verb: str, target: str, **rest: Any) -> Act:
    """Return the act that moves a batch along its chart."""
    values: Mapping[str, Any] = rest.pop("values", {})
    return Act(
        table=PaymentBatch,
        object_type=OBJECT_TYPE,
        id=facts.batch.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.batch,
        event=verb,
        from_state=str(facts.batch.state),
        to_state=target,
        values={"state": PaymentBatchState(target), **values},
        definition_version=VERSION,
        **rest,
    )


def _following(facts: BatchFacts, status: InstructionStatus) -> tuple[Any, ...]:
    return tuple(
        (PaymentInstruction, row.id, {"status": status}) for row in facts.instructions if row.status in _FOLDED
    )


def sent(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """Remember when it left, and until when the bank's word is awaited."""
    due = stamp.now + timedelta(hours=facts.command.answer_hours)
    act = batch_act(facts, "send", target, values={"sent_at": stamp.now, "answer_due_at": due})
    return Effects(acts=(act,), updates=_following(facts, InstructionStatus.SENT), messages=(_told(facts, "sent"),))


def doubted(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """Keep the money reserved and put the batch before two people."""
    act = batch_act(facts, "doubt", target, detail={"why": facts.command.why})
    case = opened_case("no_answer", OBJECT_TYPE, facts.batch.id, facts.fund, stamp, why=facts.command.why)
    return Effects(
        acts=(act, *(() if facts.cases else (case,))),
        updates=_following(facts, InstructionStatus.UNKNOWN),
        messages=(_told(facts, "unknown", why=facts.command.why),),
    )


def found(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """It did leave: await the bank's word."""
    due = stamp.now + timedelta(hours=facts.command.answer_hours)
    values = {"sent_at": facts.batch.sent_at or stamp.now, "answer_due_at": due}
    act = batch_act(facts, "find", target, values=values, detail={"why": facts.command.why})
    return Effects(acts=(act, *closed_cases(facts.cases, stamp)), updates=_following(facts, InstructionStatus.SENT))


def acknowledged(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """The bank has it: the case that asked whether it does is closed."""
    act = batch_act(facts, "acknowledge", target, detail={"bank_ref": facts.command.bank_ref})
    return Effects(
        acts=(act, *closed_cases(facts.cases, stamp)),
        updates=_following(facts, InstructionStatus.ACKNOWLEDGED),
        messages=(_told(facts, "acknowledged"),),
    )


def settled(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """Nothing more is awaited."""
    act = batch_act(facts, "settle", target)
    return Effects(acts=(act, *closed_cases(facts.cases, stamp)), messages=(_told(facts, "settled"),))


def abandoned(facts: BatchFacts, target: str, stamp: Stamp) -> Effects:
    """Two people give it up on the bank's word."""
    return given_up(facts, "abandon", target, facts.command.reason, stamp)


def given_up(facts: BatchFacts, verb: str, target: str, reason: str, stamp: Stamp) -> Effects:
    """Return the effects of an end without payment: its payouts are approved again; the next attempt has new ids."""
    act = batch_act(facts, verb, target, detail={"reason": reason})
    recalled = tuple(act for row in facts.payouts for act in _recalled(row, facts, reason, stamp))
    updates = tuple((PaymentInstruction, row.id, {"status": InstructionStatus.ABANDONED}) for row in facts.instructions)
    return Effects(
        acts=(act, *recalled, *closed_cases(facts.cases, stamp)),
        updates=updates,
        messages=(_told(facts, "abandoned", reason=reason),),
    )


def _recalled(payout: Any, facts: BatchFacts, reason: str, stamp: Stamp) -> tuple[Act, ...]:
    """Return the act that approves a payout again; where its project has ended meanwhile it is cancelled at once."""
    target = decide(PayoutChart, str(payout.state), "recall", facts)
    act = Act(
        table=Payout,
        object_type="payout",
        id=payout.id,
        action="payout.recall",
        row=payout,
        event="recall",
        from_state=str(payout.state),
        to_state=target,
        values={"state": PayoutState(target)},
        detail={"batch_id": facts.batch.id, "reason": reason},
        definition_version=PAYOUT_VERSION,
    )
    project = facts.ended.get(payout.project_id)
    if project is None or payout.purpose == PayoutPurpose.SETTLEMENT:
        return (act,)
    return act, cancelled_with_project(payout, project, facts.accounts, stamp, target)


def _told(facts: BatchFacts, kind: str, **more: Any) -> Message:
    said = {"number": facts.batch.number, "fund": facts.fund.code, "total_minor": facts.batch.total_minor}
    return Message(
        kind=f"{OBJECT_TYPE}.{kind}", object_type=OBJECT_TYPE, object_id=facts.batch.id, facts={**said, **more}
    )


B = TypeVar("B", bound=BatchCommand)


def batch_verb(
    name: str, command: type[B], effects: Any, facts: FactsOf[B, BatchFacts] = batch_facts
) -> Verb[B, BatchFacts]:
    """Return a verb whose subject is the payment batch."""
    return Verb(
        object_type=OBJECT_TYPE,
        name=name,
        command=command,
        subject=PaymentBatch,
        subject_id=lambda command: command.batch_id,
        chart=BatchChart,
        state=lambda facts: str(facts.batch.state),
        facts=facts,
        effects=effects,
    )


PREPARE: Verb[PrepareBatch, PrepareFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="prepare",
    command=PrepareBatch,
    subject=Fund,
    subject_id=lambda command: command.fund_id,
    facts=prepare_facts,
    rules=(rules.something_to_pay,),
    effects=prepared,
)
SEND = batch_verb("send", Send, sent)
DOUBT = batch_verb("doubt", Doubt, doubted)
FIND = batch_verb("find", Find, found)
ACKNOWLEDGE = batch_verb("acknowledge", Acknowledge, acknowledged)
SETTLE = batch_verb("settle", Settle, settled)
ABANDON = batch_verb("abandon", Abandon, abandoned)
