"""Scheduled work for programs: have it run besides its slots, let its slots pass for a while, go on."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from lifecycle.errors import Invalid, NotFound, unmet
from lifecycle.schedules.commands import PAUSE, REQUEST, RESUME
from lifecycle.schedules.times import SCHEDULES
from models.states import Scope
from web.api.core import Body, Dry, carried, command_from, key_of, need, told
from web.asking import need as need_right
from web.nouns import AnyVerb
from web.session import Program

router = APIRouter(tags=["schedules"])
VERBS: Mapping[str, AnyVerb] = {"run": REQUEST, "pause": PAUSE, "resume": RESUME}
"""Last part of an address -> what it does. A request is taken up by the next pass of the clock."""


@router.post("/schedules/{ref}/commands/{name}")
def carry_out(visit: Program, body: Body, ref: str, name: str, is_dry: Dry) -> Response:
    """Do it, as the account that asks; for a token with the scope `run:execute`."""
    need(visit, Scope.RUN_EXECUTE)
    key, verb = key_of(visit), VERBS.get(name)
    if verb is None or ref not in {one.id for one in SCHEDULES}:
        raise NotFound(NotFound.code)
    need_right(visit, verb)
    if "schedule" in body:
        raise Invalid(unmet("field_unknown", field="schedule"))  # the address says it
    command = command_from(verb, visit.actor.user_id, {**body, "schedule": ref}, key=key)
    return told(carried(visit, command, is_dry=is_dry))
