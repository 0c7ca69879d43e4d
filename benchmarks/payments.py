"""Money: one approval, a payment run, the bank's statement, and the invariants, each against bare SQL."""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from io import BytesIO
from statistics import median
from typing import Any
from xml.etree import ElementTree as ET

from sqlalchemy import Engine, text, update

from benchmarks.stage import Place, captured, places, replay, server, timed
from benchmarks.table import Result
from benchmarks.worlds import analysed
from flows.bank_channel import BankInMemory
from flows.disbursement import Teller, disburse
from flows.reconciliation import take_file
from lifecycle import engine as melody
from lifecycle.commands import Command
from lifecycle.invariants.check import all_checks, check, chosen
from lifecycle.invariants.money import MONEY
from lifecycle.people.commands import AddOrganisation
from models.db import reading, run_in_transaction, transaction
from models.payouts import PayeeAccount
from models.projects import Project
from models.reading import table_of
from models.states import LineStatus, OrganisationKind, Role
from tests.factories import House, a_house, ids_of, key
from tests.money import AMOUNT, an_agreement
from tests.paying import ACCOUNT, Paying, a_paying_fund, approve
from tests.witness.bank import Bank

ONE_BY_ONE, RUNS = 20, 5
FIRMS, LINES, POSTINGS = (100, 100_000, 1_000_000) if "--whole" in sys.argv else (10, 5_000, 100_000)
"""Payees of a run, lines of a statement, postings of a ledger: a part, so that `make bench` ends within minutes."""
EACH = 100
"""Payouts of a firm, asked for and approved in one transaction."""
AT_ONCE = FIRMS * EACH
ENOUGH = 10**9


def run() -> Iterator[Result]:
    """Measure on both databases."""
    with server() as address:
        for place in places(address):
            yield from _on(place)


def _on(place: Place) -> Iterator[Result]:
    house = a_house(place.engine)
    paying = a_paying_fund(house, tranches=(RUNS + 1) * ONE_BY_ONE, paid_in=ENOUGH)
    yield _one_approval(place, paying)
    bank = BankInMemory()
    yield _payment_run(place, paying, bank)
    yield _statement(place, paying, bank)
    yield _checked(place, paying)


def _given(house: House, commands: list[Command], by: str) -> None:
    stamp = house.stamp(by)
    run_in_transaction(house.engine, lambda session: melody.execute_all_or_none(session, commands, stamp=stamp))


def approved(paying: Paying, firms: int) -> None:
    """Have many firms ask for money and get it approved; a firm of its own is put under each project past the engine.

    What one payee got within a month chooses the tier of the next payment, so a fund with one payee says nothing.
    """
    house = paying.house
    for _ in range(firms):
        add = AddOrganisation(command_id=key(), name=f"firm {key()}", kind=OrganisationKind.SME)
        (firm,) = ids_of(house.do(add))
        money = replace(paying.money, milestones=[])
        an_agreement(money, tranches=EACH)
        payouts = Paying(house, money).requested(EACH)
        with transaction(house.engine) as session:
            for table, owned in ((Project, money.project_id), (PayeeAccount, money.payee_id)):
                rows = table_of(table)
                session.execute(update(rows).where(rows.c.id == owned).values(organisation_id=firm))
        _given(house, [approve(one) for one in payouts], Role.FUND_MANAGER)


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
    work = f"one approval that reserves the money, {place.kind}"
    return Result(mark="B7", work=work, figure=figure, ratios=ratios, at_least=0.5)


def _payment_run(place: Place, paying: Paying, bank: BankInMemory) -> Result:
    """Run the payment run over many approved payouts, then send its statements again by the driver."""
    house = paying.house
    approved(paying, FIRMS)
    analysed(place)
    waiting = AT_ONCE + (RUNS + 1) * ONE_BY_ONE
    with closing(place.driver(place.copy())) as connection:
        with captured(place.engine) as kept:
            whole = timed(partial(disburse, place.engine, Teller(bank=bank, holder="bench"), house.stamp()))
        bare = timed(partial(replay, connection, kept))
    figure = f"{waiting / whole:,.0f} payouts/s in {len(bank.out)} files, bare {waiting / bare:,.0f}/s"
    work = f"{waiting:,} approved payouts of {FIRMS + 1} firms to batches, files and `sent`, {place.kind}"
    return Result(mark="B8", work=work, figure=figure, ratios=(bare / whole,), at_least=0.25)


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
        bare = parsed + timed(partial(replay, connection, kept))
    figure = f"{LINES / whole:,.0f} entries/s, bare {LINES / bare:,.0f}/s"
    work = f"a statement of {LINES:,} entries read, matched and posted, {place.kind}"
    return Result(mark="B9", work=work, figure=figure, ratios=(whole / bare,), at_most=3.0)


