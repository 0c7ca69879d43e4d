"""Getting in: passwords, sessions, proving oneself again. Everybody does so with their own account.

A door proves who somebody is (`passwords`, later codes and keys), then says so here: no secret is part of a command.
"""

from dataclasses import dataclass
from uuid import UUID

from lifecycle.access import effects, facts, rules
from lifecycle.commands import Command, Verb
from models.people import User
from models.states import SignInKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCommand(Command):
    """Base of what is asked of one account."""

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword(AccessCommand):
    """Give an account a password; only its hash is handed over."""

    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(AccessCommand):
    """Begin a session of somebody who has proven who they are."""

    token_sha256: str
    kind: SignInKind
    address: str
    agent: str
    device_sha256: str | None = None
    """Of the browser's own cookie: once signed in from there, strangers' attempts do not count against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut(AccessCommand):
    """End a session, this one or another one of the account."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp(AccessCommand):
    """Say that somebody has proven once more who they are, before a decision about money."""

    session_id: UUID
    kind: SignInKind


def _account(command: AccessCommand) -> UUID:
    return command.user_id


SET_PASSWORD = Verb(
    object_type="user",
    name="set_password",
    command=SetPassword,
    subject=User,
    subject_id=_account,
    facts=facts.access_facts,
    rules=(rules.account_is_active, rules.sound_hash),
    effects=effects.password_set,
)
SIGN_IN = Verb(
    object_type="user",
    name="sign_in",
    command=SignIn,
    subject=User,
    subject_id=_account,
    facts=facts.access_facts,
    rules=(rules.account_is_active,),
    effects=effects.signed_in,
)
SIGN_OUT = Verb(
    object_type="user",
    name="sign_out",
    command=SignOut,
    subject=User,
    subject_id=_account,
    facts=facts.access_facts,
    rules=(rules.session_is_live,),
    effects=effects.signed_out,
)
STEP_UP = Verb(
    object_type="user",
    name="step_up",
    command=StepUp,
    subject=User,
    subject_id=_account,
    facts=facts.access_facts,
    rules=(rules.account_is_active, rules.session_is_live),
    effects=effects.stepped_up,
)
