"""Projects: the board of stages, the list, and the page of one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import ColumnElement
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import Invalid, unmet
from lifecycle.projects.board import Counts, columns, counts
from lifecycle.projects.dwell import dwell_of
from lifecycle.projects.queries import Card, Wanted, cards, is_named_in, stages_named_in, visits_of
from models.states import ENDED, STAGES, ProjectState
from web.listing import PER_PAGE, Column, Listing, answer, limit_of
from web.listing import wanted as wanted_form
from web.nouns import PROJECTS
from web.pages.project_view import project_page
from web.reading_rights import readable_projects
from web.render import Words, page
from web.session import Somebody, Visit

router = APIRouter()
PER_COLUMN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A card on the board, with the days that the standard's calendar counts."""

    card: Card
    day: int
    """Working days in its stage, over all visits of it: what its page says too."""
    days_overdue: int


@router.get("/board")
def board(
    visit: Somebody,
    q: str = "",
    overdue: bool = False,  # noqa: FBT001, FBT002 - from the query
    mine: bool = False,  # noqa: FBT001, FBT002 - from the query
) -> Response:
    """Show where everything stands, by stage."""
    reach = _reach(visit, mine)

    wanted = Wanted(reach=reach, text=q.strip(), is_overdue=overdue)

    def work(session: Session) -> tuple[Counts, dict[str, list[Placed]], int, frozenset[str]]:
        counted = counts(session, wanted, today=visit.today)
        found = columns(session, wanted, counted, today=visit.today, limit=PER_COLUMN)
        visits = visits_of(session, [card.id for column in found.values() for card in column])
        placed = {str(stage): [_placed(one, visit, visits.get(one.id, ())) for one in found[stage]] for stage in STAGES}
        is_narrowed = wanted.text or wanted.is_overdue
        whole = counts(session, Wanted(reach=reach), today=visit.today) if is_narrowed else counted
        return counted, placed, whole.all_late, stages_named_in(session, visit.actor.user_id)

    counted, placed, late, named_in = visit.read(work)
    filters = {"q": q, "overdue": overdue and "true", "mine": mine and "true"}
    query = urlencode({name: value for name, value in filters.items() if value})
    values: dict[str, Any] = {
        "columns": placed,
        "counts": {str(state): counted.by_stage.get(state, 0) for state in ProjectState},
        "ended": [str(state) for state in ProjectState if state in ENDED],
        "late": late,
        "counted": counted.most,
        "q": q,
        "is_overdue": overdue,
        "is_mine": mine,
        "my_stages": named_in & {stage for stage, found in placed.items() if found} or _busy(placed),
        "as_list": lambda suffix: f"/projects{suffix}?{query}",
    }
    return page(visit, "board.html", **values)


@router.get("/projects")
@router.get("/projects.{form}")
def projects(  # noqa: PLR0913, PLR0917 - the filters of the list
    visit: Somebody,
    form: str = "",
    q: str = "",
    stage: str = "",
    after: str = "",
    overdue: bool = False,  # noqa: FBT001, FBT002 - from the query
    hold: bool = False,  # noqa: FBT001, FBT002 - from the query
    mine: bool = False,  # noqa: FBT001, FBT002 - from the query
) -> Response:
    """List projects by number."""
    wanted = Wanted(
        reach=_reach(visit, mine),
        text=q.strip(),
        stage=_stage(stage),
        is_overdue=overdue,
        is_on_hold=hold,
    )
    kind = wanted_form(form)
    limit = limit_of(kind)
    found = visit.read(lambda session: cards(session, wanted, today=visit.today, limit=limit, after=after))
    following = found[PER_PAGE - 1].number if kind is None and len(found) > PER_PAGE else None
    shown = found[:PER_PAGE] if kind is None else found
    listing = Listing(
        name="projects", columns=_LISTED, rows=[asdict(card) for card in shown], following=following, day="due_on"
    )
    values: dict[str, Any] = {"rows": shown, "q": q, "stage": stage, "stages": [str(one) for one in ProjectState]}
    return answer(visit, listing, kind, "projects.html", **values, is_overdue=overdue, is_on_hold=hold, is_mine=mine)


@router.get("/projects/{ref}")
def project(visit: Somebody, ref: str) -> Response:
    """Show one project: where it stands, what is missing, what may be done, what happened."""
    words, rights = Words(visit.lang, visit.house.zone), visit.rights

    def work(session: Session) -> Any:
        row = PROJECTS.find(session, visit, ref)
        return project_page(session, visit, rights, row, words)

    return page(visit, "project.html", project=visit.read(work))


def _reach(visit: Visit, is_mine: object) -> ColumnElement[bool]:
    """Return the condition on what somebody reads, or on what of it they are named in."""
    reach = readable_projects(visit.rights, visit.actor)
    return reach & is_named_in(visit.actor.user_id) if is_mine else reach


def _busy(columns: Mapping[str, Sequence[Placed]]) -> frozenset[str]:
    """Return the stages where something is late, else where anything is: for who is named nowhere."""
    late = frozenset(stage for stage, placed in columns.items() if any(one.days_overdue for one in placed))
    return late or frozenset(stage for stage, placed in columns.items() if placed)


def _placed(card: Card, visit: Visit, visits: Sequence[Any]) -> Placed:
    calendar = visit.stamp.calendar.of(card.programme_id)
    spent = dwell_of(card.stage, visits, calendar, visit.today)
    late = calendar.working_days_between(card.due_on, visit.today) if card.due_on else 0
    return Placed(card=card, day=spent.all_days, days_overdue=max(0, late))


def _stage(text: str) -> ProjectState | None:
    if not text:
        return None
    try:
        return ProjectState(text)
    except ValueError:
        raise Invalid(unmet("no_such_stage", value=text, known=[str(one) for one in ProjectState])) from None


_LISTED = (
    Column(key="number"),
    Column(key="name"),
    Column(key="organisation"),
    Column(key="platform"),
    Column(key="stage", kind="word", word="state"),
    Column(key="due_on", kind="day"),
    Column(key="is_on_hold", kind="yes"),
    Column(key="open_count", kind="number"),
)
