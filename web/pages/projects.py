"""Projects: the list, the calendar of the days on which they are due, and the page of one."""

from dataclasses import asdict, replace
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.calendar import add_months
from lifecycle.errors import Invalid, unmet
from lifecycle.projects.board import COUNTED, counts, due
from lifecycle.projects.queries import Card, cards
from web.listing import Column, answer, limit_of, paged
from web.listing import wanted as wanted_form
from web.nouns import PROJECTS
from web.pages.project_view import project_page
from web.pages.seeking import Seeking, month_of
from web.render import Words, page
from web.session import Somebody

router = APIRouter()
_YEARS = range(1949, 2200)
"""Years of which the calendar can be turned to a month."""


@router.get("/projects")
@router.get("/projects.{form}")
def projects(visit: Somebody, sought: Seeking, form: str = "", after: str = "") -> Response:
    """List projects by number."""
    kind, wanted = wanted_form(form), sought.wanted(visit)
    found = visit.read(lambda session: cards(session, wanted, today=visit.today, limit=limit_of(kind), after=after))
    listing = paged("projects", _LISTED, [row_of(card) for card in found], form=kind, key="number")
    return answer(visit, replace(listing, day="due_on"), kind, "projects.html", **sought.shown(visit))


@router.get("/projects/calendar")
@router.get("/projects/calendar.{form}")
def calendar(visit: Somebody, sought: Seeking, form: str = "", month: str = "", after: str = "") -> Response:
    """List the projects whose stage is due in a month, by day."""
    kind, first = wanted_form(form), _month(month) or visit.today.replace(day=1)
    behind = add_months(first, 1)
    wanted = sought.wanted(visit, due_since=first, due_before=behind)

    def work(session: Session) -> tuple[int, list[Card]]:
        counted = counts(session, wanted, today=visit.today)
        found = due(session, wanted, counted, today=visit.today, limit=limit_of(kind), after=after)
        return sum(many for stage, many in counted.by_stage.items() if wanted.stage in (None, stage)), found

    many, found = visit.read(work)
    listing = paged("due", _DUE, [row_of(card) for card in found], form=kind, key="number")
    values: dict[str, Any] = {
        "month": first,
        "months": [(name, f"{add_months(first, step):%Y-%m}") for name, step in (("before", -1), ("behind", 1))],
        "days": {day: list(rows) for day, rows in groupby(listing.rows, key=itemgetter("due_on"))},
        "many": many,
        "counted": COUNTED,
        "is_working": visit.stamp.calendar.is_working_day,
    }
    return answer(visit, replace(listing, day="due_on"), kind, "due.html", **values, **sought.shown(visit))


def row_of(card: Card) -> dict[str, Any]:
    """Return a card as a row of a list; of what is missing the parties that owe it."""
    return {**asdict(card), "owed_by": tuple(card.owed_by), "card": card}


def _month(text: str) -> date | None:
    """Return the first day of the month to show, none where none is named; `Invalid` for what is no month."""
    found = month_of(text, "month")
    if found is not None and found.year not in _YEARS:
        raise Invalid(unmet("value_wrong", field="month", value=text, form="2025-07"))
    return found


@router.get("/projects/{ref}")
def project(visit: Somebody, ref: str) -> Response:
    """Show one project: where it stands, what is missing, what may be done, what happened."""
    words, rights = Words(visit.lang, visit.house.zone), visit.rights

    def work(session: Session) -> Any:
        row = PROJECTS.find(session, visit, ref)
        return project_page(session, visit, rights, row, words)

    return page(visit, "project.html", project=visit.read(work))


_LISTED = (
    Column(key="number"),
    Column(key="name"),
    Column(key="organisation"),
    Column(key="platform"),
    Column(key="stage", kind="word", word="state"),
    Column(key="due_on", kind="day"),
    Column(key="is_on_hold", kind="yes"),
    Column(key="open_count", kind="number"),
    Column(key="owed_by", kind="words", word="party"),
    Column(key="shared_count", kind="number"),
)
_DUE = (Column(key="due_on", kind="day"), *(one for one in _LISTED if one.key != "due_on"))
