"""Who stands at the door: the cookie or token, the language, the instant; and the three things a handler may do.

`visit.read(work)`, `visit.act(command)`, `visit.rehearse(command)`: each is one transaction of its own.
"""

import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import RedirectResponse, Response

from lifecycle import engine as melody
from lifecycle.access.queries import Bearer, SignedIn, bearer, signed_in, touch, touch_token
from lifecycle.access.security import Factors, factors
from lifecycle.actor import Actor, Rights, read_rights
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.errors import Forbidden, NotSignedIn, unmet
from lifecycle.people.commands import SetLanguage
from models.db import looking, reading, run_in_transaction
from models.limits import CHALLENGE_LASTS, SESSION_LASTS
from models.states import Door, Role
from notifications.words import LANGUAGES, Lang
from web import cookies
from web.errors import FactorToAdd, Malformed, PasswordToChange, TooMany
from web.house import House
from web.meter import Meter

T = TypeVar("T")

CSRF_FIELD = "csrf"
MOST_FIELDS = 200
_RUNNING = frozenset({Role.OPERATOR, Role.ADMIN})
_MOST_DIGITS = 15
_A_MINUTE = timedelta(minutes=1)
A_YEAR = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request, and who makes it."""

    request: Request
    house: House
    now: datetime
    lang: Lang
    token: str = ""
    """The cookie, whether or not it still opens anything."""
    session: SignedIn | None = None
    api_token: Bearer | None = None
    door: Door = Door.WEB
    used: dict[str, Any] = field(default_factory=dict)
    """What was asked for once in this request."""

    @property
    def today(self) -> date:
        """The day, where the installation is."""
        return self.house.today(self.now)

    @property
    def actor(self) -> Actor:
        """Who acts; NotSignedIn for nobody."""
        found = self.session or self.api_token
        if found is None:
            raise NotSignedIn(NotSignedIn.code)
        account = found.account
        return Actor(
            user_id=account.user_id,
            person_id=account.person_id,
            name=account.name,
            door=self.door,
            is_on_own_page=self.is_on_own_page,
            is_program=self.session is None,
        )

    @property
    def is_on_own_page(self) -> bool:
        """Say whether somebody came by a link from a mail: only the firm's own pages are open."""
        return self.session is not None and self.session.is_own_page_only

    @property
    def stamp(self) -> Stamp:
        """When and by whom, once per request."""
        if "stamp" not in self.used:
            self.used["stamp"] = self.house.stamp(self.actor, self.now)
        found: Stamp = self.used["stamp"]
        return found

    @property
    def rights(self) -> Rights:
        """What somebody holds at this moment, whatever the project; read once per request."""
        if "rights" not in self.used:
            actor, today = self.actor, self.today
            self.used["rights"] = self.read(lambda session: read_rights(session, actor, [], today=today))
        found: Rights = self.used["rights"]
        return found

    @property
    def factors(self) -> Factors:
        """The second factors of whoever is signed in, read once per request."""
        if "factors" not in self.used:
            own = self.actor.user_id
            self.used["factors"] = self.read(lambda session: factors(session, own))
        found: Factors = self.used["factors"]
        return found

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that somebody holds anywhere; who runs one organisation does not run the installation."""
        return frozenset(role for role, at in self.rights.grants if at is None or role not in _RUNNING)

    @property
    def csrf(self) -> str:
        """What a form of this session carries, and nobody else can know."""
        return csrf_of(self.token)

    @property
    def trace_id(self) -> str:
        """What an answer and the log have in common."""
        return trace_id_of(self.request)

    def read(self, work: Callable[[Session], T]) -> T:
        """Return what the work reads, from one snapshot."""
        with looking(self.house.engine) as session:
            return work(session)

    def act(self, command: Command, *, by: Actor | None = None) -> Answer:
        """Carry a command out and return the answer, a refusal too: it may have left its audit row."""
        stamp = self.stamp if by is None else self.house.stamp(by, self.now)
        (answer,) = self.write(lambda session: melody.execute(session, [command], stamp=stamp))
        return answer

    def write(self, work: Callable[[Session], T]) -> T:
        """Return what the work does, in one transaction; how much waits for whoever does it is judged anew."""
        try:
            return run_in_transaction(self.house.engine, work)
        finally:
            if found := self.session or self.api_token:
                self.house.waiting.forget(found.account.user_id)

    def rehearse(self, command: Command) -> Answer:
        """Say what a command would do; nothing is written."""
        (answer,) = self.read(lambda session: melody.rehearse(session, [command], stamp=self.stamp))
        return answer

    def has_stepped_up(self) -> bool:
        """Say whether money may be decided now without proving oneself again."""
        if self.used.get("stepped_up"):
            return True
        until = self.session.stepped_up_until if self.session else None
        return until is not None and until > self.now


def new_token(before: str = "") -> str:
    """Return a token for a session: 128 random bits that stay with it, and 256 that change with each proof.

    The forms that are open in the browser go by the former, so they live on when somebody proves themselves again.
    """
    stays = before.partition(".")[0] or secrets.token_urlsafe(16)
    return f"{stays}.{secrets.token_urlsafe(32)}"


def csrf_of(token: str) -> str:
    """Return the token of a session's forms, from the part of its cookie that stays."""
    return hashlib.sha256(f"csrf:{token.partition('.')[0]}".encode()).hexdigest()


