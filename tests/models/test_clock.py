"""Clocks tell aware UTC, and say so when they cannot."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.clock import FileClock, FixedClock, SystemClock, clock_from
from models.ports import OutsideError

NINE_IN_SHANGHAI = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class TestClockFrom:
    def test_reads_the_machines_clock(self) -> None:
        assert isinstance(clock_from("system"), SystemClock)
        assert clock_from("system").now().utcoffset() == timedelta(0)

    @pytest.mark.parametrize("text", ["2026-03-02T01:00:00Z", "2026-03-02T09:00:00+08:00"])
    def test_reads_a_fixed_instant_in_any_offset(self, text: str) -> None:
        found = clock_from(text).now()
        assert found == NINE_IN_SHANGHAI
        assert found.tzinfo is UTC

    @pytest.mark.parametrize("wrong", ["2026-03-02T01:00:00", "2026-03-02", "now", "", "System"])
    def test_refuses_an_instant_without_a_place_and_other_words(self, wrong: str) -> None:
        with pytest.raises(ValueError, match=r"offset|isoformat"):
            clock_from(wrong)


class TestFixedClock:
    def test_stands_until_it_is_set(self) -> None:
        clock = FixedClock(NINE_IN_SHANGHAI)
        assert clock.now() == clock.now() == NINE_IN_SHANGHAI

        clock.at += timedelta(days=1)

        assert clock.now() == NINE_IN_SHANGHAI + timedelta(days=1)


class TestFileClock:
    def test_reads_the_file_at_each_use(self, tmp_path: Path) -> None:
        path = tmp_path / "now"
        clock = clock_from(f"file:{path}")
        path.write_text("2026-03-02T01:00:00Z\n")
        assert clock.now() == NINE_IN_SHANGHAI

        path.write_text("2026-03-03T01:00:00Z")

        assert clock.now() == NINE_IN_SHANGHAI + timedelta(days=1)

    @pytest.mark.parametrize("content", [b"", b"tomorrow", b"2026-03-02T01:00:00", b"\xff\xfe"])
    def test_says_which_file_it_cannot_read(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "now").write_bytes(content)
        with pytest.raises(OutsideError, match=r"clock file .*now"):
            FileClock(tmp_path / "now").now()

    def test_says_that_the_file_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(OutsideError, match="No such file"):
            FileClock(tmp_path / "now").now()
