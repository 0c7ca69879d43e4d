"""The inbox, preferences and a look at a message, from the command line."""

from pathlib import Path

import pytest

from models.db import run_in_transaction
from models.states import Role
from notifications.fan_out import fan_out, waiting
from tests.cli.conftest import Line
from tests.factories import House, a_project, submitted
from tests.notifications.letters import FRAME

AS = ("--as", str(Role.COORDINATOR))


@pytest.fixture
def told(at_home: Line, house: House) -> Line:
    """Give the command line where somebody was told something."""
    submitted(house)
    run_in_transaction(
        house.engine, lambda session: fan_out(session, waiting(session, limit=1000), FRAME, house.stamp())
    )
    return at_home


class TestTheInbox:
    def test_lists_what_one_is_told_with_the_task_marked(self, told: Line) -> None:
        first = told("notify", "list", *AS).rows[0]
        assert first[1] == "!"
        assert "handed in for review" in first[2]
        assert first[3].startswith("pilotway gate check PT-")
        assert "评审" in told("notify", "list", *AS, "--lang", "zh-CN").out

    def test_lists_the_others_beside_a_line_that_cannot_be_read_any_more(self, told: Line, house: House) -> None:
        before = told("notify", "list", *AS).rows
        with house.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE notification SET facts = '{}', kind = 'payout.dreamt' WHERE is_task")
        after = told("notify", "list", *AS).rows
        assert len(after) == len(before)
        assert "payout.dreamt" in {row[2] for row in after}

    def test_what_is_read_is_listed_no_more_unless_asked_for(self, told: Line) -> None:
        before = told("notify", "list", *AS).rows
        assert told("notify", "read", before[0][4], *AS).code == 0
        assert [row[4] for row in told("notify", "list", *AS).rows] == [row[4] for row in before[1:]]
        assert len(told("notify", "list", "--all", *AS).rows) == len(before)
        assert f"{len(before) - 1}" in told("notify", "read", "--all", *AS).err

    def test_nobody_reads_for_somebody_else(self, told: Line) -> None:
        mine = told("notify", "list", *AS).rows[0][4]
        said = told("notify", "read", mine, "--as", "stranger", "--json")
        assert (said.code, said.document["error"]["code"]) == (3, "not_found")
        assert told("notify", "list", *AS).rows[0][4] == mine

    def test_asks_who_one_is(self, told: Line) -> None:
        assert told("notify", "list").code == 4

    @pytest.mark.parametrize("arguments", [(), ("x", "--all"), ("x",)])
    def test_reading_names_messages_or_all(self, told: Line, arguments: tuple[str, ...]) -> None:
        assert told("notify", "read", *arguments, *AS).code == 2


class TestPreferences:
    def test_are_kept_and_shown(self, at_home: Line) -> None:
        given = ("--topic", "payout", "--frequency", "weekly", "--quiet-hours", "22:00-08:00")
        at_home("notify", "preferences", "set", *given, "--timezone", "Europe/Berlin", *AS)
        at_home("notify", "preferences", "set", "--topic", "payout", "--frequency", "daily", *AS)

        found = at_home("notify", "preferences", "list", "--json", *AS).document
        assert found["wishes"] == [{"channel": "email", "topic": "payout", "frequency": "daily"}]
        assert (found["quiet_from"], found["quiet_until"], found["timezone"]) == ("22:00", "08:00", "Europe/Berlin")

        at_home("notify", "preferences", "set", "--quiet-hours", "off", *AS)
        found = at_home("notify", "preferences", "list", "--json", *AS).document
        assert (found["quiet_from"], found["timezone"]) == (None, "Europe/Berlin")

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            (("--topic", "weather", "--frequency", "daily"), "topic_unknown"),
            (("--topic", "payout", "--frequency", "hourly"), "word_unknown"),
            (("--topic", "payout"), "topic_with_frequency"),
            (("--topic", "payout", "--frequency", "daily", "--channel", "feishu"), "digest_by_mail_only"),
            (("--topic", "payout", "--frequency", "never", "--channel", "webhook"), "channel_not_of_people"),
            (("--quiet-hours", "22-8"), "quiet_hours_wrong"),
            (("--quiet-hours", "22:00-22:00"), "quiet_hours_wrong"),
            (("--quiet-hours", "22:00+01:00-08:00"), "quiet_hours_wrong"),
            (("--timezone", "Mars/Base"), "timezone_unknown"),
            ((), "nothing_to_set"),
        ],
    )
    def test_refuse_what_makes_no_sense_and_keep_nothing_of_it(
        self, at_home: Line, given: tuple[str, ...], code: str
    ) -> None:
        said = at_home("notify", "preferences", "set", *given, "--json", *AS)
        assert (said.code, said.document["error"]["unmet"]) == (2, [code])
        found = at_home("notify", "preferences", "list", "--json", *AS).document
        assert (found["wishes"], found["quiet_from"], found["timezone"]) == ([], None, None)


