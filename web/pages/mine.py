"""The firm's own pages, for a phone first: whose turn is it, what is owed and how to hand it in, what others are at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import Forbidden, NotFound, unmet
from lifecycle.payouts.awaited import approvals_given, usual
from lifecycle.payouts.queries import Which, payouts
from lifecycle.payouts.terms import WAITING
from lifecycle.people.queries import WhoOwes, people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import Wanted, cards, gates
from lifecycle.reports.steps import DECIDED, Step, last_steps
from lifecycle.requirements.commands import ADD_EVIDENCE
from lifecycle.requirements.queries import notices
from lifecycle.standards.pack import Pack
from models.payouts import Payout
from models.people import Organisation, RoleGrant, User
from models.projects import ProjectMember
from models.reading import table_of
from models.states import ENDED, STAGES, PayoutState, ProjectState, Role, StageRunState, UserStatus, VerdictState
from notifications.gates import (
    EntryLine,
    Line,
    entry_lines,
    in_language,
    lines,
    notice_items,
    reasons_of,
    type_names,
)
from web.acts import Action, actions
from web.menu import OF_FIRMS
from web.money_rights import of_fund_or_project
from web.nouns import PROJECTS
from web.pages.gate import BATCH_RULES, by_the_notice, counted, waits
from web.reading_rights import readable_projects
from web.render import Words, page
from web.session import Somebody, Visit

router = APIRouter()
MOST = 50


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """One payout as its firm sees it."""

    row: Mapping[str, Any]
    said: str
    """How it stands, in plain words."""
    is_awaited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is read at once for all projects of a page: project -> its part."""

    people: WhoOwes
    steps: Mapping[UUID, Step]
    payouts: Mapping[UUID, Sequence[Pay]]
    contacts: Mapping[UUID, Sequence[Contact]]


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
    returned: Any
    """The visit that was sent back, until this one is handed in; None where none was."""
    last: str
    """What happened last, in plain words with its day; empty where nothing did."""
    ours: list[tuple[Line, list[tuple[str, str]], bool]]
    """What we owe, whether it can be begun, with the documents (type, title) to hand in for it."""
    theirs: list[Line]
    our_entry: list[EntryLine]
    """What the next stage asks of us besides."""
    their_entry: list[EntryLine]
    counted: frozenset[str]
    """Clauses that are computed from batches."""
    notices: list[dict[str, Any]]
    payouts: Sequence[Pay]
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
        return _mine_of(session, visit, ids)

    return page(visit, "my.html", projects=visit.read(work))


@router.get("/my/{ref}")
def one(visit: Somebody, ref: str) -> Response:
    """Show one project: whose turn, until when, what to do, what others are doing, whom to call."""

    def work(session: Session) -> Mine:
        (found,) = _mine_of(session, visit, [PROJECTS.find(session, visit, ref).id])
        return found

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
        (found,) = counted(facts, [found])
        people = people_who_owe(session, [row.id])
        firm = table_of(Organisation)
        named = select(firm.c.name).where(firm.c.id == row.organisation_id)
        return {
            "row": row,
            "notice": found,
            "items": notice_items(facts, found["clauses"], people, visit.lang, is_present=found["is_present"]),
            "firm": session.execute(named).scalar_one_or_none() or "",
            "contacts": _contacts(session, [row])[row.id],
        }

    return page(visit, "notice.html", **visit.read(work))


def _need_firm(visit: Visit) -> None:
    if not visit.roles & OF_FIRMS:
        raise Forbidden(unmet("role", needs=sorted(str(role) for role in OF_FIRMS), verb="read"))


def _mine_of(session: Session, visit: Visit, ids: Sequence[UUID]) -> list[Mine]:
    found = gates(session, ids, visit.stamp)
    around = Around(
        people=people_who_owe(session, ids),
        steps=last_steps(session, ids),
        payouts={} if visit.is_on_own_page else _payouts(session, visit, [facts.project for facts in found]),
        contacts=_contacts(session, [facts.project for facts in found]),
    )
    return [_mine(session, visit, facts, around) for facts in found]


