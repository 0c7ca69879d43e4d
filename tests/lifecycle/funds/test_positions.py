from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from lifecycle.agreements.commands import CloseAgreement
from lifecycle.funds.commands import CallCapital, Commit, Contribute
from lifecycle.funds.corrections import AmendCommitment, CancelCall
from lifecycle.funds.queries import Position, burn, investor_statement, ledger_lines, positions
from models.db import reading, transaction
from models.states import Role, SourceKind
from tests.factories import House, agreements, call_capital, funds, key, new_fund, pay_in, sources
from tests.lifecycle.commands.agreement_cases import pending


def position_of(house: House, fund: UUID) -> Position:
    with reading(house.engine) as session:
        return positions(session, [fund])[fund]


def fund_of(house: House, agreement: UUID) -> UUID:
    return UUID(house.one("SELECT fund_id FROM v_agreement WHERE id = :id", id=str(agreement)))


def whole(position: Position) -> int:
    return position.paid_minor + position.reserved_minor + position.committed_minor + position.free_minor


class TestPosition:
    def test_of_a_new_fund_is_all_free(self, house: House) -> None:
        position = position_of(house, funds(house)[0])

        assert (position.free_minor, position.committed_minor, position.cash_minor) == (2_000_000_000, 0, 0)

    def test_counts_an_award_as_committed_until_its_agreement_is_closed(self, house: House) -> None:
        (one,) = agreements(house, is_signed=False)
        fund = fund_of(house, one)
        before = position_of(house, fund)

        house.do(CloseAgreement(command_id=key(), agreement_id=one, reason="never signed"), by=Role.SPONSOR)

        after = position_of(house, fund)
        assert (before.committed_minor, after.committed_minor) == (100_000_000, 0)
        assert whole(before) == whole(after) == 2_000_000_000

    def test_sums_to_the_commitment_with_money_that_was_paid_reserved_and_returned(self, house: House) -> None:
        """Past the verbs of payouts: a payout of 400 paid, another of 100 approved, 50 of the first came back."""
        (one,) = agreements(house)
        fund = fund_of(house, one)
        pay_in(house, fund)
        payout_rows(house, one, fund)

        position = position_of(house, fund)

        assert (position.paid_minor, position.approved_minor, position.returned_minor) == (350, 100, 50)
        assert position.committed_minor == 100_000_000 - 450
        assert whole(position) == position.commitment_minor
        assert position.cash_minor == 500_000_000 - 350


def payout_rows(house: House, agreement: UUID, fund: UUID) -> None:
    """Leave one payout approved and another paid, with the postings that say so."""
    pending(house, agreement)
    accounts = {row.kind: row.id for row in house.rows("SELECT kind, id FROM account WHERE fund_id = :f", f=str(fund))}
    entries = (
        ("reserve", "available", "reserved", 500),
        ("post", "reserved", "paid", 400),
        ("return", "paid", "available", 50),
    )
    paid = {"old": str(UUID(int=51)), "new": str(UUID(int=60))}
    with transaction(house.engine) as session:
        columns = [
            row.name for row in session.execute(text("PRAGMA table_info(payout)")) if row.name not in ("id", "number")
        ]
        session.execute(
            text(
                f"INSERT INTO payout (id, number, {', '.join(columns)}) SELECT :new, 'PO-2',"
                f" {', '.join(columns)} FROM payout WHERE id = :old"
            ),
            paid,
        )
        session.execute(text("UPDATE payout SET amount_minor = 400, state = 'paid' WHERE id = :new"), paid)
        for place, (kind, source, target, amount) in enumerate(entries):
            for account, change in ((source, -amount), (target, amount)):
                session.execute(
                    text(
                        "INSERT INTO posting (seq, entry_id, account_id, amount_minor, currency, kind, payout_id, at)"
                        " VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM posting), :entry, :account, :amount, 'CNY',"
                        " :kind, :payout, '2025-07-08T01:00:00.000000Z')"
                    ),
                    {
                        "entry": str(UUID(int=100 + place)),
                        "account": accounts[account],
                        "amount": change,
                        "kind": kind,
                        "payout": paid["new"],
                    },
                )
        session.execute(text("UPDATE account SET balance_minor = 0 WHERE kind = 'reserved'"))
        session.execute(
            text(
                "UPDATE account SET balance_minor = (SELECT COALESCE(SUM(amount_minor), 0) FROM posting"
                " WHERE account_id = account.id)"
            )
        )


