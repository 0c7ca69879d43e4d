"""How the tiers of approval of a fund are typed in, one line each, at every door."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from lifecycle.errors import Invalid, unmet
from lifecycle.funds.commands import Tier
from models.money import MAX_MINOR

Reader: TypeAlias = Callable[[str], int]
"""From a typed amount to minor units."""


def tiers(given: Sequence[str], read: Reader) -> tuple[Tier, ...]:
    """Read `AMOUNT:APPROVERS[:director][:minute]`; `max` stands for the largest amount there is."""
    found = []
    for text in given:
        edge, needed, *more = text.split(":")
        if not needed.isdecimal() or not set(more) <= {"director", "minute"}:
            raise Invalid(unmet("value_wrong", field="tier", value=text, form="AMOUNT:N[:director][:minute]"))
        found.append(
            Tier(
                up_to_minor=MAX_MINOR if edge == "max" else read(edge),
                approvers_needed=int(needed),
                is_director_needed="director" in more,
                is_minute_needed="minute" in more,
            )
        )
    return tuple(found)
