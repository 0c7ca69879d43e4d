"""What a carried-out verb of a fund changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.errors import Unmet, unmet
from lifecycle.funds.facts import BirthFacts, FundFacts, plain_account
from lifecycle.funds.rules import APPROVING_ROLES
from lifecycle.ledger.accounts import new_accounts
from lifecycle.ledger.cases import closed_cases, out_of_suspense
from lifecycle.ledger.entries import Sealed, entry
from models.funds import ApprovalLimit, ApprovalTier, CapitalCall, Contribution, Fund, FundSource
from models.holds import Hold
from models.money import MAX_MINOR, Money, said
from models.states import FundStatus, PostingKind

DEFAULT_TIERS: tuple[Mapping[str, Any], ...] = (
    {"up_to_minor": 30_000_000, "approvers_needed": 1, "is_director_needed": False, "is_minute_needed": False},
    {"up_to_minor": 200_000_000, "approvers_needed": 2, "is_director_needed": False, "is_minute_needed": False},
    {"up_to_minor": MAX_MINOR, "approvers_needed": 3, "is_director_needed": True, "is_minute_needed": True},
)
"""Up to RMB 300,000 one approver, up to 2,000,000 two, above two and the director with a minute (rule book 5.4).

They are figures of one currency: a fund in another has no tiers, and pays nothing, until its sponsor has set them.
"""
_TIERS_IN = "CNY"


def fund_act(facts: FundFacts, verb: str, *, sealed: Sealed = (), **rest: Any) -> Act:
    """Return the act on the fund itself; it moves no state that a chart knows."""
    return Act(
        table=Fund,
        object_type="fund",
        id=facts.fund.id,
        action=f"fund.{verb}",
        row=facts.fund,
        values=rest.pop("values", {}),
        detail=rest.pop("detail", {}),
        sealed=sealed,
    )


def told(facts: FundFacts, kind: str, **more: Any) -> Message:
    """Return the message that something happened to this fund."""
    return Message(
        kind=f"fund.{kind}", object_type="fund", object_id=facts.fund.id, facts={"code": facts.fund.code, **more}
    )


def added(facts: BirthFacts, _target: str, stamp: Stamp) -> Effects:
    """Open the fund with its accounts, a limit for each approving role and, in yuan, the default authority matrix."""
    command, fund_id = facts.command, stamp.new_id()
    values = {
        **{name: value.strip() if isinstance(value, str) else value for name, value in command.asks().items()},
        "debtor_account": plain_account(command.debtor_account),
        "status": FundStatus.ACTIVE,
        "created_at": stamp.now,
    }
    act = Act(table=Fund, object_type="fund", id=fund_id, action="fund.add", values=values, detail={**command.asks()})
    accounts = new_accounts(fund_id, command.code, command.currency, facts.shared, stamp.new_id)
    default = DEFAULT_TIERS if command.currency == _TIERS_IN else ()
    tiers = tuple((ApprovalTier, _since(fund_id, tier, stamp)) for tier in default)
    limits = tuple(
        (ApprovalLimit, _since(fund_id, {"role": role, "up_to_minor": MAX_MINOR}, stamp)) for role in APPROVING_ROLES
    )
    message = Message(kind="fund.added", object_type="fund", object_id=fund_id, facts={"code": command.code})
    return Effects(acts=(act,), rows=(*accounts, *tiers, *limits), messages=(message,), says={"code": command.code})


def resized(facts: FundFacts, _target: str, _stamp: Stamp) -> Effects:
    """Let the fund promise more, or less."""
    was, size = facts.fund.commitment_minor, facts.command.commitment_minor
    detail = {"was_minor": was, "commitment_minor": size, "reason": facts.command.reason.strip()}
    act = fund_act(facts, "resize", values={"commitment_minor": size}, detail=detail)
    return Effects(acts=(act,), messages=(told(facts, "resized", was_minor=was, commitment_minor=size),))


def _since(fund_id: UUID, values: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
    return {"id": stamp.new_id(), "fund_id": fund_id, "since_at": stamp.now, **values}


def committed(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Enter an investor's commitment, or raise the one it made before."""
    command, known = facts.command, facts.source
    amount = command.amount_minor
    if known is None:
        values = {
            "fund_id": facts.fund.id,
            "organisation_id": command.organisation_id,
            "kind": command.kind,
            "committed_minor": amount,
            "called_minor": 0,
            "paid_in_minor": 0,
        }
        source = Act(
            table=FundSource,
            object_type="fund_source",
            id=stamp.new_id(),
            action="fund_source.commit",
            values=values,
            detail=values,
        )
    else:
        total = known.committed_minor + amount
        source = source_act(known, "commit", {"committed_minor": total})
    detail = {
        "source_id": source.id,
        "organisation_id": command.organisation_id,
        "kind": command.kind,
        "amount_minor": amount,
    }
    return Effects(
        acts=(fund_act(facts, "commit", detail=detail), source),
        messages=(told(facts, "committed", amount_minor=amount),),
        says={"source_id": str(source.id), **beyond_size(facts, amount)},
    )


