"""Administration: who is who, who may what where, which programmes there are, which days are worked."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.access.commands import SET_PASSWORD
from lifecycle.access.passwords import hashed
from lifecycle.access.queries import fingerprint
from lifecycle.calendars.book import announced_years, overrides_told
from lifecycle.commands import Answer
from lifecycle.entrance.queries import identities
from lifecycle.errors import NotFound
from lifecycle.people.commands import (
    ADD_ORGANISATION,
    ADD_PROGRAMME,
    ADD_TOKEN,
    ADD_USER,
    END_DELEGATION,
    REVOKE_ROLE,
    REVOKE_TOKEN,
)
from lifecycle.people.queries import grants, organisations, programmes, ties, tokens, users
from models.limits import LONGEST_TOKEN
from models.states import Role, Scope, UserStatus
from web.acts import actions
from web.asking import Ask, ask, need, show, take
from web.forms import Input
from web.listing import Column, Listing, answer, limit_of, paged, wanted
from web.nouns import CALENDARS, ORGANISATIONS, USERS, AnyVerb, Noun
from web.pages.delegations import standing_in
from web.reading_rights import as_id
from web.render import Words, page
from web.session import Somebody, Typed, Visit, number_of, onward

router = APIRouter()
_NEW: dict[str, AnyVerb] = {"people": ADD_USER, "organisations": ADD_ORGANISATION, "programmes": ADD_PROGRAMME}
_BESIDE = frozenset({"user.revoke", "user.revoke_token", "user.end_delegation"})
"""What stands beside each role, token and delegation."""
TOKEN_DAYS = 90
MOST_TOKEN_DAYS = LONGEST_TOKEN.days
_TOKEN_INPUTS = (
    Input(name="days", kind="number", hint=int),
    Input(name="scopes", kind="choices", hint=Scope, word="scope", options=[(str(one), str(one)) for one in Scope]),
)


@router.get("/admin")
def admin(visit: Somebody) -> Response:
    """Lead to the people."""
    need(visit, ADD_USER)
    return onward(visit, "/admin/people")


@router.get("/admin/people")
@router.get("/admin/people.{form}")
def people(visit: Somebody, form: str = "", q: str = "", role: str = "", after: str = "") -> Response:
    """List accounts with their roles, by login."""
    need(visit, ADD_USER)
    limit = limit_of(wanted(form))
    found = visit.read(lambda session: users(session, text=q.strip(), role=role, after=after, limit=limit))
    rows = [{**one, "url": f"/users/{one['login']}"} for one in found]
    listing = paged("admin.people", _PEOPLE, rows, form=wanted(form), key="login")
    return _answer(visit, listing, form, here_is="people", q=q, role=role, add=ADD_USER)


@router.get("/admin/organisations")
@router.get("/admin/organisations.{form}")
def list_organisations(visit: Somebody, form: str = "", q: str = "", after: str = "") -> Response:
    """List organisations, by name."""
    need(visit, ADD_ORGANISATION)
    last, limit = as_id(after), limit_of(wanted(form))
    found = visit.read(lambda session: organisations(session, text=q.strip(), after=last, limit=limit))
    rows = [{**one, "url": f"/organisations/{one['id']}"} for one in found]
    listing = paged("admin.organisations", _ORGANISATIONS, rows, form=wanted(form), key="id")
    return _answer(visit, listing, form, here_is="organisations", q=q, add=ADD_ORGANISATION)


@router.get("/admin/programmes")
@router.get("/admin/programmes.{form}")
def list_programmes(visit: Somebody, form: str = "", q: str = "") -> Response:
    """List every programme with the standard that it asks for."""
    need(visit, ADD_PROGRAMME)
    found = [one for one in visit.read(programmes) if _fits(one, q)]
    rows = [{**one, "url": f"/standards/{one['standard'].replace('@', '/')}"} for one in found]
    listing = Listing(name="admin.programmes", columns=_PROGRAMMES, rows=rows)
    return _answer(visit, listing, form, here_is="programmes", q=q, add=ADD_PROGRAMME)


@router.get("/admin/{kind}/new")
def ask_new(visit: Somebody, kind: str) -> Response:
    """Ask for a person, an organisation or a programme."""
    return show(visit, _new(visit, kind))


@router.post("/admin/{kind}/new")
def add(visit: Somebody, form: Typed, kind: str) -> Response:
    """Enter it."""
    return take(visit, _new(visit, kind), form)


@router.get("/admin/calendar")
@router.get("/admin/calendar.{form}")
@router.get("/calendars/{ref}")
def calendar(visit: Somebody, form: str = "", ref: str = "working-days") -> Response:
    """List the days that our own table sets against the calendar, and the years that are announced."""

    def work(session: Session) -> dict[str, Any]:
        row = CALENDARS.find(session, visit, ref)
        said = visit.stamp.calendar.announced
        known = {"years": announced_years(session), "first": min(said, default=None), "last": max(said, default=None)}
        return {**known, **_actions(session, visit, CALENDARS, row), "rows": overrides_told(session)}

    found = visit.read(work)
    listing = Listing(name="admin.calendar", columns=_DAYS, rows=found.pop("rows"), day="day", summary=_day_told)
    return answer(visit, listing, wanted(form), "calendar.html", **found)


@router.get("/users/{ref}")
def user(visit: Somebody, ref: str) -> Response:
    """Show one account: its roles, its tokens, who stands in for whom."""

    def work(session: Session) -> dict[str, Any]:
        row = USERS.find(session, visit, ref)
        return {
            "user": {name: getattr(row, name) for name in ("id", "login", "name", "email", "language", "competences")},
            "is_disabled": row.status == UserStatus.DISABLED,
            "created_at": row.created_at,
            "grants": grants(session, row.id),
            "tokens": tokens(session, row.id),
            "identities": identities(session, row.id),
            "delegations": standing_in(session, row.id),
            **_actions(session, visit, USERS, row, beside=_BESIDE),
        }

    return page(visit, "user.html", keeps=Role.ADMIN in visit.roles, now=visit.now, **visit.read(work))


@router.get("/users/{ref}/do/{verb}/{row_id}")
def ask_to_end(visit: Somebody, ref: str, verb: str, row_id: str) -> Response:
    """Ask whether a role, a token or a delegation shall end."""
    return show(visit, _end(visit, ref, verb, row_id))


@router.post("/users/{ref}/do/{verb}/{row_id}")
def end(visit: Somebody, form: Typed, ref: str, verb: str, row_id: str) -> Response:
    """End it."""
    return take(visit, _end(visit, ref, verb, row_id), form)


@router.get("/users/{ref}/do/revoke")
@router.get("/users/{ref}/do/end-delegation")
@router.get("/users/{ref}/do/revoke-token")
def choose_what_to_end(visit: Somebody, ref: str) -> Response:
    """Lead to the page on which each role, token and delegation has its own way to end it."""
    row = visit.read(lambda session: USERS.find(session, visit, ref))
    return RedirectResponse(f"{USERS.url(row)}#roles", status_code=303)


@router.get("/users/{ref}/do/add-token")
def ask_token(visit: Somebody, ref: str) -> Response:
    """Ask for how long a token shall hold and what it may be used for."""
    return show(visit, _token(visit, ref, "", visit.now))


@router.post("/users/{ref}/do/add-token")
def add_token(visit: Somebody, form: Typed, ref: str) -> Response:
    """Draw a token, keep its hash, show it this once."""
    text = f"pt_{secrets.token_urlsafe(32)}"
    days = str(form.get("days", ""))
    ends = visit.now + timedelta(days=min(number_of(days, 0), MOST_TOKEN_DAYS))
    return take(visit, _token(visit, ref, text, ends), form, finish=lambda done: _once(visit, done, text, ref))


@router.get("/users/{ref}/do/set-password")
def ask_password(visit: Somebody, ref: str) -> Response:
    """Ask whether somebody shall get a password that they have to change."""
    return show(visit, _password(visit, ref, ""))


@router.post("/users/{ref}/do/set-password")
def set_password(visit: Somebody, form: Typed, ref: str) -> Response:
    """Draw a password, keep its hash, show it this once."""
    text = secrets.token_urlsafe(16)
    asked = _password(visit, ref, hashed(text))
    return take(visit, asked, form, finish=lambda done: _once(visit, done, text, ref, verb=SET_PASSWORD))


@router.get("/organisations/{ref}")
def organisation(visit: Somebody, ref: str) -> Response:
    """Show one organisation: who it is, what ties it to others, who works for it."""

    def work(session: Session) -> dict[str, Any]:
        row = ORGANISATIONS.find(session, visit, ref)
        names = ("id", "name", "kind", "credit_code", "country", "created_at")
        return {
            "organisation": {name: getattr(row, name) for name in names},
            "ties": ties(session, row.id),
            "people": [one for one in grants(session) if one["organisation_id"] == row.id],
            **_actions(session, visit, ORGANISATIONS, row),
        }

    return page(visit, "organisation.html", **visit.read(work))


def _answer(visit: Visit, listing: Listing, form: str, **values: Any) -> Response:
    roles = [str(one) for one in Role]
    return answer(visit, listing, wanted(form), "admin.html", roles=roles, **{"role": "", **values})


def _fits(row: dict[str, Any], text: str) -> bool:
    said = (row.get(name) for name in ("name", "code", "organisation"))
    return text.strip().casefold() in " ".join(str(one) for one in said if one).casefold()


def _new(visit: Visit, kind: str) -> Ask:
    if kind not in _NEW:
        raise NotFound(NotFound.code)
    typed = {"language": visit.lang} if kind == "people" else {}
    return ask(visit, _NEW[kind], back=f"/admin/{kind}", typed=typed)


def _end(visit: Visit, ref: str, spoken: str, row_id: str) -> Ask:
    words = Words(visit.lang, visit.house.zone)
    known = as_id(row_id)
    if spoken not in _ENDS or known is None:
        raise NotFound(NotFound.code)
    verb, key = _ENDS[spoken]

    def work(session: Session) -> tuple[Any, dict[str, Any]]:
        row = USERS.find(session, visit, ref)
        rows = _ended(session, verb, row.id)
        found = next((one for one in rows if one.get(key, one.get("id")) == known), None)
        if found is None:
            raise NotFound(NotFound.code)
        return row, found

    row, found = visit.read(work)
    facts: tuple[tuple[str, str], ...] = ((words.field("user_id"), row.name),)
    if "scopes" in found:
        scopes = " · ".join(words.word("scope", one) for one in found["scopes"])
        facts += ((words.field("scopes"), scopes), (words.field("expires_at"), words.at(found["expires_at"])))
    else:
        facts += (
            (words.field("role"), words.word("role", found["role"])),
            (words.field("organisation_id"), found["organisation"] or "–"),
        )
    return ask(visit, verb, back=USERS.url(row), fixed={"user_id": row.id, key: known}, facts=facts)


_ENDS: dict[str, tuple[AnyVerb, str]] = {
    "revoke": (REVOKE_ROLE, "grant_id"),
    "revoke-token": (REVOKE_TOKEN, "token_id"),
    "end-delegation": (END_DELEGATION, "delegation_id"),
}
"""Word in addresses -> what ends it, and what its command calls it."""


def _ended(session: Session, verb: AnyVerb, user_id: UUID) -> list[dict[str, Any]]:
    if verb is REVOKE_TOKEN:
        return tokens(session, user_id)
    return grants(session, user_id) if verb is REVOKE_ROLE else standing_in(session, user_id)


def _token(visit: Visit, ref: str, text: str, ends: datetime) -> Ask:
    need(visit, ADD_TOKEN)
    row = visit.read(lambda session: USERS.find(session, visit, ref))
    words = Words(visit.lang, visit.house.zone)
    fixed = {"user_id": row.id, "token_sha256": fingerprint(text), "expires_at": ends}
    return Ask(
        verb=ADD_TOKEN,
        inputs=_TOKEN_INPUTS,
        back=USERS.url(row),
        fixed=fixed,
        facts=((words.field("user_id"), row.name),),
        typed={"days": str(TOKEN_DAYS), "scopes": [str(Scope.READ)]},
        note=words.t("admin.token_note", most=MOST_TOKEN_DAYS),
    )


def _password(visit: Visit, ref: str, digest: str) -> Ask:
    need(visit, SET_PASSWORD)
    row = visit.read(lambda session: USERS.find(session, visit, ref))
    words = Words(visit.lang, visit.house.zone)
    return Ask(
        verb=SET_PASSWORD,
        inputs=(),
        back=USERS.url(row),
        fixed={"user_id": row.id, "password_hash": digest},
        facts=((words.field("user_id"), row.name),),
        note=words.t("reset.password_note"),
    )


def _once(visit: Visit, done: Answer, text: str, ref: str, *, verb: AnyVerb = ADD_TOKEN) -> Response:
    field = "token" if verb is ADD_TOKEN else "password"
    values: dict[str, Any] = {"permission": verb.permission, "field": field, "back": f"/users/{ref}", "note": ""}
    shown = "–" if done.is_replay else text
    return page(visit, "secret.html", secret=shown, command_id=done.command.command_id, **values)


def _actions(
    session: Session, visit: Visit, noun: Noun, row: Any, beside: frozenset[str] = frozenset()
) -> dict[str, Any]:
    found = actions(session, visit, noun, row, [verb for verb in noun.verbs if verb.permission not in beside])
    return {
        "can": [one for one in found if one.is_allowed],
        "cannot": [one for one in found if not one.is_allowed and not one.is_for_others],
        "others_can": [one for one in found if one.is_for_others],
    }


def _day_told(row: Any, words: Words) -> str:
    works = "admin.works" if row["is_working_day"] else "admin.off"
    return f"{words.t(works)} {row['name']}"


_PEOPLE = (
    Column(key="login", link="url"),
    Column(key="name"),
    Column(key="roles", kind="words", word="role"),
    Column(key="competences", kind="words", word="competence"),
    Column(key="email"),
    Column(key="status", kind="word", word="state", bad=("disabled",)),
)
_ORGANISATIONS = (
    Column(key="name", link="url"),
    Column(key="kind", kind="word", word="organisation"),
    Column(key="credit_code", kind="hash"),
    Column(key="country", kind="word"),
)
_PROGRAMMES = (
    Column(key="code", label="own_code"),
    Column(key="name"),
    Column(key="standard", link="url"),
    Column(key="organisation", label="organisation_id"),
    Column(key="has_fund", kind="yes"),
)
_DAYS = (
    Column(key="day", kind="day"),
    Column(key="is_working_day", kind="yes"),
    Column(key="name"),
    Column(key="notice"),
    Column(key="programme"),
    Column(key="by"),
    Column(key="at", kind="at"),
)
