"""Every code that a rule can give is given: nothing is written, and the reason is the one expected and no other."""

import re

import pytest

from lifecycle.errors import PERSONAL_CODES
from notifications.words import sentence
from tests.digest import changed, digest
from tests.factories import House
from tests.lifecycle.commands import (
    agreement_cases,
    disbursement_cases,
    ending_cases,
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

MODULES = (
    agreement_cases,
    disbursement_cases,
    ending_cases,
    fund_cases,
    payout_cases,
    people_cases,
    project_cases,
    requirement_cases,
    review_cases,
    trial_cases,
)
ASKED_OF_NOBODY = {"receipt_day_unknown": "no arrow leads into intake, so nobody asks for its entry"}


def test_every_code_of_every_rule_is_reached() -> None:
    reached = all_codes(CASES)
    missing = {code: place for code, place in codes().items() if code not in reached | set(ASKED_OF_NOBODY)}
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
