"""What belongs to no subject: stylesheet and script, health, and what a code means."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lifecycle.errors import NotFound
from lifecycle.invariants.check import frozen
from models.db import reading
from models.readiness import NotReadyError, check_ready, head_revision
from notifications.words import is_known
from web.render import page, statics
from web.session import Anybody, house_of

router = APIRouter()
FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """Give a file that ships with the console, under a name that changes with its content; packed where that is read.

    Pages are never packed: the length of what holds a token and something typed would tell of the token (BREACH).
    """
    if name not in statics():
        raise NotFound(NotFound.code)
    content, packed, kind = statics()[name]
    headers = {"cache-control": FOR_EVER, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=kind, headers={**headers, "content-encoding": "gzip"})
    return Response(content, media_type=kind, headers=headers)


@router.get("/healthz")
def healthz() -> Response:
    """Say that the process answers."""
    return JSONResponse({"ok": True})


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Say whether the database can be worked on."""
    house = house_of(request)
    try:
        check_ready(house.engine)
        with reading(house.engine) as session:
            found = {"ok": True, "schema": head_revision(), "frozen": bool(frozen(session)["on"])}
        return JSONResponse(found)
    except NotReadyError as error:
        return JSONResponse({"ok": False, "schema": str(error), "frozen": None}, status_code=503)


@router.get("/problems/{code}")
def problem_code(visit: Anybody, code: str) -> Response:
    """Say what a code means: the address that problem documents name."""
    known = code.replace("-", "_")
    if not known.isidentifier() or not (is_known(known) or "_not_possible_when_" in known):
        raise NotFound(NotFound.code)
    return page(visit, "problem_code.html", code=known)
