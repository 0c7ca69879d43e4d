"""The money of the story on 21 November 2025: every figure is summed here by hand, from what was promised and paid."""

from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from lifecycle.banking.sandbox import conduct_of
from lifecycle.demo.financing import cooking_robot
from lifecycle.demo.people import founding
from lifecycle.demo.robot import robot
from lifecycle.demo.story import HOME
from lifecycle.demo.treasury import treasury
from lifecycle.funds.queries import investor_statement, positions
from lifecycle.invariants.check import all_checks, check
from lifecycle.reports.fund_page import fund_projects
from models.db import reading
from models.funds import Fund
from models.reading import table_of
from tests.stories.telling import played, rows

pytestmark = pytest.mark.slow
TODAY = date(2025, 11, 21)
MILLION = 100_000_000
"""A million yuan in fen."""

AWARDS = {
    "PT-2024-0007": (1.2, ("T1", "T2", "T3", "T4")),
    "PT-2024-0008": (2.6, ("T1", "T2", "T3")),
    "PT-2024-0009": (0.9, ("T1", "T2")),
    "PT-2025-0002": (5.4, ("T1", "T2", "T3")),
    "PT-2025-0003": (1.8, ("T1", "T2")),
    "PT-2025-0005": (1.5, ("T1", "T2", "T3")),
    "PT-2025-0008": (1.0, ("T1",)),
    "PT-2025-0011": (0.8, ("T1",)),
    "PT-2025-0014": (1.2, ("T1",)),
    "PT-2025-0015": (1.0, ()),
}
"""Project -> its award in millions, and the tranches that are paid."""
SHARES = {"T1": 40, "T2": 30, "T3": 15, "T4": 10}


def fen(millions: float, hundredths: int = 100) -> int:
    return round(millions * 10) * MILLION // 10 * hundredths // 100


PAID = sum(fen(award, SHARES[code]) for award, codes in AWARDS.values() for code in codes)
STOPPED, REPAID = fen(1.0), 8_000_000
"""The award of the project that was stopped, and what it has paid back."""
SETTLED = fen(1.0, 40)
"""What that award is since its settlement: what it was paid."""
IN_TRANSIT = fen(1.0, 40)


def attempts(engine: Engine, project: str, tranche: str) -> list[tuple[str, str, str]]:
    """Return last digits, day of the file and fate of each attempt to pay a tranche."""
    return rows(
        engine,
        "SELECT substr(i.account_number, -4), b.execution_on, i.status FROM payment_instruction i"
        " JOIN payment_batch b ON b.id = i.batch_id JOIN payout o ON o.id = i.payout_id"
        " JOIN milestone m ON m.id = o.milestone_id JOIN project p ON p.id = o.project_id"
        " WHERE p.number = :project AND m.tranche = :tranche ORDER BY i.attempt",
        project=project,
        tranche=tranche,
    )


class TestThePosition:
    def test_adds_up_to_the_last_fen(self, portfolio: Engine) -> None:
        with reading(portfolio) as session:
            (fund,) = session.execute(table_of(Fund).select()).all()
            place = positions(session, [fund.id])[fund.id]
        promised = sum(fen(award) for award, _ in AWARDS.values()) - STOPPED + SETTLED
        came_in = fen(12.0) + fen(3.0) + fen(1.8) + fen(0.6)

        assert place.commitment_minor == fen(30.0)
        assert (place.paid_minor, place.in_transit_minor, place.approved_minor) == (PAID - REPAID, IN_TRANSIT, 0)
        assert place.committed_minor == promised - PAID - IN_TRANSIT
        with reading(portfolio) as session:
            left = [one["left_minor"] for one in fund_projects(session, fund.id, date(2025, 11, 21), limit=99)]
        assert sum(left) == place.committed_minor
        assert place.free_minor == fen(30.0) - promised + REPAID
        assert place.returned_minor == fen(1.5, 40)
        assert (place.subscribed_minor, place.called_minor, place.paid_in_minor) == (fen(30.0), fen(18.0), came_in)
        assert place.available_minor == came_in - PAID + REPAID - IN_TRANSIT
        assert (place.fee_minor, place.suspense_minor) == (0, 0)

    def test_is_that_of_the_bank(self, portfolio: Engine) -> None:
        """The file of the day is at the bank and not booked: it still lies there."""
        ((closing,),) = rows(
            portfolio,
            "SELECT closing_minor FROM bank_statement WHERE closing_minor > 0 ORDER BY sequence_no DESC LIMIT 1",
        )

        assert closing == fen(17.4) - PAID + REPAID

    def test_is_borne_by_three_investors_of_whom_one_is_behind(self, portfolio: Engine) -> None:
        with reading(portfolio) as session:
            (fund,) = session.execute(table_of(Fund).select()).all()
            found = {one["kind"]: one for one in investor_statement(session, fund.id)}

        behind = {kind: one["called_minor"] - one["paid_in_minor"] for kind, one in found.items()}
        assert behind == {"state": 0, "large_enterprise": 0, "social_capital": fen(0.6)}
        assert sum(one["used_minor"] for one in found.values()) == PAID - REPAID


