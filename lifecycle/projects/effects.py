"""What a carried-out verb of a project changes. Pure: facts in, effects out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from lifecycle.calendar import Calendar
from lifecycle.chart import decide
from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.projects.facts import NeighbourFacts, ProjectFacts
from lifecycle.projects.rules import DECIDED_HOLDS, PARTY_COLUMN, entry_met
from lifecycle.stages.ageing import next_change
from lifecycle.stages.chart import OBJECT_TYPE as STAGE_RUN
from lifecycle.stages.chart import StageRunChart
from lifecycle.stages.judgement import judge_stage, parties_of
from lifecycle.stages.length import due_days
from lifecycle.stages.records import Records
from lifecycle.stages.rules import RULES
from lifecycle.standards.pack import Pack
from models.base import Row
from models.holds import Hold
from models.projects import Project, ProjectMember, Requirement, StageRun
from models.states import ENDED, ProjectState, StageRunState

NewRows = tuple[tuple[type[Row], Mapping[str, Any]], ...]


def act_on(facts: ProjectFacts, verb: str, *, target: str | None = None, **rest: Any) -> Act:
    """Return the act on the project itself; with a target state it is a transition."""
    stage = str(facts.project.stage)
    return Act(
        table=Project,
        object_type="project",
        id=facts.project.id,
        action=f"project.{verb}",
        row=facts.project,
        event=verb if target is not None and target != stage else None,
        from_state=stage,
        to_state=target or stage,
        values=rest.pop("values", {}),
        detail=rest.pop("detail", {}),
        definition_version=facts.project.definition_version,
    )


def still_asked(facts: ProjectFacts) -> dict[str, Any]:
    """Return what is open when somebody hands in or calls a panel, for the answer: clauses, and lines of the entry."""
    clauses = [verdict.clause for verdict in facts.verdicts if not verdict.passes]
    entry = [reason.code for reason in entry_met(facts) if reason.clause not in clauses]
    return {key: found for key, found in (("still_open", clauses), ("entry_open", entry)) if found}


def run_act(facts: ProjectFacts, event: str, **values: Any) -> Act:
    """Return the act that moves the present visit along its own chart."""
    target = decide(StageRunChart, str(facts.run.state), event, facts)
    return Act(
        table=StageRun,
        object_type=STAGE_RUN,
        id=facts.run.id,
        action=f"{STAGE_RUN}.{event}",
        row=facts.run,
        event=event,
        from_state=str(facts.run.state),
        to_state=target,
        values={"state": StageRunState(target), **values},
    )


def opened(pack: Pack, records: Records, earlier: Sequence[Any], stamp: Stamp, **known: Any) -> tuple[Act, NewRows]:
    """Return the birth of a visit, and its requirements: one row per criterion of the pack, judged at once.

    `records` are those the new visit begins with: its stage, and everything known from the visits before it.
    """
    run_id, project_id, stage = stamp.new_id(), records.project_id, records.stage
    asked = pack.stage(stage)
    if "due_on" not in known:
        due_on, maximum_on = due_days(asked, earlier, stamp.today, stamp.calendar)
        known = {"due_on": due_on, "maximum_on": maximum_on, **known}
    values = {
        "project_id": project_id,
        "stage": stage,
        "visit": 1 + sum(1 for run in earlier if run.stage == stage),
        "state": StageRunState.OPEN,
        "opened_on": stamp.today,
        "stop_loss": {},
        **known,
    }
    act = Act(
        table=StageRun,
        object_type=STAGE_RUN,
        id=run_id,
        action=f"{STAGE_RUN}.open",
        event="open",
        from_state="",
        to_state=StageRunState.OPEN,
        values=values,
    )
    begun = replace(
        records,
        stage_started_on=stamp.today,
        stage_due_on=values["due_on"],
        planned_panel_on=None,
        proposed_on=None,
        panel_sits=False,
    )
    rows = tuple(
        (
            Requirement,
            {
                "id": stamp.new_id(),
                "project_id": project_id,
                "stage_run_id": run_id,
                "clause": verdict.clause,
                "verdict": verdict.state,
                "verdict_code": verdict.code,
                "due_on": verdict.due_on,
                "owed_by": parties_of(verdict),
            },
        )
        for verdict in judge_stage(pack, begun, calendar=stamp.calendar, rules=RULES)
    )
    return act, rows


def _at(facts: ProjectFacts, stage: ProjectState) -> Records:
    """Return the records of a project as a visit of another stage begins with them."""
    assert facts.records is not None  # these verbs read the gate  # noqa: S101
    return replace(facts.records, stage=stage)


def told(facts: ProjectFacts, kind: str, **more: Any) -> Message:
    """Return the message that something happened to this project."""
    return Message(
        kind=f"project.{kind}",
        object_type="project",
        object_id=facts.project.id,
        facts={"number": facts.project.number, "stage": str(facts.project.stage), **more},
    )


def advanced(facts: ProjectFacts, target: str, stamp: Stamp) -> Effects:
    """Pass the visit and open the next one; at the end of handoff the project is in production."""
    state = ProjectState(target)
    passed = run_act(facts, "pass", closed_on=stamp.today)
    values: dict[str, Any] = {"stage": state, "stage_run_id": None}
    acts: tuple[Act, ...] = (passed,)
    rows: NewRows = ()
    if state not in ENDED:
        begun = _at(facts, state)
        opening, rows = opened(facts.pack, begun, facts.runs, facts.local)
        values |= {"stage_run_id": opening.id, "next_due_on": next_change(facts.pack, begun)}
        acts = (passed, opening)
    detail = {"reason": facts.command.reason, "verdicts": {v.clause: str(v.state) for v in facts.verdicts}}
    first = act_on(facts, "advance", target=target, values=values, detail=detail)
    return Effects(acts=(first, *acts), rows=rows, messages=(told(facts, "advanced", to=target),))


def recycled(facts: ProjectFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the visit as sent back and open a new one, of this or an earlier stage."""
    target = ProjectState(facts.command.target or facts.stage)
    back = run_act(facts, "recycle", closed_on=stamp.today, reason=facts.command.reason)
    earlier = [run for run in facts.runs if run.id != facts.run.id]
    closing = _Closed(facts.run, stamp.today)
    opening, rows = opened(facts.pack, _at(facts, target), [*earlier, closing], facts.local)
    detail = {"reason": facts.command.reason, "code": facts.command.code, "target": target}
    values = {"stage": target, "stage_run_id": opening.id}
    first = act_on(facts, "recycle", target=target, values=values, detail=detail)
    return Effects(acts=(first, back, opening), rows=rows, messages=(told(facts, "recycled", to=target),))


