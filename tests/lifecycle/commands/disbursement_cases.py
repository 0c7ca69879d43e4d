"""Refusals of stopping disbursement and of letting it go on."""

from typing import Any

from lifecycle.disbursement.commands import Lift
from models.states import Role
from tests.factories import House, key
from tests.lifecycle.commands.refusals import again, done, refused, wrong

wrong("disbursement.freeze", "reason_missing", reason=" ")
wrong("disbursement.freeze", "hold_reason_unknown", code="mood")
wrong("disbursement.lift", "reason_missing", reason="")


@refused("disbursement.freeze", "frozen")
def _stopped_for_the_same_already(house: House) -> Any:
    return again("disbursement.freeze", done(house, "disbursement.freeze"))


@refused("disbursement.lift", "not_frozen")
def _nothing_is_stopped(house: House) -> Any:
    return Lift(command_id=key(), reason="all is well")


@refused("disbursement.lift", "four_eyes", by=Role.FUND_DIRECTOR)
def _the_same_person_twice(house: House) -> Any:
    return again("disbursement.lift", done(house, "disbursement.lift"))
