"""Mistakes planted into the house one by one: the second book, the bank or an invariant finds each of them (C5b).

For each there is a short play that finds it; `make prove` finds them by chance too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import disbursement
from lifecycle.errors import LifecycleError
from lifecycle.ledger import entries
from lifecycle.payouts import effects, outcomes, register, rules
from models.states import BankEventKind, PostingKind, Role
from tests.factories import House
from tests.lifecycle.payouts.test_machine import SEARCH, Payments, machine_of, on_sqlite, played
from tests.money import AMOUNT

pytestmark = pytest.mark.slow
Plant = Callable[[pytest.MonkeyPatch], None]


def reserved_twice(patch: pytest.MonkeyPatch) -> None:
    entry = entries.entry

    def twice(kind: PostingKind, *args: Any, **named: Any) -> Any:
        return (*entry(kind, *args, **named), *(entry(kind, *args, **named) if kind == PostingKind.RESERVE else ()))

    patch.setattr(effects, "entry", twice)


def money_not_freed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(effects, "_freed", lambda facts, stamp: ())


def return_credited_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "_is_news", lambda known, said: True)


def second_payment_overlooked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outcomes, "_is_news", lambda known, said: not known.of(said.kind))


def settled_whatever_the_amount(patch: pytest.MonkeyPatch) -> None:
    settled = outcomes._settled

    def careless(known: Any, said: Any) -> Any:
        return settled(known, replace(said, amount_minor=known.amount_minor))

    patch.setitem(outcomes._BY_KIND, BankEventKind.SETTLE, careless)


def old_words_count(patch: pytest.MonkeyPatch) -> None:
    """An amendment keeps the hash of what was approved before."""
    asked = effects._asked

    def kept(facts: Any, payout_id: Any, revision: int) -> dict[str, Any]:
        found = asked(facts, payout_id, revision)
        return found | ({"payload_hash": facts.payout.payload_hash} if facts.payout is not None else {})

    patch.setattr(effects, "_asked", kept)
    patch.setattr(rules, "unchanged", lambda facts: ())


def sent_without_a_word(patch: pytest.MonkeyPatch) -> None:
    """A rejection frees the money but leaves the payout on its way."""
    rejected = outcomes._rejected
    patch.setitem(
        outcomes._BY_KIND,
        BankEventKind.REJECT,
        lambda known, said: replace(
            rejected(known, said), steps=tuple(replace(one, event=None) for one in rejected(known, said).steps)
        ),
    )


def one_file_under_two_names(patch: pytest.MonkeyPatch) -> None:
    """A batch handed over is forgotten: it is put again under another name."""
    put = disbursement._doubt

    def again(teller: Any, name: str, data: bytes, **more: Any) -> str | None:
        teller.bank.put(f"again-{name}", data)
        return put(teller, name, data, **more)

    patch.setattr(disbursement, "_doubt", again)


def money_of_investors_booked_again(patch: pytest.MonkeyPatch) -> None:
    """The bank's booking of it counts besides the entry that was made by hand."""
    patch.setattr(register, "_contributions", lambda session, lines, fund: {})


def sent_again_because_it_is_gone(patch: pytest.MonkeyPatch) -> None:
    """What does not lie there any more is taken for what never lay there."""
    doubt = disbursement._doubt
    patch.setattr(
        disbursement, "_doubt", lambda teller, name, data, **more: doubt(teller, name, data, may_be_gone=False)
    )


PLANTED: tuple[Plant, ...] = (
    reserved_twice,
    money_not_freed,
    return_credited_twice,
    second_payment_overlooked,
    settled_whatever_the_amount,
    old_words_count,
    sent_without_a_word,
    one_file_under_two_names,
    money_of_investors_booked_again,
    sent_again_because_it_is_gone,
)


def words_are_void_after_an_amendment(play: Payments) -> None:
    play.begin(needed=2, sent=0)
    play.request(0, AMOUNT, None)
    play.approve(0, Role.FUND_MANAGER, 0, None)
    play.amend(0, AMOUNT - 1, None)
    play.approve(0, Role.FUND_DIRECTOR, 0, None)


def what_is_cancelled_is_free_again(play: Payments) -> None:
    play.begin(needed=1, sent=0)
    play.request(0, AMOUNT, None)
    play.approve(0, Role.FUND_MANAGER, 0, None)
    play.cancel(0, None)


def each_payment_is_handed_over_once(play: Payments) -> None:
    play.begin(needed=1, sent=2)
    play.payment_run(None)


