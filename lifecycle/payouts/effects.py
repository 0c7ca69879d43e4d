"""What a carried-out verb of a payout changes. Pure; money moves in the same act as the state."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.chart import decide
from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.ledger.entries import Accounts, Sealed, entry
from lifecycle.milestones.effects import milestone_act
from lifecycle.milestones.plan import with_cut
from lifecycle.payouts.chart import OBJECT_TYPE, VERSION, PayoutChart
from lifecycle.payouts.facts import PayoutFacts, asks_of
from lifecycle.payouts.payload import seen
from lifecycle.payouts.terms import pay_by
from models.agreements import Agreement
from models.payouts import Approval, Payout
from models.states import ApprovalDecision, PayoutState, PostingKind


def act_on(facts: PayoutFacts, verb: str, *, target: str | None = None, **rest: Any) -> Act:
    """Return the act on the payout; with a target it is a transition, also one back to the same state."""
    state = str(facts.payout.state)
    values: Mapping[str, Any] = rest.pop("values", {})
    moved = {"state": PayoutState(target)} if target is not None else {}
    return Act(
        table=Payout,
        object_type=OBJECT_TYPE,
        id=facts.payout.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.payout,
        event=verb if target is not None else None,
        from_state=state,
        to_state=target or state,
        values={**moved, **values},
        definition_version=VERSION,
        **rest,
    )


def told(facts: PayoutFacts, kind: str, payout_id: UUID | None = None, **more: Any) -> Message:
    """Return the message that something happened to this payout."""
    said = {
        "number": str(facts.number) if facts.payout is None else facts.payout.number,
        "project": facts.project.number,
        "amount_minor": facts.amount_minor,
        "currency": facts.fund.currency,
    }
    return Message(
        kind=f"payout.{kind}",
        object_type=OBJECT_TYPE,
        object_id=payout_id or facts.payout.id,
        facts={**said, **more},
    )


def moved_money(facts: PayoutFacts, kind: PostingKind, stamp: Stamp) -> Sealed:
    """Return the entry that moves the whole payout between the fund's accounts."""
    return entry(kind, facts.payout.amount_minor, facts.accounts, new_id=stamp.new_id, payout_id=facts.payout.id)


def _asked(facts: PayoutFacts, payout_id: UUID, revision: int) -> dict[str, Any]:
    """Return the columns that follow from what is asked for: they are set at a request and at each amendment."""
    return {
        "payee_account_id": facts.account.id,
        "amount_minor": facts.amount_minor,
        "evidence": list(facts.evidence),
        "revision": revision,
        "payload_hash": facts.hash_of(payout_id, revision),
        **asdict(asks_of(facts.tier, facts.payout)),
        "minute_sha256": facts.minute_sha256,
        "complete_on": facts.stamp.today,
        "pay_by_on": _pay_by(facts),
    }


def _pay_by(facts: PayoutFacts) -> date:
    """Return the last day of the payment promise (F21)."""
    return pay_by(facts.stamp.today, facts.agreement.payment_days, facts.stamp.calendar).due_on


def requested(facts: PayoutFacts, _target: str, stamp: Stamp) -> Effects:
    """Ask for money; the hash of what is asked for is fixed."""
    assert facts.number is not None  # drawn for every request  # noqa: S101
    payout_id = stamp.new_id()
    values = {
        "number": str(facts.number),
        "purpose": facts.purpose,
        "project_id": facts.project.id,
        "agreement_id": facts.agreement.id,
        "milestone_id": facts.milestone.id if facts.milestone is not None else None,
        "fund_id": facts.fund.id,
        "currency": facts.fund.currency,
        "state": PayoutState.REQUESTED,
        "requested_by": stamp.actor.user_id,
        "created_at": stamp.now,
        **_asked(facts, payout_id, 1),
    }
    born = Act(
        table=Payout,
        object_type=OBJECT_TYPE,
        id=payout_id,
        action=f"{OBJECT_TYPE}.request",
        event="request",
        from_state="",
        to_state=PayoutState.REQUESTED,
        values=values,
        detail={key: values[key] for key in ("number", "amount_minor", "currency", "payload_hash", "approvals_needed")},
        definition_version=VERSION,
    )
    return Effects(
        acts=(born, *_cut(facts)),
        messages=(told(facts, "requested", payout_id),),
        numbers=facts.number.series,
        says={"number": str(facts.number), "payload_hash": values["payload_hash"]},
    )


