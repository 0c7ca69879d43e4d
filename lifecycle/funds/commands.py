"""The verbs of a fund: opened, committed to, called, paid into, held, limited, closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.actor import Parties
from lifecycle.chart import Rule
from lifecycle.commands import Command, Task, Verb
from lifecycle.funds import effects, rules
from lifecycle.funds.facts import FundFacts, birth_facts, closing_facts, fund_facts, plain_account, size_facts
from models.funds import ApprovalLimit, ApprovalTier, CapitalCall, Contribution, Fund, FundSource
from models.holds import Hold
from models.ledger import Account
from models.people import Organisation, User
from models.states import Role, SourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FundCommand(Command):
    """Base of what is asked of one fund."""

    fund_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFund(Command):
    """Open a fund: whose it is, how much it may promise, and the bank account that it pays from."""

    code: str
    name: str
    organisation_id: UUID
    commitment_minor: int
    debtor_name: str
    debtor_account: str
    debtor_bank: str
    currency: str = "CNY"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeFund(FundCommand):
    """Raise or lower what the fund may promise in all; never below what it has promised."""

    commitment_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(FundCommand):
    """Enter what an investor commits to the fund; a second commitment raises the first."""

    organisation_id: UUID
    kind: SourceKind
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCapital(FundCommand):
    """Ask the investors to pay in, in proportion to what each has not been asked for yet."""

    amount_minor: int
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribute(FundCommand):
    """Book money of an investor that came in, or, negative, that went back to it."""

    amount_minor: int
    received_on: date
    source_id: UUID | None = None
    bank_ref: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFund(FundCommand):
    """Let no money of the fund be approved or released."""

    code: str
    reason: str
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeFund(FundCommand):
    """End the hold: the first of two people signs, the second lifts."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Up to which amount how many people approve, and whether the director and a committee's minute are asked."""

    up_to_minor: int
    approvers_needed: int
    is_director_needed: bool = False
    is_minute_needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTiers(FundCommand):
    """Set how many people approve which amount."""

    tiers: tuple[Tier, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLimit(FundCommand):
    """Set how much an approving role, or one person, may approve; the lower of both counts."""

    up_to_minor: int
    reason: str
    role: Role | None = None
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFund(FundCommand):
    """Close the fund for good."""

    reason: str


def _owner(task: Task[AddFund]) -> Parties:
    return {"funder": task.command.organisation_id, "programme": task.command.organisation_id}


BIRTH: tuple[Rule, ...] = (
    rules.fund_sound,
    rules.code_new,
    rules.account_free,
    rules.account_real,
    rules.owner_known,
    rules.currency_known,
    rules.size_sound,
)

ADD = Verb(
    object_type="fund",
    name="add",
    command=AddFund,
    once=lambda command: (command.code, (plain_account(command.debtor_account), command.currency)),
    facts=birth_facts(lambda: BIRTH),
    rules=BIRTH,
    parties=_owner,
    effects=effects.added,
)


def _verb(name: str, command: type[Any], effect: Any, *own: Rule, looks_at: Sequence[Any] = ()) -> Verb[Any, FundFacts]:
    return Verb(
        object_type="fund",
        name=name,
        command=command,
        subject=Fund,
        subject_id=lambda asked: asked.fund_id,
        facts=fund_facts(*looks_at),
        rules=(rules.fund_open, *own),
        effects=effect,
    )


RESIZE = Verb(
    object_type="fund",
    name="resize",
    command=ResizeFund,
    subject=Fund,
    subject_id=lambda asked: asked.fund_id,
    facts=size_facts,
    rules=(rules.fund_open, rules.size_sound, rules.size_changes, rules.covers_promises, rules.has_reason),
    effects=effects.resized,
)
COMMIT = _verb(
    "commit",
    Commit,
    effects.committed,
    rules.investor_known,
    rules.amount_sound,
    rules.raise_sound,
    looks_at=(FundSource, Organisation),
)
CALL = _verb(
    "call",
    CallCapital,
    effects.called,
    rules.has_sources,
    rules.amount_sound,
    rules.within_commitments,
    rules.due_ahead,
    looks_at=(FundSource, CapitalCall),
)
CONTRIBUTE = _verb(
    "contribute",
    Contribute,
    effects.contributed,
    rules.source_known,
    rules.contribution_sound,
    rules.contribution_fits,
    rules.money_there,
    rules.booked_once,
    rules.known_to_two,
    looks_at=(FundSource, Account, Contribution),
)
HOLD = _verb("hold", HoldFund, effects.held, rules.not_held, rules.has_reason, rules.hold_sound, looks_at=(Hold,))
RESUME = _verb(
    "resume", ResumeFund, effects.resumed, rules.is_held, rules.second_lifter, rules.has_reason, looks_at=(Hold,)
)
SET_TIERS = _verb(
    "set_tiers",
    SetTiers,
    effects.tiers_set,
    rules.tiers_sound,
    rules.no_tiers_of_ones_own,
    rules.has_reason,
    looks_at=(ApprovalTier,),
)
SET_LIMIT = _verb(
    "set_limit",
    SetLimit,
    effects.limit_set,
    rules.limit_sound,
    rules.not_ones_own,
    rules.has_reason,
    looks_at=(ApprovalLimit, User),
)
CLOSE = Verb(
    object_type="fund",
    name="close",
    command=CloseFund,
    subject=Fund,
    subject_id=lambda asked: asked.fund_id,
    facts=closing_facts,
    rules=(rules.fund_open, rules.nothing_pending, rules.has_reason),
    effects=effects.closed,
)
