"""A second book of the investors of one fund, kept by other hands: who promised, was asked for and gave how much.

It shares no code with the house, and says beforehand what should become of each command. Amounts are minor units.
"""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(slots=True)
class Investor:
    """One who promised money."""

    committed: int
    called: int = 0
    paid_in: int = 0


@dataclass(slots=True)
class Investors:
    """All who promised, in the order in which they came."""

    known: list[Investor] = field(default_factory=list)

    def commit(self, place: int, amount: int) -> None:
        """Let one of them promise, or promise more."""
        if place == len(self.known):
            self.known.append(Investor(0))
        self.known[place].committed += amount

    def call(self, amount: int) -> str | None:
        """Ask all of them in proportion to what each still owes; say why not, or None and do it."""
        owed = [one.committed - one.called for one in self.known]
        if not owed:
            return "no_investors"
        if amount > sum(owed):
            return "call_over_commitment"
        exact = [Fraction(amount * part, sum(owed)) for part in owed]
        parts = [int(one) for one in exact]
        by_rest = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
        for place in by_rest[: amount - sum(parts)]:
            parts[place] += 1
        for one, part in zip(self.known, parts, strict=True):
            one.called += part
        return None

    def contribute(self, place: int, amount: int, available: int) -> str | None:
        """Let one of them pay in, or have money back that lies there; say why not, or None and do it."""
        one = self.known[place]
        if amount > 0 and one.paid_in + amount > one.called:
            return "contribution_over_call"
        if one.paid_in + amount < 0:
            return "more_than_paid_in"
        if -amount > available:
            return "insufficient_funds"
        one.paid_in += amount
        return None

    @property
    def sums(self) -> tuple[int, int, int]:
        """Promised, asked for and given, in all."""
        return (
            sum(one.committed for one in self.known),
            sum(one.called for one in self.known),
            sum(one.paid_in for one in self.known),
        )
