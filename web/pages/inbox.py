"""The first page of everybody: what waits for me, what I began, what I did, what I was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from models.states import ENDED, PayoutState, ReviewState
from notifications.preferences import inbox_of
from notifications.render import Frame, line_of, step_of, why_of
from notifications.todo import BEGINNINGS, LOOKED_AT, Owed, deeds, todo_of
from web.ahead import Ahead, next_day
from web.menu import OF_FIRMS
from web.nouns import NOUNS
from web.render import fragment, page
from web.session import ByItself, Somebody, Visit, onward
from web.waiting import Number

router = APIRouter()
TABS = ("todo", "begun", "done", "told")
PER_PAGE = 50
_OVER = frozenset(
    map(str, (*ENDED, PayoutState.PAID, PayoutState.REJECTED, PayoutState.CANCELLED, ReviewState.DECIDED))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One line of the inbox, with where it leads."""

    owed: Owed
    url: str
    days_late: int
    days_waited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as its receiver reads it."""

    id: Any
    at: Any
    said: str
    step: str
    """What the reader does next, or what comes next."""
    why: str
    """Why they are told, in words."""
    url: str
    is_task: bool
    is_read: bool
    outbox_id: Any


@router.get("/")
def home(visit: Somebody) -> Response:
    """Lead to the first page: of who only acts for a firm, the firm's own."""
    is_of_a_firm = bool(visit.roles) and visit.roles <= OF_FIRMS
    return onward(visit, "/my" if is_of_a_firm else "/inbox")


@router.get("/inbox")
def inbox(
    visit: Somebody,
    tab: str = "todo",
    by: str = "",
    overdue: bool = False,  # noqa: FBT001, FBT002 - from the query
) -> Response:
    """Show one of the four heaps; what waits by project, where that is asked for."""
    chosen = tab if tab in TABS else "todo"
    rows, is_cut = _todo(visit) if chosen == "todo" else ([], False)
    shown = [one for one in rows if one.days_late] if overdue else rows
    begun = visit.read(lambda session: _begun(session, visit)) if chosen == "begun" else []
    done = visit.read(lambda session: _done(session, visit)) if chosen == "done" else []
    messages = told(visit, is_unread_only=False, limit=PER_PAGE) if chosen == "told" else []
    return page(
        visit,
        "inbox.html",
        tab=chosen,
        tabs=TABS,
        rows=rows,
        ahead=_ahead(visit) if chosen == "todo" and not rows else None,
        groups=_by_project(shown) if by == "project" else {"": shown} if shown else {},
        is_by_project=by == "project",
        late=sum(one.days_late > 0 for one in rows),
        cut_at=LOOKED_AT if is_cut else 0,
        is_overdue=overdue,
        begun=begun,
        done=done,
        messages=[one for one in messages if not one.is_task],
        roles=sorted(str(role) for role in visit.roles),
    )


def _ahead(visit: Visit) -> Ahead | None:
    rights = visit.rights
    return visit.read(lambda session: next_day(session, rights, visit.stamp, visit.lang))


@router.get("/inbox/count")
def count(visit: ByItself) -> Response:
    """Give the number in the bar, as a piece of a page that the script of every page asks for."""
    return fragment(
        visit, "inbox_count.html", waiting=visit.house.waiting.asked(visit.actor.user_id, lambda: _number(visit))
    )


def _number(visit: Visit) -> Number:
    todo = visit.read(lambda session: todo_of(session, visit.stamp, visit.lang))
    return Number(count=len(todo.owed), is_cut=todo.is_cut)


def _todo(visit: Visit) -> tuple[list[Waiting], bool]:
    kept = visit.house.waiting.place(visit.actor.user_id)
    todo = visit.read(lambda session: todo_of(session, visit.stamp, visit.lang))
    visit.house.waiting.keep(kept, Number(count=len(todo.owed), is_cut=todo.is_cut))
    found = [_waiting(one, visit) for one in todo.owed]
    found.sort(key=lambda one: (not one.owed.is_money, -one.days_late, one.owed.due_on or date.max, one.owed.number))
    return found, todo.is_cut


