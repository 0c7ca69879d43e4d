"""What a carried-out verb of coming in changes. No link and no password stands in any of it. Pure."""

from collections.abc import Mapping
from typing import Any

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.entrance.facts import IdentityFacts, InvitationFacts
from models.access import Credential, Invitation, OutsideIdentity
from models.limits import INVITATION_LASTS, LINK_LASTS
from models.people import RoleGrant, User
from models.states import InvitationKind, UserStatus


def _born(verb: str, facts: InvitationFacts, stamp: Stamp, values: Mapping[str, Any], kind: str) -> Effects:
    row = {
        "token_sha256": facts.command.token_sha256,
        "email": facts.email,
        "created_at": stamp.now,
        "created_by": stamp.actor.user_id,
        "used_at": None,
        "revoked_at": None,
        **values,
    }
    told = ("kind", "email", "name", "roles", "organisation_id", "user_id", "expires_at")
    act = Act(
        table=Invitation,
        object_type="invitation",
        id=facts.command.invitation_id,
        action=f"invitation.{verb}",
        values=row,
        detail={**facts.command.whence(), **{name: row[name] for name in told}},
    )
    message = Message(kind=kind, object_type="invitation", object_id=act.id)
    return Effects(acts=(act,), messages=(message,), says={"expires_at": row["expires_at"].isoformat()})


def _on(facts: InvitationFacts, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any]) -> Act:
    return Act(
        table=Invitation,
        object_type="invitation",
        id=facts.row.id,
        action=f"invitation.{verb}",
        row=facts.row,
        values=values,
        detail=detail,
    )


def invited(facts: InvitationFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep the invitation for a week, and have it sent."""
    command = facts.command
    values = {
        "kind": InvitationKind.INVITATION,
        "user_id": command.user_id,
        "name": command.name.strip(),
        "language": command.language,
        "roles": [str(one) for one in dict.fromkeys(command.roles)],
        "organisation_id": command.organisation_id,
        "expires_at": stamp.now + INVITATION_LASTS,
    }
    return _born("send", facts, stamp, values, "invitation.sent")


def link_asked(facts: InvitationFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep a link to the firm's page for a quarter of an hour, and have it sent to the account's own address."""
    account = facts.row
    values = {
        "kind": InvitationKind.OWN_PAGE,
        "user_id": account.id,
        "name": account.name,
        "language": account.language,
        "roles": [],
        "organisation_id": None,
        "expires_at": stamp.now + LINK_LASTS,
    }
    return _born("ask_link", facts, stamp, values, "invitation.link_asked")


def accepted(facts: InvitationFacts, _target: str, stamp: Stamp) -> Effects:
    """Use the invitation up: an account with the roles that it brings, and a password of which only the hash came."""
    row = facts.row
    account = {
        "person_id": row.user_id,
        "login": row.email,
        "email": row.email,
        "name": row.name,
        "language": row.language,
        "status": UserStatus.ACTIVE,
        "competences": [],
        "created_at": stamp.now,
    }
    grants = [
        {
            "id": stamp.new_id(),
            "user_id": row.user_id,
            "role": role,
            "organisation_id": row.organisation_id,
            "granted_at": stamp.now,
            "granted_by": row.created_by,
        }
        for role in row.roles
    ]
    password = {"id": stamp.new_id(), "user_id": row.user_id, "password_hash": facts.command.password_hash}
    password |= {"set_at": stamp.now, "set_by": row.user_id}

    def on_account(verb: str, detail: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Act:
        own = {"table": User, "object_type": "user", "id": row.user_id, "action": f"user.{verb}"}
        return Act(**own, values=values or {}, detail=detail)

    said = {name: value for name, value in account.items() if name != "created_at"}
    acts = (
        _on(facts, "accept", {"used_at": stamp.now}, {**facts.command.whence(), "user_id": row.user_id}),
        on_account("add", {**said, "invitation_id": row.id}, account),
        *(
            on_account("grant", {"grant_id": one["id"], "role": one["role"], "organisation_id": one["organisation_id"]})
            for one in grants
        ),
        on_account("set_password", {**facts.command.whence(), "is_first": True}),
    )
    rows: tuple[Any, ...] = (*((RoleGrant, one) for one in grants), (Credential, password))
    told = Message(kind="invitation.accepted", object_type="invitation", object_id=row.id)
    return Effects(acts=acts, rows=rows, messages=(told,), says={"user_id": str(row.user_id), "login": row.email})


def opened(facts: InvitationFacts, _target: str, stamp: Stamp) -> Effects:
    """Use the link up; the session that begins with it is another act, in the same transaction."""
    return Effects(acts=(_on(facts, "open", {"used_at": stamp.now}, {"user_id": facts.row.user_id}),))


def revoked(facts: InvitationFacts, _target: str, stamp: Stamp) -> Effects:
    """Take it back: its link opens nothing any more."""
    return Effects(acts=(_on(facts, "revoke", {"revoked_at": stamp.now}, {"email": facts.row.email}),))


def _on_account(facts: IdentityFacts, verb: str, detail: Mapping[str, Any], **rest: Any) -> Effects:
    act = Act(table=User, object_type="user", id=facts.row.id, action=f"user.{verb}", row=facts.row, detail=detail)
    return Effects(acts=(act,), **rest)


def identity_linked(facts: IdentityFacts, _target: str, stamp: Stamp) -> Effects:
    """Remember under which name the provider knows this account."""
    command = facts.command
    said = {"issuer": command.issuer, "subject": command.subject}
    row = {"id": stamp.new_id(), "user_id": facts.row.id, **said, "created_at": stamp.now}
    detail = {**said, "identity_id": row["id"]}
    return _on_account(facts, "link_identity", detail, rows=((OutsideIdentity, row),))


def identity_ended(facts: IdentityFacts, _target: str, stamp: Stamp) -> Effects:
    """Forget it: the next time the provider vouches for it, the mail address decides anew."""
    ended = (OutsideIdentity, facts.identity.id, {"ended_at": stamp.now})
    return _on_account(facts, "unlink_identity", {"identity_id": facts.identity.id}, updates=(ended,))
