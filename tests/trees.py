"""Real processes and what they start: for tests and for `deploy/cluster.py`. Only what one started oneself is ended."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def below(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they started."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children += [int(word) for word in task.read_text(encoding="ascii").split()]
    return [*children, *(one for child in children for one in below(child))]


def is_there(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process and all that it started, without a word before."""
    family = [process.pid, *below(process.pid)] if process.poll() is None else []
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def end(process: subprocess.Popen[Any], *, seconds: float = 30) -> None:
    """Ask a process to end; afterwards nothing is left of it and of what it had started."""
    family = below(process.pid) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    kill(process)
    for pid in filter(is_there, family):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until(found: Callable[[], Any], *, seconds: float) -> Any:
    """Wait for something that other processes do, and return it; TimeoutError when it never comes."""
    last = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > last:
            raise TimeoutError(f"it did not come within {seconds:.0f} s")
        time.sleep(0.2)
    return value