class TestWhatWentWrong:
    def test_one_payment_was_rejected_and_paid_to_the_right_account(self, portfolio: Engine) -> None:
        wrong, right = attempts(portfolio, "PT-2024-0009", "T1")

        assert (wrong[0], wrong[2], right[2]) == ("9004", "rejected", "settled")
        assert conduct_of(wrong[0]).rejects == "AC04"
        assert rows(portfolio, "SELECT count(*) FROM payment_instruction WHERE status = 'rejected'") == [(1,)]

    def test_one_came_back_six_days_later_and_was_paid_to_a_new_account(self, portfolio: Engine) -> None:
        first, second = attempts(portfolio, "PT-2025-0005", "T1")
        moves = rows(
            portfolio,
            "SELECT t.event, substr(t.at, 1, 10) FROM transition t JOIN payout o ON o.id = t.object_id"
            " JOIN project p ON p.id = o.project_id JOIN milestone m ON m.id = o.milestone_id"
            " WHERE p.number = 'PT-2025-0005' AND m.tranche = 'T1' AND t.event IN ('confirm', 'bounce') ORDER BY t.seq",
        )

        assert (first[2], second[2]) == ("returned", "settled")
        assert moves[:2] == [("confirm", "2025-05-12"), ("bounce", "2025-05-15")]
        assert [event for event, _ in moves] == ["confirm", "bounce", "confirm"]
        assert rows(portfolio, "SELECT count(*) FROM payment_instruction WHERE status = 'returned'") == [(1,)]

    def test_one_firm_changed_its_bank_and_was_paid_there_after_cooling_off(self, portfolio: Engine) -> None:
        ((first, _, _),), ((second, paid_on, _),) = (
            attempts(portfolio, "PT-2025-0003", tranche) for tranche in ("T1", "T2")
        )
        ((proposed, confirmed, usable, called),) = rows(
            portfolio,
            "SELECT proposed_by, confirmed_by, usable_on, called_back FROM payee_account"
            " WHERE reason = '企业更换开户银行'",
        )

        assert (first, second) == ("0001", "0002")
        assert proposed != confirmed
        assert "回拨" in called
        assert (usable, usable < paid_on) == ("2025-09-17", True)

    def test_one_stopped_project_owes_its_unused_advance(self, portfolio: Engine) -> None:
        """300,000 yuan of cost were accepted, seven tenths of them are the grant's; 400,000 were paid."""
        orders = rows(portfolio, "SELECT code, amount_minor, repaid_minor, state FROM recovery_order")

        assert orders == [("stop", fen(1.0, 40) - 30_000_000 * 7 // 10, REPAID, "open")]

    def test_nothing_waits_for_two_people_and_no_money_is_held(self, portfolio: Engine) -> None:
        assert rows(portfolio, "SELECT kind FROM exception_case WHERE closed_at IS NULL") == []
        assert rows(portfolio, "SELECT count(*) FROM hold WHERE object_type = 'fund'") == [(0,)]


class TestWhoDidIt:
    def test_a_payment_passed_through_different_hands(self, portfolio: Engine) -> None:
        """Requester, certifier, approvers, payer, and whoever entered or confirmed the account."""
        found = rows(
            portfolio,
            "SELECT o.number, o.requested_by, a.approver_id, a.decision FROM payout o JOIN approval a"
            " ON a.payout_id = o.id AND a.payload_hash = o.payload_hash ORDER BY o.number, a.seq",
        )
        people: dict[str, list[str]] = {}
        for number, requester, approver, _ in found:
            people.setdefault(number, [requester]).append(approver)

        assert all(len(set(hands)) == len(hands) for hands in people.values())
        assert {len(hands) for number, hands in people.items() if number == "PO-2025-0003"} == {6}

    def test_on_the_day_three_payments_wait_for_three_kinds_of_people(self, portfolio: Engine) -> None:
        waiting = rows(
            portfolio,
            "SELECT p.number, o.state FROM payout o JOIN project p ON p.id = o.project_id"
            " WHERE o.state NOT IN ('paid') ORDER BY p.number",
        )

        assert waiting == [("PT-2024-0009", "requested"), ("PT-2025-0015", "instructed")]
        assert rows(
            portfolio,
            "SELECT p.number, m.tranche FROM milestone m JOIN project p ON p.id = m.project_id"
            " WHERE m.state = 'submitted'",
        ) == [("PT-2025-0011", "T2")]

    def test_statements_chain_without_a_gap(self, portfolio: Engine) -> None:
        chain = rows(
            portfolio,
            "SELECT sequence_no, opening_minor, closing_minor FROM bank_statement WHERE closing_minor IS NOT NULL"
            " ORDER BY sequence_no",
        )

        assert [number for number, _, _ in chain] == list(range(1, len(chain) + 1))
        assert all(before[2] == after[1] for before, after in pairwise(chain))


class TestTheHero:
    def test_is_paid_behind_each_gate_and_nothing_is_broken(self, sqlite_template: Path, tmp_path: Path) -> None:
        chapters = (founding, treasury, robot, cooking_robot)
        engine = played(sqlite_template, tmp_path / "hero.db", date(2026, 7, 1), chapters)
        paid = rows(
            engine,
            "SELECT m.tranche, o.amount_minor, o.paid_on FROM payout o JOIN milestone m ON m.id = o.milestone_id"
            " WHERE o.state = 'paid' ORDER BY o.number",
        )
        with reading(engine) as session:
            report = check(session, all_checks(), now=datetime(2026, 7, 1, 12, tzinfo=HOME))
        engine.dispose()

        assert paid == [
            ("T1", fen(1.2, 40), "2025-08-21"),
            ("T2", fen(1.2, 30), "2025-12-11"),
            ("T3", fen(1.2, 15), "2026-05-14"),
        ]
        assert [result.id for result in report.results if not result.is_ok] == []

    def test_has_the_same_trail_each_time(self, sqlite_template: Path, tmp_path: Path) -> None:
        chapters = (founding, treasury, robot, cooking_robot)
        heads = "SELECT object_type, object_id, chain_seq, hash FROM audit_record ORDER BY seq"
        trails = []
        for name in ("one", "other"):
            engine = played(sqlite_template, tmp_path / f"{name}.db", date(2025, 9, 1), chapters)
            trails.append(rows(engine, heads))
            engine.dispose()

        assert trails[0] == trails[1]