def _mine(session: Session, visit: Visit, facts: ProjectFacts, around: Around) -> Mine:
    row, people = facts.project, around.people
    listed = [one for one in lines(facts, people, visit.lang) if not one.is_met]
    ours = [one for one in listed if "sme" in one.parties]
    theirs = [one for one in listed if "sme" not in one.parties]
    entry = entry_lines(facts, people, visit.lang, visit.actor.person_id)
    our_entry, their_entry = (
        [one for one in entry if one.party == "sme"],
        [one for one in entry if one.party != "sme"],
    )
    told = counted(facts, notices(session, row.id))
    waiting = [one for one in told if waits(one)]
    ours = by_the_notice(ours, told, is_firms=True)
    ready = [one for one in ours if one.verdict != VerdictState.CANNOT_START]
    first = next(iter([*ready, *theirs, *ours]), None)
    names = type_names(facts.pack, visit.lang)
    owing = {reason.clause: reason for verdict in facts.verdicts for reason in reasons_of(verdict)}
    verbs = [PROJECTS.verb(name) for name in ("submit", "notice-answer")]
    acts = {one.verb.permission: one for one in actions(session, visit, PROJECTS, row, [*verbs, ADD_EVIDENCE])}
    can_submit = acts.get("project.submit")
    is_left_to_others = any(one.verdict != VerdictState.CANNOT_START for one in theirs)
    may_go_on = not ours and not is_left_to_others and can_submit is not None and can_submit.is_allowed
    is_ours = bool(ready or our_entry or waiting) or may_go_on
    turns = ["sme"] if is_ours else [*(first.parties if first is not None else ()), *(one.party for one in their_entry)]
    days = [one.due_on for one in ready if one.due_on] + [one["due_on"] for one in waiting]
    return Mine(
        row=row,
        stages=_stages(row.stage),
        turn=next(iter(turns), ""),
        people=tuple(first.owed_by) if first is not None else (),
        due_on=min(days, default=first.due_on if first is not None else None),
        returned=_returned(facts),
        last=_told(around.steps.get(row.id), facts.pack, visit),
        ours=[(one, _types(facts, one.clause, names), one in ready) for one in ours if one.clause in owing],
        theirs=theirs,
        our_entry=our_entry,
        their_entry=their_entry,
        counted=frozenset(one.id for one in facts.pack.stage(row.stage).criteria if one.rule in BATCH_RULES)
        if row.stage in STAGES
        else frozenset(),
        notices=told,
        payouts=around.payouts.get(row.id, ()),
        contacts=around.contacts[row.id],
        can_submit=can_submit,
        can_hand_in=acts["evidence.add"].is_allowed,
        can_answer=acts.get("notice.answer"),
    )


def _returned(facts: ProjectFacts) -> Any:
    run = facts.run
    if run is None or run.state != StageRunState.OPEN:
        return None
    before = max((one for one in facts.runs if one.id != run.id), key=lambda one: (one.opened_on, one.id), default=None)
    return before if before is not None and before.state == StageRunState.RECYCLED else None


def _stages(stage: str) -> list[tuple[str, str]]:
    place = STAGES.index(ProjectState(stage)) if stage in STAGES else len(STAGES)
    kinds = ("been", "now", "next")
    return [(str(one), kinds[(at >= place) + (at > place)]) for at, one in enumerate(STAGES)]


def _types(facts: ProjectFacts, clause: str, names: dict[str, str]) -> list[tuple[str, str]]:
    return [(one, names.get(one, one)) for one in facts.pack.criterion(clause).evidence]


