"""What a carried-out verb of a review changes. Pure."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.projects.effects import act_on, hold_row, run_act, still_asked, told
from lifecycle.reviews.facts import CallFacts, ReviewFacts
from lifecycle.standards.pack import Stage
from models.holds import Hold
from models.reviews import Condition, Objection, PanelMember, Review, Score
from models.states import GateOutcome, ReviewState, StageRunState


def called(facts: CallFacts, _target: str, stamp: Stamp) -> Effects:
    """Name the panel and freeze what it will see."""
    on, command, review_id = facts.on, facts.command, stamp.new_id()
    assert on.records is not None  # call_facts reads the gate  # noqa: S101
    values = {
        "project_id": on.project.id,
        "stage_run_id": on.run.id,
        "gate": on.asked.gate,
        "call_no": facts.calls + 1,
        "state": ReviewState.CALLED,
        "planned_on": command.planned_on,
        "frozen": {
            "evidence": sorted(item.sha256 for item in on.records.evidence),
            "verdicts": {verdict.clause: str(verdict.state) for verdict in on.verdicts},
        },
    }
    born = Act(
        table=Review,
        object_type="review",
        id=review_id,
        action="review.call",
        event="call",
        to_state=ReviewState.CALLED,
        values=values,
        detail={"gate": on.asked.gate, "planned_on": command.planned_on, "panel": [s.user_id for s in command.panel]},
    )
    rows = tuple((PanelMember, _member(review_id, seat, stamp)) for seat in command.panel)
    message = Message(
        kind="review.called", object_type="review", object_id=review_id, facts={"number": on.project.number}
    )
    acts = (born, run_act(on, "call_review"), act_on(on, "call_review"))
    return Effects(acts=acts, rows=rows, messages=(message,), says=still_asked(on))


def _member(review_id: UUID, seat: Any, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "review_id": review_id,
        "user_id": seat.user_id,
        "role": seat.role,
        "is_chair": seat.is_chair,
        "has_vote": seat.has_vote,
        "competences": [str(item) for item in seat.competences],
    }


def review_act(
    facts: ReviewFacts, verb: str, target: str | None = None, *, start: str | None = None, **rest: Any
) -> Act:
    """Return the act on the review itself; with a target it moves."""
    state = start or str(facts.review.state)
    moves = target is not None and target != state
    values = dict(rest.pop("values", {}))
    if target is not None and moves:
        values["state"] = ReviewState(target)
    return Act(
        table=Review,
        object_type="review",
        id=facts.review.id,
        action=f"review.{verb}",
        row=facts.review,
        event=verb if moves else None,
        from_state=state,
        to_state=target or state,
        values=values,
        detail=rest.pop("detail", {}),
    )


def _told(facts: ReviewFacts, kind: str, **more: Any) -> Message:
    number = {"number": facts.on.project.number, "gate": facts.review.gate}
    return Message(kind=f"review.{kind}", object_type="review", object_id=facts.review.id, facts={**number, **more})


def opened(facts: ReviewFacts, target: str, _stamp: Stamp) -> Effects:
    """Open the documents: conflicts were declared before."""
    return Effects(acts=(review_act(facts, "open", target),), messages=(_told(facts, "opened"),))


def recused(facts: ReviewFacts, _target: str, stamp: Stamp) -> Effects:
    """Step aside: the seat stays on the list and counts for the quorum's base."""
    change = {"recused_on": stamp.today, "recused_reason": facts.command.reason, "vote": None}
    detail = {"member_id": facts.seat.id, "reason": facts.command.reason}
    return Effects(acts=(review_act(facts, "recuse", detail=detail),), updates=((PanelMember, facts.seat.id, change),))


