"""Further pages of one project: what happened, who has a part in it, what money goes with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.actor import read_rights
from lifecycle.agreements.queries import agreements
from lifecycle.endings.queries import recoveries
from lifecycle.engine import project_parties
from lifecycle.errors import Forbidden, unmet
from lifecycle.milestones.queries import milestones
from lifecycle.payouts.queries import Which, payouts
from lifecycle.people.queries import people_who_owe
from lifecycle.permissions import PERMISSIONS
from lifecycle.projects.queries import overview, project_rows
from lifecycle.reports.history import Event, latest
from lifecycle.reviews.queries import reviews
from models.journal import AuditRecord
from models.people import User
from models.projects import ProjectMember
from models.reading import table_of
from notifications.gates import standard_names
from web.acts import actions
from web.money_rights import MONEY_READERS
from web.nouns import PROJECTS
from web.pages.project_view import about_of
from web.render import Words, page
from web.session import Somebody, Visit

router = APIRouter()
PER_PAGE = 100
FILTERS = ("all", "decisions", "evidence", "notices", "refused")
_OF: dict[str, tuple[str, ...]] = {
    "decisions": ("project.", "review.", "requirement."),
    "evidence": ("evidence.", "trial_batch.", "claim.", "revision.", "issue.", "track.", "scenario.", "order."),
    "notices": ("notice.",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act of the timeline with its seal."""

    event: Event
    about: str
    seal: str
    is_move: bool


@router.get("/projects/{ref}/timeline")
def timeline(visit: Somebody, ref: str, kind: str = "all", before: int = 0) -> Response:
    """Tell what happened, the newest first: who, what, from where to where, why; refusals too."""
    chosen, words = kind if kind in FILTERS else "all", Words(visit.lang, visit.house.zone)

    def work(session: Session) -> tuple[Any, list[Entry], bool]:
        row = PROJECTS.find(session, visit, ref)
        shown, has_more = latest(
            session, row.id, limit=PER_PAGE, before=before, fits=lambda event: _fits(event, chosen)
        )
        names = standard_names(session, row.id, visit.lang)
        seals = _seals(session, [one.seq for one in shown])
        return row, [_entry(one, about_of(one, names, words), seals) for one in shown], has_more

    row, entries, has_more = visit.read(work)
    following = str(entries[-1].event.seq) if has_more else None
    return page(
        visit,
        "timeline.html",
        row=row,
        entries=entries,
        following=following,
        kind=chosen,
        kinds=FILTERS,
    )


def _fits(event: Event, kind: str) -> bool:
    if kind == "refused":
        return event.is_refused
    return kind == "all" or event.action.startswith(_OF[kind])


def _seals(session: Session, seqs: Sequence[int]) -> dict[int, str]:
    audit = table_of(AuditRecord)
    return dict(session.execute(select(audit.c.seq, audit.c.hash).where(audit.c.seq.in_(seqs))).tuples().all())


def _entry(event: Event, about: str, seals: dict[int, str]) -> Entry:
    is_move = event.from_state != event.to_state and not event.is_refused
    return Entry(event=event, about=about, seal=seals.get(event.seq, ""), is_move=is_move)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Somebody with a named part."""

    role: str
    name: str
    email: str
    since_at: datetime


@router.get("/projects/{ref}/people")
def people(visit: Somebody, ref: str) -> Response:
    """Show who was named, who else is asked for each role, and the organisations."""

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        found = people_who_owe(session, [row.id])
        parts = _parts(session, row.id)
        named = {one.role for one in parts}
        asked = {str(role): [one.name for one in holders] for (_, role), holders in found.items()}
        acts = actions(session, visit, PROJECTS, row, [PROJECTS.verb(name) for name in ("assign", "unassign")])
        return {
            "row": row,
            "parts_named": parts,
            "others": sorted((role, names) for role, names in asked.items() if role not in named),
            "facts": overview(session, row.id, today=visit.today),
            "acts": acts,
            "reviews": reviews(session, row.id),
        }

    may_invite = bool(visit.roles & PERMISSIONS["invitation.send"])
    return page(visit, "people.html", may_invite=may_invite, **visit.read(work))


def _parts(session: Session, project_id: Any) -> list[Part]:
    member, user = table_of(ProjectMember), table_of(User)
    statement = (
        select(member.c.role, user.c.name, user.c.email, member.c.since_at)
        .join(user, user.c.id == member.c.user_id)
        .where(member.c.project_id == project_id, member.c.until_at.is_(None))
        .order_by(member.c.role, user.c.name)
    )
    return [
        Part(role=str(row.role), name=row.name, email=row.email, since_at=row.since_at)
        for row in session.execute(statement)
    ]


@router.get("/projects/{ref}/money")
def money(visit: Somebody, ref: str) -> Response:
    """Show agreements, tranches, payouts and what is owed back."""

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        need_money_reader(session, visit, row)
        found = agreements(session, project_id=row.id)
        tranches = {one["id"]: milestones(session, agreement_id=one["id"]) for one in found}
        asked = payouts(session, today=visit.today, calendar=visit.stamp.calendar, which=Which(project_id=row.id))
        ids = [one["id"] for one in found]
        owed = [debt for one in ids for debt in recoveries(session, today=visit.today, agreement_id=one)]
        return {"row": row, "agreements": found, "tranches": tranches, "payouts": asked, "recoveries": owed}

    return page(visit, "project_money.html", **visit.read(work))


def need_money_reader(session: Session, visit: Visit, row: Any) -> None:
    """Refuse who has a part in the project but none in its money: 403 with who may."""
    (full,) = project_rows(session, [row.id])
    rights = read_rights(session, visit.actor, [row.id], today=visit.today)
    if not rights.roles_for(project_parties(full), row.id) & MONEY_READERS:
        needs = sorted(str(role) for role in MONEY_READERS)
        raise Forbidden(unmet("role", needs=needs, verb="read"))
