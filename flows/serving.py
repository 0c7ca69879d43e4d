"""`pilotway serve`: one process tree. Children that end are started again; what they do is safe to repeat.

Without Prefect the only child is our own worker. With it there are two: the Prefect server on a SQLite file of its own,
and the runner that it wakes. A small page server answers on the loopback address: health, readiness, figures.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from models.ports import Transient

HOST = "127.0.0.1"
STOP_SECONDS = 10.0
"""How long a child may take to end before it is killed (`docs/contract.md`, section 5)."""
_STDERR = 2
RUNNER = "from flows.prefect_flows import serve_here; serve_here()"
"""Imported, not run as a script: Prefect finds a flow again by its module, and `__main__` is another one elsewhere."""
LONGEST_PAUSE = 30.0
"""Seconds between two starts of a child that ends again and again."""
PREFECT_STARTS_SECONDS = 120.0
"""The first start migrates Prefect's database: 10 to 20 s on an idle machine, more on a busy one."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One process of the tree, and how often it ended by itself."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    ends: int = 0
    start_at: float = 0.0
    """By the monotonic clock: not before."""

    def start(self) -> None:
        """Start it, in a process group of its own: an interrupt from the terminal reaches the tree through us alone.

        What it says goes to stderr: on stdout stands the one line of the tree that is ready.
        """
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            list(self.argv),
            env={**os.environ, **self.environment},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=_STDERR,
        )

    def look(self, moment: float) -> None:
        """Start it again when it ended, after a pause that doubles."""
        if self.process is not None and self.process.poll() is not None:
            self.process, self.ends = None, self.ends + 1
            self.start_at = moment + min(2.0 ** (self.ends - 1), LONGEST_PAUSE)
        if self.process is None and moment >= self.start_at:
            self.start()

    def stop(self) -> None:
        """Ask it to end, wait, and kill its whole group when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the page server says: text and whether all is well."""

    ready: Callable[[], tuple[bool, dict[str, Any]]]
    figures: Callable[[], str]


def own_clock(every_seconds: int) -> Child:
    """Return the child that is the clock where Prefect is not."""
    return Child(name="worker", argv=(sys.executable, "-m", "cli.main", "worker", "--every", str(every_seconds)))


def console(host: str, port: int) -> Child:
    """Return the child that answers people and programs; it and the clock do not know each other."""
    argv = (sys.executable, "-m", "cli.main", "console", "--host", host, "--port", str(port))
    return Child(name="console", argv=argv)


def prefect_children(home: Path, port: int) -> tuple[Child, Child]:
    """Return the Prefect server and the runner that it wakes, both on the loopback address."""
    environment = prefect_environment(home, f"http://{HOST}:{port}/api")
    server = ("-m", "prefect", "server", "start", "--host", HOST, "--port", str(port))
    environment["PREFECT_UI_API_URL"] = environment["PREFECT_API_URL"]
    return (
        Child(name="prefect", argv=(sys.executable, *server), environment=environment),
        Child(name="runner", argv=(sys.executable, "-c", RUNNER), environment=environment),
    )


def prefect_environment(home: Path, api: str) -> dict[str, str]:
    """Return the variables under which Prefect keeps to itself: own folder, no telemetry, no calls outside.

    What runs is remembered in files: kept in memory, a restart of the server would lose it, and end those runs.
    """
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "DO_NOT_TRACK": "1",
    }


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_for_prefect(api: str, server: Child | None = None) -> None:
    """Wait until a Prefect server answers; Transient when it stays silent, or ends where it is a child of ours."""
    until = time.monotonic() + PREFECT_STARTS_SECONDS
    while time.monotonic() < until:
        if server is not None and (server.process is None or server.process.poll() is not None):
            raise Transient("the Prefect server ended while it started; its lines above say why")
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:  # noqa: S310 - as it is set
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise Transient(f"no Prefect server answered at {api} within {PREFECT_STARTS_SECONDS:.0f} s")


def page_server(answers: Answers, port: int) -> ThreadingHTTPServer:
    """Return the server of `/healthz`, `/readyz` and `/metrics` on the loopback address; port 0 takes any."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {"/healthz": self._health, "/readyz": self._ready, "/metrics": self._metrics}
            found = pages.get(self.path.partition("?")[0])
            if found is None:
                self._answer(404, b'{"code":"not_found"}', "application/json")
            else:
                found()

        def _health(self) -> None:
            self._answer(200, b'{"ok":true}', "application/json")

        def _ready(self) -> None:
            is_ready, said = answers.ready()
            self._answer(200 if is_ready else 503, json.dumps(said).encode(), "application/json")

        def _metrics(self) -> None:
            try:
                status, page = 200, answers.figures()
            except Exception as error:  # noqa: BLE001 - a database that is away is a failed scrape, and no traceback
                status, page = 503, f"# {type(error).__name__}\n"
            self._answer(status, page.encode(), "text/plain; version=0.0.4; charset=utf-8")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep still: who asks is nobody's business here."""

    return ThreadingHTTPServer((HOST, port), Page)


def watch(children: Sequence[Child], stopped: threading.Event) -> None:
    """Keep the children running until told to stop; then end them, the last started first."""
    try:
        while not stopped.is_set():
            for child in children:
                child.look(time.monotonic())
            stopped.wait(0.5)
    finally:
        for child in reversed(children):
            child.stop()
