"""In which role somebody decided on a payout is sealed by the audit row, though no view shows it."""

import pytest
from sqlalchemy import text

from lifecycle.invariants.check import all_checks, check, chosen
from models.db import reading, transaction
from models.triggers import drop_triggers
from tests import payments as pay
from tests.factories import House


def broken(house: House) -> list[int]:
    """Return the numbers of the words whose role is not what was said."""
    with reading(house.engine) as session:
        (result,) = check(session, chosen(all_checks(), ["H08"]), now=house.now).results
    return [row["seq"] for row in result.sample]


class TestRoleOfAWord:
    @pytest.mark.parametrize("decision", ["certify", "approve", "release"])
    def test_is_found_when_it_was_changed_past_the_triggers(self, each_house: House, decision: str) -> None:
        payouts = pay.payouts(each_house, 2, pack="strict")
        pay.certify(each_house, *payouts)
        pay.approve(each_house, *payouts)
        pay.release(each_house, *payouts)
        assert broken(each_house) == []
        seq = each_house.one("SELECT MIN(seq) FROM approval WHERE decision = :word", word=decision)

        with transaction(each_house.engine) as session:
            for statement in drop_triggers(each_house.engine.dialect.name):
                session.execute(text(statement))
            session.execute(text("UPDATE approval SET role = 'fund_director' WHERE seq = :seq"), {"seq": seq})

        assert broken(each_house) == [seq]
