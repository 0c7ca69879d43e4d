"""The firm's own pages, for a phone first: whose turn is it, what is owed and how to hand it in, what others are at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import Forbidden, NotFound, unmet
from lifecycle.payouts.queries import Which, payouts
from lifecycle.people.queries import people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import Wanted, cards, gates
from lifecycle.requirements.commands import ADD_EVIDENCE
from lifecycle.requirements.queries import notices
from models.people import Organisation, RoleGrant, User
from models.projects import ProjectMember
from models.reading import table_of
from models.states import ENDED, STAGES, PayoutState, ProjectState, Role, UserStatus, VerdictState
from notifications.gates import EntryLine, Line, entry_lines, in_language, lines, reasons_of, type_names
from web.acts import Action, actions
from web.menu import OF_FIRMS
from web.nouns import PROJECTS
from web.pages.gate import BATCH_RULES
from web.reading_rights import readable_projects
from web.render import page
from web.session import Somebody, Visit

router = APIRouter()
MOST = 50


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """One project as its firm sees it."""

    row: Any
    stages: list[tuple[str, str]]
    """(stage, `been`, `now` or `next`)."""
    turn: str
    """The party whose turn it is; empty where nothing is open."""
    people: tuple[str, ...]
    due_on: date | None
    ours: list[tuple[Line, list[tuple[str, str]], bool]]
    """What we owe, whether it can be begun, with the documents (type, title) to hand in for it."""
    theirs: list[Line]
    our_entry: list[EntryLine]
    """What the next stage asks of us besides."""
    their_entry: list[EntryLine]
    counted: frozenset[str]
    """Clauses that are computed from batches."""
    notices: list[dict[str, Any]]
    payouts: list[dict[str, Any]]
    contacts: Sequence[Contact]
    can_submit: Action | None
    can_hand_in: bool
    can_answer: Action | None


@router.get("/my")
def mine(visit: Somebody) -> Response:
    """List the projects of one's firm, each with whose turn it is."""
    _need_firm(visit)
    reach = readable_projects(visit.rights, visit.actor)

    def work(session: Session) -> list[Mine]:
        found = cards(session, Wanted(reach=reach), today=visit.today, limit=MOST)
        ids = [one.id for one in found if one.stage not in ENDED] or [one.id for one in found[:1]]
        return [_mine(session, visit, facts) for facts in gates(session, ids, visit.stamp)]

    return page(visit, "my.html", projects=visit.read(work))


@router.get("/my/{ref}")
def one(visit: Somebody, ref: str) -> Response:
    """Show one project: whose turn, until when, what to do, what others are doing, whom to call."""

    def work(session: Session) -> Mine:
        row = PROJECTS.find(session, visit, ref)
        (facts,) = gates(session, [row.id], visit.stamp)
        return _mine(session, visit, facts)

    return page(visit, "my_project.html", one=visit.read(work))


@router.get("/my/{ref}/notice/{number}")
def notice(visit: Somebody, ref: str, number: int) -> Response:
    """Show a completion notice so that it can be printed: once and completely, with what is done by now."""

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        found = next((one for one in notices(session, row.id) if one["number"] == number), None)
        if found is None:
            raise NotFound(NotFound.code)
        (facts,) = gates(session, [row.id], visit.stamp)
        known = {line.clause: line for line in lines(facts, people_who_owe(session, [row.id]), visit.lang)}
        firm = table_of(Organisation)
        named = select(firm.c.name).where(firm.c.id == row.organisation_id)
        items = [
            {
                "clause": clause,
                "title": in_language(facts.pack.criterion(clause).title, visit.lang),
                "text": in_language(facts.pack.criterion(clause).text, visit.lang),
                "line": known.get(clause),
            }
            for clause in found["clauses"]
            if facts.pack.has(clause)
        ]
        return {
            "row": row,
            "notice": found,
            "items": items,
            "firm": session.execute(named).scalar_one_or_none() or "",
            "contacts": _contacts(session, row),
        }

    return page(visit, "notice.html", **visit.read(work))


def _need_firm(visit: Visit) -> None:
    if not visit.roles & OF_FIRMS:
        raise Forbidden(unmet("role", needs=sorted(str(role) for role in OF_FIRMS), verb="read"))


