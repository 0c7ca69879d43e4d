"""What each person wants to hear of, when and where, and what lies in their inbox. It moves nothing and binds nobody.

Plain rows of the person's own: no right is asked but to be that person, and no audit chain is written.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lifecycle.errors import Invalid, NotFound, unmet
from models.db import is_sqlite
from models.deliveries import ChatAddress, ContactSetting, Notification, Preference
from models.people import User
from models.reading import table_of
from models.states import Channel, Frequency, Role
from notifications.messages import KINDS, OF_THE_CLOCK, topic_of
from notifications.recipients import ALL_TOPICS, PANEL_PARTS

CHATS = (Channel.DINGTALK, Channel.FEISHU, Channel.WECOM, Channel.CHAT)
LONGEST_ADDRESS = 1000
_ONLY_MAIL_GATHERS = (Frequency.DAILY, Frequency.WEEKLY)


def topics() -> list[str]:
    """Return what can be preferred, by name; `*` stands for all others."""
    return [ALL_TOPICS, *sorted({topic_of(kind) for kind in (*KINDS, *OF_THE_CLOCK)} - {"digest"})]


def topics_for(roles: Collection[Role]) -> list[str]:
    """Return what somebody with these roles can be told of, by name, and `*`.

    A part in a case is anybody's as `person`, and an expert's or a chair's in a panel; else a role brings its topic.
    """
    held = {str(one) for one in roles} | {"person"}
    if held & {Role.EXPERT, Role.PANEL_CHAIR}:
        held |= PANEL_PARTS
    found = {
        topic_of(kind)
        for kind, said in {**KINDS, **OF_THE_CLOCK}.items()
        if any(one.role in held for one in said.audiences)
    }
    return [one for one in topics() if one in found | {ALL_TOPICS}]


def wish(session: Session, user_id: UUID, *, channel: Channel, topic: str, frequency: Frequency) -> None:
    """Remember how often somebody wants to hear of a topic on a channel.

    `Invalid` for an unknown topic, for webhooks (they belong to nobody), and for digests other than by mail.
    """
    if topic not in topics():
        raise Invalid(unmet("topic_unknown", value=topic, known=topics()))
    if channel is Channel.WEBHOOK:
        raise Invalid(unmet("channel_not_of_people", value=str(channel)))
    if channel is not Channel.EMAIL and frequency in _ONLY_MAIL_GATHERS:
        raise Invalid(unmet("digest_by_mail_only", value=str(channel)))
    row = {"user_id": user_id, "channel": channel, "topic": topic, "frequency": frequency}
    _put(session, Preference, ("user_id", "channel", "topic"), row)


def set_quiet_hours(session: Session, user_id: UUID, hours: tuple[str, str] | None) -> None:
    """Set from when until when somebody is not to be disturbed, by their own clock (`22:00`); None for never.

    `Invalid` for what is no time of day, and for hours that end when they begin.
    """
    begin, end = hours or (None, None)
    if begin is not None and end is not None:
        begin, end = _time(begin), _time(end)
        if begin == end:
            raise Invalid(unmet("quiet_hours_wrong", value=f"{begin}-{end}"))
    row = {"user_id": user_id, "quiet_from": begin, "quiet_until": end}
    _put(session, ContactSetting, ("user_id",), row)


def _time(text: str) -> str:
    try:
        return f"{datetime.strptime(text, '%H:%M'):%H:%M}"  # noqa: DTZ007 - a time of day, of no day
    except ValueError as error:
        raise Invalid(unmet("quiet_hours_wrong", value=text)) from error


def set_timezone(session: Session, user_id: UUID, name: str) -> None:
    """Set where somebody's clock is (`Europe/Berlin`); `Invalid` for a name that nobody knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(unmet("timezone_unknown", value=name)) from error
    _put(session, ContactSetting, ("user_id",), {"user_id": user_id, "timezone": name})


