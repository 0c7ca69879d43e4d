"""What is shown of the trail is found by what it is called, whatever the rows of a verb are called in the database."""

import pytest

from lifecycle.audit.queries import Sought, acts
from models.db import reading
from tests.factories import House
from tests.lifecycle.recipes import RECIPES

EVERYTHING = 10_000


@pytest.mark.parametrize("verb", sorted(RECIPES))
def test_an_act_finds_each_row_that_is_shown_under_its_name(house: House, verb: str) -> None:
    recipe = RECIPES[verb]
    house.do(*recipe.make(house, 1), by=recipe.by)

    with reading(house.engine) as session:
        shown = acts(session, Sought(), limit=EVERYTHING)
        found = {row["seq"] for row in acts(session, Sought(act=verb), limit=EVERYTHING)}

    assert found
    assert {row["seq"] for row in shown if row["act"] == verb} <= found
