"""The commands of `README.md` do what it says, on the database that `make run` leaves behind."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID = re.compile(r"^(?P<command>pilotway .*?)(?:\s+# exit (?P<code>\d))?$", re.MULTILINE)


def commands() -> Iterator[tuple[str, int]]:
    """Yield every command of the blocks marked `sh`, with the exit code that stands beside it."""
    for block in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        for found in SAID.finditer(block):
            yield found["command"], int(found["code"] or 0)


def run(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from cli.main import main; main()", *shlex.split(command)[1:]]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PILOTWAY_")}
    environment = {**clean, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    return subprocess.run(program, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder in which the demo was played."""
    played = run("pilotway demo", tmp_path)
    assert played.returncode == 0, played.stderr
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_first_five_minutes_go_as_written(home: Path) -> None:
    shown = {}
    for command, code in commands():
        done = run(command, home)
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        shown[command] = done.stdout

    assert "  14/14  " in shown["pilotway gate check PT-2025-0014"], "the last check finds all of them met"


def test_its_two_commands_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets == ["run", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
