"""Which projects somebody asks for in an address: board, list, calendar and portfolio share one query."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import MAXYEAR, date
from typing import Annotated, Any, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends
from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from lifecycle.calendar import add_months
from lifecycle.errors import Invalid, unmet
from lifecycle.projects.cohort import stage_named
from lifecycle.projects.queries import Wanted, is_named_in
from lifecycle.standards.pack import Party
from models.people import Organisation
from models.programmes import Programme
from models.projects import Project
from models.reading import table_of
from models.states import ProjectState
from web.reading_rights import as_id, readable_projects
from web.render import Words
from web.session import Visit

VIEWS: Mapping[str, str] = {"board": "/board", "list": "/projects", "calendar": "/projects/calendar"}
"""View -> its address; `page.view.<name>` is what a link to it says."""
PARTIES: tuple[str, ...] = get_args(Party)
"""Who can owe the next step of what a gate lacks."""
_ASKED = frozenset({"q", "overdue", "mine", "hold", "stage", "owed_by"})
"""Filters that the views ask for by fields and buttons of their own; the others come with an address."""
_LAST_MONTH = date(MAXYEAR, 12, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The filters, as they stand in the query."""

    q: str = ""
    overdue: bool = False
    mine: bool = False
    stage: str = ""
    hold: bool = False
    owed_by: str = ""
    since: str = ""
    """Month of receipt, the first one."""
    until: str = ""
    """The last one."""
    platform: str = ""
    programme: str = ""
    standard: str = ""
    """Code, whatever the version."""
    ever: str = ""
    """Stage that they were ever in."""
    decided: bool = False

    def wanted(self, visit: Visit, **more: Any) -> Wanted:
        """Return what is asked for, as far as somebody may read it; `Invalid` for no stage, party, month or id."""
        until = month_of(self.until, "until")
        return Wanted(
            reach=self.reach(visit),
            text=self.q.strip(),
            stage=stage_named(self.stage),
            is_overdue=self.overdue,
            is_on_hold=self.hold,
            owed_by=_party(self.owed_by),
            received_since=month_of(self.since, "since"),
            received_before=add_months(until, 1) if until and until < _LAST_MONTH else None,
            platform_id=_id(self.platform, "platform"),
            programme_id=_id(self.programme, "programme"),
            standard=self.standard,
            ever=stage_named(self.ever),
            is_decided=self.decided,
            **more,
        )

    def reach(self, visit: Visit) -> ColumnElement[bool]:
        """Return the condition on what somebody reads, or on what of it they are named in."""
        found = readable_projects(visit.rights, visit.actor)
        return found & is_named_in(visit.actor.user_id) if self.mine else found

    def address(self, view: str, **changes: Any) -> str:
        """Return where a view shows the same, or the same with other values; with `form` as a file."""
        form = changes.pop("form", "")
        path = VIEWS[view] + (f".{form}" if form else "")
        said = self.said(**changes)
        return f"{path}?{urlencode(said)}" if said else path

    def said(self, **changes: Any) -> dict[str, str]:
        """Return the filters that are set, as they stand in a query."""
        values = {**asdict(self), **changes}
        return {name: "true" if value is True else value for name, value in values.items() if value}

    def shown(self, visit: Visit) -> dict[str, Any]:
        """Return what the template of every view knows of the filters."""
        return {
            "sought": self,
            "views": [(name, self.address(name)) for name in VIEWS],
            "stages": [str(one) for one in ProjectState],
            "parties": PARTIES,
            "chosen": visit.read(lambda session: self._chosen(session, visit)) if self._from_elsewhere else [],
        }

    @property
    def _from_elsewhere(self) -> dict[str, str]:
        return {name: value for name, value in self.said().items() if name not in _ASKED}

    def _chosen(self, session: Session, visit: Visit) -> list[tuple[str, str]]:
        """Return (filter, in words) of what no field of the page asks for, so that it is seen and can be taken off."""
        words = Words(visit.lang, visit.house.zone)
        named: dict[str, tuple[Any, str]] = {
            "platform": (Organisation, "platform_id"),
            "programme": (Programme, "programme_id"),
        }

        def value_of(name: str, value: str) -> str:
            if name in named:
                return self._name(session, visit, *named[name], value)
            return words.word("state", value) if name == "ever" else value

        return [
            (name, words.t(f"sought.{name}", value=value_of(name, value)))
            for name, value in self._from_elsewhere.items()
        ]

    def _name(self, session: Session, visit: Visit, model: Any, column: str, value: str) -> str:
        """Return what a platform or programme is called, where somebody sees a project of it."""
        table, project = table_of(model), table_of(Project)
        key = as_id(value)
        seen = select(project.c.id).where(project.c[column] == key, self.reach(visit)).exists()
        return session.execute(select(table.c.name).where(table.c.id == key, seen)).scalar_one_or_none() or "–"


Seeking = Annotated[Sought, Depends()]


def month_of(text: str, field: str) -> date | None:
    """Return the first day of a month, none where none is named; `Invalid` for what is no month."""
    try:
        return date.fromisoformat(f"{text}-01") if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field=field, value=text, form="2025-07")) from None


def _id(text: str, field: str) -> UUID | None:
    """Return the id that an address names; `Invalid` for what is none, for all would be shown under its name."""
    found = as_id(text)
    if text and found is None:
        raise Invalid(unmet("value_wrong", field=field, value=text, form="UUID"))
    return found


def _party(text: str) -> str:
    """Return the party that a list asks for; `Invalid` for a word that is none."""
    if text and text not in PARTIES:
        raise Invalid(unmet("value_wrong", field="owed_by", value=text, form=" | ".join(PARTIES)))
    return text
