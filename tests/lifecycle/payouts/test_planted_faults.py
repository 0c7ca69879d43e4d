"""Mistakes planted into the house one by one: the second book, the bank or an invariant finds each of them (C5b)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import disbursement
from lifecycle.ledger import entries
from lifecycle.payouts import effects, outcomes, rules
from models.states import BankEventKind, PostingKind
from tests.factories import House
from tests.lifecycle.payouts.test_machine import SEARCH, on_sqlite, played

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

    def again(teller: Any, name: str, data: bytes, fence: int) -> str | None:
        teller.bank.put(f"again-{name}", data)
        return put(teller, name, data, fence)

    patch.setattr(disbursement, "_doubt", again)


PLANTED: tuple[Plant, ...] = (
    reserved_twice,
    money_not_freed,
    return_credited_twice,
    second_payment_overlooked,
    settled_whatever_the_amount,
    old_words_count,
    sent_without_a_word,
    one_file_under_two_names,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(
    plant: Plant, sqlite_house_template: tuple[Path, House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(Exception) as found:  # noqa: PT011 - whichever of the watchers it was
        played(*on_sqlite(sqlite_house_template, tmp_path), 200, 25, phases=SEARCH)
    assert "hypothesis" not in type(found.value).__module__, "the machine itself is at fault"
