"""The verbs of an agreement: drafted, signed by both parties, supplemented, audited, closed; and of stated cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.agreements import effects, rules
from lifecycle.agreements.facts import (
    AgreementFacts,
    CostFacts,
    DraftFacts,
    agreement_facts,
    closing_facts,
    cost_facts,
    draft_facts,
    supplement_facts,
)
from lifecycle.agreements.terms import PlannedTranche, TrancheChange
from lifecycle.chart import Rule
from lifecycle.commands import Command, FactsOf, Verb
from lifecycle.funds.rules import fund_open
from lifecycle.milestones import rules as milestone_rules
from models.agreements import Agreement, CostStatement
from models.funds import Fund


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAgreement(Command):
    """Award money of a fund to a project: amount, rate and plan as its standard allows, until both parties sign."""

    fund_id: UUID
    project_id: UUID
    amount_minor: int
    starts_on: date
    own_money_minor: int = 0
    ends_on: date | None = None
    rate_basis_points: int | None = None
    payment_days: int | None = None
    """Days from a complete request to its booking; those of the standard where it is not said (F21)."""
    cost_categories: Mapping[str, int] = field(default_factory=dict)
    tranches: tuple[PlannedTranche, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCommand(Command):
    """Base of what is asked of one agreement."""

    agreement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SignAgreement(AgreementCommand):
    """Sign for the firm (project lead) or for the funder (sponsor); the second signature makes it effective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementAgreement(AgreementCommand):
    """Change the agreement under the same number; both parties sign again before anything more is released."""

    reason: str
    amount_minor: int | None = None
    own_money_minor: int | None = None
    ends_on: date | None = None
    cost_categories: Mapping[str, int] = field(default_factory=dict)
    tranches: tuple[TrancheChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptAudit(AgreementCommand):
    """Accept the audit of the project's money; the report is evidence of the project."""

    evidence_sha256: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAgreement(AgreementCommand):
    """Close the agreement: it counts with what it paid from now on."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitCost(AgreementCommand):
    """State the eligible cost of a period by category, own money included, with the file that proves it."""

    from_on: date
    until_on: date
    by_category: Mapping[str, int]
    own_money_minor: int
    evidence_sha256: str
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCost(Command):
    """Accept stated cost and own money, wholly or in part."""

    cost_id: UUID
    accepted_minor: int
    accepted_own_minor: int
    reason: str = ""


DRAFT: Verb[DraftAgreement, DraftFacts] = Verb(
    object_type="agreement",
    name="draft",
    command=DraftAgreement,
    subject=Fund,
    subject_id=lambda asked: asked.fund_id,
    facts=draft_facts,
    rules=(
        fund_open,
        rules.award_sound,
        rules.project_fundable,
        rules.one_at_a_time,
        rules.plan_sound,
        rules.own_money_enough,
        rules.budget_sound,
        rules.term_sound,
        rules.promise_sound,
        rules.within_fund,
    ),
    effects=effects.drafted,
)


def _verb(
    name: str, command: type[Any], effect: Any, facts: FactsOf[Any, AgreementFacts], *own: Rule
) -> Verb[Any, AgreementFacts]:
    return Verb(
        object_type="agreement",
        name=name,
        command=command,
        subject=Agreement,
        subject_id=lambda asked: asked.agreement_id,
        facts=facts,
        rules=(milestone_rules.agreement_active, *own),
        effects=effect,
    )


SIGN = _verb(
    "sign",
    SignAgreement,
    effects.signed,
    agreement_facts,
    rules.project_not_ended,
    rules.not_signed_yet,
    rules.two_sides,
)
_SUPPLEMENT: tuple[Rule, ...] = (
    fund_open,
    rules.project_not_ended,
    rules.not_settled_yet,
    rules.award_sound,
    rules.own_money_enough,
    rules.budget_sound,
    rules.term_sound,
    rules.supplement_sound,
    rules.tranches_tied,
    rules.early_money_within_cap,
    rules.within_fund,
    milestone_rules.has_reason,
)
SUPPLEMENT = _verb(
    "supplement",
    SupplementAgreement,
    effects.supplemented,
    supplement_facts((milestone_rules.agreement_active, *_SUPPLEMENT)),
    *_SUPPLEMENT,
)
ACCEPT_AUDIT = _verb(
    "accept_audit",
    AcceptAudit,
    effects.audit_accepted,
    agreement_facts,
    milestone_rules.agreement_signed,
    rules.audit_open,
    rules.report_there,
    rules.not_who_stated,
    milestone_rules.has_reason,
)
CLOSE = _verb(
    "close",
    CloseAgreement,
    effects.closed,
    closing_facts,
    rules.manager_gives_up_drafts,
    rules.nothing_open,
    rules.is_settled,
    milestone_rules.has_reason,
)
SUBMIT_COST: Verb[SubmitCost, AgreementFacts] = Verb(
    object_type="cost",
    name="submit",
    command=SubmitCost,
    subject=Agreement,
    subject_id=lambda asked: asked.agreement_id,
    facts=agreement_facts,
    rules=(
        milestone_rules.agreement_active,
        milestone_rules.agreement_signed,
        rules.not_settled_yet,
        rules.period_sound,
        rules.before_the_stop,
        rules.cost_sound,
        rules.report_there,
        rules.final_once,
    ),
    effects=effects.cost_submitted,
)
VERIFY_COST: Verb[VerifyCost, CostFacts] = Verb(
    object_type="cost",
    name="verify",
    command=VerifyCost,
    subject=CostStatement,
    subject_id=lambda asked: asked.cost_id,
    facts=cost_facts,
    rules=(
        milestone_rules.agreement_active,
        rules.verified_once,
        rules.not_who_submitted,
        milestone_rules.behind_no_wall,
        rules.evidence_current,
        rules.accepted_within_claim,
    ),
    effects=effects.cost_verified,
)