def trace_id_of(request: Request) -> str:
    """Return the trace id that the guard gave this request."""
    return str(getattr(request.state, "trace_id", ""))


def house_of(request: Request) -> House:
    """Return the house that the application was made for."""
    house: House = request.app.state.house
    return house


def anybody(request: Request) -> Visit:
    """Return the visit of whoever comes, signed in or not; a session that is in use goes on."""
    visit = _unseen(request)
    if visit.session is not None and visit.session.seen_at < visit.now - _A_MINUTE:
        session_id = visit.session.session_id
        run_in_transaction(visit.house.engine, lambda session: touch(session, session_id, visit.now))
    return visit


def by_itself(request: Request) -> Visit:
    """Return the visit of a page that asks by itself while somebody is signed in; no session lives longer by it."""
    return somebody(entered(_unseen(request)))


def _unseen(request: Request) -> Visit:
    house, token = house_of(request), cookies.read(request, cookies.SESSION)
    now = house.clock.now()
    found = None
    if token:
        with reading(house.engine) as session:
            found = signed_in(session, token, now)
    if found is not None:
        _count(request, house.visits, found.session_id)
    language = found.account.language if found else None
    return Visit(request=request, house=house, now=now, lang=lang_of(request, language), token=token, session=found)


def _count(request: Request, meter: Meter, session_id: UUID) -> None:
    """Count a request of a session, once also where its refusal is shown; `TooMany` says how long to wait."""
    if hasattr(request.state, "is_counted"):
        return
    request.state.is_counted = True
    if wait := meter.take(session_id):
        raise TooMany(unmet(TooMany.code, minutes=-(-wait // 60), seconds=wait))


def entered(visit: Annotated[Visit, Depends(anybody)]) -> Visit:
    """Return the visit of somebody who is signed in, even with a password that is to be changed first."""
    if visit.session is None:
        raise NotSignedIn(NotSignedIn.code)
    if visit.is_on_own_page and not is_own_page(visit.request.url.path):
        raise Forbidden("own_page_only")
    return visit


def somebody(visit: Annotated[Visit, Depends(entered)]) -> Visit:
    """Return the visit of somebody who is signed in; NotSignedIn leads to the login page and back."""
    if visit.session is not None and visit.session.has_password_to_change:
        raise PasswordToChange(PasswordToChange.code)
    if visit.house.demands_it_of_everybody and _has_factor_to_add(visit):
        raise FactorToAdd(FactorToAdd.code)
    return visit


def _has_factor_to_add(visit: Visit) -> bool:
    is_by_password = visit.session is not None and visit.session.is_by_password
    return is_by_password and not _GUARDING.match(visit.request.url.path) and not visit.factors.exist


_GUARDING = re.compile(r"/(security|step-up)(/|$)")
"""Where a factor is added."""


_OWN_PAGES = re.compile(
    r"/(my(/.*)?|receipts/[^/]+|help|evidence/[^/]+(/file)?"
    r"|projects/[^/]+/(files|batches(/[^/]+)?|batch-table(\.xlsx|/.+)?|gate/[^/]+|do/[^/]+))?"
)


def is_own_page(path: str) -> bool:
    """Say whether a page is one of a firm's own, which a link from a mail opens; the engine asks what is done."""
    return _OWN_PAGES.fullmatch(path) is not None


def program(request: Request) -> Visit:
    """Return the visit of a program: by its API token, else by the cookie of a page that calls the API."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        visit = somebody(entered(anybody(request)))
        if request.method not in ("GET", "HEAD"):
            check_csrf(request, visit.token, request.headers.get("x-csrf-token", ""))
        return Visit(
            request=request,
            house=visit.house,
            now=visit.now,
            lang=visit.lang,
            token=visit.token,
            session=visit.session,
            door=Door.API,
        )
    house = house_of(request)
    now = house.clock.now()
    with reading(house.engine) as session:
        found = bearer(session, secret.strip(), now) if scheme.lower() == "bearer" else None
    if found is None:
        raise NotSignedIn(NotSignedIn.code)
    if wait := house.meter.take(found.token_id):
        raise TooMany(unmet(TooMany.code, minutes=-(-wait // 60), seconds=wait))
    if found.last_used_at is None or found.last_used_at < now - _A_MINUTE:
        token_id = found.token_id
        run_in_transaction(house.engine, lambda session: touch_token(session, token_id, now))
    lang = lang_of(request, None)
    return Visit(request=request, house=house, now=now, lang=lang, api_token=found, door=Door.API)


async def typed(request: Request) -> AsyncIterator[FormData]:
    """Give the form that was sent by a page of this session: read, counted, its token compared; else 403 `csrf`.

    Files that came with it lie on disk until the answer is made.
    """
    try:
        form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FIELDS)
    except MultiPartException as error:
        raise Malformed(Malformed.code) from error
    try:
        check_csrf(request, cookies.read(request, cookies.SESSION), str(form.get(CSRF_FIELD, "")))
        yield form
    finally:
        await form.close()


def check_csrf(request: Request, token: str, said: str) -> None:
    """Refuse what no page of this session sent: another site, or a form without the session's token."""
    if not is_same_origin(request.headers) or said != csrf_of(token):
        raise Forbidden("csrf")


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Say whether a browser sent this from one of our own pages, as far as it tells."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def onward(visit: Visit, path: str) -> RedirectResponse:
    """Lead to the page that an address stands for, in the language that was asked for."""
    query = visit.request.url.query
    return RedirectResponse(f"{path}?{query}" if query else path, status_code=303)


def lang_of(request: Request, own: str | None) -> Lang:
    """Return the language of the address, else the one switched to in this session, else the account's.

    Who has no account is answered as the browser asks, else in Chinese.
    """
    accepted = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    asked = (request.query_params.get("lang"), cookies.read(request, cookies.LANGUAGE), own, *accepted)
    for text in filter(None, asked):
        for lang in LANGUAGES:
            if text.split("-")[0].lower() == lang.split("-")[0].lower():
                return lang
    return LANGUAGES[0]


def speak(visit: Visit, response: Response, chosen: str) -> None:
    """Switch the language for as long as a session lasts, and the account's for good: mails speak it too."""
    cookies.keep(response, visit.request, cookies.LANGUAGE, chosen, lasts=SESSION_LASTS)
    account = visit.session.account if visit.session else None
    if account is not None and account.language != chosen:
        visit.act(SetLanguage(command_id=str(visit.house.new_id()), user_id=account.user_id, language=chosen))


def remember_session(response: Response, request: Request, token: str) -> None:
    """Give the browser its session."""
    cookies.keep(response, request, cookies.SESSION, token, lasts=SESSION_LASTS)


def remember_device(response: Response, request: Request, device: str) -> None:
    """Let the browser be known again, so that strangers' tries do not count against it."""
    cookies.keep(response, request, cookies.DEVICE, device, lasts=2 * A_YEAR, same_site="strict")


def remember_halfway(response: Response, request: Request, token: str) -> None:
    """Let the browser go on to the second factor, for five minutes."""
    cookies.keep(response, request, cookies.HALFWAY, token, lasts=CHALLENGE_LASTS, same_site="strict")


def remember_challenge(response: Response, request: Request, kept: str) -> None:
    """Let the browser keep what its passkey is to sign, for five minutes."""
    cookies.keep(response, request, cookies.KEY_ALONE, kept, lasts=CHALLENGE_LASTS, same_site="strict")


def text_of(form: FormData, name: str) -> str:
    """Return what was typed into a field; empty where nothing was, or a file came instead."""
    value = form.get(name, "")
    return "" if isinstance(value, UploadFile) else value


def number_of(text: str, otherwise: int) -> int:
    """Return the whole number that a text is, as far as one of ours can be; something else where it is none."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else otherwise


Anybody = Annotated[Visit, Depends(anybody)]
Entered = Annotated[Visit, Depends(entered)]
"""Only pages on which somebody chooses a password or leaves take who comes so far."""
Somebody = Annotated[Visit, Depends(somebody)]
ByItself = Annotated[Visit, Depends(by_itself)]
"""What a page asks again and again, whether or not anybody sits in front of it."""
Program = Annotated[Visit, Depends(program)]
Typed = Annotated[FormData, Depends(typed)]
"""Every handler of a page that writes takes its form this way; a test looks."""
