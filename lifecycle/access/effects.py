"""What a carried-out verb of getting in changes, each an act on the chain of the account. Pure."""

from collections.abc import Mapping
from typing import Any

from lifecycle.access.facts import AccessFacts
from lifecycle.commands import Act, Effects, Stamp
from models.access import Credential, KnownDevice, WebSession
from models.limits import SESSION_LASTS, STEP_UP_LASTS
from models.people import User
from models.states import SignInKind


def _on(facts: AccessFacts, verb: str, detail: Mapping[str, Any], **rest: Any) -> Effects:
    act = Act(
        table=User, object_type="user", id=facts.row.id, action=f"user.{verb}", row=facts.row, detail=dict(detail)
    )
    return Effects(acts=(act,), **rest)


def password_set(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep the hash in place of the one before; the audit row says that there is a new one, not which."""
    values = {
        "password_hash": facts.command.password_hash,
        "set_at": stamp.now,
        "set_by": stamp.actor.user_id,
    }
    if facts.credential is not None:
        return _on(facts, "set_password", {"is_first": False}, updates=((Credential, facts.credential.id, values),))
    row = {"id": stamp.new_id(), "user_id": facts.row.id, **values}
    return _on(facts, "set_password", {"is_first": True}, rows=((Credential, row),))


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
    rows: tuple[Any, ...] = ((WebSession, session),)
    if command.device_sha256 is not None and not facts.is_known_device:
        device = {"id": stamp.new_id(), "user_id": facts.row.id, "token_sha256": command.device_sha256}
        rows = (*rows, (KnownDevice, {**device, "created_at": stamp.now}))
    detail = {"session_id": session["id"], "kind": command.kind, "address": command.address}
    says = {"session_id": str(session["id"]), "expires_at": session["expires_at"].isoformat()}
    return _on(facts, "sign_in", detail, rows=rows, says=says)


def signed_out(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """End the session; its cookie opens nothing any more."""
    ended = (WebSession, facts.session.id, {"ended_at": stamp.now})
    return _on(facts, "sign_out", {"session_id": facts.session.id}, updates=(ended,))


def stepped_up(facts: AccessFacts, _target: str, stamp: Stamp) -> Effects:
    """Let this session decide about money for five minutes."""
    until = stamp.now + STEP_UP_LASTS
    proven = (WebSession, facts.session.id, {"stepped_up_until": until})
    detail = {"session_id": facts.session.id, "kind": facts.command.kind, "until": until}
    return _on(facts, "step_up", detail, updates=(proven,), says={"until": until.isoformat()})
