"""Standards, portfolio, audit, platforms, codes, help: what people look up."""

from collections.abc import Callable

import pytest

from lifecycle.people.commands import GrantRole
from models.states import ProjectState, Role
from tests.factories import House, key, projects
from tests.web.browser import Browser


class TestStandards:
    def test_are_listed_shown_and_exported(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("payer")
        first = visitor.ask("GET", "/standards.json").json()["data"][0]

        page = visitor.open(f"/standards/{first['code']}/{first['version']}")

        assert (page.status, first["sha256"] in page.text) == (200, True)
        text = visitor.ask("GET", f"{page.path}.yaml").text
        assert text.startswith(f"code: {first['code']}")

    def test_that_nobody_published_are_not_found(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("payer")

        assert visitor.open("/standards/none/v1.0").status == 404
        assert visitor.open("/standards/none/diff/v1.0..v2.0").status == 404


class TestThePortfolio:
    def test_is_for_those_who_steer(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("fund_manager").open("/portfolio").status == 200
        assert signed_in("project_lead").open("/portfolio").status == 403

    def test_counts_what_the_reader_may_see(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 3, stage=ProjectState.FEASIBILITY)
        mine = signed_in("coordinator").ask("GET", "/portfolio.json").json()["data"]
        theirs = signed_in("other.coordinator").ask("GET", "/portfolio.json").json()["data"]

        assert [row["entered"] for row in mine] == [3, 3, 0, 0, 0]
        assert [row["entered"] for row in theirs] == [0, 0, 0, 0, 0]

    def test_tells_no_share_of_fewer_than_ten(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 9, stage=ProjectState.IN_PRODUCTION)

        assert "Too few" in signed_in("coordinator").open("/portfolio").text

    def test_tells_the_share_of_ten_with_its_interval(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 10, stage=ProjectState.IN_PRODUCTION)

        said = signed_in("coordinator").open("/portfolio").text

        assert "100.0% [72.2%–100.0%]" in said  # Wilson, 10 of 10
        assert "Yang Guang Wang" in said

    def test_leaves_out_what_was_received_in_other_months(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 2)
        visitor = signed_in("coordinator")

        entered = [
            visitor.ask("GET", f"/portfolio.json?{query}").json()["data"][0]["entered"]
            for query in ("since=2025-07&until=2025-07", "until=2025-06", "since=2025-08")
        ]

        assert entered == [2, 0, 0]
        assert visitor.open("/portfolio?since=July").status == 422
        assert visitor.open("/portfolio?until=9999-12").status == 200

    def test_gives_each_of_its_drawings_as_a_table_and_a_file_with_the_same_filters(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 3)
        visitor = signed_in("coordinator")

        page = visitor.open("/portfolio?since=2020-01")

        for part, name in (("stages", "entered"), ("conversion", "decided")):
            (row, *_) = visitor.ask("GET", f"/portfolio.json?since=2020-01&part={part}").json()["data"]
            assert name in row
            assert f'href="/portfolio.csv?since=2020-01&amp;part={part}"' in page.answer.text
        assert visitor.ask("GET", "/portfolio.csv?part=money").status_code == 200
        assert visitor.ask("GET", "/portfolio.csv?part=everything").status_code == 404

    def test_says_how_often_a_stage_was_sent_back_where_there_are_enough(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 9)
        visitor = signed_in("coordinator")
        assert "no stage has 10 visits" in visitor.open("/portfolio").text

        projects(house, 1)

        assert "Intake 0% [0%–28%] (0 of 10 visits)" in visitor.open("/portfolio").text

    def test_lists_no_reports_of_strangers(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")

        assert visitor.open("/portfolio/reports").status == 200
        assert visitor.open("/portfolio/reports/none/2025-Q1").status == 404


class TestTheAuditTrail:
    def test_of_an_object_says_whether_its_chain_holds(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (project,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        visitor = signed_in("auditor")
        assert "the chain holds" in visitor.open(f"/audit?q={number.lower()}").text

        with house.engine.begin() as connection:
            for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {row.name}")
            connection.exec_driver_sql("UPDATE audit_record SET body = '{}' WHERE object_type = 'project'")

        assert "the chain is broken" in visitor.open(f"/audit?q={number}").text

    def test_says_what_it_does_not_find(self, signed_in: Callable[..., Browser]) -> None:
        assert "Nothing has the number" in signed_in("auditor").open("/audit?q=PT-1999-0001").text

    @pytest.mark.parametrize("login", ["coordinator", "project_lead", "nobody"])
    def test_is_for_those_who_audit_all(self, signed_in: Callable[..., Browser], login: str) -> None:
        assert signed_in(login).open("/audit").status == 403

    def test_says_where_the_role_of_a_reader_is_held_that_does_not_reach_it(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        who, firm = house.people["nobody"].user_id, house.parties["other firm"]
        house.do(GrantRole(command_id=key(), user_id=who, role=Role.AUDITOR, organisation_id=firm))

        page = signed_in("nobody").open("/audit")

        assert (page.status, "Your role (auditor) reaches other firm only" in page.text) == (403, True)


class TestWhatIsLookedUp:
    @pytest.mark.parametrize("path", ["/help", "/problems", "/problems?q=four", "/problems/four-eyes"])
    def test_without_signing_in(self, browser: Browser, path: str) -> None:
        assert browser.open(path).status == 200

    def test_platforms_tell_figures_and_only_ones_own_projects(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (project,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        path = f"/platforms/{house.parties['platform']}"

        assert number in signed_in("coordinator").open(path).text
        seen = signed_in("stranger").open(path)
        assert (seen.status, number in seen.text) == (200, False)
