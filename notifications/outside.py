"""Limits on calls: no server that drips bytes keeps a worker, and no library calls where it may not."""

import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self


@cache
def trusted() -> ssl.SSLContext:
    """Return whom this machine trusts, read once for each process: that takes as long as a pass of the clock."""
    return ssl.create_default_context()


class Watch:
    """Ends the connection after so many seconds, whatever is being read or written then."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        # A descriptor of our own: ending it ends the connection, and never one that was opened in its place.
        self._own = socket.socket(fileno=os.dup(sock.fileno()))
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        with suppress(OSError):  # the other side was faster
            self._own.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Let the connection be."""
        self._timer.cancel()
        self._timer.join()
        self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(slots=True)
class _Leash:
    """Where the calls of a block may go, and until when."""

    is_allowed: Callable[[str, int], bool]
    until: float
    watches: list[Watch] = field(default_factory=list)

    def judge(self, sock: socket.socket, address: Any) -> None:
        if not isinstance(address, tuple) or not self.is_allowed(str(address[0]), int(address[1])):
            raise PermissionError("address_not_public")
        if sock.fileno() >= 0:
            self.watches.append(Watch(sock, max(self.until - time.monotonic(), 0.0)))


_LEASH: ContextVar[_Leash | None] = ContextVar("leash", default=None)
_CONNECTS = frozenset({"socket.connect", "socket.sendto"})


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTS and (leash := _LEASH.get()) is not None:
        leash.judge(arguments[0], arguments[1])


@cache
def _listen() -> None:
    """Hear of every connection that this process makes (PEP 578); there is no way back, so it is asked for once."""
    sys.addaudithook(_judge)


@contextmanager
def leashed(is_allowed: Callable[[str, int], bool], seconds: float) -> Iterator[None]:
    """Let a library that speaks for itself connect to allowed addresses only, for so many seconds altogether.

    It is asked of the very address that a connection is made to, whatever name, redirect or proxy led there. What is
    not allowed ends as an `OSError` in the library.
    """
    _listen()
    leash = _Leash(is_allowed, time.monotonic() + seconds)
    before = _LEASH.set(leash)
    try:
        yield
    finally:
        _LEASH.reset(before)
        for watch in leash.watches:
            watch.stop()
