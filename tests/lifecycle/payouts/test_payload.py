"""An approval is bound to everything that was seen."""

from dataclasses import fields, replace
from uuid import UUID

import pytest

from lifecycle.payouts.payload import Payload, payee_hash

SEEN = Payload(
    payout_id=UUID(int=1),
    revision=1,
    amount_minor=7_000,
    currency="CNY",
    fund_id=UUID(int=2),
    milestone_id=UUID(int=3),
    payee_hash="a" * 64,
    evidence=("b" * 64, "c" * 64),
)
OTHER = {
    "payout_id": UUID(int=9),
    "revision": 2,
    "amount_minor": 7_001,
    "currency": "USD",
    "fund_id": UUID(int=9),
    "milestone_id": None,
    "payee_hash": "d" * 64,
    "evidence": ("b" * 64,),
}


class TestHash:
    @pytest.mark.parametrize("name", [one.name for one in fields(Payload)])
    def test_differs_when_anything_differs(self, name: str) -> None:
        assert replace(SEEN, **{name: OTHER[name]}).sha256 != SEEN.sha256  # type: ignore[arg-type]

    def test_does_not_depend_on_the_order_of_the_files(self) -> None:
        assert replace(SEEN, evidence=SEEN.evidence[::-1]).sha256 == SEEN.sha256

    def test_is_that_of_the_contract(self) -> None:
        """Made by hand from `docs/contract.md` 7: canonical JSON, keys sorted."""
        assert payee_hash("1", "2", "甲") == "60065356b0b362f7f7d78abfcab61793aa2d1be845093485745c42faee933597"
