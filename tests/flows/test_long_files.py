"""A file of many bookings is taken in parts: others write meanwhile, and who dies on the way leaves nothing twice."""

from dataclasses import replace
from io import BytesIO
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text

from flows import reconciliation, statement_parts
from flows.reconciliation import Taken, take_file
from lifecycle.banking import balance
from lifecycle.commands import Stamp
from lifecycle.invariants.check import all_checks, check
from lifecycle.payouts.matching import match
from lifecycle.payouts.statements import ComparePosition
from models.db import make_engine, reading, transaction
from models.ids import new_id
from models.states import LineStatus, Role
from tests import payments as pay
from tests.digest import changed, digest
from tests.factories import House, ids_of, key
from tests.flows.test_hostile_files import QUARANTINE
from tests.flows.test_reconciliation import HEAD, fee, line
from tests.lifecycle.banking.statements import camt053, entry, statement
from tests.paying import ACCOUNT

PART, PARTS = 4, 5
STRANGE = PART * PARTS - 1
"""Bookings that nothing explains, beside the one that pays."""
LINES = "SELECT status, COUNT(*) AS many FROM v_statement_line GROUP BY status ORDER BY status"


SO_FAR = """
    SELECT (SELECT COUNT(*) FROM v_statement), (SELECT COUNT(*) FROM v_statement_line),
    (SELECT COUNT(*) FROM v_statement WHERE status = 'imported')
"""
WHOLE = (1, PART * PARTS, 1)


class DiedError(BaseException):
    """The end of a process."""


