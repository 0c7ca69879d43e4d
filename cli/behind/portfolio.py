"""Lists of projects, and one project in full."""

from typing import Any

from sqlmodel import Session

from cli.door import Door
from cli.output import Column
from lifecycle.errors import Unmet
from lifecycle.projects.cohort import stage_named
from lifecycle.projects.queries import overview, portfolio, project_rows

_FACTS = (
    Column(key="number"),
    Column(key="name"),
    Column(key="programme"),
    Column(key="standard"),
    Column(key="organisation"),
    Column(key="platform"),
    Column(key="receiver"),
    Column(key="stage", kind="state"),
    Column(key="run_state", kind="state"),
    Column(key="visit"),
    Column(key="received_on"),
    Column(key="opened_on"),
    Column(key="due_on"),
    Column(key="hold"),
    Column(key="version"),
    Column(key="id"),
)


def project_list(door: Door, *, stage: str, is_overdue: bool, is_on_hold: bool) -> list[dict[str, Any]]:
    """Return the projects asked for, by number."""
    rows = door.read(lambda session: portfolio(session, today=door.today, stage=stage_named(stage)))
    if is_overdue:
        rows = [row for row in rows if row["due_on"] is not None and row["due_on"] < door.today]
    return [row for row in rows if row["is_on_hold"]] if is_on_hold else rows


def show_project(door: Door, ref: str) -> None:
    """Print one project: its facts, its visits, its people, what happened last."""
    from cli.behind.stop_reviews import stop_reviews_of, tell

    def work(session: Session) -> tuple[dict[str, Any], list[Unmet]]:
        project_id = door.lookup(session).project(ref)
        due = stop_reviews_of(door, session, project_rows(session, [project_id]))
        return overview(session, project_id, today=door.today), due.get(project_id, [])

    found, stop_review = door.read(work)
    found["stop_review"] = [reason.document() for reason in stop_review]
    output = door.output
    output.record(_FACTS, found)
    if output.as_json or output.fields:
        return
    for key, columns in _PARTS.items():
        if found[key]:
            output.line("")
            output.line(output.label(key), "cyan")
            output.table(columns, found[key])
    tell(door, found["number"], stop_review)


_PARTS = {
    "visits": (
        Column(key="stage", kind="state"),
        Column(key="visit"),
        Column(key="state", kind="state"),
        Column(key="opened_on"),
        Column(key="due_on"),
        Column(key="closed_on"),
        Column(key="reason", is_wide=True),
    ),
    "people": (Column(key="role", kind="role"), Column(key="name"), Column(key="login")),
    "history": (
        Column(key="at"),
        Column(key="event", kind="verb"),
        Column(key="from_state", kind="state"),
        Column(key="to_state", kind="state"),
        Column(key="by"),
    ),
}
