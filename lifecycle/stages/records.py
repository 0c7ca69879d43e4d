"""What the rules of a gate may look at: everything recorded about one project, as plain frozen values.

`lifecycle.verdicts.records` fills these from the database for one or for thousands of projects in a fixed number of
queries; the rules in this folder only read them. Absent is `None`, never a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from models.states import BatchKind, Competence, FindingKind, MaturityScale, OrderKind, ProjectState, Role, Verification

Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRecord:
    """An organisation in its part of the project."""

    id: UUID
    name: str
    credit_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """One current evidence version with the values of its form."""

    id: UUID
    type: str
    sha256: str
    values: Values
    submitted_on: date
    author: UUID
    """Person who handed it in (`person_id`)."""
    clause: str | None = None
    revision: str | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementRecord:
    """A yes or no by a named role, bound to the evidence it was given on."""

    clause: str
    role: Role
    yes: bool
    person: UUID
    on: date
    kind: str = "accepted"
    party: str | None = None
    competence: Competence | None = None
    part: str | None = None
    evidence_sha256s: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRecord:
    """A granted waiver; it ends by itself after `until`."""

    clause: str
    until: date
    confirmed: bool
    gate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRecord:
    """A debt of a conditional go; cleared when its criterion is met."""

    clause: str
    due_on: date
    cleared: bool
    gate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRecord:
    """A level claimed for one critical technology (TRL) or one of the nine threads (MRL)."""

    scale: MaturityScale
    item: str
    level: int
    evidence: UUID | None = None
    """The document that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRecord:
    """A frozen design revision. The latest one is what counts."""

    label: str
    frozen_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicRecord:
    """A special characteristic with its limits in its own unit; one of the two limits may be absent."""

    name: str
    unit: str
    lower: float | None
    upper: float | None
    is_critical: bool
    gauge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One batch, with its latest figures (corrections are appended, the last one counts)."""

    number: str
    kind: BatchKind
    made_on: date
    revision: str | None
    is_closed: bool
    started: int
    passed_first_time: int
    """Units that passed every check without rework; unit failures stay in `started`."""
    conforming: bool | None
    size: float | None = None
    hours: float | None = None
    measurements: Mapping[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    """Characteristic name -> subgroups in the order of production (single values are subgroups of one)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """Issue, deviation, incident, safety complaint or audit finding. Severity 1 is the worst (major)."""

    kind: FindingKind
    severity: int
    opened_on: date
    closed_on: date | None = None
    owner: str | None = None
    due_on: date | None = None
    disposition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """One verification of the trial stage."""

    verification: Verification
    started_on: date | None = None
    finished_on: date | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRecord:
    """One customer or site of market validation."""

    site: str
    customer: UUID | None
    is_independent: bool
    agreement_signed_on: date | None
    started_on: date | None
    ended_on: date | None
    report_signed_on: date | None
    units: int = 0
    unit_batches: tuple[str, ...] = ()
    """Numbers of the trial batches the placed units came from."""
    failures: int | None = None
    valid_until: date | None = None
    is_within_limits: bool | None = None
    """All measured values lie within the acceptance limits; None while nothing was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order or a letter of intent."""

    kind: OrderKind
    customer: UUID | None
    is_independent: bool
    quantity: int
    signed_on: date | None
    is_binding: bool = False
    paid_on: date | None = None
    cancelled_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRecord:
    """A public notice and what was objected to it."""

    gate: str
    starts_on: date
    ends_on: date
    open_objections: int = 0
    upheld_objections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarProject:
    """A possible double funding hit (G1.6)."""

    number: str
    similarity: float
    """0 to 1, of the titles; 1 for the same outside id."""
    resolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All that is known of one project on one day."""

    project_id: UUID
    stage: ProjectState
    today: date
    stage_started_on: date
    received_on: date | None
    applicant: PartyRecord
    platform: PartyRecord | None = None
    receiver: PartyRecord | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)
    planned_panel_on: date | None = None
    proposed_on: date | None = None
    """Day of the proposed decision of the present stage's gate, while its notice runs."""
    panel_sits: bool = False
    """A panel was called on the present stage's gate and has not decided: what follows its notice waits for it."""
    stage_due_on: date | None = None
    """Day the present stage is due, counted over all its visits."""
    evidence: tuple[EvidenceRecord, ...] = ()
    judgements: tuple[JudgementRecord, ...] = ()
    waivers: tuple[WaiverRecord, ...] = ()
    conditions: tuple[ConditionRecord, ...] = ()
    claims: tuple[ClaimRecord, ...] = ()
    revisions: tuple[RevisionRecord, ...] = ()
    characteristics: tuple[CharacteristicRecord, ...] = ()
    batches: tuple[BatchRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()
    last_restart_on: date | None = None
    """Day of the last restart after an EHS hold."""
    tracks: tuple[TrackRecord, ...] = ()
    scenarios: tuple[ScenarioRecord, ...] = ()
    orders: tuple[OrderRecord, ...] = ()
    notices: tuple[NoticeRecord, ...] = ()
    similar: tuple[SimilarProject, ...] = ()

    def of_type(self, type_id: str) -> tuple[EvidenceRecord, ...]:
        """Return the current evidence of this type, oldest first."""
        return tuple(item for item in self.evidence if item.type == type_id)

    def latest(self, type_id: str) -> EvidenceRecord | None:
        """Return the newest evidence of this type, or None."""
        found = self.of_type(type_id)
        return found[-1] if found else None

    def form(self, type_id: str) -> Values:
        """Return the values of the newest evidence of this type; empty when there is none."""
        newest = self.latest(type_id)
        return newest.values if newest else {}

    @property
    def revision(self) -> RevisionRecord | None:
        """The frozen revision that counts: the latest one, of two on one day the later recorded."""
        return max(reversed(self.revisions), key=lambda revision: revision.frozen_on, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What a rule computed: a verdict without the judgements of people. Numbers are unrounded."""

    state: str
    """`met`, `not_met`, `not_enough_evidence`, `missing` or `cannot_start`."""
    code: str
    """Stable snake_case reason; its sentence stands in `notifications/words.py`."""
    values: Values = field(default_factory=dict)
    suffices: str | None = None
    """Code of the sentence that says what would suffice; it may use the same values."""
