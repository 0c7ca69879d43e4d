"""All disbursement: whether it is stopped, since when and why; who may stops it, two people let it go on."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.disbursement.commands import standing_holds
from models.people import User
from models.reading import rows_by
from web.money_nouns import DISBURSEMENT
from web.pages.record import Note, Record, acts_of, record_page
from web.record import Scribe
from web.render import Words
from web.session import Somebody, onward

router = APIRouter()
_HOLD = ("reason", "note", "from_at", "put_by", "first_lifter")


@router.get("/disbursement")
def lead(visit: Somebody) -> Response:
    """Lead to the one page there is."""
    visit.read(lambda session: DISBURSEMENT.find(session, visit, ""))
    return onward(visit, "/disbursement/all")


@router.get("/disbursement/{ref}")
def show(visit: Somebody, ref: str) -> Response:
    """Show every hold on disbursement, and what can be done."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> Record:
        row = DISBURSEMENT.find(session, visit, ref)
        holds = standing_holds(session)
        scribe = Scribe(words, kinds={"reason": "reason"})
        state = words.t("disbursement.stopped") if holds else words.t("disbursement.goes")
        empty = words.t("disbursement.none")
        return Record(
            title=words.t("disbursement.title"),
            own=words.t("disbursement.title"),
            crumbs=[(words.t("payouts.title"), "/payouts")],
            facts=[],
            tables=[scribe.table(words.t("disbursement.holds"), _rows(session, holds), _HOLD, empty=empty)],
            notes=[Note(text=state, is_bad=bool(holds))],
            acts=acts_of(session, visit, DISBURSEMENT, row),
        )

    return record_page(visit, visit.read(work))


def _rows(session: Session, holds: Any) -> list[dict[str, Any]]:
    users = {one.put_by for one in holds} - {None}
    names = {key: rows[0].name for key, rows in rows_by(session, User, "id", users).items()}
    people = {one.first_lifter_id for one in holds} - {None}
    signed = rows_by(session, User, "person_id", people, "created_at") if people else {}
    return [
        {
            "reason": one.reason,
            "note": one.note,
            "from_at": one.from_at,
            "put_by": names.get(one.put_by, ""),
            "first_lifter": signed[one.first_lifter_id][0].name if one.first_lifter_id in signed else "",
        }
        for one in holds
    ]
