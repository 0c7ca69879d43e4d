"""The reasons that are chosen from a list or given by Pilotway itself are read as words, in no language as codes."""

from collections.abc import Callable

import pytest

from lifecycle.disbursement.commands import INVARIANT
from lifecycle.endings.commands import OrderRecovery
from lifecycle.endings.rules import REASONS as RECOVERY_REASONS
from lifecycle.funds.rules import HOLD_REASONS as FUND_HOLD_REASONS
from lifecycle.projects.rules import HOLD_REASONS, RECYCLE_REASONS, STOP_REASONS
from lifecycle.trials.commands import AddIssue
from models.states import FindingKind, ProjectState, Role
from notifications.words import LANGUAGES, is_known, title
from tests.factories import House, a_project, key
from tests.lifecycle.ending_recipes import paid, settle
from tests.web.browser import Browser

CODES = {
    "reason": (*HOLD_REASONS, *FUND_HOLD_REASONS, INVARIANT, "decision", "contradiction"),
    "recycle_reason": RECYCLE_REASONS,
    "stop_reason": STOP_REASONS,
    "recovery": RECOVERY_REASONS,
    "own_reason": ("hold", "closed", "settled", "calendar"),
}


@pytest.mark.parametrize("kind", CODES)
def test_every_code_has_words(kind: str) -> None:
    assert [code for code in CODES[kind] if not is_known(f"{kind}.{code}")] == []


@pytest.fixture(params=LANGUAGES)
def opened(request: pytest.FixtureRequest, signed_in: Callable[..., Browser]) -> Callable[[str, str], str]:
    """Give the text of a page as somebody sees it in one of the languages."""
    return lambda login, path: signed_in(login, lang=request.param).open(path).text


@pytest.fixture
def said(request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    """Give the words of a code in the language of the page."""
    lang = request.node.callspec.params["opened"]
    return lambda kind, code: title(kind, code, lang)


class TestAPage:
    def test_of_an_act_on_a_recovery_says_why_it_was_ordered(
        self, house: House, opened: Callable[[str, str], str], said: Callable[[str, str], str]
    ) -> None:
        (agreement,) = paid(house, 1)
        command = OrderRecovery(
            command_id=key(), agreement_id=agreement, amount_minor=1_000, code="false_report", reason="why"
        )
        house.do(command, by=Role.FUND_MANAGER)
        number = house.one("SELECT number FROM recovery_order")

        for path in (f"/recoveries/{number}/do/set-off", f"/recoveries/{number}", f"/receipts/{command.command_id}"):
            page = opened(Role.FUND_MANAGER, path)
            assert said("recovery", "false_report") in page
            assert "false_report" not in page

    def test_of_a_tranche_says_that_it_was_given_up_at_the_settlement(
        self, house: House, opened: Callable[[str, str], str], said: Callable[[str, str], str]
    ) -> None:
        house.do(*settle(house, 1), by=Role.FUND_DIRECTOR)
        ref = house.one("SELECT id FROM milestone WHERE reason = 'settled' ORDER BY id LIMIT 1")

        assert said("own_reason", "settled") in opened(Role.FUND_MANAGER, f"/milestones/{ref}")

    def test_of_what_happened_says_for_which_kind_of_reason_an_incident_stopped_the_work(
        self, house: House, opened: Callable[[str, str], str], said: Callable[[str, str], str]
    ) -> None:
        project = a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL)
        issue = AddIssue(
            command_id=key(), project_id=project, kind=FindingKind.INCIDENT, severity=1, title="smoke in the hall"
        )
        house.do(issue, by=Role.EHS_OFFICER)

        page = opened(Role.EHS_OFFICER, f"/receipts/{issue.command_id}")

        assert said("reason", "ehs") in page
        assert " ehs " not in page
