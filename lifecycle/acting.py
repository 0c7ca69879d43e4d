"""Several people act in one session, one after the other, and nothing may be refused: how dry worlds are made."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from lifecycle import engine
from lifecycle.actor import Actor
from lifecycle.calendar import Calendar
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.errors import LifecycleError


class ActRefused(Exception):
    """The program refused what was to be done: which of the acts, and why."""

    def __init__(self, command: Command, place: int, error: LifecycleError) -> None:
        self.command, self.place, self.error = command, place, error
        super().__init__(f"{type(command).__name__}: {[one.document() for one in error.unmet]}")


@dataclass(slots=True, kw_only=True)
class Acting:
    """Where the play stands: its instant and its people. Nothing here opens a transaction: a session is handed over."""

    calendar: Calendar
    new_id: Callable[[], UUID]
    zone: ZoneInfo
    now: datetime
    prefix: str
    """What every idempotency key begins with: an actor's keys hold for ever."""
    session: Session = field(init=False)
    people: dict[str, Actor] = field(default_factory=dict)
    given: int = 0

    @property
    def today(self) -> date:
        """The day in the zone of the play."""
        return self.now.astimezone(self.zone).date()

    def key(self) -> str:
        """Return an idempotency key that nobody used."""
        self.given += 1
        return f"{self.prefix}-{self.given:08d}"

    def ask(self, actor: Actor, commands: Sequence[Command]) -> list[Answer]:
        """Give commands at this instant and return what became of each."""
        stamp = Stamp(now=self.now, today=self.today, actor=actor, calendar=self.calendar, new_id=self.new_id)
        return engine.execute(self.session, commands, stamp=stamp)

    def do(self, who: str, command: type[Command], asked: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Let one of the people do the same thing several times; raise `ActRefused` for the first that is refused."""
        commands = [command(command_id=self.key(), **fields) for fields in asked]
        self.now += timedelta(microseconds=1)
        answers = self.ask(self.people[who], commands)
        for place, answer in enumerate(answers):
            if answer.error is not None:
                raise ActRefused(answer.command, place, answer.error)
        return [answer.document for answer in answers]

    def make(self, who: str, command: type[Command], asked: Iterable[Mapping[str, Any]]) -> list[UUID]:
        """Do the same and return the ids of what was made or changed."""
        return [UUID(document["object_id"]) for document in self.do(who, command, asked)]
