"""Rows as pages show them: a fact or a cell is a text, perhaps a link or a tag, made from a name and a value.

The name says what the value is, as everywhere in the code: `…_minor` an amount, `…_on` a day, `…_at` an instant.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from web import listing
from web.listing import Form, Listing
from web.render import Words

Link: TypeAlias = Callable[[Mapping[str, Any]], str]
"""From a row to the address that a cell leads to; empty for none."""

KINDS: Mapping[str, str] = {
    "state": "state",
    "status": "state",
    "standing": "standing",
    "promise": "promise",
    "role": "role",
    "decision": "verb",
    "needs": "need",
    "warnings": "warning",
    "action": "way_out",
    "possible": "way_out",
    "object_type": "about",
    "account": "account",
    "category": "choice",
    "format": "bank_format",
}
"""What kind of stored word a value is."""
_TAGS: Mapping[str, str] = {
    **dict.fromkeys(("returned", "rejected", "unknown", "exception", "quarantined", "overdue", "broken"), "bad"),
    **dict.fromkeys(("requested", "submitted", "proposed", "prepared", "unsigned", "open"), "wait"),
    **dict.fromkeys(("approved", "instructed", "sent", "acknowledged"), "money"),
}
_TAGGED = frozenset({"state", "status", "standing", "promise"})
_NOTHING = "–"
_SEVERAL = frozenset({"needs", "warnings", "possible"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in one place."""

    text: str
    url: str = ""
    kind: str = ""
    """Of a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of what is known of a thing."""

    name: str
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    is_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows beside each other, and what is said where there are none."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes rows down in one language and currency; `kinds` say what other values are."""

    words: Words
    currency: str = "CNY"
    kinds: Mapping[str, str] | None = None

    def cell(self, name: str, value: Any, *, currency: str = "", url: str = "") -> Cell:
        """Return one value as people read it."""
        text = self._text(name, value, currency or self.currency)
        is_tagged = name in _TAGGED and value not in (None, "")
        return Cell(text=text, url=url, kind=_TAGS.get(str(value), "ok") if is_tagged else "")

    def _text(self, name: str, value: Any, currency: str) -> str:
        kind = {**KINDS, **(self.kinds or {})}.get(name)
        if value is None or value in ("", [], (), {}):
            return _NOTHING
        if name.endswith("_minor"):
            return self.words.money(int(value), currency)
        if isinstance(value, bool):
            return self.words.yes(value)
        if name.endswith("_basis_points"):
            return f"{value / 100:g}%"
        if isinstance(value, datetime):
            return self.words.at(value)
        if isinstance(value, date):
            return self.words.day(value)
        if isinstance(value, Mapping):
            return "; ".join(f"{key} {self._inside(one, currency)}" for key, one in value.items())
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(self.words.word(kind, one) if kind else str(one) for one in value)
        return self.words.word(kind, value) if kind else str(value)

    def _inside(self, value: Any, currency: str) -> str:
        return self.words.money(value, currency) if type(value) is int else str(value)

    def facts(self, row: Mapping[str, Any], names: Iterable[str], links: Mapping[str, str] | None = None) -> list[Fact]:
        """Return the named values of a row, those that are there; `links` lead on."""
        known = links or {}
        currency = str(row.get("currency") or self.currency)
        return [
            Fact(name=self._called(name), cell=self.cell(name, row[name], currency=currency, url=known.get(name, "")))
            for name in names
            if row.get(name) not in (None, "", [], (), {})
        ]

    def _called(self, name: str) -> str:
        is_own = name == "code" and name not in (self.kinds or {})
        return self.words.field("own_code" if is_own else name)

    def table(
        self,
        title: str,
        rows: Sequence[Mapping[str, Any]],
        names: Sequence[str],
        *,
        empty: str,
        links: Mapping[str, Link] | None = None,
    ) -> Table:
        """Return rows under the labels of their names; a currency of the row's own counts."""
        known = links or {}
        columns = tuple(Column(name=self._called(name), is_number=_is_number(name)) for name in names)
        written = tuple(
            tuple(
                self.cell(
                    name,
                    row.get(name),
                    currency=str(row.get("currency") or ""),
                    url=known[name](row) if name in known and row.get(name) else "",
                )
                for name in names
            )
            for row in rows
        )
        return Table(title=title, columns=columns, rows=written, empty=empty)


def listed(  # noqa: PLR0913 - what a list is made of
    name: str,
    names: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    form: Form | None,
    key: str,
    kinds: Mapping[str, str] | None = None,
    day: str = "",
) -> Listing:
    """Return rows as a list that files are made of too, read with one row more than a page shows (`limit_of`).

    `key` is the column that the next page begins behind.
    """
    shown = rows[: listing.PER_PAGE] if form is None else rows
    more = str(shown[-1][key]) if form is None and len(rows) > len(shown) else None
    return Listing(name=name, columns=columns(names, kinds), rows=shown, following=more, day=day)


def columns(names: Sequence[str], kinds: Mapping[str, str] | None = None) -> list[listing.Column]:
    """Return columns for files, by the names of the values."""
    known = {**KINDS, **(kinds or {})}
    called = {"code": "" if "code" in known else "own_code"}
    return [
        listing.Column(key=one, kind=_kind(one, known), word=known.get(one, ""), label=called.get(one, ""))
        for one in names
    ]


def _kind(name: str, words: Mapping[str, str]) -> str:
    if name in words:
        return "words" if name in _SEVERAL else "word"
    ends = {"_minor": "money", "_on": "day", "_at": "at"}
    kind = next((kind for end, kind in ends.items() if name.endswith(end)), "")
    return kind or ("at" if name == "at" else "number" if _is_number(name) else "text")


def _is_number(name: str) -> bool:
    return name.endswith(("_minor", "_count", "_basis_points")) or name in (
        "matched",
        "duplicate",
        "exception",
        "settled",
        "value",
    )
