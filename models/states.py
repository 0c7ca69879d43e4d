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


INSTALLATION = frozenset({Role.OPERATOR, Role.ADMIN, Role.AUDITOR})
"""Roles that reach everything when they are held without an organisation, and only what it takes part in with one."""


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


class Channel(StrEnum):
    """The ways a message leaves the house; what lies in the inbox needs none."""

    EMAIL = "email"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    WECOM = "wecom"
    CHAT = "chat"
    WEBHOOK = "webhook"


class Frequency(StrEnum):
    """How often somebody wants to hear of a topic."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


class ReminderStatus(StrEnum):
    """What became of a planned reminder; all but the first say why."""

    PLANNED = "planned"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    MISSED = "missed"


class EndpointStatus(StrEnum):
    """Whether a webhook endpoint is told anything."""

    ACTIVE = "active"
    DISABLED = "disabled"


class SlotStatus(StrEnum):
    """What became of one slot of a schedule."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    MISSED = "missed"
    MERGED = "merged"
    SKIPPED = "skipped"


class Door(StrEnum):
    """Through which door an act came."""

    WEB = "web"
    API = "api"
    CLI = "cli"
    FLOW = "flow"
    RECOVER = "recover"


class SignInKind(StrEnum):
    """By what somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105 - the word for it
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    LINK = "link"
    OIDC = "oidc"
    PERSONA = "persona"


class ChallengeKind(StrEnum):
    """What is answered by it."""

    SIGN_IN = "sign_in"
    REGISTER = "register"
    STEP_UP = "step_up"


class InvitationKind(StrEnum):
    """What a link that was sent is good for."""

    INVITATION = "invitation"
    OWN_PAGE = "own_page"


class Scope(StrEnum):
    """What an API token may be used for; approving money is none of it."""

    READ = "read"
    PROJECT_WRITE = "project:write"
    RUN_EXECUTE = "run:execute"


class MilestoneState(StrEnum):
    """One tranche of an agreement: planned, handed in, judged (`docs/contract.md` 3.1)."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WAIVED = "waived"


class PayoutState(StrEnum):
    """The decision to pay; the attempt is an instruction, the file that carried it a payment batch."""

    REQUESTED = "requested"
    APPROVED = "approved"
    INSTRUCTED = "instructed"
    PAID = "paid"
    RETURNED = "returned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class PayoutPurpose(StrEnum):
    """What is paid for; a settlement has no milestone."""

    MILESTONE = "milestone"
    RETENTION = "retention"
    SETTLEMENT = "settlement"


class ApprovalDecision(StrEnum):
    """A person's word on a payout; certify and release move no state and do not count as approvals."""

    CERTIFY = "certify"
    APPROVE = "approve"
    REJECT = "reject"
    RELEASE = "release"


class PaymentBatchState(StrEnum):
    """A payment file on its way to the bank; unknown is a state."""

    PREPARED = "prepared"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    ABANDONED = "abandoned"


class InstructionStatus(StrEnum):
    """One attempt to pay, folded from its batch and what the bank said."""

    PREPARED = "prepared"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"
    ABANDONED = "abandoned"


DEAD: tuple[InstructionStatus, ...] = (
    InstructionStatus.REJECTED,
    InstructionStatus.RETURNED,
    InstructionStatus.ABANDONED,
)
"""An instruction in one of these is over for good; in any other it may still pay."""


class FundStatus(StrEnum):
    """Funds and agreements are closed, never deleted."""

    ACTIVE = "active"
    CLOSED = "closed"


class SourceKind(StrEnum):
    """Where a fund's money comes from: kept apart in every report (rule book F18)."""

    STATE = "state"
    LARGE_ENTERPRISE = "large_enterprise"
    SOCIAL_CAPITAL = "social_capital"


class PayeeStatus(StrEnum):
    """A bank account of a firm: proposed by one person, confirmed by another."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    RETIRED = "retired"


class AccountKind(StrEnum):
    """The ledger's accounts: four per fund, two shared per currency (`safety.md` 2.4)."""

    EXTERNAL = "external"
    AVAILABLE = "available"
    RESERVED = "reserved"
    PAID = "paid"
    FEE = "fee"
    SUSPENSE = "suspense"


class PostingKind(StrEnum):
    """Why money moved between accounts."""

    FUND_IN = "fund_in"
    FUND_OUT = "fund_out"
    RESERVE = "reserve"
    VOID = "void"
    POST = "post"
    RETURN = "return"
    FEE = "fee"
    RECOVERY = "recovery"
    SUSPENSE = "suspense"
    CORRECTION = "correction"


class BankSource(StrEnum):
    """Who said it."""

    PAIN002 = "pain002"
    CAMT053 = "camt053"
    CAMT054 = "camt054"
    CSV = "csv"
    BANK_EXCEL = "bank_excel"
    IMPLIED = "implied"
    PEOPLE = "people"


class BankEventKind(StrEnum):
    """What was said of one instruction, or of money nobody instructed."""

    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"
    SETTLE = "settle"
    RETURN = "return"
    FEE = "fee"
    CREDIT = "credit"
    DEBIT = "debit"


class BankEffect(StrEnum):
    """What became of it."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    SUSPENSE = "suspense"


class StatementStatus(StrEnum):
    """A bank file is taken whole or not at all; a long one says `importing` until its last line is there."""

    IMPORTING = "importing"
    IMPORTED = "imported"
    QUARANTINED = "quarantined"


class LineStatus(StrEnum):
    """Every line of a statement ends in one of three ways."""

    MATCHED = "matched"
    DUPLICATE = "duplicate"
    EXCEPTION = "exception"


class RecoveryState(StrEnum):
    """Money that a firm owes back."""

    OPEN = "open"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"


class RecoveryPartKind(StrEnum):
    """How a part of a recovery order was met."""

    REPAID = "repaid"
    SET_OFF = "set_off"
    WRITTEN_OFF = "written_off"
