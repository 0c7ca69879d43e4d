"""Refusals of changes of the working calendar."""

from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.calendars.commands import AnnounceYear, OverrideDay
from models.states import Role
from tests.factories import House, key
from tests.lifecycle.commands.refusals import again, done, refused, wrong

wrong("calendar.override", "notice_not_named", notice=" ")
wrong("calendar.override", "notice_not_named", name="")
wrong("calendar.override", "programme_not_found", programme_id=UUID(int=5))
wrong("calendar.announce", "notice_not_named", notice="")
wrong("calendar.announce", "days_not_of_year", year=1066)
wrong("calendar.announce", "days_not_of_year", off=(date(2031, 1, 1),))
wrong("calendar.announce", "days_not_of_year", off=(date(2030, 1, 1),), works=(date(2030, 1, 1),))


@refused("calendar.override", "nothing_to_change", by=Role.ADMIN)
def _so_already(house: House) -> Any:
    return OverrideDay(command_id=key(), day=date(2025, 7, 12), is_working_day=False, name="Saturday", notice="x")


@refused("calendar.announce", "year_announced", by=Role.ADMIN)
def _announced_before(house: House) -> Any:
    return again("calendar.announce", done(house, "calendar.announce"))


@refused("calendar.announce", "year_announced", by=Role.ADMIN)
def _known_to_the_library(house: House) -> Any:
    return AnnounceYear(command_id=key(), year=2025, notice="x")
