"""A file of the bank is taken by who acts for its fund; of anybody else's money nothing is learned or written."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from flows.reconciliation import Taken, take_file
from lifecycle.banking.bank_csv import HEADER
from lifecycle.errors import Forbidden
from lifecycle.people.commands import AddOrganisation, GrantRole
from models.states import OrganisationKind, Role
from tests import payments as pay
from tests.digest import changed, digest
from tests.factories import House, ids_of, key, new_fund
from tests.flows.test_hostile_files import QUARANTINE, assert_sound, ours, report
from tests.flows.test_workbooks import BOOKED, answered, workbook
from tests.lifecycle.banking.statements import camt053, entry, statement, transfer
from tests.paying import ACCOUNT

OTHERS = "stranger"


def at_the_bank(made: Callable[[House], bytes]) -> Callable[[House], bytes]:
    """Answer a payment of a hundred yuan that was sent."""

    def arrange(house: House) -> bytes:
        pay.batches(house, state="sent")
        return made(house)

    return arrange


@at_the_bank
def table(house: House) -> bytes:
    end = house.one("SELECT end_to_end_id FROM v_instruction")
    return f"{','.join(HEADER)}\n2025-07-08,100.00,CNY,debit,,sme,{end},B1\n".encode()


@at_the_bank
def unknown_account(house: House) -> bytes:
    return ours(house, account="6222020299999999999")


def result_workbook(house: House) -> bytes:
    return answered(workbook(house), BOOKED)


def accountant_of_others(house: House) -> str:
    """Make somebody the accountant of another funder, whose only fund is active; return who."""
    add = AddOrganisation(command_id=key(), name="other funder", kind=OrganisationKind.FUNDER)
    (other,) = ids_of(house.do(add, by=Role.ADMIN))
    user = house.people[OTHERS].user_id
    held: dict[str, Any] = {"user_id": user, "organisation_id": other}
    grants = [GrantRole(command_id=key(), role=role, **held) for role in (Role.ACCOUNTANT, Role.SPONSOR)]
    house.do(*grants, by=Role.ADMIN)
    house.do(new_fund(house, organisation_id=other), by=OTHERS)
    return OTHERS


def take(house: House, data: bytes, name: str, by: str) -> Taken:
    return take_file(house.engine, name, lambda: BytesIO(data), house.stamp(by))


def of_two_funds(house: House) -> bytes:
    """Return a file with a statement of the stranger's own fund, and one of ours behind it."""
    (own,) = house.rows("SELECT debtor_account FROM fund WHERE debtor_account <> :a", a=ACCOUNT)
    theirs = statement(entry("1.00"), opening="1.00", closing="0.00").replace("62220000", own.debtor_account)
    booked = entry("100.00", details=transfer(house.one("SELECT end_to_end_id FROM v_instruction")))
    mine = statement(booked, opening="5000000.00", closing="4999900.00").replace("62220000", ACCOUNT)
    return camt053(theirs + mine)


class TestAFileOfAnotherFundersMoney:
    @pytest.mark.parametrize(
        ("name", "made", "after"),
        [
            ("a.xml", at_the_bank(ours), "imported"),
            ("a.xml", at_the_bank(report), "imported"),
            ("a.xml", unknown_account, "quarantined"),
            ("a.csv", table, "imported"),
            ("a.xlsx", result_workbook, "imported"),
        ],
        ids=["statement", "report", "of no fund", "table", "workbook"],
    )
    def test_is_quarantined_whole_and_taken_by_its_own_people(
        self, house: House, name: str, made: Callable[[House], bytes], after: str
    ) -> None:
        data, by = made(house), accountant_of_others(house)
        before = digest(house.engine)

        taken = take(house, data, name, by)

        assert (taken.status, taken.document()["why"]) == ("quarantined", "bank_file_of_others")
        assert changed(before, digest(house.engine)) <= QUARANTINE
        (row,) = house.rows("SELECT actor_id FROM v_audit WHERE action = 'statement.quarantine'")
        assert row.actor_id == str(house.people[by].user_id)
        assert take(house, data, name, Role.ACCOUNTANT).status == after
        assert_sound(house)

    def test_is_not_taken_in_part_where_one_statement_is_of_their_own(self, house: House) -> None:
        pay.batches(house, state="sent")
        by = accountant_of_others(house)
        data, before = of_two_funds(house), digest(house.engine)

        taken = take(house, data, "a.xml", by)

        assert taken.document()["why"] == "bank_file_of_others"
        assert changed(before, digest(house.engine)) <= QUARANTINE


def test_who_takes_no_files_is_refused_before_anything_is_written(house: House) -> None:
    data = at_the_bank(ours)(house)
    before = digest(house.engine)

    with pytest.raises(Forbidden):
        take(house, data, "a.xml", Role.FUND_MANAGER)

    assert changed(before, digest(house.engine)) == set()
