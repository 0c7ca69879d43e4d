"""Settlement, recovery and delegation on the command line."""

from uuid import UUID

from tests import payments as pay
from tests.cli.conftest import Line
from tests.factories import House
from tests.lifecycle import ending_recipes as recipes


class TestSettlement:
    def test_is_made_and_shown_with_figures_that_sum(self, at_home: Line, house: House) -> None:
        recipes.stopped(house, 1, 8_000)
        number = house.one("SELECT number FROM agreement")

        said = at_home("agreement", "settle", number, "--reason", "as stated", "--as", "fund_director")

        assert said.code == 0
        shown = at_home("agreement", "statement", number, "--json").document
        came_back = shown["returned_minor"] + shown["recovered_minor"] + shown["set_off_minor"]
        assert shown["net_minor"] == shown["paid_minor"] - came_back + shown["set_off_as_paid_minor"] == 10_000
        assert shown["difference_minor"] == shown["entitlement_minor"] - shown["net_minor"] == -shown["owed_minor"]
        assert at_home("agreement", "statement", number, "--lang", "zh-CN").code == 0


class TestRecovery:
    def test_is_ordered_repaid_and_shown(self, at_home: Line, house: House) -> None:
        recipes.paid(house, 1)
        number = house.one("SELECT number FROM agreement")
        asked = ("--amount", "10.00", "--code", "misuse", "--reason", "why")
        order = at_home("recovery", "order", number, *asked, "--as", "fund_manager", "--json").document["number"]
        line = pay.credited(house, UUID(house.one("SELECT fund_id FROM v_agreement")), 400)
        booked = ("--amount", "4.00", "--bank-ref", "B-1", "--received", "today")
        alone = at_home("recovery", "repay", order, *booked, "--as", "accountant", "--json")
        assert (alone.code, alone.document["error"]["unmet"]) == (3, ["repayment_without_booking"])
        named = ("--statement-line", str(line), "--as", "accountant")
        assert at_home("recovery", "repay", order, *booked, *named).code == 0
        against = ("--milestone", f"{number}/T1", "--amount", "1.00", "--notified", "today", "--reason", "told")
        assert at_home("recovery", "set-off", order, *against, "--as", "fund_manager").code == 0
        assert at_home("recovery", "write-off", order, "--reason", "gone", "--as", "fund_director").code == 0

        shown = at_home("recovery", "show", order, "--json").document

        assert [part["kind"] for part in shown["parts"]] == ["repaid", "set_off"]
        assert (shown["left"], shown["write_off_by"]) == ("¥5.00", "fund_director")
        assert [part["met_on"] for part in shown["parts"]] == ["2025-07-08", "2025-07-08"]
        late = at_home("recovery", "show", order, "--json", "--now", "2025-08-10T04:00:00Z").document
        assert (shown["days_late"], late["days_late"], late["interest"]) == (0, 3, "¥0.00")
        assert at_home("recovery", "list", "--agreement", number).rows[0][0] == order
        assert at_home("recovery", "show", order).code == 0


class TestDelegation:
    def test_is_given_listed_and_ended(self, at_home: Line) -> None:
        days = ("--at", "funder", "--from", "today", "--until", "2025-08-01", "--reason", "leave")

        lent = at_home("user", "delegation", "add", "nobody", "fund_manager", *days, "--as", "fund_manager", "--json")

        known = lent.document["delegation_id"]
        assert at_home("user", "delegation", "list").rows[0][:2] == ["fund_manager", "nobody"]
        assert at_home("user", "delegation", "end", "nobody", known, "--as", "fund_manager").code == 0
        assert at_home("user", "delegation", "list").rows == []
