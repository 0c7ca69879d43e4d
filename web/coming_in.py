"""Links that are sent, from both ends: drawn when somebody is invited or asks, used when somebody comes by one."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from sqlmodel import Session

from lifecycle import engine as melody
from lifecycle.access.commands import SignIn
from lifecycle.access.queries import (
    account_of,
    fingerprint,
    has_tried_too_often,
    is_known_device,
    login_fingerprint,
)
from lifecycle.actor import Actor
from lifecycle.commands import Answer, Command
from lifecycle.entrance.commands import AskLink, OpenLink
from lifecycle.entrance.links import token_of
from lifecycle.entrance.queries import Held, held
from lifecycle.errors import LifecycleError, unmet
from lifecycle.writing import insert_rows
from models.access import SignInAttempt
from models.db import run_in_transaction
from models.limits import SIGN_IN_WINDOW
from models.states import Door, InvitationKind, SignInKind
from web import cookies
from web.errors import LinkVoid, TooMany
from web.session import Visit, new_token
from web.signing_in import address_of, leave

_SPACE = UUID("0d1f9f5e-5b0a-5c58-8f0e-6f2a9b7c4e31")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A link before it is sent: nothing of it but the fingerprint goes any further than its mail."""

    invitation_id: UUID
    user_id: UUID
    token_sha256: str


def drawn(visit: Visit, key: str) -> Drawn:
    """Return the ids and the fingerprint of a new link; LifecycleError where the installation has no key.

    They are the same for the same key of the same visitor, so that a form that is sent twice is one command.
    """
    if visit.house.secret is None:
        raise LifecycleError("secret_missing")
    who = visit.session.account.user_id if visit.session else ""
    invitation_id = uuid5(_SPACE, f"link:{who}:{key}")
    token = token_of(visit.house.secret, invitation_id)
    return Drawn(invitation_id, uuid5(_SPACE, f"account:{who}:{key}"), fingerprint(token))


def what_opens(visit: Visit, token: str, kind: InvitationKind) -> Held:
    """Return what a link is good for; `LinkVoid` for what opens nothing, whatever the reason."""
    found = visit.read(lambda session: held(session, fingerprint(token), visit.now))
    if found is None or found.kind is not kind:
        raise LinkVoid(LinkVoid.code)
    return found


def count_asking(visit: Visit, login: str) -> None:
    """Count that somebody asks for a link, whoever it is for; `TooMany` after ten in five minutes from one place.

    It counts as a wrong try to sign in, so it is no way around that limit; a browser that is known for the account
    has a count of its own.
    """
    if visit.house.secret is None:
        raise LifecycleError("secret_missing")
    device = cookies.read(visit.request, cookies.DEVICE)
    digest = fingerprint(device) if device else None

    def work(session: Session) -> tuple[bool, bool]:
        known = is_known_device(session, account_of(session, login), digest)
        tried = has_tried_too_often(
            session,
            login_sha256=login_fingerprint(login),
            address=address_of(visit),
            device_sha256=digest if known else None,
            now=visit.now,
        )
        return known, tried

    known, tried = visit.read(work)
    if tried:
        raise TooMany(unmet("too_many", minutes=SIGN_IN_WINDOW // timedelta(minutes=1)))
    row = {
        "id": visit.house.new_id(),
        "at": visit.now,
        "kind": SignInKind.LINK,
        "login_sha256": login_fingerprint(login),
        "address": address_of(visit),
        "device_sha256": digest if known else None,
        "is_good": False,
    }
    run_in_transaction(visit.house.engine, lambda session: insert_rows(session, SignInAttempt, [row]))


def send_link(visit: Visit, login: str) -> Answer | None:
    """Have a link sent to the account's own address, if it acts for a firm; nobody is told whether it does."""
    account = visit.read(lambda session: account_of(session, login))
    if account is None:
        return None
    key = str(visit.house.new_id())
    link = drawn(visit, key)
    command = AskLink(
        command_id=key,
        user_id=account.user_id,
        invitation_id=link.invitation_id,
        token_sha256=link.token_sha256,
        address=address_of(visit),
    )
    return visit.act(command, by=Actor.clock(Door.WEB))


def enter_by_link(visit: Visit, token: str) -> str:
    """Use a link up and begin a session of the firm's own pages, both or neither; return the session's token.

    `LinkVoid` for a link that opens nothing, also where two browsers press the button at once.
    """
    found = what_opens(visit, token, InvitationKind.OWN_PAGE)
    actor = Actor(user_id=found.user_id, person_id=found.person_id, name=found.name, door=Door.WEB)
    opening = OpenLink(
        command_id=str(visit.house.new_id()), invitation_id=found.invitation_id, token_sha256=fingerprint(token)
    )
    try:
        return begin(visit, actor, SignInKind.LINK, opening)
    except melody.BatchRefused as error:
        raise LinkVoid(LinkVoid.code) from error


def begin(visit: Visit, actor: Actor, kind: SignInKind, *before: Command) -> str:
    """Begin a session of somebody whom something else vouches for, with what goes before it, all or nothing.

    Return the session's token; `BatchRefused` where one of it is refused.
    """
    cookie = new_token()
    signing_in = SignIn(
        command_id=str(visit.house.new_id()),
        user_id=actor.user_id,
        token_sha256=fingerprint(cookie),
        kind=kind,
        address=address_of(visit),
        agent=visit.request.headers.get("user-agent", "")[:200],
    )
    stamp = visit.house.stamp(actor, visit.now)
    commands = (*before, signing_in)
    run_in_transaction(visit.house.engine, lambda session: melody.execute_all_or_none(session, commands, stamp=stamp))
    leave(visit)
    return cookie
