"""A standard pack as data: what the five stages ask for, in one published version.

Pure pydantic, no database. The default pack is `packs/default-2026.1/`; a threshold lives there and nowhere else.
A pack is stored once under the SHA-256 of its canonical JSON, and a project points to the one it was enrolled with.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from lifecycle.standards.funds import FundRules
from lifecycle.standards.part import Gate, PackPart, Text
from models.states import Competence, GateOutcome, ProjectState, Role, Verification

Party: TypeAlias = Literal["sme", "platform", "funder", "customer", "receiver", "lab", "auditor_firm", "programme"]
How: TypeAlias = Literal["computed", "accepted", "decided"]
Strength: TypeAlias = Literal["H", "C", "W"]
FieldKind: TypeAlias = Literal["text", "int", "number", "money", "percent", "date", "bool", "choice", "list", "table"]
Parameter: TypeAlias = int | float | str | bool | list[str] | dict[str, int | float | str]
DueAnchor: TypeAlias = Literal["application", "stage_start", "panel", "proposal", "placement", "always", "stage_end"]
ClauseId: TypeAlias = Annotated[str, Field(pattern=r"^G[1-5]\.[1-9][0-9]?$")]


class Owes(PackPart):
    """Who owes a requirement: a party of the project and the role that acts for it."""

    party: Party
    role: Role


class Due(PackPart):
    """When a requirement is due: an anchor day plus working days (or calendar days)."""

    anchor: DueAnchor
    days: int = 0
    unit: Literal["working_days", "calendar_days"] = "working_days"


class Judge(PackPart):
    """One judgement that people give on a criterion: by which role, with which competence."""

    role: Role
    party: Party | None = None
    competence: Competence | None = None
    kind: Literal["accepted", "decided"]
    part: str | None = None
    """Which evidence type this judge accepts, when the criterion has one per judge (G2.11, G4.10)."""


class Criterion(PackPart):
    """One must-meet requirement of a gate, as it is printed, owed and judged."""

    id: ClauseId
    title: Text
    text: Text
    how: tuple[How, ...]
    strength: Strength
    condition_needs: tuple[str, ...] = ()
    """What a conditional go must carry for this criterion (G3.5: 100 % inspection and a corrective action)."""
    owed_by: tuple[Owes, ...]
    due: Due
    evidence: tuple[str, ...] = ()
    """Evidence types that must be there and valid."""
    supporting: tuple[str, ...] = ()
    """Evidence types that may be filed here beside the records the rule computes from; never asked for."""
    rule: str | None = None
    """Name of the pure function in `lifecycle.stages` that computes it."""
    parameters: Mapping[str, Parameter] = Field(default_factory=dict)
    judges: tuple[Judge, ...] = ()
    after: tuple[ClauseId, ...] = ()
    """Criteria that must be met before this one can be judged at all."""
    follow_notice: bool = False
    """Met only by the notice period itself: asked by `decide`, not by `propose` (G2.12, G5.12)."""
    origin: str
    """`rule Sn`, `practice` or `design`: where the rule comes from."""


class FormField(PackPart):
    """One typed value of an evidence form."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    kind: FieldKind
    unit: str | None = None
    required: bool = True
    choices: tuple[str, ...] = ()
    columns: tuple["FormField", ...] = ()
    """For `table`: the columns of each row."""


class EvidenceType(PackPart):
    """A kind of evidence: its family in the standards guide, its form and how long it is valid."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    family: str
    """One of the twelve families of the standard-system guide, 2025 edition [rule S14]."""
    gate: Gate
    handed_in_by: tuple[Role, ...] = ()
    """Roles that may hand it in; without any, all roles of the parties that owe a criterion it serves."""
    fields: tuple[FormField, ...] = ()
    valid_months: int | None = None
    valid_until_field: str | None = None
    """Form field that carries the document's own expiry day."""
    only_for_revision: bool = False
    several: bool = False
    """Several documents may be current side by side (one per verification, per customer), told apart by `key_field`."""
    key_field: str | None = None


