"""What a carried-out verb of people and organisations changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.people.facts import DelegationEntry, Entry, folded
from lifecycle.stages import credit_code
from models.access import WebSession
from models.people import ApiToken, Delegation, Organisation, OrganisationTie, RoleGrant, User
from models.programmes import Programme, StandardDraft, StandardPack
from models.states import UserStatus


def _born(model: Any, object_type: str, verb: str, row_id: UUID, values: Mapping[str, Any], kind: str) -> Effects:
    detail = {key: value for key, value in values.items() if key not in ("created_at", "body")}
    act = Act(
        table=model, object_type=object_type, id=row_id, action=f"{object_type}.{verb}", values=values, detail=detail
    )
    return Effects(acts=(act,), messages=(Message(kind=kind, object_type=object_type, object_id=row_id),))


def _on(entry: Entry | DelegationEntry, model: Any, object_type: str, verb: str, **rest: Any) -> Effects:
    values = rest.pop("values", {})
    act = Act(
        table=model,
        object_type=object_type,
        id=entry.row.id,
        action=f"{object_type}.{verb}",
        row=entry.row,
        values=values,
        detail=rest.pop("detail", {}),
    )
    return Effects(acts=(act,), **rest)


def organisation_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Enter the organisation, its credit code as it is compared."""
    command = entry.command
    values = {
        "name": command.name.strip(),
        "kind": command.kind,
        "credit_code": credit_code.normalise(command.credit_code) if command.credit_code else None,
        "country": command.country,
        "outside_key": command.outside_key,
        "created_at": stamp.now,
    }
    return _born(Organisation, "organisation", "add", stamp.new_id(), values, "organisation.added")


def organisation_corrected(entry: Entry, _target: str, _stamp: Stamp) -> Effects:
    """Store the right values; what stood there before stays in the audit row."""
    changes = entry.changes
    was = {column: getattr(entry.row, column) for column in changes}
    detail = {"reason": entry.command.reason, "was": was, "is": changes}
    return _on(
        entry, Organisation, "organisation", "correct", values=changes, detail=detail, touched=entry.applications
    )


