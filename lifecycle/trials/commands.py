"""The verbs of what is made, measured, found and placed: batches, measurements, findings, tracks, scenarios, orders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.commands import Verb
from lifecycle.projects import rules as project_rules
from lifecycle.projects.commands import ProjectCommand
from lifecycle.projects.facts import gate_facts
from lifecycle.trials import effects, rules
from lifecycle.trials.facts import TrialFacts, reading, with_spending
from lifecycle.verdicts.cache import refresh
from models.projects import Project
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
class ReachStopLoss(ProjectCommand):
    """Write down that a limit agreed in the contract is used up by time: a stop review is due."""


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
    effects.characteristic_added,
    rules.characteristic_sound,
    facts=reading(Characteristic),
)


ADD_BATCH = _trial_verb(
    "trial_batch",
    "add",
    AddBatch,
    effects.batch_added,
    rules.evidence_open,
    rules.batch_new,
    rules.figures_sound,
    rules.size_sound,
    rules.made_already,
    rules.within_ladder,
    facts=with_spending(reading(TrialBatch, base=gate_facts)),
)


CORRECT_BATCH = _trial_verb(
    "trial_batch",
    "correct",
    CorrectBatch,
    effects.batch_corrected,
    rules.evidence_open,
    rules.batch_known,
    rules.figures_sound,
    project_rules.has_reason,
    facts=with_spending(reading(TrialBatch, BatchFigure)),
)


CLOSE_BATCH = _trial_verb(
    "trial_batch",
    "close",
    CloseBatch,
    effects.batch_closed,
    rules.evidence_open,
    rules.batch_known,
    rules.batch_open,
    facts=reading(TrialBatch, BatchFigure),
)


REACH_STOP_LOSS = _trial_verb(
    "project",
    "reach_stop_loss",
    ReachStopLoss,
    effects.stop_loss_reached,
    rules.limit_used_up,
    facts=with_spending(reading()),
)


MEASURE = _trial_verb(
    "trial_batch",
    "measure",
    AddMeasurements,
    effects.measured,
    rules.evidence_open,
    rules.batch_known,
    rules.batch_open,
    rules.characteristic_known,
    rules.values_sound,
    facts=reading(TrialBatch, Characteristic, Measurement),
)


CORRECT_MEASUREMENT = _trial_verb(
    "trial_batch",
    "correct_measurement",
    CorrectMeasurement,
    effects.measurement_corrected,
    rules.evidence_open,
    rules.batch_known,
    rules.measurement_known,
    rules.value_sound,
    project_rules.has_reason,
    facts=reading(TrialBatch, Measurement),
)


ADD_ISSUE = _trial_verb(
    "issue", "add", AddIssue, effects.issue_added, rules.issue_sound, facts=reading(Issue, TrialBatch)
)


CLOSE_ISSUE = _trial_verb(
    "issue", "close", CloseIssue, effects.issue_closed, rules.issue_open, rules.disposition_given, facts=reading(Issue)
)


START_TRACK = _trial_verb(
    "track",
    "start",
    StartTrack,
    effects.track_started,
    rules.track_startable,
    facts=reading(VerificationTrack),
    apart=lambda asked: asked.verification,
)


FINISH_TRACK = _trial_verb(
    "track",
    "finish",
    FinishTrack,
    effects.track_finished,
    rules.track_running,
    facts=reading(VerificationTrack),
    apart=lambda asked: asked.verification,
)


RECORD_SCENARIO = _trial_verb(
    "scenario",
    "record",
    RecordScenario,
    effects.recorded(ScenarioTrial, "site", lambda facts: facts.scenarios, "record_scenario", "scenario_recorded"),
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
    effects.recorded(Order, "reference", lambda facts: facts.orders, "record_order", "order_recorded"),
    rules.evidence_open,
    rules.customer_known,
    rules.order_sound,
    facts=reading(Order),
    apart=lambda asked: asked.reference,
)