class TestCapital:
    def test_is_called_in_proportion_to_the_last_fen(self, each_house: House) -> None:
        house = each_house
        (fund,) = funds(house)
        shares = zip(("other firm", "customer", "receiver"), (40, 35, 25), strict=True)
        for name, amount in shares:
            kind = SourceKind.SOCIAL_CAPITAL
            commit = Commit(
                command_id=key(), fund_id=fund, organisation_id=house.parties[name], kind=kind, amount_minor=amount
            )
            house.do(commit, by=Role.ACCOUNTANT)

        for amount in (10, 89, 1):
            due = house.today + timedelta(days=1)
            house.do(CallCapital(command_id=key(), fund_id=fund, amount_minor=amount, due_on=due), by=Role.ACCOUNTANT)

        assert [row.called_minor for row in house.rows("SELECT called_minor FROM fund_source ORDER BY id")] == [
            40,
            35,
            25,
        ]
        assert house.one("SELECT COUNT(DISTINCT call_no) FROM capital_call") == 3

    def test_called_by_mistake_is_taken_back_and_called_anew(self, each_house: House) -> None:
        house = each_house
        (fund,) = funds(house)
        (source,) = sources(house, fund)
        call_capital(house, fund, amount_minor=900)
        call_capital(house, fund, amount_minor=50)
        paid: dict[str, Any] = {"source_id": source, "received_on": house.today, "bank_ref": "B-1"}
        house.do(Contribute(command_id=key(), fund_id=fund, amount_minor=50, **paid), by=Role.ACCOUNTANT)

        house.do(CancelCall(command_id=key(), fund_id=fund, call_no=1, reason="one nought"), by=Role.ACCOUNTANT)

        put_right = AmendCommitment(
            command_id=key(), fund_id=fund, source_id=source, amount_minor=50, reason="so it is"
        )
        house.do(put_right, by=Role.ACCOUNTANT)
        with reading(house.engine) as session:
            (row,) = investor_statement(session, fund)
        assert (row["committed_minor"], row["called_minor"], row["paid_in_minor"]) == (50, 50, 50)
        assert [(one["amount_minor"], one["corrects_no"]) for one in row["calls"]] == [
            (900, None),
            (50, None),
            (-900, 1),
        ]

    def test_that_goes_back_leaves_every_total_equal_to_the_ledger(self, each_house: House) -> None:
        house = each_house
        (fund,) = funds(house)
        (source,) = sources(house, fund)
        call_capital(house, fund)
        for amount in (500_000_000, -200_000_000):
            booked = Contribute(
                command_id=key(), fund_id=fund, source_id=source, amount_minor=amount, received_on=house.today, note="x"
            )
            house.do(booked, by=Role.ACCOUNTANT)

        with reading(house.engine) as session:
            (row,) = investor_statement(session, fund)
            lines = ledger_lines(session, fund)
            rest = ledger_lines(session, fund, after=lines[0]["seq"])
            (month,) = burn(session, fund, ZoneInfo("Asia/Shanghai"))

        assert (row["paid_in_minor"], row["uncalled_minor"], len(row["contributions"])) == (300_000_000, 500_000_000, 2)
        assert sum(line["amount_minor"] for line in lines) == position_of(house, fund).available_minor == 300_000_000
        assert rest == lines[1:]
        assert [line["balance_minor"] for line in lines] == [500_000_000, 300_000_000]
        assert (month["paid_in_minor"], month["paid_out_minor"]) == (500_000_000, 200_000_000)


class TestSharedAccounts:
    def test_are_made_once_per_currency_also_within_one_batch(self, each_house: House) -> None:
        house = each_house
        wrong, first, second = (
            new_fund(house, currency="USD", code=""),
            *(new_fund(house, currency="USD") for _ in "ab"),
        )

        answers = house.ask(wrong, first, second, by=Role.SPONSOR)

        assert [answer.is_done for answer in answers] == [False, True, True]
        sql = "SELECT COUNT(*) FROM v_account WHERE fund_id IS NULL AND currency = 'USD'"
        assert house.one(sql) == 2