def organisations_tied(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Record the tie on the chain of the organisation that was named first."""
    command = entry.command
    row = {"id": stamp.new_id(), **command.asks()}
    rows, touched = ((OrganisationTie, row),), entry.applications
    return _on(entry, Organisation, "organisation", "tie", rows=rows, detail=command.asks(), touched=touched)


def user_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Enter the account; a first account begins a person."""
    command = entry.command
    user_id = stamp.new_id()
    values = {
        "person_id": command.person_id or user_id,
        "login": command.login,
        "email": folded(command.email),
        "name": command.name.strip(),
        "language": command.language,
        "status": UserStatus.ACTIVE,
        "competences": list(command.competences),
        "created_at": stamp.now,
    }
    return _born(User, "user", "add", user_id, values, "user.added")


def role_granted(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Give the role from now on."""
    command = entry.command
    row = {
        "id": stamp.new_id(),
        "user_id": command.user_id,
        "role": command.role,
        "organisation_id": command.organisation_id,
        "granted_at": stamp.now,
        "granted_by": stamp.actor.user_id,
    }
    detail = {"grant_id": row["id"], "role": command.role, "organisation_id": command.organisation_id}
    return _on(entry, User, "user", "grant", rows=((RoleGrant, row),), detail=detail, says={"grant_id": str(row["id"])})


def role_revoked(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """End the grant now; the row stays."""
    change = (RoleGrant, entry.command.grant_id, {"revoked_at": stamp.now})
    return _on(entry, User, "user", "revoke", updates=(change,), detail={"grant_id": entry.command.grant_id})


def user_disabled(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Disable the account and end its sessions, so that none comes back when it is enabled again."""
    ended = tuple((WebSession, one.id, {"ended_at": stamp.now}) for one in entry.sessions)
    return _on(entry, User, "user", "disable", values={"status": UserStatus.DISABLED}, updates=ended)


def user_enabled(entry: Entry, _target: str, _stamp: Stamp) -> Effects:
    """Let the account in again."""
    return _on(entry, User, "user", "enable", values={"status": UserStatus.ACTIVE})


def delegated(entry: DelegationEntry, _target: str, stamp: Stamp) -> Effects:
    """Lend the role; it stands in the chain of who stands in, with both names."""
    command = entry.command
    row = {
        "id": stamp.new_id(),
        "delegator_id": stamp.actor.user_id,
        "delegate_id": entry.row.id,
        "role": command.role,
        "organisation_id": command.organisation_id,
        "from_on": command.from_on,
        "until_on": command.until_on,
        "reason": command.reason.strip(),
        "at": stamp.now,
    }
    detail = {**{name: value for name, value in row.items() if name not in ("id", "at")}, "delegation_id": row["id"]}
    told = {"role": str(command.role), "for": stamp.actor.name, "from": command.from_on.isoformat()}
    message = Message(
        kind="user.delegated",
        object_type="user",
        object_id=entry.row.id,
        facts={**told, "until": command.until_on.isoformat(), "by": entry.row.name},
    )
    says = {"delegation_id": str(row["id"])}
    return _on(
        entry, User, "user", "delegate", rows=((Delegation, row),), detail=detail, messages=(message,), says=says
    )


def delegation_ended(entry: DelegationEntry, _target: str, stamp: Stamp) -> Effects:
    """End the delegation now; what was said under it counts no more at the last gate of a payout."""
    ended = (Delegation, entry.command.delegation_id, {"revoked_at": stamp.now})
    return _on(
        entry, User, "user", "end_delegation", updates=(ended,), detail={"delegation_id": entry.command.delegation_id}
    )


def language_set(entry: Entry, _target: str, _stamp: Stamp) -> Effects:
    """Write to the account in this language from now on."""
    said = entry.command.language
    detail = {"was": entry.row.language, "is": said}
    return _on(entry, User, "user", "set_language", values={"language": said}, detail=detail)


def token_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Keep the hash of the token."""
    command = entry.command
    row = {
        "id": stamp.new_id(),
        "user_id": command.user_id,
        "token_sha256": command.token_sha256,
        "scopes": sorted(map(str, command.scopes)),
        "created_at": stamp.now,
        "expires_at": command.expires_at,
    }
    detail = {"token_id": row["id"], "expires_at": command.expires_at, "scopes": row["scopes"]}
    says = {"token_id": str(row["id"])}
    return _on(entry, User, "user", "add_token", rows=((ApiToken, row),), detail=detail, says=says)


def token_revoked(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """End the token now; the row stays."""
    change = (ApiToken, entry.command.token_id, {"revoked_at": stamp.now})
    return _on(entry, User, "user", "revoke_token", updates=(change,), detail={"token_id": entry.command.token_id})


def standard_published(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Keep the pack under its hash."""
    command = entry.command
    row = {
        "sha256": command.sha256,
        "code": command.body["code"],
        "pack_version": command.body["version"],
        "body": dict(command.body),
        "published_at": stamp.now,
    }
    born = _born(StandardPack, "standard", "publish", stamp.new_id(), row, "standard.published")
    acts = (*born.acts, *((_closed(entry.draft, "publish", stamp),) if entry.draft is not None else ()))
    return replace(born, acts=acts, says={"sha256": command.sha256})


def standard_proposed(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Keep the pack as a draft for the second editor."""
    command = entry.command
    row = {
        "sha256": command.sha256,
        "code": command.body["code"],
        "pack_version": command.body["version"],
        "body": dict(command.body),
        "reason": command.reason.strip(),
        "proposed_by": stamp.actor.user_id,
        "proposed_at": stamp.now,
    }
    born = _born(StandardDraft, "standard_draft", "propose", stamp.new_id(), row, "standard.proposed")
    facts = {"proposer": stamp.actor.name}
    return replace(born, messages=tuple(replace(one, facts=facts) for one in born.messages))


def standard_withdrawn(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Close the draft; its text stays to be read."""
    return Effects(acts=(_closed(entry.row, "withdraw", stamp, reason=entry.command.reason.strip()),))


def _closed(draft: Any, verb: str, stamp: Stamp, **detail: Any) -> Act:
    return Act(
        table=StandardDraft,
        object_type="standard_draft",
        id=draft.id,
        action=f"standard_draft.{verb}",
        row=draft,
        values={"closed_at": stamp.now},
        detail={"sha256": draft.sha256, **detail},
    )


def programme_added(entry: Entry, _target: str, stamp: Stamp) -> Effects:
    """Open the programme."""
    values = {**entry.command.asks(), "profiles": dict(entry.command.profiles), "created_at": stamp.now}
    return _born(Programme, "programme", "add", stamp.new_id(), values, "programme.added")
