"""In and out: the login page, one click in a demonstration, proving oneself again, leaving."""

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import JSONResponse, RedirectResponse, Response

from lifecycle.access import keys
from lifecycle.access.security import factors
from lifecycle.errors import LifecycleError
from lifecycle.people.queries import personas
from models.states import ChallengeKind
from web import cookies, key_alone
from web.errors import reasons_of, status_of
from web.proving import PASSKEY, FactorWrong, Ways, draw, place_of, said_in, ways_of
from web.render import page
from web.session import (
    Anybody,
    Somebody,
    Typed,
    Visit,
    remember_challenge,
    remember_device,
    remember_halfway,
    remember_session,
    speak,
    text_of,
)
from web.signing_in import (
    Entered,
    Halfway,
    by_one_click,
    by_passkey,
    by_password,
    by_second_factor,
    halfway,
    leave,
    safe_address,
    step_up,
    step_up_by_one_click,
)

router = APIRouter()


@router.get("/login")
def login(visit: Anybody, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Ask who is there."""
    if visit.session is not None:
        return RedirectResponse(safe_address(next), status_code=303)
    return _page(visit, next, login="")


@router.post("/login")
def enter(visit: Anybody, form: Typed) -> Response:
    """Let in who proves who they are, and lead to where they wanted to go."""
    typed, following = text_of(form, "login"), text_of(form, "next")
    try:
        entered = by_password(visit, typed, text_of(form, "password"))
    except LifecycleError as error:
        return _page(visit, following, login=typed, error=error)
    if isinstance(entered, Halfway):
        answer = RedirectResponse(f"/login/otp?next={quote(safe_address(following))}", status_code=303)
        remember_halfway(answer, visit.request, entered.token)
        return answer
    return _into(visit, entered, following)


@router.get("/login/otp")
def ask_second(visit: Anybody, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Ask who has typed the right password for their second factor."""
    return _second(visit, next)


@router.post("/login/otp")
def enter_second(visit: Anybody, form: Typed) -> Response:
    """Let in who shows it."""
    following = text_of(form, "next")
    try:
        entered = by_second_factor(visit, said_in(form))
    except LifecycleError as error:
        return _second(visit, following, error)
    answer = _into(visit, entered, following)
    cookies.forget(answer, visit.request, cookies.HALFWAY)
    return answer


@router.post("/login/passkey")
def draw_for_entering(visit: Anybody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Return what the browser is asked for in the second step."""
    found, place = halfway(visit), place_of(visit)
    if found is None or place is None:
        raise FactorWrong("challenge_over")
    account, challenge = found
    own = visit.read(lambda session: factors(session, account.user_id))
    return JSONResponse(keys.to_prove(place, challenge.signs, [one.credential_id for one in own.keys]))


@router.post("/login/key/challenge")
def draw_for_a_key_alone(visit: Anybody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Return what the browser is asked for where nobody has said yet who they are."""
    place = place_of(visit)
    if place is None or not key_alone.is_offered(visit):
        raise FactorWrong("no_place_for_passkeys")
    kept, signs = key_alone.drawn(visit)
    answer = JSONResponse(keys.to_enter(place, signs))
    remember_challenge(answer, visit.request, kept)
    return answer


@router.post("/login/key")
def enter_by_key(visit: Anybody, form: Typed) -> Response:
    """Let in whom the passkey names that the browser brought."""
    following = text_of(form, "next")
    try:
        entered = by_passkey(visit, text_of(form, PASSKEY))
    except LifecycleError as error:
        answer = _page(visit, following, login="", error=error)
    else:
        answer = _into(visit, entered, following)
    cookies.forget(answer, visit.request, cookies.KEY_ALONE)
    return answer


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
    cookies.forget(answer, visit.request, cookies.SESSION)
    cookies.forget(answer, visit.request, cookies.LANGUAGE)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@router.get("/step-up")
def ask_again(visit: Somebody, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Ask for the password once more."""
    return page(visit, "step_up.html", next=safe_address(next), reasons=())


@router.post("/step-up")
def prove_again(visit: Somebody, form: Typed) -> Response:
    """Let the session decide about money, and about its own access, for five minutes."""
    following = safe_address(text_of(form, "next"))
    try:
        if ways_of(visit).click:
            step_up_by_one_click(visit)
        else:
            step_up(visit, said_in(form))
    except LifecycleError as error:
        reasons = reasons_of(error)
        return page(visit, "step_up.html", status=status_of(error), next=following, reasons=reasons)
    return RedirectResponse(following, status_code=303)


@router.post("/step-up/passkey")
def draw_for_proof(visit: Somebody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Return what the browser is asked for when somebody proves themselves again."""
    own, place = visit.factors, place_of(visit)
    if not own.keys or place is None:
        raise FactorWrong("passkey_not_found")
    signs = draw(visit, ChallengeKind.STEP_UP)
    return JSONResponse(keys.to_prove(place, signs, [one.credential_id for one in own.keys]))


@router.post("/language")
def choose_language(visit: Anybody, form: Typed) -> Response:
    """Remember in which language somebody reads, mails too; of who is not signed in, in which this browser does."""
    answer = RedirectResponse(safe_address(text_of(form, "next")), status_code=303)
    speak(visit, answer, "en" if text_of(form, "lang") == "en" else "zh-CN")
    return answer


def _page(visit: Visit, following: str, *, login: str, error: LifecycleError | None = None) -> Response:
    known = visit.read(personas) if visit.house.is_demo else []
    reasons = reasons_of(error) if error else ()
    status = status_of(error) if error else 200
    ways = {"personas": known, "has_keys_alone": key_alone.is_offered(visit)}
    return page(visit, "login.html", status=status, next=following, login=login, reasons=reasons, **ways)


def _second(visit: Visit, following: str, error: LifecycleError | None = None) -> Response:
    found = halfway(visit)
    if found is None:
        return _page(visit, following, login="", error=error)
    account, _ = found
    own = visit.read(lambda session: factors(session, account.user_id))
    can = Ways(code=own.totp is not None or bool(own.codes), passkey=bool(own.keys) and place_of(visit) is not None)
    status, reasons = (status_of(error), reasons_of(error)) if error else (200, ())
    return page(visit, "otp.html", status=status, next=safe_address(following), reasons=reasons, can=can)


def _into(visit: Visit, entered: Entered, following: str) -> Response:
    answer = RedirectResponse(safe_address(following), status_code=303)
    remember_session(answer, visit.request, entered.token)
    remember_device(answer, visit.request, entered.device)
    return answer
