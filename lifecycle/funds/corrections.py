"""What was typed wrong about a fund and is put right: its name and account, an investor's commitment, a capital call.

Nothing is wiped out: what stood there before stays in the trail, and a call is taken back by a call of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, union_all
from sqlmodel import Session

from lifecycle.chart import about_input
from lifecycle.commands import Act, Effects, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.funds import rules
from lifecycle.funds.commands import FundCommand
from lifecycle.funds.effects import beyond_size, fund_act, source_act, told
from lifecycle.funds.facts import FundFacts, fund_facts, paying_from, plain_account
from lifecycle.installation import is_for_real_work
from models.funds import CapitalCall, Fund, FundSource
from models.ledger import Account, Posting
from models.money import said
from models.reading import rows_by, table_of
from models.statements import BankStatement

_NAMES = ("name", "debtor_name", "debtor_account", "debtor_bank")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectFund(FundCommand):
    """Put a typing error right: the name of the fund, or the account that it pays from while no money has moved."""

    reason: str
    name: str | None = None
    debtor_name: str | None = None
    debtor_account: str | None = None
    debtor_bank: str | None = None

    def changes(self, fund: Any) -> dict[str, str]:
        """Return what was said and is not so already."""
        given = {name: value.strip() for name in _NAMES if (value := getattr(self, name)) is not None}
        if "debtor_account" in given:
            given["debtor_account"] = plain_account(given["debtor_account"])
        return {name: value for name, value in given.items() if value != getattr(fund, name)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendCommitment(FundCommand):
    """Put right what an investor committed in all; never below what it was asked for."""

    source_id: UUID
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCall(FundCommand):
    """Take a capital call back before any money came on it, by a call of the same parts with the opposite sign."""

    call_no: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class CorrectionFacts(FundFacts):
    """A fund with what its corrections ask besides."""

    has_moved: bool = False
    """Money was booked on its accounts, or a statement of its bank account was taken in."""
    account_of: str | None = None
    """Code of the open fund that pays from the account which the correction names."""
    is_for_real: bool = False
    """The database is for real work; rehearsals name made-up banks."""
    parts: tuple[Any, ...] = ()
    """Of every call, what each investor was asked for."""

    @property
    def cancelled(self) -> tuple[Any, ...]:
        """The parts of the call that the command names."""
        return tuple(row for row in self.parts if row.call_no == self.command.call_no and row.corrects_no is None)

    @property
    def is_cancelled(self) -> bool:
        """Say whether that call was taken back before."""
        return any(row.corrects_no == self.command.call_no for row in self.parts)


def _with(one: FundFacts, **more: Any) -> CorrectionFacts:
    return CorrectionFacts(**{name: getattr(one, name) for name in FundFacts.__dataclass_fields__}, **more)


def account_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CorrectionFacts]:
    """Read whether money of each fund has moved."""
    ids = [task.fund.id for task in tasks]
    posting, account, statement = table_of(Posting), table_of(Account), table_of(BankStatement)
    booked = select(account.c.fund_id).join_from(posting, account, account.c.id == posting.c.account_id)
    moved = union_all(
        booked.where(account.c.fund_id.in_(ids)).group_by(account.c.fund_id),
        select(statement.c.fund_id).where(statement.c.fund_id.in_(ids)).group_by(statement.c.fund_id),
    )
    found = {row[0] for row in session.connection().execute(moved)}
    paying = paying_from(session, {one for task in tasks if (one := _new_account(task.command, task.fund)) is not None})
    for_real = is_for_real_work(session)
    return [
        _with(
            one,
            has_moved=one.fund.id in found,
            is_for_real=for_real,
            account_of=paying.get((_new_account(one.command, one.fund) or "", one.fund.currency)),
        )
        for one in fund_facts()(session, tasks, stamp)
    ]


def _new_account(command: Any, fund: Any) -> str | None:
    number: str | None = command.changes(fund).get("debtor_account")
    return number


def call_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[CorrectionFacts]:
    """Read every call of each fund, and its investors."""
    ids = [task.fund.id for task in tasks]
    parts = rows_by(session, CapitalCall, "fund_id", ids, "call_no", "source_id")
    facts = fund_facts(FundSource)(session, tasks, stamp)
    return [_with(one, parts=tuple(parts.get(one.fund.id, ()))) for one in facts]


@about_input
def something_changes(facts: CorrectionFacts) -> tuple[Unmet, ...]:
    """A correction changes something."""
    return () if facts.command.changes(facts.fund) else (unmet("nothing_to_change"),)


@about_input
def corrected_sound(facts: CorrectionFacts) -> tuple[Unmet, ...]:
    """Name and account are as sound as those of a new fund."""
    return rules.names_reasons(facts.command)


def account_unused(facts: CorrectionFacts) -> tuple[Unmet, ...]:
    """The account stays once money has moved: statements and payment files name it."""
    fields = [name for name in facts.command.changes(facts.fund) if name != "name"]
    return (unmet("fund_account_in_use", fund=facts.fund.code),) if fields and facts.has_moved else ()


@about_input
def covers_calls(facts: FundFacts) -> tuple[Unmet, ...]:
    """An investor has committed at least what it was asked for, which a call taken back lowers."""
    source, amount = facts.source, facts.command.amount_minor
    if source is None or amount < 0 or amount >= source.called_minor:
        return ()
    values = said(facts.fund.currency, called=source.called_minor, asked=amount)
    return (Unmet(code="commitment_below_calls", values=values, suffices="cancel_call_first"),)


@about_input
def commitment_sound(facts: FundFacts) -> tuple[Unmet, ...]:
    """A commitment is an amount, or nothing where there should be none; and it is not so already."""
    source, amount = facts.source, facts.command.amount_minor
    reasons = list(rules.out_of_bounds(amount, 0))
    if source is not None and source.committed_minor == amount:
        reasons.append(unmet("nothing_to_change"))
    return tuple(reasons)


@about_input
def call_stands(facts: CorrectionFacts) -> tuple[Unmet, ...]:
    """A call that was made, and was not taken back, can be taken back."""
    number = facts.command.call_no
    if not facts.cancelled:
        return (unmet("call_not_found", number=number),)
    return (unmet("call_cancelled_already", number=number),) if facts.is_cancelled else ()


def call_unpaid(facts: CorrectionFacts) -> tuple[Unmet, ...]:
    """Nobody has paid in on it: what is left called covers what came."""
    asked = {} if facts.is_cancelled else {row.source_id: row.amount_minor for row in facts.cancelled}
    paid = [
        row.paid_in_minor
        for row in facts.sources
        if row.id in asked and row.paid_in_minor > row.called_minor - asked[row.id]
    ]
    if not paid:
        return ()
    return (Unmet(code="call_paid_already", values={**said(facts.fund.currency, paid_in=sum(paid))}),)


def corrected(facts: CorrectionFacts, _target: str, _stamp: Stamp) -> Effects:
    """Write the right words; the wrong ones stay in the trail."""
    values = facts.command.changes(facts.fund)
    was = {name: getattr(facts.fund, name) for name in values}
    detail = {"was": was, **values, "reason": facts.command.reason.strip()}
    act = fund_act(facts, "correct", values=values, detail=detail)
    return Effects(acts=(act,), messages=(told(facts, "corrected", fields=sorted(values)),))


def amended(facts: FundFacts, _target: str, _stamp: Stamp) -> Effects:
    """Set what an investor committed in all."""
    source, amount = facts.source, facts.command.amount_minor
    was = source.committed_minor
    detail = {
        "source_id": source.id,
        "was_minor": was,
        "amount_minor": amount,
        "reason": facts.command.reason.strip(),
    }
    return Effects(
        acts=(
            fund_act(facts, "amend_commitment", detail=detail),
            source_act(source, "amend", {"committed_minor": amount}),
        ),
        messages=(told(facts, "commitment_amended", was_minor=was, amount_minor=amount),),
        says={"source_id": str(source.id), **beyond_size(facts, amount - was)},
    )


def call_cancelled(facts: CorrectionFacts, _target: str, stamp: Stamp) -> Effects:
    """Ask everybody for as much less, under a number of its own that names the call it takes back."""
    command, number = facts.command, max(row.call_no for row in facts.parts) + 1
    asked = {row.source_id: row for row in facts.cancelled}
    acts: list[Act] = []
    rows = []
    for source in facts.sources:
        if part := asked.get(source.id):
            acts.append(source_act(source, "call", {"called_minor": source.called_minor - part.amount_minor}))
            rows.append((CapitalCall, _taken_back(facts, part, number, stamp)))
    amount = sum(row.amount_minor for row in facts.cancelled)
    detail = {"call_no": number, "corrects_no": command.call_no, "amount_minor": -amount, "reason": command.reason}
    return Effects(
        acts=(fund_act(facts, "cancel_call", detail=detail), *acts),
        rows=tuple(rows),
        messages=(told(facts, "call_cancelled", call=command.call_no, amount_minor=amount),),
        says={"call_no": number},
    )


def _taken_back(facts: CorrectionFacts, part: Any, number: int, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "fund_id": facts.fund.id,
        "source_id": part.source_id,
        "call_no": number,
        "corrects_no": part.call_no,
        "amount_minor": -part.amount_minor,
        "due_on": stamp.today,
        "called_at": stamp.now,
        "called_by": stamp.actor.user_id,
    }


CORRECT = Verb(
    object_type="fund",
    name="correct",
    command=CorrectFund,
    subject=Fund,
    subject_id=lambda asked: asked.fund_id,
    facts=account_facts,
    rules=(
        rules.fund_open,
        something_changes,
        corrected_sound,
        rules.account_free,
        rules.account_real,
        account_unused,
        rules.has_reason,
    ),
    effects=corrected,
)
AMEND_COMMITMENT = Verb(
    object_type="fund",
    name="amend_commitment",
    command=AmendCommitment,
    subject=Fund,
    subject_id=lambda asked: asked.fund_id,
    facts=fund_facts(FundSource),
    rules=(rules.fund_open, rules.source_known, commitment_sound, covers_calls, rules.has_reason),
    effects=amended,
)
CANCEL_CALL = Verb(
    object_type="fund",
    name="cancel_call",
    command=CancelCall,
    subject=Fund,
    subject_id=lambda asked: asked.fund_id,
    facts=call_facts,
    rules=(rules.fund_open, call_stands, call_unpaid, rules.has_reason),
    effects=call_cancelled,
)
