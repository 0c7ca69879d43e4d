"""The verbs of what is made, measured, found and placed: batches, measurements, findings, tracks, scenarios, orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Act, Effects, FactsOf, Message, Stamp, Task, Verb
from lifecycle.projects import rules as project_rules
from lifecycle.projects.commands import ProjectCommand
from lifecycle.projects.effects import act_on, hold_row, told
from lifecycle.projects.facts import ProjectFacts, gate_facts, project_facts
from lifecycle.trials import rules
from lifecycle.verdicts.cache import refresh
from models.holds import Hold
from models.people import Organisation
from models.projects import Project
from models.reading import rows_by
from models.states import BatchKind, FindingKind, OrderKind, Verification
from models.trials import (
    BatchFigure,
    Characteristic,
    Issue,
    Measurement,
    Order,
    ScenarioTrial,
    TrialBatch,
    VerificationTrack,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCharacteristic(ProjectCommand):
    """Name a special characteristic with its limits; at least one limit is needed."""

    name: str
    unit: str
    lower_limit: float | None = None
    upper_limit: float | None = None
    is_critical: bool = False
    gauge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddBatch(ProjectCommand):
    """Record a batch with its first figures; it stays open until it is closed."""

    made_on: date
    started: int
    passed_first_time: int
    number: str | None = None
    kind: BatchKind = BatchKind.TRIAL
    revision: str | None = None
    is_conforming: bool | None = None
    size: float | None = None
    hours: float | None = None
    defects: Mapping[str, int] = field(default_factory=dict)
    cost_minor: int | None = None
    currency: str | None = None
    recipe: str | None = None
    equipment: str | None = None
    worker: str | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectBatch(ProjectCommand):
    """Append corrected figures to a batch, with the reason; the earlier ones stay."""

    number: str
    started: int
    passed_first_time: int
    reason: str
    is_conforming: bool | None = None
    defects: Mapping[str, int] = field(default_factory=dict)
    cost_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseBatch(ProjectCommand):
    """Close a batch: from now on it is judged."""

    number: str
    is_conforming: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddMeasurements(ProjectCommand):
    """Append measured values of one characteristic, subgroup by subgroup in the order of production."""

    number: str
    characteristic: str
    subgroups: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMeasurement(ProjectCommand):
    """Append a value that replaces a wrong one, with the reason."""

    number: str
    characteristic: str
    subgroup: int
    place: int
    value: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIssue(ProjectCommand):
    """Record an issue, deviation, incident or complaint. A major incident puts the project on hold at once."""

    kind: FindingKind
    severity: int
    title: str
    owner: str | None = None
    opened_on: date | None = None
    due_on: date | None = None
    batch_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIssue(ProjectCommand):
    """Close a finding with its disposition."""

    number: int
    disposition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTrack(ProjectCommand):
    """Begin one of the asked verifications; the tracks run side by side."""

    verification: Verification
    started_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishTrack(ProjectCommand):
    """End a verification with its result."""

    verification: Verification
    finished_on: date
    is_passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordScenario(ProjectCommand):
    """Record or go on with a customer or site of market validation; what is not given stays as it was."""

    site: str
    customer_id: UUID | None = None
    profile: str | None = None
    agreement_signed_on: date | None = None
    started_on: date | None = None
    ended_on: date | None = None
    report_signed_on: date | None = None
    units: int | None = None
    unit_batches: tuple[str, ...] | None = None
    failures: int | None = None
    limits: Mapping[str, Any] | None = None
    measured: Mapping[str, float] | None = None
    witness: str | None = None
    valid_until_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOrder(ProjectCommand):
    """Record or go on with an order or letter of intent; what is not given stays as it was."""

    reference: str
    kind: OrderKind | None = None
    customer_id: UUID | None = None
    quantity: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    signed_on: date | None = None
    is_binding: bool | None = None
    paid_on: date | None = None
    cancelled_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class TrialFacts(ProjectFacts):
    """A project's gate, with the stored rows that these verbs touch."""

    batches: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[UUID, tuple[Any, ...]] = field(default_factory=dict)
    values: Mapping[tuple[UUID, str], tuple[Any, ...]] = field(default_factory=dict)
    """(batch, characteristic) -> measurements that were not corrected."""
    issues: Mapping[int, Any] = field(default_factory=dict)
    tracks: Mapping[str, Any] = field(default_factory=dict)
    scenarios: Mapping[str, Any] = field(default_factory=dict)
    orders: Mapping[str, Any] = field(default_factory=dict)
    characteristics: frozenset[str] = frozenset()
    customers: frozenset[UUID] = frozenset()

    @property
    def batch(self) -> Any:
        """The batch that the command names, or None."""
        return self.batches.get(getattr(self.command, "number", None) or "")


