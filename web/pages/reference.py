"""What people look up: platforms, what codes mean, and how to find one's way."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import NotFound
from lifecycle.projects.queries import Wanted, cards
from lifecycle.reports.platforms import PlatformFigures, platforms
from notifications.words import known_codes
from web.listing import PER_PAGE, Column, Listing, answer, limit_of, paged, wanted
from web.reading_rights import as_id, readable_projects
from web.render import Words, page
from web.session import Anybody, Somebody

router = APIRouter()
_CODES_A_PAGE = 100


@router.get("/platforms")
@router.get("/platforms.{form}")
def list_platforms(visit: Somebody, form: str = "", q: str = "", after: str = "") -> Response:
    """List the pilot platforms with what they carry and how often their stages were over in time."""
    kind, last = wanted(form), as_id(after)
    found = visit.read(lambda session: platforms(session, q.strip(), after=last, limit=limit_of(kind)))
    listing = paged("platforms", _PLATFORMS, [_platform(one) for one in found], form=kind, key="id")
    return answer(visit, listing, kind, "platforms.html", q=q)


@router.get("/platforms/{ref}")
def platform(visit: Somebody, ref: str) -> Response:
    """Show one platform: its figures, and those of its projects that the reader may see."""
    known = as_id(ref)

    def work(session: Session) -> tuple[PlatformFigures | None, list[Any]]:
        found = next(iter(platforms(session, only=known)), None) if known else None
        reach = readable_projects(visit.rights, visit.actor)
        mine = cards(session, Wanted(reach=reach, platform_id=known), today=visit.today, limit=PER_PAGE)
        return found, mine

    found, mine = visit.read(work)
    if found is None:
        raise NotFound(NotFound.code)
    return page(visit, "platform.html", platform=found, share=_share(found), cards=mine)


@router.get("/problems")
@router.get("/problems.{form}")
def problems(visit: Anybody, form: str = "", q: str = "", after: str = "") -> Response:
    """List every code that an answer can carry, with its sentence."""
    words = Words(visit.lang, visit.house.zone)
    codes = sorted(code for code in known_codes() if "." not in code)
    rows = [
        {"code": code, "sentence": words.code(code), "url": f"/problems/{code.replace('_', '-')}"} for code in codes
    ]
    text = q.strip().casefold()
    found = [row for row in rows if text in f"{row['code']} {row['sentence']}".casefold() and row["code"] > after]
    kind = wanted(form)
    following = found[_CODES_A_PAGE - 1]["code"] if kind is None and len(found) > _CODES_A_PAGE else None
    shown = found[:_CODES_A_PAGE] if kind is None else found
    listing = Listing(name="problems", columns=_CODES, rows=shown, following=following)
    return answer(visit, listing, kind, "problems.html", q=q)


@router.get("/help")
def help_page(visit: Anybody) -> Response:
    """Say how to find one's way, and whom to ask."""
    return page(visit, "help.html", topics=_TOPICS)


def _platform(one: PlatformFigures) -> dict[str, Any]:
    figures = {"id": one.id, "name": one.name, "living": one.living, "produced": one.produced, "closed": one.closed}
    return {**figures, "in_time": _share(one), "url": f"/platforms/{one.id}"}


def _share(one: PlatformFigures) -> str | None:
    return None if one.share is None else f"{one.share:.0%} ({one.in_time}/{one.closed})"


_TOPICS = ("find", "do", "missing", "money", "words", "keys", "program")
_PLATFORMS = (
    Column(key="name", link="url"),
    Column(key="living", kind="number"),
    Column(key="produced", kind="number"),
    Column(key="in_time"),
)
_CODES = (Column(key="code", link="url"), Column(key="sentence"))
