"""A person's calendar: read back by a library that is not ours; secrets that can be made void."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.access.commands import MakeFeed, RevokeFeed
from lifecycle.people.commands import Delegate, DisableUser
from models.db import reading, run_in_transaction
from models.states import Role
from notifications import feed, preferences
from notifications.asked import Asked, Directory
from notifications.deadlines import DEADLINES
from notifications.feed import DayOf, days_of, written
from notifications.near import near_to
from tests import payments as pay
from tests.factories import VOTERS, House, a_project, hand_in, key, name_members, put_on_hold, reviews

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


def read_back(days: list[DayOf]) -> Any:
    return icalendar.Calendar.from_ical(written(days, name="期限", database_id="db", now=NOW))


def days(house: House, name: str) -> list[DayOf]:
    with reading(house.engine) as session:
        return days_of(session, user(house, name), house.stamp(), "en")


def user(house: House, name: str) -> UUID:
    user_id = house.people[name].user_id
    assert user_id is not None
    return user_id


class TestTheFile:
    def test_says_whole_days_that_block_nobody(self) -> None:
        calendar = read_back([DayOf(uid="a", on=date(2026, 2, 28), summary="期限", is_provisional=True)])
        (event,) = calendar.walk("VEVENT")
        assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2026, 2, 28), date(2026, 3, 1))
        assert (event["UID"], event["DTSTAMP"].dt) == ("a@db", NOW)
        assert (event["STATUS"], event["TRANSP"]) == ("TENTATIVE", "TRANSPARENT")
        assert calendar["X-WR-CALNAME"] == "期限"

    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=120))
    def test_carries_any_title_and_lets_none_begin_a_property(self, title: str) -> None:
        day = DayOf(uid="a", on=date(2026, 3, 2), summary=title)
        content = written([day], name="x", database_id="db", now=NOW)
        assert all(len(line) <= 75 for line in content.split(b"\r\n"))
        (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
        assert str(event["SUMMARY"]) == "".join(char if char.isprintable() else " " for char in title)
        assert set(event) == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "STATUS", "TRANSP"}


class TestTheDays:
    def test_are_those_of_which_one_is_reminded(self, house: House) -> None:
        a_project(house)
        mine = days(house, Role.COORDINATOR)
        assert any("stage due PT-" in one.summary for one in mine)
        assert days(house, "stranger") == []
        assert [one.on for one in mine] == sorted(one.on for one in mine)

    def test_of_a_panel_stand_in_the_calendar_of_everybody_who_sits_there(self, house: House) -> None:
        reviews(house)
        found = {name: days(house, name) for name in VOTERS}
        for name, mine in found.items():
            assert any("review planned" in one.summary for one in mine), name

    def test_name_no_amount(self, house: House) -> None:
        pay.payouts(house, state="approved")
        titles = [one.summary for one in days(house, Role.FUND_MANAGER)]
        assert any("PO-" in one for one in titles)
        assert not any(mark in one for one in titles for mark in ("¥", "CNY", ".00"))

    def test_far_off_are_left_out(self, house: House) -> None:
        a_project(house)
        assert days(house, Role.COORDINATOR)
        house.later(days=feed.BACK.days + 400)
        assert days(house, Role.COORDINATOR) == []


class TestWhoIsNear:
    """What is looked at for a calendar is all that its owner may be told, whoever it is."""

    def test_to_a_deadline_are_all_who_are_told(self, house: House) -> None:
        a_project(house, pack="default")
        projects, _ = reviews(house)
        name_members(house, *projects)
        hand_in(house, a_project(house, pack="lean"))
        put_on_hold(house, a_project(house))
        pay.payouts(house, 2)
        lent = Delegate(
            command_id=key(),
            user_id=user(house, "nobody"),
            role=Role.FUND_MANAGER,
            organisation_id=house.parties["funder"],
            from_on=house.today,
            until_on=house.today,
            reason="leave",
        )
        house.do(lent, by=Role.FUND_MANAGER)

        told: set[tuple[str, str]] = set()
        with reading(house.engine) as session:
            owners = {name: near_to(session, user(house, name), today=house.today) for name in house.people}
            for deadline in DEADLINES:
                rows = session.execute(deadline.open()).all()
                rung = deadline.ladder.rungs[0]
                asked = [Asked(deadline.name, row.object_id, row.project_id, row.fund_id, rung) for row in rows]
                directory = Directory(session, asked, today=house.today)
                people = {one.object_id: {person.user_id for person in directory.told(one)} for one in asked}
                for name, near in owners.items():
                    statement = near.among(deadline)
                    found = set(session.execute(statement).scalars()) if statement is not None else set()
                    mine = {key for key, who in people.items() if near.user_id in who}
                    assert mine <= found, (deadline.name, name)
                    told |= {(deadline.name, name)} if mine else set()

        assert {
            ("stage_due", Role.COORDINATOR),
            ("payout_promise", Role.FUND_MANAGER),
            ("payout_promise", "nobody"),
        } <= told
        assert len({name for name, _ in told}) > len(("stage_due", "payout_promise"))

    def test_is_nobody_of_another_house(self, house: House) -> None:
        a_project(house, pack="default")

        with reading(house.engine) as session:
            near = near_to(session, user(house, "other coordinator"), today=house.today)
            asked = [statement for one in DEADLINES if (statement := near.among(one)) is not None]
            found = [row for statement in asked for row in session.execute(statement)]

        assert (near.projects, near.is_everywhere, found) == ([], False, [])


class TestTheSecret:
    def owner(self, house: House, token: str) -> UUID | None:
        with reading(house.engine) as session:
            return feed.owner_of_feed(session, token)

    def make(self, house: House, name: str = Role.COORDINATOR) -> str:
        token, token_sha256 = feed.new_address()
        house.do(MakeFeed(command_id=key(), user_id=user(house, name), token_sha256=token_sha256), by=name)
        return token

    def test_opens_one_calendar_until_it_is_made_anew_or_revoked(self, each_house: House) -> None:
        first = self.make(each_house)
        me = user(each_house, Role.COORDINATOR)
        assert self.owner(each_house, first) == me
        second = self.make(each_house)
        assert (self.owner(each_house, first), self.owner(each_house, second)) == (None, me)
        each_house.do(RevokeFeed(command_id=key(), user_id=me), by=Role.COORDINATOR)
        assert self.owner(each_house, second) is None

    def test_is_not_what_is_kept(self, house: House) -> None:
        token = self.make(house)
        assert token not in str(house.rows("SELECT * FROM contact_setting"))

    def test_leaves_the_other_settings_alone(self, house: House) -> None:
        me = user(house, Role.COORDINATOR)
        run_in_transaction(house.engine, lambda session: preferences.set_timezone(session, me, "Europe/Berlin"))
        self.make(house)
        with reading(house.engine) as session:
            assert preferences.preferences_of(session, me)["timezone"] == "Europe/Berlin"

    def test_of_a_disabled_account_opens_nothing(self, house: House) -> None:
        token = self.make(house, "nobody")
        house.do(DisableUser(command_id=key(), user_id=user(house, "nobody")), by=Role.ADMIN)
        assert self.owner(house, token) is None
