"""A list as a file: the rows of the page, the words of the reader, nothing that a spreadsheet takes for a formula."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from openpyxl import load_workbook

from lifecycle.projects.registration import RegisterProject
from tests.factories import House, key, projects
from tests.lifecycle.recipes import RECIPES
from tests.web.browser import Browser, Page
from web.listing import Column, Listing, Row
from web.render import Words

NASTY = '=HYPERLINK("http://x.example","ok")'


@pytest.fixture
def nasty(house: House) -> str:
    """Give a project whose name a spreadsheet could take for a formula."""
    house.do(
        RegisterProject(
            command_id=key(),
            programme_id=house.programmes["bare"],
            name=NASTY,
            received_on=house.today,
            organisation_id=house.parties["sme"],
            platform_id=house.parties["platform"],
        ),
        by="coordinator",
    )
    return NASTY


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


MONEY = ("agreements", "recoveries", "payees", "payouts", "payment-batches", "statements", "exceptions", "funds")


class TestListsOfMoney:
    @pytest.mark.parametrize("path", MONEY)
    def test_are_told_as_files(self, path: str, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("accountant")
        told = [visitor.ask("GET", f"/{path}.{form}") for form in ("json", "csv", "xlsx")]

        assert [one.status_code for one in told] == [200, 200, 200]
        assert "CSV" in visitor.open(f"/{path}").text or not told[0].json()["data"]

    def test_of_payees_begin_with_those_that_wait_and_go_on_page_by_page(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        house.do(*RECIPES["payee_account.propose"].make(house, 60), by=RECIPES["payee_account.propose"].by)
        visitor = signed_in("accountant")

        every = visitor.ask("GET", "/payees.json").json()["data"]
        first = visitor.open("/payees")
        second = visitor.follow("Next page")

        assert [row["status"] for row in every[:60]] == ["proposed"] * 60
        assert len(set(_accounts(first)) | set(_accounts(second))) == len(every)
        assert not set(_accounts(first)) & set(_accounts(second))


def _accounts(page: Page) -> list[str]:
    return [target for _, target in page.links if target.startswith("/payees/")]


class TestAList:
    def test_as_csv_has_the_rows_and_words_of_the_page(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 3)

        answer = signed_in("coordinator").ask("GET", "/projects.csv")

        found = rows_of(answer.text)
        assert (answer.headers["content-type"], len(found)) == ("text/csv; charset=utf-8", 3)
        assert {row["Stage"] for row in found} == {"Intake"}

    def test_as_a_file_has_what_a_page_leaves_to_the_next(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 52)

        answer = signed_in("coordinator").ask("GET", "/projects.json")

        assert len(answer.json()["data"]) == 52

    def test_as_a_file_keeps_the_filters(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 2)
        visitor = signed_in("coordinator")

        assert visitor.ask("GET", "/projects.json?stage=handoff").json() == {"data": []}
        assert len(visitor.ask("GET", "/projects.json?stage=intake").json()["data"]) == 2

    def test_as_a_file_has_nothing_of_others(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 2)

        assert signed_in("stranger").ask("GET", "/projects.json").json() == {"data": []}

    def test_as_csv_neutralises_formulas(self, signed_in: Callable[..., Browser], nasty: str) -> None:
        (row,) = rows_of(signed_in("coordinator").ask("GET", "/projects.csv").text)

        assert row["Name"] == f"'{nasty}"

    def test_as_xlsx_has_texts_not_formulas(self, signed_in: Callable[..., Browser], nasty: str) -> None:
        content = signed_in("coordinator").ask("GET", "/projects.xlsx").content

        sheet = load_workbook(io.BytesIO(content)).active
        assert sheet is not None
        assert [(cell.value, cell.data_type) for cell in sheet[2][1:2]] == [(nasty, "s")]

    def test_as_a_calendar_has_a_day_for_each_dated_row(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 2)

        content = signed_in("coordinator").ask("GET", "/projects.ics").content

        assert len(icalendar.Calendar.from_ical(content).walk("VEVENT")) == 2

    @pytest.mark.parametrize("path", ["/projects.pdf", "/ops/runs.ics", "/admin/people.exe"])
    def test_is_told_as_nothing_else(self, signed_in: Callable[..., Browser], path: str) -> None:
        assert signed_in("admin").ask("GET", path).status_code == 404

    def test_offers_its_files_on_the_page(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house)

        page = signed_in("coordinator").open("/projects?stage=intake")

        assert page.link("CSV") == "/projects.csv?stage=intake"


class TestACell:
    @pytest.mark.parametrize(
        ("kind", "value", "said"),
        [
            ("text", None, "–"),
            ("number", 12345, "12,345"),
            ("money", 50_000_000, "¥500,000.00"),
            ("yes", False, "no"),
            ("day", date(2025, 7, 8), "2025-07-08"),
            ("at", datetime(2025, 7, 8, 1, tzinfo=UTC), "2025-07-08 09:00"),
            ("list", ["a", "b"], "a, b"),
            ("words", ["payer"], "payer"),
        ],
    )
    def test_is_shown_as_people_read_it(self, kind: str, value: Any, said: str) -> None:
        row: Row = {"role": value}

        assert Words("en", ZoneInfo("Asia/Shanghai")).shown(Column(key="role", kind=kind), row) == said

    def test_of_a_list_without_days_is_in_no_calendar(self) -> None:
        assert "ics" not in Listing(name="x", columns=(), rows=()).forms
        assert "ics" in Listing(name="x", columns=(), rows=(), day="day").forms


def test_json_is_one_document(house: House, signed_in: Callable[..., Browser]) -> None:
    projects(house)

    text = signed_in("coordinator").ask("GET", "/projects.json").text

    assert json.loads(text)["data"][0]["stage"] == "intake"
