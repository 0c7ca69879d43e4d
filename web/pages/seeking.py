"""Which projects somebody asks for in an address: the board, the list and the calendar share one query."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from sqlalchemy import ColumnElement

from lifecycle.errors import Invalid, unmet
from lifecycle.projects.queries import Wanted, is_named_in
from models.states import ProjectState
from web.reading_rights import readable_projects
from web.session import Visit

VIEWS: Mapping[str, str] = {"board": "/board", "list": "/projects", "calendar": "/projects/calendar"}
"""View -> its address; `page.view.<name>` is what a link to it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The filters, as they stand in the query."""

    q: str = ""
    overdue: bool = False
    mine: bool = False
    stage: str = ""
    hold: bool = False

    def wanted(self, visit: Visit, **more: Any) -> Wanted:
        """Return what is asked for, as far as somebody may read it; `Invalid` for a stage that there is not."""
        return Wanted(
            reach=self.reach(visit),
            text=self.q.strip(),
            stage=_stage(self.stage),
            is_overdue=self.overdue,
            is_on_hold=self.hold,
            **more,
        )

    def reach(self, visit: Visit) -> ColumnElement[bool]:
        """Return the condition on what somebody reads, or on what of it they are named in."""
        found = readable_projects(visit.rights, visit.actor)
        return found & is_named_in(visit.actor.user_id) if self.mine else found

    def address(self, view: str, **changes: Any) -> str:
        """Return where a view shows the same, or the same with other values; with `form` as a file."""
        form = changes.pop("form", "")
        values = {**asdict(self), **changes}
        said = {name: "true" if value is True else value for name, value in values.items() if value}
        path = VIEWS[view] + (f".{form}" if form else "")
        return f"{path}?{urlencode(said)}" if said else path

    def shown(self) -> dict[str, Any]:
        """Return what the template of every view knows of the filters."""
        return {
            "sought": self,
            "views": [(name, self.address(name)) for name in VIEWS],
            "stages": [str(one) for one in ProjectState],
        }


Seeking = Annotated[Sought, Depends()]


def _stage(text: str) -> ProjectState | None:
    if not text:
        return None
    try:
        return ProjectState(text)
    except ValueError:
        raise Invalid(unmet("no_such_stage", value=text, known=[str(one) for one in ProjectState])) from None
