"""Money: one approval, a payment run, the bank's statement, and the invariants, each against bare SQL."""

import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from io import BytesIO
from statistics import median
from typing import Any
from xml.etree import ElementTree as ET

from sqlalchemy import Engine, insert

from benchmarks.stage import Place, captured, places, replay, server, timed
from benchmarks.table import Result
from flows.bank_channel import BankInMemory
from flows.disbursement import Teller, disburse
from flows.reconciliation import take_file
from lifecycle import engine as melody
from lifecycle.commands import Command
from lifecycle.invariants.check import all_checks, check, chosen
from lifecycle.invariants.money import KEPT_BALANCES, MONEY
from models.db import reading, run_in_transaction, transaction
from models.ids import new_id
from models.ledger import Posting
from models.reading import table_of
from models.states import AccountKind, LineStatus, PostingKind, Role
from tests.factories import House, a_house
from tests.money import AMOUNT
from tests.paying import ACCOUNT, Paying, a_paying_fund, approve
from tests.witness.bank import Bank

ONE_BY_ONE, RUNS = 20, 5
AT_ONCE, LINES, POSTINGS = (10_000, 100_000, 1_000_000) if "--whole" in sys.argv else (2_000, 5_000, 100_000)
"""Payouts of a run, lines of a statement, postings of a ledger: a part, so that `make bench` ends within minutes."""
ENOUGH = 10**9


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    house = a_house(place.engine)
    paying = a_paying_fund(house, tranches=(RUNS + 1) * ONE_BY_ONE + AT_ONCE, paid_in=ENOUGH)
    yield _one_approval(place, paying)
    bank = BankInMemory()
    yield _payment_run(place, paying, bank)
    yield _statement(place, paying, bank)
    yield _checked(place, paying)


def _given(house: House, commands: list[Command], by: str) -> None:
    stamp = house.stamp(by)
    run_in_transaction(house.engine, lambda session: melody.execute_all_or_none(session, commands, stamp=stamp))


def _one_approval(place: Place, paying: Paying) -> Result:
    """Approve payouts one by one, each followed by the same statements from the driver on a copy."""
    payouts = paying.requested((RUNS + 1) * ONE_BY_ONE)
    ours, bare = [], []
    with closing(place.driver(place.copy())) as connection:
        for start in range(0, len(payouts), ONE_BY_ONE):
            mine, again = [], []
            for payout in payouts[start : start + ONE_BY_ONE]:
                with captured(place.engine) as kept:
                    mine.append(timed(partial(_given, paying.house, [approve(payout)], Role.FUND_MANAGER)))
                again.append(timed(partial(replay, connection, kept)))
            ours.append(median(mine))
            bare.append(median(again))
    figure = f"{1 / median(ours[1:]):,.0f}/s, bare {1 / median(bare[1:]):,.0f}/s"
    ratios = tuple(one / other for one, other in zip(bare[1:], ours[1:], strict=True))
    return Result(mark="–", work=f"one approval that reserves the money, {place.kind}", figure=figure, ratios=ratios)


def _payment_run(place: Place, paying: Paying, bank: BankInMemory) -> Result:
    """Run the payment run over many approved payouts, then send its statements again by the driver."""
    house = paying.house
    payouts = paying.requested(AT_ONCE)
    _given(house, [approve(payout) for payout in payouts], Role.FUND_MANAGER)
    waiting = AT_ONCE + (RUNS + 1) * ONE_BY_ONE
    with closing(place.driver(place.copy())) as connection:
        with captured(place.engine) as kept:
            whole = timed(partial(disburse, place.engine, Teller(bank=bank, holder="bench"), house.stamp()))
        bare = timed(partial(replay, connection, [one for one in kept if not _only_reads(one)]))
    figure = f"{waiting / whole:,.0f} payouts/s in {len(bank.out)} files, bare {waiting / bare:,.0f}/s"
    work = f"{waiting:,} approved payouts to batches, files and `sent`, {place.kind}"
    return Result(mark="–", work=work, figure=figure, ratios=(bare / whole,))


