"""What each verb does in each state, asked of real payouts and batches: the two whole tables, with nothing left open.

A state stands for "goes there", `-` for "not possible in this state", `kept` for a word that moves no state, a code for
what is still asked for before.
"""

from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID

import pytest

from lifecycle import engine as melody
from lifecycle.commands import Command
from lifecycle.payouts.batches import Abandon, Acknowledge, Doubt, Find, Send, Settle
from lifecycle.payouts.commands import Amend, Approve, Cancel, Certify, Instruct, Reapprove, Reject, Release, SendBack
from lifecycle.payouts.taking_back import TakeBack
from models.db import transaction
from models.ids import new_id
from models.states import PaymentBatchState, PayoutState, Role
from tests import payments as pay
from tests.factories import House, key

Made = Callable[[House, UUID], Command]
PAYOUT_VERBS: dict[str, tuple[str, Made]] = {
    "certify": (Role.CERTIFIER, lambda _, one: Certify(command_id=key(), payout_id=one, amount_minor=pay.AMOUNT)),
    "approve": (Role.FUND_MANAGER, lambda _, one: Approve(command_id=key(), payout_id=one, amount_minor=pay.AMOUNT)),
    "reapprove": (
        Role.FUND_MANAGER,
        lambda _, one: Reapprove(command_id=key(), payout_id=one, amount_minor=pay.AMOUNT),
    ),
    "release": (Role.PAYER, lambda _, one: Release(command_id=key(), payout_id=one)),
    "amend": (Role.FINANCE_OFFICER, lambda _, one: Amend(command_id=key(), payout_id=one, reason="why")),
    "send_back": (Role.FUND_MANAGER, lambda _, one: SendBack(command_id=key(), payout_id=one, reason="why")),
    "reject": (Role.FUND_MANAGER, lambda _, one: Reject(command_id=key(), payout_id=one, reason="why")),
    "cancel": (Role.FINANCE_OFFICER, lambda _, one: Cancel(command_id=key(), payout_id=one, reason="why")),
    "instruct": ("clock", lambda _, one: Instruct(command_id=key(), payout_id=one, batch_id=new_id())),
}
PAYOUTS = """
            certify approve  reapprove release amend     send_back reject   cancel    instruct
requested   kept    approved -         -       requested requested rejected cancelled -
approved    -       -        -         kept    requested -         -        cancelled instructed
instructed  -       -        -         -       -         -         -        -         -
paid        -       -        -         -       -         -         -        -         -
returned    kept    -        approved  -       requested -         -        cancelled -
rejected    -       -        -         -       -         -         -        -         -
cancelled   -       -        -         -       -         -         -        -         -
"""
FACTS = """
            settle return reject
instructed  paid   returned returned
paid        paid   returned paid
returned    returned returned returned
"""
"""What the bank says of a payout on its way or later; it is never refused, and what contradicts is a case."""

BATCH_VERBS: dict[str, tuple[str, Made]] = {
    "send": ("clock", lambda _, one: Send(command_id=key(), batch_id=one, fence=0)),
    "doubt": ("clock", lambda _, one: Doubt(command_id=key(), batch_id=one, why="no answer")),
    "find": ("clock", lambda _, one: Find(command_id=key(), batch_id=one, why="it lies there")),
    "acknowledge": ("clock", lambda _, one: Acknowledge(command_id=key(), batch_id=one)),
    "settle": ("clock", lambda _, one: Settle(command_id=key(), batch_id=one)),
    "take_back": ("clock", lambda _, one: TakeBack(command_id=key(), batch_id=one, fence=0)),
    "abandon": (
        Role.FUND_MANAGER,
        lambda _, one: Abandon(command_id=key(), batch_id=one, reason="why", exception_id=new_id()),
    ),
}
BATCHES = """
             send  doubt    find  acknowledge   settle             take_back           abandon
prepared     sent  unknown  -     -             -                  batch_may_leave     two_people_missing
sent         -     unknown  -     acknowledged  bank_word_missing  -                   -
unknown      -     -        sent  acknowledged  bank_word_missing  -                   two_people_missing
acknowledged -     -        -     -             bank_word_missing  -                   -
settled      -     -        -     -             -                  -                   -
abandoned    -     -        -     -             -                  -                   -
"""


class _Undone(Exception):
    """What was tried is to be forgotten."""


def asked(house: House, verb: str, state: str, command: Command, by: str) -> str:
    """Try a command, take it back, and return what it did in the words of the tables."""
    with pytest.raises(_Undone), transaction(house.engine) as session:
        (answer,) = melody.execute(session, [command], stamp=house.stamp(by))
        raise _Undone
    if answer.error is None:
        found = str(answer.document["state"])
        return "kept" if answer.document["transition_seq"] is None else found
    codes = answer.error.codes
    return "-" if f"{verb}_not_possible_when_{state}" in codes else " ".join(codes)


def tables(text: str, verbs: Mapping[str, tuple[str, Made]]) -> dict[str, dict[str, str]]:
    head, *rows = (line.split() for line in text.strip().splitlines())
    assert set(head) == set(verbs)
    return {state: dict(zip(head, cells, strict=True)) for state, *cells in rows}


@pytest.mark.parametrize("state", PayoutState)
def test_a_payout(house: House, state: PayoutState) -> None:
    (one,) = pay.payouts(house, state=state)
    found = {verb: asked(house, verb, state, made(house, one), by=by) for verb, (by, made) in PAYOUT_VERBS.items()}
    assert found == tables(PAYOUTS, PAYOUT_VERBS)[state]


@pytest.mark.parametrize("state", PaymentBatchState)
def test_a_batch(house: House, state: PaymentBatchState) -> None:
    (one,) = pay.batches(house, state=state)
    found = {verb: asked(house, verb, state, made(house, one), by=by) for verb, (by, made) in BATCH_VERBS.items()}
    assert found == tables(BATCHES, BATCH_VERBS)[state]


@pytest.mark.parametrize("state", ["instructed", "paid", "returned"])
def test_the_banks_word_on_a_payout(house: House, state: str) -> None:
    (one,) = pay.payouts(house, state=state)
    words: dict[str, tuple[str, Made]] = {
        kind: ("clock", partial(pay.word, kind=kind)) for kind in ("settle", "return", "reject")
    }
    found = {}
    for kind, (by, made) in words.items():
        answer = asked(house, kind, state, made(house, one), by=by)
        found[kind] = state if answer == "kept" else answer
    assert found == tables(FACTS, words)[state]
