"""A mail server on loopback that keeps what it takes and can be told to refuse, to dawdle, or to hang up."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


def free_port() -> int:
    """Return a port that nobody listens at now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class MailSink:
    """What the server does, and what it took."""

    mails: list[tuple[str, Message]] = field(default_factory=list)
    """(recipient, mail)."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Recipient -> answer to RCPT."""
    at_mail: str = ""
    """Answer to MAIL; empty: taken."""
    at_data: str = ""
    """Answer after the text; empty: taken."""
    seconds: float = 0.0
    """How long it thinks after the text."""
    hangs_up: bool = False
    """Keeps the mail and ends the connection without a word."""
    gates: list[threading.Event] = field(default_factory=list)
    """The next mails are answered when their gate is opened: what is kept is not yet confirmed."""
    arrived: threading.Event = field(default_factory=threading.Event)
    peers: set[Any] = field(default_factory=set)
    """Whose mail was begun, connection by connection."""
    loop: Any = None
    transport: Any = None
    """Of the last mail that was begun."""
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    port: int = 0

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - named by aiosmtpd
        self.peers.add(session.peer)
        self.loop, self.transport = asyncio.get_running_loop(), server.transport
        if self.at_mail:
            return self.at_mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - named by aiosmtpd
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - named by aiosmtpd
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        self.mails += [(one, message_from_bytes(envelope.content)) for one in envelope.rcpt_tos]
        self.arrived.set()
        if self.gates:
            await asyncio.get_running_loop().run_in_executor(None, self.gates.pop().wait, 20)
        if self.hangs_up:
            transport: Any = server.transport
            transport.abort()
        return "250 queued as 1"

    def hang_up(self) -> None:
        """End the connection of the last mail, after its answer."""

        async def end() -> None:
            self.transport.abort()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


@contextmanager
def mail_sink(**extra: Any) -> Iterator[MailSink]:
    """Run a mail server; `extra` goes to aiosmtpd (TLS, sign-in)."""
    sink = MailSink()
    sink.port = free_port()
    if extra.pop("asks_password", False):
        extra |= {"authenticator": sink.authenticate, "auth_required": True, "auth_require_tls": False}
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, **extra)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