def _by_project(rows: Sequence[Waiting]) -> dict[str, list[Waiting]]:
    """Return number and name of each project -> what waits in it, the most urgent project first."""
    found: dict[str, list[Waiting]] = {}
    for one in rows:
        found.setdefault(f"{one.owed.number} {one.owed.name}".strip(), []).append(one)
    return found


def _waiting(owed: Owed, visit: Visit) -> Waiting:
    calendar = visit.stamp.calendar
    late = calendar.working_days_between(owed.due_on, visit.today) if owed.due_on else 0
    waited = calendar.working_days_between(owed.since_on, visit.today) if owed.since_on else 0
    return Waiting(owed=owed, url=url_of(owed), days_late=max(0, late), days_waited=max(0, waited))


_PAGES = {
    "review": "/reviews/{ref}",
    "payout": "/payouts/{ref}",
    "exception": "/exceptions/{ref}#decide",
    "recovery": "/recoveries/{ref}",
    "debt": "/recoveries/{ref}",
    "milestone": "/milestones/{ref}",
    "agreement": "/agreements/{ref}",
    "cost": "/costs/{ref}",
    "fund": "/funds/{ref}",
    "payee_account": "/payees/{ref}",
    "entry": "/projects/{number}#entry",
    "notice": "/my/{number}",
    "disbursement": "/bank",
    "standard_draft": "/standard-drafts/{ref}",
}
_OWN_PAGES = {
    "payout.request": "/milestones/{ref}/do/payout-request",
    "payout.settle": "/agreements/{ref}",
    "cost.submit": "/agreements/{ref}",
    "review.call": "/projects/{number}/gate",
    "requirement.confirm_waiver": "/projects/{number}/gate/{clause}",
}


def url_of(owed: Owed) -> str:
    """Return the page on which a thing is done."""
    known = _OWN_PAGES.get(owed.kind) or _PAGES.get(owed.kind.partition(".")[0])
    if known is None:
        known = "/projects/{number}/gate/{clause}" if owed.clause else "/projects/{number}"
    return known.format(ref=owed.ref, number=owed.number, clause=owed.clause)


def _begun(session: Session, visit: Visit) -> list[Any]:
    found = deeds(session, visit.actor.user_id, limit=PER_PAGE, begun_only=sorted(BEGINNINGS))
    return [(one, _place(one)) for one in found if one.state not in _OVER]


def _done(session: Session, visit: Visit) -> list[Any]:
    return [(one, _place(one)) for one in deeds(session, visit.actor.user_id, limit=PER_PAGE)]


def _place(deed: Any) -> str:
    if deed.object_type == "evidence":
        return f"/evidence/{deed.object_id}"
    noun = next((one for one in NOUNS.values() if one.object_type == deed.object_type), None)
    if noun is not None and deed.object_type != "project":
        return f"/{noun.path}/{deed.object_id}"
    return f"/projects/{deed.number}" if deed.number else ""


def told(visit: Visit, *, is_unread_only: bool, limit: int) -> list[Message]:
    """Return the messages of the person at the door, the newest first."""
    frame = Frame(database_id="", zone=visit.house.zone, is_rehearsal=visit.house.is_rehearsal)
    rows = visit.read(
        lambda session: inbox_of(session, visit.actor.user_id, is_unread_only=is_unread_only, limit=limit)
    )
    return [_message(row, visit, frame) for row in rows]


def _message(row: Any, visit: Visit, frame: Frame) -> Message:
    return Message(
        id=row.id,
        at=row.created_at,
        said=line_of(row, visit.lang, frame),
        step=step_of(row, visit.lang, frame),
        why=why_of(row.why, visit.lang),
        url=f"/{row.facts['page']}" if row.facts.get("page") else "",
        is_task=row.is_task,
        is_read=row.read_at is not None,
        outbox_id=row.outbox_id,
    )
