"""Rows that only grow, and the balances they move: all of an act or nothing of it, numbered in the order of commits."""

import threading
from typing import Any
from uuid import UUID

import pytest

from lifecycle.audit.verify import verify
from lifecycle.errors import Refused
from models.db import reading, transaction
from models.states import AccountKind, PostingKind
from tests.digest import changed, digest
from tests.factories import House
from tests.money import (
    Money,
    a_fund,
    an_agreement,
    bank_event,
    money_from_nowhere,
    money_in_every_state,
    write,
    write_in,
)

IN, OUT, RESERVE, VOID = PostingKind.FUND_IN, PostingKind.FUND_OUT, PostingKind.RESERVE, PostingKind.VOID


class TestAnEntry:
    def test_that_does_not_sum_to_zero_is_a_mistake_and_writes_nothing(self, each_house: House) -> None:
        money = a_fund(each_house)
        (one, (table, other)) = money.entry(RESERVE, 500)
        before = digest(each_house.engine)

        with pytest.raises(AssertionError, match="does not sum to zero"):
            write(each_house, money.fund_act(one, (table, {**other, "amount_minor": 499})))

        assert changed(before, digest(each_house.engine)) == set()

    def test_that_mixes_two_currencies_is_a_mistake(self, each_house: House) -> None:
        money = a_fund(each_house)
        (one, (table, other)) = money.entry(RESERVE, 500)

        with pytest.raises(AssertionError, match="does not sum to zero"):
            write(each_house, money.fund_act(one, (table, {**other, "currency": "USD"})))

    def test_beyond_the_floor_is_refused_and_writes_nothing(self, each_house: House) -> None:
        money = a_fund(each_house, paid_in=1_000)
        write(each_house, money.fund_act(*money.entry(RESERVE, 1_000)))
        before = digest(each_house.engine)

        with pytest.raises(Refused) as refused:
            write(each_house, money.fund_act(*money.entry(OUT, 1)))

        assert refused.value.codes == ("insufficient_funds",)
        assert changed(before, digest(each_house.engine)) == set()

    def test_that_is_covered_only_by_a_later_one_is_refused_too(self, each_house: House) -> None:
        """The floor holds after every posting, not only after the last of a batch (I03)."""
        money = a_fund(each_house, paid_in=1_000)
        reserve, more = money.entry(RESERVE, 1_500), money.entry(IN, 600)

        with pytest.raises(Refused):
            write(each_house, money.fund_act(*reserve, *more))
        write(each_house, money.fund_act(*more, *reserve))

        assert money.balance(AccountKind.AVAILABLE) == 100

    def test_may_take_what_is_shared_below_zero(self, each_house: House) -> None:
        assert a_fund(each_house, paid_in=1_000).balance(AccountKind.EXTERNAL) == -1_000


class TestKeptBalances:
    def test_are_the_sums_of_the_postings(self, each_house: House) -> None:
        money_in_every_state(each_house)
        write(each_house, (money := a_fund(each_house, code="F2")).fund_act(*money.entry(OUT, 300)))

        sums = dict(each_house.rows("SELECT account_id, SUM(amount_minor) FROM v_posting GROUP BY account_id"))
        kept = dict(each_house.rows("SELECT id, balance_minor FROM v_account"))
        assert len(sums) == 6
        assert {account: int(balance) for account, balance in kept.items() if balance or account in sums} == {
            account: int(balance) for account, balance in sums.items()
        }

    def test_of_what_goes_in_and_out_in_one_batch_do_not_move(self, each_house: House) -> None:
        money = a_fund(each_house, paid_in=1_000)
        write(each_house, money.fund_act(*money.entry(RESERVE, 400), *money.entry(VOID, 400)))
        assert (money.balance(AccountKind.AVAILABLE), money.balance(AccountKind.RESERVED)) == (1_000, 0)


