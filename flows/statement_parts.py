"""A file of statements in parts: read and checked to its end, and kept beside memory, before any of it is written."""

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from lifecycle.banking.answers import Statement, StatementLine
from lifecycle.banking.camt05x import Item

LINES = 1000
"""Bookings written in one transaction: about two seconds for whoever else waits to write, whatever they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some bookings of one statement, with its head."""

    head: Statement
    ref: str
    """Names the statement within its file."""
    fund_id: UUID
    first_place: int
    """Of its first line among the bookings of the statement, from 1."""
    lines: tuple[StatementLine, ...]
    closes: bool
    """It is the last of its statement."""

    @property
    def last_place(self) -> int:
        """Of its last line."""
        return self.first_place + len(self.lines) - 1


@dataclass(slots=True)
class Parts:
    """The parts of a whole file, in a temporary file of ours: memory does not grow with them."""

    count: int = 0
    _file: Any = field(default_factory=TemporaryFile)

    def add(self, part: Part) -> None:
        """Keep one more."""
        pickle.dump(part, self._file, pickle.HIGHEST_PROTOCOL)
        self.count += 1

    def __iter__(self) -> Iterator[Part]:
        """Yield them in their order."""
        self._file.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._file)  # noqa: S301 - written by this process, and nobody else can open it

    def close(self) -> None:
        """Give the room back."""
        self._file.close()


FundOf = Callable[[Statement, Sequence[StatementLine]], UUID]


def kept(items: Iterable[Item], sha256: str, fund_of: FundOf) -> Parts:
    """Read a file to its end; `BankFileRefused` where any line, sum or account of it is wrong.

    A statement without a reference, or with that of one before it, is named by its place in the file.
    """
    parts, refs = Parts(), Counter[str]()
    try:
        for head, lines in _statements(iter(items)):
            ref = head.statement_ref or f"{head.element}:{sha256[:12]}"
            refs[ref] += 1
            name = ref if refs[ref] == 1 else f"{head.element}:{ref}"[:140]
            _add(parts, head, name, lines, fund_of)
    except BaseException:
        parts.close()
        raise
    return parts


def _add(parts: Parts, head: Statement, ref: str, lines: Iterator[StatementLine], fund_of: FundOf) -> None:
    first, place = list(islice(lines, LINES)), 1
    fund_id = fund_of(head, first)
    chunk = first
    while True:
        following = list(islice(lines, LINES))
        booked = tuple(one for one in chunk if one.is_booking)
        closes = not following
        parts.add(Part(head=head, ref=ref, fund_id=fund_id, first_place=place, lines=booked, closes=closes))
        if closes:
            return
        place, chunk = place + len(booked), following


def _statements(items: Iterator[Any]) -> Iterator[tuple[Statement, Iterator[StatementLine]]]:
    """Yield each statement with an iterator over its lines, which must be used up before the next."""
    following: list[Any] = []

    def lines() -> Iterator[StatementLine]:
        for item in items:
            if isinstance(item, Statement):
                following.append(item)
                return
            yield item

    head = next(items, None)
    while head is not None:
        yield head, lines()
        head = following.pop() if following else None