def reading(*models: Any, base: FactsOf[Any, ProjectFacts] = project_facts) -> FactsOf[Any, TrialFacts]:
    """Return the fact query of a verb that looks at these tables, beside the project or, where asked, its gate."""

    def facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[TrialFacts]:
        ids = [task.project.id for task in tasks]
        rows = {model: rows_by(session, model, "project_id", ids, "id") for model in _PER_PROJECT if model in models}
        batch_ids = [row.id for group in rows.get(TrialBatch, {}).values() for row in group]
        figures = rows_by(session, BatchFigure, "batch_id", batch_ids, "entry_no") if BatchFigure in models else {}
        measured = rows_by(session, Measurement, "batch_id", batch_ids, "at") if Measurement in models else {}
        named = (getattr(task.command, "customer_id", None) for task in tasks)
        customers = rows_by(session, Organisation, "id", {customer for customer in named if customer is not None})

        def of(model: Any, one: ProjectFacts) -> Sequence[Any]:
            return rows.get(model, {}).get(one.project.id, ())

        return [
            TrialFacts(
                **one.as_read(),
                batches={row.number: row for row in of(TrialBatch, one)},
                figures={key: tuple(group) for key, group in figures.items()},
                values=_standing(measured),
                issues={row.number: row for row in of(Issue, one)},
                tracks={str(row.verification): row for row in of(VerificationTrack, one)},
                scenarios={row.site: row for row in of(ScenarioTrial, one)},
                orders={row.reference: row for row in of(Order, one)},
                characteristics=frozenset(row.name for row in of(Characteristic, one)),
                customers=frozenset(customers),
            )
            for one in base(session, tasks, stamp)
        ]

    return facts


_PER_PROJECT = (TrialBatch, Issue, VerificationTrack, ScenarioTrial, Order, Characteristic)


