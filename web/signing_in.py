"""Letting somebody in: count, compare, then say so to the lifecycle. Pages and API do it alike."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session

from lifecycle import engine as melody
from lifecycle.access import keys
from lifecycle.access.commands import SignIn, SignOut, StepUp
from lifecycle.access.passwords import matches
from lifecycle.access.queries import (
    Account,
    SignedIn,
    account_by_id,
    account_of,
    fingerprint,
    has_tried_too_often,
    is_known_device,
    login_fingerprint,
)
from lifecycle.access.security import (
    FACTOR_KINDS,
    Key,
    factors,
    has_erred_too_often,
    open_challenge,
    owner_of_key,
)
from lifecycle.actor import Actor
from lifecycle.commands import Command
from lifecycle.errors import NotSignedIn, unmet
from models.limits import SIGN_IN_WINDOW
from models.states import ChallengeKind, SignInKind
from web import cookies, key_alone
from web.errors import TooMany
from web.proving import (
    FactorRequired,
    FactorWrong,
    Opened,
    Said,
    answered,
    new_challenge,
    note,
    place_of,
    shown,
    signing,
)
from web.session import Visit, csrf_of, new_token


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Halfway:
    """The password was right, and a second factor is asked for: what the browser holds meanwhile."""

    token: str
    device: str


def by_password(visit: Visit, login: str, password: str) -> Entered | Halfway:
    """Let in who knows the password, or lead on to the second factor.

    `SignInWrong`, or `TooMany` after ten wrong tries in five minutes.
    """
    account, device = _knows_password(visit, login, password)
    if not visit.read(lambda session: factors(session, account.user_id)).exist:
        return _begin(visit, account, {"kind": SignInKind.PASSWORD}, device)
    token = secrets.token_urlsafe(32)
    new_challenge(visit, account.user_id, ChallengeKind.SIGN_IN, token)
    return Halfway(token=token, device=device)


def by_password_and_code(visit: Visit, login: str, password: str, code: str) -> Entered:
    """Let in a program that says both at once; `FactorRequired` where a second factor is missing."""
    account, device = _knows_password(visit, login, password)
    if not visit.read(lambda session: factors(session, account.user_id)).exist:
        return _begin(visit, account, {"kind": SignInKind.PASSWORD}, device)
    if not code:
        raise FactorRequired(FactorRequired.code)
    return _begin(
        visit, account, _shown(visit, account, Said(code=code), None, partial(_signing_in, visit, account)), device
    )


def halfway(visit: Visit) -> tuple[Account, Opened] | None:
    """Return who has typed the right password in this browser within five minutes, and the challenge of this step."""
    token = cookies.read(visit.request, cookies.HALFWAY)

    def read(session: Session) -> tuple[Account, Opened] | None:
        found = open_challenge(session, fingerprint(token), ChallengeKind.SIGN_IN, visit.now) if token else None
        account = account_by_id(session, found.user_id) if found is not None else None
        if found is None or account is None:
            return None
        return account, Opened(id=found.id, signs=signing(token))

    return visit.read(read)


def by_second_factor(visit: Visit, said: Said) -> Entered:
    """Let in who has typed the password before and shows a second factor now; `FactorWrong`, `TooMany`."""
    found = halfway(visit)
    if found is None:
        raise FactorWrong("challenge_over")
    account, challenge = found
    device = cookies.read(visit.request, cookies.DEVICE) or secrets.token_urlsafe(32)
    proof = _shown(visit, account, said, challenge, partial(_signing_in, visit, account))
    return _begin(visit, account, proof, device)


def _knows_password(visit: Visit, login: str, password: str) -> tuple[Account, str]:
    device = cookies.read(visit.request, cookies.DEVICE) or secrets.token_urlsafe(32)
    account, known = visit.read(lambda session: _allowed_to_try(session, visit, login, device))
    is_good = _is_right(visit, account, password)
    note(visit, login, SignInKind.PASSWORD, device if known else None, is_good=is_good)
    if account is None or not is_good:
        _tell_if_last(visit, account, SignInKind.PASSWORD, SignInWrong.code, device)
        raise SignInWrong(SignInWrong.code)
    return account, device


def by_passkey(visit: Visit, brought: str) -> Entered:
    """Let in whom a passkey names that verified its user: two factors at once. `FactorWrong`, `TooMany`.

    A wrong try from a browser that the account does not know counts for its place alone: nobody locks anybody else out.
    """
    text, signs = key_alone.kept(visit, cookies.read(visit.request, cookies.KEY_ALONE))
    device = cookies.read(visit.request, cookies.DEVICE) or secrets.token_urlsafe(32)
    account, key = visit.read(lambda session: _named_by(session, brought))
    login = account.login if account is not None else ""
    _, is_known = visit.read(lambda session: _allowed_to_try(session, visit, login, device))
    erred = visit.read(lambda session: has_erred_too_often(session, login_fingerprint(login), visit.now))
    if account is not None and erred:
        raise TooMany(unmet("too_many", minutes=erred))
    count = _count_of(visit, account, key, signs, brought)
    is_good = count is not None
    counted = login if is_good or is_known else ""
    note(visit, counted, SignInKind.PASSKEY, device if is_known else None, is_good=is_good)
    if account is None or key is None or count is None:
        _tell_if_last(visit, account, SignInKind.PASSKEY, "passkey_wrong", device)
        raise FactorWrong("passkey_wrong")
    proof = {"kind": SignInKind.PASSKEY, "passkey_id": key.id, "sign_count": count, "has_no_password": True}
    return _begin(visit, account, {**proof, "challenge_id": key_alone.answered(visit, text, account.user_id)}, device)


def _named_by(session: Session, brought: str) -> tuple[Account | None, Key | None]:
    """Return whose key it is that a browser brought, and the key; nothing for one that nobody has."""
    try:
        _, credential_id = keys.asked_of(brought)
    except keys.KeyWrong:
        return None, None
    found = owner_of_key(session, credential_id)
    return (None, None) if found is None else (account_by_id(session, found[0]), found[1])


def _count_of(visit: Visit, account: Account | None, key: Key | None, signs: bytes, brought: str) -> int | None:
    """Return how often the key has signed, as it says; None where it does not let this account in."""
    place = place_of(visit)
    if place is None or account is None or key is None:
        return None
    try:
        return keys.proven_alone(place, signs, brought, key.public_key, account.user_id.bytes)
    except keys.KeyWrong:
        return None


def by_one_click(visit: Visit, login: str) -> Entered:
    """Let in as somebody of the demonstration; in a rehearsal with a clock of its own, and nowhere else."""
    account = visit.read(lambda session: account_of(session, login)) if visit.house.is_demo else None
    if account is None:
        raise SignInWrong(SignInWrong.code)
    return _begin(visit, account, {"kind": SignInKind.PERSONA}, secrets.token_urlsafe(32))


def step_up(visit: Visit, said: Said) -> str:
    """Let a session decide about money for five minutes; return until when. `SignInWrong`, `FactorWrong`, `TooMany`.

    Who has a second factor shows it; everybody else types the password.
    """
    session = visit.session
    if session is None:
        raise NotSignedIn(NotSignedIn.code)
    if visit.factors.exist:
        if not said.code and not said.passkey:
            raise FactorRequired(FactorRequired.code)
        challenge = answered(visit, ChallengeKind.STEP_UP, said.passkey) if said.passkey else None
        return _stepped_up(visit, _shown(visit, session.account, said, challenge, partial(_stepping_up, visit)))
    check_password(visit, said.password, _stepping_up(visit, {"kind": SignInKind.PASSWORD}))
    return _stepped_up(visit, {"kind": SignInKind.PASSWORD})


def _is_right(visit: Visit, account: Account | None, password: str) -> bool:
    """Say whether it is the password of the account, and still opens it; takes as long whatever is the case."""
    is_it = matches(password, account.password_hash if account else None)
    until = account.password_until if account else None
    return is_it and (until is None or until > visit.now)


def check_password(visit: Visit, password: str, wanted: Command) -> None:
    """Refuse who does not know the password of the account they are signed in to; `SignInWrong`, `TooMany`.

    What they wanted stands in the trail as refused.
    """
    session = visit.session
    if session is None:
        raise NotSignedIn(NotSignedIn.code)
    login = session.account.login
    account, _ = visit.read(lambda reader: _allowed_to_try(reader, visit, login, None))
    is_good = _is_right(visit, account, password)
    note(visit, login, SignInKind.PASSWORD, None, is_good=is_good)
    if not is_good:
        _tell(visit, session.account, wanted, SignInWrong.code, *_is_last(visit, login, None))
        raise SignInWrong(SignInWrong.code)


def step_up_by_one_click(visit: Visit) -> str:
    """Let somebody of the demonstration decide about money, who has no password; nowhere else."""
    if not visit.house.is_demo:
        raise SignInWrong(SignInWrong.code)
    return _stepped_up(visit, {"kind": SignInKind.PERSONA})


def _stepped_up(visit: Visit, proof: Mapping[str, Any]) -> str:
    token = new_token(visit.token)
    answer = visit.act(_stepping_up(visit, {**proof, "token_sha256": fingerprint(token)}))
    if answer.error is not None:
        raise answer.error
    visit.used["stepped_up"] = True
    cookies.send_along(visit.request, cookies.SESSION, token, lasts=_session(visit).expires_at - visit.now)
    return str(answer.document["until"])


def _stepping_up(visit: Visit, proof: Mapping[str, Any]) -> StepUp:
    session = _session(visit)
    return StepUp(
        command_id=str(visit.house.new_id()),
        user_id=session.account.user_id,
        session_id=session.session_id,
        address=address_of(visit),
        **proof,
    )


def _session(visit: Visit) -> SignedIn:
    if visit.session is None:
        raise NotSignedIn(NotSignedIn.code)
    return visit.session


def _shown(
    visit: Visit, account: Account, said: Said, challenge: Opened | None, wanted: Callable[[Mapping[str, Any]], Command]
) -> dict[str, Any]:
    """Return what a second factor proves; the trail keeps a wrong one, for who shows it knows the password."""
    try:
        return shown(visit, account, said, challenge)
    except FactorWrong as error:
        proof = {"kind": SignInKind.PASSKEY if said.passkey else SignInKind.TOTP}
        erred = visit.read(lambda reader: has_erred_too_often(reader, login_fingerprint(account.login), visit.now))
        _tell(visit, account, wanted(proof), *error.codes, *((TooMany.code,) if erred else ()))
        raise


def _tell_if_last(visit: Visit, account: Account | None, kind: SignInKind, code: str, device: str) -> None:
    """Keep in the trail that an account was tried too often, once: with the try that was one too many.

    Wrong tries before it stand in the log alone: anybody can make them, and the trail is kept for good.
    """
    if account is not None and (last := _is_last(visit, account.login, device)):
        _tell(visit, account, _signing_in(visit, account, {"kind": kind}), code, *last)


def _is_last(visit: Visit, login: str, device: str | None) -> tuple[str, ...]:
    try:
        visit.read(lambda session: _allowed_to_try(session, visit, login, device))
    except TooMany as error:
        return error.codes
    return ()


def _tell(visit: Visit, account: Account, wanted: Command, *codes: str) -> None:
    stamp = visit.house.stamp(_as(visit, account), visit.now)
    visit.write(lambda session: melody.refuse(session, wanted, codes, stamp=stamp))


def _as(visit: Visit, account: Account) -> Actor:
    return Actor(user_id=account.user_id, person_id=account.person_id, name=account.name, door=visit.door)


def _signing_in(visit: Visit, account: Account, proof: Mapping[str, Any]) -> SignIn:
    said = {"token_sha256": "", "agent": visit.request.headers.get("user-agent", "")[:200], **proof}
    return SignIn(command_id=str(visit.house.new_id()), user_id=account.user_id, address=address_of(visit), **said)


def leave(visit: Visit) -> None:
    """End the session that this visit came with, if there is one."""
    if visit.session is not None:
        key, session = str(visit.house.new_id()), visit.session
        visit.act(SignOut(command_id=key, user_id=session.account.user_id, session_id=session.session_id))


FIRST_PAGE = "/"


def safe_address(following: str) -> str:
    """Return where to go: one of our own pages, never another place that an address names."""
    parts = urlsplit(following)
    is_own = following.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in following
    return following if is_own and not following.startswith("/login") else FIRST_PAGE


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


def _begin(visit: Visit, account: Account, proof: Mapping[str, Any], device: str) -> Entered:
    token = new_token()
    drawn = {"token_sha256": fingerprint(token), "device_sha256": fingerprint(device)}
    answer = visit.act(_signing_in(visit, account, {**proof, **drawn}), by=_as(visit, account))
    if answer.error is not None:
        raise FactorWrong(*answer.error.unmet) if proof["kind"] in FACTOR_KINDS else SignInWrong(SignInWrong.code)
    leave(visit)
    return Entered(
        token=token, device=device, user_id=str(account.user_id), expires_at=str(answer.document["expires_at"])
    )
