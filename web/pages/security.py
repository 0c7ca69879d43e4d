"""My security: second factors, sessions and the password of whoever is signed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import JSONResponse, RedirectResponse, Response

from lifecycle.access import keys, security
from lifecycle.access.codes import address, new_recovery_code, new_secret, opened, recovery_fingerprint, sealed, step_of
from lifecycle.access.commands import (
    AddPasskey,
    AddTotp,
    RemovePasskey,
    RemoveTotp,
    RenewCodes,
    SetPassword,
    SignOut,
    SignOutOthers,
)
from lifecycle.access.guessing import weaknesses
from lifecycle.access.passwords import hashed
from lifecycle.access.queries import known_words
from lifecycle.commands import Answer, Command
from lifecycle.errors import Forbidden, Invalid, LifecycleError, NotFound, NotSignedIn, unmet
from models.limits import LONGEST_PASSWORD, RECOVERY_CODES, SHORT_TEXT, SHORTEST_PASSWORD
from models.states import ChallengeKind
from web import key_alone
from web.errors import reasons_of, status_of
from web.proving import PASSKEY, FactorWrong, answered, draw, place_of
from web.reading_rights import as_id
from web.render import page
from web.session import Entered, Somebody, Typed, Visit, text_of
from web.signing_in import check_password, safe_address

router = APIRouter()
HOME = "/security"
_DONE = ("password", "changed")
_SYSTEMS = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
            ("HarmonyOS", "HarmonyOS"), ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
_BROWSERS = (("Edg", "Edge"), ("MicroMessenger", "WeChat"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
             ("Safari", "Safari"))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A session as its owner recognises it."""

    id: UUID
    system: str
    browser: str
    address: str
    kind: str
    created_at: datetime
    seen_at: datetime
    is_this: bool


@router.get("/security")
def show(visit: Somebody, done: str = "") -> Response:
    """Show what guards one's account, and where one is signed in."""
    own = visit.actor.user_id
    rows, alone = visit.read(
        lambda session: (security.sessions(session, own, visit.now), security.keys_that_enter(session, own))
    )
    return page(
        visit,
        "security.html",
        own=visit.factors,
        alone=alone if key_alone.is_offered(visit) else frozenset(),
        offers_alone=key_alone.is_offered(visit),
        sessions=[_device(row, _session_id(visit)) for row in rows],
        is_demanded=visit.house.demands_second_factor,
        is_demanded_of_all=visit.house.demands_it_of_everybody,
        has_place=place_of(visit) is not None,
        done=done if done in _DONE else "",
    )


@router.post("/security/sessions/end")
def end(visit: Somebody, form: Typed) -> Response:
    """End one of one's other sessions."""
    if wants := _proof_first(visit):
        return wants
    known = as_id(text_of(form, "session"))
    if known is None:
        raise NotFound(NotFound.code)
    _do(visit, SignOut(command_id=_key(visit), user_id=visit.actor.user_id, session_id=known))
    return _home("changed")


