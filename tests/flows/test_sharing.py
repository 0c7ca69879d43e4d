"""Several workers share one payment run: each payout is judged and instructed by one of them, and the row sums up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from flows.bank_channel import BankInMemory
from flows.bodies import BODIES, payment_outcome
from flows.chunks import Lane, next_chunk
from flows.clock import Clockwork, run_slot, tick
from flows.disbursement import Teller, disburse, help_disburse
from flows.slots import Slot
from flows.turns import Body, Outcome, Turn
from lifecycle.disbursement.commands import Freeze
from lifecycle.funds.commands import HoldFund
from models.db import transaction
from models.ports import PutResult
from models.settings import Settings
from models.states import Role
from tests.factories import House, key
from tests.lifecycle.concurrency.races import assert_sound
from tests.paying import ACCOUNT, Paying, a_paying_fund


class Bank(BankInMemory):
    """A bank to which others come while one hands over."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] = lambda: None

    def put(self, name: str, data: bytes) -> PutResult:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return super().put(name, data)


@dataclass
class Run:
    """One payment run over some funds, each with two approved payouts: so many chunks."""

    house: House
    bank: Bank = field(default_factory=Bank)
    funds: list[Paying] = field(default_factory=list)

    def approve(self, funds: int) -> None:
        for number in range(funds):
            paying = a_paying_fund(self.house, tranches=2, account=f"{ACCOUNT}{number}")
            paying.approved(2)
            self.funds.append(paying)

    def work(self, worker: str) -> Clockwork:
        """Return the clock of a worker that does nothing but this."""
        teller = Teller(bank=self.bank, holder=worker, takes="keep")

        def first(turn: Turn) -> Outcome:
            return payment_outcome(disburse(turn.engine, teller, turn.stamp, run_id=turn.run_id))

        def second(turn: Turn) -> Outcome:
            assert turn.run_id is not None
            return payment_outcome(help_disburse(turn.engine, teller, turn.stamp, run_id=turn.run_id))

        body = replace(BODIES["disbursement"], run=first, help=second)
        settings = Settings(db="unused.db", worker=worker)
        stamp = self.house.stamp()
        return Clockwork(engine=self.house.engine, settings=settings, stamp=stamp, bodies={"disbursement": body})

    def hold(self, paying: Paying) -> None:
        until = self.house.today + timedelta(days=5)
        hold = HoldFund(command_id=key(), fund_id=paying.fund_id, code="audit", reason="we look", until_on=until)
        self.house.do(hold, by=Role.ACCOUNTANT)

    def counts(self) -> tuple[int, ...]:
        columns = "found_count, done_count, refused_count, failed_count"
        (row,) = self.house.rows(f"SELECT {columns} FROM scheduled_run")
        return tuple(row)


@pytest.fixture
def shared(each_house: House) -> Run:
    return Run(each_house)


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgres"])
class TestASecondWorker:
    def test_takes_what_the_first_has_not_begun_and_each_payout_is_instructed_once(self, shared: Run) -> None:
        shared.approve(3)
        helped: list[Slot] = []
        shared.bank.meanwhile = lambda: helped.extend(tick(shared.work("two")).slots)

        (slot,) = tick(shared.work("one")).slots

        assert [(one.run_id, one.status, one.done_count) for one in helped] == [(slot.run_id, "running", 2)]
        assert (slot.status, shared.counts()) == ("done", (3, 3, 0, 0))
        assert len({effect["ref"] for effect in slot.effects}) == len(shared.bank.out) == 3
        assert shared.house.one("SELECT count(*) FROM v_instruction") == 6
        assert shared.house.one("SELECT count(DISTINCT payout_id) FROM v_instruction") == 6
        assert_sound(shared.house.engine, shared.house)

    def test_judges_none_again_that_the_first_was_refused(self, shared: Run) -> None:
        shared.approve(2)
        first, _ = sorted(shared.funds, key=lambda one: one.fund_id)
        shared.hold(first)

        def two_come() -> None:
            tick(shared.work("two"))
            tick(shared.work("three"))

        shared.bank.meanwhile = two_come
        tick(shared.work("one"))

        assert shared.counts() == (3, 1, 2, 0)

    def test_that_was_asked_for_helps_and_leaves_a_row_that_says_so(self, shared: Run) -> None:
        shared.approve(2)
        helped: list[Slot] = []

        def press() -> None:
            shared.house.later(microseconds=1)
            helped.extend(run_slot(shared.work("two"), "disbursement", shared.house.now, asked="now"))

        shared.bank.meanwhile = press
        tick(shared.work("one"))
        assert [(one.status, one.why, one.done_count) for one in helped] == [
            ("skipped", "still_running", 0),
            ("running", "", 1),
        ]

    def test_that_fails_is_told_in_the_row_and_fails_nobody_else(self, shared: Run) -> None:
        shared.approve(2)

        def fall(_turn: Turn) -> Outcome:
            raise RuntimeError("no memory")

        two = shared.work("two")
        broken = replace(two, bodies={"disbursement": replace(two.bodies["disbursement"], help=fall)})

        def broken_comes() -> None:
            tick(broken)

        shared.bank.meanwhile = broken_comes

        (slot,) = tick(shared.work("one")).slots

        assert (slot.status, slot.is_well, shared.counts()) == ("done", False, (2, 2, 0, 1))
        assert [one["detail"] for one in slot.effects if one["effect"] == "failed"] == ["RuntimeError: no memory"]

    def test_hands_nothing_over_once_all_is_frozen(self, shared: Run) -> None:
        shared.approve(2)

        def freeze_and_help() -> None:
            shared.house.do(Freeze(command_id=key(), reason="why"), by=Role.FUND_DIRECTOR)
            tick(shared.work("two"))

        shared.bank.meanwhile = freeze_and_help
        tick(shared.work("one"))
        assert len(shared.bank.out) == 1

    def test_has_nothing_to_do_where_a_body_is_not_shared(self, shared: Run) -> None:
        ran: list[str] = []
        two = shared.work("two")

        def alone(turn: Turn) -> Outcome:
            ran.append("one")
            tick(replace(two, bodies={"disbursement": Body(run=lambda _turn: pytest.fail("it runs already"))}))
            return Outcome()

        tick(replace(two, bodies={"disbursement": Body(run=alone)}))
        assert ran == ["one"]


class TestOnSQLite:
    def test_a_second_worker_finds_nothing(self, house: House) -> None:
        run = Run(house)
        run.approve(2)
        found: list[Slot] = []
        run.bank.meanwhile = lambda: found.extend(tick(run.work("two")).slots)
        tick(run.work("one"))
        assert (found, run.counts()) == ([], (2, 2, 0, 0))


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgres"])
class TestAChunk:
    def test_is_taken_by_one_worker_and_comes_back_when_it_dies(self, shared: Run) -> None:
        """The server ends what a dead connection held; a rollback is the same to it."""
        shared.approve(1)
        lane = Lane(fund_id=shared.funds[0].fund_id, run_id=None)
        stamp, engine = shared.house.stamp(), shared.house.engine

        with pytest.raises(InterruptedError), transaction(engine) as dying:
            taken = next_chunk(dying, lane, {}.get, stamp, waits=False)
            with transaction(engine) as other:
                assert next_chunk(other, lane, {}.get, stamp, waits=False) is None
            raise InterruptedError

        with transaction(engine) as other:
            again = next_chunk(other, lane, {}.get, stamp, waits=False)
        assert taken is not None
        assert again is not None
        assert again.numbers == taken.numbers
        assert shared.house.one("SELECT count(*) FROM v_instruction") == 2
