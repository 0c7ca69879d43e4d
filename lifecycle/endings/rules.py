"""Facts in, reasons out: what can stand in the way of a settlement, and of what is owed back. Pure."""

from typing import TYPE_CHECKING

from lifecycle.banking.own_ids import names_ours
from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.milestones.entitlement import release_reasons
from models.money import MAX_MINOR, said
from models.states import LineStatus, RecoveryState, Role

if TYPE_CHECKING:
    from lifecycle.endings.facts import OrderFacts, RecoveryFacts, SettleFacts

REASONS = ("negative_balance", "ineligible_cost", "misuse", "false_report", "double_funding", "stop")
"""Why money is recovered (F14)."""
_BANK_REF_LENGTH = 140


def reached_its_end(facts: "SettleFacts") -> tuple[Unmet, ...]:
    """An agreement is settled when its project was stopped or withdrawn, or has passed the last gate (F11, F12)."""
    figures = facts.figures
    return () if figures.is_stopped or figures.is_last_gate_passed else (unmet("settlement_too_early"),)


def cost_is_final(facts: "SettleFacts") -> tuple[Unmet, ...]:
    """The final cost statement is verified and none waits; after a stop it is waited for until it is due (F12)."""
    waiting = [row.statement_no for row in facts.statements if row.verified_at is None]
    if waiting:
        return (Unmet(code="cost_not_verified", values={"statements": waiting}, party="funder", role=Role.CERTIFIER),)
    if any(row.is_final and row.accepted_minor for row in facts.statements):
        return ()
    due = facts.agreement.statement_due_on
    if facts.figures.is_stopped and due is not None and facts.on.stamp.today > due:
        return ()
    return (Unmet(code="final_statement_missing", party="sme", role=Role.FINANCE_OFFICER, due_on=due),)


def audit_there(facts: "SettleFacts") -> tuple[Unmet, ...]:
    """The audit is accepted where the plan asks for one; a stopped project is settled without (F11, F12)."""
    is_asked = any("audit_accepted" in row.needs for row in facts.milestones)
    if not is_asked or facts.figures.is_stopped or facts.figures.is_audit_accepted:
        return ()
    return (Unmet(code="audit_missing", party="programme", role=Role.SPONSOR),)


def nothing_on_its_way(facts: "SettleFacts") -> tuple[Unmet, ...]:
    """What is asked for, approved or at the bank comes to its end first: else nobody knows what was paid."""
    count = len(facts.on_their_way)
    return (unmet("payouts_open", count=count),) if count else ()


def changes_something(facts: "SettleFacts") -> tuple[Unmet, ...]:
    """A settlement is made once, and again only where the bank has sent money back since."""
    agreement = facts.agreement
    holds = agreement.settled_on is not None and facts.difference_minor == 0
    return (unmet("settled_already", day=agreement.settled_on.isoformat()),) if holds else ()


def not_who_stated(facts: "SettleFacts") -> tuple[Unmet, ...]:
    """Who stated the cost does not settle on it."""
    is_own = facts.on.stamp.actor.person_id in facts.stated_by
    return (unmet("four_eyes", verb="settle"),) if is_own else ()


@about_input
def order_sound(facts: "OrderFacts") -> tuple[Unmet, ...]:
    """An order has one of the reasons of F14, and asks at most for what was paid and is not asked back already."""
    command, reasons = facts.command, []
    if command.code not in REASONS:
        reasons.append(unmet("recovery_code_unknown", given=command.code, allowed=list(REASONS)))
    if not 1 <= command.amount_minor <= MAX_MINOR:
        reasons.append(unmet("amount_out_of_bounds", amount=command.amount_minor, limit=MAX_MINOR))
    elif command.amount_minor > facts.recoverable_minor:
        values = said(facts.fund.currency, asked=command.amount_minor, paid=max(0, facts.recoverable_minor))
        reasons.append(Unmet(code="recovery_over_paid", values=values))
    return tuple(reasons)


