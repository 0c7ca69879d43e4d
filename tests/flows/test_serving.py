"""The process tree: real children, a real page server, and an end that leaves nobody behind."""

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows import serving
from flows.serving import Answers, Child, free_port, page_server, watch

STAYS = "import signal, sys, time; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({mark!r}, 'w').close(); signal.pause()"


def until(is_true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that another process does; fail when it never comes."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def child(code: str) -> Child:
    return Child(name="c", argv=(sys.executable, "-c", code))


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def watched() -> Iterator[Callable[[Child], None]]:
    """Keep a child running in a thread of its own; end everything at the end of the test."""
    stopped, threads = threading.Event(), []

    def begin(one: Child) -> None:
        thread = threading.Thread(target=watch, args=([one], stopped))
        thread.start()
        threads.append(thread)

    yield begin
    stopped.set()
    for thread in threads:
        thread.join(30)


class TestATree:
    def test_starts_a_child_again_that_was_killed(self, watched: Callable[[Child], None]) -> None:
        one = child(STAYS)
        watched(one)
        until(lambda: one.process is not None)
        first = one.process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: one.process is not None and one.process is not first)
        assert one.ends == 1

    def test_waits_longer_each_time_one_ends_by_itself(self) -> None:
        one = child("")
        pauses = []
        for _ in range(7):
            one.start()
            assert one.process is not None
            one.process.wait(30)
            one.look(100.0)
            pauses.append(one.start_at - 100.0)
        assert pauses == [1, 2, 4, 8, 16, 30, 30]

    def test_ends_a_child_that_will_not_end(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(serving, "STOP_SECONDS", 0.2)
        mark = tmp_path / "up"
        one = child(STUBBORN.format(mark=str(mark)))
        one.start()
        until(mark.exists)
        assert one.process is not None
        one.stop()
        assert is_gone(one.process.pid)

    def test_ends_its_children_with_itself(self, watched: Callable[[Child], None]) -> None:
        one = child(STAYS)
        stopped = threading.Event()
        thread = threading.Thread(target=watch, args=([one], stopped))
        thread.start()
        until(lambda: one.process is not None)
        process = one.process
        stopped.set()
        thread.join(30)
        assert process is not None
        assert is_gone(process.pid)


class TestThePages:
    @pytest.fixture
    def address(self) -> Iterator[str]:
        answers = Answers(
            ready=lambda: (False, {"ok": False, "schema": "old", "frozen": False}), figures=lambda: "a 1\n"
        )
        server = page_server(answers, 0)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.server_close()
        thread.join()

    def test_say_that_the_process_is_there(self, address: str) -> None:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            assert json.load(answer) == {"ok": True}

    def test_say_why_it_is_not_ready(self, address: str) -> None:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/readyz", timeout=5)
        assert refused.value.code == 503
        assert json.load(refused.value)["schema"] == "old"

    def test_give_the_figures(self, address: str) -> None:
        with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
            assert answer.read() == b"a 1\n"
            assert answer.headers["Content-Type"].startswith("text/plain")

    def test_give_no_figures_while_the_database_is_away(self) -> None:
        def away() -> str:
            raise RuntimeError("postgresql://me:secret@db")

        server = page_server(Answers(ready=lambda: (True, {}), figures=away), 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{server.server_address[1]}/metrics", timeout=5)
        server.shutdown()
        server.server_close()
        assert (refused.value.code, refused.value.read()) == (503, b"# RuntimeError\n")

    def test_know_no_others(self, address: str) -> None:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/", timeout=5)
        assert refused.value.code == 404
        refused.value.close()


class TestAFreePort:
    def test_can_be_listened_on(self) -> None:
        server = page_server(Answers(ready=lambda: (True, {}), figures=str), free_port())
        server.server_close()
