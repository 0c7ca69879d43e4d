"""Two processes, one barrier, one payout: money is reserved, sent and settled once (R1, R4-R17, R24).

Twice per database by `make test`, a few times by `make test-long`, two hundred times by `make prove`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import pytest
from sqlmodel import Session

from flows.bank_channel import DropFolders
from flows.chunks import Lane, due_payouts, next_chunk
from flows.disbursement import Run, Teller, deliver, disburse
from flows.reconciliation import Taken, take_file
from flows.recovery import Finished, finish
from lifecycle.funds.commands import Contribute, HoldFund, ResumeFund
from lifecycle.payouts.commands import Amend, Cancel, Reject
from lifecycle.people.commands import AddUser, GrantRole, RevokeRole
from lifecycle.requirements.commands import WithdrawEvidence
from models.db import run_in_transaction
from models.money import CURRENCY_DECIMALS
from models.ports import PutResult
from models.states import Role
from tests import payments as pay
from tests.factories import House, ids_of, key, new_fund, pay_in
from tests.lifecycle.concurrency.races import Racers, assert_sound, done, racers
from tests.money import AMOUNT
from tests.paying import ACCOUNT, APPROVERS, MAKER, Paying, a_paying_fund, approve
from tests.witness.bank import Bank, Order

pytestmark = [pytest.mark.slow, pytest.mark.long_on_postgres]
TIMES = (2, pytest.param(6, marks=pytest.mark.long), pytest.param(200, marks=pytest.mark.prove))
ONE, OTHER = APPROVERS
PAID_IN = 10_000_000


@pytest.fixture(scope="module")
def two_processes() -> Iterator[Racers]:
    with racers() as started:
        yield started


@pytest.fixture
def pair(each_house: House, two_processes: Racers) -> Iterator[tuple[House, Racers]]:
    with two_processes.at(each_house) as two:
        yield each_house, two
    assert_sound(each_house.engine, each_house)


def balance(paying: Paying, kind: str) -> int:
    sql = "SELECT balance_minor FROM v_account WHERE fund_id = :fund AND kind = :kind"
    return int(paying.house.one(sql, fund=str(paying.fund_id), kind=kind))


def state(house: House, payout: UUID) -> str:
    return str(house.one("SELECT state FROM v_payout WHERE id = :id", id=str(payout)))


@pytest.mark.parametrize("times", TIMES)
class TestApproval:
    def test_twice_at_once_reserves_once(self, pair: tuple[House, Racers], times: int) -> None:
        """R1."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        for place, payout in enumerate(paying.requested(times), start=1):
            outcomes = two.race((approve(payout), ONE), (approve(payout), ONE))

            assert done(outcomes) == 1
            assert [said for said, _ in outcomes if said != "done"] == [("approve_not_possible_when_approved",)]
            assert balance(paying, "reserved") == place * AMOUNT

    def test_of_one_person_in_two_sessions_counts_once(self, pair: tuple[House, Racers], times: int) -> None:
        """R4: the second word of two is another person's."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN, approvers=2)
        for payout in paying.requested(times):
            outcomes = two.race((approve(payout), ONE), (approve(payout), ONE))

            assert [said for said, _ in outcomes if said != "done"] == [("already_decided",)]
            assert state(house, payout) == "requested"
        assert balance(paying, "reserved") == 0

    def test_of_two_people_for_one_place_lets_one_in(self, pair: tuple[House, Racers], times: int) -> None:
        """R5."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        for payout in paying.requested(times):
            outcomes = two.race((approve(payout), ONE), (approve(payout), OTHER))

            assert [said for said, _ in outcomes if said != "done"] == [("approve_not_possible_when_approved",)]
        assert balance(paying, "reserved") == times * AMOUNT

    def test_of_the_two_who_are_needed_reserves_once(self, pair: tuple[House, Racers], times: int) -> None:
        """Neither must believe that the other one is still missing."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN, approvers=2)
        for payout in paying.requested(times):
            outcomes = two.race((approve(payout), ONE), (approve(payout), OTHER))

            assert sorted(answer["state"] for _, answer in outcomes) == ["approved", "requested"]
        assert balance(paying, "reserved") == times * AMOUNT

    def test_and_rejection_end_in_one_of_both(self, pair: tuple[House, Racers], times: int) -> None:
        """R6."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        for payout in paying.requested(times):
            reject = Reject(command_id=key(), payout_id=payout, reason="not now")

            outcomes = two.race((approve(payout), ONE), (reject, OTHER))

            assert done(outcomes) == 1
            assert state(house, payout) == ("approved" if outcomes[0][0] == "done" else "rejected")
        approved = house.one("SELECT COUNT(*) FROM v_payout WHERE state = 'approved'")
        assert balance(paying, "reserved") == approved * AMOUNT

    def test_never_stands_for_another_amount(self, pair: tuple[House, Racers], times: int) -> None:
        """R7: an amendment voids it, or it comes too late."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        for payout in paying.requested(times):
            seen = house.one("SELECT payload_hash FROM v_payout WHERE id = :id", id=str(payout))
            word = replace(approve(payout), payload_hash=seen)
            amend = Amend(command_id=key(), payout_id=payout, reason="less", new_amount_minor=AMOUNT - 1)

            (approved, _), (amended, _) = two.race((word, ONE), (amend, MAKER))

            assert amended == "done"
            assert approved in ("done", ("payload_changed", "amount_differs"))
            assert state(house, payout) == "requested"
            assert balance(paying, "reserved") == 0

    def test_and_the_loss_of_the_role_let_nothing_leave(
        self, each_house: House, two_processes: Racers, times: int, tmp_path: Path
    ) -> None:
        """R8: where the word came first, the last gate asks again."""
        house = each_house
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        payouts, grants = paying.requested(times), _managers(house, times)
        with two_processes.at(house) as two:
            for payout, (name, revoke) in zip(payouts, grants, strict=True):
                (approved, _), (revoked, _) = two.race((approve(payout), name), (revoke, Role.ADMIN))

                assert revoked == "done"
                assert approved in ("done", ("not_found",), ("role",), ("forbidden",)), approved
        run = disburse(house.engine, _teller(tmp_path), house.stamp())
        assert run.sent == []
        assert all("approvals_missing" in codes for _, codes in run.refused)
        assert len(run.refused) == house.one("SELECT COUNT(*) FROM v_payout WHERE state = 'approved'")
        assert_sound(house.engine, house)

    def test_and_evidence_that_is_taken_back_let_nothing_leave(
        self, each_house: House, two_processes: Racers, times: int, tmp_path: Path
    ) -> None:
        """R24: what rests on a file that is no longer there is asked for anew at the last gate."""
        house = each_house
        payouts = pay.payouts(house, times)
        projects = {row.id: row.project_id for row in house.rows("SELECT id, project_id FROM v_payout")}
        papers = {row.object_id: row.id for row in house.rows("SELECT id, object_id FROM v_evidence ORDER BY at")}
        with two_processes.at(house) as two:
            for payout in payouts:
                project = projects[str(payout)]
                withdraw = WithdrawEvidence(
                    command_id=key(), project_id=UUID(project), evidence_id=UUID(papers[project]), reason="wrong file"
                )

                (approved, _), (withdrawn, _) = two.race(
                    (approve(payout, pay.AMOUNT), ONE), (withdraw, Role.PROJECT_LEAD)
                )

                assert withdrawn == "done"
                assert approved == "done" or {*approved} == {"payload_changed", "evidence_not_current"}, approved
        run = disburse(house.engine, _teller(tmp_path), house.stamp())
        assert run.sent == []
        assert {row.state for row in house.rows("SELECT state FROM v_payout")} == {"requested"}
        assert house.one("SELECT SUM(balance_minor) FROM v_account WHERE kind = 'reserved'") == 0
        assert_sound(house.engine, house)


def _managers(house: House, count: int) -> list[tuple[str, RevokeRole]]:
    """Return people who manage the fund, each with the command that ends it."""
    names = [f"manager {number}" for number in range(count)]
    add = (AddUser(command_id=key(), login=key(), email=f"{key()}@example.org", name=name) for name in names)
    users = ids_of(house.do(*add))
    grant = (
        GrantRole(command_id=key(), user_id=user, role=Role.FUND_MANAGER, organisation_id=house.parties["funder"])
        for user in users
    )
    house.do(*grant)
    held = {UUID(row.user_id): UUID(row.id) for row in house.rows("SELECT id, user_id FROM v_grant")}
    one = house.people[ONE]
    house.people |= {
        name: replace(one, user_id=user, person_id=user, name=name) for name, user in zip(names, users, strict=True)
    }
    return [
        (name, RevokeRole(command_id=key(), user_id=user, grant_id=held[user]))
        for name, user in zip(names, users, strict=True)
    ]


@pytest.mark.parametrize("times", TIMES)
class TestReservation:
    def test_of_two_payouts_where_money_is_left_for_one_takes_one(self, pair: tuple[House, Racers], times: int) -> None:
        """R9."""
        house, two = pair
        rest = 3_000
        paying = a_paying_fund(house, tranches=2 * times, paid_in=rest)
        for _ in range(times):
            pay_in(house, paying.fund_id, amount_minor=AMOUNT)
            first, second = paying.requested(2)

            outcomes = two.race((approve(first), ONE), (approve(second), OTHER))

            assert [said for said, _ in outcomes if said != "done"] == [("insufficient_funds",)]
            assert balance(paying, "available") == rest
        assert balance(paying, "reserved") == times * AMOUNT

    def test_of_two_payouts_of_one_tranche_stays_within_it(self, pair: tuple[House, Racers], times: int) -> None:
        """R9, where the tranche is the limit: asked twice at once for all of it."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        for milestone in paying.money.milestones[:times]:
            first, second = paying.request(milestone=milestone), paying.request(milestone=milestone)

            outcomes = two.race((first, MAKER), (second, MAKER))

            assert [said for said, _ in outcomes if said != "done"] == [("milestone_exceeded",)]

    def test_and_money_that_goes_back_never_spend_the_same_yuan(self, pair: tuple[House, Racers], times: int) -> None:
        """R10: there is money for one of both."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=1)
        reserved = 0
        for payout in paying.requested(times):
            pay_in(house, paying.fund_id, amount_minor=AMOUNT)
            what: dict[str, Any] = {"amount_minor": -AMOUNT, "received_on": house.today, "note": "back"}
            back = Contribute(command_id=key(), fund_id=paying.fund_id, **what)

            (said, _), (went, _) = two.race((approve(payout), ONE), (back, Role.ACCOUNTANT))

            assert sorted((said, went), key=str) == sorted(("done", ("insufficient_funds",)), key=str)
            reserved += AMOUNT * (said == "done")
            assert (balance(paying, "available"), balance(paying, "reserved")) == (1, reserved)

    def test_and_hold_agree_on_an_order(self, pair: tuple[House, Racers], times: int) -> None:
        """R10."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        until, approved = house.today + timedelta(days=30), 0
        for payout in paying.requested(times):
            hold = HoldFund(command_id=key(), fund_id=paying.fund_id, code="audit", reason="looked at", until_on=until)

            (said, _), (held, _) = two.race((approve(payout), ONE), (hold, OTHER))

            assert held == "done"
            assert said in ("done", ("fund_on_hold",))
            approved += said == "done"
            for by in (Role.ACCOUNTANT, OTHER):
                house.do(ResumeFund(command_id=key(), fund_id=paying.fund_id, reason="all well"), by=by)
        assert balance(paying, "reserved") == approved * AMOUNT


