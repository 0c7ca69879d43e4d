"""Every stored word of state and kind. The value is what is stored and exported; the name is code."""

from enum import StrEnum


class ProjectState(StrEnum):
    """Where a project stands: one of five stages, or one of three ends (`docs/contract.md` 3.1)."""

    INTAKE = "intake"
    FEASIBILITY = "feasibility"
    SMALL_BATCH_TRIAL = "small_batch_trial"
    MARKET_VALIDATION = "market_validation"
    HANDOFF = "handoff"
    IN_PRODUCTION = "in_production"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


STAGES: tuple[ProjectState, ...] = (
    ProjectState.INTAKE,
    ProjectState.FEASIBILITY,
    ProjectState.SMALL_BATCH_TRIAL,
    ProjectState.MARKET_VALIDATION,
    ProjectState.HANDOFF,
)
"""The five stages in their order; gate G1 closes the first, G5 the last."""

ENDED: tuple[ProjectState, ...] = (ProjectState.IN_PRODUCTION, ProjectState.WITHDRAWN, ProjectState.STOPPED)


class StageRunState(StrEnum):
    """One visit of one stage."""

    OPEN = "open"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    PASSED = "passed"
    RECYCLED = "recycled"
    CLOSED = "closed"


class ReviewState(StrEnum):
    """A gate review."""

    CALLED = "called"
    SCORING = "scoring"
    PROPOSED = "proposed"
    DECIDED = "decided"
    CANCELLED = "cancelled"


class GateOutcome(StrEnum):
    """What a gate review decides (`stop` is called *kill* in the stage-gate literature)."""

    GO = "go"
    CONDITIONAL_GO = "conditional_go"
    HOLD = "hold"
    RECYCLE = "recycle"
    STOP = "stop"
    TRANSFER = "transfer"


class VerdictState(StrEnum):
    """What is said of one requirement; only `met` and `waived` let a gate pass."""

    MET = "met"
    WAIVED = "waived"
    NOT_MET = "not_met"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    MISSING = "missing"
    WAITING = "waiting"
    CANNOT_START = "cannot_start"


class Verification(StrEnum):
    """The five verifications a platform offers; the tracks of the small-batch stage."""

    DESIGN = "design"
    FUNCTION = "function"
    PROCESS = "process"
    ADAPTATION = "adaptation"
    PRODUCTION = "production"


class OrganisationKind(StrEnum):
    """What an organisation mainly is; what it is in a project is said by the project."""

    SME = "sme"
    PLATFORM = "platform"
    FUNDER = "funder"
    INVESTOR = "investor"
    CUSTOMER = "customer"
    RECEIVER = "receiver"
    LAB = "lab"
    SUPPLIER = "supplier"
    ASSOCIATION = "association"
    AUTHORITY = "authority"
    AUDITOR_FIRM = "auditor_firm"
    OPERATOR = "operator"


class Role(StrEnum):
    """The roles of the default standard; a grant is a role at one organisation."""

    PROJECT_LEAD = "project_lead"
    FINANCE_OFFICER = "finance_officer"
    PROCESS_ENGINEER = "process_engineer"
    COORDINATOR = "coordinator"
    TECHNICAL_MANAGER = "technical_manager"
    LAB_LEAD = "lab_lead"
    QUALITY_ENGINEER = "quality_engineer"
    EHS_OFFICER = "ehs_officer"
    EXPERT = "expert"
    PANEL_CHAIR = "panel_chair"
    CUSTOMER_REP = "customer_rep"
    RECEIVER_LEAD = "receiver_lead"
    CERTIFIER = "certifier"
    FUND_MANAGER = "fund_manager"
    FUND_DIRECTOR = "fund_director"
    PAYER = "payer"
    ACCOUNTANT = "accountant"
    AUDITOR = "auditor"
    SPONSOR = "sponsor"
    STANDARD_EDITOR = "standard_editor"
    OPERATOR = "operator"
    ADMIN = "admin"


class Competence(StrEnum):
    """What an expert is named for."""

    TECHNICAL = "technical"
    MANUFACTURING_QUALITY = "manufacturing_quality"
    MARKET = "market"
    FINANCE = "finance"


class MaturityScale(StrEnum):
    """TRL: technology readiness, per critical technology. MRL: manufacturing readiness, per thread."""

    TRL = "trl"
    MRL = "mrl"


class FindingKind(StrEnum):
    """What was found at pilot or in the field and has to be closed."""

    ISSUE = "issue"
    DEVIATION = "deviation"
    INCIDENT = "incident"
    SAFETY_COMPLAINT = "safety_complaint"
    AUDIT_FINDING = "audit_finding"


class OrderKind(StrEnum):
    """A letter of intent is no order; only a paid or binding order counts as money (G4.4)."""

    LETTER_OF_INTENT = "letter_of_intent"
    ORDER = "order"


class BatchKind(StrEnum):
    """What a batch was made for."""

    TRIAL = "trial"
    PRODUCTION_RUN = "production_run"
    ONGOING = "ongoing"


class UserStatus(StrEnum):
    """People are disabled, never deleted."""

    ACTIVE = "active"
    DISABLED = "disabled"


class EvidenceStatus(StrEnum):
    """A newer version supersedes, nothing is deleted."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class DeliveryStatus(StrEnum):
    """State of an outbox row and of each try to deliver it."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    GIVEN_UP = "given_up"


class Door(StrEnum):
    """Through which door an act came."""

    WEB = "web"
    API = "api"
    CLI = "cli"
    FLOW = "flow"
    RECOVER = "recover"
