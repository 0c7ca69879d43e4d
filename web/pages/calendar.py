"""Somebody's deadlines as a calendar to subscribe to: the secret address, who makes and ends it, what it answers.

No amount stands in it (`notifications.feed`). Who asks has no session: the secret in the address is all there is.
"""

import hashlib
from datetime import datetime
from uuid import UUID, uuid5

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.access.commands import MakeFeed, RevokeFeed
from lifecycle.access.queries import Account, account_by_id
from lifecycle.actor import Actor
from lifecycle.commands import Command
from lifecycle.errors import NotFound, unmet
from models.db import looking
from models.deliveries import ContactSetting
from models.installation import Installation
from models.reading import table_of
from models.states import Door
from notifications import feed
from notifications.words import sentence
from web.errors import TooMany
from web.render import page
from web.session import Somebody, Typed, Visit, house_of, lang_of, text_of

router = APIRouter()
_SPACE = UUID("5a6e0f3c-7c55-5d0e-9f0a-4d0f4f3f7d16")
KEPT = "private, no-cache"
"""A program may keep what it read, and asks each time whether it is still so."""


@router.get("/calendar/{token}.ics")
def give(request: Request, token: str) -> Response:
    """Give the days of whose calendar this is; 304 where the program has them, NotFound for a void address.

    `TooMany` for who asks more often than any program does: by calendar, and by place for addresses that are void.
    """
    house = house_of(request)
    now = house.clock.now()
    with looking(house.engine) as session:
        account, database_id = _asked(session, token)
    client = request.client.host if request.client else ""
    if wait := house.feeds.take(account.user_id if account else uuid5(_SPACE, client)):
        raise TooMany(unmet(TooMany.code, minutes=-(-wait // 60), seconds=wait))
    if account is None:
        raise NotFound(NotFound.code)
    lang = lang_of(request, account.language)
    who = Actor(user_id=account.user_id, person_id=account.person_id, name=account.name, door=Door.WEB)
    stamp = house.stamp(who, now)
    with looking(house.engine) as session:
        days = feed.days_of(session, account.user_id, stamp, lang)
    name = sentence("calendar_name", {}, lang)
    headers = {"etag": _mark(f"{name} {days}"), "cache-control": KEPT, "content-language": lang}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = feed.written(days, name=name, database_id=database_id, now=now)
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def _asked(session: Session, token: str) -> tuple[Account | None, str]:
    """Return whose calendar an address is, and what this installation calls itself in it."""
    owner = feed.owner_of_feed(session, token)
    database_id = session.execute(select(table_of(Installation).c.database_id)).scalar_one()
    return (account_by_id(session, owner) if owner is not None else None), str(database_id)


def _mark(said: str) -> str:
    """Return the tag of what is said: weak, for each answer says when it was written."""
    return f'W/"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


@router.post("/preferences/calendar")
def change(visit: Somebody, form: Typed) -> Response:
    """Make a new address in place of the one before and show it this once, or make the present one void."""
    own, key = visit.actor.user_id, str(visit.house.new_id())
    if text_of(form, "word") != "make":
        _do(visit, RevokeFeed(command_id=key, user_id=own))
        return RedirectResponse("/preferences?saved=yes", status_code=303)
    token, token_sha256 = feed.new_address()
    _do(visit, MakeFeed(command_id=key, user_id=own, token_sha256=token_sha256))
    place = visit.house.settings.api or str(visit.request.base_url)
    return page(visit, "calendar_address.html", address=f"{place.rstrip('/')}/calendar/{token}.ics")


def _do(visit: Visit, command: Command) -> None:
    if error := visit.act(command).error:
        raise error


def made_at(session: Session, user_id: UUID) -> datetime | None:
    """Return since when somebody's calendar has the address that it has; None where it has none."""
    setting = table_of(ContactSetting)
    asked = select(setting.c.feed_made_at).where(setting.c.user_id == user_id, setting.c.feed_sha256.is_not(None))
    found: datetime | None = session.execute(asked).scalar_one_or_none()
    return found
