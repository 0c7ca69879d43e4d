"""What a proposal, and a word of agreement, write."""

from collections.abc import Mapping
from typing import Any

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.exceptions.facts import CaseFacts
from lifecycle.exceptions.proposal import Action
from lifecycle.ledger.cases import holds_its_fund
from models.funds import Fund
from models.holds import CaseFile, ExceptionCase, Hold

OBJECT_TYPE = "exception"


def _act(facts: CaseFacts, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any]) -> Act:
    return Act(
        table=ExceptionCase,
        object_type=OBJECT_TYPE,
        id=facts.case.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.case,
        values=values,
        detail={"kind": facts.case.kind, **detail},
    )


def _told(facts: CaseFacts, kind: str) -> Message:
    said = {"kind": facts.case.kind, "about": facts.case.object_type}
    return Message(kind=f"{OBJECT_TYPE}.{kind}", object_type=OBJECT_TYPE, object_id=facts.case.id, facts=said)


def way_out_proposed(facts: CaseFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the proposal down; a later one takes its place."""
    command = facts.command
    proposal = {
        "end_to_end_id": command.end_to_end_id,
        "kind": str(command.kind) if command.kind else None,
        "recovery_id": str(command.recovery_id) if command.recovery_id else None,
    }
    values = {
        "action": str(command.action),
        "proposal": proposal,
        "reason": command.reason,
        "evidence_sha256": command.evidence_sha256,
        "proposed_by": stamp.actor.user_id,
        "proposed_at": stamp.now,
    }
    detail = {
        "action": values["action"],
        "reason": command.reason,
        "evidence_sha256": command.evidence_sha256,
        "file_name": command.file_name,
        **proposal,
    }
    file = {
        "id": stamp.new_id(),
        "exception_id": facts.case.id,
        "file_name": command.file_name,
        "sha256": command.evidence_sha256,
        "size_bytes": command.size_bytes,
        "author_id": stamp.actor.user_id,
        "at": stamp.now,
    }
    return Effects(
        acts=(_act(facts, "propose", values, detail),),
        rows=((CaseFile, file),),
        messages=(_told(facts, "proposed"),),
    )


_LIFTING = (Action.LIFT_HOLD, Action.ADOPT)
"""The ways out after which nothing of the case is left that could pay twice, or differ."""


def way_out_confirmed(facts: CaseFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the case; everything else is done by the verb that follows.

    What the bank's word holds a fund for is lifted with the last case that holds it: an earlier one leaves it held, and
    what people hold the fund for stays.
    """
    values = {"confirmed_by": stamp.actor.user_id, "closed_at": stamp.now}
    acts = [_act(facts, "confirm", values, {"action": facts.case.action, "proposed_by": facts.case.proposed_by})]
    updates: tuple[Any, ...] = ()
    is_lifting = facts.case.action in _LIFTING and holds_its_fund(facts.case)
    if is_lifting and facts.holds and not facts.others_hold:
        lifted = {"lifted_at": stamp.now, "lifted_on": stamp.today, "lifted_by": stamp.actor.user_id}
        updates = tuple((Hold, row.id, lifted) for row in facts.holds)
        acts.append(
            Act(
                table=Fund,
                object_type="fund",
                id=facts.fund.id,
                action="fund.resume",
                row=facts.fund,
                detail={"exception_id": facts.case.id, "reason": facts.case.reason},
            )
        )
    says = {"is_lifted": bool(updates), "others_hold": facts.others_hold} if is_lifting else {}
    return Effects(acts=tuple(acts), updates=updates, messages=(_told(facts, "closed"),), says=says)
