"""Recipes of getting in: a password, sessions of one's own account, proving oneself again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from lifecycle.access import commands as access
from lifecycle.access.passwords import ALGORITHM
from models.access import Challenge
from models.db import transaction
from models.ids import new_id
from models.reading import table_of
from models.states import ChallengeKind, Role, SignInKind
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.recipes import Made, add_user, recipe

HOME = "192.0.2.1"


def _token() -> str:
    return key().replace("-", "") * 2


def _session(house: House) -> tuple[UUID, UUID]:
    """Return an administrator and a session of theirs that just began."""
    (asked,) = sign_in(house, 1)
    (answer,) = house.do(replace(asked, **_shown(house)), by=Role.ADMIN)
    return house.people[Role.ADMIN].user_id, UUID(str(answer["session_id"]))


def _shown(house: House) -> dict[str, Any]:
    """Return with what the administrator proves themselves: a recovery code where they have a second factor by now."""
    left = house.rows("SELECT id FROM recovery_code WHERE ended_at IS NULL")
    return {"kind": SignInKind.RECOVERY, "recovery_code_id": UUID(str(left[0].id))} if left else {}


@recipe("user.set_password", by=Role.ADMIN, tells="user.access_changed")
def set_password(house: House, count: int) -> Made:
    users = make.ids_of(house.do(*add_user(house, count)))
    return [access.SetPassword(command_id=key(), user_id=one, password_hash=f"{ALGORITHM}{one}") for one in users]


@recipe("user.sign_in", by=Role.ADMIN)
def sign_in(house: House, count: int) -> Made:
    """Nobody but oneself: every command is about the one account."""
    own = house.people[Role.ADMIN].user_id
    return [
        access.SignIn(
            command_id=key(),
            user_id=own,
            token_sha256=_token(),
            kind=SignInKind.PASSWORD,
            address=HOME,
            agent="a browser",
        )
        for _ in range(count)
    ]


@recipe("user.sign_out", by=Role.ADMIN)
def sign_out(house: House, count: int) -> Made:
    said = [_session(house) for _ in range(count)]
    return [access.SignOut(command_id=key(), user_id=own, session_id=session) for own, session in said]


@recipe("user.step_up", by=Role.ADMIN)
def step_up(house: House, count: int) -> Made:
    said = [_session(house) for _ in range(count)]
    return [
        access.StepUp(command_id=key(), user_id=own, session_id=session, kind=SignInKind.PASSWORD, address=HOME)
        for own, session in said
    ]


CODES = tuple(f"{number:064x}" for number in range(10))
TELLS = "user.access_changed"


def proven(house: House) -> tuple[UUID, UUID]:
    """Return an administrator and a session of theirs in which they have just proven themselves again."""
    own, session = _session(house)
    asked = access.StepUp(command_id=key(), user_id=own, session_id=session, kind=SignInKind.PASSWORD, address=HOME)
    house.do(replace(asked, **_shown(house)), by=Role.ADMIN)
    return own, session


def challenge(house: House, user_id: UUID, kind: ChallengeKind) -> UUID:
    """Make a challenge that somebody has five minutes to answer."""
    made = new_id()
    row = {"id": made, "user_id": user_id, "kind": kind, "token_sha256": _token(), "created_at": house.now}
    with transaction(house.engine) as session:
        session.execute(insert(table_of(Challenge)).values(**row, expires_at=house.now + timedelta(minutes=5)))
    return made


def with_key(house: House) -> tuple[UUID, UUID, UUID]:
    """Return an administrator with a passkey, the session in which it was added, and the key."""
    asked: Any = add_passkey(house, 1)[0]
    (_,) = house.do(asked, by=Role.ADMIN)
    made = house.one("SELECT id FROM passkey WHERE credential_id = :name", name=asked.credential_id)
    return asked.user_id, asked.session_id, UUID(str(made))


@recipe("user.sign_out_others", by=Role.ADMIN)
def sign_out_others(house: House, count: int) -> Made:
    said = [(_session(house), _session(house))[1] for _ in range(count)]
    return [access.SignOutOthers(command_id=key(), user_id=own, session_id=session) for own, session in said]


@recipe("user.add_totp", by=Role.ADMIN, tells=TELLS)
def add_totp(house: House, count: int) -> Made:
    own, session = proven(house)
    one: dict[str, Any] = {"user_id": own, "session_id": session, "secret": "plain:JBSWY3DPEHPK3PXP", "step": 1}
    return [access.AddTotp(command_id=key(), **one, codes_sha256=CODES) for _ in range(count)]


@recipe("user.remove_totp", by=Role.ADMIN, tells=TELLS)
def remove_totp(house: House, count: int) -> Made:
    asked: Any = add_totp(house, 1)[0]
    house.do(asked, by=Role.ADMIN)
    return [
        access.RemoveTotp(command_id=key(), user_id=asked.user_id, session_id=asked.session_id) for _ in range(count)
    ]


@recipe("user.add_passkey", by=Role.ADMIN, tells=TELLS)
def add_passkey(house: House, count: int) -> Made:
    own, session = proven(house)
    return [
        access.AddPasskey(
            command_id=key(),
            user_id=own,
            session_id=session,
            challenge_id=challenge(house, own, ChallengeKind.REGISTER),
            credential_id=_token(),
            public_key="a public key",
            sign_count=1,
            name="a phone",
            codes_sha256=CODES,
        )
        for _ in range(count)
    ]


@recipe("user.remove_passkey", by=Role.ADMIN, tells=TELLS)
def remove_passkey(house: House, count: int) -> Made:
    own, session, one = with_key(house)
    asked: dict[str, Any] = {"user_id": own, "session_id": session, "passkey_id": one}
    return [access.RemovePasskey(command_id=key(), **asked) for _ in range(count)]


@recipe("user.renew_codes", by=Role.ADMIN, tells=TELLS)
def renew_codes(house: House, count: int) -> Made:
    own, session, _ = with_key(house)
    asked: dict[str, Any] = {"user_id": own, "session_id": session, "codes_sha256": CODES}
    return [access.RenewCodes(command_id=key(), **asked) for _ in range(count)]


@recipe("user.reset_access", by=Role.ADMIN, tells=TELLS)
def reset_access(house: House, count: int) -> Made:
    users = make.ids_of(house.do(*add_user(house, count)))
    return [access.ResetAccess(command_id=key(), user_id=one) for one in users]


@recipe("user.make_feed", by=Role.ADMIN)
def make_feed(house: House, count: int) -> Made:
    own = house.people[Role.ADMIN].user_id
    return [access.MakeFeed(command_id=key(), user_id=own, token_sha256=_token()) for _ in range(count)]


@recipe("user.revoke_feed", by=Role.ADMIN)
def revoke_feed(house: House, count: int) -> Made:
    house.do(*make_feed(house, 1), by=Role.ADMIN)
    return [access.RevokeFeed(command_id=key(), user_id=house.people[Role.ADMIN].user_id) for _ in range(count)]
