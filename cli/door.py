"""The way in: settings, database, clock and actor, then one command through the engine in one transaction."""

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from functools import cached_property
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Engine, select
from sqlmodel import Session

from cli.errors import Refusal
from cli.lookup import Lookup
from cli.options import Caller
from cli.output import Output
from lifecycle import engine as lifecycle_engine
from lifecycle.actor import Actor
from lifecycle.calendar import Calendar
from lifecycle.calendars.book import calendar_of
from lifecycle.commands import REGISTRY, Answer, Command, Stamp
from lifecycle.errors import Invalid, LifecycleError, NotFound, NotSignedIn, unmet
from lifecycle.people.queries import people_who_owe
from models.clock import FixedClock, SystemClock, parse_instant
from models.db import make_engine, reading, run_in_transaction
from models.installation import DISBURSEMENT_ID, Installation
from models.people import ApiToken, User
from models.ports import Clock
from models.readiness import check_ready
from models.settings import Settings, load_settings
from models.states import Door as DoorName
from models.states import UserStatus
from notifications.gates import named, standard_names
from notifications.words import sentence, title, verb_title

T = TypeVar("T")
Make: TypeAlias = Callable[[Lookup, str], Command]
Follow: TypeAlias = Callable[[Session, Answer, Stamp], None]