def _mine(session: Session, visit: Visit, facts: ProjectFacts) -> Mine:
    row = facts.project
    people = people_who_owe(session, [row.id])
    listed = [one for one in lines(facts, people, visit.lang) if not one.is_met]
    ours = [one for one in listed if "sme" in one.parties]
    theirs = [one for one in listed if "sme" not in one.parties]
    entry = entry_lines(facts, people, visit.lang, visit.actor.person_id)
    our_entry, their_entry = (
        [one for one in entry if one.party == "sme"],
        [one for one in entry if one.party != "sme"],
    )
    told = notices(session, row.id)
    waiting = [one for one in told if one["answered_on"] is None]
    ready = [one for one in ours if one.verdict != VerdictState.CANNOT_START]
    first = next(iter([*ready, *theirs, *ours]), None)
    names = type_names(facts.pack, visit.lang)
    owing = {reason.clause: reason for verdict in facts.verdicts for reason in reasons_of(verdict)}
    verbs = [PROJECTS.verb(name) for name in ("submit", "notice-answer")]
    acts = {one.verb.permission: one for one in actions(session, visit, PROJECTS, row, [*verbs, ADD_EVIDENCE])}
    can_submit = acts.get("project.submit")
    is_ours = bool(ready or our_entry or waiting) or (not ours and can_submit is not None and can_submit.is_allowed)
    turns = ["sme"] if is_ours else [*(first.parties if first is not None else ()), *(one.party for one in their_entry)]
    days = [one.due_on for one in ready if one.due_on] + [one["due_on"] for one in waiting]
    return Mine(
        row=row,
        stages=_stages(row.stage),
        turn=next(iter(turns), ""),
        people=tuple(first.owed_by) if first is not None else (),
        due_on=min(days, default=first.due_on if first is not None else None),
        ours=[(one, _types(facts, one.clause, names), one in ready) for one in ours if one.clause in owing],
        theirs=theirs,
        our_entry=our_entry,
        their_entry=their_entry,
        counted=frozenset(one.id for one in facts.pack.stage(row.stage).criteria if one.rule in BATCH_RULES)
        if row.stage in STAGES
        else frozenset(),
        notices=told,
        payouts=[] if visit.is_on_own_page else _payouts(session, visit, row),
        contacts=_contacts(session, row),
        can_submit=can_submit,
        can_hand_in=acts["evidence.add"].is_allowed,
        can_answer=acts.get("notice.answer"),
    )


def _stages(stage: str) -> list[tuple[str, str]]:
    place = STAGES.index(ProjectState(stage)) if stage in STAGES else len(STAGES)
    kinds = ("been", "now", "next")
    return [(str(one), kinds[(at >= place) + (at > place)]) for at, one in enumerate(STAGES)]


def _types(facts: ProjectFacts, clause: str, names: dict[str, str]) -> list[tuple[str, str]]:
    return [(one, names.get(one, one)) for one in facts.pack.criterion(clause).evidence]


def _payouts(session: Session, visit: Visit, row: Any) -> list[dict[str, Any]]:
    found = payouts(session, today=visit.today, calendar=visit.stamp.calendar, which=Which(project_id=row.id))
    over = (PayoutState.REJECTED, PayoutState.CANCELLED)
    return [one for one in found if one["state"] not in over]


def _contacts(session: Session, row: Any) -> list[Contact]:
    """Return who looks after the project at its platform: those named, else those who coordinate there."""
    grant, member, user = table_of(RoleGrant), table_of(ProjectMember), table_of(User)
    named = select(member.c.user_id).where(
        member.c.project_id == row.id, member.c.until_at.is_(None), member.c.role == Role.COORDINATOR
    )
    held = select(grant.c.user_id).where(
        grant.c.organisation_id == row.platform_id, grant.c.revoked_at.is_(None), grant.c.role == Role.COORDINATOR
    )
    for asked in (named, held):
        chosen = select(user.c.name, user.c.email).where(user.c.id.in_(asked), user.c.status == UserStatus.ACTIVE)
        if found := session.execute(chosen.order_by(user.c.name)).all():
            return [Contact(one.name, one.email) for one in found]
    return []