class TestChatAddresses:
    def test_are_shown_by_their_last_four_characters(self, at_home: Line) -> None:
        for url in ("wecombot://first-secret-1111", "wecombot://other-secret-2222"):
            said = at_home("notify", "address", "add", "wecom", url, *AS)
            assert "secret" not in said.out + said.err
        found = at_home("notify", "preferences", "list", "--json", *AS)
        assert found.document["addresses"] == [{"channel": "wecom", "address": "…2222"}]

        assert at_home("notify", "address", "remove", "wecom", *AS).code == 0
        assert at_home("notify", "preferences", "list", "--json", *AS).document["addresses"] == []

    @pytest.mark.parametrize(
        ("channel", "url", "code"),
        [
            ("email", "wecombot://x", "chat_channel_wrong"),
            ("wecom", "no address", "chat_address_wrong"),
            ("wecom", "https://x.example/\nBcc", "chat_address_wrong"),
        ],
    )
    def test_refuse_what_is_none(self, at_home: Line, channel: str, url: str, code: str) -> None:
        said = at_home("notify", "address", "add", channel, url, "--json", *AS)
        assert (said.code, said.document["error"]["unmet"]) == (2, [code])


class TestAPreview:
    def test_shows_the_newest_of_its_kind(self, told: Line) -> None:
        said = told("notify", "preview", "project.submitted")
        assert said.out.startswith("[Rehearsal] [To do] PT-")
        assert "sample" not in said.err

    def test_says_that_it_uses_sample_facts_where_nothing_has_happened(self, at_home: Line) -> None:
        said = at_home("notify", "preview", "payout.paid", "--lang", "zh-CN")
        assert "银行已入账" in said.out
        assert "样例" in said.err

    def test_shows_the_page_of_the_mail_too(self, at_home: Line) -> None:
        assert at_home("notify", "preview", "payout.paid", "--html").out.startswith("<!doctype html>")
        assert set(at_home("notify", "preview", "payout.paid", "--json").document) == {"subject", "text", "html"}

    def test_of_a_kind_that_nobody_knows_lists_the_known_ones(self, at_home: Line) -> None:
        said = at_home("notify", "preview", "payout.dreamt")
        assert said.code == 2
        assert "payout.paid" in said.err


class TestTheCalendar:
    def test_is_written_to_a_file_or_to_stdout(self, told: Line, house: House, tmp_path: Path) -> None:
        a_project(house)
        file = tmp_path / "mine.ics"
        said = told("notify", "calendar", "--out", str(file), *AS)
        assert (said.code, said.out) == (0, "")
        assert file.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
        assert "SUMMARY:阶段期限" in told("notify", "calendar", *AS, "--lang", "zh-CN").out
        assert told("notify", "calendar", *AS, "--json").document["data"]
        assert told("notify", "calendar").code == 4

    def test_has_an_address_that_is_shown_once_and_can_be_made_void(self, told: Line) -> None:
        made = told("notify", "feed", "make", *AS, "--json").document
        assert made["address"].startswith("/calendar/")
        assert made["address"].endswith(".ics")
        assert "is void" in told("notify", "feed", "revoke", *AS).err
        assert "was no address" in told("notify", "feed", "revoke", *AS).err