class Factor(PackPart):
    """One should-meet factor of a gate's score."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    weight: int = Field(ge=1, le=100)


class Panel(PackPart):
    """Who decides at a gate."""

    kind: Literal["panel", "single_expert", "none"]
    minimum_members: int = 1
    maximum_members: int = 1
    quorum_share: tuple[int, int] = (2, 3)
    competences: tuple[Competence, ...] = ()
    extra_roles: tuple[Role, ...] = ()
    """Roles that sit in the panel besides the experts, with a vote."""
    guests: tuple[Role, ...] = ()
    """Roles that attend without a vote."""


class Notice(PackPart):
    """A public notice period between the proposed and the final decision."""

    days: int
    unit: Literal["working_days", "calendar_days"]


class Score(PackPart):
    """Cooper-type score: each factor 0-10, total = sum of weight x mean / 10 [rule S27 S28]."""

    pass_total: float = 60
    floor_per_factor: float = 4
    factors: tuple[Factor, ...] = ()


class Maturity(PackPart):
    """Levels at the gate that closes the stage."""

    trl_minimum: int
    mrl_minimum: int
    trl_target: int
    mrl_target: int


class RunLimits(PackPart):
    """Where the agreed limits of trial runs stand: the steps of the scale-up ladder, and the stop-loss."""

    form: str
    """Evidence type of the contract that carries them."""
    ladder_field: str
    """List of batch sizes, the smallest first."""
    conforming_batches: int = Field(default=1, ge=1)
    """Conforming batches on a step before the next one opens."""
    money_field: str
    batches_field: str
    days_field: str


class Stage(PackPart):
    """What one stage asks for and what may become of it."""

    id: ProjectState
    gate: Gate
    title: Text
    default_days: int
    default_unit: Literal["working_days", "months"]
    maximum_days: int
    maximum_unit: Literal["working_days", "months"]
    entry: tuple[str, ...] = ()
    """Names of what `advance` into this stage asks besides the gate before it."""
    entry_maturity: tuple[int, int] = (0, 0)
    """TRL and MRL below which a fall opens a review (M3)."""
    criteria: tuple[Criterion, ...] = ()
    score: Score = Score()
    panel: Panel
    outcomes: tuple[GateOutcome, ...]
    notice: Notice | None = None
    completion_rounds: int = 2
    completion_days: int = 10
    run_limits: RunLimits | None = None


class Limits(PackPart):
    """Limits of outcomes and waivers (section 3.0 of the rule book)."""

    conditions_at_most: int = 3
    condition_days: int = 30
    condition_overdue_hold_days: int = 10
    recycles_per_stage: int = 2
    hold_calendar_days: int = 90
    hold_extensions: int = 1
    transfer_accept_days: int = 10
    waivers_per_gate: int = 2
    waiver_calendar_days: int = 90
    freeze_before_panel_days: int = 5


class Pack(PackPart):
    """One published version of a standard."""

    code: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: str = Field(pattern=r"^[0-9]{4}\.[0-9]+$|^v[0-9]+\.[0-9]+$")
    title: Text
    based_on: str | None = None
    """`code@version` of the pack that this one tightens."""
    rehearsal_only: bool = False
    verifications: tuple[Verification, ...] = tuple(Verification)
    profiles: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Choices made at registration, first one is the default: {"manufacture": ["assembly", "process"], ...}."""
    evidence_types: tuple[EvidenceType, ...] = ()
    stages: tuple[Stage, ...]
    funds: FundRules
    limits: Limits = Limits()

    def stage(self, stage: ProjectState) -> Stage:
        """Return what this stage asks for."""
        return self._stages[stage]

    def criterion(self, clause: str) -> Criterion:
        """Return the criterion with this clause id; `KeyError` when the pack has none."""
        return self._criteria[clause]

    def has(self, clause: str) -> bool:
        """Say whether the pack has this clause."""
        return clause in self._criteria

    def evidence_type(self, type_id: str) -> EvidenceType:
        """Return the evidence type with this id; `KeyError` when the pack has none."""
        return self._types[type_id]

    def has_evidence_type(self, type_id: str) -> bool:
        """Say whether the pack knows this type of evidence."""
        return type_id in self._types

    def types_like(self, name: str) -> list[str]:
        """Return the evidence types that somebody may have meant; all of them where none comes near."""
        return get_close_matches(name.lower(), self._types, n=5) or list(self._types)

    @cached_property
    def _stages(self) -> dict[ProjectState, Stage]:
        return {stage.id: stage for stage in self.stages}

    @cached_property
    def _criteria(self) -> dict[str, Criterion]:
        return {criterion.id: criterion for stage in self.stages for criterion in stage.criteria}

    @cached_property
    def _types(self) -> dict[str, EvidenceType]:
        return {kind.id: kind for kind in self.evidence_types}

    def canonical(self) -> dict[str, Any]:
        """Return the plain data whose canonical JSON is hashed and stored."""
        return self.model_dump(mode="json")
