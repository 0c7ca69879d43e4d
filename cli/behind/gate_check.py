"""The gate as it stands now: every requirement of the present stage, judged, with who owes it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import typer
from sqlmodel import Session

from cli.behind.stop_reviews import stop_reviews_of, tell
from cli.door import Door
from cli.errors import REFUSED, advice
from cli.output import Column, Output, folded, json_text, padded, screen_width, width_of
from lifecycle.actor import Actor
from lifecycle.errors import Invalid, unmet
from lifecycle.people.queries import WhoOwes, people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates, living_project_ids, project_rows
from lifecycle.projects.rules import entry_met
from lifecycle.stages.judgement import Verdict
from lifecycle.standards.pack import Criterion, Pack
from lifecycle.verdicts.packs import packs_of
from models.db import reading
from models.states import STAGES, ProjectState
from models.states import Door as DoorName
from notifications.gates import in_language, named, reasons_of, type_names
from notifications.words import Lang, explain_unmet, sentence, title

_CHUNK = 500
_INDENT = 14
_BRIEF = (
    Column(key="clause"),
    Column(key="title", is_wide=True),
    Column(key="how", kind="how"),
    Column(key="strength", kind="strength"),
    Column(key="owed_by", is_wide=True),
    Column(key="judged_by", is_wide=True),
    Column(key="evidence", is_wide=True),
)
_FULL = (Column(key="text"), Column(key="parameters"))


def check_one(door: Door, ref: str, *, is_full: bool) -> None:
    """Print the gate of one project; leaves with exit 3 when something is unmet."""
    gates = door.read(lambda session: list(_gates(door, session, [door.lookup(session).project(ref)])))
    output = door.output
    for gate in gates:
        if output.as_json:
            output.document(_document(gate))
        else:
            _show_gate(gate, output, is_full=is_full)
        _tell_stop_review(door, gate)
    _leave([gate for gate in gates if not gate["is_met"]])


def check_all(door: Door) -> None:
    """Print the gates of all projects that have not ended, as they are judged; exit 3 when one is unmet."""
    output, unmet_gates, count = door.output, 0, 0

    def work(session: Session) -> Iterator[dict[str, Any]]:
        for ids in living_project_ids(session, _CHUNK):
            yield from _gates(door, session, ids)

    with reading(door.engine) as session:
        for gate in work(session):
            _print_streamed(gate, output, is_first=count == 0)
            _tell_stop_review(door, gate)
            count += 1
            unmet_gates += not gate["is_met"]
    if output.as_json:
        print("]}" if count else '{"data": []}')
    output.say("gates_checked", count=count, unmet=unmet_gates)
    if unmet_gates:
        raise typer.Exit(REFUSED)


def list_criteria(door: Door, ref: str, stage: str, *, is_full: bool) -> None:
    """Print what the standard of a project asks in a stage."""

    def work(session: Session) -> tuple[Pack, ProjectState]:
        (row,) = project_rows(session, [door.lookup(session).project(ref)])
        return packs_of(session, [row.pack_sha256])[row.pack_sha256], ProjectState(row.stage)

    pack, present = door.read(work)
    asked = _asked_stage(stage, present)
    print_criteria(door.output, [criterion_row(one, door.output.lang) for one in pack.stage(asked).criteria], is_full)


def print_criteria(output: Output, rows: Sequence[Mapping[str, Any]], is_full: bool) -> None:  # noqa: FBT001 - from a flag
    """Print criteria as a table; in full each with its sentence, its limits and who judges, as a block of its own."""
    if not is_full or output.as_json or output.fields:
        output.table((*_BRIEF, *_FULL) if output.fields else _BRIEF, rows)
        return
    for row in rows:
        output.record(
            (*_BRIEF, *_FULL),
            {**row, "parameters": [f"{name}={row['parameters'][name]}" for name in row["parameters"]]},
        )
        output.line("")


def _asked_stage(text: str, present: ProjectState) -> ProjectState:
    if not text and present in STAGES:
        return present
    if text not in STAGES:
        raise Invalid(unmet("no_such_stage", value=text or str(present), known=[str(stage) for stage in STAGES]))
    return ProjectState(text)


def criterion_row(criterion: Criterion, lang: Lang) -> dict[str, Any]:
    """Return one criterion for a list, in one language."""
    owed = [f"{title('party', owes.party, lang)} {title('role', owes.role, lang)}" for owes in criterion.owed_by]
    return {
        "clause": criterion.id,
        "title": in_language(criterion.title, lang),
        "text": in_language(criterion.text, lang),
        "how": criterion.how,
        "strength": criterion.strength,
        "owed_by": owed,
        "judged_by": [title("role", judge.role, lang) for judge in criterion.judges],
        "evidence": list(criterion.evidence),
        "parameters": dict(criterion.parameters),
    }


def _gates(door: Door, session: Session, project_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """Yield one document per project, in their order."""
    stamp = door.stamp(Actor.clock(DoorName.CLI))
    people = people_who_owe(session, project_ids)
    found = list(gates(session, project_ids, stamp))
    stop_reviews = stop_reviews_of(door, session, [facts.project for facts in found])
    for facts in found:
        judged = [_requirement(verdict, facts, people, door.output.lang) for verdict in facts.verdicts]
        due_on = facts.run.due_on if facts.run is not None else None
        late = stamp.calendar.working_days_between(due_on, stamp.today) if due_on else 0
        more = {
            "entry": _entry(facts, people, door.output.lang),
            "stop_review": stop_reviews.get(facts.project.id, []),
        }
        yield {**_gate(facts.project, facts.pack, judged, due_on, late), **more}


def _entry(facts: ProjectFacts, people: WhoOwes, lang: Lang) -> list[dict[str, Any]]:
    """Return what `advance` asks besides the gate: the open entry lines of the next stage."""
    names, found = type_names(facts.pack, lang), []
    for one in entry_met(facts):
        if one.clause not in {verdict.clause for verdict in facts.verdicts}:
            reason = named(one, facts.project.id, people)
            words = explain_unmet(reason, lang, names)
            document = {"evidence": None, **reason.values, **reason.document(), "reason": words.what}
            found.append({**document, "owed_by_words": words.owed_by})
    return found


def _gate(row: Any, pack: Pack, judged: list[dict[str, Any]], due_on: Any, overdue: int) -> dict[str, Any]:
    stage = ProjectState(row.stage)
    place = STAGES.index(stage) + 1 if stage in STAGES else None
    target = None if place is None else ProjectState.IN_PRODUCTION if place == len(STAGES) else STAGES[place]
    met = sum(1 for one in judged if one["is_met"])
    return {
        "number": row.number,
        "name": row.name,
        "stage": str(stage),
        "target": target and str(target),
        "gate": f"G{place}" if place else None,
        "standard": f"{pack.code}@{pack.version}",
        "met": met,
        "asked": len(judged),
        "is_met": met == len(judged),
        "due_on": due_on,
        "days_overdue": max(0, overdue),
        "version": row.version,
        "requirements": judged,
    }


def _requirement(verdict: Verdict, facts: ProjectFacts, people: WhoOwes, lang: Lang) -> dict[str, Any]:
    pack, names = facts.pack, type_names(facts.pack, lang)
    reasons = [named(reason, facts.project.id, people) for reason in reasons_of(verdict)]
    words = [explain_unmet(reason, lang, names) for reason in reasons]
    return {
        "clause": verdict.clause,
        "title": in_language(pack.criterion(verdict.clause).title, lang),
        "strength": verdict.strength,
        "is_met": verdict.passes,
        "verdict": str(verdict.state),
        "code": verdict.code,
        "reason": words[0].what,
        "owed_by": [
            {"party": reason.party, "role": reason.role, "people": list(reason.people)}
            for reason in reasons
            if reason.party
        ],
        "owed_by_words": "; ".join(word.owed_by for word in words if word.owed_by),
        "due_on": verdict.due_on,
        "suffices": verdict.suffices,
        "what_suffices": words[0].suffices or None,
        "try": advice(verdict.code, facts.project.number) or None,
        "values": dict(verdict.values),
    }


def _print_streamed(gate: Mapping[str, Any], output: Output, *, is_first: bool) -> None:
    if output.as_json:
        print('{"data": [' if is_first else ",")
        print(json_text(_document(gate)), end="")
    else:
        lacking = " ".join(one["clause"] for one in gate["requirements"] if not one["is_met"])
        output.line("  ".join(filter(None, [_headline(gate, output), lacking])), "" if gate["is_met"] else "yellow")


def _document(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return what machines get: everything but the words that only the table needs."""
    asked = {
        part: [{key: one[key] for key in one if key != "owed_by_words"} for one in gate[part]]
        for part in ("requirements", "entry")
    }
    return {**gate, **asked, "stop_review": [reason.document() for reason in gate["stop_review"]]}


