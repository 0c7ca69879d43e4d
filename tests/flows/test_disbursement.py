"""Money leaves once: killed at any point, the next run goes on, or says that nobody can know."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest

from flows.bank_channel import BankInMemory
from flows.claims import claim_batch, give_back
from flows.disbursement import Frozen, Run, Teller, deliver, disburse
from lifecycle.canonical import sha256_of_bytes
from lifecycle.disbursement.commands import Freeze
from lifecycle.funds.commands import HoldFund
from lifecycle.payouts.commands import Approve
from lifecycle.payouts.payees import RetireAccount
from lifecycle.projects.commands import Resume
from models.db import transaction
from models.ports import NotPut, PutResult
from models.states import Role
from tests import payments as pay
from tests.factories import House, key, put_on_hold
from tests.lifecycle.commands.payout_cases import withdraw_evidence
from tests.lifecycle.ending_recipes import stop


@pytest.fixture
def house(each_house: House) -> House:
    """Give the world on both databases."""
    return each_house


class Killed(Exception):
    """Stands for the end of the process."""


class DyingBank(BankInMemory):
    """The process ends as soon as the file lies there."""

    def put(self, name: str, data: bytes) -> PutResult:
        super().put(name, data)
        raise Killed


class MeanwhileBank(BankInMemory):
    """Somebody does something as soon as the first file lies there."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self.then = then

    def put(self, name: str, data: bytes) -> PutResult:
        put = super().put(name, data)
        if len(self.out) == 1:
            self.then()
        return put


def run(house: House, bank: BankInMemory, takes: Literal["keep", "move"] = "move", **more: Any) -> Run:
    """Run at once after whoever ran before: their lease is over."""
    return disburse(
        house.engine, Teller(bank=bank, holder="me", takes=takes, lease=timedelta(0), **more), house.stamp()
    )


def killed_after_put(house: House) -> BankInMemory:
    dying, bank = DyingBank(), BankInMemory()
    with pytest.raises(Killed):
        run(house, dying)
    bank.out = dying.out
    return bank


def states(house: House) -> tuple[str, str]:
    return house.one("SELECT state FROM v_payout"), house.one("SELECT state FROM v_batch")


