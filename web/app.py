"""The application: rooms put together, refusals turned into pages or problem documents. One per process."""

import logging
from collections.abc import Sequence
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Invalid, LifecycleError, NotFound, NotSignedIn, unmet
from models.db import is_away, is_lock_timeout, is_retryable
from web.api import births, core, events, lists, money, openapi, schedules, session
from web.api import papers as api_papers
from web.errors import (
    FactorToAdd,
    Malformed,
    NotAllowed,
    PasswordToChange,
    answered,
    patience_of,
    problem,
    reasons_of,
    status_of,
)
from web.guard import Guard, headers_of
from web.house import House
from web.pages import (
    acts,
    admin,
    agreements,
    api,
    bank,
    bank_taken,
    batch_table,
    batches,
    board,
    bringing,
    calendar,
    delegations,
    disbursement,
    drafts,
    entrance,
    exports,
    funds,
    gate,
    house,
    inbox,
    intake,
    invitations,
    links,
    mine,
    notes,
    ops,
    papers,
    payees,
    payouts,
    portfolio,
    project_tabs,
    projects,
    reference,
    reviews,
    run,
    security,
    sign_on,
    standards,
    trail,
    webhooks,
)
from web.proxies import Proxies
from web.render import page
from web.session import anybody, lang_of, trace_id_of

PEOPLE: Sequence[APIRouter] = (
    *(inbox.router, mine.router, notes.router, calendar.router, delegations.router, intake.router, bringing.router),
    *(gate.router, papers.router, batches.router, batch_table.router, reviews.router, project_tabs.router),
)
RUNNING: Sequence[APIRouter] = (
    *(invitations.router, admin.router, ops.router, run.router, webhooks.router, drafts.router, standards.router),
    *(portfolio.router, reference.router, trail.router, exports.router, api.router),
)
MONEY: Sequence[APIRouter] = (
    *(payouts.router, disbursement.router, funds.router, agreements.router, payees.router),
    *(bank.router, bank_taken.router),
)
PAGES: Sequence[APIRouter] = (
    *(house.router, entrance.router, links.router, sign_on.router, security.router, *PEOPLE),
    *(board.router, projects.router, *MONEY, *RUNNING),
    acts.router,
)
"""Pages of their own first; the page of every verb takes what is left."""
API: Sequence[APIRouter] = (
    *(openapi.router, session.router, events.router, money.router, api_papers.router, births.router, schedules.router),
    *(core.router, lists.router),
)
API_PREFIX = "/api/v1"
_LOG = logging.getLogger("pilotway.web")


def make_app(place: House) -> FastAPI:
    """Return the console of a house."""
    app = FastAPI(title="Pilotway", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.house = place
    for router in API:
        app.include_router(router, prefix=API_PREFIX)
    for router in PAGES:
        app.include_router(router, include_in_schema=False)
    app.add_exception_handler(LifecycleError, _refused)
    app.add_exception_handler(HTTPException, _from_framework)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(PoolTimeout, _busy)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Guard, new_id=place.new_id)
    app.add_middleware(Proxies, trusted=place.settings.proxies())
    return app


def is_program(request: Request) -> bool:
    """Say whether the answer is for a program."""
    return request.url.path.startswith(f"{API_PREFIX}/")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LifecycleError)  # noqa: S101 - registered for it
    return answer(request, error, status_of(error))


def _from_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    known: dict[int, type[LifecycleError]] = {404: NotFound, 405: NotAllowed}
    kind = known.get(error.status_code, Malformed)
    reason = unmet(kind.code, verdict_code="no_such_address") if kind is NotFound else kind.code
    found = answer(request, kind(reason), error.status_code)
    for name, value in (error.headers or {}).items():
        found.headers[name] = value
    if error.status_code == 405:
        found.headers["allow"] = ", ".join(sorted(_methods(request.url.path)))
    return found


def _methods(path: str) -> set[str]:
    """Return the methods that an address takes, by every route that it fits."""
    found: set[str] = set()
    for prefix, routers in ((API_PREFIX, API), ("", PAGES)):
        if path.startswith(prefix):
            fits = (one for router in routers for one in router.routes if isinstance(one, APIRoute))
            found.update(*(one.methods or () for one in fits if one.path_regex.match(path.removeprefix(prefix))))
    return found


def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    faults = [unmet("value_wrong", field=str(one["loc"][-1]), value="", form="") for one in error.errors()]
    return _refused(request, Invalid(*faults))


def _busy(request: Request, _error: Exception) -> Response:
    return answer(request, LifecycleError("busy"), 503)


def _database(request: Request, error: Exception) -> Response:
    """Say that it is busy where a lock was waited for in vain or nobody answered; anything else is our fault."""
    assert isinstance(error, DBAPIError)  # noqa: S101 - registered for it
    if is_retryable(error) or is_lock_timeout(error) or is_away(error):
        return _busy(request, error)
    return _broken(request, error)


def _broken(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s", trace_id_of(request), request.url.path, exc_info=error)
    found = answer(request, LifecycleError("unexpected_error"), 500)
    for name, value in headers_of(request.scope, trace_id_of(request)).items():
        found.headers[name] = value  # this handler answers outside of the guard
    return found


def answer(request: Request, error: LifecycleError, status: int) -> Response:
    """Return a refusal as a problem document, as the way to the login page, or as a page; when to try again with it."""
    found = _answered(request, error, status)
    found.headers.update(patience_of(error, status))
    return found


def _answered(request: Request, error: LifecycleError, status: int) -> Response:
    if is_program(request):
        return _document(request, error, status)
    if isinstance(error, NotSignedIn) and error.code == NotSignedIn.code:
        return RedirectResponse(f"/login?next={quote(_wanted(request))}", status_code=303)
    if isinstance(error, PasswordToChange):
        return RedirectResponse(f"/security/password?next={quote(_wanted(request))}", status_code=303)
    if isinstance(error, FactorToAdd):
        return RedirectResponse("/security", status_code=303)
    visit = anybody(request)
    return page(visit, "problem.html", status=status, code=error.codes[0], reasons=reasons_of(error), number=status)


def _document(request: Request, error: LifecycleError, status: int) -> Response:
    lang = lang_of(request, None)
    path, trace_id = request.url.path, trace_id_of(request)
    document = problem(error, lang=lang, path=path, trace_id=trace_id, status=status)
    asks = {"www-authenticate": 'Bearer realm="pilotway"'} if status == 401 else {}
    return answered(document, {"content-language": lang, **asks})


def _wanted(request: Request) -> str:
    """Return where somebody wanted to go; a form that was sent cannot be sent again, so the page before it."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}" if request.method == "GET" else "/"
