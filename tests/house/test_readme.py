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
