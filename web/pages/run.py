"""The page of one run: what it did, what stood in the way and what to do about it, its parameters, its last lines."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import NotFound
from lifecycle.schedules.queries import request_of, run_of
from lifecycle.schedules.times import SCHEDULES, in_zone
from models.states import SlotStatus
from notifications.words import is_known, sentence
from web.causes import WRONG, causes_of, why_in_words
from web.listing import Listing
from web.pages.ops import EFFECTS, MOST_EFFECTS, for_operators, in_words, page_of
from web.reading_rights import as_id
from web.render import Words, page
from web.session import Somebody, Visit

router = APIRouter()
MOST_SHOWN = 10
"""Things that one cause names; the count counts all."""


@router.get("/ops/runs/{run_id}")
def one_run(visit: Somebody, run_id: str) -> Response:
    """Show one run with everything that it did; what failed stands first, by its cause."""
    for_operators(visit)
    known = as_id(run_id)
    row, asked = visit.read(lambda session: _read(session, known)) if known else (None, None)
    if row is None:
        raise NotFound(NotFound.code)
    words = Words(visit.lang, visit.house.zone)
    effects = [{**one, "url": page_of(one)} for one in row.effects]
    wrong = [one for one in effects if one["effect"] in WRONG]
    done = [in_words(one, words) for one in effects if one["effect"] not in WRONG]
    schedule = next((one for one in SCHEDULES if one.id == row.schedule_id), None)
    return page(
        visit,
        "ops_run.html",
        run=row,
        asked=asked,
        why=why_in_words(row.why, words),
        is_run=row.status not in (SlotStatus.MERGED, SlotStatus.SKIPPED),
        schedule=None if schedule is None else in_zone(schedule, visit.house.settings.timezone),
        causes=causes_of(row, wrong, words),
        most_shown=MOST_SHOWN,
        listing=Listing(name="ops.effects", columns=EFFECTS, rows=done),
        is_cut=len(effects) >= MOST_EFFECTS,
        seconds=None if row.ended_at is None else round((row.ended_at - row.started_at).total_seconds()),
        outside=_outside(visit, row.outside_run),
        lines=[_line(one, words) for one in row.log or ()],
    )


def _read(session: Session, run_id: UUID) -> tuple[Any, Any]:
    row = run_of(session, run_id)
    return row, None if row is None else request_of(session, row.schedule_id, row.slot_at)


def _outside(visit: Visit, run_id: str | None) -> str:
    """Return the scheduler's own page of the run; empty where nobody said where its pages are."""
    base = visit.house.settings.prefect_ui
    return f"{base.rstrip('/')}/runs/flow-run/{quote(run_id, safe='')}" if base and run_id else ""


def _line(one: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return one line of the log in words; a code that this release does not know stays as it is."""
    code, values = f"log.{one['code']}", one["values"]
    said = sentence(code, values, words.lang) if is_known(code) else f"{one['code']} {dict(values)}"
    at = datetime.fromisoformat(one["at"]).astimezone(words.zone)
    return {
        "at": f"{at:%m-%d %H:%M:%S}",
        "after": f"{one['ms'] / 1000:.3f}",
        "level": _TAGS.get(one["level"], ""),
        "said": said,
    }


_TAGS = {"bad": "bad", "warn": "wait"}
"""Level of a line -> how it stands out."""
