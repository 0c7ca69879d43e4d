"""The verbs around requirements: hand in, judge, waive, reopen, claim a level, freeze a revision, tell what is owed."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.calendar import add_months
from lifecycle.chart import about_input
from lifecycle.commands import Act, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.projects import rules as project_rules
from lifecycle.projects.commands import ProjectCommand
from lifecycle.projects.effects import act_on, told
from lifecycle.projects.facts import ProjectFacts, gate_facts, project_facts
from lifecycle.requirements import rules
from lifecycle.verdicts.cache import refresh
from models.evidence import DesignRevision, Evidence, Judgement, MaturityClaim
from models.projects import Project, Requirement
from models.reading import rows_by
from models.reviews import CompletionNotice, Waiver
from models.states import Competence, EvidenceStatus, MaturityScale


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


@dataclass(frozen=True, kw_only=True)
class DeskFacts(ProjectFacts):
    """A project's gate, with the stored rows that these verbs touch."""

    documents: tuple[Any, ...] = ()
    requirements: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[Any, ...] = ()


_CLAIMS = frozenset({"claims"})
"""A claim is checked against the others (M1), whether or not the standard has a criterion about them."""


def desk_facts(
    session: Session, tasks: Sequence[Task[Any]], stamp: Stamp, only: frozenset[str] | None = None
) -> list[DeskFacts]:
    """Read the gate, or `only` some of its registers, and the rows beside it."""
    visits = [task.project.stage_run_id for task in tasks if task.project.stage_run_id is not None]
    requirements = rows_by(session, Requirement, "stage_run_id", visits, "clause")
    notices = rows_by(session, CompletionNotice, "project_id", [task.project.id for task in tasks], "number")
    return [
        DeskFacts(
            **base.as_read(),
            requirements={row.clause: row for row in requirements.get(base.project.stage_run_id, ())},
            notices=tuple(notices.get(base.project.id, ())),
        )
        for base in gate_facts(session, tasks, stamp, _CLAIMS, only)
    ]


def paper_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[DeskFacts]:
    """Read the papers of each project; what the gate says of them is for later."""
    documents = rows_by(session, Evidence, "project_id", [task.project.id for task in tasks], "version_no")
    return [
        DeskFacts(**base.as_read(), documents=tuple(documents.get(base.project.id, ())))
        for base in project_facts(session, tasks, stamp)
    ]


def _key_of(facts: DeskFacts) -> str:
    kind = facts.pack.evidence_type(facts.command.type)
    return str(facts.command.form.get(kind.key_field, "")) if kind.key_field else ""


def _valid_until(facts: DeskFacts) -> date | None:
    """Return the last day of a document: its own, or its type's months after today, whichever is first."""
    kind = facts.pack.evidence_type(facts.command.type)
    value = facts.command.form.get(kind.valid_until_field) if kind.valid_until_field else None
    own = [date.fromisoformat(value)] if isinstance(value, str) else []
    by_type = [add_months(facts.stamp.today, kind.valid_months)] if kind.valid_months is not None else []
    return min([*own, *by_type], default=None)


