"""How a story is told: people act on given days through the verbs of everybody, and nothing may be refused.

Nothing here opens a transaction: whoever tells the story hands over what carries commands out.
"""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from lifecycle.actor import Actor
from lifecycle.banking.sandbox import Incoming
from lifecycle.calendar import Calendar
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.standards.pack import Pack

Line: TypeAlias = tuple[str, type[Command], Mapping[str, Any]]
"""Who asks for what: login, command, its fields."""
Perform: TypeAlias = Callable[[Sequence[Command], Stamp], Sequence[Answer]]
"""Carries commands out at one instant and answers them in their order."""
Steps: TypeAlias = Iterator[date]
"""A chapter: it names the day of its next step, and goes on when that day has come."""
Chapter: TypeAlias = Callable[["Story"], Steps]
Scene: TypeAlias = Callable[[], AbstractContextManager[Perform]]
"""One transaction: what is performed inside is kept together, or not at all."""

HOME = ZoneInfo("Asia/Shanghai")
OPENS = time(9, 0)
BETWEEN_ACTS = timedelta(seconds=20)


class StoryBroken(AssertionError):
    """The program refused what the story needs: one of the two is wrong."""


def _nobody(_commands: Sequence[Command], _stamp: Stamp) -> Sequence[Answer]:
    raise StoryBroken("no scene is open")


@dataclass(slots=True)
class Story:
    """Where the story stands: the instant, the people and what they have made so far."""

    calendar: Calendar
    new_id: Callable[[], UUID]
    keep: Callable[[bytes], str]
    """Stores a file of evidence and returns its SHA-256."""
    perform: Perform = _nobody
    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    people: dict[str, Actor] = field(default_factory=dict)
    """Login -> who acts."""
    organisations: dict[str, UUID] = field(default_factory=dict)
    programmes: dict[str, UUID] = field(default_factory=dict)
    packs: dict[str, Pack] = field(default_factory=dict)
    """Programme -> the standard it asks for."""
    cases: dict[str, Any] = field(default_factory=dict)
    """Name of the product -> the project as it was registered."""
    papers: dict[tuple[UUID, str], str] = field(default_factory=dict)
    """(project, type) -> SHA-256 of the paper handed in last."""
    funds: dict[str, UUID] = field(default_factory=dict)
    """Code -> fund."""
    accounts: dict[str, UUID] = field(default_factory=dict)
    """Firm -> its account that was confirmed last."""
    incoming: list[Incoming] = field(default_factory=list)
    """What firms pay to the fund's account; its bank tells of it."""
    set_aside: dict[str, UUID] = field(default_factory=dict)
    """Reference of the bank -> booking that nobody could explain when it came."""
    is_bank_due: bool = False
    """Somebody goes to the bank when this step is over: what it answered is read, what is released is handed over."""
    acts: int = 0

    @property
    def today(self) -> date:
        """The day the story has reached."""
        return self.now.astimezone(HOME).date()

    def begin(self, day: date) -> None:
        """Open a day at nine; a day that has begun goes on where it was."""
        self.now = max(self.now, datetime.combine(day, OPENS, HOME).astimezone(UTC))

    def act(self, who: str, verb: type[Command], **asked: Any) -> Mapping[str, Any]:
        """Let one person do one thing, and return the answer's document."""
        return self.all(who, verb, [asked])[0]

    def all(self, who: str, verb: type[Command], asked: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Let one person do the same thing several times at one instant; raise `StoryBroken` at a refusal."""
        self.now += BETWEEN_ACTS
        actor = self.people[who]
        commands = []
        for fields in asked:
            self.acts += 1
            commands.append(verb(command_id=f"demo-{self.acts:05d}", **fields))
        stamp = Stamp(now=self.now, today=self.today, actor=actor, calendar=self.calendar, new_id=self.new_id)
        answers = self.perform(commands, stamp)
        for answer in answers:
            if answer.error is not None:
                reasons = "; ".join(json.dumps(one.document(), ensure_ascii=False) for one in answer.unmet)
                raise StoryBroken(f"{self.today} {who}: {verb.__name__} was refused: {reasons or answer.error}")
        return [answer.document for answer in answers]

    def together(self, lines: Sequence[Line]) -> list[Mapping[str, Any]]:
        """Let several people do several things, each all of one kind at once; answers in the order of the lines."""
        groups: dict[tuple[str, type[Command]], list[int]] = {}
        for place, (who, verb, _) in enumerate(lines):
            groups.setdefault((who, verb), []).append(place)
        answers: dict[int, Mapping[str, Any]] = {}
        for (who, verb), places in groups.items():
            answers |= zip(places, self.all(who, verb, [lines[place][2] for place in places]), strict=True)
        return [answers[place] for place in range(len(lines))]

    def after(self, day: date, working_days: int) -> date:
        """Return the day so many working days later, or earlier when negative."""
        return self.calendar.add_working_days(day, working_days)


def id_of(answer: Mapping[str, Any]) -> UUID:
    """Return the id of what an answer speaks of."""
    return UUID(answer["object_id"])


def tell(story: Story, chapters: Iterable[Chapter], *, until: date, scene: Scene) -> Iterator[date]:
    """Tell all chapters side by side, day by day up to this day and in one order; yield the day after each step.

    Chapters that go on at the same day take turns in the order in which they are given.
    """
    waiting: list[tuple[date, int, Steps]] = []
    for place, chapter in enumerate(chapters):
        steps = chapter(story)
        heapq.heappush(waiting, (next(steps), place, steps))
    while waiting and waiting[0][0] <= until:
        day, place, steps = heapq.heappop(waiting)
        with scene() as perform:
            story.perform = perform
            story.begin(day)
            following = next(steps, None)
            story.perform = _nobody
        if following is not None:
            heapq.heappush(waiting, (max(following, day), place, steps))
        yield day