class _Closed:
    """The visit that is being closed now, as the next one's length sees it."""

    def __init__(self, run: Any, closed_on: date) -> None:
        self.stage, self.opened_on, self.closed_on = run.stage, run.opened_on, closed_on
        self.due_on, self.maximum_on = run.due_on, run.maximum_on


def ended(verb: str, kind: str) -> Any:
    """Return the effects of an end: the visit is closed and nothing moves any more."""

    def effects(facts: ProjectFacts, target: str, stamp: Stamp) -> Effects:
        closing = run_act(facts, "close", closed_on=stamp.today, reason=facts.command.reason)
        values = {"stage": ProjectState(target), "stage_run_id": None, "transfer_to_id": None}
        detail = {"reason": facts.command.reason, "code": getattr(facts.command, "code", None)}
        lifted = tuple((Hold, hold.id, _lift(stamp)) for hold in facts.holds)
        first = act_on(facts, verb, target=target, values=values, detail=detail)
        return Effects(acts=(first, closing), updates=lifted, messages=(told(facts, kind),))

    return effects


def submitted(facts: ProjectFacts, _target: str, _stamp: Stamp) -> Effects:
    """Hand the stage in for review."""
    return Effects(
        acts=(act_on(facts, "submit", detail={"stage_run_id": facts.run.id}), run_act(facts, "submit")),
        messages=(told(facts, "submitted"),),
        says=still_asked(facts),
    )


