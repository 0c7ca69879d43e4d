"""The order of children in the elements that are read, by the schemas of ISO 20022.

A shape is what all versions spoken here have in common, written as in a DTD: `A` once, `A?` at most once, `A*` any
number, `A+` one or more. It is no validation against the schema; it refuses what would make us misread.
"""

from collections.abc import Mapping

from lifecycle.banking.refusal import BankFileRefused, Place, shown


class Shape:
    """The children that an element may and must have, in their order."""

    def __init__(self, written: str) -> None:
        words = written.split()
        self.rank: Mapping[str, int] = {word.rstrip("?*+"): rank for rank, word in enumerate(words)}
        self.repeatable = frozenset(word[:-1] for word in words if word[-1] in "*+")
        self.required = frozenset(word.rstrip("+") for word in words if word[-1] not in "?*")

    def progress(self) -> "Progress":
        """Return a fresh walk along this shape."""
        return Progress(self)


class Progress:
    """How far the children of one element have come."""

    __slots__ = ("missing", "rank", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape, self.rank, self.missing = shape, -1, set(shape.required)

    def take(self, name: str, place: Place) -> None:
        """Take the next child; refuse it when it is unknown, out of order or there too often."""
        rank = self.shape.rank.get(name)
        if rank is None or rank < self.rank or (rank == self.rank and name not in self.shape.repeatable):
            raise BankFileRefused("bank_element_unexpected", element=f"{place}/{shown(name)}", rule=self._expected())
        self.rank = rank
        self.missing.discard(name)

    def end(self, place: Place) -> None:
        """Refuse an element whose required children have not all come."""
        if self.missing:
            name = min(self.missing, key=self.shape.rank.__getitem__)
            raise BankFileRefused("bank_element_missing", element=f"{place}/{name}", rule="required")

    def _expected(self) -> str:
        later = [name for name, rank in self.shape.rank.items() if rank > self.rank]
        return " | ".join(later[:5]) or "–"
