"""Single sign-on: the way to the identity provider, and back with its answer. It makes no accounts."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.access.queries import fingerprint
from lifecycle.actor import Actor
from lifecycle.engine import BatchRefused
from lifecycle.entrance.commands import UNLINK_IDENTITY, LinkIdentity
from lifecycle.entrance.queries import Vouched, identities, vouched_for
from lifecycle.errors import LifecycleError, NotFound
from lifecycle.writing import insert_rows
from models.access import OutsideAnswer
from models.db import run_in_transaction
from models.limits import OUTSIDE_SIGN_IN_LASTS
from models.reading import table_of
from models.states import Door, SignInKind
from web import cookies, oidc
from web.asking import Ask, show, take
from web.coming_in import begin
from web.errors import SignOnRefused
from web.nouns import USERS
from web.render import Words
from web.session import Anybody, Somebody, Typed, Visit, is_same_origin, remember_session
from web.signing_in import safe_address

router = APIRouter()
_DAY = timedelta(days=1)


@router.get("/login/oidc")
def go(visit: Anybody, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Send the browser to the identity provider; it keeps what its answer will be compared with.

    Another site that leads here begins no session: whoever comes from there sees the page to sign in first.
    """
    provider = oidc.provider_of(visit.house.settings)
    if not is_same_origin(visit.request.headers):
        return RedirectResponse(f"/login?next={quote(safe_address(next))}", status_code=303)
    begun = oidc.begin(safe_address(next)[:1000], visit.now)
    answer = RedirectResponse(oidc.way_to(provider, begun), status_code=303)
    sealed = oidc.sealed(begun, _secret(visit))
    cookies.keep(answer, visit.request, cookies.SIGN_ON, sealed, lasts=OUTSIDE_SIGN_IN_LASTS)
    return answer


@router.get("/login/oidc/back")
def come_back(visit: Anybody) -> Response:
    """Let in whom the provider vouches for, if they have an account here; the answer is taken once."""
    provider = oidc.provider_of(visit.house.settings)
    begun = oidc.unsealed(cookies.read(visit.request, cookies.SIGN_ON), _secret(visit), visit.now)
    code = oidc.check_answer(provider, begun, visit.request.query_params)
    _take(visit, begun.drawn("state"))
    identity = oidc.identity(provider, begun, code)
    cookie = _enter(visit, provider.issuer, identity)
    answer = RedirectResponse(safe_address(begun.following), status_code=303)
    remember_session(answer, visit.request, cookie)
    cookies.forget(answer, visit.request, cookies.SIGN_ON)
    return answer


@router.get("/users/{ref}/identities/{identity}/end")
def ask_end(visit: Somebody, ref: str, identity: str) -> Response:
    """Ask whether an account shall be known to a provider no more."""
    return show(visit, _end(visit, ref, identity))


@router.post("/users/{ref}/identities/{identity}/end")
def end(visit: Somebody, form: Typed, ref: str, identity: str) -> Response:
    """End it."""
    return take(visit, _end(visit, ref, identity), form)


def _end(visit: Visit, ref: str, identity: str) -> Ask:
    def work(session: Session) -> tuple[Any, dict[str, Any]]:
        row = USERS.find(session, visit, ref)
        found = next((one for one in identities(session, row.id) if str(one["id"]) == identity), None)
        if found is None:
            raise NotFound(NotFound.code)
        return row, found

    row, found = visit.read(work)
    words = Words(visit.lang, visit.house.zone)
    facts = ((words.field("user_id"), row.name), (str(found["issuer"]), str(found["subject"])))
    fixed = {"user_id": row.id, "identity_id": found["id"]}
    return Ask(verb=UNLINK_IDENTITY, inputs=(), back=USERS.url(row), fixed=fixed, facts=facts)


def _secret(visit: Visit) -> bytes:
    if visit.house.secret is None:
        raise LifecycleError("secret_missing")
    return visit.house.secret


def _take(visit: Visit, state: str) -> None:
    """Note that an answer was taken; `oidc_state_wrong` for one that comes again, also at the same instant."""
    row = {"id": visit.house.new_id(), "state_sha256": fingerprint(state), "at": visit.now}

    def work(session: Session) -> None:
        answers = table_of(OutsideAnswer)
        session.execute(delete(answers).where(answers.c.at < visit.now - _DAY))
        insert_rows(session, OutsideAnswer, [row])

    try:
        run_in_transaction(visit.house.engine, work)
    except IntegrityError as error:
        raise SignOnRefused("oidc_state_wrong") from error


def _enter(visit: Visit, issuer: str, identity: oidc.Identity) -> str:
    """Begin the session of the account behind an identity, linked to it from the first time on."""
    email = identity.email if identity.is_email_verified else None
    found = visit.read(lambda session: vouched_for(session, issuer=issuer, subject=identity.subject, email=email))
    if found is None:
        raise SignOnRefused("oidc_nobody" if email or not identity.email else "oidc_email_unverified")
    actor = Actor(user_id=found.user_id, person_id=found.person_id, name=found.name, door=Door.WEB)
    link = () if found.is_linked else (_link(visit, found, issuer, identity.subject),)
    try:
        return begin(visit, actor, SignInKind.OIDC, *link)
    except BatchRefused as error:
        raise SignOnRefused(*error.unmet) from error


def _link(visit: Visit, found: Vouched, issuer: str, subject: str) -> LinkIdentity:
    return LinkIdentity(command_id=str(visit.house.new_id()), user_id=found.user_id, issuer=issuer, subject=subject)
