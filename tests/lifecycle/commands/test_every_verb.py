"""Every verb: carried out once, with exactly these lines in journal, audit trail and outbox."""

from typing import Any
from uuid import UUID

import pytest

from lifecycle.actor import PERMISSIONS
from lifecycle.verbs import BY_NAME
from tests.factories import House
from tests.lifecycle.recipes import RECIPES

VERBS = sorted(f"{object_type}.{name}" for object_type, name in BY_NAME)


def since(house: House, table: str, column: str, before: int) -> list[Any]:
    return [row[0] for row in house.rows(f"SELECT {column} FROM {table} WHERE seq > {before} ORDER BY seq")]


def last(house: House, table: str) -> int:
    return int(house.one(f"SELECT COALESCE(MAX(seq), 0) FROM {table}"))


def test_every_verb_has_a_recipe_and_a_permission() -> None:
    assert sorted(RECIPES) == VERBS
    assert sorted(PERMISSIONS) == VERBS


@pytest.mark.parametrize("verb", VERBS)
class TestEveryVerb:
    def test_leaves_exactly_its_lines_and_one_version_for_each_act(self, house: House, verb: str) -> None:
        recipe = RECIPES[verb]
        (command,) = recipe.make(house, 1)
        audit, moves = last(house, "v_audit"), last(house, "v_transition")
        told = {row.id for row in house.rows("SELECT id FROM v_outbox")}
        commands = house.one("SELECT COUNT(*) FROM v_command")
        before = versions(house)

        (answer,) = house.do(command, by=recipe.by)

        assert tuple(since(house, "v_audit", "action", audit)) == recipe.acts
        transitions = house.rows(
            f"SELECT object_type, event, from_state, to_state FROM v_transition WHERE seq > {moves} ORDER BY seq"
        )
        assert tuple(map(tuple, transitions)) == recipe.moves
        kinds = [row.kind for row in house.rows("SELECT id, kind FROM v_outbox ORDER BY kind") if row.id not in told]
        assert tuple(kinds) == recipe.tells
        assert house.one("SELECT COUNT(*) FROM v_command") == commands + 1
        journal = house.rows("SELECT actor_id, verb FROM v_command WHERE command_id = :key", key=command.command_id)
        assert [tuple(row) for row in journal] == [(str(house.people[recipe.by].user_id), verb)]
        assert answer["replayed"] is False
        assert answer["command_id"] == command.command_id
        after = versions(house)
        assert sum(after[row] - before.get(row, 0) for row in after) == len(recipe.acts), "one version for each act"
        born_without_act = answer["object_type"] == "requirement"
        assert after[UUID(answer["object_id"])] + born_without_act == answer["version"]


SUBJECTS = (
    "organisation",
    "app_user",
    "standard_pack",
    "programme",
    "project",
    "stage_run",
    "requirement",
    "evidence",
    "review",
    "trial_batch",
)


def versions(house: House) -> dict[UUID, int]:
    """Return the version of every subject that was ever acted on; requirements begin without an act."""
    union = " UNION ALL ".join(
        f"SELECT CAST(id AS text) AS id, version - {int(table == 'requirement')} AS acts FROM {table}"
        for table in SUBJECTS
    )
    return {UUID(row.id): row.acts for row in house.rows(union)}
