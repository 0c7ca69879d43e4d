"""Recipes of getting in: a password, sessions of one's own account, proving oneself again."""

from uuid import UUID

from lifecycle.access import commands as access
from lifecycle.access.passwords import ALGORITHM
from models.states import Role, SignInKind
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.recipes import Made, add_user, recipe


def _token() -> str:
    return key().replace("-", "") * 2


def _session(house: House) -> tuple[UUID, UUID]:
    """Return an administrator and a session of theirs that just began."""
    (answer,) = house.do(*sign_in(house, 1), by=Role.ADMIN)
    return house.people[Role.ADMIN].user_id, UUID(str(answer["session_id"]))


@recipe("user.set_password", by=Role.ADMIN)
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
            address="192.0.2.1",
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
        access.StepUp(command_id=key(), user_id=own, session_id=session, kind=SignInKind.PASSWORD)
        for own, session in said
    ]