def beyond_size(facts: FundFacts, more_minor: int) -> dict[str, Any]:
    """Return the remark that investors commit more than the fund may promise; nothing where they do not."""
    subscribed = sum(row.committed_minor for row in facts.sources) + more_minor
    size = facts.fund.commitment_minor
    if subscribed <= size:
        return {}
    values = said(facts.fund.currency, subscribed=subscribed, size=size)
    return remarks(Unmet(code="subscribed_beyond_size", values={"fund": facts.fund.code, **values}))


def remarks(*said_besides: Unmet) -> dict[str, Any]:
    """Return what an answer says besides: nothing is refused, but whoever acted should know what follows from it."""
    return {"remarks": [one.document() for one in said_besides]} if said_besides else {}


def source_act(source: Any, verb: str, values: Mapping[str, Any]) -> Act:
    """Return the act on one investor's commitment."""
    return Act(
        table=FundSource,
        object_type="fund_source",
        id=source.id,
        action=f"fund_source.{verb}",
        row=source,
        values=values,
        detail=values,
    )


def called(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Ask every investor for its part, in proportion to what it has not been asked for yet."""
    command, number = facts.command, facts.calls + 1
    weights = [row.committed_minor - row.called_minor for row in facts.sources]
    parts = Money(command.amount_minor, facts.fund.currency).split(weights)
    acts, rows = [], []
    for source, part in zip(facts.sources, parts, strict=True):
        if part.minor:
            acts.append(source_act(source, "call", {"called_minor": source.called_minor + part.minor}))
            rows.append((CapitalCall, _call(facts, source, number, part.minor, stamp)))
    detail = {"call_no": number, "amount_minor": command.amount_minor, "due_on": command.due_on}
    return Effects(
        acts=(fund_act(facts, "call", detail=detail), *acts),
        rows=tuple(rows),
        messages=(told(facts, "called", amount_minor=command.amount_minor, due=command.due_on.isoformat()),),
        says={"call_no": number},
    )


def _call(facts: FundFacts, source: Any, number: int, amount: int, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "fund_id": facts.fund.id,
        "source_id": source.id,
        "call_no": number,
        "amount_minor": amount,
        "due_on": facts.command.due_on,
        "called_at": stamp.now,
        "called_by": stamp.actor.user_id,
    }


def contributed(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Book money that came in from an investor, or went back to it; its booking is no more in suspense."""
    command, source, amount = facts.command, facts.source, facts.command.amount_minor
    kind = PostingKind.FUND_IN if amount > 0 else PostingKind.FUND_OUT
    booked = entry(kind, abs(amount), facts.accounts, new_id=stamp.new_id)
    entry_id = booked[0][1]["entry_id"]
    taken = out_of_suspense(facts.booking, facts.accounts, stamp.new_id) if facts.booking is not None else ()
    sealed = (*taken, *booked)
    row = {
        "id": stamp.new_id(),
        "fund_id": facts.fund.id,
        **command.asks(),
        "note": command.note.strip(),
        "entry_id": entry_id,
        "at": stamp.now,
        "by": stamp.actor.user_id,
    }
    detail = {**command.asks(), "entry_id": entry_id}
    total = (
        [] if source is None else [source_act(source, "contribute", {"paid_in_minor": source.paid_in_minor + amount})]
    )
    return Effects(
        acts=(fund_act(facts, "contribute", detail=detail, sealed=sealed), *total, *closed_cases(facts.cases, stamp)),
        rows=((Contribution, row),),
        messages=(told(facts, "contributed", amount_minor=amount),),
        says={"entry_id": str(entry_id), **remarks(*_unnamed(facts))},
    )


def _unnamed(facts: FundFacts) -> tuple[Unmet, ...]:
    """What follows where a contribution names no investor, or no booking of the bank."""
    command, code = facts.command, facts.fund.code
    nobody = (unmet("contribution_of_nobody", fund=code),) if command.source_id is None else ()
    return nobody if command.bank_ref else (*nobody, unmet("contribution_without_reference", fund=code))


def held(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Let no money of this fund be approved or released until two people end the hold."""
    command = facts.command
    row = hold_row(facts.fund.id, command.code, command.reason.strip(), command.until_on, stamp)
    detail = {"code": command.code, "reason": command.reason, "until_on": command.until_on}
    return Effects(
        acts=(fund_act(facts, "hold", detail=detail),),
        rows=((Hold, row),),
        messages=(told(facts, "held", reason=command.code),),
    )


def hold_row(fund_id: UUID, code: str, note: str, until_on: Any, stamp: Stamp) -> dict[str, Any]:
    """Return the row of a hold on a fund that begins now; no day ends it, two people do."""
    return {
        "id": stamp.new_id(),
        "object_type": "fund",
        "object_id": fund_id,
        "reason": code,
        "note": note,
        "needs_decision": True,
        "from_at": stamp.now,
        "from_on": stamp.today,
        "until_on": until_on,
        "put_by": stamp.actor.user_id,
    }


def resumed(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Sign as the first of two, or lift the hold as the second."""
    hold = facts.holds[0]
    detail = {"hold_id": hold.id, "code": hold.reason, "reason": facts.command.reason}
    if hold.first_lifter_id is None:
        signed = (Hold, hold.id, {"first_lifter_id": stamp.actor.person_id})
        act = fund_act(facts, "resume", detail={**detail, "signed": "first of two"})
        return Effects(acts=(act,), updates=(signed,), says={"is_lifted": False})
    lifted = {"lifted_at": stamp.now, "lifted_on": stamp.today, "lifted_by": stamp.actor.user_id}
    return Effects(
        acts=(fund_act(facts, "resume", detail=detail),),
        updates=((Hold, hold.id, lifted),),
        messages=(told(facts, "resumed"),),
        says={"is_lifted": True},
    )


def tiers_set(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Put a new authority matrix in the place of the old one, which stays readable."""
    tiers = [
        {
            "up_to_minor": tier.up_to_minor,
            "approvers_needed": tier.approvers_needed,
            "is_director_needed": tier.is_director_needed,
            "is_minute_needed": tier.is_minute_needed,
        }
        for tier in facts.command.tiers
    ]
    ended = tuple((ApprovalTier, row.id, {"until_at": stamp.now}) for row in facts.tiers)
    rows = tuple((ApprovalTier, _since(facts.fund.id, tier, stamp)) for tier in tiers)
    detail = {"tiers": tiers, "reason": facts.command.reason}
    return Effects(acts=(fund_act(facts, "set_tiers", detail=detail),), rows=rows, updates=ended)


def limit_set(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Set how much a role or one person may approve; the earlier limit ends now."""
    command = facts.command
    of_whom = (command.role, command.user_id)
    ended = tuple(
        (ApprovalLimit, row.id, {"until_at": stamp.now}) for row in facts.limits if (row.role, row.user_id) == of_whom
    )
    values = {"role": command.role, "user_id": command.user_id, "up_to_minor": command.up_to_minor}
    row = (ApprovalLimit, _since(facts.fund.id, values, stamp))
    detail = {**values, "reason": command.reason}
    return Effects(acts=(fund_act(facts, "set_limit", detail=detail),), rows=(row,), updates=ended)


def closed(facts: FundFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the fund: nothing is promised or booked on it any more."""
    values = {"status": FundStatus.CLOSED, "closed_on": stamp.today}
    act = fund_act(facts, "close", values=values, detail={"reason": facts.command.reason})
    return Effects(acts=(act,), messages=(told(facts, "closed"),))
