"""What a carried-out verb of a trial changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.projects.effects import act_on, hold_row, told, visit_act
from lifecycle.trials import rules
from lifecycle.trials.facts import TrialFacts
from lifecycle.trials.spending import Spending
from models.holds import Hold
from models.states import BatchKind, FindingKind
from models.trials import (
    BatchFigure,
    Characteristic,
    Issue,
    Measurement,
    TrialBatch,
    VerificationTrack,
)


def characteristic_added(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Name the characteristic with its limits."""
    row = {"id": stamp.new_id(), **facts.command.asks()}
    detail = {key: value for key, value in facts.command.asks().items() if key != "project_id"}
    return Effects(acts=(act_on(facts, "add_characteristic", detail=detail),), rows=((Characteristic, row),))


def next_batch_number(facts: TrialFacts) -> str:
    """Return the number of the next batch of this project (`B-03`)."""
    used = [int(name[2:]) for name in facts.batches if name.startswith("B-") and name[2:].isdigit()]
    return f"B-{max(used, default=0) + 1:02d}"


def batch_added(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Record the batch with its first figures."""
    command, batch_id = facts.command, stamp.new_id()
    number = command.number or next_batch_number(facts)
    kept = ("kind", "made_on", "revision", "size", "hours", "recipe", "equipment", "worker", "is_closed")
    values = {
        "project_id": facts.project.id,
        "number": number,
        "at": stamp.now,
        **{name: getattr(command, name) for name in kept},
    }
    figure = _figure(batch_id, 1, command, stamp, None)
    detail = {
        "project_id": facts.project.id,
        "number": number,
        "figures": _plain_figures(command),
        "revision": command.revision,
    }
    born = Act(
        table=TrialBatch,
        object_type="trial_batch",
        id=batch_id,
        action="trial_batch.add",
        values=values,
        detail=detail,
    )
    spent = facts.spending
    if spent is not None and command.kind == BatchKind.TRIAL:
        spent = spent.with_batch(command.cost_minor, command.currency)
    reached, told_of = _limits_reached(facts, spent, stamp)
    acts = (born, act_on(facts, "add_batch", detail={"number": number}), *reached)
    messages = (_batch_told(facts, "recorded", number), *told_of)
    return Effects(acts=acts, rows=((BatchFigure, figure),), messages=messages, says={"number": number})


def _limits_reached(
    facts: TrialFacts, spent: Spending | None, stamp: Stamp
) -> tuple[tuple[Act, ...], tuple[Message, ...]]:
    """Write down at the visit which agreed limits are used up now, and tell it: a stop review is due."""
    hits = spent.new_hits() if spent is not None else ()
    if spent is None or not hits:
        return (), ()
    day = stamp.today.isoformat()
    reached: dict[str, Any] = {hit.code: {"limit": hit.limit, "used": hit.used, "on": day} for hit in hits}
    visit = visit_act(facts, "reach_stop_loss", {"stop_loss": {**spent.told, **reached}}, reached)
    messages = (told(facts, "stop_loss_reached", code=hit.code, limit=hit.limit, used=hit.used) for hit in hits)
    return (visit,), tuple(messages)


def stop_loss_reached(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Write down what time, or a newer contract, has used up."""
    reached, messages = _limits_reached(facts, facts.spending, stamp)
    return Effects(acts=(act_on(facts, "reach_stop_loss", detail=reached[0].detail), *reached), messages=messages)


def _figure(batch_id: UUID, entry_no: int, command: Any, stamp: Stamp, reason: str | None) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "batch_id": batch_id,
        "entry_no": entry_no,
        "started": command.started,
        "passed_first_time": command.passed_first_time,
        "is_conforming": command.is_conforming,
        "defects": dict(command.defects),
        "cost_minor": command.cost_minor,
        "currency": command.currency,
        "reason": reason,
        "user_id": stamp.actor.user_id,
        "at": stamp.now,
    }


def _plain_figures(command: Any) -> dict[str, Any]:
    names = ("started", "passed_first_time", "is_conforming", "cost_minor", "currency")
    return {**{name: getattr(command, name) for name in names}, "defects": dict(command.defects)}


