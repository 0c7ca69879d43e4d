"""The order of children in the elements that are read, by the schemas of ISO 20022.

A shape is what all versions spoken here have in common, written as in a DTD: `A` once, `A?` at most once, `A*` any
number, `A+` one or more. It is no validation against the schema; it refuses what would make us misread.
"""

from typing import TypeAlias

from lifecycle.banking.refusal import BankFileRefused, Place, shown


class Shape:
    """The children that an element may and must have, in their order."""

    def __init__(self, written: str) -> None:
        words = written.split()
        self.known = {word.rstrip("?*+"): (rank, word[-1] in "*+") for rank, word in enumerate(words)}
        self.required = tuple(word.rstrip("+") for word in words if word[-1] not in "?*")

    def step(self, name: str, rank: int, place: Place, prefix: str = "") -> tuple[int, bool]:
        """Return the rank of the next child after one of `rank`, and whether it may repeat.

        `BankFileRefused` when it is unknown, out of order, or there once too often.
        """
        found = self.known.get(name)
        if found is None or found[0] < rank or (found[0] == rank and not found[1]):
            later = [one for one, (place_of, _) in self.known.items() if place_of > rank]
            raise BankFileRefused(
                "bank_element_unexpected",
                element=f"{place}/{prefix}{shown(name)}",
                rule=" | ".join(later[:5]) or "–",
            )
        return found


Shapes: TypeAlias = dict[str, Shape]
"""The shapes of a message by the name of the element; one without a shape may hold anything."""


def shapes(**written: str) -> Shapes:
    """Return the shapes as they are written."""
    return {name: Shape(one) for name, one in written.items()}
