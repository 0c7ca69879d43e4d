"""A bank that others have written (PyPI `mock-bank`), as a process of its own on loopback."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.conftest import skip_or_fail

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is reached without whatever proxy the machine is told of."""


@dataclass(frozen=True, slots=True)
class MockBank:
    """A running bank: it takes files from one folder and leaves its messages in another."""

    url: str
    out: Path
    inbox: Path

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the bank's control plane."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
        with _DIRECT.open(request, timeout=30) as answer:
            return json.loads(answer.read())

    def opens(self, account: str, balance_minor: int) -> None:
        """Hold an account of ours, and none of those that the bank begins with."""
        for name in ("ACME", "GLOBEX", "EURODIS"):
            self.call("PATCH", f"/_mock/accounts/{name}", {"closed": True})
        terms = {"id": "FUND", "iban": account, "currency": "CNY", "balance": balance_minor, "name": "中试基金一期"}
        self.call("POST", "/_mock/accounts", terms)

    def takes(self) -> list[dict[str, Any]]:
        """Have it take the files that lie there; return what it says of each."""
        found: list[dict[str, Any]] = self.call("POST", "/_mock/drop/scan")["files"]
        return found

    def waits(self, days: int = 1) -> None:
        """Let days of the bank pass: it books, notifies and states."""
        self.call("POST", f"/_mock/advance?days={days}")


@contextmanager
def mock_bank(folder: Path, clock: str) -> Iterator[MockBank]:
    """Start the bank at this time of its own, on a port that is free, and end it by its id."""
    if find_spec("mockbank") is None:
        skip_or_fail("mock-bank is not installed: it comes with the extra `test`")
    out, inbox = folder / "out", folder / "in"
    out.mkdir(parents=True)
    inbox.mkdir()
    # It looks into its folder when it is told to, not by itself.
    words = ("--port", "0", "--drop-settle-ms", "0", "--drop-interval-ms", "3600000")
    time = ("--timezone", "Asia/Shanghai", "--clock", clock)
    folders = ("--drop-dir", str(out), "--pickup-dir", str(inbox))
    command = [sys.executable, "-m", "mockbank", *words, *time, *folders]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:[0-9]+", said)
            assert found, said
            yield MockBank(found[0], out, inbox)
        finally:
            process.terminate()
