"""Panels as people type them, and reviews as people read them."""

from datetime import date
from typing import Any

from sqlmodel import Session

from cli.door import Door
from cli.lookup import Lookup
from cli.output import Column
from lifecycle.errors import Invalid, unmet
from lifecycle.projects.queries import project_rows
from lifecycle.reviews.commands import ConditionItem
from lifecycle.reviews.panel import Seat
from lifecycle.reviews.queries import review_in_full, reviews
from lifecycle.verdicts.packs import packs_of
from models.states import Competence, Role
from notifications.gates import in_language

_CHAIR, _GUEST = "chair", "guest"
SEAT = "LOGIN:ROLE[:COMPETENCE+…][:chair|guest]"
CONDITION = "CLAUSE:LOGIN:DAY[:NOTE]"


def seats(lookup: Lookup, texts: list[str]) -> tuple[Seat, ...]:
    """Read `LOGIN:ROLE[:competence+competence][:chair|guest]`, once for each person."""
    return tuple(_seat(lookup, text) for text in texts)


def _seat(lookup: Lookup, text: str) -> Seat:
    login, *parts = text.split(":")
    flags = {part for part in parts if part in (_CHAIR, _GUEST)}
    rest = [part for part in parts if part not in flags and part]
    if not rest or len(rest) > 2:
        raise Invalid(unmet("value_wrong", field="--member", value=text, form=SEAT))
    try:
        competences = tuple(Competence(one) for one in rest[1].split("+")) if rest[1:] else ()
        role = Role(rest[0])
    except ValueError as error:
        raise Invalid(unmet("value_wrong", field="--member", value=text, form=SEAT)) from error
    return Seat(
        user_id=lookup.user(login),
        role=role,
        competences=competences,
        is_chair=_CHAIR in flags,
        has_vote=_GUEST not in flags,
    )


def conditions(lookup: Lookup, texts: list[str]) -> tuple[ConditionItem, ...]:
    """Read `CLAUSE:LOGIN:DAY[:NOTE]`, once for each condition."""
    return tuple(_condition(lookup, text) for text in texts)


def _condition(lookup: Lookup, text: str) -> ConditionItem:
    parts = text.split(":", 3)
    try:
        clause, login, day, *note = parts
        return ConditionItem(
            clause=clause, owner_id=lookup.user(login), due_on=date.fromisoformat(day), note=note[0] if note else ""
        )
    except ValueError as error:
        raise Invalid(unmet("value_wrong", field="--condition", value=text, form=CONDITION)) from error


def review_list(door: Door, ref: str | None) -> list[dict[str, Any]]:
    """Return the reviews of a project or of all, the newest first."""
    return door.read(lambda session: reviews(session, door.lookup(session).project(ref) if ref else None))


def show_review(door: Door, ref: str) -> None:
    """Print one review: facts, panel, scores, conditions, objections."""
    output = door.output

    def work(session: Session) -> tuple[dict[str, Any], dict[str, str]]:
        found = review_in_full(session, door.lookup(session).review(ref))
        (row,) = project_rows(session, [door.lookup(session).project(found["number"])])
        stages = packs_of(session, [row.pack_sha256])[row.pack_sha256].stages
        factors = (factor for stage in stages for factor in stage.score.factors)
        return found, {factor.id: in_language(factor.title, output.lang) for factor in factors}

    found, factors = door.read(work)
    output.record(_FACTS, found)
    if output.as_json or output.fields:
        return
    found["scores"] = [{**score, "title": factors.get(score["factor"], "")} for score in found["scores"]]
    for key, columns in _PARTS.items():
        if found[key]:
            output.line("")
            output.line(output.label(key), "cyan")
            output.table(columns, found[key])


_FACTS = (
    Column(key="number"),
    Column(key="gate"),
    Column(key="call_no"),
    Column(key="state", kind="state"),
    Column(key="planned_on"),
    Column(key="outcome", kind="outcome"),
    Column(key="target", kind="state"),
    Column(key="until_on"),
    Column(key="reason"),
    Column(key="competences_lost", kind="competence"),
    Column(key="proposed_on"),
    Column(key="notice_starts_on"),
    Column(key="notice_ends_on"),
    Column(key="decided_on"),
    Column(key="version"),
    Column(key="id"),
)
_PARTS = {
    "panel": (
        Column(key="login"),
        Column(key="name"),
        Column(key="role", kind="role"),
        Column(key="competences", kind="competence"),
        Column(key="is_chair"),
        Column(key="has_vote"),
        Column(key="vote", kind="outcome"),
        Column(key="recused_on"),
    ),
    "scores": (Column(key="factor"), Column(key="title", is_wide=True), Column(key="mean"), Column(key="voters")),
    "conditions": (
        Column(key="clause"),
        Column(key="owner"),
        Column(key="due_on"),
        Column(key="cleared_on"),
        Column(key="note", is_wide=True),
    ),
    "objections": (
        Column(key="id"),
        Column(key="raised_by"),
        Column(key="raised_on"),
        Column(key="text", is_wide=True),
        Column(key="is_upheld"),
    ),
}
