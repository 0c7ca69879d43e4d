"""The verbs of a payout: ask, certify, approve, release, change one's mind, tell the bank."""

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from lifecycle.commands import Command, Verb
from lifecycle.payouts import rules
from lifecycle.payouts.chart import OBJECT_TYPE, PayoutChart
from lifecycle.payouts.effects import EFFECTS, requested
from lifecycle.payouts.facts import PayoutFacts
from lifecycle.payouts.readers import payout_facts, request_facts
from lifecycle.payouts.revived import instruct_facts
from models.agreements import Agreement, Milestone
from models.payouts import Payout

P = TypeVar("P", bound="PayoutCommand")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayout(Command):
    """Ask for the money of an accepted milestone; without a list it rests on the files of the milestone's report."""

    milestone_id: UUID
    payee_account_id: UUID
    new_amount_minor: int
    new_evidence: tuple[str, ...] = ()
    minute_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSettlement(Command):
    """Ask for what the settlement of an agreement still pays besides its tranches (F11, F12)."""

    agreement_id: UUID
    payee_account_id: UUID
    new_amount_minor: int
    new_evidence: tuple[str, ...] = ()
    minute_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutCommand(Command):
    """Base of what is asked of one payout."""

    payout_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(PayoutCommand):
    """Base of a word on a payout: the amount is repeated, and the hash of what was seen where a page showed it."""

    amount_minor: int
    payload_hash: str | None = None
    on_behalf_of: UUID | None = None
    """The account of who is absent and has delegated the role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certify(Decision):
    """Say that result and cost are what the request says."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve(Decision):
    """Pass it for payment; the last approval needed reserves the money."""

    callback_by: str | None = None
    callback_at: str | None = None
    minute_sha256: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reapprove(Approve):
    """Approve what came back from the bank once more; the next attempt is a new instruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(PayoutCommand):
    """Let the next payment run take it."""

    on_behalf_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(PayoutCommand):
    """Refuse it for good."""

    reason: str
    on_behalf_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBack(PayoutCommand):
    """Ask the maker for more; certificates and approvals so far are void."""

    reason: str
    on_behalf_of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(PayoutCommand):
    """Change amount, account or files; it must be certified and approved anew."""

    reason: str
    new_amount_minor: int | None = None
    payee_account_id: UUID | None = None
    new_evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(PayoutCommand):
    """Give it up before a payment file has it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruct(PayoutCommand):
    """Put it into a payment batch: the last gate."""

    batch_id: UUID


def payout_verb(name: str, command: type[P], **rest: Any) -> Verb[P, PayoutFacts]:
    """Return a verb whose subject is the payout."""
    defaults: dict[str, Any] = {
        "facts": payout_facts,
        "state": lambda facts: str(facts.payout.state),
        "effects": EFFECTS[name],
    }
    return Verb(
        object_type=OBJECT_TYPE,
        name=name,
        command=command,
        subject=Payout,
        subject_id=lambda command: command.payout_id,
        **{**defaults, **rest},
    )


_ASKED = (rules.milestone_asked, rules.request_sound, rules.enough_used)
REQUEST: Verb[RequestPayout, PayoutFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="request",
    command=RequestPayout,
    subject=Milestone,
    subject_id=lambda command: command.milestone_id,
    facts=request_facts(_ASKED),
    rules=_ASKED,
    effects=requested,
)
SETTLE: Verb[RequestSettlement, PayoutFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="settle",
    command=RequestSettlement,
    subject=Agreement,
    subject_id=lambda command: command.agreement_id,
    facts=payout_facts,
    rules=(rules.milestone_asked, rules.request_sound),
    effects=requested,
)
CERTIFY = payout_verb(
    "certify",
    Certify,
    rules=(
        rules.can_be_certified,
        rules.as_seen,
        rules.unchanged,
        rules.not_certified_yet,
        rules.separate_certifier,
        rules.no_interest,
    ),
)
APPROVE = payout_verb("approve", Approve, chart=PayoutChart, rules=(rules.unchanged,))
REAPPROVE = payout_verb("reapprove", Reapprove, chart=PayoutChart, rules=(rules.unchanged,))
RELEASE = payout_verb(
    "release",
    Release,
    rules=(
        rules.can_be_released,
        rules.separate_payer,
        rules.no_interest,
        rules.retention_over,
        rules.callback_stands,
    ),
)
REJECT = payout_verb("reject", Reject, chart=PayoutChart, rules=(rules.has_reason,))
SEND_BACK = payout_verb("send_back", SendBack, chart=PayoutChart, rules=(rules.has_reason,))
AMEND = payout_verb("amend", Amend, chart=PayoutChart, rules=(rules.has_reason,))
CANCEL = payout_verb("cancel", Cancel, chart=PayoutChart, rules=(rules.has_reason,))
INSTRUCT = payout_verb("instruct", Instruct, chart=PayoutChart, facts=instruct_facts)