def visit_act(facts: ProjectFacts, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any]) -> Act:
    """Return the act that writes something down at the present visit without moving it."""
    state = str(facts.run.state)
    return Act(
        table=StageRun,
        object_type=STAGE_RUN,
        id=facts.run.id,
        action=f"{STAGE_RUN}.{verb}",
        row=facts.run,
        from_state=state,
        to_state=state,
        values=values,
        detail=detail,
    )


def panel_planned(facts: ProjectFacts, _target: str, _stamp: Stamp) -> Effects:
    """Write down the day of the panel at the visit; the due days of its gate follow."""
    values = {"planned_panel_on": facts.command.planned_on}
    visit = visit_act(facts, "plan_panel", values, values)
    return Effects(acts=(act_on(facts, "plan_panel", detail=values), visit))


def held(facts: ProjectFacts, _target: str, stamp: Stamp) -> Effects:
    """Put the project on hold."""
    command = facts.command
    row = hold_row(facts.project.id, command.code, command.reason, command.until_on, stamp)
    row["needs_decision"] = command.code in DECIDED_HOLDS
    detail = {"reason": command.reason, "code": command.code, "until_on": command.until_on}
    return Effects(
        acts=(act_on(facts, "hold", detail=detail),),
        rows=((Hold, row),),
        messages=(told(facts, "held", code=command.code, until=command.until_on.isoformat()),),
    )


def hold_row(project_id: UUID, code: str, note: str, until_on: Any, stamp: Stamp) -> dict[str, Any]:
    """Return the row of a hold on a project that begins now."""
    return {
        "id": stamp.new_id(),
        "object_type": "project",
        "object_id": project_id,
        "reason": code,
        "note": note,
        "from_at": stamp.now,
        "from_on": stamp.today,
        "until_on": until_on,
        "put_by": stamp.actor.user_id,
    }


def _lift(stamp: Stamp) -> dict[str, Any]:
    return {"lifted_at": stamp.now, "lifted_on": stamp.today, "lifted_by": stamp.actor.user_id}


def resumed(facts: ProjectFacts, _target: str, stamp: Stamp) -> Effects:
    """Lift the hold and give the visit back the days it stood still; after EHS the first of two people only signs."""
    hold = facts.holds[0]
    detail = {"hold_id": hold.id, "reason": facts.command.reason, "code": hold.reason}
    if hold.reason == "ehs" and hold.first_lifter_id is None:
        signed = (Hold, hold.id, {"first_lifter_id": stamp.actor.person_id})
        return Effects(acts=(act_on(facts, "resume", detail={**detail, "signed": "first of two"}),), updates=(signed,))
    values = {"last_restart_on": stamp.today} if hold.reason == "ehs" else {}
    acts = [act_on(facts, "resume", values=values, detail=detail)]
    moved = _clock_moved(facts, hold, stamp)
    if moved is not None:
        acts.append(moved)
    return Effects(acts=tuple(acts), updates=((Hold, hold.id, _lift(stamp)),), messages=(told(facts, "resumed"),))


def _clock_moved(facts: ProjectFacts, hold: Any, stamp: Stamp) -> Act | None:
    """Holds stop service clocks: the remaining working days are kept (W8), a day on two holds is given back once."""
    if facts.run is None or facts.run.due_on is None:
        return None
    calendar = facts.calendar
    given_back = {day for one in facts.lifted_holds for day in _stood(one, one.lifted_on, calendar)}
    stood = len(_stood(hold, stamp.today, calendar) - given_back)
    if not stood:
        return None
    values = {
        name: calendar.add_working_days(getattr(facts.run, name), stood)
        for name in ("due_on", "maximum_on")
        if getattr(facts.run, name) is not None
    }
    detail = {"reason": "hold", "working_days": stood, "was": facts.run.due_on}
    return visit_act(facts, "move_due_day", values, detail)


def _stood(hold: Any, end: date, calendar: Calendar) -> set[date]:
    """Return the working days that the project stood still for a hold; one that asks for a decision has no last day."""
    last = end if hold.needs_decision else min(end, hold.until_on)
    days = (hold.from_on + timedelta(days=ahead) for ahead in range(1, (last - hold.from_on).days + 1))
    return {day for day in days if calendar.is_working_day(day)}


