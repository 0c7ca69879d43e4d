"""A password from the terminal goes by the same rule as one from a page."""

import io

import pytest

from tests.cli.conftest import Line
from tests.factories import House


class TestAPasswordFromTheTerminal:
    @pytest.mark.parametrize(
        ("typed", "lang", "said"),
        [
            ("too short", "en", "12 to 128"),
            ("qwerty123456", "en", "have leaked"),
            ("coordinator-1", "zh-CN", "太容易猜到"),
            ("platform-2026!", "en", "organisation"),
        ],
    )
    def test_is_refused_by_the_rule_of_the_pages_and_nothing_is_written(
        self, house: House, at_home: Line, monkeypatch: pytest.MonkeyPatch, typed: str, lang: str, said: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))

        done = at_home("user", "password", "coordinator", "--as", "admin", "--lang", lang)

        assert (done.code, said in done.err) == (2, True), done.err
        assert house.one("SELECT count(*) FROM credential") == 0

    def test_is_set_when_it_is_good(self, house: House, at_home: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))

        done = at_home("user", "password", "coordinator", "--as", "admin")

        assert done.code == 0, done.err
        assert house.one("SELECT is_to_change FROM credential") == 1
