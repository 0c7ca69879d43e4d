"""What the console asks of the flows and of the machine that it runs on: only this program knows both."""

from collections.abc import Mapping, Sequence
from typing import Any

from cli.behind.doctor import look_around
from cli.output import Output
from flows.foresight import foreseen
from flows.workplace import opened
from models.settings import load_settings
from notifications.words import Lang


class Backstage:
    """Looks when it is asked; each look has a database connection of its own and writes nothing."""

    def due(self, schedule_id: str) -> int | None:
        """Return how much a run of a schedule would find now; None where nobody can tell before it runs."""
        with opened(load_settings()) as work:
            look = work.bodies[schedule_id].look
            return None if look is None else look(work.turn(work.stamp.now))

    def foreseen(self, schedule_id: str) -> Sequence[Mapping[str, Any]] | None:
        """Return the first effects that a run would have now; None where nobody can tell before it runs."""
        with opened(load_settings()) as work:
            found = foreseen(schedule_id, work.turn(work.stamp.now))
            return None if found is None else [one.document() for one in found]

    def findings(self, lang: Lang) -> Sequence[Mapping[str, Any]]:
        """Return what `doctor` finds, in one language."""
        return list(look_around(Output(lang=lang)))
