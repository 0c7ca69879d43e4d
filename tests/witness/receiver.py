"""A web server on loopback that keeps what is posted to it and answers as it is told: chats and webhooks end there."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """What the server answers, and what it was sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"errcode": 0, "code": 0}'
    is_silent: bool = False
    """Takes the call and never answers, until `go_on` is set."""
    garbage: bytes = b""
    """Sent instead of an answer."""
    calls: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    """(path, headers in lower case, body)."""
    go_on: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def place(self) -> str:
        """`host:port`, as the allow list names it."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a web server, over TLS where a context is given."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            told.calls.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if told.is_silent:
                told.go_on.wait(10)
                return
            if told.garbage:
                self.wfile.write(told.garbage)
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # callers that hang up are what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