def hold_extended(facts: ProjectFacts, _target: str, _stamp: Stamp) -> Effects:
    """Move the last day of the hold, once."""
    hold = facts.holds[0]
    change = {"until_on": facts.command.until_on, "extensions": hold.extensions + 1}
    detail = {
        "hold_id": hold.id,
        "was": hold.until_on,
        "until_on": facts.command.until_on,
        "reason": facts.command.reason,
    }
    return Effects(acts=(act_on(facts, "extend_hold", detail=detail),), updates=((Hold, hold.id, change),))


def transfer_asked(facts: ProjectFacts, _target: str, stamp: Stamp) -> Effects:
    """Ask another platform to take over."""
    due = facts.calendar.add_working_days(stamp.today, facts.pack.limits.transfer_accept_days)
    values = {"transfer_to_id": facts.command.platform_id, "transfer_due_on": due}
    detail = {"platform_id": facts.command.platform_id, "reason": facts.command.reason, "due_on": due}
    return Effects(
        acts=(act_on(facts, "transfer", values=values, detail=detail),),
        messages=(told(facts, "transfer_asked", due=due.isoformat()),),
    )


def transfer_accepted(facts: ProjectFacts, _target: str, stamp: Stamp) -> Effects:
    """Take the project over: same number, same history; what the old platform judged is judged again."""
    new = facts.project.transfer_to_id
    values = {"platform_id": new, "transfer_to_id": None, "transfer_due_on": None, "platform_since_at": stamp.now}
    detail = {"from_platform_id": facts.project.platform_id, "platform_id": new}
    acts = [act_on(facts, "accept_transfer", values=values, detail=detail)]
    if facts.run.state == StageRunState.IN_REVIEW and not facts.has_open_review:
        acts.append(run_act(facts, "reopen"))
    return Effects(acts=tuple(acts), messages=(told(facts, "transferred"),))


def assigned(facts: Any, _target: str, stamp: Stamp) -> Effects:
    """Name a person for a part in this project; one that has ended begins again."""
    command = facts.command
    detail = {"user_id": command.user_id, "role": command.role}
    act = act_on(facts, "assign", detail=detail)
    if facts.member is not None:
        again = (ProjectMember, facts.member.id, {"since_at": stamp.now, "until_at": None})
        return Effects(acts=(act,), updates=(again,))
    row = {"id": stamp.new_id(), "project_id": facts.project.id, **detail, "since_at": stamp.now}
    return Effects(acts=(act,), rows=((ProjectMember, row),))


def unassigned(facts: Any, _target: str, stamp: Stamp) -> Effects:
    """End a person's part."""
    command = facts.command
    detail = {"user_id": command.user_id, "role": command.role, "reason": command.reason}
    ended = (ProjectMember, facts.member.id, {"until_at": stamp.now})
    return Effects(acts=(act_on(facts, "unassign", detail=detail),), updates=(ended,))


def receipt_corrected(facts: ProjectFacts, _target: str, _stamp: Stamp) -> Effects:
    """Record the day of receipt; what stood there, and how exact it was, stays in the audit row."""
    project = facts.project
    values = {"received_on": facts.command.received_on, "received_precision": "day"}
    was = {column: getattr(project, column) for column in values}
    detail = {"reason": facts.command.reason, "was": was, "is": values}
    return Effects(acts=(act_on(facts, "correct", values=values, detail=detail),))


def party_named(facts: NeighbourFacts, _target: str, stamp: Stamp) -> Effects:
    """Say which organisation plays a part; what another receiver said before counts no more.

    The other applications of a firm get a project to be compared with.
    """
    detail = {PARTY_COLUMN[facts.command.party]: facts.command.organisation_id}
    is_swap = facts.command.party == "receiver" and facts.project.receiver_id is not None
    values = {**detail, "receiver_since_at": stamp.now} if is_swap else detail
    touched = facts.neighbours if facts.command.party == "sme" else ()
    return Effects(acts=(act_on(facts, "name_party", values=values, detail=detail),), touched=touched)