@router.post("/security/sessions/end-others")
def end_others(visit: Somebody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """End every session but this one."""
    if wants := _proof_first(visit):
        return wants
    own = visit.actor.user_id
    _do(visit, SignOutOthers(command_id=_key(visit), user_id=own, session_id=_session_id(visit)))
    return _home("changed")


@router.get("/security/totp")
def ask_totp(visit: Somebody) -> Response:
    """Draw a secret and show it: as a square, and to be typed."""
    if wants := _proof_first(visit):
        return wants
    key = visit.house.settings.seal_key()
    if key is None and not visit.house.is_rehearsal:
        raise Forbidden(unmet("seal_key_missing"))
    return _totp(visit, new_secret())


@router.post("/security/totp")
def add_totp(visit: Somebody, form: Typed) -> Response:
    """Keep the secret once a code of it was typed; `sealed` says which one was shown."""
    if wants := _proof_first(visit):
        return wants
    secret = opened(text_of(form, "sealed"), visit.house.settings.seal_key())
    if secret is None:
        return RedirectResponse("/security/totp", status_code=303)
    step = step_of(secret, text_of(form, "code"), visit.now)
    if step is None:
        return _totp(visit, secret, FactorWrong(FactorWrong.code))
    codes = _codes_if_first(visit)
    said: dict[str, Any] = {
        "secret": sealed(secret, visit.house.settings.seal_key()),
        "step": step,
        "codes_sha256": _fingerprints(codes),
    }
    _do(visit, AddTotp(command_id=_key(visit), **_mine(visit), **said))
    return page(visit, "codes.html", codes=codes) if codes else _home("changed")


@router.get("/security/totp/remove")
def ask_to_remove_totp(visit: Somebody) -> Response:
    """Ask whether the authenticator app shall count no more."""
    own = visit.factors
    last = () if own.keys else ("security.really.last",)
    return _proof_first(visit) or _really(visit, "user.remove_totp", ("security.really.totp", *last))


@router.post("/security/totp/remove")
def remove_totp(visit: Somebody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Let it count no more."""
    if wants := _proof_first(visit):
        return wants
    _do(visit, RemoveTotp(command_id=_key(visit), **_mine(visit)))
    return _home("changed")


@router.get("/security/passkeys")
def ask_passkey(visit: Somebody) -> Response:
    """Ask for a name; the script of the page asks the browser for the key."""
    _need_place(visit)
    return _proof_first(visit) or page(visit, "passkey.html", reasons=(), name="")


@router.post("/security/passkeys/challenge")
def draw_for_new_key(visit: Somebody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Return what the browser is asked for."""
    place = _need_place(visit)
    if not visit.has_stepped_up():
        raise Forbidden(unmet("step_up_required"))
    signs, account = draw(visit, ChallengeKind.REGISTER), _account(visit)
    known = [one.credential_id for one in visit.factors.keys]
    return JSONResponse(keys.to_register(place, signs, user_id=account.user_id.bytes, login=account.login, known=known))


@router.post("/security/passkeys")
def add_passkey(visit: Somebody, form: Typed) -> Response:
    """Keep the key that the browser brought."""
    if wants := _proof_first(visit):
        return wants
    place, brought, name = _need_place(visit), text_of(form, PASSKEY), text_of(form, "name").strip()
    codes = _codes_if_first(visit)
    try:
        if not 0 < len(name) <= SHORT_TEXT:
            raise Invalid(unmet("field_missing", field="name"))
        challenge = answered(visit, ChallengeKind.REGISTER, brought)
        made = _registered(place, challenge.signs, brought)
        command = AddPasskey(
            command_id=_key(visit),
            **_mine(visit),
            challenge_id=challenge.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=name,
            enters_alone=made.enters_alone,
            codes_sha256=_fingerprints(codes),
        )
        _do(visit, command)
    except LifecycleError as error:
        return page(visit, "passkey.html", status=status_of(error), reasons=reasons_of(error), name=name)
    return page(visit, "codes.html", codes=codes) if codes else _home("changed")


@router.get("/security/passkeys/{key_id}/remove")
def ask_to_remove_passkey(visit: Somebody, key_id: str) -> Response:
    """Ask whether a key shall count no more."""
    own, key = visit.factors, _key_of(visit, key_id)
    last = ("security.really.last",) if own.totp is None and len(own.keys) == 1 else ()
    notes = ("security.really.passkey", *last)
    return _proof_first(visit) or _really(visit, "user.remove_passkey", notes, name=key.name)


@router.post("/security/passkeys/{key_id}/remove")
def remove_passkey(visit: Somebody, form: Typed, key_id: str) -> Response:  # noqa: ARG001 - the form's token counts
    """Let it count no more."""
    if wants := _proof_first(visit):
        return wants
    _do(visit, RemovePasskey(command_id=_key(visit), **_mine(visit), passkey_id=_key_of(visit, key_id).id))
    return _home("changed")


@router.get("/security/codes")
def ask_codes(visit: Somebody) -> Response:
    """Ask whether the recovery codes shall be replaced."""
    return _proof_first(visit) or _really(visit, "user.renew_codes", ("security.really.codes",))


@router.post("/security/codes")
def renew_codes(visit: Somebody, form: Typed) -> Response:  # noqa: ARG001 - the form's token is what counts
    """Replace them and show the new ones this once."""
    if wants := _proof_first(visit):
        return wants
    codes = _new_codes()
    _do(visit, RenewCodes(command_id=_key(visit), **_mine(visit), codes_sha256=_fingerprints(codes)))
    return page(visit, "codes.html", codes=codes)


@router.get("/security/password")
def ask_password(visit: Entered, next: str = "") -> Response:  # noqa: A002 - the word of the address
    """Ask for a new password."""
    return _password(visit, safe_address(next))


@router.post("/security/password")
def change_password(visit: Entered, form: Typed) -> Response:
    """Take it from who knows the present one; every other session ends."""
    following, new, account = safe_address(text_of(form, "next")), text_of(form, "new"), _account(visit)
    try:
        _check_now(visit, text_of(form, "now"), SetPassword(command_id=_key(visit), **_mine(visit), password_hash=""))
        if wrong := weaknesses(new, *visit.read(lambda session: known_words(session, account.user_id))):
            raise Invalid(*wrong)
        if new != text_of(form, "again"):
            raise Invalid(unmet("passwords_differ"))
        if new == text_of(form, "now"):
            raise Invalid(unmet("password_same"))
        _do(visit, SetPassword(command_id=_key(visit), **_mine(visit), password_hash=hashed(new)))
    except LifecycleError as error:
        return _password(visit, following, error)
    return _home("password") if following == "/" else RedirectResponse(following, status_code=303)


def _check_now(visit: Visit, typed: str, wanted: Command) -> None:
    try:
        check_password(visit, typed, wanted)
    except NotSignedIn as error:
        raise Invalid(unmet("password_wrong")) from error


def _password(visit: Visit, following: str, error: LifecycleError | None = None) -> Response:
    is_first = visit.session is not None and visit.session.has_password_to_change
    return page(
        visit,
        "password.html",
        status=status_of(error) if error else 200,
        reasons=reasons_of(error) if error else (),
        next=following,
        is_first=is_first,
        least=SHORTEST_PASSWORD,
        most=LONGEST_PASSWORD,
    )


def _totp(visit: Visit, secret: str, error: LifecycleError | None = None) -> Response:
    """Show a secret; it goes with the form as it would be stored, so that nobody brings another one."""
    square = segno.make(address(secret, _account(visit).login), error="m", micro=False)
    return page(
        visit,
        "totp.html",
        status=status_of(error) if error else 200,
        reasons=reasons_of(error) if error else (),
        square=Markup(square.svg_inline(omitsize=True, border=2)),  # noqa: S704 - drawn by us, of figures only
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        sealed=sealed(secret, visit.house.settings.seal_key()),
        replaces=visit.factors.totp is not None,
    )


def _really(visit: Visit, permission: str, notes: Sequence[str], *, name: str = "") -> Response:
    return page(visit, "change_access.html", permission=permission, notes=notes, name=name, reasons=())


def _proof_first(visit: Visit) -> Response | None:
    """Return the way to proving oneself again, for who has not within five minutes, and back."""
    if visit.has_stepped_up():
        return None
    wanted = visit.request.url.path if visit.request.method == "GET" else HOME
    return RedirectResponse(f"/step-up?next={quote(wanted)}", status_code=303)


def _registered(place: keys.Place, signs: bytes, brought: str) -> keys.NewKey:
    try:
        return keys.registered(place, signs, brought)
    except keys.KeyWrong as error:
        raise FactorWrong("passkey_wrong") from error


def _need_place(visit: Visit) -> keys.Place:
    place = place_of(visit)
    if place is None:
        raise Forbidden(unmet("no_place_for_passkeys"))
    return place


def _key_of(visit: Visit, key_id: str) -> security.Key:
    found = next((one for one in visit.factors.keys if one.id == as_id(key_id)), None)
    if found is None:
        raise NotFound(NotFound.code)
    return found


def _codes_if_first(visit: Visit) -> tuple[str, ...]:
    return () if visit.factors.codes else _new_codes()


def _new_codes() -> tuple[str, ...]:
    return tuple(new_recovery_code() for _ in range(RECOVERY_CODES))


def _fingerprints(codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in map(recovery_fingerprint, codes) if one is not None)


def _account(visit: Visit) -> Any:
    if visit.session is None:
        raise NotSignedIn(NotSignedIn.code)
    return visit.session.account


def _session_id(visit: Visit) -> UUID:
    if visit.session is None:
        raise NotSignedIn(NotSignedIn.code)
    return visit.session.session_id


def _mine(visit: Visit) -> dict[str, Any]:
    return {"user_id": visit.actor.user_id, "session_id": _session_id(visit)}


def _key(visit: Visit) -> str:
    return str(visit.house.new_id())


def _do(visit: Visit, command: Command) -> Answer:
    """Carry a command out; raise its refusal."""
    answer = visit.act(command)
    if answer.error is not None:
        raise answer.error
    return answer


def _home(done: str) -> Response:
    return RedirectResponse(f"{HOME}?done={done}", status_code=303)


def _device(row: Any, own: UUID) -> Device:
    return Device(
        id=row.id,
        system=_first(row.agent, _SYSTEMS),
        browser=_first(row.agent, _BROWSERS),
        address=row.address,
        kind=row.kind,
        created_at=row.created_at,
        seen_at=row.seen_at,
        is_this=row.id == own,
    )


def _first(agent: str, known: Sequence[tuple[str, str]]) -> str:
    return next((name for sign, name in known if sign in agent), "")
