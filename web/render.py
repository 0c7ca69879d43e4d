"""From a template and plain values to a page: one Jinja2 environment, one set of words, numbers and dates for all.

A template says `t("board.title")` for the sentence `page.board.title`, `word("state", x)` for a stored word, and
`verb("project.advance")`; it never holds a word of its own (a test looks).
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from starlette.responses import HTMLResponse

from lifecycle.errors import Unmet
from lifecycle.permissions import PERMISSIONS
from models.money import Money
from notifications.words import (
    Explanation,
    Lang,
    Names,
    deed_title,
    explain_unmet,
    is_known,
    sentence,
    title,
    verb_title,
)
from web import cookies
from web.charts.qr import qr
from web.empty import filters_of, way_of
from web.menu import entries, references
from web.money_rights import MONEY_READERS
from web.proving import ways_of
from web.session import CSRF_FIELD, Visit

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that a page says, in one language."""

    lang: Lang
    zone: ZoneInfo

    def t(self, key: str, **values: Any) -> str:
        """Return the sentence `page.<key>`; KeyError when the catalogue has none."""
        code = f"page.{key}"
        if not is_known(code):
            raise KeyError(code)
        return sentence(code, values, self.lang)

    def at_least(self, count: int, most: int) -> str:
        """Return a number that was counted as far as `most`."""
        return self.t("at_least", count=count) if count >= most else str(count)

    def word(self, kind: str, value: object) -> str:
        """Return the word that people see for a stored word."""
        return title(kind, str(value), self.lang)

    def verb(self, permission: str) -> str:
        """Return the words of a verb."""
        return verb_title(permission, self.lang)

    def among(self, said: Iterable[str]) -> str:
        """Return several words in a row."""
        return _BETWEEN[self.lang].join(said)

    def deed(self, permission: str) -> str:
        """Return the words of what somebody did by a verb."""
        return deed_title(permission, self.lang)

    def does(self, permission: str) -> str:
        """Return what a verb does, in a sentence; nothing where none was written."""
        code = f"does.{permission}"
        return sentence(code, {}, self.lang) if is_known(code) else ""

    def field(self, name: str) -> str:
        """Return the label of a field of a command, or of a column where no command asks for it."""
        own = f"page.field.{name}"
        kind = "field" if is_known(f"field.{name}") else "label"
        return sentence(own, {}, self.lang) if is_known(own) else title(kind, name, self.lang)

    def heading(self, key: str) -> str:
        """Return the heading of a column: the label of the field, or of the column where no form asks for it."""
        own = f"page.field.{key}"
        said = sentence(own, {}, self.lang) if is_known(own) else title("label", key, self.lang)
        return said[:1].upper() + said[1:]

    def code(self, code: str) -> str:
        """Return the sentence of a code, with the names of what it says in brackets."""
        return sentence(code, {}, self.lang)

    def reason(self, unmet: Unmet, names: Names | None = None) -> Explanation:
        """Return what a reason says, who owes the next step, until when, and what would suffice."""
        if name := unmet.values.get("field"):
            unmet = replace(unmet, values={**unmet.values, "field": self.field(str(name))})
        return explain_unmet(unmet, self.lang, names)

    def day(self, day: date | None) -> str:
        """Return a day as people write it, or a dash."""
        return day.isoformat() if day else "–"

    def short_day(self, day: date) -> str:
        """Return a day of this year without the year."""
        return f"{day:%m-%d}"

    def near_day(self, day: date, today: date) -> str:
        """Return a day without the year where it is this one."""
        return self.short_day(day) if day.year == today.year else self.day(day)

    def at(self, instant: datetime | None, *, is_exact: bool = False) -> str:
        """Return an instant to the minute, or to the second, where the installation is."""
        form = "%Y-%m-%d %H:%M:%S" if is_exact else "%Y-%m-%d %H:%M"
        return instant.astimezone(self.zone).strftime(form) if instant else "–"

    def money(self, minor: int, currency: str = "CNY") -> str:
        """Return an amount in full."""
        return Money(minor, currency).display

    def short_money(self, minor: int, currency: str = "CNY") -> str:
        """Return an amount as tables of a fund count it, in 万 or millions; in full where that would round it."""
        unit, sign = (1_000_000, "万") if self.lang == "zh-CN" else (100_000_000, "M")
        if currency != "CNY" or abs(minor) < unit or minor % (unit // 1_000):
            whole = self.money(minor, currency)
            return whole.removesuffix(".00") if currency == "CNY" else whole
        figure = f"{minor / unit:,.3f}".rstrip("0").rstrip(".")
        return f"{figure}{sign}" if self.lang == "zh-CN" else f"¥{figure}{sign}"

    def yes(self, answer: object) -> str:
        """Return yes or no."""
        return self.t("yes") if answer else self.t("no")

    def shown(self, column: Any, row: Mapping[str, Any]) -> str:
        """Return a value of a list as people read it (`web.listing.Column`); a dash for none."""
        value = row.get(column.key)
        kind = column.word or column.key
        if value is None or value in ("", (), []):
            return _NONE
        if column.kind == "words":
            return _BETWEEN[self.lang].join(self.word(kind, one) for one in value)
        if column.kind == "money":
            return self.money(int(value), str(row.get("currency") or "CNY"))
        if isinstance(value, datetime):
            return self.at(value, is_exact=column.kind == "instant")
        told: dict[str, Callable[[Any], str]] = {
            "word": partial(self.word, kind),
            "verb": self.verb,
            "yes": self.yes,
            "list": _BETWEEN[self.lang].join,
        }
        return told[column.kind](value) if column.kind in told else _plain(value, column.kind)


def _plain(value: Any, kind: str) -> str:
    return f"{value:,}" if kind == "number" else str(value)


_NONE = "–"
_BETWEEN: Mapping[str, str] = {"zh-CN": "、", "en": ", "}
_SAID = ("t", "word", "verb", "deed", "day", "short_day", "at", "money", "yes")
"""What templates say without `words.` before it."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox of our templates: what it says of an attribute hangs on a class and a name, and is asked once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._safe: dict[tuple[type, str], bool] = {}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        asked = type(obj), attr
        if (said := self._safe.get(asked)) is None:
            said = self._safe[asked] = super().is_safe_attribute(obj, attr, value)
        return said


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Return the one environment: strict, escaping, without any way to a template that did not ship with the code."""
    return _Sandbox(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a whole page; its language is said in the header too."""
    words = Words(visit.lang, visit.house.zone)
    text = environment().get_template(template).render(**_common(visit, words), **values)
    return HTMLResponse(text, status_code=status, headers={"content-language": visit.lang, "vary": "Cookie"})


def fragment(visit: Visit, template: str, **values: Any) -> HTMLResponse:
    """Return a piece of a page that a page asks for by itself: its words and what it is told, nothing around it."""
    words = Words(visit.lang, visit.house.zone)
    said = {name: getattr(words, name) for name in _SAID}
    return HTMLResponse(environment().get_template(template).render(**said, **values))


def qr_of(visit: Visit, path: str, what: str) -> Markup:
    """Return the square code that leads to a page of this console."""
    title = Words(visit.lang, visit.house.zone).t("qr", what=what)
    return qr(f"{str(visit.request.base_url).rstrip('/')}{path}", title)


def _common(visit: Visit, words: Words) -> dict[str, Any]:
    account = visit.session.account if visit.session else None
    left_out = filters_of(visit)
    return {
        **{name: getattr(words, name) for name in _SAID},
        "lang": visit.lang,
        "other_lang": "en" if visit.lang == "zh-CN" else "zh-CN",
        "words": words,
        "me": account,
        "ways": lambda: ways_of(visit),
        "today": visit.today,
        "csrf": visit.csrf,
        "csrf_field": CSRF_FIELD,
        "has_keys": cookies.read(visit.request, cookies.KEYS) != "off",
        "may": lambda permission: bool(PERMISSIONS[permission] & visit.roles),
        "reads_money": lambda: bool(MONEY_READERS & visit.roles),
        "menu": entries(visit) if account else (),
        "waiting": visit.house.waiting.known(account.user_id) if account else None,
        "references": references(visit) if account else ("problems",),
        "program_version": _version(),
        "path": visit.request.url.path,
        "here": lambda **changes: address(visit, changes),
        "filters": left_out,
        "unfiltered": address(visit, dict.fromkeys({*left_out, "after"})),
        "way_of": lambda name: way_of(
            visit, name, lambda roles: words.among([words.word("role", one) for one in roles])
        ),
        "as_file": lambda form: address(visit, {"after": None}, suffix=f".{form}"),
        "static": lambda name: f"/static/{hashed_name(name)}",
        "is_on_own_page": visit.is_on_own_page,
        "is_rehearsal": visit.house.is_rehearsal,
        "is_demo": visit.house.is_demo,
        "provider": visit.house.provider,
        "time_zone": visit.house.settings.timezone,
        "clock_times": lambda times: [f"{one:%H:%M}" for one in times],
        "trace_id": visit.trace_id,
    }


def address(visit: Visit, changes: Mapping[str, str | None], *, suffix: str = "") -> str:
    """Return the address of this page with other values in its query; None takes one out. URL = state."""
    query = {**dict(visit.request.query_params), **changes}
    said = urlencode({name: value for name, value in query.items() if value is not None})
    path = f"{visit.request.url.path}{suffix}"
    return f"{path}?{said}" if said else path


@cache
def _version() -> str:
    """Return which Pilotway answers; empty where it runs from a source tree."""
    try:
        return metadata.version("pilotway")
    except metadata.PackageNotFoundError:
        return ""


@cache
def statics() -> Mapping[str, tuple[bytes, bytes, str]]:
    """Return hashed name -> (content, the same packed, type) of everything that is served besides pages."""
    return dict(_statics())


@cache
def hashed_name(name: str) -> str:
    """Return the name under which a static file is served: it changes with its content, so it may be kept for ever."""
    stem, _, kind = name.rpartition(".")
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"{stem}.{digest}.{kind}"


def _statics() -> Iterator[tuple[str, tuple[bytes, bytes, str]]]:
    for path in sorted(_STATIC.iterdir()):
        content = path.read_bytes()
        yield hashed_name(path.name), (content, gzip.compress(content, mtime=0), _KINDS[path.suffix[1:]])
