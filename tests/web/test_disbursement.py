"""All disbursement in the console: one stops it, two people let it go on; and reasons that are chosen, not typed."""

from collections.abc import Callable

from tests.factories import House, projects
from tests.web.browser import Browser


class TestDisbursement:
    def test_is_stopped_by_one_and_lifted_by_two(self, house: House, signed_in: Callable[..., Browser]) -> None:
        operator = signed_in("operator")
        operator.open("/disbursement/all/do/freeze")
        operator.send("stop disbursement", reason="the bank called", code="decision")
        stopped = operator.open("/disbursement")

        assert "All disbursement is stopped" in stopped.text
        assert "the bank called" in signed_in("payer").open("/payouts").text
        for login in ("accountant", "fund_director"):
            person = signed_in(login)
            person.open("/disbursement/all/do/lift")
            person.send("let disbursement go on", reason="cleared up")
        assert "Disbursement goes on." in operator.open("/disbursement").text
        assert house.one("SELECT COUNT(*) FROM hold WHERE lifted_at IS NULL") == 0

    def test_is_nothing_for_a_firm(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("project_lead").open("/disbursement").status == 404


class TestAReason:
    def test_of_a_hold_is_chosen_from_the_list(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 1)
        number = house.one("SELECT number FROM project")
        visitor = signed_in("coordinator")
        page = visitor.open(f"/projects/{number}/do/hold")

        assert "waiting for a partner" in page.text
        done = visitor.send("put on hold", code="partner", reason="they wait", until_on="2025-08-01")
        assert "Receipt" in done.text
        assert "<svg" in done.answer.text