def _cut(facts: PayoutFacts) -> tuple[Act, ...]:
    """Return the acts that move what a tranche is cut by to the next one; together they keep their sum (F1, F5).

    Behind the last tranche there is none: the award is lowered by the cut, and the fund can promise it again.
    """
    moved, milestone, following = facts.cut_minor, facts.milestone, facts.next_tranche
    if not moved:
        return ()
    left, more = with_cut((facts.tranche_minor, facts.next_minor), 0, moved)
    cut = milestone_act(
        milestone,
        "cut",
        values={"amount_minor": left, "cut_minor": milestone.cut_minor + moved},
        detail={"amount_minor": left, "moved_minor": moved, "to": following.tranche if following else None},
    )
    if following is None:
        return cut, _lowered(facts.agreement, moved, milestone.tranche)
    grown = milestone_act(
        following,
        "take_over",
        values={"amount_minor": more},
        detail={"amount_minor": more, "moved_minor": moved, "of": milestone.tranche},
    )
    return cut, grown


def _lowered(agreement: Any, amount_minor: int, tranche: str) -> Act:
    left = agreement.amount_minor - amount_minor
    return Act(
        table=Agreement,
        object_type="agreement",
        id=agreement.id,
        action="agreement.lower",
        row=agreement,
        values={"amount_minor": left},
        detail={"amount_minor": left, "tranche": tranche},
    )


def _word(facts: PayoutFacts, decision: ApprovalDecision, role: Any) -> Sealed:
    row = {
        "payout_id": facts.payout.id,
        "approver_id": facts.stamp.actor.user_id,
        "on_behalf_of_id": getattr(facts.command, "on_behalf_of", None),
        "decision": decision,
        "role": role,
        "payload_hash": facts.payout.payload_hash,
        "called_back": _callback(facts),
    }
    return ((Approval, row),)


def _callback(facts: PayoutFacts) -> dict[str, str]:
    """Return who called the firm back and when; nothing where this word does not say both."""
    said = {key: (getattr(facts.command, f"callback_{key}", None) or "").strip() for key in ("by", "at")}
    return said if all(said.values()) else {}


def certified(facts: PayoutFacts, _target: str, _stamp: Stamp) -> Effects:
    """Write the certifier's word down; no state moves."""
    detail = {"payload_hash": facts.payout.payload_hash, "role": "certifier", "note": facts.command.note}
    act = act_on(facts, "certify", detail=detail, sealed=_word(facts, ApprovalDecision.CERTIFY, "certifier"))
    return Effects(acts=(act,), messages=(told(facts, "certified"),))


def approved(facts: PayoutFacts, target: str, stamp: Stamp) -> Effects:
    """Write the approver's word down; the last one needed reserves the money in the same act."""
    word = _word(facts, ApprovalDecision.APPROVE, facts.approving_role)
    verb = "reapprove" if facts.payout.state == PayoutState.RETURNED else "approve"
    detail = {
        "payload_hash": facts.payout.payload_hash,
        "amount_minor": facts.payout.amount_minor,
        "role": str(facts.approving_role),
        "callback": _callback(facts),
        **({"note": facts.command.note} if facts.command.note else {}),
    }
    values = {"minute_sha256": facts.minute_sha256, **asdict(facts.asks)}
    if not facts.is_last_approval:
        act = act_on(facts, verb, sealed=word, values=values, detail=detail)
        message = told(facts, "approval_given", given=facts.approvals_given + 1, needed=facts.asks.approvals_needed)
        return Effects(acts=(act,), messages=(message,))
    sealed = (*word, *moved_money(facts, PostingKind.RESERVE, stamp))
    act = act_on(facts, verb, target=target, sealed=sealed, values=values, detail=detail)
    return Effects(acts=(act,), messages=(told(facts, "approved"),))


def released(facts: PayoutFacts, _target: str, _stamp: Stamp) -> Effects:
    """Write the payer's word down: the next payment run may take it."""
    detail = {"payload_hash": facts.payout.payload_hash, "role": "payer"}
    act = act_on(facts, "release", detail=detail, sealed=_word(facts, ApprovalDecision.RELEASE, "payer"))
    return Effects(acts=(act,), messages=(told(facts, "released"),))


def rejected(facts: PayoutFacts, target: str, _stamp: Stamp) -> Effects:
    """End the request."""
    word = _word(facts, ApprovalDecision.REJECT, facts.approving_role)
    reason = {"reason": facts.command.reason}
    detail = {**reason, "role": str(facts.approving_role), **seen(facts.payout)}
    act = act_on(facts, "reject", target=target, values=reason, detail=detail, sealed=word)
    return Effects(acts=(act,), messages=(told(facts, "rejected", **reason),))


