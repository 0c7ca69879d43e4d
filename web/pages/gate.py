"""The gate of a project: all it asks, the reviews, and a page for each requirement with its verdict and history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Invalid, LifecycleError, NotFound, unmet
from lifecycle.people.queries import people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates
from lifecycle.requirements.commands import ADD_EVIDENCE, JUDGE, JudgeRequirement
from lifecycle.requirements.queries import documents, judgements, notices, waivers
from lifecycle.requirements.rules import still_owed
from lifecycle.reviews.queries import reviews
from lifecycle.standards.pack import Criterion
from models.states import EvidenceStatus
from notifications.gates import Line, entry_lines, in_language, lines, parameter, type_names
from web.acts import Action, actions, refusal, right_first
from web.errors import by_field, reasons_of, status_of
from web.forms import KEY, VERSION
from web.nouns import PROJECTS, Noun
from web.render import page
from web.session import Somebody, Typed, Visit, number_of, text_of

router = APIRouter()
BATCH_RULES = frozenset({"volume", "right_revision", "first_pass_yield", "capability", "production_capability"})
"""Rules of the standard that look at batches."""
NEAR = ("requirement.judge", "requirement.waive", "requirement.confirm_waiver", "requirement.reopen", "evidence.add")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One requirement as its page shows it."""

    row: Any
    criterion: Criterion
    title: str
    text: str
    line: Line | None
    """Its verdict; None where the stage of the clause is not the present one."""
    types: list[tuple[str, str, bool]]
    """(evidence type, title, whether it is needed)."""
    papers: list[dict[str, Any]]
    judgements: list[dict[str, Any]]
    waivers: list[dict[str, Any]]
    acts: dict[str, Action]
    fitting: frozenset[str]
    """Of waiving, confirming and reopening, what there is something to do for."""
    parameters: list[tuple[str, str]]
    is_counted: bool
    """Whether it is computed from batches."""
    review_id: UUID | None
    """The open review which alone goes on with it."""


@router.get("/projects/{ref}/gate")
def gate(visit: Somebody, ref: str) -> Response:
    """Show everything that the present stage asks, what the next asks on entry, notices, and the reviews so far."""

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        (facts,) = gates(session, [row.id], visit.stamp)
        people = people_who_owe(session, [row.id])
        told = notices(session, row.id)
        call = [PROJECTS.verb(name) for name in ("review-call", "notice-issue", "submit")]
        return {
            "row": row,
            "lines": by_the_notice(lines(facts, people, visit.lang), told),
            "entry": entry_lines(facts, people, visit.lang, visit.actor.person_id),
            "can_hand_in": any(one.is_allowed for one in actions(session, visit, PROJECTS, row, [ADD_EVIDENCE])),
            "reviews": reviews(session, row.id),
            "notices": counted(facts, told),
            "acts": actions(session, visit, PROJECTS, row, call),
        }

    return page(visit, "gate.html", **visit.read(work))


def by_the_notice(asked: Sequence[Line], told: Sequence[dict[str, Any]], *, is_firms: bool = False) -> list[Line]:
    """Return requirements with one deadline for all that an open notice lists: the notice's own.

    What somebody else owes besides the firm keeps its day, as in their reminders, but in the firm's own list.
    """
    days = {clause: one["due_on"] for one in told if waits(one) for clause in one["clauses"]}
    return [
        replace(one, due_on=days.get(one.clause, one.due_on)) if is_firms or one.parties == ("sme",) else one
        for one in asked
    ]


def waits(notice: Mapping[str, Any]) -> bool:
    """Say whether a completion notice of the present visit waits for its answer."""
    return bool(notice["is_present"]) and notice["answered_on"] is None


