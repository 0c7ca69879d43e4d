"""The story from the command line, with the bank that plays along."""

from pathlib import Path

import pytest

from tests.cli.conftest import Line

FIRST_PAYMENT = ("demo", "--at", "2024-09-05")
"""The day on which the first file goes to the bank."""


@pytest.fixture
def home(line: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    """Give the command line in an empty folder, with the sandbox bank."""
    monkeypatch.setenv("PILOTWAY_BANK", "sandbox")
    return line


def files(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).rglob("*.xml"))}


def done(home: Line) -> int:
    return int(home("run", "reconciliation", "--json").document["slots"][-1]["done_count"])


@pytest.mark.long
class TestTheBank:
    def test_goes_on_where_the_story_stands(self, home: Line) -> None:
        assert home(*FIRST_PAYMENT).code == 0
        assert len(files("bank/out")) == 1
        assert home("payout", "list").rows[0][6] == "Instructed"

        assert done(home) == 2  # status report and notice
        assert home("payout", "list").rows[0][6] == "Paid"
        home("demo", "--forward", "1d")
        assert done(home) == 1  # the statement of the day

        closing = home("statement", "list").rows[-1][7]
        assert (closing, home("fund", "show", "ZS-1", "--json").document["cash"]) == ("¥11,520,000.00",) * 2
        assert home("check").code == 0

    def test_begins_anew_with_the_story(self, home: Line) -> None:
        home(*FIRST_PAYMENT)
        first = files("bank")
        done(home)

        assert home(*FIRST_PAYMENT, "--reset").code == 0

        assert files("bank") == first
        assert done(home) == 2

    def test_does_not_begin_among_files_of_others(self, home: Line) -> None:
        Path("bank/in").mkdir(parents=True)
        Path("bank/in/strange.xml").write_bytes(b"<a/>")

        said = home(*FIRST_PAYMENT, "--json")

        assert said.document["error"]["unmet"] == ["demo_needs_empty_folder"]
        assert files("bank/out") == {}


def test_without_it_nothing_is_laid_out(line: Line) -> None:
    assert line(*FIRST_PAYMENT).code == 0

    assert files("bank") == {}