def sent_back(facts: PayoutFacts, target: str, _stamp: Stamp) -> Effects:
    """Ask the maker for more; what was certified and approved so far is void."""
    reason = {"reason": facts.command.reason}
    values = {**_asked(facts, facts.payout.id, facts.payout.revision + 1), **reason}
    act = act_on(facts, "send_back", target=target, values=values, detail={**reason, **seen(facts.payout)})
    return Effects(acts=(act,), messages=(told(facts, "sent_back", **reason),))


def amended(facts: PayoutFacts, target: str, stamp: Stamp) -> Effects:
    """Change what is asked for: a new revision that needs every word anew; reserved money is free again."""
    person = str(stamp.actor.person_id)
    makers = [*facts.payout.amended_by, *([] if person in facts.payout.amended_by else [person])]
    was = {"amount_minor": facts.payout.amount_minor, "payload_hash": facts.payout.payload_hash}
    asked = _asked(facts, facts.payout.id, facts.payout.revision + 1)
    detail = {
        "reason": facts.command.reason,
        "was": was,
        "amount_minor": asked["amount_minor"],
        "payload_hash": asked["payload_hash"],
    }
    act = act_on(
        facts,
        "amend",
        target=target,
        values={**asked, "amended_by": makers if not stamp.actor.is_clock else list(facts.payout.amended_by)},
        detail=detail,
        sealed=_freed(facts, stamp),
    )
    return Effects(acts=(act,), messages=(told(facts, "amended", reason=facts.command.reason),))


def _freed(facts: PayoutFacts, stamp: Stamp) -> Sealed:
    """Return the entry that frees what was reserved; without a reservation none."""
    return moved_money(facts, PostingKind.VOID, stamp) if facts.payout.state == PayoutState.APPROVED else ()


def cancelled(facts: PayoutFacts, target: str, stamp: Stamp) -> Effects:
    """Give the request up; reserved money is free again."""
    reason = {"reason": facts.command.reason}
    detail = {**reason, **seen(facts.payout)}
    act = act_on(facts, "cancel", target=target, values=reason, detail=detail, sealed=_freed(facts, stamp))
    return Effects(acts=(act,), messages=(told(facts, "cancelled", **reason),))


def cancelled_with_project(payout: Any, project: Any, accounts: Accounts, stamp: Stamp, state: str = "") -> Act:
    """Return the act that cancels a payout because its project has ended (I25); reserved money is free again.

    `state` is where an act before it in the same command has brought the payout, if one has.
    """
    before = state or str(payout.state)
    target = decide(PayoutChart, before, "cancel", None)
    reason = f"{project.number} ended"
    freed = entry(PostingKind.VOID, payout.amount_minor, accounts, new_id=stamp.new_id, payout_id=payout.id)
    return Act(
        table=Payout,
        object_type=OBJECT_TYPE,
        id=payout.id,
        action=f"{OBJECT_TYPE}.cancel",
        row=payout,
        event="cancel",
        from_state=before,
        to_state=target,
        values={"state": PayoutState(target), "reason": reason},
        detail={"reason": reason, **seen(payout)},
        sealed=freed if before == PayoutState.APPROVED else (),
        definition_version=VERSION,
    )


def instructed(facts: PayoutFacts, target: str, _stamp: Stamp) -> Effects:
    """Count the attempt; batch and instruction are written by the batch that takes the payout."""
    values = {"attempt": facts.payout.attempt + 1}
    act = act_on(
        facts,
        "instruct",
        target=target,
        values=values,
        detail={"batch_id": facts.command.batch_id, **seen(facts.payout)},
    )
    return Effects(acts=(act,), messages=(told(facts, "instructed"),))


def moved_along(facts: PayoutFacts, event: str) -> str:
    """Return where an event leads that follows from something outside: a batch given up, a word of the bank."""
    return decide(PayoutChart, str(facts.payout.state), event, facts)


EFFECTS: Mapping[str, Callable[[PayoutFacts, str, Stamp], Effects]] = {
    "certify": certified,
    "approve": approved,
    "reapprove": approved,
    "release": released,
    "reject": rejected,
    "send_back": sent_back,
    "amend": amended,
    "cancel": cancelled,
    "instruct": instructed,
}
