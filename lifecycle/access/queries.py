"""Who is behind a login, a cookie or a token, and how often somebody has tried of late."""

import functools
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update
from sqlmodel import Session

from lifecycle.people.facts import folded
from lifecycle.people.queries import grants
from models.access import Credential, KnownDevice, SignInAttempt, WebSession
from models.journal import AuditRecord
from models.limits import SESSION_IDLE, SIGN_IN_TRIES, SIGN_IN_WINDOW, TEMPORARY_PASSWORD_LASTS
from models.people import ApiToken, User
from models.reading import table_of
from models.states import SignInKind, UserStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as a door needs it to let somebody in."""

    user_id: UUID
    person_id: UUID
    login: str
    name: str
    language: str
    password_hash: str | None = None
    password_until: datetime | None = None
    """When a password ends that somebody else set and its owner has not changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A live session with its account."""

    session_id: UUID
    account: Account
    seen_at: datetime
    expires_at: datetime
    stepped_up_until: datetime | None
    is_own_page_only: bool
    has_password_to_change: bool = False
    """Somebody else set the password that this session began with: nothing else is open until it is changed."""
    is_by_password: bool = False
    """A password was typed, whether or not a factor followed: whom no provider and no mail let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A live API token with its account."""

    token_id: UUID
    account: Account
    scopes: frozenset[str]
    last_used_at: datetime | None


def fingerprint(secret: str) -> str:
    """Return what is stored of a token, and compared."""
    return hashlib.sha256(secret.encode()).hexdigest()


def login_fingerprint(login: str) -> str:
    """Return under what attempts on a login are counted, whether or not it is anybody's."""
    return fingerprint(folded(login))


def account_of(session: Session, login: str) -> Account | None:
    """Return the active account with this login or mail address, with the hash of its password."""
    user, credential = table_of(User), table_of(Credential)
    statement = (
        select(*_of_account(), credential.c.password_hash, credential.c.set_at, credential.c.is_to_change)
        .outerjoin(credential, credential.c.user_id == user.c.id)
        .where(or_(user.c.login == login.strip(), user.c.email == folded(login)), user.c.status == UserStatus.ACTIVE)
    )
    rows = session.execute(statement).all()
    if len(rows) != 1:
        return None
    (row,) = rows
    until = row.set_at + TEMPORARY_PASSWORD_LASTS if row.is_to_change else None
    return replace(_account(row), password_hash=row.password_hash, password_until=until)


def account_by_id(session: Session, user_id: UUID) -> Account | None:
    """Return the active account of this id, without its password."""
    user = table_of(User)
    row = session.execute(
        select(*_of_account()).where(user.c.id == user_id, user.c.status == UserStatus.ACTIVE)
    ).first()
    return None if row is None else _account(row)


def known_words(session: Session, user_id: UUID) -> tuple[str, ...]:
    """Return what anybody may know of whose account it is, so that a password is not made of it."""
    user = table_of(User)
    row = session.execute(select(user.c.login, user.c.email, user.c.name).where(user.c.id == user_id)).one_or_none()
    houses = {one["organisation"] for one in grants(session, user_id)}
    return tuple(filter(None, (*(row or ()), *sorted(filter(None, houses)))))


def signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Return the session of this cookie: neither ended, nor run out, nor idle for half an hour, its account active."""
    asked = {"token": fingerprint(token), "now": now, "not_idle": now - SESSION_IDLE}
    row = session.execute(_sessions(), asked).one_or_none()
    if row is None:
        return None
    return SignedIn(
        session_id=row.session_id,
        account=_account(row),
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        stepped_up_until=row.stepped_up_until,
        is_own_page_only=row.is_own_page_only,
        has_password_to_change=bool(row.is_to_change)
        and row.kind in _BY_PASSWORD
        and not (row.kind == SignInKind.PASSKEY and _began_by_key_alone(session, row)),
        is_by_password=row.kind in _BY_PASSWORD,
    )


@functools.cache
def _sessions() -> Any:
    user, web, credential = table_of(User), table_of(WebSession), table_of(Credential)
    return (
        select(
            *_of_account(),
            web.c.id.label("session_id"),
            web.c.seen_at,
            web.c.created_at,
            web.c.expires_at,
            web.c.stepped_up_until,
            web.c.is_own_page_only,
            web.c.kind,
            credential.c.is_to_change,
        )
        .join(web, web.c.user_id == user.c.id)
        .outerjoin(credential, credential.c.user_id == user.c.id)
        .where(web.c.token_sha256 == bindparam("token"), web.c.ended_at.is_(None), user.c.status == UserStatus.ACTIVE)
        .where(web.c.expires_at > bindparam("now"), web.c.seen_at > bindparam("not_idle"))
    )


def _began_by_key_alone(session: Session, row: Any) -> bool:
    """Say whether a session began with a passkey and no password, as the act says by which it began."""
    record = table_of(AuditRecord)
    of_account = (record.c.object_type == "user", record.c.object_id == row.user_id)
    begun = (*of_account, record.c.action == "user.sign_in", record.c.at == row.created_at)
    said = [json.loads(body)["detail"] for body in session.execute(select(record.c.body).where(*begun)).scalars()]
    return any(one["session_id"] == str(row.session_id) and "has_no_password" in one for one in said)


def bearer(session: Session, token: str, now: datetime) -> Bearer | None:
    """Return whose API token this is, if it holds."""
    user, table = table_of(User), table_of(ApiToken)
    row = session.execute(
        select(*_of_account(), table.c.id.label("token_id"), table.c.scopes, table.c.last_used_at)
        .join(table, table.c.user_id == user.c.id)
        .where(table.c.token_sha256 == fingerprint(token), table.c.revoked_at.is_(None), table.c.expires_at > now)
        .where(user.c.status == UserStatus.ACTIVE)
    ).one_or_none()
    if row is None:
        return None
    return Bearer(
        token_id=row.token_id,
        account=_account(row),
        scopes=frozenset(row.scopes),
        last_used_at=row.last_used_at,
    )


def touch(session: Session, session_id: UUID, now: datetime) -> None:
    """Note that a session is in use; no act of anybody, so nothing is told of it."""
    web = table_of(WebSession)
    session.execute(update(web).where(web.c.id == session_id).values(seen_at=now))


def touch_token(session: Session, token_id: UUID, now: datetime) -> None:
    """Note that a token is in use; no act of anybody, so nothing is told of it."""
    token = table_of(ApiToken)
    session.execute(update(token).where(token.c.id == token_id).values(last_used_at=now))


def is_known_device(session: Session, account: Account | None, device_sha256: str | None) -> bool:
    """Say whether this browser has signed in to the account before."""
    if account is None or device_sha256 is None:
        return False
    device = table_of(KnownDevice)
    known = select(device.c.id).where(device.c.user_id == account.user_id, device.c.token_sha256 == device_sha256)
    return session.execute(known).first() is not None


def has_tried_too_often(
    session: Session, *, login_sha256: str, address: str, device_sha256: str | None, now: datetime
) -> bool:
    """Say whether there were ten wrong tries in five minutes: on this login from this place, or from this place at all.

    A browser that is known for the account counts its own tries only, so nobody locks anybody else out.
    """
    attempt = table_of(SignInAttempt)
    wrong = select(func.count()).where(attempt.c.at > now - SIGN_IN_WINDOW, attempt.c.is_good.is_(False))
    if device_sha256 is not None:
        asked = [wrong.where(attempt.c.login_sha256 == login_sha256, attempt.c.device_sha256 == device_sha256)]
    else:
        place = wrong.where(attempt.c.address == address, attempt.c.device_sha256.is_(None))
        asked = [place.where(attempt.c.login_sha256 == login_sha256), place]
    return any(session.execute(one).scalar_one() >= SIGN_IN_TRIES for one in asked)


_BY_PASSWORD = frozenset({SignInKind.PASSWORD, SignInKind.TOTP, SignInKind.PASSKEY, SignInKind.RECOVERY})
"""How somebody signs in who types a password first."""


def _of_account() -> tuple[Any, ...]:
    user = table_of(User)
    return (user.c.id.label("user_id"), user.c.person_id, user.c.login, user.c.name, user.c.language)


def _account(row: Any) -> Account:
    return Account(
        user_id=row.user_id,
        person_id=row.person_id,
        login=row.login,
        name=row.name,
        language=row.language,
    )
