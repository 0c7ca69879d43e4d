"""The calendar that programs subscribe to: made, given, renewed and ended by its owner alone; only days are in it."""

import re
from collections.abc import Callable

import icalendar

from lifecycle.people.commands import DisableUser
from models.states import Role
from tests import payments as pay
from tests.factories import House, a_project, key
from tests.web.browser import ADDRESS, Browser
from web.house import FEED_AT_ONCE

PATH = re.compile(r"/calendar/[\w-]{43}\.ics")


def address(visitor: Browser, button: str = "Make an address") -> str:
    """Make an address on the page of preferences, and return its path."""
    visitor.open("/preferences")
    page = visitor.send(button)
    found = PATH.search(page.text)
    assert found, page.text
    return found.group()


def summaries(browser: Browser, path: str) -> list[str]:
    answer = browser.ask("GET", path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return [str(one["SUMMARY"]) for one in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")]


class TestACalendarAddress:
    def test_gives_ones_days_to_a_program_that_has_no_session(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        a_project(house)
        number = house.one("SELECT number FROM project")

        path = address(signed_in("coordinator"))

        assert any(f"stage due {number}" in one for one in summaries(browser, path))
        assert not browser.client.cookies.get("pilotway_session")

    def test_speaks_the_language_of_its_owner(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        a_project(house)
        path = address(signed_in("coordinator"))
        browser.client.cookies.clear()

        assert any("阶段期限" in one for one in summaries(browser, path))

    def test_names_no_amount(self, house: House, browser: Browser, signed_in: Callable[..., Browser]) -> None:
        pay.payouts(house, state="approved")

        found = summaries(browser, address(signed_in(Role.FUND_MANAGER)))

        assert any("PO-" in one for one in found)
        assert not any(mark in one for one in found for mark in ("¥", "CNY", ".00"))

    def test_is_shown_once_and_only_its_hash_is_kept(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        path = address(visitor)

        assert visitor.page.text.count(f"{ADDRESS}{path}") == 1
        assert not PATH.search(visitor.open("/preferences").answer.text)
        assert "There is an address, made 2025-07-08 09:00." in visitor.page.text
        assert path.split("/")[2].removesuffix(".ics") not in str(house.rows("SELECT * FROM contact_setting"))

    def test_is_void_once_there_is_a_newer_one_or_none(
        self, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("coordinator")
        first = address(visitor)
        second = address(visitor, "Make a new address")
        assert [browser.ask("GET", one).status_code for one in (first, second)] == [404, 200]

        visitor.open("/preferences")
        page = visitor.send("Make the address void")

        assert "Make an address" in page.text
        assert "There is an address" not in page.text
        assert browser.ask("GET", second).status_code == 404

    def test_of_a_closed_account_opens_nothing(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        path = address(signed_in("project_lead"))
        closed = DisableUser(command_id=key(), user_id=house.people["project_lead"].user_id)
        house.do(closed, by="admin")

        assert browser.ask("GET", path).status_code == 404

    def test_is_ended_by_no_other_site(self, browser: Browser, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")
        path = address(visitor)
        form = dict(visitor.open("/preferences").form("/preferences/calendar").fields)

        answer = visitor.ask(
            "POST", "/preferences/calendar", data={**form, "word": "end"}, headers={"sec-fetch-site": "cross-site"}
        )

        assert answer.status_code == 403
        assert browser.ask("GET", path).status_code == 200


class TestAProgramThatAsksAgain:
    def test_is_told_that_nothing_changed_until_something_does(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        path = address(signed_in("coordinator"))
        first = browser.ask("GET", path)
        asked = {"if-none-match": first.headers["etag"]}
        assert first.headers["cache-control"] == "private, no-cache"

        again = browser.ask("GET", path, headers=asked)
        a_project(house)
        changed = browser.ask("GET", path, headers=asked)

        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]

    def test_too_often_is_told_when_to_come_again(self, browser: Browser, signed_in: Callable[..., Browser]) -> None:
        path = address(signed_in("coordinator"))
        other = address(signed_in("project_lead"))

        said = [browser.ask("GET", path).status_code for _ in range(FEED_AT_ONCE + 1)]
        refused = browser.ask("GET", path)

        assert said == [200] * FEED_AT_ONCE + [429]
        assert 0 < int(refused.headers["retry-after"]) <= 10
        assert browser.ask("GET", other).status_code == 200

    def test_for_void_addresses_is_stopped_by_its_place(
        self, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        path = address(signed_in("coordinator"))

        said = [browser.ask("GET", f"/calendar/{number:043}.ics").status_code for number in range(FEED_AT_ONCE + 1)]

        assert said == [404] * FEED_AT_ONCE + [429]
        assert browser.ask("GET", path).status_code == 200


class TestReadingACalendar:
    def test_changes_nothing_of_its_owner(
        self, house: House, browser: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        path = address(signed_in("coordinator"))
        tables = ("audit_record", "command_record", "outbox_message", "web_session", "sign_in_attempt")
        before = [house.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]

        assert browser.ask("GET", path).status_code == 200

        assert [house.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before
