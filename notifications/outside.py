"""A limit on the whole of a call: no server that sends one byte every few seconds keeps a worker."""

import os
import socket
import threading
from contextlib import suppress
from typing import Self


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
