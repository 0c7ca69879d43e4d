"""What handing in, judging, waiving, claiming and telling change. Pure: facts in, effects out."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from lifecycle.calendar import add_months
from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.projects.effects import act_on, told
from lifecycle.requirements import rules
from lifecycle.requirements.facts import DeskFacts
from models.evidence import DesignRevision, Evidence, Judgement, MaturityClaim
from models.projects import Requirement
from models.reviews import CompletionNotice, Waiver
from models.states import EvidenceStatus


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


def evidence_added(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Enter the new version, and let the one before it be superseded."""
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


def evidence_withdrawn(facts: DeskFacts, _target: str, _stamp: Stamp) -> Effects:
    """Mark the document as withdrawn; row and file stay."""
    document = rules.own_document(facts)
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


def judged(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the judgement down, bound to the evidence it was given on."""
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


def waived(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the waiver down; it waits for its second person."""
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


def waiver_confirmed(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Let the waiver count."""
    waiver = rules.open_waiver(facts)
    detail = {"clause": waiver.clause, "waiver_id": waiver.id, "until_on": waiver.until_on}
    change = {"confirmed_by": stamp.actor.user_id, "confirmed_at": stamp.now}
    acts = (*_requirement_act(facts, "confirm_waiver", detail), act_on(facts, "confirm_waiver", detail=detail))
    return Effects(
        acts=acts,
        updates=((Waiver, waiver.id, change),),
        messages=(told(facts, "requirement_waived", clause=waiver.clause),),
    )


def reopened(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Let the judgements given so far count no longer."""
    command = facts.command
    detail = {"clause": command.clause, "reason": command.reason}
    change = {"reopened_at": stamp.now, "reopened_reason": command.reason}
    acts = (*_requirement_act(facts, "reopen", detail, **change), act_on(facts, "reopen_requirement", detail=detail))
    return Effects(acts=acts, messages=(told(facts, "requirement_reopened", clause=command.clause),))


def claimed(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the claimed level down beside the earlier ones."""
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


def frozen(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Freeze the revision; what it touches is judged again."""
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


def notice_issued(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """List everything the firm owes, what the next stage asks of it on entry too, with the one day it is due."""
    clauses = rules.owed_by_firm(facts)
    due_on = facts.calendar.add_working_days(stamp.today, facts.asked.completion_days)
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


def notice_answered(facts: DeskFacts, _target: str, stamp: Stamp) -> Effects:
    """Note that the list was answered, and how much of it is there."""
    notice = rules.open_notice(facts)
    still_open = rules.still_owed(facts, notice.clauses)
    met = len(notice.clauses) - len(still_open)
    detail = {"number": notice.number, "still_open": still_open}
    message = Message(
        kind="notice.answered",
        object_type="project",
        object_id=facts.project.id,
        facts={"number": facts.project.number, "notice": notice.number, "met": met, "count": len(notice.clauses)},
    )
    says = {"notice": notice.number, "met": met, "count": len(notice.clauses), "still_open": still_open}
    change = (CompletionNotice, notice.id, {"answered_on": stamp.today})
    return Effects(
        acts=(act_on(facts, "answer_notice", detail=detail),), updates=(change,), messages=(message,), says=says
    )


def refreshed(facts: DeskFacts, _target: str, _stamp: Stamp) -> Effects:
    """Leave a line that the verdicts were judged again."""
    return Effects(acts=(act_on(facts, "refresh", detail={"due": facts.project.next_due_on}),))