class TestFirstFunds:
    def test_of_a_currency_opened_at_once_share_its_accounts(self, pair: tuple[House, Racers]) -> None:
        """Each brings the two shared accounts; who comes second begins anew and finds those of the first."""
        house, two = pair
        used = {row.currency for row in house.rows("SELECT DISTINCT currency FROM v_account")}
        new = sorted(set(CURRENCY_DECIMALS) - used)
        for currency in new:
            outcomes = two.race(*((new_fund(house, currency=currency), by) for by in (Role.SPONSOR, Role.ADMIN)))

            assert done(outcomes) == 2, outcomes
        shared = house.one("SELECT COUNT(*) FROM v_account WHERE fund_id IS NULL")
        assert shared == 2 * (len(new) + len(used))

    def test_of_one_account_at_once_are_one(self, pair: tuple[House, Racers]) -> None:
        """Who comes second begins anew, and is told whose account it is."""
        house, two = pair
        for number in range(10):
            account = f"7777{number}"

            outcomes = two.race(*((new_fund(house, debtor_account=account), by) for by in (Role.SPONSOR, Role.ADMIN)))

            assert sorted((said for said, _ in outcomes), key=str) == sorted(
                ("done", ("debtor_account_taken",)), key=str
            )


def _teller(folder: Path, lease: timedelta = timedelta(seconds=60)) -> Teller:
    return Teller(bank=DropFolders(folder / "out", folder / "in"), holder="any", takes="keep", lease=lease)


