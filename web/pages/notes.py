"""What one was told and which way it came, and what one wants to hear of: rows of one's own, no act of the engine."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Invalid, LifecycleError, unmet
from models.db import run_in_transaction
from models.deliveries import Delivery
from models.reading import table_of
from models.states import Channel, Frequency
from notifications import preferences
from notifications.preferences import CHATS, mark_read, preferences_of, topics, topics_for
from notifications.words import LANGUAGES
from web import cookies
from web.errors import reasons_of, status_of
from web.pages.calendar import made_at
from web.pages.inbox import told
from web.reading_rights import as_id
from web.render import page
from web.session import A_YEAR, Somebody, Typed, Visit, speak, text_of

router = APIRouter()
PER_PAGE = 100
FILTERS = ("all", "tasks", "news")
CHANNELS = (Channel.EMAIL, *CHATS)
MAIL_ONLY = (Frequency.DAILY, Frequency.WEEKLY)


@router.get("/notifications")
def notifications(visit: Somebody, kind: str = "all") -> Response:
    """Show what one was told, the newest first, each with why and on which ways it went out."""
    chosen = kind if kind in FILTERS else "all"
    found = told(visit, is_unread_only=False, limit=PER_PAGE)
    shown = [one for one in found if chosen == "all" or one.is_task == (chosen == "tasks")]
    ways = visit.read(lambda session: _ways(session, visit, [one.outbox_id for one in shown]))
    unread = sum(not one.is_read for one in found)
    return page(visit, "notifications.html", rows=shown, went=ways, kind=chosen, kinds=FILTERS, unread=unread)


@router.post("/notifications")
def mark(visit: Somebody, form: Typed) -> Response:
    """Mark one message as read, or all of them."""
    ids = [one for one in (as_id(str(value)) for value in form.getlist("id")) if one is not None]
    _own(visit, lambda session, user_id: mark_read(session, user_id, ids, now=visit.now))
    return RedirectResponse("/notifications", status_code=303)


@router.get("/preferences")
def show(visit: Somebody) -> Response:
    """Show the matrix of channels and topics, quiet hours, time zone, chat addresses, language, keyboard."""
    return _page(visit)


@router.post("/preferences")
def put(visit: Somebody, form: Typed) -> Response:
    """Write what was chosen, all of it or nothing."""
    try:
        _own(visit, lambda session, user_id: _put(session, user_id, form, visit))
    except Invalid as error:
        return _page(visit, error=error, typed={name: text_of(form, name) for name in form})
    response = RedirectResponse("/preferences?saved=yes", status_code=303)
    if text_of(form, "language") in LANGUAGES:
        speak(visit, response, text_of(form, "language"))
    is_on = text_of(form, "keys") == "yes"
    cookies.keep(response, visit.request, cookies.KEYS, "on" if is_on else "off", lasts=A_YEAR)
    return response


def _own(visit: Visit, work: Callable[[Session, UUID], Any]) -> None:
    run_in_transaction(visit.house.engine, lambda session: work(session, visit.actor.user_id))


def _put(session: Session, user_id: UUID, form: Any, visit: Visit) -> None:
    for channel in CHANNELS:
        for topic in topics():
            said = text_of(form, f"{channel}.{topic}")
            if said:
                preferences.wish(session, user_id, channel=channel, topic=topic, frequency=_frequency(said))
    begin, end = text_of(form, "quiet_from").strip(), text_of(form, "quiet_until").strip()
    preferences.set_quiet_hours(session, user_id, (begin, end) if begin or end else None)
    if zone := text_of(form, "timezone").strip():
        preferences.set_timezone(session, user_id, zone)
    url = text_of(form, "url").strip()
    if url:
        kind = next((one for one in CHATS if one == text_of(form, "chat")), None)
        if kind is None:
            raise Invalid(unmet("chat_channel_wrong", value=text_of(form, "chat"), known=[str(one) for one in CHATS]))
        new_id = visit.house.new_id()
        preferences.add_address(session, user_id, channel=kind, url=url, now=visit.now, address_id=new_id)
    for gone in CHATS:
        if text_of(form, f"forget.{gone}") == "yes":
            preferences.remove_address(session, user_id, channel=gone)


def _frequency(said: str) -> Frequency:
    try:
        return Frequency(said)
    except ValueError:
        raise Invalid(unmet("word_unknown", value=said, known=[str(one) for one in Frequency])) from None


def _page(visit: Visit, *, error: LifecycleError | None = None, typed: dict[str, str] | None = None) -> Response:
    own = visit.actor.user_id
    found, since = visit.read(lambda session: (preferences_of(session, own), made_at(session, own)))
    wishes = {f"{one['channel']}.{one['topic']}": one["frequency"] for one in found["wishes"]}
    addresses = {one["channel"]: one["address"] for one in found["addresses"]}
    shown = {"quiet_from": found["quiet_from"] or "", "quiet_until": found["quiet_until"] or ""}
    shown |= {"timezone": found["timezone"] or "", "url": "", **wishes, **(typed or {})}
    rows = [CHANNELS[0], *(one for one in CHATS if one in addresses)]
    return page(
        visit,
        "preferences.html",
        status=status_of(error) if error else 200,
        reasons=reasons_of(error) if error else (),
        channels=[str(one) for one in rows],
        topics=topics_for(visit.roles),
        choices={str(one): _choices(one) for one in rows},
        typed=shown,
        chats=[str(one) for one in CHATS],
        addresses=addresses,
        feed_since=since,
        zone=visit.house.settings.timezone,
        is_saved=visit.request.query_params.get("saved") == "yes",
    )


def _choices(channel: Channel) -> list[str]:
    return [str(one) for one in Frequency if channel is Channel.EMAIL or one not in MAIL_ONLY]


def _ways(session: Session, visit: Visit, outbox_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Return message -> on which channels it went to this person, and how that ended."""
    delivery = table_of(Delivery)
    statement = select(delivery.c.outbox_id, delivery.c.channel, delivery.c.status, delivery.c.at).where(
        delivery.c.user_id == visit.actor.user_id, delivery.c.outbox_id.in_(outbox_ids)
    )
    found: dict[UUID, list[Any]] = {}
    for row in session.execute(statement):
        found.setdefault(row.outbox_id, []).append(row)
    return found