def preferences_of(session: Session, user_id: UUID) -> dict[str, Any]:
    """Return what somebody has set, as plain values."""
    wishes, setting = table_of(Preference), table_of(ContactSetting)
    asked = select(wishes.c.channel, wishes.c.topic, wishes.c.frequency).where(wishes.c.user_id == user_id)
    own = session.execute(select(setting).where(setting.c.user_id == user_id)).one_or_none()
    return {
        "timezone": own.timezone if own is not None else None,
        "quiet_from": own.quiet_from if own is not None else None,
        "quiet_until": own.quiet_until if own is not None else None,
        "wishes": [
            {"channel": str(row.channel), "topic": row.topic, "frequency": str(row.frequency)}
            for row in session.execute(asked.order_by(wishes.c.channel, wishes.c.topic))
        ],
        "addresses": addresses_of(session, user_id),
    }


def add_address(
    session: Session, user_id: UUID, *, channel: Channel, url: str, now: datetime, address_id: UUID
) -> dict[str, str]:
    """Take in the address of somebody's chat robot; one they had on this channel makes way. It is a secret.

    `Invalid` for a channel that is no chat, or for what cannot be an address.
    """
    if channel not in CHATS:
        raise Invalid(unmet("chat_channel_wrong", value=str(channel), known=[str(one) for one in CHATS]))
    is_address = "://" in url and url.isprintable() and " " not in url and len(url) <= LONGEST_ADDRESS
    if not is_address:
        raise Invalid(unmet("chat_address_wrong"))
    chat = table_of(ChatAddress)
    remove_address(session, user_id, channel=channel)
    row = {"id": address_id, "user_id": user_id, "channel": channel, "url": url, "created_at": now}
    session.execute(chat.insert().values(**row))
    return {"channel": str(channel), "address": shown(url)}


def remove_address(session: Session, user_id: UUID, *, channel: Channel) -> bool:
    """Forget the address of a chat robot; say whether there was one."""
    chat = table_of(ChatAddress)
    gone: Any = session.execute(delete(chat).where(chat.c.user_id == user_id, chat.c.channel == channel))
    return bool(gone.rowcount)


def addresses_of(session: Session, user_id: UUID) -> list[dict[str, str]]:
    """Return somebody's chat addresses, each by its last four characters."""
    chat = table_of(ChatAddress)
    rows = session.execute(select(chat.c.channel, chat.c.url).where(chat.c.user_id == user_id).order_by(chat.c.channel))
    return [{"channel": str(row.channel), "address": shown(row.url)} for row in rows]


def shown(url: str) -> str:
    """Return what may be shown of an address."""
    return f"…{url[-4:]}"


def inbox_of(session: Session, user_id: UUID, *, is_unread_only: bool, limit: int) -> list[Any]:
    """Return the lines of somebody's inbox, the newest first."""
    line = table_of(Notification)
    statement = select(line).where(line.c.user_id == user_id)
    if is_unread_only:
        statement = statement.where(line.c.read_at.is_(None))
    return list(session.execute(statement.order_by(line.c.created_at.desc(), line.c.id.desc()).limit(limit)))


def mark_read(session: Session, user_id: UUID, ids: Collection[UUID], *, now: datetime) -> int:
    """Mark lines of somebody's own inbox as read, without ids all; return how many are new to be so.

    `NotFound` for a line that is not theirs.
    """
    line = table_of(Notification)
    own = line.c.user_id == user_id
    if ids:
        own &= line.c.id.in_(ids)
        if session.execute(select(func.count()).select_from(line).where(own)).scalar_one() != len(set(ids)):
            raise NotFound(NotFound.code)
    done: Any = session.execute(update(line).where(own, line.c.read_at.is_(None)).values(read_at=now))
    return int(done.rowcount)


def _put(session: Session, table: Any, key: tuple[str, ...], row: dict[str, Any]) -> None:
    """Write a row of somebody who is there, in the place of what it said before."""
    user = table_of(User)
    session.execute(select(user.c.id).where(user.c.id == row["user_id"]).with_for_update()).one()
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    change = {name: value for name, value in row.items() if name not in key}
    statement = dialect.insert(table_of(table)).values(**row)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=change))