def _tell_stop_review(door: Door, gate: Mapping[str, Any]) -> None:
    if not door.output.as_json:
        tell(door, gate["number"], gate["stop_review"])


def _show_gate(gate: Mapping[str, Any], output: Output, *, is_full: bool) -> None:
    output.line(_headline(gate, output), "cyan")
    unmet_ones = [one for one in gate["requirements"] if not one["is_met"]]
    shown = gate["requirements"] if is_full else unmet_ones
    wide = max((width_of(one["title"]) for one in shown), default=0)
    for one in shown:
        _show_requirement(one, output, min(wide, 36))
    rest = len(gate["requirements"]) - len(shown)
    if rest:
        code = "rest_is_met" if shown else "all_are_met"
        output.line(f"  {output.mark('met')} {sentence(code, {'count': rest}, output.lang)}", "green")
    if gate["entry"]:
        output.line(f"  {sentence('asked_on_entry', {'target': gate['target']}, output.lang)}")
    for one in gate["entry"]:
        _show_entry(one, gate["number"], output)


def _show_entry(one: Mapping[str, Any], number: str, output: Output) -> None:
    tail = "  ".join(filter(None, [one["reason"], one["owed_by_words"]]))
    way = f"→ pilotway evidence add {number} {one['evidence']} FILE" if one["evidence"] else ""
    first, *rest = [part for text in (tail, way) if text for part in folded(text, screen_width() - _INDENT)]
    output.line(f"  {padded(output.mark('unmet'), _INDENT - 2)}{first}", "red")
    for line in rest:
        output.line(" " * _INDENT + line)


