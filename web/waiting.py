"""How much waits for somebody, remembered until a tab asks again: judging an inbox is dear, and one has many tabs."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

LASTS = 30.0
"""Seconds: as long as the script of a page waits before it asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """How much was found."""

    count: int
    is_cut: bool
    """There was more than was looked at."""


@dataclass(slots=True, eq=False)
class Place:
    """Where the number of one person is kept; one that was forgotten meanwhile is read by nobody any more."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    number: Number | None = None
    until: float = 0.0


@dataclass(slots=True)
class Waiting:
    """The numbers of everybody who asked of late, by account; kept in this process, by a clock that only goes on."""

    clock: Callable[[], float] = time.monotonic
    _places: dict[UUID, Place] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, user_id: UUID) -> Number | None:
        """Return the number of somebody, or None where nobody has judged it of late."""
        place = self._places.get(user_id)
        return place.number if place is not None and place.until > self.clock() else None

    def asked(self, user_id: UUID, judge: Callable[[], Number]) -> Number:
        """Return the number, judged where it is not known; who asks meanwhile waits for the same judgement."""
        place = self.place(user_id)
        with place.lock:
            number = place.number if place.until > self.clock() else None
            if number is None:
                number = judge()
                self.keep(place, number)
            return number

    def place(self, user_id: UUID) -> Place:
        """Return where a number that is judged from now on is to be kept; other people's old ones are dropped."""
        with self._lock:
            if user_id not in self._places:
                over = [one for one, place in self._places.items() if place.until <= self.clock()]
                for one in over:
                    del self._places[one]
            return self._places.setdefault(user_id, Place())

    def keep(self, place: Place, number: Number) -> None:
        """Remember what was judged since the place was given."""
        place.number, place.until = number, self.clock() + LASTS

    def forget(self, user_id: UUID) -> None:
        """Remember nothing of somebody who has just done something, nor what is being judged at this moment."""
        with self._lock:
            self._places.pop(user_id, None)
