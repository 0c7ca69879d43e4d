"""Propose a way out of a case, confirm it, or take the proposal back. What is then done is a verb of what it moves."""

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from lifecycle.commands import Command, Verb
from lifecycle.exceptions import rules
from lifecycle.exceptions.effects import OBJECT_TYPE, way_out_confirmed, way_out_proposed
from lifecycle.exceptions.facts import CaseFacts, case_facts
from lifecycle.exceptions.proposal import Action
from models.holds import ExceptionCase
from models.states import BankEventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCommand(Command):
    """Base of what is asked of one case."""

    exception_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeWayOut(CaseCommand):
    """Say how the case ends, why, and which written word of the bank it rests on."""

    action: Action
    reason: str
    evidence_sha256: str
    """The bank's word as a file in the store of evidence, stored before it is named, with its name and size."""
    file_name: str
    size_bytes: int
    end_to_end_id: str | None = None
    """The payment that a booking belongs to, for `match`."""
    kind: BankEventKind | None = None
    """What the booking is for that payment: settle, return or fee; for `match`."""
    recovery_id: UUID | None = None
    """The recovery order that a credit repays, instead of a payment; for `match`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmWayOut(CaseCommand):
    """Agree to the proposal as the second person; it is carried out in the same transaction."""

    action: Action
    """The way out that was seen: another one may have been proposed since."""
    proposal_hash: str
    """Hash of the whole proposal that was seen (`proposal.proposal_hash`)."""


X = TypeVar("X", bound=CaseCommand)


def _verb(name: str, command: type[X], rules: tuple[Any, ...], effects: Any) -> Verb[X, CaseFacts]:
    return Verb(
        object_type=OBJECT_TYPE,
        name=name,
        command=command,
        subject=ExceptionCase,
        subject_id=lambda command: command.exception_id,
        facts=case_facts,
        rules=rules,
        effects=effects,
    )


PROPOSE = _verb(
    "propose",
    ProposeWayOut,
    (
        rules.still_open,
        rules.no_interest,
        rules.separate,
        rules.way_out_known,
        rules.lost_payment_known,
        rules.still_set_aside,
    ),
    way_out_proposed,
)
CONFIRM = _verb(
    "confirm",
    ConfirmWayOut,
    (
        *(rules.still_open, rules.proposed, rules.as_seen, rules.second_person),
        *(
            rules.no_interest,
            rules.separate,
            rules.another_vouched,
            rules.proposer_apart,
            rules.lost_payment_known,
            rules.still_set_aside,
        ),
    ),
    way_out_confirmed,
)
