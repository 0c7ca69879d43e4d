"""Second factors at the door: which ones somebody has, what they showed, and the challenge that a passkey signs."""

import hashlib
import logging
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.datastructures import FormData
from webauthn.helpers import bytes_to_base64url

from lifecycle.access import keys
from lifecycle.access.codes import opened, recovery_fingerprint, step_of
from lifecycle.access.queries import Account, fingerprint, login_fingerprint
from lifecycle.access.security import Factors, Key, factors, has_erred_too_often, open_challenge
from lifecycle.errors import Forbidden, NotSignedIn, unmet
from lifecycle.writing import insert_rows
from models.access import Challenge, SignInAttempt
from models.db import run_in_transaction
from models.limits import CHALLENGE_LASTS
from models.states import ChallengeKind, SignInKind
from web.errors import TooMany
from web.session import Visit, text_of

PASSWORD, CODE, PASSKEY = "password", "proof_code", "proof_passkey"
_CHALLENGE_BYTES = 32
_LOG = logging.getLogger("pilotway.access")


class FactorWrong(NotSignedIn):
    """What was shown as a second factor is wrong."""

    code = "code_wrong"


class FactorRequired(NotSignedIn):
    """The password is right, and a second factor has to be shown."""

    code = "second_factor_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody typed, or their key signed, to prove who they are."""

    password: str = ""
    code: str = ""
    passkey: str = ""

    def __bool__(self) -> bool:
        return bool(self.password or self.code or self.passkey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A challenge: the row that is used up, and what a key signs."""

    id: UUID
    signs: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How somebody can prove who they are."""

    code: bool = False
    passkey: bool = False
    password: bool = False
    click: bool = False
    """In a demonstration nobody has a password."""
    missing: bool = False
    """A second factor is asked for before money is decided, and they have none."""


def said_in(form: FormData) -> Said:
    """Return what a form says."""
    return Said(password=text_of(form, PASSWORD), code=text_of(form, CODE), passkey=text_of(form, PASSKEY))


def place_of(visit: Visit) -> keys.Place | None:
    """Return the address for which passkeys hold: the one that is set, or this machine itself by its name."""
    if origin := visit.house.settings.origin():
        return keys.Place(origin)
    url = visit.request.url
    return keys.Place(f"{url.scheme}://{url.netloc}") if url.hostname == "localhost" else None


def ways_of(visit: Visit) -> Ways:
    """Return how whoever is signed in can prove themselves again."""
    own = visit.factors
    if own.exist:
        has_code, has_key = own.totp is not None or bool(own.codes), bool(own.keys) and place_of(visit) is not None
        return Ways(code=has_code, passkey=has_key)
    click = visit.house.is_demo
    return Ways(click=click, password=not click, missing=visit.house.demands_second_factor)


def need_money_proof(visit: Visit) -> None:
    """Refuse who has not proven themselves within five minutes, or lacks the second factor that is asked for."""
    if visit.house.demands_second_factor and not visit.factors.exist:
        raise Forbidden(unmet("second_factor_missing"))
    if not visit.has_stepped_up():
        raise Forbidden(unmet("step_up_required"))


def new_challenge(visit: Visit, user_id: UUID, kind: ChallengeKind, token: str) -> None:
    """Keep what is to be answered within five minutes, once."""
    row = {
        "id": visit.house.new_id(),
        "user_id": user_id,
        "kind": kind,
        "token_sha256": fingerprint(token),
        "created_at": visit.now,
        "expires_at": visit.now + CHALLENGE_LASTS,
    }
    run_in_transaction(visit.house.engine, lambda session: insert_rows(session, Challenge, [row]))


def signing(token: str) -> bytes:
    """Return what a key signs in the second step of signing in: it follows from the cookie, and does not show it."""
    return hashlib.sha256(f"passkey:{token}".encode()).digest()


def draw(visit: Visit, kind: ChallengeKind) -> bytes:
    """Return a new challenge for whoever is signed in."""
    signs = secrets.token_bytes(_CHALLENGE_BYTES)
    new_challenge(visit, visit.actor.user_id, kind, bytes_to_base64url(signs))
    return signs


def answered(visit: Visit, kind: ChallengeKind, brought: str) -> Opened:
    """Return the challenge of whoever is signed in that a browser answers; `FactorWrong` when there is none open."""
    try:
        signs, _ = keys.asked_of(brought)
    except keys.KeyWrong as error:
        raise FactorWrong("passkey_wrong") from error
    token = fingerprint(bytes_to_base64url(signs))
    found = visit.read(lambda session: open_challenge(session, token, kind, visit.now))
    if found is None or found.user_id != visit.actor.user_id:
        raise FactorWrong("challenge_over")
    return Opened(id=found.id, signs=signs)


def shown(visit: Visit, account: Account, said: Said, challenge: Opened | None) -> dict[str, Any]:
    """Return what a second factor proves, as fields of a command; `FactorWrong`, or `TooMany` after five wrong ones.

    Whether a code is used up or a key was copied is judged under the lock of the account.
    """
    login = login_fingerprint(account.login)

    def read(session: Session) -> tuple[int, Factors]:
        return has_erred_too_often(session, login, visit.now), factors(session, account.user_id)

    minutes, own = visit.read(read)
    if minutes:
        raise TooMany(unmet("too_many", minutes=minutes))
    kind = SignInKind.PASSKEY if said.passkey else SignInKind.TOTP
    try:
        fields = _by_key(visit, own, said.passkey, challenge) if said.passkey else _by_code(visit, own, said.code)
    except FactorWrong:
        note(visit, account.login, kind, None, is_good=False)
        raise
    note(visit, account.login, fields["kind"], None, is_good=True)
    return {**fields, "challenge_id": challenge.id if challenge else None}


def _by_code(visit: Visit, own: Factors, typed: str) -> dict[str, Any]:
    secret = opened(own.totp, visit.house.settings.seal_key()) if own.totp is not None else None
    step = step_of(secret, typed, visit.now) if secret is not None else None
    if step is not None:
        return {"kind": SignInKind.TOTP, "totp_step": step}
    paper = own.codes.get(recovery_fingerprint(typed) or "")
    if paper is None:
        raise FactorWrong(FactorWrong.code)
    return {"kind": SignInKind.RECOVERY, "recovery_code_id": paper}


def _by_key(visit: Visit, own: Factors, brought: str, challenge: Opened | None) -> dict[str, Any]:
    place = place_of(visit)
    try:
        _, credential_id = keys.asked_of(brought)
        key = _known(own, credential_id)
        if place is None or challenge is None or key is None:
            raise FactorWrong("passkey_wrong")
        count = keys.proven(place, challenge.signs, brought, key.public_key)
    except keys.KeyWrong as error:
        raise FactorWrong("passkey_wrong") from error
    return {"kind": SignInKind.PASSKEY, "passkey_id": key.id, "sign_count": count}


def _known(own: Factors, credential_id: str) -> Key | None:
    return next((one for one in own.keys if one.credential_id == credential_id.rstrip("=")), None)


def note(visit: Visit, login: str, kind: SignInKind, device: str | None, *, is_good: bool) -> None:
    """Keep that somebody tried: limits are counted from it."""
    client = visit.request.client
    row = {
        "id": visit.house.new_id(),
        "at": visit.now,
        "kind": kind,
        "login_sha256": login_fingerprint(login),
        "address": client.host[:45] if client else "",
        "device_sha256": fingerprint(device) if device else None,
        "is_good": is_good,
    }
    run_in_transaction(visit.house.engine, lambda session: insert_rows(session, SignInAttempt, [row]))
    if not is_good:
        _LOG.warning("%s wrong %s from %r for login %s", visit.trace_id, kind, row["address"], row["login_sha256"])
