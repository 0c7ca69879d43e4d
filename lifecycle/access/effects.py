"""What a carried-out verb of getting in changes, each an act on the chain of the account. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from lifecycle.access.facts import AccessFacts, FeedFacts
from lifecycle.commands import Act, Effects, Message, Stamp
from models.access import Challenge, Credential, KnownDevice, Passkey, RecoveryCode, TotpSecret, WebSession
from models.deliveries import ContactSetting
from models.limits import SESSION_LASTS, STEP_UP_LASTS
from models.people import User
from models.states import SignInKind

Updates: TypeAlias = tuple[tuple[Any, UUID, Mapping[str, Any]], ...]
Rows: TypeAlias = tuple[tuple[Any, Mapping[str, Any]], ...]


def _on(facts: AccessFacts | FeedFacts, verb: str, detail: Mapping[str, Any], **rest: Any) -> Effects:
    said = {**facts.command.whence(), **detail}
    act = Act(table=User, object_type="user", id=facts.row.id, action=f"user.{verb}", row=facts.row, detail=said)
    return Effects(acts=(act,), **rest)


def _told(facts: AccessFacts, verb: str, detail: Mapping[str, Any], **rest: Any) -> Effects:
    """Return an act that the owner is told of: it changed what guards the account (ASVS 6.3.7)."""
    message = Message(kind="user.access_changed", object_type="user", object_id=facts.row.id, facts={"change": verb})
    return _on(facts, verb, detail, messages=(message,), **rest)


def password_set(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep the hash in place of the one before and end the other sessions; the audit row never says which it is."""
    command = facts.command
    is_own = stamp.actor.user_id == facts.row.id
    values = {
        "password_hash": command.password_hash,
        "set_at": stamp.now,
        "set_by": stamp.actor.user_id,
        "is_to_change": not is_own and not command.is_lasting,
    }
    ended = _ended(facts.sessions, stamp, besides=command.session_id)
    detail = {"is_first": facts.credential is None, "is_to_change": values["is_to_change"], "ended": len(ended)}
    if facts.credential is not None:
        return _told(facts, "set_password", detail, updates=((Credential, facts.credential.id, values), *ended))
    row = {"id": stamp.new_id(), "user_id": facts.row.id, **values}
    return _told(facts, "set_password", detail, rows=((Credential, row),), updates=ended)


