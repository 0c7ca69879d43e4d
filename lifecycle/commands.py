"""A command is data, a verb is a few pure functions around it, and its effects are data again.

Here are the shapes; `engine.py` knows the melody, `journal.py` writes it down.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlmodel import Session

from lifecycle.actor import Actor, Parties
from lifecycle.calendar import Calendar
from lifecycle.canonical import canonical, sha256
from lifecycle.chart import Chart, Rule
from lifecycle.errors import LifecycleError, Unmet
from models.base import Row as TableRow
from models.base import Subject
from models.states import Role
from models.tables import object_type_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody wants done. `command_id` is the idempotency key of the acting user, for ever."""

    command_id: str
    expected_version: int | None = None

    def asks(self) -> dict[str, Any]:
        """Return what the command asks for, without key and version."""
        skipped = ("command_id", "expected_version")
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in skipped}

    def whence(self) -> dict[str, Any]:
        """Return what the audit row of an act or a refusal says of where the command came from, besides its door."""
        said = {name: getattr(self, name, None) for name in ("session_id", "address")}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When, by whom, by which calendar: all that a verb may know of the world besides its facts."""

    now: datetime
    today: date
    """The day at the installation's time zone."""
    actor: Actor
    calendar: Calendar
    new_id: Callable[[], UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What happens to one subject: one audit row, one more version, a transition where its state moves."""

    table: type[Subject]
    object_type: str
    id: UUID
    action: str
    row: Any = None
    """The locked row; None for a subject that is born with this act."""
    event: str | None = None
    from_state: str = ""
    to_state: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Changes of columns; the whole row for a birth."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What the audit row says besides."""
    sealed: tuple[tuple[type[TableRow], Mapping[str, Any]], ...] = ()
    """Rows of tables that only grow, written with this act and named with their hash in its audit row; the journal
    adds `seq`, `at` and `command_id`. Postings move the kept balances of their accounts."""
    definition_version: int = 1


THIS_BANK_EVENT = -1
"""Stands for the number of the bank event that the same act wrote before, in `bank_event_seq` of a posting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to tell, past tense with a dot (`project.advanced`)."""

    kind: str
    object_type: str
    object_id: UUID
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything a carried-out command changes. The first act is the one the answer speaks of."""

    acts: tuple[Act, ...]
    rows: tuple[tuple[type[TableRow], Mapping[str, Any]], ...] = ()
    """New rows without a chain of their own."""
    updates: tuple[tuple[type[TableRow], UUID, Mapping[str, Any]], ...] = ()
    """Changes of rows without a chain of their own."""
    messages: tuple[Message, ...] = ()
    numbers: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """(kind, year) -> last human number given."""
    says: Mapping[str, Any] = field(default_factory=dict)
    """What the answer carries besides the contract's keys."""
    touched: tuple[UUID, ...] = ()
    """Projects besides the task's own whose verdicts hang on what changed: `follow` gets them too."""


C = TypeVar("C", bound=Command)
F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[C]):
    """A command with what was locked for it and the roles in which the actor reaches it."""

    command: C
    row: Any = None
    project: Any = None
    fund: Any = None
    roles: frozenset[Role] = frozenset()
    person_roles: frozenset[Role] = frozenset()
    """What the actor's human holds at the parties of the project or fund, under this or another account."""
    is_locked: bool = True
    """False when explained or run dry: nothing may be written to find the facts."""


FactsOf: TypeAlias = Callable[[Session, Sequence[Task[C]], Stamp], Sequence[F]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb(Generic[C, F]):
    """One thing that can be asked of a subject."""

    object_type: str
    name: str
    command: type[C]
    facts: FactsOf[C, F]
    """A fixed number of reads for any number of commands."""
    effects: Callable[[F, str, Stamp], Effects]
    """(facts, target state, stamp) -> effects; pure."""
    subject: type[Subject] | None = None
    """Table of the row to lock; None where the command makes something new out of nothing."""
    subject_id: Callable[[C], UUID] | None = None
    apart: Callable[[C], Hashable] | None = None
    """What tells commands on one subject apart that do not look at each other: those are carried out in one wave."""
    chart: type[Chart] | None = None
    state: Callable[[F], str] = field(default=lambda _facts: "")
    event: Callable[[F], str | None] | None = None
    """Name of the arrow, where it differs from the verb (`recycle_to_feasibility`); None: nothing moves."""
    rules: tuple[Rule, ...] = ()
    """What is asked besides the arrow's rules; all that is asked, where there is no chart."""
    once: Callable[[C], tuple[Hashable, ...]] = field(default=lambda _command: ())
    """Values that must be new: of two commands of a batch that bring the same one, the second waits for the first."""
    parties: Callable[[Task[C]], Parties] | None = None
    """Whose parties the actor must belong to, where that is not simply the locked project's."""
    funds: Callable[[Session, Sequence[UUID]], Collection[UUID]] | None = None
    """Funds to lock before the subject, from its ids, where no column of the subject names its fund."""
    follow: Callable[[Session, Sequence[UUID], Stamp], None] | None = None
    """Runs once per batch after the write, with the projects concerned: verdict caches."""

    def __post_init__(self) -> None:
        """Enter the verb in the registry that doors and tests read."""
        REGISTRY[self.command] = self

    @property
    def permission(self) -> str:
        """Key of the permission table."""
        return f"{self.object_type}.{self.name}"

    def example(self, subject: UUID) -> C:
        """Return a command on this subject that says nothing yet, to explain the verb with."""
        said = {item.name: _nothing(item) for item in fields(self.command) if item.default is MISSING}
        named = f"{self.subject_name}_id"
        return self.command(**{**said, "command_id": "explain", named: subject})

    @property
    def subject_name(self) -> str:
        """Word of the subject in its commands (`project_id`, `review_id`); empty where nothing exists yet."""
        return object_type_of(str(self.subject.__tablename__)) if self.subject else ""

    def body_sha256(self, command: C) -> str:
        """Return what tells a repeat from another command under the same key."""
        return sha256(canonical({"verb": self.permission, **command.asks()}))


def _nothing(item: Any) -> Any:
    """Return the emptiest value of a field's type."""
    kind = item.type
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    empty = {UUID: UUID(int=0), date: date.min, datetime: datetime.min.replace(tzinfo=UTC), str: "", bool: False}
    if kind in (int, float):
        return kind()
    return empty.get(kind, ())


REGISTRY: dict[type[Command], Verb[Any, Any]] = {}
"""Every verb by its command class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one command."""

    command: Command
    error: LifecycleError | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    """The contract's answer of a verb (`docs/contract.md`, section 5)."""
    unmet: tuple[Unmet, ...] = ()
    is_replay: bool = False

    @property
    def is_done(self) -> bool:
        """Say whether it was carried out, now or before."""
        return self.error is None
