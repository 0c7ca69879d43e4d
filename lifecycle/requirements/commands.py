"""The verbs around requirements: hand in, judge, waive, reopen, claim a level, freeze a revision, tell what is owed."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.commands import Verb
from lifecycle.projects import rules as project_rules
from lifecycle.projects.commands import ProjectCommand
from lifecycle.requirements import effects, rules
from lifecycle.requirements.facts import CLAIMS, DeskFacts, desk_facts, paper_facts
from lifecycle.verdicts.cache import refresh
from models.projects import Project
from models.states import Competence, MaturityScale


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvidence(ProjectCommand):
    """Hand in a document: its file by hash, and the typed values of its form. A newer version supersedes."""

    type: str
    file_name: str
    sha256: str
    size_bytes: int
    form: Mapping[str, Any] = field(default_factory=dict)
    revision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawEvidence(ProjectCommand):
    """Take a document back; the row and its file stay."""

    evidence_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequirement(ProjectCommand):
    """Say yes or no to a criterion in the role that the standard names; bound to the present evidence."""

    clause: str
    yes: bool
    reason: str
    part: str | None = None
    competence: Competence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveRequirement(ProjectCommand):
    """Give leave to pass without a W criterion, until a day; it counts once a second person confirms."""

    clause: str
    reason: str
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmWaiver(ProjectCommand):
    """Be the second person of a waiver."""

    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenRequirement(ProjectCommand):
    """Let the judgements of a criterion count no longer, with the reason."""

    clause: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLevel(ProjectCommand):
    """Claim a readiness level for one critical technology (TRL) or one thread (MRL)."""

    scale: MaturityScale
    item: str
    level: int
    evidence_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLevels(ProjectCommand):
    """Claim all levels of an assessment at once, on the document they stand in; checked together (M1)."""

    levels: tuple[tuple[MaturityScale, str, int], ...]
    """Scale, technology or thread, level."""
    evidence_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRevision(ProjectCommand):
    """Freeze a design revision; the clauses it touches are judged again, exactly those."""

    label: str
    frozen_on: date
    reason: str
    touched_clauses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueNotice(ProjectCommand):
    """Tell the firm once and completely what it still owes (补正通知)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerNotice(ProjectCommand):
    """Say that the list was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshVerdicts(ProjectCommand):
    """Judge a project's requirements again because time has passed: evidence ran out, a waiver or notice ended."""


def desk_verb(object_type: str, name: str, command: type[Any], **rest: Any) -> Verb[Any, DeskFacts]:
    """Return a verb at a project's desk: the project is locked, no chart moves, the verdict cache follows."""
    own, living = rest.pop("rules"), rest.pop("living", project_rules.not_ended)
    return Verb(
        object_type=object_type,
        name=name,
        command=command,
        subject=Project,
        subject_id=lambda asked: asked.project_id,
        state=lambda facts: str(facts.project.stage),
        rules=(living, *own),
        follow=refresh,
        **{"facts": desk_facts, **rest},
    )


REFRESH = desk_verb("project", "refresh", RefreshVerdicts, rules=(), effects=effects.refreshed)


ADD_EVIDENCE = desk_verb(
    "evidence",
    "add",
    AddEvidence,
    rules=(rules.not_frozen, rules.type_known, rules.owes_it, rules.file_sound, rules.form_sound),
    living=rules.takes_papers,
    facts=paper_facts,
    apart=lambda asked: asked.type,
    effects=effects.evidence_added,
)


WITHDRAW_EVIDENCE = desk_verb(
    "evidence",
    "withdraw",
    WithdrawEvidence,
    rules=(rules.not_frozen, project_rules.has_reason, rules.document_is_own),
    facts=paper_facts,
    effects=effects.evidence_withdrawn,
)


_OF_PAPERS_AND_CLAIMS = functools.partial(desk_facts, only=CLAIMS | {"evidence"})


JUDGE = desk_verb(
    "requirement",
    "judge",
    JudgeRequirement,
    rules=(
        project_rules.has_reason,
        rules.clause_known,
        rules.judge_named,
        rules.judges_for_own_side,
        rules.evidence_there,
        rules.not_the_author,
        rules.in_one_seat_only,
    ),
    facts=_OF_PAPERS_AND_CLAIMS,
    apart=lambda asked: (asked.clause, asked.part, asked.competence),
    effects=effects.judged,
)


WAIVE = desk_verb(
    "requirement",
    "waive",
    WaiveRequirement,
    rules=(project_rules.has_reason, rules.present_clause, rules.waiver_role, rules.not_of_the_firm, rules.waivable),
    effects=effects.waived,
)


CONFIRM_WAIVER = desk_verb(
    "requirement",
    "confirm_waiver",
    ConfirmWaiver,
    rules=(rules.waiver_waits, rules.second_person, rules.not_of_the_firm),
    effects=effects.waiver_confirmed,
)


REOPEN = desk_verb(
    "requirement",
    "reopen",
    ReopenRequirement,
    rules=(project_rules.has_reason, rules.not_frozen, rules.present_clause),
    effects=effects.reopened,
)


CLAIM = desk_verb(
    "claim",
    "add",
    ClaimLevel,
    rules=(rules.not_frozen, rules.threads_known, rules.levels_sound, rules.evidence_exists),
    facts=_OF_PAPERS_AND_CLAIMS,
    effects=effects.claimed,
)


CLAIM_ALL = desk_verb(
    "claim",
    "add_all",
    ClaimLevels,
    rules=(
        rules.not_frozen,
        rules.levels_named,
        rules.threads_known,
        rules.levels_sound,
        rules.evidence_exists,
    ),
    facts=_OF_PAPERS_AND_CLAIMS,
    effects=effects.claimed,
)


FREEZE = desk_verb(
    "revision",
    "freeze",
    FreezeRevision,
    rules=(rules.not_frozen, project_rules.has_reason, rules.revision_new),
    effects=effects.frozen,
)


ISSUE_NOTICE = desk_verb(
    "notice",
    "issue",
    IssueNotice,
    rules=(rules.no_notice_open, rules.rounds_left, rules.something_owed),
    effects=effects.notice_issued,
)


ANSWER_NOTICE = desk_verb(
    "notice", "answer", AnswerNotice, rules=(rules.notice_waits,), effects=effects.notice_answered
)
