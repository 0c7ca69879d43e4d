"""Fifty programs press the same button: one effect, whatever keys they bring, on either database."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from models.states import Role
from tests import payments as pay
from tests.factories import House, key
from tests.web.browser import ADDRESS
from tests.web.conftest import console_of

PASSWORD = "correct horse battery"
MANY = 50


@pytest.fixture
def world(each_house: House) -> House:
    """Give a world on the database of this run, with one payout that one approval is enough for."""
    house = each_house
    own = house.people[Role.FUND_MANAGER].user_id
    house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed(PASSWORD)), by=Role.FUND_MANAGER)
    pay.payouts(house, 1)
    return house


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """Give what runs requests beside each other."""
    with asyncio.Runner() as found:
        yield found


async def pressed(house: House, keys: list[str]) -> list[httpx.Response]:
    """Sign in as the manager, prove oneself, and approve the payout once under each key, all at once."""
    transport = httpx.ASGITransport(app=console_of(house, is_demo=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, timeout=120) as client:
        said = {"login": "fund_manager", "password": PASSWORD}
        entered = await client.post("/api/v1/session", json=said)
        headers = {"x-csrf-token": entered.json()["csrf_token"]}
        proven = await client.post("/api/v1/session/step-up", json={"password": PASSWORD}, headers=headers)
        assert proven.status_code == 200
        (row,) = house.rows("SELECT id, number, version, payload_hash, amount_minor FROM v_payout")
        body = {"amount_minor": row.amount_minor, "payload_hash": row.payload_hash}
        return await asyncio.gather(
            *(
                client.post(
                    f"/api/v1/payouts/{row.number}/commands/approve",
                    json=body,
                    headers={**headers, "idempotency-key": one, "if-match": f'"{row.version}"'},
                )
                for one in keys
            )
        )


def one_effect(house: House) -> None:
    """Assert that the payout was approved once, and its money reserved once."""
    payout = UUID(house.one("SELECT id FROM v_payout"))
    assert house.one("SELECT state FROM v_payout") == "approved"
    assert house.one("SELECT count(*) FROM v_approval") == 1
    assert (
        house.one("SELECT count(*) FROM v_transition WHERE object_id = :id AND event = 'approve'", id=str(payout)) == 1
    )
    assert house.one("SELECT count(DISTINCT entry_id) FROM v_posting WHERE kind = 'reserve'") == 1


@pytest.mark.long
class TestFiftyEqualApprovals:
    def test_under_one_key_are_one_act_and_forty_nine_repeats(self, world: House, runner: asyncio.Runner) -> None:
        answers = runner.run(pressed(world, [key()] * MANY))

        one_effect(world)
        assert {one.status_code for one in answers} <= {200, 503}
        done = [one for one in answers if one.status_code == 200]
        assert sum("idempotency-replayed" not in one.headers for one in done) == 1
        assert len({one.json()["transition_seq"] for one in done}) == 1

    def test_under_keys_of_their_own_are_one_act_and_forty_nine_refusals(
        self, world: House, runner: asyncio.Runner
    ) -> None:
        answers = runner.run(pressed(world, [key() for _ in range(MANY)]))

        one_effect(world)
        assert sorted({one.status_code for one in answers} - {503}) == [200, 412]
        assert sum(one.status_code == 200 for one in answers) == 1
        refused = [one for one in answers if one.status_code == 412]
        assert {one.json()["code"] for one in refused} == {"stale"}
        assert {one.headers["content-type"] for one in refused} == {"application/problem+json"}
