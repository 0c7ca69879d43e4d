"""From a kind and its plain facts to what people read: a headline, a text, a page of HTML, a whole mail.

Texts ship with the code and are rendered in Jinja2's sandbox; users give values, never text of a template. Whatever is
missing or cannot be a header ends as `Unreadable`: such a message is parked, never sent by halves (`safety.md` 2.10).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lifecycle.entrance.links import token_of
from models.money import AmountProblem, Money
from notifications.messages import texts_of, topic_of
from notifications.words import LANGUAGES, Lang, sentence, title

TEMPLATES = Path(__file__).parent / "templates"
LARGEST = 2 * 1024 * 1024
"""Most bytes that one rendered text may have."""
LONGEST_HEADLINE = 200

_HEADER_BREAKERS = re.compile(r"[\r\n\0]")
_ENCODED_WORD = "=?"
"""Here begins code in a header (RFC 2047); the library reads it and writes what it finds, line breaks too."""
_UNREADABLE = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, the line breaks of other alphabets, and what turns the direction of a line: as they are, they
would deceive, and no header may have them."""
_WEEKDAYS: Mapping[Lang, str] = {"zh-CN": "一二三四五六日", "en": "Mon Tue Wed Thu Fri Sat Sun"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""The locale of the machine must not decide."""


class _Headers(HeaderRegistry):
    """The headers of the standard library, each class made once and not for each header of each mail."""

    @cache  # noqa: B019 - there is one for the whole process, and few names
    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)


_POLICY = SMTP.clone(header_factory=_Headers())


class Unreadable(ValueError):
    """A message lacks a value or has one that a mail cannot carry; it waits for somebody to look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every message of this installation has in common."""

    database_id: str
    zone: ZoneInfo
    base_url: str | None = None
    """Where the console is; without it messages name the command instead of a link."""
    is_rehearsal: bool = False
    console_url: str = ""
    """Where the console answers on this machine: links of letters begin with it where nobody set another address."""
    secret: bytes | None = field(default=None, repr=False)
    """The key that links follow from; only who writes the mails has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One message in one language."""

    subject: str
    text: str
    html: str


def language_of(text: str) -> Lang:
    """Return the language that somebody is written to in."""
    return next((lang for lang in LANGUAGES if lang == text), "zh-CN")


def headline(kind: str, facts: Mapping[str, Any], lang: Lang, frame: Frame) -> str:
    """Return the one line that says what happened: of inbox, digest and mail alike. `Unreadable` when it cannot."""
    return _headline(_said(kind, _plain(facts), lang, frame, "subject"))


def line_of(row: Any, lang: Lang, frame: Frame) -> str:
    """Return the headline of a line of an inbox; one that cannot be told any more hides none of the others."""
    try:
        return headline(row.kind, row.facts, lang, frame)
    except Unreadable:
        return str(row.kind)


def step_of(row: Any, lang: Lang, frame: Frame) -> str:
    """Return what the reader of a line of an inbox does next, or what comes next; empty where it cannot be told."""
    facts = _plain(row.facts)
    try:
        own = _said(row.kind, facts, lang, frame, "next") if row.is_task else ""
        return own or _said(row.kind, facts, lang, frame, "then")
    except Unreadable:
        return ""


def compose(kind: str, facts: Mapping[str, Any], lang: Lang, frame: Frame) -> Words:
    """Return a message for one person, who stands in `facts["you"]` (name, why, is_task). `Unreadable` when it cannot.

    Chat robots get the same text: it stands by itself.
    """
    facts = _plain(facts)
    said = {part: _said(kind, facts, lang, frame, part) for part in ("subject", "text", "next", "then")}
    you = facts["you"]
    values = {
        **said,
        "subject": _headline(said["subject"]),
        "paragraphs": said["text"].split("\n\n"),
        "items": [_said(kind, {**facts, "item": one}, lang, frame, "item") for one in facts.get("items", ())],
        "charts": facts.get("charts", ()),
        "name": you["name"],
        "is_task": you["is_task"],
        "why": why_of(you["why"], lang),
        "who": facts.get("who", ""),
        "note": facts.get("note", ""),
        "page": link(facts, frame),
        "command": facts.get("command", ""),
        "is_rehearsal": frame.is_rehearsal,
    }
    shape = {one: _filled(_triple(lang, frame)[one], values) for one in ("subject.txt", "body.txt", "body.html")}
    return Words(subject=_headline(shape["subject.txt"]), text=shape["body.txt"], html=shape["body.html"])


def letter(delivery: Any, frame: Frame) -> Words:
    """Return the words of one delivery row; `Unreadable` when it cannot be written."""
    return compose(delivery.kind, delivery.facts, language_of(delivery.language), frame)


def mail(delivery: Any, frame: Frame, *, sender: str, at: datetime) -> EmailMessage:
    """Return the mail of one delivery row: one recipient, the same Message-ID at every try.

    `Unreadable` when a value is missing, or one cannot be a header.
    """
    if "link_id" in delivery.facts and frame.secret is None:
        raise Unreadable("the link cannot be made: PILOTWAY_SECRET_FILE names no key")
    words = letter(delivery, frame)
    message = EmailMessage(policy=_POLICY)
    headers = {
        "From": sender,
        "To": delivery.recipient,
        "Subject": words.subject,
        "Date": format_datetime(at.astimezone(UTC)),
        "Message-ID": delivery.message_id,
        "List-Id": f"Pilotway {topic_of(delivery.kind)} <{topic_of(delivery.kind)}.{frame.database_id}.pilotway>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": language_of(delivery.language),
        "X-Pilotway-Dedupe-Key": delivery.dedupe_key,
        "X-Pilotway-Kind": delivery.kind,
    }
    if frame.is_rehearsal:
        headers["X-Pilotway-Mode"] = "rehearsal"
    for name, value in headers.items():
        message[name] = _header(name, value)
    message.set_content(words.text)
    message.add_alternative(words.html, subtype="html")
    return message


def chat(delivery: Any, frame: Frame) -> tuple[str, str]:
    """Return headline and text of one delivery row for a chat robot; `Unreadable` when it cannot."""
    words = letter(delivery, frame)
    return words.subject, words.text


def link(facts: Mapping[str, Any], frame: Frame) -> str:
    """Return the address of the page that a message is about; empty where no console is set or there is no page.

    A link that opens something is whole for who has the key alone; whoever looks at the message otherwise reads `…`.
    """
    page = facts.get("page")
    if page and "link_id" in facts:
        token = token_of(frame.secret, facts["link_id"]) if frame.secret is not None else "…"
        return f"{(frame.base_url or frame.console_url).rstrip('/')}/{page}/{token}"
    return f"{frame.base_url.rstrip('/')}/{page}" if frame.base_url and page else ""


def why_of(why: str, lang: Lang) -> str:
    """Return why somebody is told: a part in the case, or the role that they hold."""
    part = sentence(f"why.{why}", {}, lang)
    return part if part != f"why.{why}" else sentence("told_by_role", {"role": why}, lang)


def _said(kind: str, facts: Mapping[str, Any], lang: Lang, frame: Frame, part: str) -> str:
    try:
        source = texts_of(kind, lang).get(part, "")
    except KeyError as error:
        raise Unreadable(f"{kind}: has no text") from error
    return _filled(_compiled(lang, frame.zone, source), facts).strip() if source else ""


def _filled(template: Template, values: Mapping[str, Any]) -> str:
    """Return the text, cut off by an error when it grows too large; `Unreadable` names the value that is missing."""
    parts: list[str] = []
    size = 0
    try:
        for part in template.generate(values):
            size += len(part.encode())
            if size > LARGEST:
                raise Unreadable("is larger than 2 MiB")
            parts.append(part)
    except (TemplateError, AmountProblem, TypeError, ValueError, OverflowError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable(f"{type(error).__name__}: {error}") from error
    return "".join(parts)


def _plain(value: Any) -> Any:
    """Return the value, made of plain types only: nothing with behaviour goes into a template."""
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, str):
        return _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    raise Unreadable(f"{type(value).__name__} is no plain value")


def _headline(text: str) -> str:
    one_line = _header("subject", text)
    return one_line if len(one_line) <= LONGEST_HEADLINE else f"{one_line[: LONGEST_HEADLINE - 1]}…"


def _header(name: str, text: str) -> str:
    """Return text that stands in a header as it is: nobody who names a project writes a header of their own with it."""
    if _HEADER_BREAKERS.search(text):
        raise Unreadable(f"{name} has a line break or NUL in it")
    return text.replace(_ENCODED_WORD, "= ?")


@cache
def _triple(lang: Lang, frame: Frame) -> Mapping[str, Template]:
    environment = _environment(lang, frame.zone)
    return {name: environment.get_template(f"{lang}/{name}") for name in ("subject.txt", "body.txt", "body.html")}


@cache
def _compiled(lang: Lang, zone: ZoneInfo, source: str) -> Template:
    return _environment(lang, zone).from_string(source)


@cache
def _environment(lang: Lang, zone: ZoneInfo) -> ImmutableSandboxedEnvironment:
    """Return the sandbox of one language: HTML is escaped, plain text is not."""
    environment = ImmutableSandboxedEnvironment(
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.filters |= {
        "case": lambda code: sentence(f"case.{code}", {}, lang).removesuffix("."),
        "day": lambda text: _day(date.fromisoformat(str(text)), lang),
        "left": lambda days: _left(days, lang),
        "lines": lambda lines: "".join(f"\n{one}" for one in lines),
        "moment": lambda text: _moment(datetime.fromisoformat(str(text)), lang, zone),
        "money": lambda minor, currency: Money(minor, currency).display,
        "sentence": lambda code, values: sentence(code, values, lang),
        "tongue": lambda both: both["zh" if lang == "zh-CN" else "en"],
        "word": lambda word, kind: title(kind, word, lang),
    }
    return environment


def _day(day: date, lang: Lang) -> str:
    """Return `2025年12月3日（周三）` or `Wed 3 Dec 2025`."""
    if lang == "zh-CN":
        return f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[lang][day.weekday()]}）"
    return f"{_WEEKDAYS[lang].split()[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def _moment(at: datetime, lang: Lang, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{_day(local.date(), lang)} {local:%H:%M}"


def _left(days: int, lang: Lang) -> str:
    """Return how many working days a deadline is away, or has passed since."""
    if days == 0:
        return "（今天）" if lang == "zh-CN" else " (today)"
    if lang == "zh-CN":
        return f"（还有 {days} 个工作日）" if days > 0 else f"（已过 {-days} 个工作日）"
    counted = f"{abs(days)} working day{'' if abs(days) == 1 else 's'}"
    return f" (in {counted})" if days > 0 else f" ({counted} late)"


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as they are stored: days and instants as ISO text, ids and stored words as text."""
    found: dict[str, Any] = json.loads(json.dumps(dict(facts), default=_as_text))
    return found


def _as_text(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return list(value) if isinstance(value, Iterable) else str(value)
