"""How long a project has been in its stages, in working days: counted in one way wherever it is told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lifecycle.calendar import Calendar
from models.states import STAGES, ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """The days of one stage: those on the way, and those spent back in it after a later one."""

    days: int
    first_on: date | None
    back: Mapping[str, tuple[int, int]]
    """Stage that it was sent back from -> (count, days)."""

    @property
    def all_days(self) -> int:
        """Days spent in the stage in all its visits: what a card on the board says."""
        return self.days + sum(days for _, days in self.back.values())


def dwell_of(stage: str, visits: Sequence[Mapping[str, Any]], calendar: Calendar, today: date) -> Dwell:
    """Return the working days that a project spent in a stage, from its visits of all stages in their order.

    A visit that goes on counts to today; one behind a visit of a later stage was spent back.
    """
    days, first_on, back = 0, None, dict[str, tuple[int, int]]()
    for place, one in enumerate(visits):
        if one["stage"] != stage:
            continue
        spent = calendar.working_days_between(one["opened_on"], one["closed_on"] or today)
        before = [STAGES.index(ProjectState(other["stage"])) for other in visits[:place]]
        if before and max(before) > STAGES.index(ProjectState(stage)):
            source = str(visits[place - 1]["stage"])
            count, so_far = back.get(source, (0, 0))
            back[source] = (count + 1, so_far + spent)
        else:
            days += spent
        first_on = first_on or one["opened_on"]
    return Dwell(days=days, first_on=first_on, back=back)
