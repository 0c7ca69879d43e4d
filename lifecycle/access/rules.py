"""Facts in, reasons out: what can stand in the way of signing in and out, of proving oneself, of a password or key."""

from typing import TYPE_CHECKING, Any

from lifecycle.access.passwords import ALGORITHM
from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from models.limits import PASSKEYS
from models.states import ChallengeKind, SignInKind, UserStatus

if TYPE_CHECKING:
    from lifecycle.access.facts import AccessFacts


def account_is_active(facts: Any) -> tuple[Unmet, ...]:
    """Nobody gets into a disabled account, and none of its secrets changes."""
    return () if facts.row.status == UserStatus.ACTIVE else (unmet("user_disabled"),)


@about_input
def sound_hash(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """Only the hash of a password is handed over."""
    return () if facts.command.password_hash.startswith(ALGORITHM) else (unmet("password_hash_wrong"),)


@about_input
def session_is_live(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A session belongs to the account, and neither was ended nor has run out."""
    found = facts.session
    is_live = (
        found is not None
        and found.user_id == facts.row.id
        and found.ended_at is None
        and found.expires_at > facts.stamp.now
    )
    return () if is_live else (unmet("session_not_found"),)


@about_input
def proven_again(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """What guards an account is changed by who has proven within five minutes who they are."""
    until = facts.session.stepped_up_until if facts.session is not None else None
    return () if until is not None and until > facts.stamp.now else (unmet("step_up_required"),)


@about_input
def second_factor_shown(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A password alone opens no account that has a second factor."""
    alone = facts.command.kind == SignInKind.PASSWORD
    return (unmet("second_factor_required"),) if alone and facts.has_factor else ()


@about_input
def second_factor_shown_again(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """Who has a second factor proves themselves with it, in a demonstration too."""
    alone = facts.command.kind in (SignInKind.PASSWORD, SignInKind.PERSONA)
    return (unmet("second_factor_required"),) if alone and facts.has_factor else ()


@about_input
def code_is_new(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A code is taken once, and none that is older than one that was taken (RFC 6238, 5.2)."""
    kind, totp = facts.command.kind, facts.totp
    if kind == SignInKind.RECOVERY:
        return () if facts.code is not None else (unmet("code_used"),)
    if kind != SignInKind.TOTP:
        return ()
    is_new = totp is not None and facts.command.totp_step is not None and facts.command.totp_step > totp.last_step
    return () if is_new else (unmet("code_used"),)


@about_input
def key_counts_on(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A key that counts its signatures counts on (WebAuthn 6.1.1); one that went back was copied."""
    if facts.command.kind != SignInKind.PASSKEY:
        return ()
    key, count = facts.passkey, facts.command.sign_count
    if key is None:
        return (unmet("passkey_not_found"),)
    is_silent = key.sign_count == 0 and count == 0
    return () if is_silent or count > key.sign_count else (unmet("passkey_copied", name=key.name),)


@about_input
def challenge_is_open(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A challenge is answered once, within five minutes, by the account and for the purpose it was made for."""
    command, found = facts.command, facts.challenge
    if command.challenge_id is None and getattr(command, "kind", SignInKind.PASSKEY) != SignInKind.PASSKEY:
        return ()
    is_open = (
        found is not None
        and found.user_id == facts.row.id
        and found.kind == ChallengeKind(command.purpose)
        and found.used_at is None
        and found.expires_at > facts.stamp.now
    )
    return () if is_open else (unmet("challenge_over"),)


@about_input
def key_is_new(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A key belongs to one account, once."""
    return (unmet("passkey_known"),) if facts.is_known_key else ()


@about_input
def key_is_own(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A key that is taken away is one of the account."""
    return () if facts.passkey is not None else (unmet("passkey_not_found"),)


def has_authenticator(facts: Any) -> tuple[Unmet, ...]:
    """There is an authenticator app to take away."""
    return () if facts.totp is not None else (unmet("totp_not_found"),)


def has_second_factor(facts: Any) -> tuple[Unmet, ...]:
    """Recovery codes stand in for a second factor, so there is one."""
    return () if facts.has_factor else (unmet("second_factor_missing"),)


def room_for_a_key(facts: Any) -> tuple[Unmet, ...]:
    """An account has ten keys at most."""
    return () if len(facts.passkeys) < PASSKEYS else (unmet("too_many_passkeys", limit=PASSKEYS),)


def has_feed(facts: Any) -> tuple[Unmet, ...]:
    """There is an address of a calendar to make void."""
    return () if facts.has_feed else (unmet("feed_not_there"),)
