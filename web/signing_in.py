"""Letting somebody in: count, compare, then say so to the lifecycle. Pages and API do it alike."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from lifecycle.access.commands import SignIn, SignOut, StepUp
from lifecycle.access.passwords import matches
from lifecycle.access.queries import (
    Account,
    account_of,
    fingerprint,
    has_tried_too_often,
    is_known_device,
    login_fingerprint,
)
from lifecycle.actor import Actor
from lifecycle.errors import LifecycleError, NotSignedIn, unmet
from lifecycle.writing import insert_rows
from models.access import SignInAttempt
from models.db import run_in_transaction
from models.limits import SIGN_IN_WINDOW
from models.states import SignInKind
from web.errors import TooMany
from web.session import DEVICE_COOKIE, Visit, csrf_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A session that has just begun; the secrets go into cookies and nowhere else."""

    token: str
    device: str
    user_id: str
    expires_at: str

    @property
    def csrf(self) -> str:
        """What the forms of the new session carry."""
        return csrf_of(self.token)


class SignInWrong(NotSignedIn):
    """Login or password is wrong, or the account is closed; which of them is not told."""

    code = "sign_in_wrong"


def by_password(visit: Visit, login: str, password: str) -> Entered:
    """Let in who knows the password; `SignInWrong`, or `TooMany` after ten wrong tries in five minutes."""
    device = visit.request.cookies.get(DEVICE_COOKIE) or secrets.token_urlsafe(32)
    account, known = visit.read(lambda session: _allowed_to_try(session, visit, login, device))
    is_good = matches(password, account.password_hash if account else None)
    _note(visit, login, device if known else None, is_good=is_good)
    if account is None or not is_good:
        raise SignInWrong(SignInWrong.code)
    return _begin(visit, account, SignInKind.PASSWORD, device)


def by_one_click(visit: Visit, login: str) -> Entered:
    """Let in as somebody of the demonstration; in a rehearsal with a clock of its own, and nowhere else."""
    account = visit.read(lambda session: account_of(session, login)) if visit.house.is_demo else None
    if account is None:
        raise SignInWrong(SignInWrong.code)
    return _begin(visit, account, SignInKind.PERSONA, secrets.token_urlsafe(32))


def step_up(visit: Visit, password: str) -> str:
    """Let a session decide about money for five minutes; return until when. `SignInWrong`, `TooMany`."""
    session = visit.session
    if session is None:
        raise NotSignedIn(NotSignedIn.code)
    login = session.account.login
    account, _ = visit.read(lambda reader: _allowed_to_try(reader, visit, login, None))
    is_good = matches(password, account.password_hash if account else None)
    _note(visit, login, None, is_good=is_good)
    if not is_good:
        raise SignInWrong(SignInWrong.code)
    return _stepped_up(visit, SignInKind.PASSWORD)


def step_up_by_one_click(visit: Visit) -> str:
    """Let somebody of the demonstration decide about money, who has no password; nowhere else."""
    if not visit.house.is_demo:
        raise SignInWrong(SignInWrong.code)
    return _stepped_up(visit, SignInKind.PERSONA)


def _stepped_up(visit: Visit, kind: SignInKind) -> str:
    session = visit.session
    if session is None:
        raise NotSignedIn(NotSignedIn.code)
    key, user_id = str(visit.house.new_id()), session.account.user_id
    answer = visit.act(StepUp(command_id=key, user_id=user_id, session_id=session.session_id, kind=kind))
    if answer.error is not None:
        raise answer.error
    visit.used["stepped_up"] = True
    return str(answer.document["until"])


def leave(visit: Visit) -> None:
    """End the session of this visit, if there is one."""
    if visit.session is not None:
        key, session = str(visit.house.new_id()), visit.session
        visit.act(SignOut(command_id=key, user_id=session.account.user_id, session_id=session.session_id))


def address_of(visit: Visit) -> str:
    """Return where the visit comes from, as the server was told."""
    client = visit.request.client
    return client.host[:45] if client else ""


def _allowed_to_try(session: Session, visit: Visit, login: str, device: str | None) -> tuple[Account | None, bool]:
    account = account_of(session, login)
    digest = fingerprint(device) if device else None
    known = is_known_device(session, account, digest)
    tried = has_tried_too_often(
        session,
        login_sha256=login_fingerprint(login),
        address=address_of(visit),
        device_sha256=digest if known else None,
        now=visit.now,
    )
    if tried:
        raise TooMany(unmet("too_many", minutes=SIGN_IN_WINDOW // timedelta(minutes=1)))
    return account, known


def _note(visit: Visit, login: str, device: str | None, *, is_good: bool) -> None:
    row = {
        "id": visit.house.new_id(),
        "at": visit.now,
        "kind": SignInKind.PASSWORD,
        "login_sha256": login_fingerprint(login),
        "address": address_of(visit),
        "device_sha256": fingerprint(device) if device else None,
        "is_good": is_good,
    }
    run_in_transaction(visit.house.engine, lambda session: insert_rows(session, SignInAttempt, [row]))


def _begin(visit: Visit, account: Account, kind: SignInKind, device: str) -> Entered:
    token = secrets.token_urlsafe(32)
    actor = Actor(user_id=account.user_id, person_id=account.person_id, name=account.name, door=visit.door)
    command = SignIn(
        command_id=str(visit.house.new_id()),
        user_id=account.user_id,
        token_sha256=fingerprint(token),
        kind=kind,
        address=address_of(visit),
        agent=visit.request.headers.get("user-agent", "")[:200],
        device_sha256=fingerprint(device),
    )
    answer = visit.act(command, by=actor)
    if isinstance(answer.error, LifecycleError):
        raise SignInWrong(SignInWrong.code)
    return Entered(
        token=token, device=device, user_id=str(account.user_id), expires_at=str(answer.document["expires_at"])
    )
