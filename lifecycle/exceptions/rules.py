"""What can stand in the way of a way out of a case. Pure."""

from typing import TYPE_CHECKING

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.exceptions.proposal import POSSIBLE, Action, proposal_hash
from lifecycle.payouts.rules import adoptable
from lifecycle.requirements.rules import file_reasons
from models.money import said
from models.states import BankEventKind, RecoveryState

if TYPE_CHECKING:
    from lifecycle.exceptions.facts import CaseFacts


def still_open(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """What is closed stays closed."""
    return () if facts.case.closed_at is None else (unmet("exception_closed"),)


@about_input
def way_out_known(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """The way out fits what the case is about, and says what it needs."""
    command, kind = facts.command, facts.case.object_type
    reasons = []
    possible = POSSIBLE.get(kind, frozenset())
    if command.action not in possible:
        reasons.append(unmet("way_out_not_possible", action=str(command.action), possible=sorted(possible)))
    if command.action == Action.MATCH and command.recovery_id is not None:
        reasons.extend(_repays(facts))
    elif command.action == Action.MATCH and (facts.instruction is None or command.kind is None):
        reasons.append(unmet("match_names_nothing", end_to_end_id=command.end_to_end_id or ""))
    elif command.action == Action.MATCH:
        reasons.extend(_fits(facts))
    if not command.reason.strip():
        reasons.append(unmet("reason_missing"))
    reasons.extend(file_reasons(command.file_name, command.evidence_sha256, command.size_bytes))
    return tuple(reasons)


def _fits(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """A booking is of the fund and the currency of the payment; money that left pays or is a fee, what came returns."""
    if facts.line is None:
        allowed: tuple[BankEventKind, ...] = (BankEventKind.SETTLE, BankEventKind.RETURN, BankEventKind.FEE)
    else:
        is_debit = facts.line.amount_minor < 0
        allowed = (BankEventKind.SETTLE, BankEventKind.FEE) if is_debit else (BankEventKind.RETURN,)
    reasons = []
    if facts.command.kind not in allowed:
        reasons.append(unmet("match_kind_wrong", allowed=[str(one) for one in allowed]))
    if facts.line is not None and facts.line.currency != facts.instruction.currency:
        reasons.append(unmet("foreign_currency"))
    if facts.batch is not None and facts.batch.fund_id != facts.case.fund_id:
        reasons.append(unmet("match_of_another_fund", end_to_end_id=facts.instruction.end_to_end_id))
    return tuple(reasons)


def _repays(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """A credit repays an order of the same fund that is open, wholly: a line is explained whole or not at all."""
    line, order = facts.line, facts.order
    is_credit = line is not None and line.amount_minor > 0 and facts.command.end_to_end_id is None
    if not is_credit or order is None or order.fund_id != facts.case.fund_id:
        return (unmet("match_names_nothing", end_to_end_id=str(facts.command.recovery_id)),)
    if line.amount_minor <= facts.order_left_minor and order.state == RecoveryState.OPEN:
        return ()
    values = said(order.currency, asked=line.amount_minor, left=facts.order_left_minor)
    return (Unmet(code="recovery_over_left", values=values),)


def still_set_aside(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """What a booking is, is said once, of what lies in suspense: not of what was posted, or taken out, already."""
    action = getattr(facts.command, "action", None) or facts.case.action
    is_about = facts.line is not None and action in (Action.MATCH, Action.WRITE_OFF)
    foreign = is_about and facts.fund is not None and facts.line.currency != facts.fund.currency
    return (unmet("booking_explained"),) if is_about and not foreign and not facts.aside_minor else ()


def lost_payment_known(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """What is adopted is the payment of a payout that is here and approved (`safety.md` 2.9)."""
    action = getattr(facts.command, "action", None) or facts.case.action
    if action != Action.ADOPT or facts.line is None:
        return ()
    return adoptable(facts.lost, facts.line, facts.case.fund_id, facts.aside_minor)


def proposed(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """There is a proposal to agree to."""
    return () if facts.case.proposed_by is not None else (unmet("nothing_proposed"),)


@about_input
def as_seen(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """Who confirms names way out and hash of what was seen; what was proposed in its place meanwhile was not (P09)."""
    case, command = facts.case, facts.command
    if case.action is None:
        return ()
    if command.action != case.action:
        return (unmet("another_way_out", proposed=str(case.action), asked=str(command.action)),)
    return () if command.proposal_hash == proposal_hash(case) else (unmet("proposal_changed"),)


def second_person(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """Nobody agrees with themselves, with no account of theirs."""
    proposer = facts.case.proposed_by
    own = proposer is not None and facts.person_of.get(proposer, proposer) == facts.stamp.actor.person_id
    return (unmet("four_eyes"),) if own else ()


def no_interest(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """Nobody of a firm, of one tied to it or of its investors decides what became of its money (F7, conflict wall)."""
    actor = facts.stamp.actor
    return _conflict(actor.name) if actor.person_id in facts.apart.interested else ()


def separate(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """Nor who works on its project or entered the account it is paid to (F7)."""
    return (unmet("four_eyes"),) if facts.stamp.actor.person_id in facts.apart.involved else ()


def another_vouched(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """Who confirmed the account may propose; who agrees had no part in it: else it is vouched for twice by one."""
    return (unmet("four_eyes"),) if facts.stamp.actor.person_id in facts.apart.vouched else ()


def proposer_apart(facts: "CaseFacts") -> tuple[Unmet, ...]:
    """What somebody proposed who has come to such a part since is proposed anew by another."""
    proposer = facts.case.proposed_by
    person = facts.person_of.get(proposer, proposer)
    if person in facts.apart.interested:
        return _conflict(facts.names.get(proposer, ""))
    return (unmet("four_eyes"),) if person in facts.apart.involved else ()


def _conflict(name: str) -> tuple[Unmet, ...]:
    return (unmet("conflict_of_interest", conflict="money", people=[name]),)
