"""Which row keys a file has had: an open-addressing table in flat arrays instead of a set.

A set of 16-byte digests costs about 100 bytes per row on the heap; this costs 24 per slot, and nothing more up to
about 45,000 rows, so that reading does not grow with a usual file.
"""

from array import array
from hashlib import blake2b

_FIRST_SLOTS = 1 << 16
_FULLEST = 0.7


class SeenKeys:
    """Remembers keys by a 128-bit digest together with the row each was first seen in."""

    def __init__(self) -> None:
        self._count = 0
        self._allot(_FIRST_SLOTS)

    def first_row(self, key: str, row: int) -> int | None:
        """Return the row in which `key` was seen before, or remember `row` for it and return None."""
        high, low = _digest(key)
        slot = self._slot(high, low)
        if self._rows[slot]:
            return self._rows[slot]
        if self._count >= _FULLEST * len(self._rows):
            self._grow()
            slot = self._slot(high, low)
        self._high[slot], self._low[slot], self._rows[slot] = high, low, row
        self._count += 1
        return None

    def __contains__(self, key: str) -> bool:
        return bool(self._rows[self._slot(*_digest(key))])

    def _allot(self, slots: int) -> None:
        self._high, self._low, self._rows = (array("Q", bytes(8 * slots)) for _ in range(3))

    def _slot(self, high: int, low: int) -> int:
        """Return the slot that holds the digest or the free one where it belongs. A free slot has row 0."""
        mask = len(self._rows) - 1
        slot = low & mask
        while self._rows[slot] and (self._low[slot] != low or self._high[slot] != high):
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old = zip(self._high, self._low, self._rows, strict=True)
        self._allot(2 * len(self._rows))
        for high, low, row in old:
            if row:
                slot = self._slot(high, low)
                self._high[slot], self._low[slot], self._rows[slot] = high, low, row


def _digest(key: str) -> tuple[int, int]:
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")
