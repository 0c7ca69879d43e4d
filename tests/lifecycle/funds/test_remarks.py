"""What is done and yet worth a word: the answer says so beside what it did."""

from typing import Any
from uuid import UUID

from lifecycle.funds.commands import Commit, Contribute
from models.states import Role, SourceKind
from tests.factories import House, call_capital, funds, key, sources


def contribute(house: House, fund_id: UUID, **said: Any) -> list[str]:
    command = Contribute(command_id=key(), fund_id=fund_id, amount_minor=100, received_on=house.today, **said)
    (answer,) = house.do(command, by=Role.ACCOUNTANT)
    return [one["code"] for one in answer.get("remarks", ())]


class TestAContribution:
    def test_of_nobody_without_the_banks_reference_says_both(self, house: House) -> None:
        (one,) = funds(house)
        assert contribute(house, one) == ["contribution_of_nobody", "contribution_without_reference"]

    def test_that_names_both_says_nothing(self, house: House) -> None:
        (one,) = funds(house)
        (source,) = sources(house, one)
        call_capital(house, one)
        assert contribute(house, one, source_id=source, bank_ref="B-1") == []


class TestACommitment:
    def test_beyond_the_size_of_the_fund_says_so(self, house: House) -> None:
        (one,) = funds(house, commitment_minor=1_000)
        said: dict[str, Any] = {
            "organisation_id": house.parties["other firm"],
            "kind": SourceKind.STATE,
            "amount_minor": 1_001,
        }
        (answer,) = house.do(Commit(command_id=key(), fund_id=one, **said), by=Role.ACCOUNTANT)
        assert [remark["code"] for remark in answer["remarks"]] == ["subscribed_beyond_size"]
