"""Programs elsewhere that are told what happens: their addresses, what was delivered to them, their secrets once."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.commands import Answer
from lifecycle.deliveries.commands import ADD, PING, ROTATE
from lifecycle.deliveries.queries import endpoints, tries
from lifecycle.errors import Invalid
from notifications.webhooks import known_types, new_secret, place_to_allow
from notifications.words import sentence
from web.acts import actions
from web.asking import Ask, ask, need, show, take
from web.listing import Column, Listing, answer, wanted
from web.nouns import WEBHOOKS
from web.render import page
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()


@router.get("/ops/webhooks")
@router.get("/ops/webhooks.{form}")
def list_webhooks(visit: Somebody, form: str = "") -> Response:
    """List the endpoints by address, with how many messages wait for each."""
    need(visit, PING)
    rows = [{**one, "page": f"/webhooks/{one['id']}"} for one in visit.read(endpoints)]
    return answer(
        visit, Listing(name="ops.webhooks", columns=_ENDPOINTS, rows=rows), wanted(form), "webhooks.html", add=ADD
    )


@router.get("/ops/webhooks/new")
def ask_new(visit: Somebody) -> Response:
    """Ask for an address, the kinds that it is told of, and who is told when it fails."""
    return show(visit, _new(visit, ""))


@router.post("/ops/webhooks/new")
def add(visit: Somebody, form: Typed) -> Response:
    """Add it and show its secret, this once."""
    secret = new_secret()
    asked = _new(visit, secret)
    try:
        known_types(text_of(form, "types").replace(",", " ").split())
    except Invalid as error:
        return show(visit, asked, form=form, error=error)
    place = place_to_allow(text_of(form, "url"), allow=visit.house.settings.webhook_places())
    note = sentence("webhook_place_to_allow", {"place": place}, visit.lang) if place else ""
    return take(visit, asked, form, finish=lambda done: _once(visit, done, secret, note))


@router.get("/webhooks/{ref}")
def show_webhook(visit: Somebody, ref: str) -> Response:
    """Show one endpoint: what it is told of, what was delivered, what may be done."""

    def work(session: Session) -> dict[str, Any]:
        row = WEBHOOKS.find(session, visit, ref)
        acts = actions(session, visit, WEBHOOKS, row)
        rows = tries(session, row.id)
        return {
            "webhook": {
                name: getattr(row, name) for name in ("id", "url", "types", "status", "failures", "created_at")
            },
            "is_rotating": row.old_secret is not None,
            "listing": Listing(name="webhook.tries", columns=_TRIES, rows=rows),
            "can": [one for one in acts if one.is_allowed],
            "cannot": [one for one in acts if not one.is_allowed and not one.is_for_others],
            "others_can": [one for one in acts if one.is_for_others],
        }

    return page(visit, "webhook.html", **visit.read(work))


@router.get("/webhooks/{ref}/do/rotate")
def ask_rotation(visit: Somebody, ref: str) -> Response:
    """Ask whether the secret shall change; the old one signs too until the change is ended."""
    return show(visit, _rotation(visit, ref, ""))


@router.post("/webhooks/{ref}/do/rotate")
def rotate(visit: Somebody, form: Typed, ref: str) -> Response:
    """Give it a new secret and show that, this once."""
    secret = new_secret()
    return take(visit, _rotation(visit, ref, secret), form, finish=lambda done: _once(visit, done, secret))


def _new(visit: Visit, secret: str) -> Ask:
    typed = {"owner_id": str(visit.actor.user_id)}
    return ask(visit, ADD, back="/ops/webhooks", fixed={"secret": secret}, typed=typed)


def _rotation(visit: Visit, ref: str, secret: str) -> Ask:
    row = visit.read(lambda session: WEBHOOKS.find(session, visit, ref))
    fixed = {"secret": secret, "webhook_id": row.id}
    return ask(visit, ROTATE, back=WEBHOOKS.url(row), fixed=fixed, facts=(("URL", row.url),))


def _once(visit: Visit, done: Answer, secret: str, note: str = "") -> Response:
    """Show a secret; a repeat of the same form drew another one, so that nobody sees the first again."""
    values: dict[str, Any] = {"permission": ADD.permission, "field": "secret", "note": note, "back": "/ops/webhooks"}
    shown = "–" if done.is_replay else secret
    return page(visit, "secret.html", secret=shown, command_id=done.command.command_id, **values)


_ENDPOINTS = (
    Column(key="url", link="page"),
    Column(key="types", kind="list"),
    Column(key="status", kind="word", word="endpoint_status", bad=("disabled",)),
    Column(key="failures", kind="number"),
    Column(key="waiting", kind="number"),
    Column(key="owner"),
)
_TRIES = (
    Column(key="at", kind="at"),
    Column(key="kind"),
    Column(key="status", kind="word", word="delivery_status", bad=("failed", "given_up")),
    Column(key="attempts", kind="number"),
    Column(key="said"),
    Column(key="outbox_id", kind="hash", label="message_id"),
)