def _batch_told(facts: TrialFacts, kind: str, number: str) -> Message:
    return Message(
        kind=f"trial_batch.{kind}",
        object_type="project",
        object_id=facts.project.id,
        facts={"number": facts.project.number, "batch": number},
    )


def _batch_act(facts: TrialFacts, verb: str, detail: Mapping[str, Any], **values: Any) -> tuple[Act, Act]:
    act = Act(
        table=TrialBatch,
        object_type="trial_batch",
        id=facts.batch.id,
        action=f"trial_batch.{verb}",
        row=facts.batch,
        values=values,
        detail=dict(detail),
    )
    return act, act_on(facts, f"{verb}_batch", detail={"number": facts.batch.number})


def batch_corrected(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Append corrected figures; the earlier ones stay."""
    command = facts.command
    entry_no = len(facts.figures.get(facts.batch.id, ())) + 1
    figure = _figure(facts.batch.id, entry_no, command, stamp, command.reason)
    detail = {"figures": _plain_figures(command), "reason": command.reason, "entry_no": entry_no}
    reached, told_of = _limits_reached(facts, _after_correction(facts), stamp)
    return Effects(
        acts=(*_batch_act(facts, "correct", detail), *reached),
        rows=((BatchFigure, figure),),
        messages=(_batch_told(facts, "corrected", facts.batch.number), *told_of),
    )


def _after_correction(facts: TrialFacts) -> Spending | None:
    """Return what is spent once the corrected cost stands in the place of the earlier one."""
    if facts.spending is None or facts.batch.kind != BatchKind.TRIAL:
        return facts.spending
    was = facts.figures[facts.batch.id][-1]
    spent = facts.spending.with_cost(-(was.cost_minor or 0), was.currency)
    return spent.with_cost(facts.command.cost_minor, facts.command.currency)


def batch_closed(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the batch: from now on it is judged."""
    latest = facts.figures[facts.batch.id][-1]
    rows: tuple[Any, ...] = ()
    if latest.is_conforming != facts.command.is_conforming:
        kept = {
            name: getattr(latest, name)
            for name in ("started", "passed_first_time", "cost_minor", "currency", "defects")
        }
        figure = {
            "id": stamp.new_id(),
            "batch_id": facts.batch.id,
            "entry_no": latest.entry_no + 1,
            **kept,
            "is_conforming": facts.command.is_conforming,
            "reason": "closed",
            "user_id": stamp.actor.user_id,
            "at": stamp.now,
        }
        rows = ((BatchFigure, figure),)
    acts = _batch_act(facts, "close", {"is_conforming": facts.command.is_conforming}, is_closed=True)
    return Effects(acts=acts, rows=rows, messages=(_batch_told(facts, "closed", facts.batch.number),))


def measured(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Append the values, subgroup by subgroup."""
    command = facts.command
    known = facts.values.get((facts.batch.id, command.characteristic), ())
    first = max((row.subgroup for row in known), default=0) + 1
    rows = tuple(
        (Measurement, _measurement(facts, stamp, first + place, inner, value))
        for place, subgroup in enumerate(command.subgroups)
        for inner, value in enumerate(subgroup, start=1)
    )
    detail = {"characteristic": command.characteristic, "subgroups": command.subgroups, "from": first}
    return Effects(acts=_batch_act(facts, "measure", detail), rows=rows)


def _measurement(facts: TrialFacts, stamp: Stamp, subgroup: int, place: int, value: float) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "batch_id": facts.batch.id,
        "characteristic": facts.command.characteristic,
        "subgroup": subgroup,
        "place": place,
        "value": float(value),
        "user_id": stamp.actor.user_id,
        "at": stamp.now,
    }


def measurement_corrected(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Append the value that replaces a wrong one."""
    command, wrong = facts.command, rules.measurement_of(facts)
    row = _measurement(facts, stamp, command.subgroup, command.place, command.value)
    row |= {"corrects_id": wrong.id, "reason": command.reason}
    detail = {"corrects": wrong.id, "was": wrong.value, "value": command.value, "reason": command.reason}
    return Effects(acts=_batch_act(facts, "correct_measurement", detail), rows=((Measurement, row),))


def issue_added(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Record the finding; a major incident puts the project on hold at once."""
    command = facts.command
    number = max(facts.issues, default=0) + 1
    batch = facts.batches.get(command.batch_number or "")
    row = {
        "id": stamp.new_id(),
        "project_id": facts.project.id,
        "number": number,
        "kind": command.kind,
        "severity": command.severity,
        "title": command.title.strip(),
        "batch_id": batch.id if batch else None,
        "owner": command.owner,
        "opened_on": command.opened_on or stamp.today,
        "due_on": command.due_on,
    }
    detail = {key: row[key] for key in ("number", "kind", "severity", "title", "owner", "due_on")}
    rows: list[Any] = [(Issue, row)]
    messages = [told(facts, "issue_added", finding=str(command.kind), severity=command.severity)]
    acts = [act_on(facts, "add_issue", detail=detail)]
    is_major = command.kind == FindingKind.INCIDENT and command.severity == 1
    if is_major and all(hold.reason != "ehs" for hold in facts.holds):
        until = stamp.today + timedelta(days=facts.pack.limits.hold_calendar_days)
        hold = hold_row(facts.project.id, "ehs", command.title.strip(), until, stamp)
        rows.append((Hold, {**hold, "needs_decision": True}))
        acts.append(act_on(facts, "hold", detail={"code": "ehs", "reason": command.title, "until_on": until}))
        messages.append(told(facts, "held", code="ehs", until=until.isoformat()))
    return Effects(acts=tuple(acts), rows=tuple(rows), messages=tuple(messages), says={"number": number})


def issue_closed(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the finding with its disposition."""
    issue = facts.issues[facts.command.number]
    change = {"disposition": facts.command.disposition.strip(), "closed_on": stamp.today}
    detail = {"number": issue.number, **change}
    return Effects(acts=(act_on(facts, "close_issue", detail=detail),), updates=((Issue, issue.id, change),))


def track_started(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    """Start the verification, for the first time or again."""
    command = facts.command
    detail = {"verification": command.verification, "started_on": command.started_on}
    act = act_on(facts, "start_track", detail=detail)
    known = facts.tracks.get(str(command.verification))
    if known is not None:
        again = {"started_on": command.started_on, "finished_on": None, "is_passed": None}
        return Effects(acts=(act,), updates=((VerificationTrack, known.id, again),))
    row = {
        "id": stamp.new_id(),
        "project_id": facts.project.id,
        "verification": command.verification,
        "asked_on": stamp.today,
        "started_on": command.started_on,
    }
    return Effects(acts=(act,), rows=((VerificationTrack, row),))


def track_finished(facts: TrialFacts, _target: str, _stamp: Stamp) -> Effects:
    """End the verification with its result."""
    command = facts.command
    track = facts.tracks[str(command.verification)]
    change = {"finished_on": command.finished_on, "is_passed": command.is_passed}
    detail = {"verification": command.verification, **change}
    return Effects(
        acts=(act_on(facts, "finish_track", detail=detail),), updates=((VerificationTrack, track.id, change),)
    )


def _given(command: Any, skipped: tuple[str, ...]) -> dict[str, Any]:
    """Return what the command says; what it leaves out stays as it was."""
    given = {}
    for name, value in command.asks().items():
        if value is not None and name not in skipped:
            given[name] = (
                list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
            )
    return given


def recorded(model: Any, key: str, known_of: Any, verb: str, kind: str) -> Any:
    """Return the effects of a verb that makes a row or goes on with it."""

    def effects(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
        command = facts.command
        given = _given(command, ("project_id", key))
        name = getattr(command, key)
        act = act_on(facts, verb, detail={key: name, **given})
        message = told(facts, kind, name=name)
        known = known_of(facts).get(name)
        if known is not None:
            return Effects(acts=(act,), updates=((model, known.id, given),), messages=(message,))
        row = {"id": stamp.new_id(), "project_id": facts.project.id, key: name, **given}
        return Effects(acts=(act,), rows=((model, row),), messages=(message,))

    return effects