def payment_run(folder: Path, house: House) -> Run:
    """Run the payment run in a process of its own."""
    return disburse(house.engine, _teller(folder), house.stamp())


@pytest.mark.parametrize("times", TIMES)
class TestPaymentRun:
    def test_and_cancelling_end_in_one_of_both(self, pair: tuple[House, Racers], times: int, tmp_path: Path) -> None:
        """R11: what was cancelled is in no file."""
        house, two = pair
        paying = a_paying_fund(house, tranches=times, paid_in=PAID_IN)
        bank = Bank(account=ACCOUNT, opening=PAID_IN)
        for place in range(times):
            (payout,) = paying.approved()
            folder = tmp_path / str(place)
            cancel = Cancel(command_id=key(), payout_id=payout, reason="not needed")

            _, (cancelled, _) = two.race_works(partial(payment_run, folder), (cancel, MAKER))

            assert cancelled in ("done", ("cancel_not_possible_when_instructed",))
            orders = bank.copy_folder(folder / "out")
            assert len(orders) == (0 if cancelled == "done" else 1)
            assert state(house, payout) == ("cancelled" if cancelled == "done" else "instructed")
        assert balance(paying, "reserved") == len(bank.orders) * AMOUNT

    def test_twice_at_once_hands_each_payment_over_once(
        self, pair: tuple[House, Racers], times: int, tmp_path: Path
    ) -> None:
        """R12."""
        house, two = pair
        paying = a_paying_fund(house, tranches=2 * times, paid_in=PAID_IN)
        bank = Bank(account=ACCOUNT, opening=PAID_IN)
        for _ in range(times):
            paying.approved(2)

            runs: list[Run] = two.race_works(partial(payment_run, tmp_path), partial(payment_run, tmp_path))

            assert [run.failed for run in runs] == [[], []]
            assert sum(len(run.sent) for run in runs) == 1
            assert len(bank.copy_folder(tmp_path / "out")) == 2
        assert set(bank.accepted.values()) == {1}
        assert house.one("SELECT COUNT(*) FROM v_batch WHERE state = 'sent'") == times
        assert house.one("SELECT COUNT(*) FROM v_instruction") == 2 * times

    def test_and_recovery_hand_each_payment_over_once(
        self, pair: tuple[House, Racers], times: int, tmp_path: Path
    ) -> None:
        """R14: a run died with its batch prepared; recovery and the next run meet over it."""
        house, two = pair
        paying = a_paying_fund(house, tranches=2 * times, paid_in=PAID_IN)
        bank = Bank(account=ACCOUNT, opening=PAID_IN)
        for _ in range(times):
            paying.approved()
            asleep = replace(_teller(tmp_path, timedelta(0)), bank=Sleeping(tmp_path, _died))
            with pytest.raises(InterruptedError):
                disburse(house.engine, asleep, house.stamp())
            paying.approved()

            run, finished = two.race_works(partial(payment_run, tmp_path), partial(recovered, tmp_path))

            assert (run.failed, finished.failed) == ([], [])
            assert len(run.sent) + len(finished.moved) == 2
            assert len(bank.copy_folder(tmp_path / "out")) == 2
        assert set(bank.accepted.values()) == {1}
        assert {row.state for row in house.rows("SELECT state FROM v_batch")} == {"sent"}


