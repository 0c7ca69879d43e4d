"""The commands of `docs/first-project.md` lead from an empty folder to a project that has passed intake."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "first-project.md").read_text(encoding="utf-8")
LINE = re.compile(r"^(?P<command>\w.*?)(?:\s+# exit (?P<code>\d))?$", re.MULTILINE)


def commands() -> Iterator[tuple[list[str], int]]:
    """Yield the words of every line of the blocks marked `sh`, with the exit code that stands beside it."""
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for found in LINE.finditer(block):
            yield shlex.split(found["command"]), int(found["code"] or 0)


def test_goes_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    said = ""
    for (program, *arguments), code in commands():
        match program:
            case "export":
                monkeypatch.setenv(*arguments[0].split("="))
            case "echo":
                text, _, file = arguments
                Path(file).write_text(text, encoding="utf-8")
            case _:
                assert (run(arguments), arguments) == (code, arguments), capsys.readouterr().err
                said = capsys.readouterr().out

    assert "Feasibility → Small-batch trial" in said
