"""Somebody's own messages: the inbox, preferences and addresses; and a look at how a message is written."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy import select
from sqlmodel import Session

from cli.door import Door
from cli.output import Column
from flows.soundness import write_whole
from flows.telling import frame_of
from lifecycle.access.commands import MakeFeed, RevokeFeed
from lifecycle.actor import Actor
from lifecycle.errors import Invalid, unmet
from models.db import run_in_transaction
from models.journal import OutboxMessage
from models.reading import table_of
from models.states import Channel, Frequency
from notifications import feed, preferences
from notifications.messages import KINDS, OF_THE_CLOCK, kind_of
from notifications.render import Unreadable, Words, compose, line_of, step_of
from notifications.samples import sample_facts
from notifications.subjects import about_all
from notifications.words import sentence, title

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_INBOX = (
    Column(key="at"),
    Column(key="task"),
    Column(key="subject", is_wide=True),
    Column(key="command", is_wide=True),
    Column(key="id"),
)
_READER = "李工"
"""To whom a preview is addressed."""
_WISHES = (
    Column(key="channel", kind="channel"),
    Column(key="topic"),
    Column(key="frequency", kind="frequency"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was typed in; what was left out stays."""

    channel: str
    topic: str | None
    frequency: str | None
    quiet: str | None
    timezone: str | None


def _own(door: Door, work: Callable[[Session, UUID], T]) -> T:
    """Return what the work does to rows of the acting person, in one transaction; `NotSignedIn` when nobody acts."""
    return run_in_transaction(door.engine, lambda session: work(session, door.actor(session).user_id))


def print_inbox(door: Door, *, is_unread_only: bool, limit: int) -> None:
    """Print the inbox of the acting person."""
    frame, lang = frame_of(door.engine, door.settings), door.output.lang

    def work(session: Session) -> list[Any]:
        user_id = door.actor(session).user_id
        return preferences.inbox_of(session, user_id, is_unread_only=is_unread_only, limit=limit)

    def line(row: Any) -> dict[str, Any]:
        return {
            "at": door.local(row.created_at).strftime("%Y-%m-%d %H:%M"),
            "task": "!" if row.is_task else "",
            "subject": line_of(row, lang, frame),
            "next": step_of(row, lang, frame),
            "command": row.facts.get("command", ""),
            "id": row.id,
            "kind": row.kind,
            "is_task": row.is_task,
            "is_read": row.read_at is not None,
            "why": row.why,
        }

    door.output.table(_INBOX, [line(row) for row in door.read(work)])


def mark(door: Door, ids: list[str], *, is_all: bool) -> None:
    """Mark messages as read and say how many."""
    if bool(ids) == is_all:
        raise Invalid(unmet("ids_or_all"))
    wanted = [_uuid(one) for one in ids]
    count = _own(door, lambda session, user_id: preferences.mark_read(session, user_id, wanted, now=door.now))
    door.output.say("marked_read", count=count)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(unmet("id_wrong", value=text)) from error


def print_preview(door: Door, kind: str, *, is_html: bool) -> None:
    """Print a message of this kind as it would be mailed to who has its task, or to its first reader."""
    if kind not in KINDS and kind not in OF_THE_CLOCK:
        raise Invalid(unmet("message_kind_unknown", value=kind, known=[*KINDS, *OF_THE_CLOCK]))
    facts = door.read(lambda session: _newest(door, session, kind))
    if facts is None:
        door.output.say("preview_of_sample", kind=kind)
        facts = sample_facts(kind)
    audience = max(kind_of(kind).audiences, key=lambda one: one.is_task)
    you = {"name": _READER, "why": audience.role, "is_task": audience.is_task}
    try:
        words = compose(kind, {**facts, "you": you}, door.output.lang, frame_of(door.engine, door.settings))
    except Unreadable as problem:
        raise Invalid(unmet("message_unreadable", kind=kind, why=str(problem))) from problem
    _show(door, words, is_html=is_html)


def _newest(door: Door, session: Session, kind: str) -> dict[str, Any] | None:
    box = table_of(OutboxMessage)
    newest = select(box).where(box.c.kind == kind).order_by(box.c.created_at.desc(), box.c.id.desc()).limit(1)
    row = session.execute(newest).one_or_none()
    if row is None:
        return None
    return dict(about_all(session, [row], door.stamp(Actor.clock()))[row.id].facts)


def _show(door: Door, words: Words, *, is_html: bool) -> None:
    if door.output.as_json:
        door.output.document({"subject": words.subject, "text": words.text, "html": words.html})
    elif is_html:
        door.output.line(words.html)
    else:
        door.output.line(words.subject)
        door.output.line("")
        door.output.line(words.text)


