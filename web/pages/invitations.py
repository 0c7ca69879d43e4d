"""Inviting people: which invitations are open, a new one, taking one back. For administrators and coordinators."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from lifecycle.entrance.commands import REVOKE, SEND
from lifecycle.entrance.queries import firms_named, invitations, reach_of
from lifecycle.entrance.rules import givable
from lifecycle.errors import LifecycleError, NotFound
from models.states import Role
from web.asking import Ask, ask, need, show, take
from web.coming_in import drawn
from web.forms import KEY, Input
from web.listing import Column, answer, limit_of, paged, wanted
from web.reading_rights import as_id
from web.render import Words
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
PLACE = "/admin/invitations"


@router.get("/admin/invitations")
@router.get("/admin/invitations.{form}")
def list_invitations(visit: Somebody, form: str = "", after: str = "") -> Response:
    """List the open invitations: one's own, and everybody's for administrators."""
    need(visit, SEND)
    kind, revoke = wanted(form), Words(visit.lang, visit.house.zone).t("invitation.revoke")
    rows = [
        {
            **{name: row[name] for name in ("id", "name", "email", "roles", "organisation", "by", "expires_at")},
            "revoke": revoke,
            "url": f"{PLACE}/{row['id']}/revoke",
        }
        for row in _open(visit, after=as_id(after), limit=limit_of(kind))
    ]
    listing = paged("admin.invitations", _COLUMNS, rows, form=kind, key="id")
    return answer(visit, listing, kind, "invitations.html", keeps=Role.ADMIN in visit.roles)


@router.get("/admin/invitations/new")
def ask_new(visit: Somebody, organisation_id: str = "") -> Response:
    """Ask whom to invite, to what."""
    return show(visit, _new(visit, place=organisation_id))


@router.post("/admin/invitations/new")
def invite(visit: Somebody, form: Typed) -> Response:
    """Invite them: the mail goes out with the next pass of the outbox."""
    asked = _new(visit)
    try:
        link = drawn(visit, text_of(form, KEY))
    except LifecycleError as error:
        return show(visit, asked, form=form, error=error)
    fixed = {"invitation_id": link.invitation_id, "user_id": link.user_id, "token_sha256": link.token_sha256}
    return take(visit, replace(asked, fixed=fixed), form)


@router.get("/admin/invitations/{ref}/revoke")
def ask_revoke(visit: Somebody, ref: str) -> Response:
    """Ask whether an invitation shall be taken back."""
    return show(visit, _revoke(visit, ref))


@router.post("/admin/invitations/{ref}/revoke")
def revoke(visit: Somebody, form: Typed, ref: str) -> Response:
    """Take it back."""
    return take(visit, _revoke(visit, ref), form)


def _open(visit: Visit, **asked: Any) -> list[dict[str, Any]]:
    by = None if Role.ADMIN in visit.roles else visit.actor.user_id
    return visit.read(lambda session: invitations(session, now=visit.now, by=by, **asked))


def _new(visit: Visit, *, place: str = "") -> Ask:
    """Return the form with what this person may give, and nothing else to choose."""
    asked = ask(
        visit,
        SEND,
        back=PLACE,
        fixed=dict.fromkeys(("invitation_id", "user_id", "token_sha256")),
        typed={"language": visit.lang, "organisation_id": place},
        note=Words(visit.lang, visit.house.zone).t("invitation.note"),
    )
    named = Words(visit.lang, visit.house.zone).t("invitation.name")
    asked = replace(
        asked, inputs=tuple(replace(one, label=named) if one.name == "name" else one for one in asked.inputs)
    )
    reach = visit.read(lambda session: reach_of(session, visit.actor.user_id))
    if (Role.ADMIN, None) in reach.grants:
        return asked
    places = {at for role, at in reach.grants if role is Role.ADMIN and at is not None} | reach.firms
    offered = visit.read(lambda session: firms_named(session, sorted(places, key=str)))
    roles = {role for at in places for role in givable(reach, at)}
    return replace(asked, inputs=tuple(_narrowed(one, offered, roles) for one in asked.inputs))


def _narrowed(one: Input, places: list[tuple[str, str]], roles: set[Role]) -> Input:
    if one.name == "organisation_id":
        return replace(one, options=places, is_required=True)
    if one.name == "roles":
        return replace(one, options=[(str(role), str(role)) for role in Role if role in roles])
    return one


def _revoke(visit: Visit, ref: str) -> Ask:
    need(visit, REVOKE)
    known = as_id(ref)
    found = _open(visit, id=known) if known is not None else []
    if not found:
        raise NotFound(NotFound.code)
    (row,) = found
    words = Words(visit.lang, visit.house.zone)
    facts = tuple((words.field(name), str(row[name])) for name in ("name", "email"))
    fixed: dict[str, UUID] = {"invitation_id": row["id"]}
    return Ask(verb=REVOKE, inputs=(), back=PLACE, fixed=fixed, facts=facts)


_COLUMNS = (
    Column(key="name"),
    Column(key="email"),
    Column(key="roles", kind="words", word="role"),
    Column(key="organisation", label="organisation_id"),
    Column(key="by", label="invited_by"),
    Column(key="expires_at", kind="at"),
    Column(key="revoke", link="url", label="revoke"),
)
