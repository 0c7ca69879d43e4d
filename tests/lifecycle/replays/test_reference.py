"""Real logs and a real register against the facts beside them."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree
from sqlalchemy import Engine, text

from lifecycle.invariants.check import all_checks, check
from lifecycle.replays.log import Case, read_log
from lifecycle.replays.mapping import SHIPPED, Deed, FundMapping, PayoutMapping, load_replay_mapping
from lifecycle.replays.money import Outcome, fund_document, play_register
from lifecycle.replays.register import read_register
from models.db import reading
from tests.factories import START
from tests.lifecycle.replays.logs import played, stage

pytestmark = pytest.mark.reference
LOGS = {
    "bpi2020_domestic": "BPI2020_DomesticDeclarations.xes.gz",
    "bpi2020_request": "BPI2020_RequestForPayment.xes.gz",
}


def facts(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def log_mapping(name: str) -> PayoutMapping:
    mapping = load_replay_mapping(SHIPPED / f"{name}.yaml")
    assert isinstance(mapping, PayoutMapping)
    return mapping


def asks_for_money(case: Case) -> bool:
    return any((event.amount_minor or 0) > 0 for event in case.events)


def has(case: Case, *deeds: Deed) -> bool:
    return any(event.deed in deeds for event in case.events)


def expected(cases: Sequence[Case]) -> dict[str, int]:
    """Count from the log alone what must pass: a positive amount, asked for, approved after it, then paid."""
    passing = [case for case in cases if asks_for_money(case) and _is_approved(case)]
    paid = [case for case in passing if has(case, Deed.PAID)]
    again = [case for case in paid if has(case, Deed.SEND_BACK, Deed.REJECT, Deed.CANCEL)]
    return {"made": len(paid), "rejected_then_made": len(again)}


def _is_approved(case: Case) -> bool:
    """Say whether an approval stands when the money is asked to leave: requests and rejections void what was before."""
    stands = False
    for event in case.events:
        if event.deed in (Deed.REQUEST, Deed.CANCEL, Deed.REJECT):
            stands = False
        elif event.deed is Deed.APPROVE:
            stands = True
        elif event.deed in (Deed.INSTRUCT, Deed.PAID):
            break
    return stands


def broken(engine: Engine) -> list[str]:
    with reading(engine) as session:
        results = check(session, all_checks(), now=START.replace(year=2030)).results
    return [one.id for one in results if not one.is_ok]


class TestApprovalLogs:
    @pytest.mark.long
    @pytest.mark.parametrize("name", LOGS)
    def test_are_known_whole_to_their_mappings(self, reference_data: Path, name: str) -> None:
        oracle = facts(reference_data / "event_logs", "facts.json")[LOGS[name]]
        log = read_log(reference_data / "event_logs" / LOGS[name], log_mapping(name))
        assert (len(log.cases), log.events) == (oracle["cases"], oracle["events"])
        assert (log.unknown, log.unread) == ({}, [])

    @pytest.mark.parametrize("name", LOGS)
    def test_pay_what_was_approved_and_nothing_else(
        self, reference_data: Path, sqlite_engine: Engine, name: str
    ) -> None:
        mapping = log_mapping(name)
        log = read_log(reference_data / "event_logs" / LOGS[name], mapping, first=150)
        document = played(sqlite_engine, log, mapping, days=31)
        asked = expected(log.cases)
        assert document["payments"]["made"] == asked["made"] > 100
        assert document["rejections"]["made"] == asked["rejected_then_made"] > 5
        assert broken(sqlite_engine) == []

    @pytest.mark.prove
    @pytest.mark.parametrize("name", LOGS)
    def test_agree_with_the_facts_beside_them(self, reference_data: Path, sqlite_engine: Engine, name: str) -> None:
        oracle = facts(reference_data / "event_logs", "conformance_facts.json")[LOGS[name]]
        mapping = log_mapping(name)
        log = read_log(reference_data / "event_logs" / LOGS[name], mapping)
        document = played(sqlite_engine, log, mapping)
        payments, rejections, asked = document["payments"], document["rejections"], expected(log.cases)
        assert document["cases"] == oracle["cases"]
        assert payments["cases"] == oracle["paid"]
        unapproved = oracle.get("paid_without_any_prior_final_approval", 0)
        assert payments["without_approval"] == {"cases": unapproved, "made": 0}
        assert (rejections["cases"], rejections["paid_in_log"]) == (oracle["any_reject"], oracle["rejected_then_paid"])
        assert (payments["made"], rejections["made"]) == (asked["made"], asked["rejected_then_made"])
        unpayable = sum(not asks_for_money(case) for case in log.cases if case.events[0].amount_minor is not None)
        assert unpayable == oracle["amount"]["nonpos"]
        assert broken(sqlite_engine) == []

    def test_show_the_two_payments_that_nobody_approved(self, reference_data: Path, sqlite_engine: Engine) -> None:
        mapping = log_mapping("bpi2020_domestic")
        log = read_log(reference_data / "event_logs" / LOGS["bpi2020_domestic"], mapping)
        log.cases = [case for case in log.cases if has(case, Deed.PAID) and not has(case, Deed.APPROVE)]
        document = played(sqlite_engine, log, mapping)
        assert document["payments"] == {
            "cases": 2,
            "made": 0,
            "refused": 2,
            "first_reasons": {"instruct_not_possible_when_requested": 1, "nothing_requested": 1},
            "without_approval": {"cases": 2, "made": 0},
        }

    def test_say_the_same_as_xes_and_as_csv(self, reference_data: Path) -> None:
        mapping = log_mapping("running_example")
        read = [read_log(reference_data / "event_logs" / f"running-example.{kind}", mapping) for kind in ("xes", "csv")]
        as_xes, as_csv = (
            sorted((case.name, event.activity, event.at, event.person) for case in log.cases for event in case.events)
            for log in read
        )
        assert as_xes == as_csv


NAMES = {"1": "contribution", "2": "commitment", "3": "payment", "4": "payment", "11": "promise"}
RANK = ("promise", "contribution", "commitment", "payment")


class Activity:
    """An activity by arithmetic alone: its award, and each payment with what of it has not come back.

    What came back keeps its share of the award: it is sent again by the same request, until somebody cancels that.
    """

    def __init__(self, award: int) -> None:
        self.award, self.payments = award, list[tuple[int, int]]()

    @property
    def paid(self) -> int:
        return sum(left for _, left in self.payments)

    def refusal(self, kind: str, amount: int) -> str | None:
        """Enter an amount; return the code that a careful treasurer would refuse it with."""
        if kind in ("promise", "contribution"):
            return "amount_out_of_bounds" if amount == 0 else None
        if kind == "commitment":
            return "award_comes_to_nothing" if self.award <= 0 else "amount_not_positive" if amount == 0 else None
        return self._payment(amount) if amount >= 0 else self._return(-amount)

    def _payment(self, amount: int) -> str | None:
        if self.award <= 0:
            return "nothing_awarded"
        if amount == 0:
            return "amount_not_positive"
        if sum(whole for whole, _ in self.payments) + amount > self.award:
            return "milestone_exceeded"
        self.payments.append((amount, amount))
        return None

    def _return(self, amount: int) -> str | None:
        for place, (whole, left) in reversed(list(enumerate(self.payments))):
            if left >= amount:
                self.payments[place] = whole, left - amount
                return None
        return "nothing_to_return"


def reckoned(path: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Return (place of each entry that must be refused -> code, currency -> what is paid in the end), from the file."""
    unpacked = gzip.open if path.suffix == ".gz" else open
    with unpacked(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(enumerate(csv.DictReader(file), start=2))
    entries = []
    for number, row in rows:
        kind = NAMES.get(row["transaction_transaction_type_code"])
        if kind is not None:
            currency = row["transaction_value_currency"] or row["default_currency"]
            units = Decimal(row["transaction_value"]) * (1 if currency == "JPY" else 100)
            amount = int(units.quantize(Decimal(1), ROUND_HALF_UP))
            day = row["transaction_transaction_date_iso_date"][:10]
            entries.append((day, RANK.index(kind), number, row["iati_identifier"], amount, currency))
    awards: Counter[str] = Counter()
    for _, rank, _, name, amount, _ in entries:
        awards[name] += amount if RANK[rank] == "commitment" else 0
    activities = {name: Activity(awards[name]) for _, _, _, name, _, _ in entries}
    refused = {
        f"row {number}": code
        for _, rank, number, name, amount, _ in sorted(entries)
        if (code := activities[name].refusal(RANK[rank], amount)) is not None
    }
    paid: Counter[str] = Counter()
    for name, currency in {(name, currency) for _, _, _, name, _, currency in entries}:
        paid[currency] += activities[name].paid
    return refused, {currency: amount for currency, amount in paid.items() if amount}


def played_out(outcome: Outcome, engine: Engine) -> tuple[dict[str, str], dict[str, int]]:
    """Return the same of what the verbs did, and of the accounts that they left."""
    with reading(engine) as session:
        sql = "SELECT currency, sum(balance_minor) FROM v_account WHERE kind = 'paid' GROUP BY currency"
        paid = {row[0]: int(row[1]) for row in session.execute(text(sql)) if row[1]}
    return {entry.place: reasons[0].code for entry, reasons in outcome.judged if reasons}, paid


OF_VERSION_1 = {"IF": "1", "C": "2", "D": "3", "E": "4"}
"""Types of transactions in IATI 1.0x -> 2.03, as the standard's own table has them."""


def flattened(folder: Path, out: Path) -> Path:
    """Write the activities of publishers' XML files as the flat table that donors publish, in words of IATI 2.03."""
    columns = (
        *("iati_identifier", "transaction_transaction_type_code", "transaction_transaction_date_iso_date"),
        *("transaction_value", "transaction_value_currency", "default_currency"),
    )
    with out.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        for path in sorted(folder.glob("*.xml")):
            root = ElementTree.parse(path).getroot()
            assert root is not None
            for activity in root.iter("iati-activity"):
                name, currency = activity.findtext("iati-identifier", "").strip(), activity.get("default-currency", "")
                for one in activity.iter("transaction"):
                    kind, value, day = (one.find(tag) for tag in ("transaction-type", "value", "transaction-date"))
                    assert kind is not None
                    assert value is not None
                    assert day is not None
                    code = OF_VERSION_1[kind.attrib["code"]]
                    amount = [(value.text or "").strip(), value.get("currency", ""), currency]
                    rows.writerow([name, code, day.attrib["iso-date"], *amount])
    return out


class TestFundRegister:
    @pytest.mark.prove
    def test_of_four_publishers_agrees_with_plain_arithmetic(
        self, reference_data: Path, sqlite_engine: Engine, tmp_path: Path
    ) -> None:
        path = flattened(reference_data / "iati" / "xml", tmp_path / "register.csv")
        mapping = load_replay_mapping(SHIPPED / "iati_transactions.yaml")
        assert isinstance(mapping, FundMapping)
        register = read_register(path, mapping)
        outcome = play_register(register, stage(sqlite_engine))
        stated = facts(reference_data / "iati", "facts.json")["xml"].values()
        assert len(register.entries) == sum(one["transactions"] for one in stated)
        found = played_out(outcome, sqlite_engine)
        assert found == reckoned(path)
        assert Counter(found[0].values()) == {
            "nothing_awarded": 201,
            "nothing_to_return": 24,
            "milestone_exceeded": 7,
            "amount_out_of_bounds": 1,
        }
        assert broken(sqlite_engine) == []

    @pytest.mark.long
    def test_agrees_with_the_facts_beside_it_and_with_plain_arithmetic(
        self, reference_data: Path, sqlite_engine: Engine
    ) -> None:
        oracle = facts(reference_data / "iati", "facts.json")["transactions"]
        mapping = load_replay_mapping(SHIPPED / "iati_transactions.yaml")
        assert isinstance(mapping, FundMapping)
        register = read_register(reference_data / "iati" / "transactions.csv.gz", mapping)
        outcome = play_register(register, stage(sqlite_engine))
        assert played_out(outcome, sqlite_engine) == reckoned(reference_data / "iati" / "transactions.csv.gz")
        document = fund_document(register, mapping, outcome)
        assert (document["entries"], document["activities"]) == (oracle["transactions"], oracle["activities"])
        assert document["negative"]["entries"] == oracle["negative_values"]
        assert document["negative"] == {"entries": 43, "accepted": 4, "refused": 4, "left_out": 35}
        assert document["awards"] == {
            "positive": oracle["activities_with_positive_commitment"],
            "paid_more": oracle["paid_more_than_committed"],
            "paid_exactly": oracle["paid_exactly_committed"],
        }
        without = [one["activity"] for one in document["refused"] if _codes(one) == ["award_comes_to_nothing"]]
        assert len(set(without)) == oracle["commitment_sums_to_zero_but_paid"]
        over = [one["activity"] for one in document["refused"] if _codes(one) == ["milestone_exceeded"]]
        assert len(over) == oracle["paid_more_than_committed"]
        assert document["by_kind"]["payment"]["reasons"] == {
            "amount_not_positive": 2,
            "milestone_exceeded": 1,
            "nothing_awarded": 58,
            "nothing_to_return": 4,
        }
        assert broken(sqlite_engine) == []


def _codes(refused: Any) -> list[str]:
    return [reason["code"] for reason in refused["reasons"]]