def still_open(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """What is met or written off stays so."""
    order = facts.order
    return () if order.state == RecoveryState.OPEN else (unmet("recovery_closed", number=order.number),)


@about_input
def within_order(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """No more comes back, or is set off, than is still owed."""
    amount = facts.command.amount_minor
    if amount < 1:
        return (unmet("amount_out_of_bounds", amount=amount, limit=MAX_MINOR),)
    if amount <= facts.left_minor:
        return ()
    return (Unmet(code="recovery_over_left", values=said(facts.fund.currency, asked=amount, left=facts.left_minor)),)


@about_input
def booking_named(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """A repayment is a credit at the bank: it has a reference and a day that is not to come."""
    command, reasons = facts.command, []
    if not 0 < len(command.bank_ref.strip()) <= _BANK_REF_LENGTH:
        reasons.append(unmet("bank_ref_missing"))
    if command.received_on > facts.stamp.today:
        reasons.append(unmet("day_in_future", day=command.received_on.isoformat()))
    return tuple(reasons)


def accountant_books(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """The accountant books; two people may instead have agreed on it (F14)."""
    may = Role.ACCOUNTANT in facts.roles or facts.command.exception_id is not None
    return () if may else (unmet("role", needs=["accountant"], verb="repay"),)


@about_input
def is_a_booking(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """A repayment is a booking of the bank that waits in suspense, or that two people agreed on, wholly.

    Nobody books alone what no statement of the bank says (rule book 5.4), nor what names a payment of ours.
    """
    case, line = facts.case, facts.line
    is_whole = (
        case is not None
        and line is not None
        and (case.object_id, case.fund_id) == (line.id, facts.order.fund_id)
        and (line.amount_minor, line.currency) == (facts.command.amount_minor, facts.order.currency)
    )
    if facts.command.exception_id is None:
        is_open = is_whole and line.status == LineStatus.EXCEPTION and not names_ours(line)
        return () if is_open else (unmet("repayment_without_booking"),)
    agreed = case.proposal.get("recovery_id") if case is not None and case.confirmed_by is not None else None
    return () if is_whole and agreed == str(facts.order.id) else (unmet("two_people_missing"),)


@about_input
def same_funder(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """Set off is against a released tranche of the same firm and the same fund (F14).

    Not against one of another fund, though it be the same funder's: its sources are kept apart (F18), and one fund's
    money would pay another's debt.
    """
    milestone, other = facts.milestone, facts.other
    if milestone is None or milestone.fund_id != facts.order.fund_id:
        return (unmet("set_off_of_another"),)
    if other.organisation_id is None or other.organisation_id != facts.project.organisation_id:
        return (unmet("set_off_of_another"),)
    return ()


@about_input
def within_tranche(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """No more is set off than is released and not asked for: an open request is amended or cancelled first."""
    amount = facts.command.amount_minor
    if facts.milestone is None or amount <= facts.unasked_minor:
        return ()
    left = max(0, facts.unasked_minor)
    return (Unmet(code="set_off_over_tranche", values=said(facts.fund.currency, asked=amount, left=left)),)


@about_input
def within_caps(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """What is set off counts as paid under the tranche's agreement: every cap of a payment holds for it (F2 to F6).

    Under the order's own agreement it counts as paid back as well, so nothing is added up.
    """
    if facts.figures is None or facts.agreement.id == facts.order.agreement_id:
        return ()
    return release_reasons(facts.command.amount_minor, facts.figures, facts.funds_rules)


@about_input
def firm_was_told(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """A set-off is told the firm before it is made (F14)."""
    day = facts.command.notified_on
    return (unmet("day_in_future", day=day.isoformat()),) if day > facts.stamp.today else ()


def not_the_orderer(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """Who ordered it does not forgive it, and nobody confirms their own proposal (F14)."""
    mine = facts.stamp.actor.person_id in (facts.orderer, facts.proposer)
    return (unmet("four_eyes", verb="write_off"),) if mine else ()


def may_forgive(facts: "RecoveryFacts") -> tuple[Unmet, ...]:
    """Both who write off may decide on an amount like it; a limit that cannot be read refuses (F8, F14)."""
    limit = facts.limit_minor
    if limit is None:
        return (unmet("approval_limit_unreadable", kind="role"),)
    if facts.left_minor <= limit:
        return ()
    values = said(facts.fund.currency, total=facts.left_minor, limit=limit)
    return (Unmet(code="over_approval_limit", values=values),)
