"""Getting in: passwords, second factors, sessions, proving oneself again. Everybody does so with their own account.

A door proves who somebody is (`passwords`, `codes`, `keys`), then says so here: no secret is part of a command.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from lifecycle.access import effects, facts, rules
from lifecycle.chart import Rule
from lifecycle.commands import Command, Effects, FactsOf, Stamp, Verb
from lifecycle.people.rules import not_oneself, sound_token
from models.people import User
from models.states import ChallengeKind, SignInKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCommand(Command):
    """Base of what is asked of one account."""

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven(AccessCommand):
    """Base of what somebody has just proven who they are for: by what, and what is used up by it."""

    kind: SignInKind
    address: str
    totp_step: int | None = None
    """The time step of the code that was typed."""
    recovery_code_id: UUID | None = None
    passkey_id: UUID | None = None
    sign_count: int = 0
    challenge_id: UUID | None = None

    def whence(self) -> dict[str, Any]:
        """Return also by what they proved it."""
        return {**AccessCommand.whence(self), "kind": self.kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword(AccessCommand):
    """Give an account a password; only its hash is handed over. Every other session of the account ends."""

    password_hash: str
    session_id: UUID | None = None
    """The session that goes on."""
    is_lasting: bool = False
    """It need not be changed, though somebody else set it: for accounts of a rehearsal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Proven):
    """Begin a session of somebody who has proven who they are."""

    purpose: ClassVar[ChallengeKind] = ChallengeKind.SIGN_IN

    token_sha256: str
    agent: str
    device_sha256: str | None = None
    """Of the browser's own cookie: once signed in from there, strangers' attempts do not count against it."""
    has_no_password: bool = False
    """A passkey that verified its user was all that was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut(AccessCommand):
    """End a session, this one or another one of the account."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOutOthers(AccessCommand):
    """End every session of the account but one."""

    session_id: UUID
    """The one that goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp(Proven):
    """Say that somebody has proven once more who they are, before a decision about money or a change of access."""

    purpose: ClassVar[ChallengeKind] = ChallengeKind.STEP_UP

    session_id: UUID
    token_sha256: str | None = None
    """Of the token that takes the place of the session's own; a door that has no cookie to give leaves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTotp(AccessCommand):
    """Make an authenticator app the second factor, in place of one before; a code of it has been shown."""

    session_id: UUID
    secret: str
    """As it is stored: sealed."""
    step: int
    """The time step of the code that was shown."""
    codes_sha256: tuple[str, ...] = ()
    """Recovery codes, where the account has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTotp(AccessCommand):
    """Take the authenticator app away."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPasskey(AccessCommand):
    """Add a passkey as a second factor; it has answered the challenge."""

    purpose: ClassVar[ChallengeKind] = ChallengeKind.REGISTER

    session_id: UUID
    challenge_id: UUID
    credential_id: str
    public_key: str
    sign_count: int
    name: str
    enters_alone: bool = False
    """It lets in by itself, without login and password."""
    codes_sha256: tuple[str, ...] = ()
    """Recovery codes, where the account has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePasskey(AccessCommand):
    """Take a passkey away."""

    session_id: UUID
    passkey_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewCodes(AccessCommand):
    """Replace the recovery codes by new ones."""

    session_id: UUID
    codes_sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAccess(AccessCommand):
    """Take password, second factors and recovery codes from an account and end its sessions: something was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeFeed(AccessCommand):
    """Give an account's calendar a secret address in place of the one before; only its SHA-256 is handed over."""

    token_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeFeed(AccessCommand):
    """Make the address of an account's calendar void."""


def _account(command: AccessCommand) -> UUID:
    return command.user_id


def _verb(
    name: str,
    command: type[AccessCommand],
    does: Callable[[Any, str, Stamp], Effects],
    *own: Rule,
    looks_at: FactsOf[Any, Any] = facts.access_facts,
) -> Verb[Any, Any]:
    """Return a verb on an account that is active."""
    return Verb(
        object_type="user",
        name=name,
        command=command,
        subject=User,
        subject_id=_account,
        facts=looks_at,
        rules=(rules.account_is_active, *own),
        effects=does,
    )


SET_PASSWORD = _verb("set_password", SetPassword, effects.password_set, rules.sound_hash)
SIGN_IN = _verb(
    "sign_in",
    SignIn,
    effects.signed_in,
    rules.second_factor_shown,
    rules.code_is_new,
    rules.key_counts_on,
    rules.challenge_is_open,
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
SIGN_OUT_OTHERS = _verb("sign_out_others", SignOutOthers, effects.others_signed_out, rules.session_is_live)
STEP_UP = _verb(
    "step_up",
    StepUp,
    effects.stepped_up,
    rules.session_is_live,
    rules.second_factor_shown_again,
    rules.code_is_new,
    rules.key_counts_on,
    rules.challenge_is_open,
)
ADD_TOTP = _verb("add_totp", AddTotp, effects.totp_added, rules.session_is_live, rules.proven_again)
REMOVE_TOTP = _verb(
    "remove_totp",
    RemoveTotp,
    effects.totp_removed,
    rules.session_is_live,
    rules.proven_again,
    rules.has_authenticator,
)
ADD_PASSKEY = _verb(
    "add_passkey",
    AddPasskey,
    effects.passkey_added,
    rules.session_is_live,
    rules.proven_again,
    rules.challenge_is_open,
    rules.key_is_new,
    rules.room_for_a_key,
)
REMOVE_PASSKEY = _verb(
    "remove_passkey",
    RemovePasskey,
    effects.passkey_removed,
    rules.session_is_live,
    rules.proven_again,
    rules.key_is_own,
)
RENEW_CODES = _verb(
    "renew_codes",
    RenewCodes,
    effects.codes_renewed,
    rules.session_is_live,
    rules.proven_again,
    rules.has_second_factor,
)
RESET_ACCESS = _verb("reset_access", ResetAccess, effects.access_reset, not_oneself)
MAKE_FEED = _verb("make_feed", MakeFeed, effects.feed_made, sound_token, looks_at=facts.feeds)
REVOKE_FEED = _verb("revoke_feed", RevokeFeed, effects.feed_revoked, rules.has_feed, looks_at=facts.feeds)