def signed_in(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Begin a session of eight hours, and remember the browser."""
    command = facts.command
    session = {
        "id": stamp.new_id(),
        "user_id": facts.row.id,
        "token_sha256": command.token_sha256,
        "kind": command.kind,
        "created_at": stamp.now,
        "seen_at": stamp.now,
        "expires_at": stamp.now + SESSION_LASTS,
        "stepped_up_until": None,
        "address": command.address,
        "agent": command.agent,
        "is_own_page_only": command.kind == SignInKind.LINK,
    }
    rows: Rows = ((WebSession, session),)
    if command.device_sha256 is not None and not any(
        one.token_sha256 == command.device_sha256 for one in facts.devices
    ):
        device = {"id": stamp.new_id(), "user_id": facts.row.id, "token_sha256": command.device_sha256}
        rows = (*rows, (KnownDevice, {**device, "created_at": stamp.now}))
    detail = {"session_id": session["id"], **_shown(facts)}
    if command.has_no_password:
        detail["has_no_password"] = True
    says = {"session_id": str(session["id"]), "expires_at": session["expires_at"].isoformat()}
    return _on(facts, "sign_in", detail, rows=rows, updates=_used(facts, stamp), says=says)


def signed_out(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """End the session; its cookie opens nothing any more."""
    return _on(facts, "sign_out", {}, updates=_ended([facts.session], stamp))


def others_signed_out(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """End every session but the one that asks."""
    ended = _ended(facts.sessions, stamp, besides=facts.session.id)
    return _on(facts, "sign_out_others", {"session_ids": [one for _, one, _ in ended]}, updates=ended)


def stepped_up(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Let this session decide about money for five minutes; a token that was stolen before opens nothing any more."""
    until, token = stamp.now + STEP_UP_LASTS, facts.command.token_sha256
    values = {"stepped_up_until": until, **({"token_sha256": token} if token is not None else {})}
    proven = (WebSession, facts.session.id, values)
    detail = {"until": until, **_shown(facts)}
    updates = (proven, *_used(facts, stamp))
    return _on(facts, "step_up", detail, updates=updates, says={"until": until.isoformat()})


def totp_added(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep the secret in place of the one before; the code that was shown for it counts no second time."""
    row = {
        "id": stamp.new_id(),
        "user_id": facts.row.id,
        "secret": facts.command.secret,
        "created_at": stamp.now,
        "last_step": facts.command.step,
    }
    rows = ((TotpSecret, row), *_first_codes(facts, stamp))
    detail = {"is_first": not facts.has_factor, "codes": len(rows) - 1}
    return _told(facts, "add_totp", detail, rows=rows, updates=_revoked_totp(facts, stamp))


def totp_removed(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Let the secret count no more."""
    ended = (*_revoked_totp(facts, stamp), *(_ended_codes(facts, stamp) if not facts.passkeys else ()))
    return _told(facts, "remove_totp", {}, updates=ended)


def passkey_added(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep the public half of the key; its challenge is answered."""
    command = facts.command
    row = {
        "id": stamp.new_id(),
        "user_id": facts.row.id,
        "credential_id": command.credential_id,
        "public_key": command.public_key,
        "sign_count": command.sign_count,
        "name": command.name,
        "created_at": stamp.now,
        "last_used_at": None,
    }
    answered = ((Challenge, facts.challenge.id, {"used_at": stamp.now}),)
    rows = ((Passkey, row), *_first_codes(facts, stamp))
    detail = {"passkey_id": row["id"], "name": command.name, "codes": len(rows) - 1}
    detail["enters_alone"] = command.enters_alone
    return _told(facts, "add_passkey", detail, rows=rows, updates=answered)


def passkey_removed(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Let the key count no more."""
    is_last = facts.totp is None and len(facts.passkeys) == 1
    ended = ((Passkey, facts.passkey.id, {"revoked_at": stamp.now}),)
    codes = _ended_codes(facts, stamp) if is_last else ()
    detail = {"passkey_id": facts.passkey.id, "name": facts.passkey.name}
    return _told(facts, "remove_passkey", detail, updates=(*ended, *codes))


def codes_renewed(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Let the new codes count, and none of those before."""
    rows = _codes(facts, stamp)
    return _told(facts, "renew_codes", {"codes": len(rows)}, rows=rows, updates=_ended_codes(facts, stamp))


def access_reset(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Leave the account without a way in until it gets a new password."""
    password: Updates = ()
    if facts.credential is not None:
        gone = {"password_hash": NO_PASSWORD, "set_at": stamp.now, "set_by": stamp.actor.user_id, "is_to_change": True}
        password = ((Credential, facts.credential.id, gone),)
    keys: Updates = tuple((Passkey, one.id, {"revoked_at": stamp.now}) for one in facts.passkeys)
    ended = _ended(facts.sessions, stamp)
    detail = {"totp": facts.totp is not None, "passkeys": len(keys), "sessions": len(ended)}
    updates = (*password, *_revoked_totp(facts, stamp), *keys, *_ended_codes(facts, stamp), *ended)
    return _told(facts, "reset_access", detail, updates=updates)


def feed_made(facts: FeedFacts, _target: str, stamp: Stamp) -> Effects:
    """Let the new address open the calendar, and the one before nothing any more."""
    values = {"feed_sha256": facts.command.token_sha256, "feed_made_at": stamp.now}
    detail = {"is_first": not facts.has_feed}
    if facts.setting is None:
        return _on(facts, "make_feed", detail, rows=((ContactSetting, {"user_id": facts.row.id, **values}),))
    return _on(facts, "make_feed", detail, updates=((ContactSetting, facts.row.id, values),))


def feed_revoked(facts: FeedFacts, _target: str, _stamp: Stamp) -> Effects:
    """Let the address open nothing any more."""
    gone = (ContactSetting, facts.row.id, {"feed_sha256": None, "feed_made_at": None})
    return _on(facts, "revoke_feed", {"made_at": facts.setting.feed_made_at}, updates=(gone,))


NO_PASSWORD = "-"  # noqa: S105 - says that there is none
"""No password has this hash."""


def _shown(facts: AccessFacts) -> dict[str, Any]:
    """Return what the audit row says of a key or paper code that was shown."""
    named = {"passkey_id": facts.command.passkey_id, "recovery_code_id": facts.command.recovery_code_id}
    return {name: value for name, value in named.items() if value is not None}


def _used(facts: AccessFacts, stamp: Stamp) -> Updates:
    """Return what is used up by a proof: the step of a code, a paper code, the count of a key, the challenge."""
    command = facts.command
    used: dict[SignInKind, Updates] = {}
    if facts.totp is not None:
        used[SignInKind.TOTP] = ((TotpSecret, facts.totp.id, {"last_step": command.totp_step}),)
    if facts.code is not None:
        used[SignInKind.RECOVERY] = ((RecoveryCode, facts.code.id, {"ended_at": stamp.now}),)
    if facts.passkey is not None:
        counted = {"sign_count": command.sign_count, "last_used_at": stamp.now}
        used[SignInKind.PASSKEY] = ((Passkey, facts.passkey.id, counted),)
    answered: Updates = ()
    if facts.challenge is not None:
        answered = ((Challenge, facts.challenge.id, {"used_at": stamp.now}),)
    return (*used.get(command.kind, ()), *answered)


def _ended(sessions: Sequence[Any], stamp: Stamp, *, besides: UUID | None = None) -> Updates:
    return tuple((WebSession, one.id, {"ended_at": stamp.now}) for one in sessions if one.id != besides)


def _revoked_totp(facts: AccessFacts, stamp: Stamp) -> Updates:
    return ((TotpSecret, facts.totp.id, {"revoked_at": stamp.now}),) if facts.totp is not None else ()


def _ended_codes(facts: AccessFacts, stamp: Stamp) -> Updates:
    return tuple((RecoveryCode, one.id, {"ended_at": stamp.now}) for one in facts.codes)


def _first_codes(facts: AccessFacts, stamp: Stamp) -> Rows:
    return () if facts.codes else _codes(facts, stamp)


def _codes(facts: AccessFacts, stamp: Stamp) -> Rows:
    return tuple(
        (
            RecoveryCode,
            {"id": stamp.new_id(), "user_id": facts.row.id, "code_sha256": digest, "created_at": stamp.now},
        )
        for digest in facts.command.codes_sha256
    )
