"""What can stand in the way of money. Pure: facts in, reasons out; all of them, so that a person mends all at once."""

from typing import TYPE_CHECKING, Any

from lifecycle.banking.own_ids import payout_named
from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.milestones.entitlement import use_reasons
from lifecycle.milestones.rules import still_over
from models.money import said
from models.states import (
    ENDED,
    ApprovalDecision,
    FundStatus,
    MilestoneState,
    PayeeStatus,
    PayoutPurpose,
    PayoutState,
    Role,
)

if TYPE_CHECKING:
    from lifecycle.payouts.facts import PayoutFacts

REJECTED_OR_CANCELLED = (PayoutState.REJECTED, PayoutState.CANCELLED)


def payable(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Ask what must be true when money is approved and again when it leaves (F2-F6, F10, F16, F20)."""
    return (
        *_milestone_stands(facts),
        *_project_goes_on(facts),
        *_fund_open(facts),
        *_account_usable(facts),
        *_files_current(facts),
        *_within_milestone(facts),
        *_nothing_owed(facts),
        *facts.capped,
    )


def _milestone_stands(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Money follows an accepted milestone; a settlement has none, and where it is asked for it comes first (F11)."""
    is_unsettled = facts.agreement.settled_on is None
    unsettled = Unmet(
        code="not_settled", values={"number": facts.agreement.number}, party="funder", role=Role.FUND_MANAGER
    )
    if facts.purpose == PayoutPurpose.SETTLEMENT:
        return (unsettled,) if is_unsettled else ()
    if facts.milestone is not None and facts.milestone.state == MilestoneState.ACCEPTED:
        kept = retention_over(facts)
        return (unsettled, *kept) if is_unsettled and "final_statement" in facts.milestone.needs else kept
    state = "" if facts.milestone is None else str(facts.milestone.state)
    return (Unmet(code="milestone_not_accepted", values={"state": state}, party="platform", role=Role.COORDINATOR),)


def retention_over(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """A retention is asked again, until it leaves, whether anything has come up since its release (F13, F15)."""
    return still_over(facts.milestone, facts.retained, facts.pack.funds)


def _project_goes_on(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """A held project gets nothing; one that ended gets its settlement only, one in production what is left."""
    reasons = []
    stopped = facts.project.stage in ENDED and facts.project.stage != "in_production"
    if stopped and facts.purpose != PayoutPurpose.SETTLEMENT:
        reasons.append(unmet("project_ended", state=str(facts.project.stage)))
    if facts.project_hold is not None:
        hold = facts.project_hold
        reasons.append(unmet("project_on_hold", reason=hold.reason, until=hold.until_on.isoformat()))
    is_signed = facts.agreement.signed_on is not None or facts.purpose == PayoutPurpose.SETTLEMENT
    if facts.agreement.status != FundStatus.ACTIVE or not is_signed:
        reasons.append(unmet("agreement_not_in_force", number=facts.agreement.number))
    return tuple(reasons)


def _fund_open(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    if facts.fund.status != FundStatus.ACTIVE:
        return (unmet("fund_closed", fund=facts.fund.code),)
    if not facts.tiers:  # how many must approve cannot be read (F8)
        return (Unmet(code="tiers_missing", values={"fund": facts.fund.code}, party="funder", role=Role.SPONSOR),)
    hold = facts.fund_hold
    return (unmet("fund_on_hold", fund=facts.fund.code, reason=hold.reason),) if hold is not None else ()


def _account_usable(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Money goes to an account of the firm that a second person confirmed, after its cooling-off (F16)."""
    account = facts.account
    if account is None or account.organisation_id != facts.project.organisation_id:
        return (unmet("payee_of_another"),)
    if account.status != PayeeStatus.CONFIRMED:
        return (Unmet(code="payee_not_confirmed", party="funder", role=Role.ACCOUNTANT),)
    usable_on = facts.account_usable_on
    if usable_on is not None and usable_on > facts.stamp.today:
        return (Unmet(code="payee_cooling_off", values={"day": usable_on.isoformat()}),)
    return ()


def _files_current(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    missing = facts.missing_evidence
    return (unmet("evidence_not_current", sha256s=list(missing)),) if missing else ()


def _within_milestone(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """All payouts of a milestone, with what was set off against it, stay within it; those of a settlement within it."""
    is_settlement = facts.milestone is None
    left = (facts.agreement.settlement_minor if is_settlement else facts.tranche_minor) - facts.others_minor
    if facts.amount_minor <= left:
        return ()
    values = {**said(facts.fund.currency, left=max(0, left)), "payouts": list(facts.others)}
    if is_settlement:
        return (Unmet(code="settlement_exceeded", values=values),)
    return (Unmet(code="milestone_exceeded", values=values),)


def _nothing_owed(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Nothing is paid while the firm owes money back under the agreement: it repays, or it is set off (F5, F14)."""
    if not facts.owed_minor or facts.purpose == PayoutPurpose.SETTLEMENT:
        return ()
    return (Unmet(code="recovery_open", values=said(facts.fund.currency, owed=facts.owed_minor)),)


def money_left(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """The fund has the money; what others of the same batch take before is counted."""
    if facts.amount_minor <= facts.available_minor:
        return ()
    return (
        Unmet(
            code="insufficient_funds",
            values=said(facts.fund.currency, available=facts.available_minor, asked=facts.amount_minor),
            suffices="money_available",
            party="funder",
            role=Role.FUND_DIRECTOR,
        ),
    )


@about_input
def as_seen(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """The approver repeats amount and hash of what was seen; both are still so."""
    reasons = []
    command = facts.command
    if command.payload_hash is not None and command.payload_hash != facts.payout.payload_hash:
        reasons.append(unmet("payload_changed"))
    if command.amount_minor != facts.payout.amount_minor:
        reasons.append(unmet("amount_differs", **said(facts.payout.currency, asked=facts.payout.amount_minor)))
    return tuple(reasons)


@about_input
def called_back(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Before money goes to a changed account, one of those who approve has called the firm back about it (F16)."""
    said = (facts.command.callback_by or "").strip() and (facts.command.callback_at or "").strip()
    day = facts.account_changed_on
    if day is None or said or facts.is_called_back:
        return ()
    return (unmet("callback_needed", day=day.isoformat(), field="callback_by"),)


def callback_stands(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """A call back counts while who made it could still approve: it is asked for again when the money leaves (F16)."""
    day = facts.account_changed_on
    if day is None or facts.is_called_back:
        return ()
    return (Unmet(code="callback_void", values={"day": day.isoformat()}, party="funder", role=Role.FUND_MANAGER),)


def unchanged(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """What was asked for rests on is still what it rests on: account, evidence, milestone."""
    return () if facts.hash_now == facts.payout.payload_hash else (unmet("payload_changed"),)


def not_decided_yet(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """One person has one word on one state of a payout, also with a second account or for somebody else."""
    mine = facts.acting & facts.persons(ApprovalDecision.APPROVE)
    return (unmet("already_decided"),) if mine else ()


def separate_approver(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Who asked, vouched, certified, entered the account, works in the project or accepted it does not approve (F7)."""
    return _separate(facts, facts.barred_from_approving)


def separate_certifier(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Who asked, changed, filed the evidence or works in the project does not certify; an approver neither."""
    return _separate(facts, facts.barred_from_certifying, facts.persons(ApprovalDecision.APPROVE))


def separate_payer(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Who asked, vouched, certified, approved, works in the project or had a part in its account does not release."""
    return _separate(facts, facts.barred_from_releasing)


def not_own_request(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Nobody decides on their own request, not even against it."""
    return _separate(facts, facts.makers)


def _separate(facts: "PayoutFacts", *parts: frozenset[object]) -> tuple[Unmet, ...]:
    if not any(facts.acting & part for part in parts):
        return ()
    return (Unmet(code="four_eyes", people=facts.others_who_can),)


def no_interest(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Nobody of the firm, of one tied to it, or of its investors decides on money for it (F7, conflict wall)."""
    if not facts.acting & facts.interested:
        return ()
    return (unmet("conflict_of_interest", conflict="money", people=[facts.stamp.actor.name]),)


def certified(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Certified correct comes before passed for payment, where the standard asks for it."""
    if not facts.needs_certifier or facts.is_certified:
        return ()
    return (Unmet(code="not_certified", party="funder", role=Role.CERTIFIER),)


def not_certified_yet(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """One certificate is enough, and it comes before the first approval."""
    if facts.is_certified:
        return (unmet("already_decided"),)
    return (unmet("approved_already"),) if facts.persons(ApprovalDecision.APPROVE) else ()


def can_be_certified(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """A certificate is given on a request, or on one that came back."""
    return _only_when(facts, "certify", PayoutState.REQUESTED, PayoutState.RETURNED)


def can_be_released(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Only what is approved is released, once."""
    if facts.is_released:
        return (unmet("already_decided"),)
    return _only_when(facts, "release", PayoutState.APPROVED)


def _only_when(facts: "PayoutFacts", verb: str, *states: PayoutState) -> tuple[Unmet, ...]:
    state = facts.payout.state
    if state in states:
        return ()
    return (unmet(f"{verb}_not_possible_when_{state}", verb=verb, state=str(state)),)


def within_limit(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """The lower of the role's and the person's limit reaches the amount; one that cannot be read refuses (F8)."""
    limit = facts.limit_minor
    if limit is None:
        return (unmet("limit_unreadable", fund=facts.fund.code),)
    if facts.amount_minor <= limit:
        return ()
    return (
        Unmet(
            code="over_limit",
            values=said(facts.fund.currency, limit=limit),
            people=facts.others_who_can,
        ),
    )


def minute_there(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """The highest tier asks for the committee's minute and, as one of the approvers, for a director.

    It is the tier of the day on which the money was asked for, or came back, as with the number of approvals.
    """
    reasons = []
    if facts.asks.is_minute_needed and not facts.minute_sha256:
        reasons.append(unmet("minute_missing"))
    if facts.asks.is_director_needed and facts.is_last_approval and not facts.has_director:
        reasons.append(Unmet(code="director_missing", party="funder", role=Role.FUND_DIRECTOR))
    return tuple(reasons)


def last_gate(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Ask everything again before the bank is told: hash, people who still hold their right, release, holds (2.5)."""
    reasons = [*unchanged(facts), *payable(facts), *certified(facts), *callback_stands(facts)]
    if facts.valid_approvals < facts.payout.approvals_needed:
        reasons.append(unmet("approvals_missing", given=facts.valid_approvals, needed=facts.payout.approvals_needed))
    if facts.people_with_interest:
        people = sorted(facts.names_of(facts.people_with_interest))
        reasons.append(unmet("conflict_of_interest", conflict="money", people=people))
    if facts.needs_release and not facts.is_released:
        reasons.append(Unmet(code="not_released", party="funder", role=Role.PAYER))
    if facts.freeze is not None:
        reasons.append(unmet("frozen", since=facts.freeze.from_on.isoformat()))
    alive = len(facts.alive_instructions) + facts.revived_count
    if alive:
        reasons.append(unmet("batch_may_be_alive", count=alive))
    return tuple(reasons)


@about_input
def request_sound(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """What is asked for is an amount within the milestone, to an account of the firm, on files that are there.

    A request that nobody changes, but that is no longer what was approved, goes back to its maker as it is.
    """
    if facts.stamp.actor.is_clock and facts.payout is not None:
        return ()
    reasons = [*_within_milestone(facts)] if facts.amount_minor > 0 else [unmet("amount_not_positive")]
    account = facts.account
    if account is None or account.organisation_id != facts.project.organisation_id:
        reasons.append(unmet("payee_of_another"))
    elif account.status == PayeeStatus.RETIRED:
        reasons.append(unmet("payee_retired"))
    return (*reasons, *_files_current(facts))


@about_input
def enough_used(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Of a tranche is asked what is left after its cut by the use of the money paid before (F5)."""
    if not facts.cut_minor or facts.amount_minor <= facts.payable_minor:
        return ()
    if facts.payable_minor <= 0 and facts.figures is not None:
        return use_reasons(0, facts.figures, facts.pack.funds)
    said_of = said(facts.fund.currency, payable=facts.payable_minor, moved=facts.cut_minor)
    return (Unmet(code="tranche_cut", values=said_of),)


def milestone_asked(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Only an accepted milestone of a project that goes on is asked to be paid."""
    return (*_milestone_stands(facts), *_project_goes_on(facts), *_fund_open(facts), *_nothing_owed(facts))


def lost_id(line: Any) -> str | None:
    """Return the one end-to-end id of our form that a booking names; None where it names another number of ids."""
    ends: list[str] = [] if line is None else line.details.get("end_to_end_ids", [])
    return ends[0] if len(ends) == 1 and payout_named(ends[0]) is not None else None


def adoptable(payout: Any, line: Any, fund_id: Any, aside_minor: int) -> tuple[Unmet, ...]:
    """A payment that a restored database has lost is that of a payout which it names, of its fund and its amount.

    It stands in suspense still, and the payout is approved here: one that was approved after the backup is approved
    anew first.
    """
    end = lost_id(line) or ""
    is_it = payout is not None and payout.number == payout_named(end) and payout.fund_id == fund_id
    if not is_it or (payout.amount_minor, payout.currency) != (-aside_minor, line.currency):
        return (unmet("adopt_names_nothing", end_to_end_id=end),)
    if payout.state != PayoutState.APPROVED:
        return (unmet("adopt_needs_approval", number=payout.number, state=str(payout.state)),)
    return ()


@about_input
def has_reason(facts: "PayoutFacts") -> tuple[Unmet, ...]:
    """Say why."""
    return () if facts.command.reason.strip() else (unmet("reason_missing"),)