def _standing(measured: Mapping[UUID, list[Any]]) -> dict[tuple[UUID, str], tuple[Any, ...]]:
    found: dict[tuple[UUID, str], list[Any]] = {}
    for batch_id, rows in measured.items():
        corrected = {row.corrects_id for row in rows if row.corrects_id is not None}
        for row in rows:
            if row.id not in corrected:
                found.setdefault((batch_id, row.characteristic), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def _characteristic_added(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    row = {"id": stamp.new_id(), **facts.command.asks()}
    detail = {key: value for key, value in facts.command.asks().items() if key != "project_id"}
    return Effects(acts=(act_on(facts, "add_characteristic", detail=detail),), rows=((Characteristic, row),))


def next_batch_number(facts: TrialFacts) -> str:
    """Return the number of the next batch of this project (`B-03`)."""
    used = [int(name[2:]) for name in facts.batches if name.startswith("B-") and name[2:].isdigit()]
    return f"B-{max(used, default=0) + 1:02d}"


def _batch_added(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
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
    acts = (born, act_on(facts, "add_batch", detail={"number": number}))
    message = _batch_told(facts, "recorded", number)
    return Effects(acts=acts, rows=((BatchFigure, figure),), messages=(message,), says={"number": number})


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


def _batch_corrected(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    command = facts.command
    entry_no = len(facts.figures.get(facts.batch.id, ())) + 1
    figure = _figure(facts.batch.id, entry_no, command, stamp, command.reason)
    detail = {"figures": _plain_figures(command), "reason": command.reason, "entry_no": entry_no}
    return Effects(
        acts=_batch_act(facts, "correct", detail),
        rows=((BatchFigure, figure),),
        messages=(_batch_told(facts, "corrected", facts.batch.number),),
    )


def _batch_closed(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
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


def _measured(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
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


def _measurement_corrected(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    command, wrong = facts.command, rules.measurement_of(facts)
    row = _measurement(facts, stamp, command.subgroup, command.place, command.value)
    row |= {"corrects_id": wrong.id, "reason": command.reason}
    detail = {"corrects": wrong.id, "was": wrong.value, "value": command.value, "reason": command.reason}
    return Effects(acts=_batch_act(facts, "correct_measurement", detail), rows=((Measurement, row),))


def _issue_added(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
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
    if command.kind == FindingKind.INCIDENT and command.severity == 1 and facts.hold is None:
        until = stamp.today + timedelta(days=facts.pack.limits.hold_calendar_days)
        hold = hold_row(facts.project.id, "ehs", command.title.strip(), until, stamp)
        rows.append((Hold, {**hold, "needs_decision": True}))
        acts.append(act_on(facts, "hold", detail={"code": "ehs", "reason": command.title, "until_on": until}))
        messages.append(told(facts, "held", code="ehs", until=until.isoformat()))
    return Effects(acts=tuple(acts), rows=tuple(rows), messages=tuple(messages), says={"number": number})


def _issue_closed(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
    issue = facts.issues[facts.command.number]
    change = {"disposition": facts.command.disposition.strip(), "closed_on": stamp.today}
    detail = {"number": issue.number, **change}
    return Effects(acts=(act_on(facts, "close_issue", detail=detail),), updates=((Issue, issue.id, change),))


def _track_started(facts: TrialFacts, _target: str, stamp: Stamp) -> Effects:
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


def _track_finished(facts: TrialFacts, _target: str, _stamp: Stamp) -> Effects:
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


def _recorded(model: Any, key: str, known_of: Any, verb: str, kind: str) -> Any:
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


def _trial_verb(
    object_type: str, name: str, command: type[Any], effects: Any, *own: Any, facts: Any, **rest: Any
) -> Verb[Any, TrialFacts]:
    return Verb(
        object_type=object_type,
        name=name,
        command=command,
        subject=Project,
        subject_id=lambda asked: asked.project_id,
        facts=facts,
        state=lambda facts: str(facts.project.stage),
        rules=(project_rules.not_ended, *own),
        effects=effects,
        follow=refresh,
        **rest,
    )


ADD_CHARACTERISTIC = _trial_verb(
    "characteristic",
    "add",
    AddCharacteristic,
    _characteristic_added,
    rules.characteristic_sound,
    facts=reading(Characteristic),
)
ADD_BATCH = _trial_verb(
    "trial_batch",
    "add",
    AddBatch,
    _batch_added,
    rules.evidence_open,
    rules.batch_new,
    rules.figures_sound,
    rules.made_already,
    rules.within_ladder,
    facts=reading(TrialBatch, base=gate_facts),
)
CORRECT_BATCH = _trial_verb(
    "trial_batch",
    "correct",
    CorrectBatch,
    _batch_corrected,
    rules.evidence_open,
    rules.batch_known,
    rules.figures_sound,
    project_rules.has_reason,
    facts=reading(TrialBatch, BatchFigure),
)
CLOSE_BATCH = _trial_verb(
    "trial_batch",
    "close",
    CloseBatch,
    _batch_closed,
    rules.evidence_open,
    rules.batch_known,
    rules.batch_open,
    facts=reading(TrialBatch, BatchFigure),
)
MEASURE = _trial_verb(
    "trial_batch",
    "measure",
    AddMeasurements,
    _measured,
    rules.evidence_open,
    rules.batch_known,
    rules.characteristic_known,
    rules.values_sound,
    facts=reading(TrialBatch, Characteristic, Measurement),
)
CORRECT_MEASUREMENT = _trial_verb(
    "trial_batch",
    "correct_measurement",
    CorrectMeasurement,
    _measurement_corrected,
    rules.evidence_open,
    rules.batch_known,
    rules.measurement_known,
    rules.value_sound,
    project_rules.has_reason,
    facts=reading(TrialBatch, Measurement),
)
ADD_ISSUE = _trial_verb("issue", "add", AddIssue, _issue_added, rules.issue_sound, facts=reading(Issue, TrialBatch))
CLOSE_ISSUE = _trial_verb(
    "issue", "close", CloseIssue, _issue_closed, rules.issue_open, rules.disposition_given, facts=reading(Issue)
)
START_TRACK = _trial_verb(
    "track",
    "start",
    StartTrack,
    _track_started,
    rules.track_startable,
    facts=reading(VerificationTrack),
    apart=lambda asked: asked.verification,
)
FINISH_TRACK = _trial_verb(
    "track",
    "finish",
    FinishTrack,
    _track_finished,
    rules.track_running,
    facts=reading(VerificationTrack),
    apart=lambda asked: asked.verification,
)
RECORD_SCENARIO = _trial_verb(
    "scenario",
    "record",
    RecordScenario,
    _recorded(ScenarioTrial, "site", lambda facts: facts.scenarios, "record_scenario", "scenario_recorded"),
    rules.evidence_open,
    rules.customer_known,
    rules.scenario_sound,
    facts=reading(ScenarioTrial),
    apart=lambda asked: asked.site,
)
RECORD_ORDER = _trial_verb(
    "order",
    "record",
    RecordOrder,
    _recorded(Order, "reference", lambda facts: facts.orders, "record_order", "order_recorded"),
    rules.evidence_open,
    rules.customer_known,
    rules.order_sound,
    facts=reading(Order),
    apart=lambda asked: asked.reference,
)
