"""What programs bring in: a project, a firm, an account, a programme, a fund, a webhook; roles and tokens of accounts.

Each is one verb of the lifecycle. A secret that is drawn here is shown in this answer and never again.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lifecycle.access.queries import fingerprint
from lifecycle.deliveries.commands import ADD, ROTATE, DisableEndpoint
from lifecycle.errors import NotFound
from lifecycle.funds.commands import ADD as ADD_FUND
from lifecycle.people.commands import (
    ADD_ORGANISATION,
    ADD_PROGRAMME,
    ADD_USER,
    DISABLE_USER,
    ENABLE_USER,
    AddToken,
    GrantRole,
    RevokeRole,
    RevokeToken,
)
from lifecycle.projects.registration import REGISTER
from models.limits import LONGEST_TOKEN
from models.states import Role, Scope
from notifications.webhooks import new_secret
from web.api.core import Body, Dry, carried, command_from, key_of, need, read_as, told
from web.api.rows import RESOURCES
from web.asking import need as need_right
from web.nouns import USERS, WEBHOOKS, AnyVerb
from web.reading_rights import as_id
from web.session import Program, Visit

router = APIRouter(tags=["births"])
BIRTHS: Mapping[str, AnyVerb] = {
    "projects": REGISTER,
    "organisations": ADD_ORGANISATION,
    "users": ADD_USER,
    "programmes": ADD_PROGRAMME,
    "funds": ADD_FUND,
    "webhooks": ADD,
}
"""First part of an address -> what brings such a thing in."""
DISABLED_HERE = "deleted by a program"


class Grant(BaseModel):
    """A role that somebody is given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Annotated[Role, Field(strict=False)]
    organisation_id: Annotated[UUID | None, Field(strict=False)] = None


class Token(BaseModel):
    """A token that somebody is given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    days: int = Field(ge=1, le=LONGEST_TOKEN.days)
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(min_length=1, max_length=len(Scope))


@router.post("/users/{ref}/grants", status_code=201)
def grant(visit: Program, ref: str, asked: Annotated[Grant, Depends(read_as(Grant))], is_dry: Dry) -> Response:
    """Give somebody a role."""
    need(visit, Scope.PROJECT_WRITE)
    key, user_id = key_of(visit), _user(visit, ref)
    command = GrantRole(command_id=key, user_id=user_id, role=asked.role, organisation_id=asked.organisation_id)
    return told(carried(visit, command, is_dry=is_dry), 201)


@router.delete("/users/{ref}/grants/{grant_id}", status_code=204)
def revoke(visit: Program, ref: str, grant_id: str) -> Response:
    """Take a role back."""
    need(visit, Scope.PROJECT_WRITE)
    key, user_id = key_of(visit), _user(visit, ref)
    carried(visit, RevokeRole(command_id=key, user_id=user_id, grant_id=_id(grant_id)))
    return Response(status_code=204)


@router.post("/users/{ref}/disable")
def disable(visit: Program, ref: str, is_dry: Dry) -> Response:
    """Close an account."""
    return _whole(visit, ref, DISABLE_USER, is_dry=is_dry)


@router.post("/users/{ref}/enable")
def enable(visit: Program, ref: str, is_dry: Dry) -> Response:
    """Open an account again."""
    return _whole(visit, ref, ENABLE_USER, is_dry=is_dry)


@router.post("/users/{ref}/tokens", status_code=201)
def add_token(visit: Program, ref: str, asked: Annotated[Token, Depends(read_as(Token))], is_dry: Dry) -> Response:
    """Give somebody a token; it is in this answer and nowhere else."""
    need(visit, Scope.PROJECT_WRITE)
    key, user_id, text = key_of(visit), _user(visit, ref), f"pt_{secrets.token_urlsafe(32)}"
    command = AddToken(
        command_id=key,
        user_id=user_id,
        token_sha256=fingerprint(text),
        expires_at=visit.now + timedelta(days=asked.days),
        scopes=tuple(sorted(set(asked.scopes))),
    )
    return told(carried(visit, command, is_dry=is_dry), 201, token=text)


@router.delete("/users/{ref}/tokens/{token_id}", status_code=204)
def revoke_token(visit: Program, ref: str, token_id: str) -> Response:
    """Take a token back."""
    need(visit, Scope.PROJECT_WRITE)
    key, user_id = key_of(visit), _user(visit, ref)
    carried(visit, RevokeToken(command_id=key, user_id=user_id, token_id=_id(token_id)))
    return Response(status_code=204)


@router.post("/webhooks/{ref}/commands/rotate")
def rotate(visit: Program, body: Body, ref: str, is_dry: Dry) -> Response:
    """Give an endpoint a new secret: one that is sent along, else one that is drawn and shown in this answer."""
    need(visit, Scope.PROJECT_WRITE)
    key = key_of(visit)
    row = visit.read(lambda session: WEBHOOKS.find(session, visit, ref))
    body, shown = _with_secret(body)
    return told(carried(visit, command_from(ROTATE, row.id, body, key=key), is_dry=is_dry), 200, **shown)


@router.delete("/webhooks/{ref}", status_code=204)
def delete_webhook(visit: Program, ref: str) -> Response:
    """Tell an endpoint nothing more; what it was told stays on record."""
    need(visit, Scope.PROJECT_WRITE)
    key = key_of(visit)
    row = visit.read(lambda session: WEBHOOKS.find(session, visit, ref))
    carried(visit, DisableEndpoint(command_id=key, webhook_id=row.id, reason=DISABLED_HERE))
    return Response(status_code=204)


@router.post("/{path}", status_code=201)
def bring_in(visit: Program, body: Body, path: str, is_dry: Dry) -> Response:
    """Bring something in that was not there."""
    need(visit, Scope.PROJECT_WRITE)
    verb = BIRTHS.get(path)
    if verb is None:
        known = path in RESOURCES
        raise HTTPException(405 if known else 404, headers={"allow": "GET"} if known else None)
    shown: dict[str, str] = {}
    key = key_of(visit)
    need_right(visit, verb)
    if verb is ADD:
        body, shown = _with_secret({"owner_id": str(visit.actor.user_id), **body})
    return told(carried(visit, command_from(verb, None, body, key=key), is_dry=is_dry), 201, **shown)


def _whole(visit: Visit, ref: str, verb: AnyVerb, *, is_dry: bool) -> Response:
    """Carry out what asks for nothing but the account."""
    need(visit, Scope.PROJECT_WRITE)
    key, user_id = key_of(visit), _user(visit, ref)
    return told(carried(visit, verb.command(command_id=key, user_id=user_id), is_dry=is_dry))


def _user(visit: Visit, ref: str) -> UUID:
    user_id: UUID = visit.read(lambda session: USERS.find(session, visit, ref).id)
    return user_id


def _id(text: str) -> UUID:
    known = as_id(text)
    if known is None:
        raise NotFound(NotFound.code)
    return known


def _with_secret(body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a body that says a secret, and what to show of it: only one that was drawn here."""
    if "secret" in body:
        return dict(body), {}
    secret = new_secret()
    return {**body, "secret": secret}, {"secret": secret}