def _died() -> None:
    raise InterruptedError


def recovered(folder: Path, house: House) -> Finished:
    """Recover in a process of its own."""
    teller = _teller(folder)
    return finish(house.engine, teller, teller.bank, house.stamp())  # type: ignore[arg-type]


class Sleeping(DropFolders):
    """A channel that falls asleep just before it hands over; meanwhile somebody else does what they do."""

    def __init__(self, folder: Path, meanwhile: Any) -> None:
        super().__init__(folder / "out", folder / "in")
        self._meanwhile = meanwhile

    def put(self, name: str, data: bytes) -> PutResult:
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return super().put(name, data)


class TestFrozenWorker:
    def test_wakes_after_its_lease_and_writes_nothing(self, each_house: House, tmp_path: Path) -> None:
        """R13: the fence of its claim is no longer the batch's."""
        house = each_house
        a_paying_fund(house, tranches=1, paid_in=PAID_IN).approved()
        short = timedelta(0)

        def second() -> None:
            assert len(deliver_again().sent) == 1

        def deliver_again() -> Run:
            run = Run()
            deliver(house.engine, _teller(tmp_path, short), house.stamp(), run)
            return run

        sleeper = replace(_teller(tmp_path, short), bank=Sleeping(tmp_path, second))
        bank = Bank(account=ACCOUNT, opening=PAID_IN)
        woken = disburse(house.engine, sleeper, house.stamp())

        (batch,) = house.rows("SELECT id, state, version FROM v_batch")
        assert woken.sent == []
        assert [why for _, why in woken.failed] == ["send_not_possible_when_sent"]
        assert (batch.state, batch.version) == ("sent", 2)
        assert len(bank.copy_folder(tmp_path / "out")) == 1
        assert_sound(house.engine, house)

    def test_that_wakes_while_the_second_hands_over_is_refused_by_its_fence(
        self, each_house: House, tmp_path: Path
    ) -> None:
        """R13: the second one has claimed and died."""
        house, short = each_house, timedelta(0)
        a_paying_fund(house, tranches=1, paid_in=PAID_IN).approved()

        def second_claims_and_dies() -> None:
            asleep = replace(_teller(tmp_path, short), bank=Sleeping(tmp_path, _died))
            with pytest.raises(InterruptedError):
                deliver(house.engine, asleep, house.stamp(), Run())

        sleeper = replace(_teller(tmp_path, short), bank=Sleeping(tmp_path, second_claims_and_dies))
        woken = disburse(house.engine, sleeper, house.stamp())

        assert [why for _, why in woken.failed] == ["fence_lost"]
        assert house.one("SELECT state FROM v_batch") == "prepared"
        assert len(disburse(house.engine, _teller(tmp_path, short), house.stamp()).sent) == 1
        assert len(Bank(account=ACCOUNT, opening=PAID_IN).copy_folder(tmp_path / "out")) == 1
        assert_sound(house.engine, house)

    def test_leaves_alone_what_another_one_has_sent_and_the_bank_has_taken(
        self, each_house: House, tmp_path: Path
    ) -> None:
        """R12: the second batch of its list is gone when it comes to it, and that is no reason for doubt."""
        house = each_house
        for account in (ACCOUNT, f"{ACCOUNT}1"):
            a_paying_fund(house, tranches=1, paid_in=PAID_IN, account=account).approved()
        bank = Bank(account=ACCOUNT, opening=PAID_IN)

        def another_one() -> None:
            deliver(house.engine, replace(_teller(tmp_path), takes="move"), house.stamp(), Run())
            bank.empty_folder(tmp_path / "out")

        def prepare(session: Session) -> None:
            for fund in due_payouts(session):
                next_chunk(session, Lane(fund_id=fund, run_id=None), {}.get, house.stamp(), waits=True)

        run_in_transaction(house.engine, prepare)
        slow = replace(_teller(tmp_path), bank=Sleeping(tmp_path, another_one), takes="move")
        run = Run()
        deliver(house.engine, slow, house.stamp(), run)

        assert (run.unknown, run.failed, len(run.sent)) == ([], [], 1)
        bank.empty_folder(tmp_path / "out")
        assert list(bank.accepted.values()) == [1, 1]
        assert {row.state for row in house.rows("SELECT state FROM v_batch")} == {"sent"}
        assert_sound(house.engine, house)