@pytest.fixture
def house(each_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Give a payment at the bank, where a file is long that has five bookings."""
    monkeypatch.setattr(statement_parts, "LINES", PART)
    pay.batches(each_house, state="sent")
    return each_house


def long_file(house: House) -> bytes:
    """Return a table whose lines are equal among each other: each counts, and the last one pays."""
    return (HEAD + fee("F") * STRANGE + line(house)).encode()


def take(house: House, data: bytes, stamp: Stamp | None = None) -> Taken:
    return take_file(house.engine, "a.csv", lambda: BytesIO(data), stamp or house.stamp())


def assert_whole(house: House) -> None:
    """Each booking is there once, the payment paid, and every sum right."""
    assert house.one("SELECT status FROM v_statement") == "imported"
    assert [(row.status, row.many) for row in house.rows(LINES)] == [("exception", STRANGE), ("matched", 1)]
    assert house.one("SELECT COUNT(*) FROM v_exception") == STRANGE
    assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == -1_200 * STRANGE
    assert (house.one("SELECT state FROM v_payout"), house.one("SELECT state FROM v_batch")) == ("paid", "settled")
    with reading(house.engine) as session:
        report = check(session, all_checks(), now=house.now)
    assert {one.id: one.sample for one in report.results if not one.is_ok and one.id != "I15"} == {}


def lines_there(engine: Engine) -> int:
    with reading(engine) as session:
        return int(session.execute(text("SELECT COUNT(*) FROM v_statement_line")).scalar_one())


def test_is_there_whole_at_its_end(house: House) -> None:
    taken = take(house, long_file(house))

    assert (taken.status, taken.counts) == ("imported", {LineStatus.EXCEPTION: STRANGE, LineStatus.MATCHED: 1})
    assert_whole(house)
    assert take(house, long_file(house)).status == "duplicate"


def test_lets_others_write_between_its_parts(house: House) -> None:
    other = make_engine(house.engine.url)
    there = []

    def write(*_: object) -> None:
        with transaction(other) as session:
            session.execute(text("UPDATE fund SET code = code"))  # the very row that the parts lock
            there.append(tuple(session.execute(text(SO_FAR)).one()))

    event.listen(house.engine, "checkin", write)  # whenever a transaction has ended
    take(house, long_file(house))
    other.dispose()

    assert [one for one in there if one[0]] == [*((1, PART * done, 0) for done in range(1, PARTS + 1)), WHOLE, WHOLE]


@pytest.mark.parametrize("after", range(1, PARTS))
def test_is_brought_to_its_end_by_anybody_where_the_first_one_died(house: House, after: int) -> None:
    data = long_file(house)

    def mortal() -> UUID:
        if lines_there(house.engine) == PART * after:
            raise DiedError
        return new_id()

    with pytest.raises(DiedError):
        take(house, data, replace(house.stamp(), new_id=mortal))
    assert house.one("SELECT status FROM v_statement") == "importing"

    taken = take(house, data, house.stamp(Role.ACCOUNTANT))

    assert (taken.status, taken.counts) == ("imported", {LineStatus.EXCEPTION: STRANGE, LineStatus.MATCHED: 1})
    assert_whole(house)


def test_is_taken_once_by_two_at_the_same_time(house: House) -> None:
    data, other = long_file(house), replace(house, engine=make_engine(house.engine.url))
    second: list[Taken] = []

    def meet(*_: object) -> None:
        if not second and lines_there(other.engine) == 2 * PART:
            second.append(take(other, data, house.stamp(Role.ACCOUNTANT)))

    event.listen(house.engine, "checkin", meet)
    first = take(house, data)
    other.engine.dispose()

    assert (first.status, second[0].status) == ("duplicate", "imported")
    assert_whole(house)


def test_counts_what_another_file_tells_at_the_same_time_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other file comes between the look at what is known and the write of the second part."""
    data, other = long_file(house), replace(house, engine=make_engine(house.engine.url))
    shorter = (HEAD + fee("F") * 2 * PART).encode()
    found: list[Taken] = []
    second = Thread(target=lambda: found.append(take(other, shorter)))
    parts = []

    def interrupted(*args: Any, **named: Any) -> Any:
        parts.append(args)
        if len(parts) == 2:
            second.start()
            second.join(timeout=1)  # it waits for the fund
        return match(*args, **named)

    monkeypatch.setattr(reconciliation, "match", interrupted)
    take(house, data)
    second.join()
    other.engine.dispose()

    assert found[0].counts == {LineStatus.DUPLICATE: 2 * PART}
    assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == -1_200 * STRANGE


@pytest.mark.parametrize("there", [1, PART + 1])
def test_is_brought_to_its_end_from_any_line(house: House, monkeypatch: pytest.MonkeyPatch, there: int) -> None:
    """Another release takes other parts."""
    data = long_file(house)

    def mortal() -> UUID:
        if lines_there(house.engine):
            raise DiedError
        return new_id()

    monkeypatch.setattr(statement_parts, "LINES", there)
    with pytest.raises(DiedError):
        take(house, data, replace(house.stamp(), new_id=mortal))
    monkeypatch.setattr(statement_parts, "LINES", PART)

    take(house, data)

    assert_whole(house)


def test_keeps_a_statement_waiting_until_it_is_whole(house: House) -> None:
    """Of the fund's bookings some are here and some are not: a balance compared now would hold the fund."""
    data, fund = long_file(house), UUID(house.one("SELECT fund_id FROM v_payout"))
    closing = pay.PAID_IN - 1_200 * STRANGE - pay.AMOUNT

    def mortal() -> UUID:
        if lines_there(house.engine) == PART:
            raise DiedError
        return new_id()

    with pytest.raises(DiedError):
        take(house, data, replace(house.stamp(), new_id=mortal))
    (one,) = ids_of(house.do(pay.take(fund, opening_minor=closing, closing_minor=closing)))
    (beside,) = house.do(ComparePosition(command_id=key(), statement_id=one))
    assert (beside["waits"], house.rows("SELECT 1 FROM v_hold")) == (True, [])

    take(house, data)

    compared = house.rows("SELECT body FROM v_audit WHERE action = 'statement.compare' ORDER BY seq")
    assert f'"ledger_minor":{closing}' in compared[-1].body
    assert house.rows("SELECT 1 FROM v_hold") == []


def test_keeps_a_statement_waiting_until_the_last_of_two_is_whole(house: House) -> None:
    """The second file is begun only after the statement was written down: it is not beside the first one alone."""
    first, fund = long_file(house), UUID(house.one("SELECT fund_id FROM v_payout"))
    second = (HEAD + fee("G") * STRANGE).encode()
    closing = pay.PAID_IN - 1_200 * STRANGE * 2 - pay.AMOUNT
    died_in(house, first, after=PART)
    (one,) = ids_of(house.do(pay.take(fund, opening_minor=closing, closing_minor=closing)))
    assert house.do(ComparePosition(command_id=key(), statement_id=one))[0]["waits"] is True
    house.later(minutes=1)
    died_in(house, second, after=2 * PART)

    take(house, first)
    assert compared(house, one) == 2
    assert house.one("SELECT is_to_compare FROM bank_statement WHERE id = :id", id=str(one))
    take(house, second)

    assert compared(house, one) == 3
    assert not house.one("SELECT is_to_compare FROM bank_statement WHERE id = :id", id=str(one))
    assert house.rows("SELECT 1 FROM v_hold") == []


def died_in(house: House, data: bytes, *, after: int) -> None:
    """Begin to take a file, and die when so many bookings are there."""

    def mortal() -> UUID:
        if lines_there(house.engine) == after:
            raise DiedError
        return new_id()

    with pytest.raises(DiedError):
        take(house, data, replace(house.stamp(), new_id=mortal))


def compared(house: House, statement_id: UUID) -> int:
    sql = "SELECT COUNT(*) FROM v_audit WHERE action = 'statement.compare' AND object_id = :id"
    return int(house.one(sql, id=str(statement_id)))


def test_wrong_after_many_lines_writes_none_and_holds_nobody_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "MAX_LINES", STRANGE)
    before, data = digest(house.engine), long_file(house)

    class Read(BytesIO):
        def close(self) -> None:
            with transaction(house.engine) as session:  # would wait for whoever writes
                session.execute(text("UPDATE fund SET code = code"))
            super().close()

    taken = take_file(house.engine, "a.csv", lambda: Read(data), house.stamp())

    assert (taken.status, taken.document()["why"]) == ("quarantined", "bank_lines")
    assert changed(before, digest(house.engine)) <= QUARANTINE


class TestSeveralStatements:
    def test_of_one_file_are_there_together(self, house: House) -> None:
        charged = [entry("0.01", ref=str(number)) for number in range(PART + 1)]
        one = statement(*charged, opening="5000000.00", closing="4999999.95").replace("62220000", ACCOUNT)
        data = camt053(one, one)

        taken = take_file(house.engine, "a.xml", lambda: BytesIO(data), house.stamp())

        assert (taken.status, taken.counts) == (
            "imported",
            {LineStatus.EXCEPTION: PART + 1, LineStatus.DUPLICATE: PART + 1},
        )
        assert [row.status for row in house.rows("SELECT status FROM v_statement")] == ["imported"] * 2