def scored(facts: ReviewFacts, _target: str, stamp: Stamp) -> Effects:
    """Write down one voter's points and vote; voting again replaces both until the proposal."""
    command, seat = facts.command, facts.seat
    known = facts.scores.get(seat.id, {})
    rows = tuple(
        (
            Score,
            {
                "id": stamp.new_id(),
                "review_id": facts.review.id,
                "member_id": seat.id,
                "factor": name,
                "points": points,
            },
        )
        for name, points in command.points
        if name not in known
    )
    changed = tuple(
        (Score, facts.score_ids[seat.id, name], {"points": points}) for name, points in command.points if name in known
    )
    vote = (PanelMember, seat.id, {"vote": command.vote, "voted_at": stamp.now})
    detail = {"member_id": seat.id, "vote": command.vote, "points": dict(command.points)}
    return Effects(acts=(review_act(facts, "score", detail=detail),), rows=rows, updates=(*changed, vote))


def proposed(facts: ReviewFacts, target: str, stamp: Stamp) -> Effects:
    """Write down the proposal; without a notice period it is final at once."""
    command = facts.command
    notice = notice_days(facts.asked, command.outcome, facts.on.local)
    values: dict[str, Any] = {
        "outcome": command.outcome,
        "target": command.target,
        "until_on": command.until_on,
        "reason": command.reason,
        "proposed_on": stamp.today,
        "notice_starts_on": notice[0] if notice else None,
        "notice_ends_on": notice[1] if notice else None,
    }
    kept = {row.clause: row.id for row in facts.kept_conditions}
    new = tuple((Condition, _condition(facts, item, stamp)) for item in command.conditions if item.clause not in kept)
    again = tuple(
        (Condition, kept[item.clause], {**_debt(item), "cleared_on": None})
        for item in command.conditions
        if item.clause in kept
    )
    detail = {"outcome": command.outcome, "reason": command.reason}
    first = review_act(facts, "propose", target, values=values, detail=detail)
    messages = (_told(facts, "proposed", outcome=str(command.outcome)),)
    if notice is not None:
        return Effects(acts=(first,), rows=new, updates=again, messages=messages)
    final = _final_acts(facts, stamp, start=target, outcome=command.outcome)
    decided = Effects(
        acts=(first, *final),
        rows=new,
        updates=again,
        messages=(*messages, _told(facts, "decided", outcome=str(command.outcome))),
    )
    return _with_hold(decided, facts, stamp) if command.outcome == GateOutcome.HOLD else decided


def _with_hold(decided: Effects, facts: ReviewFacts, stamp: Stamp) -> Effects:
    """Put the project on the hold that was decided; it ends by itself on its day, as one of the coordinator does."""
    command = facts.command
    row = hold_row(facts.on.project.id, "decision", command.reason, command.until_on, stamp)
    row["needs_decision"] = False
    act = act_on(facts.on, "hold", detail={name: row[name] for name in ("reason", "note", "until_on")})
    held = told(facts.on, "held", code="decision", until=command.until_on.isoformat())
    return replace(
        decided,
        acts=(*decided.acts, act),
        rows=(*decided.rows, (Hold, row)),
        messages=(*decided.messages, held),
    )


def notice_days(stage: Stage, outcome: GateOutcome, stamp: Stamp) -> tuple[date, date] | None:
    """Return first and last day of the public notice; it starts on the next working day. Only a go is shown."""
    notice = stage.notice
    if notice is None or outcome not in (GateOutcome.GO, GateOutcome.CONDITIONAL_GO):
        return None
    start = stamp.calendar.add_working_days(stamp.today, 1)
    if notice.unit == "working_days":
        return start, stamp.calendar.add_working_days(stamp.today, notice.days)
    return start, start + timedelta(days=notice.days - 1)


def _condition(facts: ReviewFacts, item: Any, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "project_id": facts.on.project.id,
        "review_id": facts.review.id,
        "gate": facts.review.gate,
        "clause": item.clause,
        **_debt(item),
    }


def _debt(item: Any) -> dict[str, Any]:
    return {"owner_id": item.owner_id, "due_on": item.due_on, "note": item.note}


