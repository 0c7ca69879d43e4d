"""The room of a gate review: its panel, what was frozen for it, scores and votes, the proposal and the decision."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.projects.queries import project_rows
from lifecycle.requirements.queries import documents
from lifecycle.reviews.commands import PROPOSE
from lifecycle.reviews.panel import quorum, total_of
from lifecycle.reviews.queries import review_in_full
from lifecycle.standards.pack import Pack, Stage
from lifecycle.verdicts.packs import packs_of
from models.projects import StageRun
from models.reading import rows_by
from notifications.gates import in_language, type_names
from web.acts import Action, actions
from web.nouns import REVIEWS
from web.render import page
from web.session import Somebody, Visit

router = APIRouter()


@router.get("/reviews/{ref}")
def room(visit: Somebody, ref: str) -> Response:
    """Show one review: who sits in it, what it sees, what it said, and what may be done now."""

    def work(session: Session) -> dict[str, Any]:
        row = REVIEWS.find(session, visit, ref)
        (project,) = project_rows(session, [row.project_id])
        pack = packs_of(session, [project.pack_sha256])[project.pack_sha256]
        stage = _stage(session, row, pack)
        found = review_in_full(session, row.id)
        titles = {one.id: in_language(one.title, visit.lang) for one in stage.score.factors}
        voting = [seat for seat in found["panel"] if seat["has_vote"]]
        acts = _propose_first(actions(session, visit, REVIEWS, row), found["panel"], visit)
        means = {one["factor"]: float(one["mean"]) for one in found["scores"]}
        return {
            "row": row,
            "project": project,
            "review": found,
            "stage": in_language(stage.title, visit.lang),
            "score": stage.score,
            "total": total_of(stage.score, means),
            "scores": [{**one, "title": titles.get(one["factor"], one["factor"])} for one in found["scores"]],
            "quorum": quorum(stage.panel, len(voting)) if voting else 0,
            "votes": sum(seat["vote"] is not None and seat["recused_on"] is None for seat in voting),
            "frozen": _frozen(session, row),
            "types": type_names(pack, visit.lang),
            "verdicts": sorted((row.frozen.get("verdicts") or {}).items(), key=lambda pair: _clause_order(pair[0])),
            "titles": {one.id: in_language(one.title, visit.lang) for one in stage.criteria},
            "can": [one for one in acts if one.is_allowed],
            "cannot": [one for one in acts if not one.is_allowed and not one.is_for_others],
            "others_can": [one for one in acts if one.is_for_others],
        }

    return page(visit, "review.html", **visit.read(work))


def _propose_first(acts: Sequence[Action], panel: Sequence[Mapping[str, Any]], visit: Visit) -> list[Action]:
    """Return the acts with the outcome first, where who looks may propose it and has voted already."""
    has_voted = any(seat["user_id"] == visit.actor.user_id and seat["vote"] is not None for seat in panel)
    return sorted(acts, key=lambda one: not (has_voted and one.is_allowed and one.verb is PROPOSE))


def _stage(session: Session, row: Any, pack: Pack) -> Stage:
    run = rows_by(session, StageRun, "id", [row.stage_run_id])[row.stage_run_id][0]
    return pack.stage(run.stage)


def _frozen(session: Session, row: Any) -> list[dict[str, Any]]:
    """Return the documents that the panel sees: those whose hashes were frozen when it was called."""
    seen = set(row.frozen.get("evidence") or ())
    return [one for one in documents(session, row.project_id) if one["sha256"] in seen]


def _clause_order(clause: str) -> tuple[str, int]:
    gate, _, number = clause.partition(".")
    return gate, int(number) if number.isdecimal() else 0
