"""What programs do with money besides one verb on one thing: ask for a payout, one word on several, a file taken."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse, Response

from lifecycle.engine import BatchRefused
from lifecycle.errors import Forbidden, Invalid, unmet
from lifecycle.payouts import together as several
from lifecycle.payouts.commands import RequestPayout
from models.states import Role, Scope
from web.api.core import Dry, carried, key_of, need, read_as, told
from web.bank_files import taken
from web.errors import Malformed, answered, problem
from web.money_nouns import MILESTONES, PAYOUTS
from web.proving import need_money_proof
from web.session import Program, Visit

router = APIRouter(tags=["money"])
MULTIPART = "multipart/form-data"
_TAKERS = frozenset({Role.ACCOUNTANT, Role.OPERATOR})


class Asked(BaseModel):
    """A payout that somebody asks for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    project_id: Annotated[UUID, Field(strict=False)]
    milestone_id: Annotated[UUID, Field(strict=False)]
    payee_account_id: Annotated[UUID, Field(strict=False)]
    amount_minor: int = Field(ge=1, le=10**13)
    currency: str = Field(max_length=3)
    purpose: str = Field(max_length=20)
    evidence: list[str] = Field(default_factory=list, max_length=200)


class OneOf(BaseModel):
    """One payout as it was seen."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[UUID, Field(strict=False)]
    version: int
    payload_hash: str = Field(max_length=64)


class Several(BaseModel):
    """Payouts that are given one word together, and what they come to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[OneOf] = Field(max_length=several.MOST)
    total_minor: int


TheseSeveral = Annotated[Several, Depends(read_as(Several))]


@router.post("/payouts", status_code=201)
def request(visit: Program, asked: Annotated[Asked, Depends(read_as(Asked))], is_dry: Dry) -> Response:
    """Ask for the money of an accepted milestone; what is named besides has to be so."""
    need(visit, Scope.PROJECT_WRITE)
    key = key_of(visit)
    row = visit.read(lambda session: MILESTONES.find(session, visit, str(asked.milestone_id)))
    purpose = "retention" if row.is_retention else "milestone"
    said = {"project_id": asked.project_id, "currency": asked.currency, "purpose": asked.purpose}
    true = {"project_id": row.project_id, "currency": row.currency, "purpose": purpose}
    wrong = [unmet("value_wrong", field=name, value=str(said[name]), form=str(true[name])) for name in said
             if said[name] != true[name]]  # fmt: skip
    if wrong:
        raise Invalid(*wrong)
    command = RequestPayout(
        command_id=key,
        milestone_id=asked.milestone_id,
        payee_account_id=asked.payee_account_id,
        new_amount_minor=asked.amount_minor,
        new_evidence=tuple(asked.evidence),
    )
    return told(carried(visit, command, is_dry=is_dry), 201)


@router.post("/payouts/commands/approve")
def approve(visit: Program, asked: TheseSeveral, is_dry: Dry) -> Response:
    """Approve all of these payouts, each of which one approval is enough for, or none."""
    return _together(visit, "approve", asked, is_dry=is_dry)


@router.post("/payouts/commands/release")
def release(visit: Program, asked: TheseSeveral, is_dry: Dry) -> Response:
    """Release all of these payouts or none."""
    return _together(visit, "release", asked, is_dry=is_dry)


class _Rehearsed(Exception):
    """All of them would be done: what was written on the way is taken back."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers


def _together(visit: Visit, word: several.Word, asked: Several, *, is_dry: bool) -> Response:
    need(visit, Scope.PROJECT_WRITE)
    key = key_of(visit)
    need_money_proof(visit)
    items = [several.Item(id=one.id, version=one.version, payload_hash=one.payload_hash) for one in asked.items]
    stamp = visit.stamp

    def work(session: Session) -> list[Any]:
        for one in items:
            PAYOUTS.find(session, visit, str(one.id))
        found = several.together(session, word, items, total_minor=asked.total_minor, key=key, stamp=stamp)
        if is_dry:
            raise _Rehearsed(found)
        return found

    try:
        answers = visit.write(work)
    except _Rehearsed as found:
        shown = [{**one.document, "dry_run": True} for one in found.answers]
        return JSONResponse({"items": shown, "total_minor": asked.total_minor})
    except BatchRefused as refused:
        return _refused(visit, refused)
    return JSONResponse({"items": [dict(one.document) for one in answers], "total_minor": asked.total_minor})


def _refused(visit: Visit, refused: BatchRefused) -> Response:
    """Return the problem of all, with the reasons of each payout that stands in the way."""
    trace_id, path = visit.trace_id, visit.request.url.path
    document = problem(refused, lang=visit.lang, path=path, trace_id=trace_id)
    items = [
        {"id": str(one.command.payout_id), "reasons": [reason.document() for reason in one.error.unmet]}  # type: ignore[attr-defined]
        for one in refused.answers
        if one.error is not None
    ]
    return answered({**document, "items": items}, {"content-language": visit.lang})


async def files_of(request: Request) -> AsyncIterator[FormData]:
    """Give the parts of a multipart body; `Malformed` for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MULTIPART:
        raise Malformed(unmet(Malformed.code), unmet("content_type_wrong", form=MULTIPART))
    try:
        form = await request.form(max_fields=10, max_files=1)
    except MultiPartException as error:
        raise Malformed(Malformed.code) from error
    try:
        yield form
    finally:
        await form.close()


Files = Annotated[FormData, Depends(files_of)]


@router.post("/statements", status_code=201)
def take(visit: Program, form: Files) -> Response:
    """Take one file of the bank, known by its content; the answer says what became of it, a file in quarantine too."""
    need(visit, Scope.PROJECT_WRITE)
    key_of(visit)
    if not visit.roles & _TAKERS:
        raise Forbidden(unmet("role", needs=sorted(_TAKERS), verb="take"))
    return JSONResponse({"files": [taken(visit, form).document()]}, status_code=201)