@dataclass(frozen=True)
class Door:
    """One run of a command on the local database."""

    output: Output
    caller: Caller

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process; SettingsError when one cannot be read (exit 2)."""
        return load_settings()

    @property
    def engine(self) -> Engine:
        """The database, checked: it is there, ours, at head, made for the mode that is set, and may be played with."""
        return self._opened[0]

    @property
    def installation(self) -> Any:
        """The row that says which database this is."""
        return self._opened[1]

    @property
    def calendar(self) -> Calendar:
        """The working days as this installation knows them."""
        return self._opened[2]

    @cached_property
    def _opened(self) -> tuple[Engine, Any, Calendar]:
        engine = make_engine(self.settings.db)
        try:
            check_ready(engine)
            with engine.connect() as connection:
                row = connection.execute(select(Installation.__table__)).one()  # type: ignore[attr-defined]
                calendar = calendar_of(Session(connection))
            self._refuse_play(self.settings.checked_mode(row.mode))
        except BaseException:
            engine.dispose()
            raise
        return engine, row, calendar

    def _refuse_play(self, mode: str) -> None:
        """Acting as somebody else and playing another day are for rehearsals."""
        played = {"--as": self.caller.as_login, "--now": self.caller.now}
        given = [option for option, value in played.items() if value is not None]
        if given and mode != "rehearsal":
            raise Invalid(unmet("only_in_rehearsal", option=given[0]))

    def close(self) -> None:
        """Let go of the database, if it was opened at all."""
        if "_opened" in self.__dict__:
            self.engine.dispose()

    @property
    def is_rehearsal(self) -> bool:
        """Say whether this database is for trying things out."""
        return bool(self.installation.mode == "rehearsal")

    @cached_property
    def now(self) -> datetime:
        """The instant: of `--now`, else the clock that is set, else the rehearsal's own, else the machine's."""
        return self.clock.now()

    @cached_property
    def clock(self) -> Clock:
        """What tells the time: `--now`, else the clock that is set, else the rehearsal's own, else the machine's."""
        if self.caller.now is not None:
            return FixedClock(_instant(self.caller.now))
        clock = self.settings.make_clock()
        if isinstance(clock, SystemClock) and self.is_rehearsal and self.installation.clock_at is not None:
            return FixedClock(self.installation.clock_at)
        return clock

    @property
    def today(self) -> date:
        """The day of this run, where the installation is."""
        return self.now.astimezone(ZoneInfo(self.settings.timezone)).date()

    def local(self, at: datetime) -> datetime:
        """Return an instant as the clock on the wall of the installation shows it."""
        return at.astimezone(self.output.zone())

    def lookup(self, session: Session) -> Lookup:
        """Return what finds rows by human words."""
        return Lookup(session, self.today)

    def stamp(self, actor: Actor) -> Stamp:
        """Return when and by whom: what a verb may know of the world."""
        return Stamp(now=self.now, today=self.today, actor=actor, calendar=self.calendar, new_id=self._ids.new)

    @cached_property
    def _ids(self) -> Any:
        return self.settings.make_ids()

    def actor(self, session: Session) -> Actor:
        """Return who acts: `--as LOGIN` in a rehearsal, else the owner of `PILOTWAY_TOKEN`; NotSignedIn for nobody."""
        user: Any = User.__table__  # type: ignore[attr-defined]
        if self.caller.as_login is not None:
            asked = select(user).where(user.c.login == self.caller.as_login)
            reason = unmet("unknown_login", login=self.caller.as_login)
        elif self.settings.token:
            asked = self._owner(user, self.settings.token)
            reason = unmet("token_invalid")
        else:
            raise NotSignedIn("not_signed_in")
        row = session.execute(asked.where(user.c.status == UserStatus.ACTIVE)).one_or_none()
        if row is None:
            raise NotSignedIn(reason)
        return Actor(user_id=row.id, person_id=row.person_id, name=row.name, door=DoorName.CLI)

    @property
    def is_named(self) -> bool:
        """Say whether anybody is named to act: who only reads may leave it open, for they hold the database."""
        return self.caller.as_login is not None or bool(self.settings.token)

    def _owner(self, user: Any, text: str) -> Any:
        token: Any = ApiToken.__table__  # type: ignore[attr-defined]
        return (
            select(user)
            .join(token, token.c.user_id == user.c.id)
            .where(
                token.c.token_sha256 == token_sha256(text),
                token.c.revoked_at.is_(None),
                token.c.expires_at > self.now,
            )
        )

    def read(self, work: Callable[[Session], T]) -> T:
        """Return what the work reads, from one snapshot; it needs nobody: who can run this holds the database."""
        with reading(self.engine) as session:
            return work(session)

    def act(self, make: Make, *, ref: str, actor: Actor | None = None, follow: Follow | None = None) -> None:
        """Carry out a command (see `carry_out`) and print the answer."""
        self.tell(self.carry_out(make, ref=ref, actor=actor, follow=follow), ref)

    def carry_out(self, make: Make, *, ref: str, actor: Actor | None = None, follow: Follow | None = None) -> Answer:
        """Carry out the command that `make` builds from the looked-up ids and the idempotency key.

        On a terminal the effect is shown and asked for first. `actor` is for what nobody in person does, `follow` for
        what is done in the same transaction when the command was; what it raises takes all back. Raises
        `Refusal` with every reason; the transaction is committed first, for a refused right leaves its audit row.
        """
        key = self.caller.command_id or str(self._ids.new())
        if self.caller.dry_run:
            answer = self.read(lambda session: self._rehearsed(session, make, key, actor))
        else:
            version = None if actor else self._agreed(make, key, ref)
            asked = (make, key, actor, version)
            answer = run_in_transaction(self.engine, lambda session: self._done(session, asked, follow))
        if answer.error is not None:
            raise self._refusal(answer, ref)
        return answer

    def _refusal(self, answer: Answer, ref: str) -> Refusal:
        """Return the refusal with the names of those who owe each reason, and the titles that its standard gives."""
        error, project_id = answer.error or LifecycleError(), getattr(answer.command, "project_id", None)
        if project_id is None or isinstance(error, NotFound):
            return Refusal(error, verb=self._verb(answer), ref=ref)

        def work(session: Session) -> tuple[Any, dict[str, str]]:
            return people_who_owe(session, [project_id]), standard_names(session, project_id, self.output.lang)

        people, names = self.read(work)
        reasons = (named(reason, project_id, people) for reason in error.unmet)
        return Refusal(type(error)(*reasons), verb=self._verb(answer), ref=ref, names=names)

    def _done(
        self, session: Session, asked: tuple[Make, str, Actor | None, int | None], follow: Follow | None
    ) -> Answer:
        make, key, actor, version = asked
        stamp = self.stamp(actor or self.actor(session))
        command = make(Lookup(session, stamp.today), key)
        if version is not None and command.expected_version is None:
            command = replace(command, expected_version=version)
        (answer,) = lifecycle_engine.execute(session, [command], stamp=stamp)
        if follow is not None and answer.is_done and not answer.is_replay:
            follow(session, answer, stamp)
        return answer

    def _rehearsed(self, session: Session, make: Make, key: str, actor: Actor | None) -> Answer:
        stamp = self.stamp(actor or self.actor(session))
        (answer,) = lifecycle_engine.rehearse(session, [make(Lookup(session, stamp.today), key)], stamp=stamp)
        return answer

    def _agreed(self, make: Make, key: str, ref: str) -> int | None:
        """Ask the person at the terminal; return the version that was shown, so that nothing else is carried out.

        A refusal is not shown from the rehearsal: carried out for real, it leaves its row in the audit trail.
        """
        if self.caller.is_sure or self.output.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        preview = self.read(lambda session: self._rehearsed(session, make, key, None))
        if preview.error is not None or preview.is_replay:
            return None
        self.output.warn(self._sentence("would_do", preview, ref))
        self._remark(preview, ref)
        typer.confirm(sentence("go_on", {}, self.output.lang), default=False, abort=True, err=True)
        before = int(preview.document["version"]) - 1
        return before or None

    def tell(self, answer: Answer, ref: str) -> None:
        """Print what was done, or would be."""
        if self.output.as_json:
            self.output.document(answer.document)
            return
        code = "would_do" if self.caller.dry_run else "was_done_before" if answer.is_replay else "was_done"
        self.output.line(self._sentence(code, answer, ref), "" if self.caller.dry_run else "green")
        self._remark(answer, ref)
        if not self.caller.dry_run:
            self.output.say("command_key", key=answer.command.command_id)

    def _remark(self, answer: Answer, ref: str) -> None:
        """Say what follows besides, and what is still open where somebody hands in, or calls a panel and so freezes."""
        for one in answer.document.get("remarks", ()):
            self.output.say(one["code"], **one.get("values", {}))
        clauses, entry = answer.document.get("still_open"), answer.document.get("entry_open")
        if clauses:
            self.output.say("still_open", clauses=clauses)
        if entry:
            said = " ".join(sentence(code, {}, self.output.lang) for code in entry)
            self.output.say("entry_open", said=said)
        if (clauses or entry) and answer.document["object_type"] == "review":
            self.output.say("frozen_while_open", command=f"pilotway review cancel {ref}")

    def _sentence(self, code: str, answer: Answer, ref: str) -> str:
        document = answer.document
        state = document.get("state") or ""
        if state:
            code = f"{code}_to_state"
        only_one = title("about", document["object_type"], self.output.lang) if _is_only_one(document) else ""
        number = document.get("number") or ref or only_one or document["object_id"]
        values = {"verb": self._verb(answer), "ref": number, "state": state, "version": document["version"]}
        return sentence(code, values, self.output.lang)

    def _verb(self, answer: Answer) -> str:
        verb = REGISTRY[type(answer.command)]
        return verb_title(answer.document.get("done_as", verb.permission), self.output.lang)


def _is_only_one(document: Mapping[str, Any]) -> bool:
    """Say whether there is one thing of this kind only: it has a word, and no number."""
    return str(document["object_id"]) == str(DISBURSEMENT_ID)


def here() -> tzinfo:
    """Return the zone of the installation; SettingsError when no setting can be read."""
    return ZoneInfo(load_settings().timezone)


def token_sha256(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Invalid(unmet("instant_wrong", value=text)) from error