def _statement(place: Place, paying: Paying, channel: BankInMemory) -> Result:
    """Take a statement that books every payment and many fees; bare is `iterparse` and its statements by the driver."""
    bank = Bank(account=ACCOUNT, opening=ENOUGH)
    for order in bank.empty(dict(channel.out)):
        bank.pay(order)
    while len(bank.book) < LINES:
        bank.charge(1)
    data = bank.statement()
    with closing(place.driver(place.copy())) as connection:
        with captured(place.engine) as kept:
            whole = timed(partial(_taken, paying.house, data))
        parsed = timed(partial(_parsed, data))
        bare = parsed + timed(partial(replay, connection, [one for one in kept if not _only_reads(one)]))
    figure = f"{LINES / whole:,.0f} entries/s, bare {LINES / bare:,.0f}/s"
    work = f"a statement of {LINES:,} entries read, matched and posted, {place.kind}"
    return Result(mark="–", work=work, figure=figure, ratios=(bare / whole,))


def _parsed(data: bytes) -> None:
    for _, element in ET.iterparse(BytesIO(data)):  # noqa: S314 - our own file
        element.clear()


def _taken(house: House, data: bytes) -> None:
    taken = take_file(house.engine, "statement.xml", lambda: BytesIO(data), house.stamp())
    if taken.counts != {LineStatus.MATCHED: LINES}:
        raise RuntimeError(taken.document())


def _only_reads(kept: tuple[str, Any, bool] | None) -> bool:
    """Say whether this opens a transaction for reading: on SQLite it would keep the driver from writing after it."""
    return kept is not None and (kept[0] == "BEGIN" or kept[0].startswith("PRAGMA query_only"))


def _checked(place: Place, paying: Paying) -> Result:
    """Ask every money invariant over many postings; bare is one sum over the same rows."""
    _many_postings(place.engine, paying)
    checks = chosen(all_checks(), [one.id for one in MONEY])
    ours, bare = [], []
    with closing(place.driver(place.copy())) as connection:
        for _ in range(3):
            ours.append(timed(partial(_sound, place.engine, paying.house, checks)))
            bare.append(timed(partial(_summed, connection)))
    figure = f"{POSTINGS / median(ours):,.0f} postings/s, bare sums {POSTINGS / median(bare):,.0f}/s"
    ratios = tuple(one / other for one, other in zip(bare, ours, strict=True))
    work = f"all money invariants over {POSTINGS:,} postings, against summing them by account, {place.kind}"
    return Result(mark="–", work=work, figure=figure, ratios=ratios)


def _sound(engine: Engine, house: House, checks: Any) -> None:
    with reading(engine) as session:
        report = check(session, checks, now=house.now)
    if not report.is_ok:
        raise RuntimeError([one.id for one in report.results if not one.is_ok])


def _summed(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(KEPT_BALANCES.sql[0])
    if cursor.fetchall():
        raise RuntimeError(KEPT_BALANCES.id)


def _many_postings(engine: Engine, paying: Paying) -> None:
    """Write entries past the engine, to and fro so that every balance stays."""
    source, target = (paying.money.accounts[kind].id for kind in (AccountKind.AVAILABLE, AccountKind.RESERVED))
    with transaction(engine) as session:
        for start in range(0, POSTINGS, 10_000):
            rows = []
            for place in range(start, start + 10_000, 2):
                kind, sign = (PostingKind.RESERVE, 1) if place % 4 == 0 else (PostingKind.VOID, -1)
                common = {
                    "entry_id": new_id(),
                    "currency": "CNY",
                    "kind": kind,
                    "at": paying.house.now,
                    "command_id": "b",
                }
                rows += [
                    {**common, "account_id": source, "amount_minor": -sign * AMOUNT},
                    {**common, "account_id": target, "amount_minor": sign * AMOUNT},
                ]
            session.connection().execute(insert(table_of(Posting)), rows)
