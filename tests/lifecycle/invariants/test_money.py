"""For each invariant about money: a mistake planted past the house, which it finds and no other."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from lifecycle.invariants.check import Report, all_checks, check, chosen
from lifecycle.invariants.money import MONEY
from lifecycle.projects.commands import Stop
from models.db import reading, transaction
from models.states import Role
from models.views import create_views
from tests.factories import House, a_project, key
from tests.money import a_fund, money_in_every_state

FREE = (
    "account",
    "agreement",
    "approval",
    "bank_event",
    "bank_statement",
    "delivery",
    "exception_case",
    "fund",
    "milestone",
    "outbox_message",
    "payee_account",
    "payment_batch",
    "payment_instruction",
    "payout",
    "posting",
    "scheduled_run",
    "statement_line",
)
"""Tables whose views are turned to a copy without any constraint: what the database itself refuses can happen there."""
OTHER_ID = "'01980000-0000-7000-8000-000000000001'"


def payout(state: str) -> str:
    """Return the SQL of one payout of this state."""
    return f"(SELECT id FROM payout WHERE state = '{state}' ORDER BY id LIMIT 1)"


def instruction(payout_state: str, *, batch: str) -> str:
    """Return the SQL of the instruction of one payout of this state, whose batch is in this state."""
    return (
        "(SELECT i.id FROM payment_instruction i JOIN payout p ON p.id = i.payout_id"
        f" JOIN payment_batch b ON b.id = i.batch_id WHERE p.state = '{payout_state}' AND b.state = '{batch}'"
        " ORDER BY i.id LIMIT 1)"
    )


NEVER_INSTRUCTED = (
    "id = (SELECT p.id FROM payout p WHERE p.state = 'approved'"
    " AND NOT EXISTS (SELECT 1 FROM payment_instruction i WHERE i.payout_id = p.id))"
)
PLANTED: Sequence[tuple[str, Sequence[str]]] = (
    ("I01", [f"UPDATE free_posting SET entry_id = {OTHER_ID} WHERE seq = 1"]),
    (
        "I01 I02",  # a ledger that does not sum to zero has an entry that does not
        [
            (
                "UPDATE free_posting SET amount_minor = amount_minor + 1 WHERE seq ="
                " (SELECT MIN(p.seq) FROM posting p JOIN account a ON a.id = p.account_id WHERE a.kind = 'external')"
            ),
            "UPDATE free_account SET balance_minor = balance_minor + 1 WHERE kind = 'external'",
        ],
    ),
    ("I03", ["UPDATE free_posting SET seq = 1000000 WHERE kind = 'fund_in' AND amount_minor > 0"]),
    ("I04", ["UPDATE free_account SET balance_minor = balance_minor + 1 WHERE kind = 'available'"]),
    ("I04", ["UPDATE free_account SET currency = 'USD' WHERE kind = 'available'"]),
    ("I05", [f"UPDATE free_payout SET amount_minor = amount_minor - 1 WHERE {NEVER_INSTRUCTED}"]),
    (
        "I06 I29",  # on its way means exactly one alive
        [
            "CREATE TABLE copied AS SELECT * FROM payment_instruction WHERE id = "
            + instruction("instructed", batch="sent"),
            f"UPDATE copied SET id = {OTHER_ID}, attempt = 2, end_to_end_id = 'other'",
            "INSERT INTO free_payment_instruction SELECT * FROM copied",
            (
                "UPDATE free_payment_batch SET instruction_count = 2, total_minor = 2 * total_minor"
                " WHERE id = (SELECT batch_id FROM copied)"
            ),
        ],
    ),
    ("I07", ["UPDATE free_payment_instruction SET end_to_end_id = 'same'"]),
    ("I07", ["UPDATE free_payment_batch SET msg_id = 'same'"]),
    ("I07", ["UPDATE free_payment_batch SET file_name = 'same'"]),
    ("I08", ["UPDATE free_bank_event SET kind = 'settle', effect = 'applied' WHERE kind = 'credit'"]),
    ("I08", ["UPDATE free_bank_event SET currency = 'USD' WHERE kind = 'settle'"]),
    (
        "I08",
        [
            (
                "UPDATE free_bank_event"
                f" SET instruction_id = {instruction('instructed', batch='sent')} WHERE kind = 'return'"
            ),
        ],
    ),
    (
        "I09",
        [
            (
                "UPDATE free_approval SET approver_id = (SELECT requested_by FROM payout WHERE id = payout_id)"
                f" WHERE decision = 'approve' AND payout_id = {payout('paid')}"
            )
        ],
    ),
    (
        "I09",
        [
            (
                "UPDATE free_approval SET on_behalf_of_id = (SELECT requested_by FROM payout WHERE id = payout_id)"
                f" WHERE decision = 'approve' AND payout_id = {payout('paid')}"
            )
        ],
    ),
    ("I09", [f"UPDATE free_approval SET at = '2030-01-01T00:00:00.000000Z' WHERE payout_id = {payout('paid')}"]),
    (
        "I09",
        [
            (
                "UPDATE free_approval SET approver_id = (SELECT a.approver_id FROM approval a"
                f" WHERE a.decision = 'approve' LIMIT 1) WHERE decision = 'certify' AND payout_id = {payout('paid')}"
            )
        ],
    ),
    ("I10", [f"UPDATE free_payout SET amount_minor = amount_minor - 1 WHERE id = {payout('paid')}"]),
    ("I10", [f"UPDATE free_payout SET approvals_needed = 2 WHERE {NEVER_INSTRUCTED}"]),
    (
        "I11",
        [
            (
                f"UPDATE free_milestone SET amount_minor = amount_minor - 1"
                f" WHERE id = (SELECT milestone_id FROM payout WHERE id = {payout('paid')})"
            ),
            (
                f"UPDATE free_milestone SET amount_minor = amount_minor + 1"
                f" WHERE id = (SELECT milestone_id FROM payout WHERE id = {payout('requested')})"
            ),
        ],
    ),
    ("I11", ["UPDATE free_agreement SET amount_minor = amount_minor - 1, status = 'closed'"]),
    ("I11", ["UPDATE free_fund SET commitment_minor = 1"]),
    ("I13", [f"UPDATE free_payout SET state = 'cancelled' WHERE id = {payout('rejected')}"]),
    ("I13", ["UPDATE free_payment_batch SET state = 'acknowledged' WHERE state = 'sent'"]),
    ("I13", ["UPDATE free_milestone SET state = 'submitted' WHERE number = 1"]),
    (
        "I18",
        [
            "CREATE TABLE copied AS SELECT * FROM bank_event WHERE kind = 'credit'",
            "UPDATE copied SET seq = 1000000",
            "INSERT INTO free_bank_event SELECT * FROM copied",
        ],
    ),
    ("I19", ["UPDATE free_bank_statement SET closing_minor = closing_minor + 1"]),
    ("I19", ["DELETE FROM free_exception_case"]),
    (
        "I20",
        [
            "UPDATE free_statement_line SET amount_minor = amount_minor - 1 WHERE amount_minor < 0",
            "UPDATE free_bank_statement SET closing_minor = closing_minor - 1 WHERE closing_minor < opening_minor",
        ],
    ),
    ("I21", ["UPDATE free_payment_batch SET created_at = '2025-07-08T00:44:59.999999Z' WHERE state = 'prepared'"]),
    ("I21", ["UPDATE free_payment_batch SET sent_at = '2025-07-07T00:59:59.999999Z' WHERE state = 'sent'"]),
    (
        "I21",
        [
            (
                "UPDATE free_payment_batch SET sent_at = NULL, created_at = '2025-07-07T00:59:59.999999Z'"
                " WHERE state = 'unknown'"
            )
        ],
    ),
    (
        "I21",
        [
            (
                "INSERT INTO claim (object_type, object_id, holder, fence, until_at)"
                f" VALUES ('batch', {OTHER_ID}, 'worker', 1, '2020-01-01T00:00:00.000000Z')"
            )
        ],
    ),
    ("I26", ["UPDATE free_payee_account SET confirmed_by = proposed_by"]),
    ("I26", ["UPDATE free_payee_account SET payee_hash = 'other'"]),
    ("I27", ["UPDATE free_payment_batch SET total_minor = total_minor + 1 WHERE state = 'prepared'"]),
    ("I27", ["UPDATE free_payment_batch SET instruction_count = 2 WHERE state = 'prepared'"]),
    ("I28", ["UPDATE free_bank_event SET effect = 'duplicate' WHERE kind = 'return'"]),
    ("I29", [f"UPDATE free_payment_instruction SET status = 'returned' WHERE payout_id = {payout('paid')}"]),
    (
        "I29",
        [
            (
                f"UPDATE free_bank_event SET instruction_id = {instruction('instructed', batch='acknowledged')}"
                f" WHERE instruction_id = {instruction('paid', batch='settled')}"
            )
        ],
    ),
    ("I29", ["UPDATE free_payment_instruction SET status = 'sent' WHERE status = 'abandoned'"]),
    ("H06", ["UPDATE free_milestone SET amount_minor = amount_minor - 1 WHERE number = 1"]),
    ("H07", ["UPDATE fund_source SET paid_in_minor = paid_in_minor + 1"]),
    ("H07", ["UPDATE contribution SET amount_minor = amount_minor - 1"]),
)
WITHOUT_TRAIL = [one.id for one in all_checks() if one.id != "I15"]
"""The trail shows most of these edits too, by their hashes; here each must be found for what it is."""


@pytest.fixture
def money_house(each_house: House) -> House:
    money_in_every_state(each_house)
    return each_house


def checked(house: House, **more: int) -> Report:
    with reading(house.engine) as session:
        return check(session, chosen(all_checks(), WITHOUT_TRAIL), now=house.now, **more)


def broken(report: Report) -> str:
    return " ".join(sorted(result.id for result in report.results if not result.is_ok))


def plant(house: House, *statements: str) -> None:
    """Plant a mistake that stays."""
    with transaction(house.engine) as session:
        plant_in(session, *statements)


def plant_in(session: Session, *statements: str) -> None:
    """Turn the views to copies of their tables, and do what no table would let happen."""
    turned = create_views(session.get_bind().dialect.name)
    for table in FREE:
        own = f" FROM {table}"
        turned = [f"{one.removesuffix(own)} FROM free_{table}" if one.endswith(own) else one for one in turned]
    copies = [f"CREATE TABLE free_{table} AS SELECT * FROM {table}" for table in FREE]
    for statement in (*copies, *turned, *statements):
        session.execute(text(statement))


class _Undone(Exception):
    """What was planted is to be forgotten."""


class TestSoundMoney:
    def test_is_accused_by_nobody(self, money_house: House) -> None:
        with reading(money_house.engine) as session:
            report = check(session, all_checks(), now=money_house.now)
        assert broken(report) == ""
        assert report.broken_money == ()

    def test_is_accused_by_nobody_in_two_funds_with_shared_accounts(self, money_house: House) -> None:
        a_fund(money_house, code="F2")
        assert broken(checked(money_house)) == ""

    def test_has_every_state_that_the_invariants_ask_for(self, money_house: House) -> None:
        payouts = {row.state for row in money_house.rows("SELECT state FROM v_payout")}
        batches = {row.state for row in money_house.rows("SELECT state FROM v_batch")}
        assert payouts == {"requested", "rejected", "cancelled", "approved", "instructed", "paid", "returned"}
        assert batches == {"prepared", "sent", "unknown", "acknowledged", "settled", "abandoned"}


class TestAPlantedMistake:
    def test_is_found_by_its_invariant_alone(self, money_house: House) -> None:
        """Each is undone before the next."""
        wrong = {}
        for ids, statements in PLANTED:
            with pytest.raises(_Undone), transaction(money_house.engine) as session:
                plant_in(session, *statements)
                found = broken(check(session, chosen(all_checks(), WITHOUT_TRAIL), now=money_house.now))
                raise _Undone
            if found != ids:
                wrong[ids, *statements] = found
        assert wrong == {}
        assert broken(checked(money_house)) == ""

    def test_is_planted_for_every_invariant(self) -> None:
        assert {one.id for one in MONEY} - {one for ids, _ in PLANTED for one in ids.split()} == {"I25"}

    def test_on_a_project_that_ended_is_found(self, money_house: House) -> None:
        ended = a_project(money_house)
        money_house.do(Stop(command_id=key(), project_id=ended, code="other", reason="no money"), by=Role.FUND_MANAGER)

        plant(money_house, f"UPDATE free_payout SET project_id = '{ended}' WHERE state = 'requested'")
        assert broken(checked(money_house)) == "I25"

        with transaction(money_house.engine) as session:
            session.execute(text("UPDATE free_payout SET purpose = 'settlement' WHERE state = 'requested'"))
        assert broken(checked(money_house)) == ""

    def test_tells_figures_that_json_can_hold(self, money_house: House) -> None:
        plant(money_house, "UPDATE free_account SET balance_minor = balance_minor + 1 WHERE kind = 'reserved'")
        told = {one["id"]: one["sample"] for one in checked(money_house).document()["checks"] if not one["ok"]}
        assert {(type(row["too_much_minor"]), row["too_much_minor"]) for row in told["I05"]} == {(int, 1)}
        assert [row["balance_minor"] - row["sum_minor"] for row in told["I04"]] == [1]

    def test_of_money_is_named_as_what_stops_disbursement(self, money_house: House) -> None:
        plant(money_house, "UPDATE free_account SET balance_minor = balance_minor + 1 WHERE kind = 'reserved'")
        assert checked(money_house).broken_money == ("I04", "I05")
        plan_only = "UPDATE fund_source SET paid_in_minor = paid_in_minor + 1"
        with transaction(money_house.engine) as session:
            session.execute(text(plan_only))
        assert checked(money_house).broken_money == ("I04", "I05")


class TestNothingStuck:
    def test_waits_as_long_as_the_bank_may_be_silent(self, money_house: House) -> None:
        plant(money_house, "UPDATE free_payment_batch SET sent_at = '2025-07-07T01:00:00.000000Z' WHERE state = 'sent'")
        assert broken(checked(money_house)) == ""
        assert broken(checked(money_house, bank_answer_hours=23)) == "I21"
        money_house.later(seconds=1)
        assert broken(checked(money_house)) == "I21"

    def test_is_content_with_an_open_case(self, money_house: House) -> None:
        money_house.now += timedelta(days=3)
        assert broken(checked(money_house)) == "I21"
        plant(
            money_house,
            "CREATE TABLE cases AS SELECT b.id AS batch_id, x.* FROM payment_batch b CROSS JOIN exception_case x",
            "UPDATE cases SET id = batch_id, object_type = 'batch', object_id = batch_id",
            "ALTER TABLE cases DROP COLUMN batch_id",
            "INSERT INTO free_exception_case SELECT * FROM cases",
        )
        assert broken(checked(money_house)) == ""
