"""How long a project has been in its stages, in working days: counted in one way wherever it is told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lifecycle.calendar import WORKING_DAYS_OF_A_MONTH, Calendar
from lifecycle.standards.pack import Stage
from models.states import STAGES, ProjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """The days of one stage: those on the way, and those spent back in it after a later one."""

    days: int
    first_on: date | None
    last_on: date | None
    """First day of the latest visit."""
    visits: int
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
    days, opened, back = 0, list[date](), dict[str, tuple[int, int]]()
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
        opened.append(one["opened_on"])
    first_on, last_on = (opened[0], opened[-1]) if opened else (None, None)
    return Dwell(days=days, first_on=first_on, last_on=last_on, visits=len(opened), back=back)


def target_days(stage: Stage) -> int:
    """Return how many working days a stage should last; about as many, where its standard counts in months."""
    return stage.default_days * (1 if stage.default_unit == "working_days" else WORKING_DAYS_OF_A_MONTH)
