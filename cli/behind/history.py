"""The history of a project as people read it: every act and every refusal, with its reason."""

from itertools import islice
from typing import Any

from sqlmodel import Session

from cli.door import Door
from cli.output import Column, Output
from lifecycle.engine import may_see
from lifecycle.errors import NotFound, unmet
from lifecycle.reports.history import Event, told
from notifications.gates import standard_names
from notifications.words import title

_COLUMNS = (
    Column(key="seq"),
    Column(key="at"),
    Column(key="by"),
    Column(key="act"),
    Column(key="object"),
    Column(key="from_state", kind="state"),
    Column(key="to_state", kind="state"),
    Column(key="reason", is_wide=True),
)


def tell_history(door: Door, ref: str, *, limit: int, after: int) -> None:
    """Print a page of the history; `NotFound` for somebody who has no part in the project."""

    def work(session: Session) -> tuple[list[tuple[Event, int]], dict[str, str]]:
        project_id = door.lookup(session).project(ref)
        if door.is_named and not may_see(session, project_id, door.actor(session), today=door.today):
            raise NotFound(unmet("not_found", ref=ref))
        page = list(islice(told(session, project_id, after=after), limit + 1))
        return page, standard_names(session, project_id, door.output.lang)

    page, names = door.read(work)
    following = page[limit][1] if len(page) > limit else None
    rows = [_row(event, door, names) for event, _ in page[:limit]]
    if door.output.as_json:
        door.output.document({"data": rows, "next": following})
        return
    door.output.table(_COLUMNS, rows)
    if following is not None:
        door.output.say("history_goes_on", after=following)


def _row(event: Event, door: Door, names: dict[str, str]) -> dict[str, Any]:
    """Return one act: stored words for programs, beside them the act and the refusal in words."""
    lang = door.output.lang
    moves = event.from_state != event.to_state
    refused = ", ".join(title("refusal", code, lang) for code in event.codes)
    act = _act(event, door.output)
    return {
        "seq": event.seq,
        "at": event.at,
        "by": event.actor_name or title("actor", event.actor, lang),
        "login": event.actor,
        "action": event.action,
        "act": act,
        "object": event.about if door.output.as_json else names.get(event.about, event.about),
        "from_state": event.from_state if moves else None,
        "to_state": event.to_state if moves else None,
        "reason": refused if event.is_refused and not door.output.as_json else event.reason,
        "codes": list(event.codes),
    }


def _act(event: Event, output: Output) -> str:
    whole = title("verb", event.verb, output.lang)
    words = title("verb", event.verb.rpartition(".")[2], output.lang) if whole == event.verb else whole
    return f"{words} ({title('refusal', 'refused', output.lang)})" if event.is_refused else words
