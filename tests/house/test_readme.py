"""The commands of `README.md` do what it says, on the database that `make run` leaves behind."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID = re.compile(r"^(?P<command>pilotway .*?)(?:\s+# exit (?P<code>\d))?$", re.MULTILINE)


def commands() -> Iterator[tuple[str, int]]:
    """Yield every command of the blocks marked `sh`, with the exit code that stands beside it."""
    for block in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        for found in SAID.finditer(block):
            yield found["command"], int(found["code"] or 0)


@pytest.fixture
def home(demonstration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder in which the demo was played."""
    home = tmp_path / "home"
    shutil.copytree(demonstration, home)
    shutil.copy(ROOT / "README.md", home)
    monkeypatch.chdir(home)
    monkeypatch.setenv("LANG", "C.UTF-8")
    return home


@pytest.mark.long
def test_the_first_five_minutes_go_as_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = {}
    for command, code in commands():
        capsys.readouterr()
        done = run(shlex.split(command)[1:])
        shown[command], err = capsys.readouterr()
        assert done == code, f"{command}\n{shown[command]}{err}"

    assert "  14/14  " in shown["pilotway gate check PT-2025-0014"], "the last check finds all of them met"


def test_its_two_commands_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets == ["run", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


class TestTheTwoReadmes:
    ENGLISH, CHINESE = README, (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("what", "pattern"),
        [
            ("headings by level", r"^(#+) "),
            ("commands", r"^(pilotway .*)$"),
            ("targets of make", r"^(?:```\n)?(make \w+)"),
            ("lines to install", r"^(python3 .*|pilotway/bin/pilotway init [\w -]*?) *(?:#|$)"),
            ("settings", r"(PILOTWAY_[A-Z_]+)"),
            ("rows of tables", r"^(\|)"),
        ],
    )
    def test_have_the_same(self, what: str, pattern: str) -> None:
        english, chinese = (re.findall(pattern, text, re.MULTILINE) for text in (self.ENGLISH, self.CHINESE))

        assert english, what
        assert chinese == english

    def test_lead_to_the_same_places_each_in_its_language(self) -> None:
        english, chinese = (set(re.findall(r"\]\(([^)]+)\)", text)) for text in (self.ENGLISH, self.CHINESE))

        assert {_without_language(one) for one in english} == {_without_language(one) for one in chinese}
        assert [one for one in english | chinese if "://" not in one and not (ROOT / one).exists()] == []

    def test_show_few_and_small_pictures_that_are_all_used(self) -> None:
        shown = set(re.findall(r"\]\((docs/pictures/[^)]+)\)", self.ENGLISH + self.CHINESE))
        kept = {str(path.relative_to(ROOT)): path.stat().st_size for path in (ROOT / "docs" / "pictures").iterdir()}

        assert shown == set(kept)
        assert len(kept) <= 8
        assert max(kept.values()) < 100_000


def _without_language(place: str) -> str:
    return re.sub(r"\.(zh-CN|en)(?=\.)", "", place)
