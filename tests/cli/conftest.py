"""The command line on a world of one's own: run in this process, or as a program of its own where streams matter."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.main import run
from tests.conftest import ROOT
from tests.factories import House


@dataclass(frozen=True)
class Said:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The tab-separated lines on stdout below their headings."""
        return [line.split("\t") for line in self.out.splitlines()][1:]


@dataclass(frozen=True)
class Line:
    """The command line, in this process."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Said:
        """Run a command in English, unless it says another language."""
        self.capture.readouterr()
        code = run([*arguments])
        out, err = self.capture.readouterr()
        return Said(code, out, err)


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Line:
    """Give the command line without a database; what it writes lands in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("PILOTWAY_DB", str(tmp_path / "pilotway.db"))
    return Line(capsys)


@pytest.fixture
def at_home(line: Line, house: House, monkeypatch: pytest.MonkeyPatch) -> Line:
    """Give the command line on the world's database, on the world's day."""
    monkeypatch.setenv("PILOTWAY_DB", str(house.engine.url.database))
    monkeypatch.setenv("PILOTWAY_CLOCK", house.now.isoformat())
    return line


@pytest.fixture
def program(line: Line) -> Callable[..., Said]:
    """Give the program as a process of its own, with the settings of the line."""

    def start(*arguments: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-c", "from cli.main import main; main()", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return start
