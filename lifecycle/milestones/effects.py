"""What a carried-out verb of a tranche changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.milestones.chart import BIRTH, OBJECT_TYPE, VERSION
from lifecycle.milestones.facts import MilestoneFacts
from models.agreements import Agreement, Milestone
from models.states import MilestoneState


def planned(milestone_id: UUID, values: Mapping[str, Any]) -> Act:
    """Return the birth of a tranche."""
    _, _, event, source, target = BIRTH
    shown = ("number", "tranche", "amount_minor", "gate", "criteria", "needs", "due_on")
    return Act(
        table=Milestone,
        object_type=OBJECT_TYPE,
        id=milestone_id,
        action=f"{OBJECT_TYPE}.{event}",
        event=event,
        from_state=source,
        to_state=target,
        values={**values, "state": MilestoneState(target)},
        detail={name: values[name] for name in shown if name in values},
        definition_version=VERSION,
    )


def milestone_act(row: Any, verb: str, target: str | None = None, **rest: Any) -> Act:
    """Return the act on a tranche; with a target state it moves."""
    state = str(row.state)
    moves = target is not None and target != state
    values = dict(rest.pop("values", {}))
    if target is not None and moves:
        values["state"] = MilestoneState(target)
    return Act(
        table=Milestone,
        object_type=OBJECT_TYPE,
        id=row.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=row,
        event=verb if moves else None,
        from_state=state,
        to_state=target or state,
        values=values,
        detail=rest.pop("detail", {}),
        definition_version=VERSION,
    )


def _told(facts: MilestoneFacts, kind: str, **more: Any) -> Message:
    number = {"number": facts.on.project.number, "tranche": facts.milestone.tranche}
    return Message(
        kind=f"milestone.{kind}", object_type=OBJECT_TYPE, object_id=facts.milestone.id, facts={**number, **more}
    )


def submitted(facts: MilestoneFacts, target: str, stamp: Stamp) -> Effects:
    """Hand the report in, with the hash of every file that it rests on."""
    command = facts.command
    report = {
        "summary": command.summary.strip(),
        "figures": dict(command.figures),
        "evidence": sorted(set(command.evidence)),
    }
    values = {
        "report": report,
        "submitted_by": stamp.actor.user_id,
        "submitted_at": stamp.now,
        "decided_by": None,
        "decided_at": None,
        "reason": None,
    }
    act = milestone_act(facts.milestone, "submit", target, values=values, detail={"evidence": report["evidence"]})
    return Effects(acts=(act,), messages=(_told(facts, "submitted"),))


def _decided(facts: MilestoneFacts, verb: str, target: str, stamp: Stamp) -> Act:
    reason = facts.command.reason.strip()
    values = {"decided_by": stamp.actor.user_id, "decided_at": stamp.now, "reason": reason}
    return milestone_act(facts.milestone, verb, target, values=values, detail={"reason": reason})


def accepted(facts: MilestoneFacts, target: str, stamp: Stamp) -> Effects:
    """Release the tranche: its money may be requested."""
    act = _decided(facts, "accept", target, stamp)
    amount = facts.milestone.amount_minor
    return Effects(acts=(act,), messages=(_told(facts, "accepted", amount_minor=amount),))


def rejected(facts: MilestoneFacts, target: str, stamp: Stamp) -> Effects:
    """Give the report back; it can be handed in again."""
    return Effects(acts=(_decided(facts, "reject", target, stamp),), messages=(_told(facts, "rejected"),))


def announced(facts: MilestoneFacts, _target: str, stamp: Stamp) -> Effects:
    """Note the first day of the public notice of the release; a later one begins it anew (F15)."""
    detail = {"where": facts.command.where.strip(), "noticed_on": stamp.today}
    act = milestone_act(facts.milestone, "announce", values={"noticed_on": stamp.today}, detail=detail)
    return Effects(acts=(act,), messages=(_told(facts, "announced", where=detail["where"]),))


def waived(facts: MilestoneFacts, target: str, stamp: Stamp) -> Effects:
    """Take the tranche out of the award: the tranches that are left sum to what the award is now (F1)."""
    left = facts.agreement_minor - facts.milestone.amount_minor
    lowered = Act(
        table=Agreement,
        object_type="agreement",
        id=facts.agreement.id,
        action="agreement.lower",
        row=facts.agreement,
        values={"amount_minor": left},
        detail={"amount_minor": left, "tranche": facts.milestone.tranche},
    )
    return Effects(acts=(_decided(facts, "waive", target, stamp), lowered), messages=(_told(facts, "waived"),))
