"""Every code that a rule can give is given: nothing is written, and the reason is the one expected and no other."""

import ast
import re

import pytest

from lifecycle.errors import PERSONAL_CODES
from notifications.words import sentence
from tests.conftest import ROOT
from tests.digest import changed, digest
from tests.factories import House
from tests.lifecycle.commands import (
    agreement_cases,
    calendar_cases,
    delivery_cases,
    disbursement_cases,
    ending_cases,
    entrance_cases,
    fund_cases,
    payout_cases,
    people_cases,
    project_cases,
    requirement_cases,
    review_cases,
    trial_cases,
)
from tests.lifecycle.commands.codes import codes
from tests.lifecycle.commands.refusals import CASES, Case, all_codes
from tests.notifications.codes import uses
from tests.notifications.test_words import CATALOGUE, SAID_BY_VARIABLE

MODULES = (
    agreement_cases,
    calendar_cases,
    delivery_cases,
    disbursement_cases,
    ending_cases,
    entrance_cases,
    fund_cases,
    payout_cases,
    people_cases,
    project_cases,
    requirement_cases,
    review_cases,
    trial_cases,
)
ASKED_OF_NOBODY = {
    "receipt_day_unknown": "no arrow leads into intake, so nobody asks for its entry",
    "no_such_stage": "asked of the filter of a list, not of a verb (`tests/web/test_board.py`)",
}


MONEY = (
    *("agreements", "banking", "disbursement", "endings", "exceptions", "funds", "ledger", "milestones", "payouts"),
)
SUFFICES = {
    "cancel_call_first": "says what would suffice, and refuses nothing",
    "money_available": "the same",
}
REMARKS = ("contribution_of_nobody", "contribution_without_reference", "subscribed_beyond_size")
"""Said beside an answer: they refuse nothing either (`tests/lifecycle/funds/test_remarks.py`)."""

ON_SEVERAL = ("items_wrong", "more_approvals_needed", "several_currencies", "total_differs")
"""Of one word on several payouts, before any verb is asked (`tests/lifecycle/payouts/test_together.py`)."""


def test_every_code_of_money_is_expected_by_a_test_and_explained_in_both_languages() -> None:
    """Also those of bank files, of pure modules and of flows, which no verb of the table above gives."""
    rooms = (*(f"lifecycle/{room}" for room in MONEY), "flows")
    said = {use.code: use.where for use in uses(*rooms)}
    said |= {code: file for file, codes in SAID_BY_VARIABLE.items() if file.startswith(rooms) for code in codes}
    expected = _words_of_tests() | all_codes(CASES) | set(SUFFICES)

    assert len(said) > 190
    assert {code: where for code, where in said.items() if code not in expected} == {}
    assert [code for code in said if not all(CATALOGUE[code].get(lang) for lang in ("zh", "en"))] == []


def _words_of_tests() -> set[str]:
    """Return every word of every literal text in tests, but for the lists that only name codes."""
    found: set[str] = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.parent.name != "notifications":
            texts = (one.value for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Constant))
            found.update(word for text in texts if isinstance(text, str) for word in text.split())
    return found


def test_every_code_of_every_rule_is_reached() -> None:
    reached = all_codes(CASES)
    missing = {
        code: place
        for code, place in codes().items()
        if code not in reached | {*ASKED_OF_NOBODY, *REMARKS, *ON_SEVERAL}
    }
    assert missing == {}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_is_refused_with_exactly_these_reasons(house: House, case: Case) -> None:
    command = case.arrange(house)
    before = digest(house.engine)

    (answer,) = house.ask(command, by=case.by)

    assert {reason.code for reason in answer.unmet} == set(case.codes)
    written = changed(before, digest(house.engine))
    if PERSONAL_CODES & set(case.codes):
        assert "audit_record" in written or not written
        assert len(written) <= 2
    else:
        assert written == set()
    for reason in answer.unmet:
        said = {sentence(reason.code, reason.values, lang) for lang in ("zh-CN", "en")}
        assert len(said) == 2, "a sentence in each language"
        assert not any(re.search(r"\[[a-z_]+\]", one) for one in said), said