class TestARun:
    def test_hands_over_what_is_approved_once(self, house: House) -> None:
        pay.payouts(house, 2, state="released")
        bank = BankInMemory()

        first, second = run(house, bank), run(house, bank)

        assert (len(first.sent), len(second.sent), len(bank.out)) == (2, 0, 2)
        hashes = {row.file_sha256 for row in house.rows("SELECT file_sha256 FROM v_batch")}
        assert {sha256_of_bytes(data) for data in bank.out.values()} == hashes
        assert house.rows("SELECT * FROM v_claim") == []

    def test_waits_for_the_answer_as_long_as_it_is_set(self, house: House) -> None:
        pay.payouts(house, state="released")

        run(house, BankInMemory(), answer_hours=48)

        due = house.one("SELECT answer_due_at FROM payment_batch")
        assert str(house.now + timedelta(hours=48))[:16] in str(due).replace("T", " ")

    def test_hands_no_more_over_once_all_is_frozen_between_two_files(self, house: House) -> None:
        pay.batches(house, 2)
        freeze = Freeze(command_id=key(), reason="why")
        bank = MeanwhileBank(lambda: house.do(freeze, by=Role.ACCOUNTANT))

        said = run(house, bank)

        assert (len(bank.out), len(said.sent), said.is_frozen) == (1, 1, True)
        assert [row.state for row in house.rows("SELECT state FROM v_batch ORDER BY number")] == ["sent", "prepared"]
        assert house.rows("SELECT * FROM v_claim") == []

    def test_keeps_the_file_of_a_fund_that_is_held_between_two_files(self, house: House) -> None:
        pay.batches(house, 2)
        (_, second) = house.rows("SELECT id, fund_id FROM payment_batch ORDER BY number")
        hold = HoldFund(
            command_id=key(), fund_id=UUID(str(second.fund_id)), code="audit", reason="why", until_on=house.today
        )
        bank = MeanwhileBank(lambda: house.do(hold, by=Role.FUND_DIRECTOR))

        said = run(house, bank)

        assert (len(bank.out), said.waiting) == (1, [UUID(str(second.id))])
        assert [row.state for row in house.rows("SELECT state FROM v_batch ORDER BY number")] == ["sent", "prepared"]

    def test_prepares_and_hands_over_nothing_while_all_is_frozen(self, house: House) -> None:
        pay.batches(house)
        house.do(Freeze(command_id=key(), reason="why"), by=Role.ACCOUNTANT)
        bank = BankInMemory()

        assert run(house, bank) == Run(is_frozen=True)
        with pytest.raises(Frozen):
            deliver(house.engine, Teller(bank=bank, holder="me"), house.stamp(), Run())

        assert bank.out == {}

    def test_gives_back_what_changed_under_its_approval(self, house: House) -> None:
        (payout,) = pay.payouts(house, state="approved")
        withdraw_evidence(house)
        bank = BankInMemory()

        found = run(house, bank)

        ((_, codes),) = found.refused
        assert "payload_changed" in codes
        assert (bank.out, house.one("SELECT state FROM v_payout")) == ({}, "requested")
        assert house.one("SELECT sum(balance_minor) FROM v_account WHERE kind = 'reserved'") == 0
        assert run(house, bank).refused == []
        (refused,) = house.ask(
            Approve(command_id=key(), payout_id=payout, amount_minor=pay.AMOUNT), by=Role.FUND_MANAGER
        )
        assert [reason.code for reason in refused.unmet] == ["evidence_not_current"]

    def test_leaves_a_batch_to_who_works_on_it(self, house: House) -> None:
        (batch,) = pay.batches(house)
        with transaction(house.engine) as session:
            assert claim_batch(session, batch, "somebody") == 1
        bank = BankInMemory()

        found = run(house, bank)

        assert (found.waiting, bank.out) == ([batch], {})

    def test_claims_no_batch_that_was_sent_meanwhile(self, house: House) -> None:
        """Else a second run finds the file taken by the bank, and doubts what is well."""
        (batch,) = pay.batches(house, state="sent")

        with transaction(house.engine) as session:
            assert claim_batch(session, batch, "late") is None


class TestAfterACrashBetweenPutAndRecord:
    @pytest.mark.parametrize("takes", ["keep", "move"])
    def test_what_still_lies_there_is_sent(self, house: House, takes: Any) -> None:
        pay.payouts(house, state="released")
        bank = killed_after_put(house)
        assert states(house) == ("instructed", "prepared")

        found = run(house, bank, takes)

        assert (found.found, len(bank.out), states(house)) == (found.sent, 1, ("instructed", "sent"))

    def test_what_the_bank_has_taken_away_is_unknown_and_stays_reserved(self, house: House) -> None:
        pay.payouts(house, state="released")
        bank = killed_after_put(house)
        bank.out.clear()

        found = run(house, bank)

        assert (len(found.unknown), bank.out, states(house)) == (1, {}, ("instructed", "unknown"))
        assert house.one("SELECT kind FROM v_exception") == "no_answer"
        assert house.one("SELECT sum(balance_minor) FROM v_account WHERE kind = 'reserved'") == pay.AMOUNT
        assert run(house, bank).sent == []

    def test_what_is_gone_where_the_bank_only_copies_was_never_put(self, house: House) -> None:
        pay.payouts(house, state="released")
        bank = killed_after_put(house)
        bank.out.clear()

        assert len(run(house, bank, "keep").sent) == 1
        assert len(bank.out) == 1


class TestAnotherFileOfTheName:
    def test_makes_the_batch_unknown(self, house: House) -> None:
        pay.batches(house)
        bank = BankInMemory()
        bank.out[house.one("SELECT file_name FROM v_batch")] = b"other"

        found = run(house, bank)

        assert (len(found.unknown), states(house)[1]) == (1, "unknown")


