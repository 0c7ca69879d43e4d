"""The page of one thing that has no drawing of its own: facts, tables, and what can be done with it now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from web.acts import Action, actions
from web.nouns import Noun
from web.record import Fact, Table
from web.render import page
from web.session import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to say before all facts."""

    text: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the page says."""

    title: str
    own: str
    """Its place in the line of where one is."""
    crumbs: Sequence[tuple[str, str]]
    facts: Sequence[Fact]
    tables: Sequence[Table] = ()
    notes: Sequence[Note] = ()
    acts: Sequence[Action] = field(default=())


def acts_of(session: Session, visit: Visit, noun: Noun, row: Any) -> list[Action]:
    """Return what can be done with a thing; nothing where nothing ever is."""
    return actions(session, visit, noun, row) if noun.verbs else []


def split(acts: Sequence[Action]) -> dict[str, list[Action]]:
    """Return what one can do, what not yet, and what is for others."""
    return {
        "can": [one for one in acts if one.is_allowed],
        "cannot": [one for one in acts if not one.is_allowed and not one.is_for_others],
        "others_can": [one for one in acts if one.is_for_others],
    }


def record_page(visit: Visit, found: Record) -> Response:
    """Return the page."""
    values: dict[str, Any] = {
        name: getattr(found, name) for name in ("title", "own", "crumbs", "facts", "tables", "notes")
    }
    values |= split(found.acts)
    return page(visit, "record.html", **values)