def counted(facts: ProjectFacts, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return completion notices with how many items each has; of the present visit also how many are there by now."""
    return [
        {
            **one,
            "count": len(one["clauses"]),
            "met": len(one["clauses"]) - len(still_owed(facts, one["clauses"])) if one["is_present"] else None,
        }
        for one in told
    ]


@router.get("/projects/{ref}/gate/{clause}")
def requirement(visit: Somebody, ref: str, clause: str) -> Response:
    """Show one requirement: its text, how it is judged, what was handed in, what was said, what may be done."""
    return _page(visit, ref, clause)


@router.post("/projects/{ref}/gate/{clause}")
def judge(visit: Somebody, form: Typed, ref: str, clause: str) -> Response:
    """Say yes or no to a requirement; lead to the receipt, else show why not and what was typed."""
    said, seen = text_of(form, "yes"), text_of(form, VERSION)
    row = visit.read(lambda session: PROJECTS.find(session, visit, ref))
    if said not in ("yes", "no"):
        error = right_first(visit, PROJECTS, row, JUDGE, Invalid(unmet("field_missing", field="yes")))
        return _page(visit, ref, clause, typed=text_of(form, "reason"), error=error)
    command = JudgeRequirement(
        command_id=text_of(form, KEY) or str(visit.house.new_id()),
        expected_version=number_of(seen, row.version),
        project_id=row.id,
        clause=clause.upper(),
        yes=said == "yes",
        reason=text_of(form, "reason").strip(),
        part=text_of(form, "part") or None,
    )
    answer = visit.act(command)
    if answer.error is None:
        return RedirectResponse(f"/receipts/{answer.command.command_id}", status_code=303)
    return _page(visit, ref, clause, typed=command.reason, error=refusal(visit, PROJECTS, row, answer.error))


def _page(visit: Visit, ref: str, clause: str, *, typed: str = "", error: LifecycleError | None = None) -> Response:
    found = visit.read(lambda session: _clause(session, visit, ref, clause.upper()))
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "clause.html",
        status=status_of(error) if error else 200,
        row=found.row,
        one=found,
        typed=typed,
        key=str(visit.house.new_id()),
        reasons=reasons,
        wrong=by_field(reasons),
    )


def _clause(session: Session, visit: Visit, ref: str, clause: str) -> Clause:
    row = PROJECTS.find(session, visit, ref)
    (facts,) = gates(session, [row.id], visit.stamp)
    if not facts.pack.has(clause):
        raise NotFound(NotFound.code)
    criterion = facts.pack.criterion(clause)
    titles = type_names(facts.pack, visit.lang)
    served = (*criterion.evidence, *criterion.supporting)
    asked = lines(facts, people_who_owe(session, [row.id]), visit.lang)
    found = {line.clause: line for line in by_the_notice(asked, notices(session, row.id))}
    papers = [one for one in documents(session, row.id) if one["type"] in served]
    papers.sort(key=lambda one: (one["status"] != EvidenceStatus.CURRENT, one["type"], -one["version_no"]))
    return Clause(
        row=row,
        criterion=criterion,
        title=in_language(criterion.title, visit.lang),
        text=in_language(criterion.text, visit.lang),
        line=found.get(clause),
        types=[(one, titles.get(one, one), one in criterion.evidence) for one in served],
        papers=papers,
        judgements=judgements(session, row.id, clause),
        waivers=waivers(session, row.id, clause),
        acts=_near(session, visit, PROJECTS, row, facts, clause),
        fitting=_fitting(session, row, criterion, is_met=clause in found and found[clause].is_met),
        parameters=[parameter(name, value, visit.lang) for name, value in criterion.parameters.items()],
        is_counted=criterion.rule in BATCH_RULES,
        review_id=facts.review.id if criterion.follow_notice and clause in found and facts.has_open_review else None,
    )


def _fitting(session: Session, row: Any, criterion: Criterion, *, is_met: bool) -> frozenset[str]:
    waits = any(one["confirmed_by"] is None for one in waivers(session, row.id, criterion.id))
    judged = bool(judgements(session, row.id, criterion.id))
    asked = {
        "requirement.waive": criterion.strength == "W" and not is_met and not waits,
        "requirement.confirm_waiver": waits,
        "requirement.reopen": judged,
    }
    return frozenset(name for name, fits in asked.items() if fits)


def _near(session: Session, visit: Visit, noun: Noun, row: Any, facts: ProjectFacts, clause: str) -> dict[str, Action]:
    """Return the verbs that are asked of one requirement.

    Of an earlier gate it is judged only where it was left open there; of a later one papers may be handed in.
    """
    verbs = [verb for verb in noun.verbs if verb.permission in NEAR]
    if clause not in {verdict.clause for verdict in facts.verdicts}:
        left_open = {one.clause for one in (*facts.open_conditions, *facts.waivers)}
        fitting = ("evidence.add", JUDGE.permission) if clause in left_open else ("evidence.add",)
        verbs = [verb for verb in verbs if verb.permission in fitting]
    return {one.verb.permission: one for one in actions(session, visit, noun, row, verbs)}