def _evidence_added(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    command, key = facts.command, _key_of(facts)
    earlier = [row for row in facts.documents if row.type == command.type and row.key == key]
    evidence_id = stamp.new_id()
    values = {
        "project_id": facts.project.id,
        "type": command.type,
        "key": key,
        "version_no": len(earlier) + 1,
        "file_name": command.file_name,
        "sha256": command.sha256,
        "size_bytes": command.size_bytes,
        "form": dict(command.form),
        "revision": command.revision,
        "valid_until_on": _valid_until(facts),
        "status": EvidenceStatus.CURRENT,
        "submitted_on": stamp.today,
        "author_id": stamp.actor.user_id,
        "author_person_id": stamp.actor.person_id,
        "at": stamp.now,
    }
    detail = {"project_id": facts.project.id, "type": command.type, "key": key, "sha256": command.sha256}
    born = Act(
        table=Evidence,
        object_type="evidence",
        id=evidence_id,
        action="evidence.add",
        values=values,
        detail={**detail, "version_no": values["version_no"], "form": dict(command.form)},
    )
    older = [_superseded(row) for row in earlier if row.status == EvidenceStatus.CURRENT]
    message = told(facts, "evidence_added", type=command.type)
    return Effects(acts=(born, act_on(facts, "add_evidence", detail=detail), *older), messages=(message,))


def _superseded(row: Any) -> Act:
    change = {"status": EvidenceStatus.SUPERSEDED}
    return Act(table=Evidence, object_type="evidence", id=row.id, action="evidence.supersede", row=row, values=change)


def _own_document(facts: DeskFacts) -> Any:
    found = (row for row in facts.documents if row.id == facts.command.evidence_id)
    return next((row for row in found if row.status == EvidenceStatus.CURRENT), None)


@about_input
def _document_is_own(facts: DeskFacts) -> tuple[Unmet, ...]:
    document = _own_document(facts)
    if document is None:
        return (unmet("evidence_not_found"),)
    return () if document.author_person_id == facts.stamp.actor.person_id else (unmet("not_the_author"),)


def _evidence_withdrawn(facts: DeskFacts, _target: str, _stamp: Stamp) -> Effects:
    document = _own_document(facts)
    detail = {"evidence_id": document.id, "reason": facts.command.reason}
    act = Act(
        table=Evidence,
        object_type="evidence",
        id=document.id,
        action="evidence.withdraw",
        row=document,
        values={"status": EvidenceStatus.WITHDRAWN},
        detail=detail,
    )
    return Effects(acts=(act, act_on(facts, "withdraw_evidence", detail=detail)))


def _requirement_act(facts: DeskFacts, verb: str, detail: Mapping[str, Any], **values: Any) -> tuple[Act, ...]:
    """Return the act on the requirement's own chain, where this visit has such a row."""
    row = facts.requirements.get(facts.command.clause)
    if row is None:
        return ()
    act = Act(
        table=Requirement,
        object_type="requirement",
        id=row.id,
        action=f"requirement.{verb}",
        row=row,
        values=values,
        detail=dict(detail),
    )
    return (act,)


def _judged(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    command, seat = facts.command, rules.seat_of(facts)
    assert seat is not None  # the rule `judge_named` has asked  # noqa: S101
    row = {
        "id": stamp.new_id(),
        "project_id": facts.project.id,
        "stage_run_id": facts.project.stage_run_id,
        "clause": command.clause,
        "kind": seat.kind,
        "role": seat.role,
        "party": rules.party_of(seat),
        "competence": seat.competence,
        "part": seat.part,
        "is_yes": command.yes,
        "reason": command.reason,
        "evidence_sha256s": rules.bound_hashes(facts, seat),
        "user_id": stamp.actor.user_id,
        "person_id": stamp.actor.person_id,
        "on": stamp.today,
        "at": stamp.now,
    }
    detail = {key: row[key] for key in ("clause", "kind", "role", "party", "is_yes", "reason", "evidence_sha256s")}
    acts = (*_requirement_act(facts, "judge", detail), act_on(facts, "judge_requirement", detail=detail))
    message = told(facts, "judged", clause=command.clause, yes=command.yes)
    return Effects(acts=acts, rows=((Judgement, row),), messages=(message,))


def _waived(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    command = facts.command
    row = {
        "id": stamp.new_id(),
        "project_id": facts.project.id,
        "stage_run_id": facts.project.stage_run_id,
        "gate": facts.asked.gate,
        "clause": command.clause,
        "reason": command.reason,
        "until_on": command.until_on,
        "granted_by": stamp.actor.user_id,
        "granted_person_id": stamp.actor.person_id,
        "granted_at": stamp.now,
    }
    detail = {"clause": command.clause, "reason": command.reason, "until_on": command.until_on}
    acts = (*_requirement_act(facts, "waive", detail), act_on(facts, "waive_requirement", detail=detail))
    return Effects(acts=acts, rows=((Waiver, row),), messages=(told(facts, "waiver_asked", clause=command.clause),))


def _waiver_confirmed(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    waiver = rules.open_waiver(facts)
    detail = {"clause": waiver.clause, "waiver_id": waiver.id, "until_on": waiver.until_on}
    change = {"confirmed_by": stamp.actor.user_id, "confirmed_at": stamp.now}
    acts = (*_requirement_act(facts, "confirm_waiver", detail), act_on(facts, "confirm_waiver", detail=detail))
    return Effects(
        acts=acts,
        updates=((Waiver, waiver.id, change),),
        messages=(told(facts, "requirement_waived", clause=waiver.clause),),
    )


@about_input
def _present_clause(facts: DeskFacts) -> tuple[Unmet, ...]:
    known = facts.command.clause in facts.requirements
    return () if known else (unmet("clause_unknown", clause=facts.command.clause),)


def _reopened(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    command = facts.command
    detail = {"clause": command.clause, "reason": command.reason}
    change = {"reopened_at": stamp.now, "reopened_reason": command.reason}
    acts = (*_requirement_act(facts, "reopen", detail, **change), act_on(facts, "reopen_requirement", detail=detail))
    return Effects(acts=acts, messages=(told(facts, "requirement_reopened", clause=command.clause),))


def _claimed(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    command = facts.command
    rows = tuple(
        (
            MaturityClaim,
            {
                "id": stamp.new_id(),
                "project_id": facts.project.id,
                "scale": scale,
                "item": item,
                "level": level,
                "evidence_id": command.evidence_id,
                "user_id": stamp.actor.user_id,
                "at": stamp.now,
            },
        )
        for scale, item, level in rules.claimed(command)
    )
    detail = {name: value for name, value in command.asks().items() if name != "project_id"}
    return Effects(acts=(act_on(facts, "claim_level", detail=detail),), rows=rows)


def _frozen(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    command = facts.command
    row = {
        "id": stamp.new_id(),
        "project_id": facts.project.id,
        "label": command.label,
        "frozen_on": command.frozen_on,
        "touched_clauses": list(command.touched_clauses),
        "reason": command.reason,
        "user_id": stamp.actor.user_id,
        "at": stamp.now,
    }
    detail = {key: row[key] for key in ("label", "frozen_on", "touched_clauses", "reason")}
    message = told(facts, "revision_frozen", label=command.label, touched=list(command.touched_clauses))
    return Effects(
        acts=(act_on(facts, "freeze_revision", detail=detail),), rows=((DesignRevision, row),), messages=(message,)
    )


def _rounds_left(facts: DeskFacts) -> tuple[Unmet, ...]:
    """At most two completion rounds per stage; later demands need a reason of their own."""
    if facts.has_ended:
        return ()
    used = sum(1 for row in facts.notices if row.stage_run_id == facts.project.stage_run_id)
    limit = facts.asked.completion_rounds
    return () if used < limit else (unmet("notices_used_up", used=used, limit=limit),)


def _notice_issued(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    owed = [verdict for verdict in facts.verdicts if not verdict.passes]
    clauses = [verdict.clause for verdict in owed if any(party.party == "sme" for party in verdict.owed_by)]
    due_on = stamp.calendar.add_working_days(stamp.today, facts.asked.completion_days)
    number = len(facts.notices) + 1
    row = {
        "id": stamp.new_id(),
        "project_id": facts.project.id,
        "stage_run_id": facts.project.stage_run_id,
        "number": number,
        "clauses": clauses,
        "issued_on": stamp.today,
        "due_on": due_on,
    }
    detail = {"number": number, "clauses": clauses, "due_on": due_on}
    message = Message(
        kind="notice.issued",
        object_type="project",
        object_id=facts.project.id,
        facts={"number": facts.project.number, "notice": number, "clauses": clauses, "due_on": due_on.isoformat()},
    )
    says = {"notice": number, "clauses": clauses, "due_on": due_on.isoformat()}
    return Effects(
        acts=(act_on(facts, "issue_notice", detail=detail),),
        rows=((CompletionNotice, row),),
        messages=(message,),
        says=says,
    )


def _open_notice(facts: DeskFacts) -> Any:
    return next((row for row in reversed(facts.notices) if row.answered_on is None), None)


def _notice_waits(facts: DeskFacts) -> tuple[Unmet, ...]:
    return () if _open_notice(facts) is not None else (unmet("no_notice_open"),)


def _no_notice_open(facts: DeskFacts) -> tuple[Unmet, ...]:
    notice = _open_notice(facts)
    return (
        () if notice is None else (unmet("notice_open_already", notice=notice.number, due=notice.due_on.isoformat()),)
    )


def _notice_answered(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    notice = _open_notice(facts)
    detail = {"number": notice.number}
    message = Message(
        kind="notice.answered",
        object_type="project",
        object_id=facts.project.id,
        facts={"number": facts.project.number, "notice": notice.number},
    )
    change = (CompletionNotice, notice.id, {"answered_on": stamp.today})
    return Effects(acts=(act_on(facts, "answer_notice", detail=detail),), updates=(change,), messages=(message,))


def desk_verb(object_type: str, name: str, command: type[Any], **rest: Any) -> Verb[Any, DeskFacts]:
    """Return a verb at a project's desk: the project is locked, no chart moves, the verdict cache follows."""
    own = rest.pop("rules")
    return Verb(
        object_type=object_type,
        name=name,
        command=command,
        subject=Project,
        subject_id=lambda asked: asked.project_id,
        state=lambda facts: str(facts.project.stage),
        rules=(project_rules.not_ended, *own),
        follow=refresh,
        **{"facts": desk_facts, **rest},
    )


def _refreshed(facts: DeskFacts, _target: str, _stamp: Stamp) -> Effects:
    return Effects(acts=(act_on(facts, "refresh", detail={"due": facts.project.next_due_at}),))


REFRESH = desk_verb("project", "refresh", RefreshVerdicts, rules=(), effects=_refreshed)
ADD_EVIDENCE = desk_verb(
    "evidence",
    "add",
    AddEvidence,
    rules=(rules.not_frozen, rules.type_known, rules.file_sound, rules.form_sound),
    facts=paper_facts,
    apart=lambda asked: asked.type,
    effects=_evidence_added,
)
WITHDRAW_EVIDENCE = desk_verb(
    "evidence",
    "withdraw",
    WithdrawEvidence,
    rules=(rules.not_frozen, project_rules.has_reason, _document_is_own),
    facts=paper_facts,
    effects=_evidence_withdrawn,
)
JUDGE = desk_verb(
    "requirement",
    "judge",
    JudgeRequirement,
    rules=(
        project_rules.has_reason,
        rules.clause_known,
        rules.judge_named,
        rules.evidence_there,
        rules.not_the_author,
    ),
    facts=functools.partial(desk_facts, only=frozenset({"evidence"})),
    apart=lambda asked: (asked.clause, asked.part, asked.competence),
    effects=_judged,
)
WAIVE = desk_verb(
    "requirement",
    "waive",
    WaiveRequirement,
    rules=(project_rules.has_reason, _present_clause, rules.waiver_role, rules.waivable),
    effects=_waived,
)
CONFIRM_WAIVER = desk_verb(
    "requirement",
    "confirm_waiver",
    ConfirmWaiver,
    rules=(rules.waiver_waits, rules.second_person),
    effects=_waiver_confirmed,
)
REOPEN = desk_verb(
    "requirement",
    "reopen",
    ReopenRequirement,
    rules=(project_rules.has_reason, rules.not_frozen, _present_clause),
    effects=_reopened,
)
_OF_CLAIMS = functools.partial(desk_facts, only=_CLAIMS | {"evidence"})
CLAIM = desk_verb(
    "claim",
    "add",
    ClaimLevel,
    rules=(rules.not_frozen, rules.levels_sound, rules.evidence_exists),
    facts=_OF_CLAIMS,
    effects=_claimed,
)
CLAIM_ALL = desk_verb(
    "claim",
    "add_all",
    ClaimLevels,
    rules=(rules.not_frozen, rules.levels_named, rules.levels_sound, rules.evidence_exists),
    facts=_OF_CLAIMS,
    effects=_claimed,
)
FREEZE = desk_verb(
    "revision",
    "freeze",
    FreezeRevision,
    rules=(rules.not_frozen, project_rules.has_reason, rules.revision_new),
    effects=_frozen,
)
ISSUE_NOTICE = desk_verb(
    "notice", "issue", IssueNotice, rules=(_no_notice_open, _rounds_left, rules.something_owed), effects=_notice_issued
)
ANSWER_NOTICE = desk_verb("notice", "answer", AnswerNotice, rules=(_notice_waits,), effects=_notice_answered)