def _show_requirement(one: Mapping[str, Any], output: Output, wide: int) -> None:
    mark, colour = ("met", "green") if one["is_met"] else ("unmet", "red")
    verdict = title("verdict", one["verdict"], output.lang)
    until = one["due_on"].isoformat() if one["due_on"] and not one["is_met"] else ""
    tail = "  ".join(filter(None, [verdict, one["owed_by_words"], until]))
    head = f"  {output.mark(mark)} {one['clause']:<6} {padded(one['title'], wide)}"
    is_narrow = width_of(f"{head}  {tail}") > screen_width()
    output.line(head if is_narrow else f"{head}  {tail}", colour)
    told = [] if one["is_met"] else [one["reason"], *(f"→ {way}" for way in (one["what_suffices"], one["try"]) if way)]
    for text in filter(None, [tail if is_narrow else "", *told]):
        for line in folded(text, screen_width() - _INDENT):
            output.line(" " * _INDENT + line)


def _headline(gate: Mapping[str, Any], output: Output) -> str:
    way = title("state", gate["stage"], output.lang)
    if gate["target"]:
        way += f" → {title('state', gate['target'], output.lang)}"
    late = sentence("days_overdue", {"count": gate["days_overdue"]}, output.lang) if gate["days_overdue"] else ""
    tally = f"{gate['met']}/{gate['asked']}" if gate["asked"] else ""
    return "  ".join(filter(None, [f"{gate['number']} {gate['name']}", way, tally, gate["standard"], late]))


def _leave(unmet_gates: Sequence[Any]) -> None:
    if unmet_gates:
        raise typer.Exit(REFUSED)