def print_preferences(door: Door) -> None:
    """Print what the acting person has set."""
    found = door.read(lambda session: preferences.preferences_of(session, door.actor(session).user_id))
    if door.output.as_json:
        door.output.document(found)
        return
    lang = door.output.lang
    quiet = f"{found['quiet_from']}-{found['quiet_until']}" if found["quiet_from"] else "off"
    chats = [f"{title('channel', one['channel'], lang)} {one['address']}" for one in found["addresses"]]
    columns = (Column(key="timezone"), Column(key="quiet"), Column(key="addresses"))
    zone = found["timezone"] or door.settings.timezone
    door.output.record(columns, {"timezone": zone, "quiet": quiet, "addresses": chats})
    if found["wishes"]:
        door.output.line("")
        door.output.table(_WISHES, found["wishes"])


def put_preferences(door: Door, wishes: Wishes) -> None:
    """Write what was typed in, all of it or nothing, and show what holds now."""
    if (wishes.topic is None) != (wishes.frequency is None):
        raise Invalid(unmet("topic_with_frequency"))
    if wishes.topic is None and wishes.quiet is None and wishes.timezone is None:
        raise Invalid(unmet("nothing_to_set"))
    _own(door, lambda session, user_id: _put(session, user_id, wishes))
    print_preferences(door)


def _put(session: Session, user_id: UUID, wishes: Wishes) -> None:
    if wishes.topic is not None and wishes.frequency is not None:
        preferences.wish(
            session,
            user_id,
            channel=_one_of(Channel, wishes.channel),
            topic=wishes.topic,
            frequency=_one_of(Frequency, wishes.frequency),
        )
    if wishes.quiet is not None:
        begin, _, end = wishes.quiet.partition("-")
        preferences.set_quiet_hours(session, user_id, None if wishes.quiet == "off" else (begin, end))
    if wishes.timezone is not None:
        preferences.set_timezone(session, user_id, wishes.timezone)


def _one_of(words: type[E], text: str) -> E:
    try:
        return words(text)
    except ValueError as error:
        raise Invalid(unmet("word_unknown", value=text, known=[str(one) for one in words])) from error


def put_address(door: Door, channel: str, url: str | None) -> None:
    """Take in a chat address; it is not repeated whole anywhere."""
    secret = url if url is not None else typer.prompt("URL", hide_input=True, err=True)

    def work(session: Session, user_id: UUID) -> dict[str, str]:
        new_id = door.stamp(Actor.clock()).new_id()
        kind = _one_of(Channel, channel)
        return preferences.add_address(session, user_id, channel=kind, url=secret, now=door.now, address_id=new_id)

    door.output.record((Column(key="channel", kind="channel"), Column(key="address")), _own(door, work))


def drop_address(door: Door, channel: str) -> None:
    """Forget a chat address and say whether there was one."""
    kind = _one_of(Channel, channel)
    was_there = _own(door, lambda session, user_id: preferences.remove_address(session, user_id, channel=kind))
    door.output.say("address_removed" if was_there else "address_not_there", channel=kind)


def write_calendar(door: Door, out: Path | None) -> None:
    """Write the acting person's calendar to a file, whole or not at all, or to stdout."""

    def work(session: Session) -> list[feed.DayOf]:
        actor = door.actor(session)
        return feed.days_of(session, actor.user_id, door.stamp(actor), door.output.lang)

    days = door.read(work)
    name = sentence("calendar_name", {}, door.output.lang)
    content = feed.written(days, name=name, database_id=door.installation.database_id, now=door.now)
    if out is None and door.output.as_json:
        door.output.document({"data": [asdict(day) for day in days]})
    elif out is None:
        print(content.decode(), end="")
        return
    else:
        write_whole(out, content)
        door.output.say("calendar_written", file=str(out), count=len(days))


def give_feed(door: Door) -> None:
    """Print the path under which a server gives the calendar; whoever has it can read the calendar."""
    token, token_sha256 = feed.new_address()
    own = door.read(door.actor)
    answer = door.carry_out(
        lambda _lookup, key: MakeFeed(command_id=key, user_id=own.user_id, token_sha256=token_sha256), ref=own.name
    )
    if answer.document.get("dry_run"):
        return door.tell(answer, own.name)
    place = f"{(door.settings.api or '').rstrip('/')}/calendar/{token}.ics"
    door.output.record((Column(key="address"),), {"address": place})
    return door.output.say("feed_made")


def end_feed(door: Door) -> None:
    """Make the address void; refused where there was none."""
    own = door.read(door.actor)
    door.carry_out(lambda _lookup, key: RevokeFeed(command_id=key, user_id=own.user_id), ref=own.name)
    door.output.say("feed_revoked")
