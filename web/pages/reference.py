"""What people look up: the audit trail, platforms, what codes mean, and how to find one's way."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.audit.queries import Chain, acts, chain_of, checkpoints, object_of, trail_length
from lifecycle.errors import Forbidden, NotFound, unmet
from lifecycle.people.queries import organisation_names
from lifecycle.projects.queries import Wanted, cards
from lifecycle.reports.platforms import PlatformFigures, platforms
from models.states import Door, Role
from notifications.words import known_codes
from web.listing import PER_PAGE, Column, Listing, answer, limit_of, paged, wanted
from web.reading_rights import as_id, readable_projects
from web.render import Words, page
from web.session import Anybody, Somebody, Visit, number_of

router = APIRouter()
AUDITORS = frozenset({Role.AUDITOR, Role.OPERATOR, Role.ADMIN})
_SHORT = 12
_CODES_A_PAGE = 100
_CHECKPOINTS = 5


@router.get("/audit")
@router.get("/audit.{form}")
def audit(visit: Somebody, form: str = "", q: str = "", after: str = "") -> Response:
    """Show the newest acts, of one object where it is named, with whether its chain holds."""
    _for_auditors(visit)
    kind = wanted(form)

    def work(session: Session) -> tuple[Any, list[dict[str, Any]], Chain | None, dict[str, Any]]:
        about = object_of(session, q.strip()) if q.strip() else None
        if q.strip() and about is None:
            return None, [], None, _state(session)
        before = number_of(after, 0) or None
        rows = acts(session, about=about, before=before, limit=limit_of(kind))
        return about, rows, chain_of(session, about) if about else None, _state(session)

    about, found, chain, state = visit.read(work)
    words = Words(visit.lang, visit.house.zone)
    rows = [
        {
            **row,
            "short": row["hash"][:_SHORT],
            "by": row["by"] or (words.t("audit.system") if row["door"] == Door.FLOW else None),
            "ref": row["ref"] or str(row["object_id"])[:_SHORT],
            "url": f"/audit?q={row['object_id']}",
            "moved": _moved(row, words),
            "is_refused": str(row["action"]).endswith(".refused") or None,
        }
        for row in found
    ]
    shown = rows[:PER_PAGE] if kind is None else rows
    following = str(shown[-1]["seq"]) if kind is None and len(rows) > PER_PAGE else None
    listing = Listing(name="audit", columns=_ACTS, rows=shown, following=following)
    return answer(visit, listing, kind, "audit.html", q=q, about=about, chain=chain, **state)


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


def _for_auditors(visit: Visit) -> None:
    """Refuse who audits nothing, and who does so at some organisations only, naming them: the trail is of all."""
    held = {(role, at) for role, at in visit.rights.grants if role in AUDITORS}
    if any(at is None for _, at in held):
        return
    if held:
        places = visit.read(lambda session: organisation_names(session, {at for _, at in held if at}))
        raise Forbidden(unmet("role_held_at", roles=sorted({role for role, _ in held}), places=sorted(places.values())))
    raise Forbidden(unmet("role", needs=sorted(AUDITORS), verb="audit"))


def _state(session: Session) -> dict[str, Any]:
    return {"length": trail_length(session), "checkpoints": checkpoints(session, limit=_CHECKPOINTS)}


def _moved(row: dict[str, Any], words: Words) -> str:
    states = [row["from_state"], row["to_state"]]
    return " → ".join(words.word("state", one) or "–" for one in states) if states[0] != states[1] else ""


def _platform(one: PlatformFigures) -> dict[str, Any]:
    figures = {"id": one.id, "name": one.name, "living": one.living, "produced": one.produced, "closed": one.closed}
    return {**figures, "in_time": _share(one), "url": f"/platforms/{one.id}"}


def _share(one: PlatformFigures) -> str | None:
    return None if one.share is None else f"{one.share:.0%} ({one.in_time}/{one.closed})"


_TOPICS = ("find", "do", "missing", "money", "words", "keys", "program")
_ACTS = (
    Column(key="seq", kind="number"),
    Column(key="at", kind="instant"),
    Column(key="by"),
    Column(key="act", kind="verb"),
    Column(key="is_refused", kind="yes"),
    Column(key="object_type", kind="word", word="object"),
    Column(key="ref", link="url", label="number"),
    Column(key="moved"),
    Column(key="door", kind="word", word="door"),
    Column(key="short", kind="hash", label="hash"),
)
_PLATFORMS = (
    Column(key="name", link="url"),
    Column(key="living", kind="number"),
    Column(key="produced", kind="number"),
    Column(key="in_time"),
)
_CODES = (Column(key="code", link="url"), Column(key="sentence"))
