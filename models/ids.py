"""UUIDv7 keys: time first, so that new rows lie beside each other in the index; random or, for rehearsals, seeded."""

import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from models.ports import Ids

_TAIL_BITS = 74
_EPOCH_MS = 1_751_936_400_000
"""2025-07-08T01:00:00Z: the instant at which seeded ids begin."""


def uuid7(unix_ms: int, tail: int) -> UUID:
    """Return the UUIDv7 of a time in milliseconds since 1970 and 74 bits that make it unique (RFC 9562, 5.7)."""
    if not 0 <= unix_ms < 1 << 48:
        message = f"milliseconds out of the range of UUIDv7: {unix_ms}"
        raise ValueError(message)
    if not 0 <= tail < 1 << _TAIL_BITS:
        message = f"more than {_TAIL_BITS} bits: {tail}"
        raise ValueError(message)
    high, low = tail >> 62, tail & ((1 << 62) - 1)
    return UUID(int=unix_ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


class RandomIds:
    """Ids from the machine's clock and its random source, growing within one process (RFC 9562, 6.2, method 2)."""

    def __init__(self) -> None:
        """Start before the first millisecond."""
        self._lock = threading.Lock()
        self._last_ms = 0
        self._last_tail = 0

    def new(self) -> UUID:
        """Return an id greater than all that this object gave before."""
        with self._lock:
            now_ms = time.time_ns() // 1_000_000
            if now_ms > self._last_ms:
                # The top bit stays free, so that counting up within a millisecond does not run over.
                self._last_ms, self._last_tail = now_ms, secrets.randbits(_TAIL_BITS - 1)
            else:
                self._last_tail += 1 + secrets.randbits(32)
            return uuid7(self._last_ms, self._last_tail)


class SeededIds:
    """The same row of ids for the same seed: for rehearsals in a single process, never for production."""

    def __init__(self, seed: int) -> None:
        """Begin the row of this seed."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, no secret
        self._count = 0

    def new(self) -> UUID:
        """Return the next id of the row; each lies one millisecond after the one before."""
        self._count += 1
        return uuid7(_EPOCH_MS + self._count, self._random.getrandbits(_TAIL_BITS))


def ids_from(text: str) -> Ids:
    """Return the ids that `PILOTWAY_IDS` names: `random` or `seed:N`; anything else raises ValueError."""
    if text == "random":
        return RandomIds()
    kind, _, number = text.partition(":")
    if kind == "seed" and number.isascii() and number.isdigit():
        return SeededIds(int(number))
    message = f"expected 'random' or 'seed:N', got {text!r}"
    raise ValueError(message)


_current: ContextVar[Ids] = ContextVar("ids", default=RandomIds())  # noqa: B039 - one source for the process is meant


def new_id() -> UUID:
    """Return a new key from the source in use: random unless `using_ids` says otherwise."""
    return _current.get().new()


@contextmanager
def using_ids(ids: Ids) -> Iterator[Ids]:
    """Take new keys from this source inside the block; a thread started inside begins with random ones again."""
    token = _current.set(ids)
    try:
        yield ids
    finally:
        _current.reset(token)
