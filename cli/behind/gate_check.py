"""The gate as it stands now: every requirement of the present stage, judged, with who owes it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import typer
from sqlmodel import Session

from cli.door import Door, named
from cli.errors import REFUSED
from cli.output import Column, Output, folded, padded, plain, screen_width, width_of
from lifecycle.actor import Actor
from lifecycle.errors import Invalid, Unmet, unmet
from lifecycle.people.queries import people_who_owe
from lifecycle.projects.queries import due_days_of, living_project_ids, project_rows
from lifecycle.stages.judgement import Verdict
from lifecycle.standards.pack import Criterion, Pack, Text
from lifecycle.verdicts.cache import verdicts_of
from lifecycle.verdicts.packs import packs_of
from models.db import reading
from models.states import STAGES, ProjectState
from models.states import Door as DoorName
from notifications.words import Lang, explain_unmet, sentence, title

_CHUNK = 500
_INDENT = 14


def check_one(door: Door, ref: str, *, is_full: bool) -> None:
    """Print the gate of one project; leaves with exit 3 when something is unmet."""
    gates = door.read(lambda session: list(_gates(door, session, [door.lookup(session).project(ref)])))
    output = door.output
    for gate in gates:
        if output.as_json:
            output.document(_document(gate))
        else:
            _show_gate(gate, output, is_full=is_full)
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
            count += 1
            unmet_gates += not gate["is_met"]
    if output.as_json:
        print("]}" if count else '{"data": []}')
    output.say("gates_checked", count=count, unmet=unmet_gates)
    if unmet_gates:
        raise typer.Exit(REFUSED)


def list_criteria(door: Door, ref: str, stage: str) -> None:
    """Print what the standard of a project asks in a stage."""

    def work(session: Session) -> tuple[Pack, ProjectState]:
        (row,) = project_rows(session, [door.lookup(session).project(ref)])
        return packs_of(session, [row.pack_sha256])[row.pack_sha256], ProjectState(row.stage)

    pack, present = door.read(work)
    asked = _asked_stage(stage, present)
    lang = door.output.lang
    rows = [criterion_row(criterion, lang) for criterion in pack.stage(asked).criteria]
    columns = (
        Column(key="clause"),
        Column(key="title", is_wide=True),
        Column(key="how", kind="how"),
        Column(key="strength", kind="strength"),
        Column(key="owed_by"),
        Column(key="evidence", is_wide=True),
    )
    door.output.table(columns, rows)


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
        "evidence": list(criterion.evidence),
        "parameters": dict(criterion.parameters),
    }


def in_language(text: Text, lang: Lang) -> str:
    """Return a sentence of the standard in one language."""
    return text.zh if lang == "zh-CN" else text.en


def type_names(pack: Pack, lang: Lang) -> dict[str, str]:
    """Return the titles of the evidence types of a standard."""
    return {kind.id: in_language(kind.title, lang) for kind in pack.evidence_types}


def _gates(door: Door, session: Session, project_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """Yield one document per project, in their order."""
    stamp = door.stamp(Actor.clock(DoorName.CLI))
    rows = project_rows(session, project_ids)
    packs = packs_of(session, {row.pack_sha256 for row in rows})
    verdicts = dict(verdicts_of(session, rows, stamp))
    people = people_who_owe(session, project_ids)
    due = due_days_of(session, [row.stage_run_id for row in rows if row.stage_run_id is not None])
    overdue = {day: stamp.calendar.working_days_between(day, stamp.today) for day in set(due.values()) if day}
    names = {sha256: type_names(pack, door.output.lang) for sha256, pack in packs.items()}
    for row in rows:
        judged = [
            _requirement(verdict, packs[row.pack_sha256], row.id, people, door.output.lang, names[row.pack_sha256])
            for verdict in verdicts.get(row.id, ())
        ]
        due_on = due.get(row.stage_run_id)
        yield _gate(row, packs[row.pack_sha256], judged, due_on, overdue[due_on] if due_on else 0)


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


def _requirement(
    verdict: Verdict,
    pack: Pack,
    project_id: UUID,
    people: Mapping[Any, tuple[str, ...]],
    lang: Lang,
    names: Mapping[str, str],
) -> dict[str, Any]:
    reasons = [named(reason, project_id, people) for reason in _reasons(verdict)]
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
        "values": dict(verdict.values),
    }


def _reasons(verdict: Verdict) -> list[Unmet]:
    """One reason for each party that owes something; at least one, for its words."""
    base = Unmet(
        code=verdict.code,
        clause=verdict.clause,
        verdict=verdict.state,
        values=verdict.values,
        due_on=verdict.due_on,
        suffices=verdict.suffices,
    )
    return [replace(base, party=owes.party, role=owes.role) for owes in verdict.owed_by] or [base]


def _print_streamed(gate: Mapping[str, Any], output: Output, *, is_first: bool) -> None:
    if output.as_json:
        print('{"data": [' if is_first else ",")
        print(json.dumps(_document(gate), ensure_ascii=False, default=plain), end="")
    else:
        lacking = " ".join(one["clause"] for one in gate["requirements"] if not one["is_met"])
        output.line("  ".join(filter(None, [_headline(gate, output), lacking])), "" if gate["is_met"] else "yellow")


def _document(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Return what machines get: everything but the words that only the table needs."""
    hidden = ("owed_by_words",)
    asked = [{key: one[key] for key in one if key not in hidden} for one in gate["requirements"]]
    return {**gate, "requirements": asked}


def _show_gate(gate: Mapping[str, Any], output: Output, *, is_full: bool) -> None:
    output.line(_headline(gate, output), "cyan")
    unmet_ones = [one for one in gate["requirements"] if not one["is_met"]]
    shown = gate["requirements"] if is_full else unmet_ones
    wide = max((width_of(one["title"]) for one in shown), default=0)
    for one in shown:
        _show_requirement(one, output, min(wide, 36))
    rest = len(gate["requirements"]) - len(shown)
    if rest:
        output.line(f"  ok   {sentence('rest_is_met', {'count': rest}, output.lang)}", "green")


def _show_requirement(one: Mapping[str, Any], output: Output, wide: int) -> None:
    mark, colour = ("ok", "green") if one["is_met"] else ("MISS", "red")
    verdict = title("verdict", one["verdict"], output.lang)
    until = one["due_on"].isoformat() if one["due_on"] and not one["is_met"] else ""
    tail = "  ".join(filter(None, [verdict, one["owed_by_words"], until]))
    head = f"  {mark:<4} {one['clause']:<6} {padded(one['title'], wide)}"
    is_narrow = width_of(f"{head}  {tail}") > screen_width()
    output.line(head if is_narrow else f"{head}  {tail}", colour)
    told = [] if one["is_met"] else [one["reason"], one["what_suffices"] and f"→ {one['what_suffices']}"]
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