def the_bank_pays_twice_and_says_so_in_two_places(play: Payments) -> None:
    play.begin(needed=1, sent=1)
    play.bank_pays(0, 0)
    play.bank_pays(0, 0)
    play.bank_tells_of_some([0], is_table=True, death=None)
    play.bank_tells_of_some([1], is_table=False, death=None)
    play.bank_states_the_account(None)


def a_return_is_told_by_two_channels(play: Payments) -> None:
    play.begin(needed=1, sent=1)
    play.bank_pays(0, 0)
    play.bank_sends_back(0, 2)
    play.bank_tells_of_some([0, 1], is_table=True, death=None)
    play.bank_states_the_account(None)


def the_bank_pays_another_amount(play: Payments) -> None:
    play.begin(needed=1, sent=1)
    play.bank_pays(0, 1)
    play.bank_states_the_account(None)


def the_bank_refuses(play: Payments) -> None:
    play.begin(needed=1, sent=1)
    play.bank_reports(0, "RJCT", None)


def an_investor_pays_in_and_the_bank_says_so(play: Payments) -> None:
    play.begin(needed=1, sent=0)
    play.commit(0, 10_000, None)
    play.call(10_000, None)
    play.contribute(0, 7_001, comes_in=True, death=None)
    play.contribute(0, 2_500, comes_in=False, death=None)
    play.bank_states_the_account(None)


def a_run_dies_wherever_it_may_and_is_recovered(play: Payments) -> None:
    """Each time the bank has looked before, and taken away what lay there; what it has it then refuses."""
    play.begin(needed=1, sent=1, takes="move")
    play.had_time, statements_passed = False, 0
    while not play.had_time:
        payment = play.book.payments[0]
        if payment.state == "instructed" and play.not_at_the_bank():
            play.two_people_give_a_batch_up()
        elif payment.state == "instructed":
            play.bank_reports(len(play.bank.orders) - 1, "RJCT", None)
            play.approve(0, Role.FUND_MANAGER, 0, None)
        statements_passed += 1
        play.payment_run(statements_passed, "before the next", "recover")
        play.the_bank_has_what_was_sent_and_has_it_once()
    assert statements_passed > 40


PLAYS: tuple[Callable[[Payments], None], ...] = (
    words_are_void_after_an_amendment,
    what_is_cancelled_is_free_again,
    each_payment_is_handed_over_once,
    the_bank_pays_twice_and_says_so_in_two_places,
    a_return_is_told_by_two_channels,
    the_bank_pays_another_amount,
    the_bank_refuses,
    an_investor_pays_in_and_the_bank_says_so,
    a_run_dies_wherever_it_may_and_is_recovered,
)
FOUND_BY = dict(
    zip(
        PLANTED,
        (
            what_is_cancelled_is_free_again,
            what_is_cancelled_is_free_again,
            a_return_is_told_by_two_channels,
            the_bank_pays_twice_and_says_so_in_two_places,
            the_bank_pays_another_amount,
            words_are_void_after_an_amendment,
            the_bank_refuses,
            each_payment_is_handed_over_once,
            an_investor_pays_in_and_the_bank_says_so,
            a_run_dies_wherever_it_may_and_is_recovered,
        ),
        strict=True,
    )
)


@pytest.fixture
def machine(sqlite_house_template: tuple[Path, House], tmp_path: Path) -> Iterator[Payments]:
    one = machine_of(*on_sqlite(sqlite_house_template, tmp_path))()
    yield one
    one.teardown()


def watched(play: Callable[[Payments], None], machine: Payments) -> None:
    play(machine)
    machine.the_books_agree()
    machine.the_bank_has_what_was_sent_and_has_it_once()
    machine.the_position_is_that_of_the_second_book()
    machine.the_invariants_hold()


@pytest.mark.long
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_without_a_fault_the_books_agree(play: Callable[[Payments], None], machine: Payments) -> None:
    watched(play, machine)


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(plant: Plant, machine: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, LifecycleError, RuntimeError)):
        watched(FOUND_BY[plant], machine)


RARE = {sent_again_because_it_is_gone, money_not_freed}
"""The death must fall into the last dozen of ninety statements, or a payout be cancelled between its last approval and
the next run: the written plays try each of them."""


@pytest.mark.prove
@pytest.mark.parametrize("plant", [one for one in PLANTED if one not in RARE], ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_by_chance_too(
    plant: Plant, sqlite_house_template: tuple[Path, House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within 200 plays that nobody wrote."""
    plant(monkeypatch)
    with pytest.raises((AssertionError, LifecycleError, RuntimeError)):
        played(*on_sqlite(sqlite_house_template, tmp_path), 200, 25, phases=SEARCH)
