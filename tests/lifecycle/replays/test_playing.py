"""What becomes of the acts of a log: the same verbs, people and reasons as in a real database."""

from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlalchemy import Engine

from lifecycle.invariants.check import all_checks, check
from lifecycle.replays.log import read_log
from models.db import make_engine, reading
from tests.factories import START
from tests.lifecycle.replays.logs import event, mapping, played, report, steps, trace, xes

GOOD = ("ask", "check", "pass", "run", "paid")


@pytest.fixture
def dry(sqlite_engine: Engine) -> Engine:
    """Give an empty database at head."""
    return sqlite_engine


def first_reasons(document: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Return (case, activity, codes) of what was refused."""
    return [
        (one["case"], one["activity"], [reason["code"] for reason in one["reasons"]])
        for one in document["refused_first"]
    ]


class TestCasesThatPass:
    @pytest.mark.parametrize(
        "activities",
        [
            GOOD,
            ("ask", "pass", "paid"),
            ("ask", "back", "ask", "pass", "paid"),
            ("ask", "pass", "ask", "pass", "paid"),
            ("ask", "no", "ask", "pass", "paid"),
            ("ask", "back", "drop", "ask", "pass", "paid"),
            ("look", "ask", "check", "look", "pass", "run", "paid"),
        ],
    )
    def test_are_paid_without_a_refusal(self, dry: Engine, tmp_path: Path, activities: tuple[str, ...]) -> None:
        document = report(dry, xes(tmp_path, steps("c1", *activities)))
        assert (document["ended"], document["acts"]["refused"]) == ({"paid": 1}, 0)
        assert document["payments"]["made"] == 1

    def test_are_paid_once_more_after_the_bank_sent_the_money_back(self, dry: Engine, tmp_path: Path) -> None:
        activities = ("ask", "pass", "paid", "bounced", "pass", "paid")
        document = report(dry, xes(tmp_path, steps("c1", *activities)))
        assert (document["ended"], document["acts"]["refused"]) == ({"paid": 1}, 0)

    def test_leave_every_invariant_whole(self, dry: Engine, tmp_path: Path) -> None:
        cases = (steps("c1", *GOOD), steps("c2", "ask", "pass", "run"), steps("c3", "ask", "back"), steps("c4", "paid"))
        report(dry, xes(tmp_path, *cases))
        with reading(dry) as session:
            results = check(session, all_checks(), now=START.replace(year=2027)).results
        assert [one.id for one in results if not one.is_ok] == []


class TestCasesThatAreRefused:
    @pytest.mark.parametrize(
        ("activities", "codes"),
        [
            (("paid",), {"paid": "nothing_requested"}),
            (("ask", "paid"), {"paid": "instruct_not_possible_when_requested"}),
            (("ask", "run", "paid"), {"run": "instruct_not_possible_when_requested"}),
            (("ask", "back", "paid"), {"paid": "instruct_not_possible_when_requested"}),
            (("ask", "pass", "back"), {"back": "send_back_not_possible_when_approved"}),
            (("ask", "pass", "paid", "paid"), {"paid": "paid_twice_by_bank"}),
            (("ask", "bounced"), {"bounced": "nothing_instructed"}),
            (("ask", "pass", "pass"), {"pass": "approve_not_possible_when_approved"}),
        ],
    )
    def test_name_the_rule(
        self, dry: Engine, tmp_path: Path, activities: tuple[str, ...], codes: dict[str, str]
    ) -> None:
        found = first_reasons(report(dry, xes(tmp_path, steps("c1", *activities))))
        assert set(codes.items()) <= {(activity, code) for _, activity, reasons in found for code in reasons}

    def test_count_a_payment_that_nobody_approved(self, dry: Engine, tmp_path: Path) -> None:
        document = report(dry, xes(tmp_path, steps("c1", *GOOD), steps("c2", "ask", "run", "paid")))
        assert document["payments"] == {
            "cases": 2,
            "made": 1,
            "refused": 1,
            "first_reasons": {"instruct_not_possible_when_requested": 1},
            "without_approval": {"cases": 1, "made": 0},
        }

    def test_leave_the_others_alone_when_the_bank_contradicts_itself(self, dry: Engine, tmp_path: Path) -> None:
        twice = steps("c1", "ask", "pass", "paid", "paid")
        document = report(
            dry, xes(tmp_path, twice, trace("c2", event("ask", 20), event("pass", 21), event("paid", 22)))
        )
        assert (document["payments"]["made"], document["acts"]["refused"]) == (2, 1)

    @pytest.mark.parametrize("amount", ["0.00", "-5.00"])
    def test_ask_for_no_amount(self, dry: Engine, tmp_path: Path, amount: str) -> None:
        document = report(dry, xes(tmp_path, steps("c1", *GOOD, amount=amount)))
        assert document["ended"] == {"never_requested": 1}
        assert document["payments"]["first_reasons"] == {"amount_not_positive": 1}

    def test_are_passed_by_who_asked(self, dry: Engine, tmp_path: Path) -> None:
        own = event("pass", 2, **{"org:resource": "Li"})
        document = report(dry, xes(tmp_path, trace("c1", event("ask", 1), own, event("paid", 3))))
        (_, activity, codes), *_ = first_reasons(document)
        assert (activity, set(codes)) == ("pass", {"four_eyes", "conflict_of_interest"})
        assert document["payments"]["made"] == 0

    def test_are_passed_with_another_amount(self, dry: Engine, tmp_path: Path) -> None:
        document = report(dry, xes(tmp_path, trace("c1", event("ask", 1), event("pass", 2, amount="99.00"))))
        assert first_reasons(document) == [("c1", "pass", ["amount_differs"])]

    @pytest.mark.parametrize(("asks", "code"), [("certifier", "not_certified"), ("release", "not_released")])
    def test_lack_a_word_that_the_mapping_asks_for(self, dry: Engine, tmp_path: Path, asks: str, code: str) -> None:
        document = report(dry, xes(tmp_path, steps("c1", "ask", "pass", "paid")), asks=[asks])
        assert code in document["acts"]["reasons"]

    def test_have_too_few_approvals(self, dry: Engine, tmp_path: Path) -> None:
        document = report(dry, xes(tmp_path, steps("c1", "ask", "pass", "paid")), approvals=2)
        assert "instruct_not_possible_when_requested" in document["acts"]["reasons"]


class TestReport:
    def test_lists_what_the_mapping_does_not_know_and_what_it_leaves_out(self, dry: Engine, tmp_path: Path) -> None:
        document = report(dry, xes(tmp_path, steps("c1", "ask", "dance", "look", "pass")))
        assert document["unknown"] == [{"activity": "dance", "events": 1}]
        assert document["left_out"] == [
            {"activity": "look", "events": 1, "why": {"zh": "只是看", "en": "Only a look."}}
        ]
        assert document["acts"] == {"accepted": 2, "refused": 0, "reasons": {}}

    def test_counts_each_activity_with_its_reasons(self, dry: Engine, tmp_path: Path) -> None:
        document = report(dry, xes(tmp_path, steps("c1", "ask", "pass"), steps("c2", "pass")))
        assert document["by_activity"] == [
            {"activity": "ask", "act": "request", "accepted": 1, "refused": 0, "reasons": {}},
            {"activity": "pass", "act": "approve", "accepted": 1, "refused": 1, "reasons": {"nothing_requested": 1}},
        ]

    def test_is_the_same_however_many_days_share_a_clock(self, sqlite_template: Path, tmp_path: Path) -> None:
        cases = (steps("c1", *GOOD), steps("c2", "ask", "back", "ask", "pass", "paid"), steps("c3", "ask", "paid"))
        how, reports = mapping(), []
        log = read_log(xes(tmp_path, *cases), how)
        for days in (1, 31):
            path = tmp_path / f"{days}.db"
            copyfile(sqlite_template, path)
            engine = make_engine(str(path))
            reports.append(played(engine, log, how, days=days))
            engine.dispose()
        assert reports[0] == reports[1]
