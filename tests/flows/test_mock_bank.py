"""Our files at a bank that we have not written, and its answers at ours.

No message is translated: `mock-bank` (PyPI) takes our pain.001.001.09 from the drop folder and leaves pain.002.001.10,
camt.054.001.08 and camt.053.001.08 in the inbox. Two things bend to it: it holds accounts with IBANs only, so the fund
and one payee have such a number (which our file carries as any other), and its clock is moved along with ours.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.bank_channel import DropFolders
from flows.disbursement import Run, Teller, disburse
from flows.reconciliation import Taken, take_inbox
from lifecycle.invariants.check import all_checks, check
from models.db import reading
from models.ids import new_id
from models.payouts import PayeeAccount
from models.states import Role
from tests.factories import House
from tests.flows.mock_bank import MockBank, mock_bank
from tests.money import AMOUNT, born, write
from tests.paying import Paying, a_paying_fund

PAID_IN = 1_000_000
OURS, CLOSED = "NL30MOCK0000000005", "NL84MOCK0000000003"
"""An account that the bank is told to hold for us, and one that it begins with, closed."""


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[MockBank]:
    """Give the other bank on the world's day, with our account and its money."""
    with mock_bank(tmp_path / "bank", "2025-07-08T09:00") as bank:
        bank.opens(OURS, PAID_IN)
        yield bank


@pytest.fixture
def paying(house: House) -> Paying:
    """Give a fund with as much money."""
    return a_paying_fund(house, paid_in=PAID_IN, account=OURS)


def folders(bank: MockBank) -> DropFolders:
    return DropFolders(bank.out, bank.inbox)


def run(paying: Paying, bank: MockBank) -> Run:
    return disburse(paying.house.engine, Teller(bank=folders(bank), holder="me"), paying.house.stamp())


def answers(paying: Paying, bank: MockBank) -> list[Taken]:
    return take_inbox(paying.house.engine, folders(bank), paying.house.stamp())


def days_pass(paying: Paying, bank: MockBank, days: int = 1) -> list[Taken]:
    bank.waits(days)
    paying.house.later(days=days)
    return answers(paying, bank)


def states(paying: Paying) -> list[str]:
    return [row.state for row in paying.house.rows("SELECT state FROM v_payout ORDER BY number")]


def balance(paying: Paying, kind: str) -> int:
    return int(paying.house.one("SELECT balance_minor FROM v_account WHERE kind = :kind", kind=kind))


def cases(paying: Paying) -> list[str]:
    return [row.kind for row in paying.house.rows("SELECT kind FROM v_exception ORDER BY kind")]


def broken(paying: Paying) -> list[str]:
    with reading(paying.house.engine) as session:
        report = check(session, all_checks({}), now=paying.house.now)
    return [one["id"] for one in report.document()["checks"] if not one["ok"]]


def move_to(paying: Paying, account_number: str) -> None:
    """Let what is asked for from now on go to another account of the firm."""
    people = paying.house.people
    account = {
        "organisation_id": paying.house.parties["sme"],
        "holder_name": "甲公司",
        "account_number": account_number,
        "bank_code": "102100099996",
        "payee_hash": "e" * 64,
        "status": "confirmed",
        "proposed_by": people[Role.FINANCE_OFFICER].user_id,
        "confirmed_by": people[Role.CERTIFIER].user_id,
        "at": paying.house.now,
    }
    paying.money.payee_id = new_id()
    write(paying.house, born(PayeeAccount, paying.money.payee_id, account))


class TestAnotherBank:
    def test_pays_a_part_of_a_file_and_rejects_the_rest(self, paying: Paying, bank: MockBank) -> None:
        paying.approved(2)
        move_to(paying, CLOSED)
        paying.approved()
        run(paying, bank)

        (file,) = bank.takes()

        assert (file["status"], file["accepted"], file["rejected"], file["findings"]) == ("PART", 2, 1, [])
        assert [one.status for one in answers(paying, bank)] == ["imported", "imported"]
        assert states(paying) == ["paid", "paid", "returned"]
        assert (balance(paying, "available"), balance(paying, "paid")) == (PAID_IN - 2 * AMOUNT, 2 * AMOUNT)
        (statement,) = days_pass(paying, bank)
        assert statement.counts == {"duplicate": 2}
        closing = paying.house.one("SELECT closing_minor FROM v_statement WHERE closing_minor IS NOT NULL")
        assert closing == PAID_IN - 2 * AMOUNT
        assert paying.house.one("SELECT state FROM v_batch") == "settled"
        assert (cases(paying), broken(paying)) == ([], [])

    def test_gives_back_what_it_has_paid(self, paying: Paying, bank: MockBank) -> None:
        """It sends a pacs.004 too, which banks send to each other: not ours to read, the notice says the same."""
        paying.approved(2)
        run(paying, bank)
        back = paying.house.one("SELECT min(end_to_end_id) FROM v_instruction")
        terms = {"days": 1, "reason": "AC04", "end_to_end_id": back}
        bank.call("PATCH", "/_mock/accounts/FUND", {"behaviour": "return-later", "parameters": terms})
        bank.takes()
        answers(paying, bank)
        assert states(paying) == ["paid", "paid"]

        taken = [one for _ in range(3) for one in days_pass(paying, bank)]

        refused = [(one.name[:8], one.why.codes) for one in taken if one.why is not None]
        assert refused == [("pacs.004", ("bank_namespace",))]
        assert (states(paying), balance(paying, "available")) == (["returned", "paid"], PAID_IN - AMOUNT)
        assert (cases(paying), broken(paying)) == (["file_quarantined"], [])

    def test_rejects_a_file_that_comes_twice_and_still_pays_it_once(self, paying: Paying, bank: MockBank) -> None:
        """Before it has paid: read as a rejection, the money would be free for a second payment."""
        paying.approved(2)
        run(paying, bank)
        (file,) = bank.out.glob("*.xml")
        again = file.read_bytes()
        bank.call("PUT", "/_mock/holidays", [str(paying.house.today)])
        assert [one["status"] for one in bank.takes()] == ["ACCP"]
        (bank.out / "again.xml").write_bytes(again)
        assert [one["reason"] for one in bank.takes()] == ["DUPL"]

        assert [one.status for one in answers(paying, bank)] == ["imported", "imported"]

        assert states(paying) == ["instructed", "instructed"]
        assert balance(paying, "reserved") == 2 * AMOUNT
        days_pass(paying, bank, 2)
        assert states(paying) == ["paid", "paid"]
        assert (cases(paying), broken(paying)) == ([], [])

    def test_that_never_answers_leaves_the_batch_unknown_until_its_statement(
        self, paying: Paying, bank: MockBank
    ) -> None:
        paying.approved()
        run(paying, bank)
        bank.call("PATCH", "/_mock/accounts/FUND", {"behaviour": "silent"})
        bank.call("PUT", "/_mock/holidays", [str(paying.house.today)])
        bank.takes()
        paying.house.later(hours=25)
        assert answers(paying, bank) == []
        assert paying.house.one("SELECT state FROM v_batch") == "unknown"
        assert run(paying, bank).batches == []

        bank.waits(2)
        answers(paying, bank)

        assert (states(paying), paying.house.one("SELECT state FROM v_batch")) == (["paid"], "settled")
        assert broken(paying) == []
