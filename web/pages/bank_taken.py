"""A file of the bank that somebody brings, and what became of it: a receipt that can be loaded again."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Forbidden, LifecycleError, unmet
from models.reading import table_of
from models.statements import BankStatement, StatementLine
from models.states import LineStatus, StatementStatus
from web.bank_files import taken
from web.errors import reasons_of, status_of
from web.pages.bank import TAKERS, bank_page, need_bank
from web.render import page
from web.sent_files import key_of, need_own
from web.session import Somebody, Typed, Visit

router = APIRouter()
_COUNTED = (LineStatus.MATCHED, LineStatus.DUPLICATE, LineStatus.EXCEPTION)


@router.post("/bank")
def upload(visit: Somebody, form: Typed) -> Response:
    """Take a file of the bank: imported, known already, or quarantined with the reason; lead to its receipt."""
    _need(visit)
    try:
        found = taken(visit, form)
    except LifecycleError as error:
        return bank_page(visit, reasons_of(error), status=status_of(error))
    said = {"status": found.status, "name": found.name}
    key = key_of(visit, _said(found.sha256, **said))
    return RedirectResponse(f"/bank/taken/{found.sha256}?{urlencode({**said, 'key': key})}", status_code=303)


@router.get("/bank/taken/{sha256}")
def show(visit: Somebody, sha256: str, status: str = "", name: str = "", key: str = "") -> Response:
    """Show what became of a file to who sent it in this session; what it said of payments stands on their pages."""
    _need(visit)
    need_own(visit, _said(sha256, status=status, name=name), key)
    counts, refusal = visit.read(lambda session: _became(session, sha256))
    return page(
        visit,
        "bank_taken.html",
        status_word=status,
        name=name,
        sha256=sha256,
        counts=[(str(one), counts.get(one, 0)) for one in _COUNTED],
        reasons=(unmet(**refusal),) if refusal and status == StatementStatus.QUARANTINED else (),
    )


def _need(visit: Visit) -> None:
    need_bank(visit)
    if not visit.roles & TAKERS:
        raise Forbidden(unmet("role", needs=sorted(TAKERS), verb="take"))


def _said(sha256: str, *, status: str, name: str) -> str:
    return f"{sha256}:{status}:{name}"


def _became(session: Session, sha256: str) -> tuple[dict[LineStatus, int], dict[str, Any] | None]:
    """Return how many bookings of a file became what, and why it lies in quarantine, where it does."""
    line, statement = table_of(StatementLine), table_of(BankStatement)
    counted = (
        select(line.c.status, func.count())
        .join(statement, statement.c.id == line.c.statement_id)
        .where(statement.c.file_sha256 == sha256, statement.c.status == StatementStatus.IMPORTED)
        .group_by(line.c.status)
    )
    aside = select(statement.c.refusal).where(
        statement.c.file_sha256 == sha256, statement.c.status == StatementStatus.QUARANTINED
    )
    counts = {LineStatus(status): int(count) for status, count in session.execute(counted)}
    return counts, session.execute(aside.limit(1)).scalar_one_or_none()
