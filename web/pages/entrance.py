"""In and out: the login page, one click in a demonstration, proving oneself again, leaving."""

from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import LifecycleError
from lifecycle.people.queries import personas
from web.errors import reasons_of, status_of
from web.render import page
from web.session import (
    COOKIE,
    Anybody,
    Somebody,
    Typed,
    Visit,
    remember_device,
    remember_session,
    speak,
    text_of,
)
from web.signing_in import Entered, by_one_click, by_password, leave, step_up

router = APIRouter()
FIRST_PAGE = "/"


@router.get("/login")
def login(visit: Anybody, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Ask who is there."""
    if visit.session is not None:
        return RedirectResponse(_safe(next), status_code=303)
    return _page(visit, next, login="")


@router.post("/login")
def enter(visit: Anybody, form: Typed) -> Response:
    """Let in who proves who they are, and lead to where they wanted to go."""
    typed, following = text_of(form, "login"), text_of(form, "next")
    try:
        entered = by_password(visit, typed, text_of(form, "password"))
    except LifecycleError as error:
        return _page(visit, following, login=typed, error=error)
    return _into(visit, entered, following)


@router.post("/login/as")
def enter_as(visit: Anybody, form: Typed) -> Response:
    """Let in as somebody of the demonstration, with one click."""
    following = text_of(form, "next")
    try:
        entered = by_one_click(visit, text_of(form, "login"))
    except LifecycleError as error:
        return _page(visit, following, login="", error=error)
    return _into(visit, entered, following)


@router.post("/logout")
def go(visit: Anybody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """End the session."""
    leave(visit)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@router.get("/step-up")
def ask_again(visit: Somebody, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Ask for the password once more."""
    return page(visit, "step_up.html", next=_safe(next), reasons=())


@router.post("/step-up")
def prove_again(visit: Somebody, form: Typed) -> Response:
    """Let the session decide about money for five minutes."""
    following = _safe(text_of(form, "next"))
    try:
        step_up(visit, text_of(form, "password"))
    except LifecycleError as error:
        reasons = reasons_of(error)
        return page(visit, "step_up.html", status=status_of(error), next=following, reasons=reasons)
    return RedirectResponse(following, status_code=303)


@router.post("/language")
def choose_language(visit: Anybody, form: Typed) -> Response:
    """Remember in which language somebody reads, mails too; of who is not signed in, in which this browser does."""
    answer = RedirectResponse(_safe(text_of(form, "next")), status_code=303)
    speak(visit, answer, "en" if text_of(form, "lang") == "en" else "zh-CN")
    return answer


def _page(visit: Visit, following: str, *, login: str, error: LifecycleError | None = None) -> Response:
    known = visit.read(personas) if visit.house.is_demo else []
    reasons = reasons_of(error) if error else ()
    status = status_of(error) if error else 200
    return page(visit, "login.html", status=status, next=following, login=login, reasons=reasons, personas=known)


def _into(visit: Visit, entered: Entered, following: str) -> Response:
    answer = RedirectResponse(_safe(following), status_code=303)
    remember_session(answer, visit.request, entered.token)
    remember_device(answer, visit.request, entered.device)
    return answer


def _safe(following: str) -> str:
    """Return where to go: one of our own pages, never another place that an address names."""
    parts = urlsplit(following)
    is_own = following.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in following
    return following if is_own and not following.startswith("/login") else FIRST_PAGE
