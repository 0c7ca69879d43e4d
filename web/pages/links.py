"""Coming in by a link from a mail: an invitation that takes a password, and the firm's own page.

Opening a link changes nothing, for mail scanners open links too; the button on its page uses it.
"""

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from lifecycle.access.guessing import weaknesses
from lifecycle.access.passwords import hashed
from lifecycle.access.queries import fingerprint
from lifecycle.actor import Actor
from lifecycle.entrance.commands import AcceptInvitation
from lifecycle.errors import Invalid, LifecycleError, unmet
from models.states import Door, InvitationKind
from web.coming_in import count_asking, enter_by_link, send_link, what_opens
from web.errors import LinkVoid, reasons_of, status_of
from web.render import page
from web.session import Anybody, Typed, Visit, remember_session, text_of
from web.signing_in import address_of

router = APIRouter()


@router.get("/invite/done")
def done(visit: Anybody) -> Response:
    """Say that the account is open, and where to sign in."""
    return page(visit, "invite_done.html")


@router.get("/invite/{token}")
def invitation(visit: Anybody, token: str) -> Response:
    """Show what an invitation brings, and ask for a password."""
    return _invitation(visit, token)


@router.post("/invite/{token}")
def accept(visit: Anybody, form: Typed, token: str) -> Response:
    """Open the account with this password; the link is used up by it."""
    found = what_opens(visit, token, InvitationKind.INVITATION)
    password, again = text_of(form, "password"), text_of(form, "again")
    wrong = weaknesses(password, found.email, found.name, found.organisation)
    if password != again:
        wrong = (*wrong, unmet("passwords_differ"))
    if wrong:
        return _invitation(visit, token, error=Invalid(*wrong))
    command = AcceptInvitation(
        command_id=str(visit.house.new_id()),
        invitation_id=found.invitation_id,
        token_sha256=fingerprint(token),
        password_hash=hashed(password),
        address=address_of(visit),
    )
    actor = Actor(user_id=found.user_id, person_id=found.user_id, name=found.name, door=Door.WEB)
    if visit.act(command, by=actor).error is not None:
        raise LinkVoid(LinkVoid.code)
    return RedirectResponse("/invite/done", status_code=303)


@router.get("/login/link")
def ask(visit: Anybody) -> Response:
    """Ask to whom a link shall be sent."""
    return page(visit, "link_ask.html", login="", reasons=())


@router.post("/login/link")
def send(visit: Anybody, form: Typed) -> Response:
    """Give the same answer to everybody, in the same time: who is behind the login is looked up afterwards."""
    login = text_of(form, "login").strip()
    try:
        count_asking(visit, login)
    except LifecycleError as error:
        status, reasons = status_of(error), reasons_of(error)
        return page(visit, "link_ask.html", status=status, login=login, reasons=reasons)
    answer = page(visit, "link_sent.html")
    answer.background = BackgroundTask(send_link, visit, login)
    return answer


@router.get("/link/{token}")
def link(visit: Anybody, token: str) -> Response:
    """Show the button that uses the link."""
    return page(visit, "link.html", found=what_opens(visit, token, InvitationKind.OWN_PAGE))


@router.post("/link/{token}")
def enter(visit: Anybody, form: Typed, token: str) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Use the link and begin a session of the firm's own pages; one that was open in this browser ends."""
    cookie = enter_by_link(visit, token)
    answer = RedirectResponse("/my", status_code=303)
    remember_session(answer, visit.request, cookie)
    return answer


def _invitation(visit: Visit, token: str, *, error: LifecycleError | None = None) -> Response:
    found = what_opens(visit, token, InvitationKind.INVITATION)
    reasons = reasons_of(error) if error else ()
    return page(visit, "invite.html", status=status_of(error) if error else 200, found=found, reasons=reasons)
