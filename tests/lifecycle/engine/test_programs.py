"""Where only a token says who acts: decisions about money, and tokens for others, are refused by the engine itself."""

from dataclasses import replace

import pytest

from lifecycle import engine as melody
from lifecycle.commands import Answer, Command
from lifecycle.errors import Forbidden
from lifecycle.permissions import BY_NO_PROGRAM, PERMISSIONS
from models.db import transaction
from tests.factories import House
from tests.lifecycle.recipes import RECIPES


def by_a_program(house: House, verb: str) -> tuple[Command, Answer]:
    """Give the command of a recipe with the token of the one who may."""
    recipe = RECIPES[verb]
    (command,) = recipe.make(house, 1)
    stamp = house.stamp(recipe.by)
    with transaction(house.engine) as session:
        stamp = replace(stamp, actor=replace(stamp.actor, is_program=True))
        return command, melody.execute(session, [command], stamp=stamp)[0]


def test_what_a_token_is_not_enough_for_are_verbs() -> None:
    assert set(PERMISSIONS) >= BY_NO_PROGRAM


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("payout.approve", "step_up_required"),
        ("payout.release", "step_up_required"),
        ("payee_account.confirm", "step_up_required"),
        ("fund.contribute", "step_up_required"),
        ("user.add_token", "program_may_not"),
        ("user.link_identity", "program_may_not"),
        ("invitation.send", "program_may_not"),
    ],
)
def test_is_refused_and_written_down(house: House, verb: str, code: str) -> None:
    command, answer = by_a_program(house, verb)

    assert isinstance(answer.error, Forbidden)
    assert answer.error.codes == (code,)
    written = "SELECT count(*) FROM v_audit WHERE action = :action AND command_id = :key"
    assert house.one(written, action=f"{verb}.refused", key=command.command_id) == 1
    assert house.one("SELECT count(*) FROM v_command WHERE command_id = :key", key=command.command_id) == 0


def test_may_do_what_is_no_such_decision(house: House) -> None:
    _, answer = by_a_program(house, "project.hold")

    assert answer.is_done
