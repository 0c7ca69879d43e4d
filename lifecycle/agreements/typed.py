"""How the parts of an agreement are typed in, one line each, at every door."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeAlias

from lifecycle.agreements.terms import PlannedTranche, TrancheChange
from lifecycle.errors import Invalid, unmet

Reader: TypeAlias = Callable[[str], int]
"""From a typed amount to minor units."""


def planned_tranches(given: Sequence[str]) -> tuple[PlannedTranche, ...]:
    """Read `CODE:SHARE:G2[:DAY]` or `CODE:SHARE:G3.1+G3.2[:DAY]`; the share is in basis points."""
    found = []
    for text in given:
        code, share, tied, *day = text.split(":")
        found.append(
            PlannedTranche(
                code=code,
                share_basis_points=int(share),
                due_on=date.fromisoformat(day[0]) if day else None,
                **_tied(tied),
            )
        )
    return tuple(found)


def _tied(text: str) -> dict[str, Any]:
    return {"criteria": tuple(text.split("+"))} if "." in text else {"gate": text or None}


def changed_tranches(given: Sequence[str], read: Reader) -> tuple[TrancheChange, ...]:
    """Read `CODE:AMOUNT[:G3 or G3.1+G3.2][:DAY]`; an empty place leaves what is there."""
    found = []
    for text in given:
        code, amount, tied, day = [*text.split(":"), "", "", ""][:4]
        found.append(
            TrancheChange(
                code=code,
                amount_minor=read(amount) if amount else None,
                due_on=_day(day),
                **_tied(tied),
            )
        )
    return tuple(found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field="tranche", value=text, form="YYYY-MM-DD")) from None
