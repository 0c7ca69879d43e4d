"""How often each token may ask: a bucket that fills evenly, kept in this process, by a clock that only goes on."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from models.limits import TOKEN_AT_ONCE, TOKEN_PER_MINUTE


@dataclass(slots=True)
class Meter:
    """The buckets of all tokens that were seen; a full one is forgotten."""

    per_minute: int = TOKEN_PER_MINUTE
    at_once: int = TOKEN_AT_ONCE
    clock: Callable[[], float] = time.monotonic
    _left: dict[UUID, tuple[float, float]] = field(default_factory=dict)
    """Token -> (what was left, when)."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, token_id: UUID) -> int:
        """Take one; return 0, or after how many seconds there is one again."""
        with self._lock:
            now, each = self.clock(), 60 / self.per_minute
            if token_id not in self._left:
                self._forget(now, each)
            left, seen = self._left.get(token_id, (float(self.at_once), now))
            left = min(self.at_once, left + (now - seen) / each)
            is_there = left >= 1
            self._left[token_id] = (left - 1 if is_there else left, now)
            return 0 if is_there else math.ceil((1 - left) * each)

    def _forget(self, now: float, each: float) -> None:
        full = [one for one, (left, seen) in self._left.items() if left + (now - seen) / each >= self.at_once]
        for one in full:
            del self._left[one]