def _told(step: Step | None, pack: Pack, visit: Visit) -> str:
    """Return what happened last as its firm understands it: no states, and the titles of the standard."""
    if step is None:
        return ""
    words, detail = Words(visit.lang, visit.house.zone), step.detail
    whats: dict[str, Callable[[], str]] = {
        "project.add_evidence": lambda: type_names(pack, visit.lang).get(detail["type"], detail["type"]),
        "project.judge_requirement": lambda: _title(pack, detail["clause"], visit),
        "project.confirm_waiver": lambda: _title(pack, detail["clause"], visit),
        "project.advance": lambda: words.word("state", step.to_state),
        "project.recycle": lambda: words.word("state", step.to_state),
        "project.hold": lambda: detail["until_on"],
        DECIDED: lambda: words.word("outcome", detail["outcome"]),
    }
    what = whats[step.action]() if step.action in whats else detail.get("number", "")
    is_refused = detail.get("is_yes") is False
    code = f"my.step.{step.action}" + (".no" if is_refused else "")
    said = words.t(code, what=what, who=words.word("role", detail.get("role", "")))
    return words.t("my.on_day", day=words.near_day(step.at.astimezone(visit.house.zone).date(), visit.today), what=said)


def _title(pack: Pack, clause: str, visit: Visit) -> str:
    return in_language(pack.criterion(clause).title, visit.lang) if pack.has(clause) else clause


_OVER = (PayoutState.REJECTED, PayoutState.CANCELLED)


def _payouts(session: Session, visit: Visit, rows: Sequence[Any]) -> dict[UUID, list[Pay]]:
    """Return project -> its payouts, of those that somebody may read, each with how it stands in plain words."""
    ids = {row.number: row.id for row in rows}
    reach = of_fund_or_project(table_of(Payout), visit.rights, visit.actor, among=list(ids.values()))
    calendar = visit.stamp.calendar
    which = Which(reach=reach)
    read = payouts(session, today=visit.today, calendar=calendar, which=which) if ids else []
    asked = [one for one in read if one["state"] == PayoutState.REQUESTED]
    given = approvals_given(session, [one["id"] for one in asked])
    known = usual(session, {one["fund"] for one in read if one["state"] in WAITING}, calendar, today=visit.today)
    words = Words(visit.lang, visit.house.zone)
    found: dict[UUID, list[Pay]] = {}
    for one in read:
        if one["state"] not in _OVER:
            is_awaited = one["state"] in WAITING
            left = max(0, one["approvals_needed"] - given.get(one["id"], 0))
            said = words.t(f"my.pay.{one['state']}", count=left, day=words.day(one["paid_on"]))
            often = known.get(one["fund"]) if is_awaited else None
            told = [said, words.t("my.usual", days=often.days, n=often.n)] if often else [said]
            pay = Pay(row=one, said=words.t("my.and").join(told), is_awaited=is_awaited)
            found.setdefault(ids[one["project"]], []).append(pay)
    return found


def _contacts(session: Session, rows: Sequence[Any]) -> dict[UUID, list[Contact]]:
    """Return project -> who looks after it at its platform: those named, else those who coordinate there."""
    grant, member, user = table_of(RoleGrant), table_of(ProjectMember), table_of(User)
    own = (member.c.until_at.is_(None), member.c.role == Role.COORDINATOR)
    held = (grant.c.revoked_at.is_(None), grant.c.role == Role.COORDINATOR)
    asked = (
        (member.c.project_id, member, (member.c.project_id.in_([row.id for row in rows]), *own)),
        (grant.c.organisation_id, grant, (grant.c.organisation_id.in_({row.platform_id for row in rows}), *held)),
    )
    found: dict[UUID, list[Contact]] = {}
    for key, table, which in asked:
        chosen = select(key.label("key"), user.c.name, user.c.email).join_from(
            table, user, user.c.id == table.c.user_id
        )
        active = (*which, user.c.status == UserStatus.ACTIVE)
        for one in session.execute(chosen.where(*active).distinct().order_by(user.c.name, user.c.email)):
            found.setdefault(one.key, []).append(Contact(one.name, one.email))
    return {row.id: found.get(row.id) or found.get(row.platform_id) or [] for row in rows}
