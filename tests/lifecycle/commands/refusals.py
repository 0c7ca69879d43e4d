"""What can stand in the way of each verb: one small arrangement for every code, by verb and actor.

A case is a function `(house) -> command`; the test gives the command and finds exactly or among others this code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID

from lifecycle.commands import REGISTRY, Command
from tests.factories import House, key
from tests.lifecycle.recipes import RECIPES

Arrange: TypeAlias = Callable[[House], Any]
"""Returns the command that will be refused."""


@dataclass(frozen=True)
class Case:
    """One way to be refused."""

    verb: str
    codes: tuple[str, ...]
    by: str
    arrange: Arrange

    def __str__(self) -> str:
        return f"{self.verb}: {' '.join(self.codes)} ({self.arrange.__name__.strip('_')})"


CASES: list[Case] = []


def refused(verb: str, *codes: str, by: str | None = None) -> Callable[[Arrange], Arrange]:
    """Enter a function whose command is refused with these codes, all of them and no other."""

    def enter(arrange: Arrange) -> Arrange:
        CASES.append(Case(verb, codes, by or RECIPES[verb].by, arrange))
        return arrange

    return enter


def wrong(verb: str, *codes: str, by: str | None = None, **values: Any) -> None:
    """Enter a case that differs from the recipe of its verb in these values only."""

    def arrange(house: House) -> Command:
        (command,) = RECIPES[verb].make(house, 1)
        return replace(command, **{name: _of(house, value) for name, value in values.items()})

    arrange.__name__ = ", ".join(values)
    CASES.append(Case(verb, codes, by or RECIPES[verb].by, arrange))


def _of(house: House, value: Any) -> Any:
    return value(house) if callable(value) else value


def again(verb: str, command: Command, **values: Any) -> Command:
    """Return the command under a new key, with other values."""
    return replace(command, command_id=key(), **values)


def made(house: House, verb: str, **values: Any) -> Any:
    """Return a command of the recipe of a verb, which is another one's arrangement."""
    (command,) = RECIPES[verb].make(house, 1)
    return replace(command, **values)


def done(house: House, verb: str, **values: Any) -> Any:
    """Carry a recipe out, and return its command."""
    command = made(house, verb, **values)
    house.do(command, by=RECIPES[verb].by)
    return command


def on(command: type[Any], subject: UUID, **values: Any) -> Any:
    """Return a command on its subject: a project, a review, a fund …"""
    return command(command_id=key(), **{f"{REGISTRY[command].subject_name}_id": subject}, **values)


def all_codes(cases: Sequence[Case]) -> set[str]:
    """Return every code that these cases reach."""
    return {code for case in cases for code in case.codes}