def retire(house: House) -> None:
    house.do(
        RetireAccount(command_id=key(), payee_account_id=pay.payee(house), reason="a forged letter"), by=Role.ACCOUNTANT
    )


def pause(house: House) -> None:
    project = UUID(house.one("SELECT project_id FROM v_payout"))
    put_on_hold(house, project, code="partner")


def end(house: House) -> None:
    stop(house, UUID(house.one("SELECT id FROM v_agreement")))


class TestAPreparedPaymentThatMayNotLeaveAnyMore:
    @pytest.mark.parametrize(
        ("happens", "code", "becomes"),
        [
            (end, "project_ended", "cancelled"),
            (pause, "project_on_hold", "approved"),
            (retire, "payee_not_confirmed", "approved"),
        ],
    )
    def test_is_taken_back_before_anything_is_put(self, house: House, happens: Any, code: str, becomes: str) -> None:
        (batch,) = pay.batches(house)
        happens(house)
        bank = BankInMemory()

        ran = run(house, bank)

        assert (bank.out, ran.taken_back, ran.failed) == ({}, [batch], [])
        assert [codes for _, codes in ran.refused] == [(code,)]
        assert states(house) == (becomes, "abandoned")
        assert house.rows("SELECT * FROM v_claim") == []
        assert (run(house, bank).sent, bank.out) == ([], {})

    def test_leaves_once_what_kept_it_is_over(self, house: House) -> None:
        (batch,) = pay.batches(house)
        pause(house)
        bank = BankInMemory()
        run(house, bank)
        project = UUID(house.one("SELECT project_id FROM v_payout"))
        house.do(Resume(command_id=key(), project_id=project, reason="answered"), by=Role.COORDINATOR)

        ran = run(house, bank)

        assert (len(ran.sent), len(bank.out), batch in ran.sent) == (1, 1, False)

    @pytest.mark.parametrize("takes", ["keep", "move"])
    def test_is_for_two_people_once_somebody_began_to_hand_it_over(self, house: House, takes: Any) -> None:
        pay.payouts(house, state="released")
        killed_after_put(house)
        retire(house)
        bank = BankInMemory()

        ran = run(house, bank, takes)

        assert (bank.out, ran.taken_back, len(ran.unknown)) == ({}, [], 1)
        assert (states(house), house.one("SELECT kind FROM v_exception")) == (("instructed", "unknown"), "no_answer")

    def test_is_sent_where_its_file_had_left_before(self, house: House) -> None:
        pay.payouts(house, state="released")
        bank = killed_after_put(house)
        end(house)

        ran = run(house, bank)

        assert (len(ran.found), states(house)) == (1, ("instructed", "sent"))


class FullBank(BankInMemory):
    """Nothing can be written there until there is room again."""

    has_room = False

    def put(self, name: str, data: bytes) -> PutResult:
        if not self.has_room:
            raise NotPut("no space left")
        return super().put(name, data)


class TestAFileThatCouldNotBePut:
    def test_is_put_by_a_later_run_and_nobody_doubts(self, house: House) -> None:
        pay.payouts(house, state="released")
        bank = FullBank()
        for _ in range(2):
            ran = run(house, bank)
            assert [why for _, why in ran.failed] == ["no space left"]
            assert (states(house), house.one("SELECT fence FROM v_batch")) == (("instructed", "prepared"), 0)
        bank.has_room = True

        last = run(house, bank)

        assert (len(last.sent), last.unknown, len(bank.out)) == (1, [], 1)

    def test_takes_no_doubt_away_that_was_there_before(self, house: House) -> None:
        """Somebody began to hand it over and died; the bank may have taken what they put."""
        pay.payouts(house, state="released")
        killed_after_put(house)
        (batch,) = house.rows("SELECT id FROM v_batch")
        with transaction(house.engine) as session:
            fence = claim_batch(session, UUID(batch.id), "another", lease=timedelta(0))
        assert fence == 2
        with transaction(house.engine) as session:
            give_back(session, UUID(batch.id), fence)

        ran = run(house, BankInMemory())

        assert (ran.sent, len(ran.unknown)) == ([], 1)