class TestSealedRows:
    def test_of_one_act_share_its_bank_event(self, each_house: House) -> None:
        money = a_fund(each_house)
        money_from_nowhere(money)

        (event,) = each_house.rows("SELECT seq FROM v_bank_event")
        rows = each_house.rows("SELECT kind, bank_event_seq FROM v_posting ORDER BY seq")
        assert [tuple(row) for row in rows] == [
            ("fund_in", None),
            ("fund_in", None),
            ("suspense", event.seq),
            ("suspense", event.seq),
        ]

    def test_of_two_acts_follow_each_its_own_bank_event(self, each_house: House) -> None:
        money = a_fund(each_house)
        an_agreement(money)

        def said(amount: int) -> tuple[Any, ...]:
            told = bank_event("credit", amount_minor=amount, effect="suspense", content_hash=str(amount) * 64)
            return told, *money.entry(PostingKind.SUSPENSE, amount, is_of_bank_event=True)

        write(each_house, money.fund_act(*said(1), *said(2)))

        rows = each_house.rows(
            "SELECT p.amount_minor AS posted, e.amount_minor AS said FROM v_posting p"
            " JOIN v_bank_event e ON e.seq = p.bank_event_seq WHERE p.amount_minor > 0 ORDER BY p.seq"
        )
        assert [tuple(row) for row in rows] == [(1, 1), (2, 2)]

    def test_are_all_named_by_the_audit_trail(self, each_house: House) -> None:
        money_in_every_state(each_house)
        with reading(each_house.engine) as session:
            assert verify(session).problems == ()

    def test_lend_their_bank_event_to_nothing_else(self, each_house: House) -> None:
        """An entry that claims the bank event of its act, in an act without one, is a mistake of the program."""
        money = a_fund(each_house)
        with pytest.raises(AssertionError, match="no bank event"):
            write(each_house, money.fund_act(*money.entry(PostingKind.FEE, 5, is_of_bank_event=True)))


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgres"])
class TestTwoWriters:
    def test_of_two_funds_number_a_shared_account_in_the_order_of_their_commits(self, each_house: House) -> None:
        """The one that moved the shared account first holds it until its commit; the other draws its numbers after."""
        one, other = a_fund(each_house, code="F1"), a_fund(each_house, code="F2")
        acts = {fund.fund_id: [fund.fund_act(*fund.entry(IN, 10))] for fund in (one, other)}
        commits: list[UUID] = []
        first_has_written, second_is_asked = threading.Event(), threading.Event()

        def second() -> None:
            first_has_written.wait(30)
            with transaction(each_house.engine) as session:
                second_is_asked.set()
                write_in(session, each_house, *acts[other.fund_id])
            commits.append(other.fund_id)

        thread = threading.Thread(target=second)
        thread.start()
        with transaction(each_house.engine) as session:
            write_in(session, each_house, *acts[one.fund_id])
            first_has_written.set()
            second_is_asked.wait(30)
            until_somebody_waits(each_house)
            commits.append(one.fund_id)
        thread.join(30)

        assert commits == [one.fund_id, other.fund_id]
        assert shared_postings(each_house, one)[-2:] == commits

    def test_whose_entries_cancel_out_still_hold_the_account(self, each_house: House) -> None:
        """Nothing moves in the end, but rows are written: without the lock their numbers could come too late."""
        one = a_fund(each_house)
        with transaction(each_house.engine) as session:
            write_in(session, each_house, one.fund_act(*one.entry(IN, 10), *one.entry(OUT, 10)))
            assert is_locked(each_house, one.accounts[AccountKind.EXTERNAL].id)


def until_somebody_waits(house: House) -> None:
    """Wait until the other writer waits for a lock (a writer that did not would have ended by then)."""
    for _ in range(20_000):
        if house.one("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            return
    raise AssertionError("the second writer did not wait for the first")


def shared_postings(house: House, money: Money) -> list[UUID]:
    """Return whose postings on the shared account stand in which order of numbers."""
    rows = house.rows(
        "SELECT own.fund_id FROM v_posting p JOIN v_posting q ON q.entry_id = p.entry_id"
        " JOIN v_account own ON own.id = q.account_id AND own.fund_id IS NOT NULL"
        " WHERE p.account_id = :id ORDER BY p.seq",
        id=str(money.accounts[AccountKind.EXTERNAL].id),
    )
    return [UUID(row.fund_id) for row in rows]


def is_locked(house: House, account: UUID) -> bool:
    """Say whether somebody holds the row of this account."""
    free = house.rows("SELECT id FROM account WHERE id = :id FOR UPDATE SKIP LOCKED", id=account)
    return not free
