"""What somebody may do with a project now, and why not: the engine's own answer, in words."""

import re
from collections.abc import Sequence
from typing import Any

import typer
from sqlmodel import Session

from cli.behind.stop_reviews import stop_reviews_of, tell
from cli.door import Door
from cli.errors import REFUSED, reason_lines
from cli.output import folded, screen_width
from lifecycle import engine
from lifecycle.actor import Actor
from lifecycle.commands import Verb
from lifecycle.errors import Invalid, Unmet, unmet
from lifecycle.people.queries import people_who_owe
from lifecycle.projects.queries import project_rows
from lifecycle.verbs import BY_NAME
from models.projects import Project
from models.states import Door as DoorName
from notifications.gates import named, standard_names
from notifications.words import explain_unmet, title, verb_title

_INDENT = 9
_NOUNS = {"requirement": "gate", "notice": "gate notice", "trial_batch": "batch"}
"""What an object is called on the command line, where that is not its own name."""
_DASHED = str.maketrans("._", "--")


def explain_all(door: Door, ref: str) -> None:
    """Print every verb of a project with its reasons."""
    _explain(door, ref, _on_projects())


def explain_one(door: Door, ref: str, name: str) -> None:
    """Print one verb with its reasons; leaves with exit 3 when it is not possible."""
    asked = re.sub(r"[\s._]", "-", name.strip())
    known = _on_projects()
    wanted = [verb for verb in known if asked in (_joined(verb), verb.permission.translate(_DASHED))]
    if not wanted:
        raise Invalid(unmet("verb_unknown", value=name, known=[_spoken(verb) for verb in known]))
    if not _explain(door, ref, wanted[:1]):
        raise typer.Exit(REFUSED)


def _explain(door: Door, ref: str, verbs: Sequence[Verb[Any, Any]]) -> bool:
    """Print the answers and say whether all are yes."""

    def work(session: Session) -> tuple[Any, list[tuple[Verb[Any, Any], list[Unmet]]], dict[str, str], list[Unmet]]:
        project_id = door.lookup(session).project(ref)
        answers = engine.explain(session, project_id, verbs, stamp=door.stamp(_actor(door, session)))
        people = people_who_owe(session, [project_id])
        (row,) = project_rows(session, [project_id])
        titles = standard_names(session, project_id, door.output.lang)
        told = [(verb, [named(one, project_id, people) for one in reasons]) for verb, reasons in answers]
        return row, told, titles, stop_reviews_of(door, session, [row]).get(project_id, [])

    row, answers, titles, stop_review = door.read(work)
    output = door.output
    if output.as_json:
        due = [reason.document() for reason in stop_review]
        head = {"number": row.number, "stage": str(row.stage), "version": row.version, "stop_review": due}
        output.document({**head, "data": _data(answers)})
        return all(not reasons for _, reasons in answers)
    output.line(f"{row.number} {row.name}  {title('state', str(row.stage), output.lang)}", "cyan")
    for verb, reasons in answers:
        mark, colour = ("cannot", "red") if reasons else ("can", "green")
        name, words = _spoken(verb), verb_title(verb.permission, output.lang)
        output.line(f"  {output.mark(mark)} {name:<26} {words if words != name else ''}".rstrip(), colour)
        for reason in reasons:
            for line in reason_lines(explain_unmet(reason, output.lang, titles), output):
                indent = _INDENT + len(line) - len(line.lstrip())
                for part in folded(line.lstrip(), screen_width() - indent):
                    output.line(" " * indent + part)
    tell(door, row.number, stop_review)
    return all(not reasons for _, reasons in answers)


def _on_projects() -> list[Verb[Any, Any]]:
    """Return every verb that is asked of a project: its own first, then those about what belongs to it."""
    verbs = [verb for verb in BY_NAME.values() if verb.subject is Project]
    return sorted(verbs, key=lambda verb: (verb.object_type != "project", verb.permission))


def _spoken(verb: Verb[Any, Any]) -> str:
    """Return a verb as it is typed: `advance`, `evidence add`, `gate judge`."""
    noun = "" if verb.object_type == "project" else _NOUNS.get(verb.object_type, verb.object_type)
    return f"{noun} {verb.name}".strip().replace("_", "-")


def _joined(verb: Verb[Any, Any]) -> str:
    return _spoken(verb).replace(" ", "-")


def _data(answers: Sequence[tuple[Verb[Any, Any], list[Unmet]]]) -> list[dict[str, Any]]:
    return [
        {
            "name": verb.name,
            "verb": verb.permission,
            "allowed": not reasons,
            "reasons": [one.document() for one in reasons],
        }
        for verb, reasons in answers
    ]


def _actor(door: Door, session: Session) -> Actor:
    """Who asks; with nobody named the facts alone are judged, as for somebody with every right."""
    if not door.is_named:
        door.output.say("nobody_asks")
        return Actor.clock(DoorName.CLI)
    return door.actor(session)
