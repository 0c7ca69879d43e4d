"""The pages that lead a newcomer go as they are written: every command, every exit code, every refusal quoted."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests.conftest import ROOT

BLOCK = re.compile(r"^```sh\n(?P<lines>.*?)^```\n(?:\n(?P<quote>(?:^> [^\n]*\n)+))?", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?P<command>\w.*?)(?:\s+# exit (?P<code>\d))?$", re.MULTILINE)


def commands(page: str) -> Iterator[tuple[list[str], int, list[str]]]:
    """Yield the words of every line of the blocks marked `sh`, its exit code, and what is quoted below its block."""
    for block in BLOCK.finditer((ROOT / "docs" / page).read_text(encoding="utf-8")):
        lines = list(LINE.finditer(block["lines"]))
        for place, found in enumerate(lines, 1):
            quote = re.findall(r"^> (.*)$", block["quote"] or "", re.MULTILINE) if place == len(lines) else []
            yield shlex.split(found["command"]), int(found["code"] or 0), quote


def play(page: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Type a page in; return what its last command said."""
    said = ""
    for (program, *arguments), code, quote in commands(page):
        match program:
            case "export":
                monkeypatch.setenv(*arguments[0].split("="))
            case "echo":
                text, _, file = arguments
                Path(file).write_text(text, encoding="utf-8")
            case "mkdir":
                for folder in arguments[1:]:
                    Path(folder).mkdir(parents=True)
            case _:
                found = run(arguments)
                said, refused = capsys.readouterr()
                assert (found, arguments) == (code, arguments), refused
                assert [line for line in quote if line not in refused] == [], refused
    return said


@pytest.mark.long
def test_the_first_project_and_its_first_payment_go_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    assert "Feasibility → Small-batch trial" in play("first-project.md", monkeypatch, capsys)

    assert "Paid" in play("first-payment.md", monkeypatch, capsys)
