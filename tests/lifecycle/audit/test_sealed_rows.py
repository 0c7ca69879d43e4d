"""Approvals, postings and what the bank said: whatever is done to them past the triggers, a body shows it."""

import pytest
from sqlalchemy import text

from lifecycle.audit import sealed
from lifecycle.audit.findings import Findings, ProblemKind, Verification
from lifecycle.audit.verify import verify
from lifecycle.canonical import canonical, sha256
from models.db import reading, transaction
from models.tables import metadata
from models.triggers import drop_triggers
from tests.factories import House
from tests.money import a_fund, money_in_every_state

OTHER_ID = "'01980000-0000-7000-8000-000000000001'"
OTHER_TIME = "'2020-01-01T00:00:00.000000Z'"
EDITS = {
    "approval": {
        "approver_id": OTHER_ID,
        "on_behalf_of_id": OTHER_ID,
        "decision": "'release'",
        "payload_hash": f"'{'f' * 64}'",
        "command_id": "'other'",
        "at": OTHER_TIME,
    },
    "posting": {
        "entry_id": OTHER_ID,
        "account_id": "(SELECT id FROM account WHERE kind = 'fee')",
        "amount_minor": "amount_minor + 1",
        "currency": "'USD'",
        "kind": "'correction'",
        "payout_id": OTHER_ID,
        "bank_event_seq": "77",
        "at": OTHER_TIME,
    },
    "bank_event": {
        "source": "'people'",
        "bank_ref": "'other'",
        "end_to_end_id": "'other'",
        "statement_line_id": "NULL",
        "kind": "'debit'",
        "amount_minor": "amount_minor + 1",
        "currency": "'USD'",
        "content_hash": f"'{'f' * 64}'",
        "effect": "'duplicate'",
        "at": OTHER_TIME,
    },
}
"""Table -> column -> what it shall say instead."""
FREE = 1_000_000
"""A number that no row has."""


def verified(house: House) -> Verification:
    with reading(house.engine) as session:
        return verify(session)


def spoil(house: House, *statements: str) -> None:
    """Do what somebody who owns the database can do."""
    with transaction(house.engine) as session:
        for statement in (*drop_triggers(house.engine.dialect.name), *statements):
            session.execute(text(statement))


def told(found: Verification) -> list[tuple[ProblemKind, str]]:
    return [(one.kind, one.detail) for one in found.problems]


def a_pair(house: House, table: str) -> tuple[int, int]:
    """Return the numbers of the first and the last row."""
    ((first, last),) = house.rows(f"SELECT MIN(seq), MAX(seq) FROM {table}")
    return first, last


class TestAnUntouchedLedger:
    def test_raises_no_alarm(self, each_house: House) -> None:
        money_in_every_state(each_house)
        assert verified(each_house).problems == ()


@pytest.mark.parametrize("table", EDITS)
class TestAnEdit:
    def test_of_any_column_shows_as_a_changed_row(self, each_house: House, table: str) -> None:
        money_in_every_state(each_house)
        _, seq = a_pair(each_house, table)
        columns = ", ".join(column.name for column in metadata.tables[table].columns)
        spoil(each_house, f"CREATE TABLE kept AS SELECT {columns} FROM {table} WHERE seq = {seq}")
        for column, value in EDITS[table].items():
            spoil(each_house, f"UPDATE {table} SET {column} = {value} WHERE seq = {seq}")

            found = verified(each_house)

            expected = f"{table.replace('_', ' ')} {seq} is not as it was written"
            assert told(found) == [(ProblemKind.ROW, expected)], column
            assert found.first_bad_seq == found.problems[0].seq
            spoil(each_house, f"UPDATE {table} SET {column} = (SELECT {column} FROM kept) WHERE seq = {seq}")
        assert verified(each_house).is_ok

    def test_that_takes_a_row_away_shows_what_is_missing_and_where_it_was_named(
        self, each_house: House, table: str
    ) -> None:
        money_in_every_state(each_house)
        first, last = a_pair(each_house, table)
        spoil(each_house, f"DELETE FROM {table} WHERE seq IN ({first}, {last})")

        found = verified(each_house)

        word = table.replace("_", " ")
        assert told(found) == [(ProblemKind.ROW, f"{word} {seq} is not there") for seq in (first, last)]
        named = each_house.rows("SELECT object_type, object_id, chain_seq, seq FROM v_audit")
        assert {(p.object_type, p.object_id, p.chain_seq, p.seq) for p in found.problems} <= {tuple(r) for r in named}

    def test_that_adds_a_row_shows_it_as_foreign(self, each_house: House, table: str) -> None:
        money_in_every_state(each_house)
        first, _ = a_pair(each_house, table)
        others = [column.name for column in metadata.tables[table].columns if column.name != "seq"]
        source = ", ".join("'copy'" if name == "bank_ref" else name for name in others)
        spoil(
            each_house,
            f"INSERT INTO {table} (seq, {', '.join(others)}) SELECT {FREE}, {source} FROM {table} WHERE seq = {first}",
        )

        found = verified(each_house)

        detail = f"{table.replace('_', ' ')} {FREE} is named by no audit row"
        assert told(found) == [(ProblemKind.FOREIGN, detail)]
        assert found.first_bad_seq is None

    def test_that_swaps_two_rows_shows_both(self, each_house: House, table: str) -> None:
        money_in_every_state(each_house)
        first, last = a_pair(each_house, table)
        spoil(
            each_house,
            *(
                f"UPDATE {table} SET seq = {to} WHERE seq = {source}"
                for source, to in ((first, FREE), (last, first), (FREE, last))
            ),
        )

        word = table.replace("_", " ")
        assert told(verified(each_house)) == [
            (ProblemKind.ROW, f"{word} {seq} is not as it was written") for seq in (first, last)
        ]


class TestABody:
    def test_that_names_a_row_a_second_time_is_told_once_more(self, each_house: House) -> None:
        a_fund(each_house)
        with reading(each_house.engine) as session:
            rows = session.execute(text("SELECT * FROM v_posting ORDER BY seq")).all()
            named, findings = sealed.Named("v_posting"), Findings()
            for row in (*rows, rows[0]):
                named.add(row.seq, sha256(canonical(list(row))), audit_seq=7)
            named.compare(session, findings)

        assert [(one.kind, one.detail, one.seq) for one in findings.problems] == [
            (ProblemKind.ROW, f"posting {rows[0].seq} is named a second time", 7)
        ]

    @pytest.mark.parametrize(
        "entry", ["7", '["v_posting",-1,"{}"]', '["v_posting",9223372036854775808,"{}"]', '["v_account",1,"{}"]']
    )
    def test_that_names_what_nobody_names_is_told(self, each_house: House, entry: str) -> None:
        a_fund(each_house)
        entry = entry.format("0" * 64)
        spoil(
            each_house,
            f'UPDATE audit_record SET body = REPLACE(body, \'"rows":[["v_posting"\', \'"rows":[{entry},["v_posting"\')',
        )

        details = [detail for kind, detail in told(verified(each_house)) if kind == ProblemKind.ROW]
        assert details == ["it names rows in a form that nobody writes"]

    def test_that_names_a_hash_in_capitals_is_told(self) -> None:
        assert not sealed.is_readable(1, "A" * 64)
        assert sealed.is_readable(1, "a" * 64)