def _dropped(facts: ReviewFacts, stamp: Stamp) -> tuple[Any, ...]:
    """What a proposal asked as conditions is no debt once the proposal is gone."""
    standing = (row for row in facts.kept_conditions if row.cleared_on is None)
    return tuple((Condition, row.id, {"cleared_on": stamp.today}) for row in standing)


def decided(facts: ReviewFacts, target: str, stamp: Stamp) -> Effects:
    """Make the proposal final."""
    acts = _final_acts(facts, stamp, start=str(facts.review.state), outcome=facts.review.outcome)
    assert acts[0].to_state == target  # noqa: S101 - one arrow leads on from proposed
    return Effects(acts=acts, messages=(_told(facts, "decided", outcome=str(facts.review.outcome)),))


def _final_acts(facts: ReviewFacts, stamp: Stamp, *, start: str, outcome: GateOutcome) -> tuple[Act, ...]:
    record = {
        "outcome": str(outcome),
        "total": repr(facts.tally.total),
        "means": {name: repr(mean) for name, mean in facts.tally.means.items()},
        "votes": {str(seat.user_id): str(seat.vote) for seat in facts.voted},
        "verdicts": {verdict.clause: str(verdict.state) for verdict in facts.on.verdicts},
        "waivers": [row.clause for row in facts.on.waivers if row.gate == facts.review.gate and row.confirmed_by],
        "conditions": [item.clause for item in facts.conditions],
    }
    values = {"decided_on": stamp.today, "record": record}
    detail = {"outcome": outcome, "record": record}
    acts = [review_act(facts, "decide", ReviewState.DECIDED, start=start, values=values, detail=detail)]
    if outcome == GateOutcome.HOLD and facts.on.run.state == StageRunState.IN_REVIEW:
        acts.append(run_act(facts.on, "reopen"))  # after the hold a panel is called again
    return tuple(acts)


def reopened(facts: ReviewFacts, target: str, stamp: Stamp) -> Effects:
    """Go back to scoring after an upheld objection; the votes stay until they are given anew."""
    values = {"outcome": None, "proposed_on": None, "notice_starts_on": None, "notice_ends_on": None}
    updates = tuple((PanelMember, seat.id, {"vote": None}) for seat in facts.seats)
    act = review_act(facts, "reopen", target, values=values, detail={"reason": facts.command.reason})
    return Effects(acts=(act,), updates=(*updates, *_dropped(facts, stamp)), messages=(_told(facts, "reopened"),))


def cancelled(facts: ReviewFacts, target: str, stamp: Stamp) -> Effects:
    """Call the panel off; the visit waits for the next call and evidence may change again."""
    acts = [review_act(facts, "cancel", target, detail={"reason": facts.command.reason})]
    if facts.on.run is not None and facts.on.run.state == StageRunState.IN_REVIEW:
        acts.append(run_act(facts.on, "reopen"))
    return Effects(acts=tuple(acts), updates=_dropped(facts, stamp), messages=(_told(facts, "cancelled"),))


def objected(facts: ReviewFacts, _target: str, stamp: Stamp) -> Effects:
    """Record an objection to the proposed decision."""
    command = facts.command
    row = {
        "id": stamp.new_id(),
        "review_id": facts.review.id,
        "raised_by": command.raised_by,
        "text": command.text,
        "raised_on": stamp.today,
    }
    act = review_act(facts, "object", detail={"objection_id": row["id"], "raised_by": command.raised_by})
    return Effects(
        acts=(act,),
        rows=((Objection, row),),
        messages=(_told(facts, "objected"),),
        says={"objection_id": str(row["id"])},
    )


def objection_answered(facts: ReviewFacts, _target: str, stamp: Stamp) -> Effects:
    """Uphold or refuse an objection, with reasons."""
    command = facts.command
    change = {"is_upheld": command.upheld, "answer": command.answer, "answered_on": stamp.today}
    detail = {"objection_id": command.objection_id, "upheld": command.upheld, "answer": command.answer}
    act = review_act(facts, "answer_objection", detail=detail)
    return Effects(acts=(act,), updates=((Objection, command.objection_id, change),))