@dataclass(frozen=True)
class Answer:
    """A file of the bank, in the memory of another process."""

    path: Path

    def _open(self) -> BinaryIO:
        return self.path.open("rb")

    def __call__(self, house: House) -> Taken:
        return take_file(house.engine, self.path.name, self._open, house.stamp())


@pytest.mark.parametrize("times", TIMES)
class TestAnswers:
    @pytest.fixture
    def sent(self, pair: tuple[House, Racers], times: int, tmp_path: Path) -> tuple[Paying, Bank, list[Order]]:
        """Give payments that the bank has accepted."""
        paying = a_paying_fund(pair[0], tranches=times, paid_in=PAID_IN)
        paying.approved(times)
        payment_run(tmp_path, pair[0])
        bank = Bank(account=ACCOUNT, opening=PAID_IN)
        return paying, bank, bank.copy_folder(tmp_path / "out")

    def test_by_two_channels_settle_once(
        self, pair: tuple[House, Racers], sent: tuple[Paying, Bank, list[Order]], times: int, tmp_path: Path
    ) -> None:
        """R15."""
        (house, two), (paying, bank, orders) = pair, sent
        for place, order in enumerate(orders, start=1):
            booking = bank.pay(order)
            notice, table = Answer(tmp_path / f"{place}.xml"), Answer(tmp_path / f"{place}.csv")
            notice.path.write_bytes(bank.notice([booking]))
            table.path.write_bytes(bank.table([booking]))

            found: list[Taken] = two.race_works(notice, table)

            assert [one.status for one in found] == ["imported", "imported"]
            assert (balance(paying, "paid"), balance(paying, "reserved")) == (place * AMOUNT, (times - place) * AMOUNT)
        assert house.one("SELECT COUNT(*) FROM v_bank_event WHERE effect = 'applied'") == times
        assert house.one("SELECT COUNT(*) FROM v_bank_event WHERE effect = 'duplicate'") == times
        assert house.rows("SELECT 1 FROM v_exception") == []

    def test_settlement_and_return_come_to_the_same_in_every_order(
        self, pair: tuple[House, Racers], sent: tuple[Paying, Bank, list[Order]], times: int, tmp_path: Path
    ) -> None:
        """R16."""
        (house, two), (paying, bank, orders) = pair, sent
        for place, order in enumerate(orders, start=1):
            paid, returned = Answer(tmp_path / f"{place}.xml"), Answer(tmp_path / f"{place}.csv")
            paid.path.write_bytes(bank.notice([bank.pay(order)]))
            returned.path.write_bytes(bank.table([bank.send_back(order)]))

            found: list[Taken] = two.race_works(paid, returned)

            assert [one.status for one in found] == ["imported", "imported"]
            assert (balance(paying, "paid"), balance(paying, "reserved")) == (0, (times - place) * AMOUNT)
        assert {row.state for row in house.rows("SELECT state FROM v_payout")} == {"returned"}
        assert bank.balance == balance(paying, "available")
        assert house.rows("SELECT 1 FROM v_exception") == []

    def test_one_file_taken_twice_at_once_counts_once(
        self, pair: tuple[House, Racers], sent: tuple[Paying, Bank, list[Order]], times: int, tmp_path: Path
    ) -> None:
        """R17."""
        (house, two), (paying, bank, orders) = pair, sent
        for place, order in enumerate(orders, start=1):
            bank.pay(order)
            bank.book_unknown(500)
            answer = Answer(tmp_path / f"{place}.xml")
            answer.path.write_bytes(bank.statement(first=len(bank.book) - 2))

            found: list[Taken] = two.race_works(answer, answer)

            assert sorted(one.status for one in found) == ["duplicate", "imported"]
            assert balance(paying, "paid") == place * AMOUNT
        assert house.one("SELECT COUNT(*) FROM v_statement") == times
        assert house.one("SELECT COUNT(*) FROM v_exception WHERE kind = 'unmatched'") == times
        assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == times * 500
