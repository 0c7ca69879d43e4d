"""Lists without rows: each says what would stand there, why nothing does, and a next step that is open to who reads."""

import re
from collections.abc import Callable

import pytest

from models.states import Role
from notifications.words import is_known
from tests.conftest import ROOT
from tests.factories import House, projects
from tests.web.browser import Browser
from web.empty import STEPS

LISTS = (
    *("/board", "/projects", "/projects/calendar", "/batches", "/portfolio", "/portfolio/reports", "/notifications"),
    *("/payouts", "/payouts?tab=others", "/payouts?tab=approved", "/payouts?tab=instructed", "/payouts?tab=returned"),
    *("/payouts?tab=paid", "/payouts?tab=ended", "/funds", "/agreements", "/recoveries", "/payees", "/my"),
    *("/payment-batches", "/statements", "/exceptions", "/delegations", "/inbox?tab=told", "/inbox?tab=begun"),
    *("/inbox?tab=done", "/ops/runs", "/ops/outbox", "/ops/webhooks", "/admin/programmes", "/admin/invitations"),
)
READERS = (
    *(Role.COORDINATOR, Role.PROJECT_LEAD, Role.FINANCE_OFFICER, Role.FUND_MANAGER, Role.ACCOUNTANT, Role.PAYER),
    *(Role.OPERATOR, Role.AUDITOR, Role.ADMIN, Role.EXPERT),
)
EMPTY = re.compile(r'<div class="empty card gap">(.*?)</div>', re.DOTALL)
LINK = re.compile(r'<a href="([^"#]*)')


class TestAnEmptyList:
    @pytest.mark.parametrize("role", READERS)
    def test_leads_nobody_to_a_closed_door(self, house: House, signed_in: Callable[..., Browser], role: Role) -> None:
        visitor, seen = signed_in(str(role)), set[str]()

        for path in LISTS:
            answer = visitor.ask("GET", path)
            assert answer.status_code in (200, 403), path
            seen |= {link for box in EMPTY.findall(answer.text) for link in LINK.findall(box)}

        assert seen
        assert {link: visitor.ask("GET", link).status_code for link in seen} == dict.fromkeys(seen, 200)

    @pytest.mark.parametrize(
        ("lang", "what", "step"),
        [("en", "There are none: none was registered yet", "Register a project"), ("zh-CN", "尚未登记", "登记项目")],
    )
    def test_says_what_would_be_here_why_nothing_is_and_the_next_step(
        self, signed_in: Callable[..., Browser], lang: str, what: str, step: str
    ) -> None:
        for path in ("/projects", "/board"):
            page = signed_in("coordinator", lang=lang).open(path)

            assert what in page.text
            assert page.link(step) == "/projects/new"

    def test_says_whose_step_it_is_where_the_reader_may_not_take_it(self, signed_in: Callable[..., Browser]) -> None:
        page = signed_in("fund_manager").open("/projects")

        assert "The next step is up to: coordinator, project lead (Register a project)" in page.text
        assert "/projects/new" not in [address for _, address in page.links]

    @pytest.mark.parametrize(
        ("path", "everything"),
        [
            ("/projects?q=zzz", "/projects"),
            ("/payouts?tab=paid&q=zzz", "/payouts?tab=paid"),
            ("/notifications?kind=tasks", "/notifications"),
            ("/platforms?q=zzz", "/platforms"),
        ],
    )
    def test_of_a_filter_that_is_too_narrow_leads_to_everything(
        self, house: House, signed_in: Callable[..., Browser], path: str, everything: str
    ) -> None:
        projects(house)
        page = signed_in("coordinator").open(path)

        assert "the filter is too narrow" in page.text
        assert [address for said, address in page.links if said == "All"][-1] == everything

    def test_of_all_messages_is_no_filter(self, signed_in: Callable[..., Browser]) -> None:
        assert "All that you were told stands here" in signed_in("coordinator").open("/notifications?kind=all").text


class TestTheWords:
    def test_are_there_for_each_list(self) -> None:
        named = set(STEPS) - {"payouts", "my"}
        for path in (ROOT / "web" / "templates").glob("*.html"):
            named |= set(re.findall(r'empties\.box\("([a-z_.]+[a-z])"\)', path.read_text(encoding="utf-8")))

        assert {"board.whole", "my", "delegations"} <= named
        assert [name for name in sorted(named) if not is_known(f"page.{name}.empty")] == []

    def test_are_there_for_each_step(self) -> None:
        said = {step.said for steps in STEPS.values() for step in steps}

        assert [one for one in sorted(said) if not is_known(f"page.{one}")] == []