def _parsed(data: bytes) -> None:
    for _, element in ET.iterparse(BytesIO(data)):  # noqa: S314 - our own file
        element.clear()


def _taken(house: House, data: bytes) -> None:
    taken = take_file(house.engine, "statement.xml", lambda: BytesIO(data), house.stamp())
    if taken.counts != {LineStatus.MATCHED: LINES}:
        raise RuntimeError(taken.document())


def _checked(place: Place, paying: Paying) -> Result:
    """Ask every money invariant over many postings; bare is what is grouped for them, from the table itself."""
    _many_postings(place)
    analysed(place)
    checks = chosen(all_checks(), [one.id for one in MONEY])
    ours, bare = [], []
    with closing(place.driver(place.copy())) as connection:
        for _ in range(3):
            ours.append(timed(partial(_sound, place.engine, paying.house, checks)))
            bare.append(timed(partial(_grouped, connection)))
    figure = f"{POSTINGS / median(ours):,.0f} postings/s, bare {POSTINGS / median(bare):,.0f}/s"
    ratios = tuple(one / other for one, other in zip(ours, bare, strict=True))
    work = f"all money invariants over {POSTINGS:,} postings, against one grouping for each, {place.kind}"
    return Result(mark="B10", work=work, figure=figure, ratios=ratios, at_most=2.0)


def _sound(engine: Engine, house: House, checks: Any) -> None:
    with reading(engine) as session:
        report = check(session, checks, now=house.now)
    if not report.is_ok:
        raise RuntimeError([one.id for one in report.results if not one.is_ok])


_GROUPED = (
    "SELECT entry_id FROM posting GROUP BY entry_id, currency HAVING SUM(amount_minor) <> 0 OR COUNT(*) < 2",
    "SELECT currency FROM posting GROUP BY currency HAVING SUM(amount_minor) <> 0",
    """
    SELECT account_id FROM (
        SELECT account_id, SUM(amount_minor) OVER (PARTITION BY account_id ORDER BY seq) AS balance FROM posting
         WHERE account_id IN (SELECT id FROM account WHERE floor_minor IS NOT NULL)) x WHERE balance < 0
    """,
    "SELECT account_id, SUM(amount_minor) FROM posting GROUP BY account_id",
)
"""I01 to I04 as one would ask the table; all others look at few rows."""


def _grouped(connection: Any) -> None:
    cursor = connection.cursor()
    for statement in _GROUPED:
        cursor.execute(statement)
        cursor.fetchall()


def _many_postings(place: Place) -> None:
    """Write entries past the engine, to and fro so that every balance stays."""
    entry_id = "'00000000-0000-7000-8000-' || (100000000000 + i)"
    if place.kind == "PostgreSQL":
        entry_id = f"CAST({entry_id} AS uuid)"
    rows = f"""
        INSERT INTO posting (entry_id, account_id, amount_minor, currency, kind, at)
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {POSTINGS // 2 - 1})
        SELECT {entry_id}, a.id, CASE WHEN (a.kind = 'available') = (i % 2 = 0) THEN -{AMOUNT} ELSE {AMOUNT} END,
            a.currency, CASE i % 2 WHEN 0 THEN 'reserve' ELSE 'void' END, p.at
          FROM n CROSS JOIN account a CROSS JOIN (SELECT MIN(at) AS at FROM posting) p
         WHERE a.kind IN ('available', 'reserved') ORDER BY i
    """  # noqa: S608 - our own numbers
    with transaction(place.engine) as session:
        if place.kind == "PostgreSQL":
            session.execute(text("SET LOCAL statement_timeout = 0"))  # a million rows and their triggers
        session.execute(text(rows))
