"""Mail and chat: SMTP, the console where no server is set, robots through apprise, and the twins in memory.

Only this module and `webhooks` speak to the network; `flows/outbox.py` calls them between claim and mark.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any, TextIO
from urllib.parse import parse_qs, unquote, urlsplit

from models.ports import OutsideError, Said, SendResult, Transient
from notifications.addresses import CONNECT_SECONDS, TOTAL_SECONDS, is_public, resolved
from notifications.outside import Watch, leashed, trusted

DETAIL = 1000
"""Characters kept of what the other side said."""
_OK, _FORWARDED = 250, 251
_WIRE = SMTP.clone(cte_type="7bit")
"""No server needs to know more than the oldest rules: Chinese goes over as base64."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Unreachable(Transient):
    """Nobody is there to take anything: whatever else goes this way need not be tried now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChannel:
    """One mail server, by `smtp://` or `smtps://`, with or without a name and password in its address.

    STARTTLS is used where it is offered, and asked for where a password would be sent or the address says
    `?starttls=required`; `?starttls=never` leaves it. Certificates are verified.
    """

    url: str = field(repr=False)
    context: ssl.SSLContext = field(default_factory=trusted)
    connect_seconds: float = CONNECT_SECONDS
    total_seconds: float = TOTAL_SECONDS

    def send(self, message: EmailMessage) -> SendResult:
        """Hand one mail over to one recipient: accepted, refused (5xx), or unsure when the end was not heard.

        Raises `Transient` where nothing was taken: 4xx, or a fault of ours that is none of the recipient's
        (a sender that the server does not want); `Unreachable` where nobody answers or lets us in.
        """
        with self.many() as line:
            return line.send(message)

    def greeted(self) -> str:
        """Say good day and go, sending nothing; return which server answered. `Unreachable` where nobody lets us in."""
        line, watches = _Line(self), list[Watch]()
        try:
            line.server = self.let_in(watches)
        finally:
            for watch in watches:
                watch.stop()
        line.hang_up()
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 25)}"

    @contextmanager
    def many(self) -> Iterator["_Line"]:
        """Give a line for several mails: the connection is kept from one accepted mail to the next."""
        line = _Line(self)
        try:
            yield line
        finally:
            line.hang_up()

    def let_in(self, watches: list[Watch]) -> smtplib.SMTP:
        """Return a server that has greeted us and knows who we are."""
        parts = urlsplit(self.url)
        is_tls = parts.scheme == "smtps"

        def seen(sock: socket.socket) -> None:
            watches.append(Watch(sock, self.total_seconds))

        client = _client(smtplib.SMTP_SSL if is_tls else smtplib.SMTP, seen)
        context = {"context": self.context} if is_tls else {}
        place = (parts.hostname, parts.port or (465 if is_tls else 25))
        server: smtplib.SMTP | None = None
        try:
            server = client(*place, timeout=self.connect_seconds, **context)
            if server.sock is not None:
                server.sock.settimeout(self.total_seconds)
            if not is_tls:
                self._made_private(server)
            server.ehlo_or_helo_if_needed()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except (OSError, smtplib.SMTPException, ValueError, Unreachable) as error:
            if server is not None:
                server.close()
            raise _nobody(error) from None
        return server

    def _made_private(self, server: smtplib.SMTP) -> None:
        parts = urlsplit(self.url)
        wish = parse_qs(parts.query).get("starttls", ["offered"])[0]
        server.ehlo_or_helo_if_needed()
        if wish != "never" and server.has_extn("starttls"):
            server.starttls(context=self.context)
        elif wish == "required" or (parts.username and parts.hostname not in LOOPBACK):
            raise Unreachable("the server offers no STARTTLS, and a password is not sent in the clear")


@dataclass(slots=True)
class _Line:
    """One connection after the other; each mail has its own limit of time, with what it takes to be let in."""

    channel: EmailChannel
    server: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> SendResult:
        """Hand one mail over, as `EmailChannel.send` says. After anything but yes the next one begins anew."""
        watches: list[Watch] = []
        result = None
        try:
            self.server = self._still_there(watches) or self.channel.let_in(watches)
            result = _handed_over(self.server, message)
        finally:
            for watch in watches:
                watch.stop()
            if result is None or result.said is not Said.ACCEPTED:
                self._close()
        return result

    def many(self) -> AbstractContextManager["_Line"]:
        """Give itself: it is for many already."""
        return nullcontext(self)

    def hang_up(self) -> None:
        """Say goodbye, if somebody is there."""
        if self.server is not None and self.server.sock is not None:
            with Watch(self.server.sock, self.channel.connect_seconds), suppress(OSError, smtplib.SMTPException):
                self.server.quit()
        self._close()

    def _still_there(self, watches: list[Watch]) -> smtplib.SMTP | None:
        """Return the server of the last mail if it takes another one: some let go after a number of mails."""
        if self.server is None or self.server.sock is None:
            return None
        watches.append(Watch(self.server.sock, self.channel.total_seconds))
        with suppress(OSError, smtplib.SMTPException):
            if self.server.rset()[0] == _OK:
                return self.server
        self._close()
        return None

    def _close(self) -> None:
        if self.server is not None:
            self.server.close()
            self.server = None


def _nobody(error: Exception) -> Unreachable:
    if isinstance(error, smtplib.SMTPResponseException):
        return Unreachable(_text(error.smtp_code, error.smtp_error))
    return error if isinstance(error, Unreachable) else Unreachable(_cut(f"{type(error).__name__}: {error}"))


def _client(base: Any, seen: Callable[[socket.socket], None]) -> Any:
    """Return a class of the library that tells of its socket as soon as there is one, before anybody speaks."""

    class Client(base):  # type: ignore[misc]
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            sock: socket.socket = super()._get_socket(host, port, timeout)
            seen(sock)
            return sock

    return Client


def _handed_over(server: smtplib.SMTP, message: EmailMessage) -> SendResult:
    """Speak the three commands of one mail. Until its text is sent nothing was taken."""
    whole = message.as_bytes(policy=_WIRE)
    sender, recipient = parseaddr(str(message["From"]))[1], parseaddr(str(message["To"]))[1]
    if not recipient.isascii():
        return SendResult(Said.REFUSED, "a mail address has ASCII letters only")
    try:
        code, said = server.mail(sender)
        if code != _OK:
            raise Transient(_text(code, said))  # about us, not about the recipient: somebody can mend it
        code, said = server.rcpt(recipient)
    except (OSError, smtplib.SMTPException) as error:
        raise Transient(_cut(f"{type(error).__name__}: {error}")) from None
    if code not in (_OK, _FORWARDED):
        return _refused(code, said)
    try:
        code, said = server.data(whole)
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return SendResult(Said.UNSURE, type(error).__name__)
    if code != _OK:
        return _refused(code, said)
    return SendResult(Said.ACCEPTED, _text(code, said))


def _refused(code: int, said: bytes | str) -> SendResult:
    """Return the refusal for good (5xx); raise `Transient` for one of the moment."""
    if not 500 <= code < 600:
        raise Transient(_text(code, said))
    return SendResult(Said.REFUSED, _text(code, said))


def _text(code: int, said: bytes | str) -> str:
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    return _cut(f"{code} {text}")


def _cut(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)[:DETAIL]


@dataclass(slots=True)
class ConsoleMailer:
    """Where no mail server is set: writes each mail to the talk of the process, and it counts as taken."""

    stream: TextIO

    def many(self) -> AbstractContextManager["ConsoleMailer"]:
        """Give itself: there is no connection to keep."""
        return nullcontext(self)

    def send(self, message: EmailMessage) -> SendResult:
        """Write one mail."""
        text: Any = message.get_body(("plain",))
        content = text.get_content() if text is not None else ""
        head = "".join(f"{name}: {message[name]}\n" for name in ("To", "Subject", "Message-ID"))
        self.stream.write(f"{head}\n{content}\n")
        self.stream.flush()
        return SendResult(Said.ACCEPTED, "console")


@dataclass(slots=True)
class MailInMemory:
    """The twin: keeps what was sent, answers what `answers` says for an address (a result, or an error to raise)."""

    sent: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, SendResult | OutsideError] = field(default_factory=dict)

    def many(self) -> AbstractContextManager["MailInMemory"]:
        """Give itself: there is no connection to keep."""
        return nullcontext(self)

    def send(self, message: EmailMessage) -> SendResult:
        """Keep one mail and say what is to be said for its recipient."""
        answer = self.answers.get(parseaddr(str(message["To"]))[1], SendResult(Said.ACCEPTED, "250 kept"))
        if isinstance(answer, OutsideError):
            raise answer
        if answer.said is Said.ACCEPTED:
            self.sent.append(message)
        return answer


def mailer_of(url: str | None, stream: TextIO) -> "EmailChannel | ConsoleMailer":
    """Return the mailer that `PILOTWAY_SMTP_URL` names; without one it is the console."""
    return EmailChannel(url=url) if url else ConsoleMailer(stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseChats:
    """Robots in chats by the addresses that apprise knows: `dingtalk://`, `feishu://`, `wecombot://` and many more.

    An address leads to a service with a fixed place, or to a server named in `hosts`; nothing else inside is reached,
    not even where what such a service answers leads there.
    """

    hosts: Collection[str] = frozenset()
    """`host` or `host:port` of chat servers of one's own that an address may name."""

    def post(self, url: str, title: str, text: str) -> SendResult:
        """Hand one message to a robot: accepted, or refused for an address that leads nowhere or nowhere allowed.

        Raises `Transient` where the robot did not take it: apprise says no more, and what it logs holds addresses.
        """
        from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 - 0.2 s that only chats need

        robot: Any = Apprise.instantiate(url, suppress_exceptions=True)
        problem = self._problem(robot)
        if problem:
            return SendResult(Said.REFUSED, problem)
        robot.socket_connect_timeout, robot.socket_read_timeout = CONNECT_SECONDS, TOTAL_SECONDS
        with leashed(self._may_call, TOTAL_SECONDS):
            taken = robot.notify(title=title, body=text, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT)
        if not taken:
            raise Transient("not_taken")
        return SendResult(Said.ACCEPTED)

    def _problem(self, robot: Any) -> str:
        if robot is None:
            return "url_wrong"
        if getattr(robot, "template", None):  # a file of this machine, or a page that it would fetch, as the message
            return "host_not_allowed"
        asked = {**robot.template_tokens, **robot.template_args}
        if "host" in robot.template_tokens:
            known = {str(robot.host), f"{robot.host}:{robot.port}"}
            return "" if known & set(self.hosts) else "host_not_allowed"
        # What knows no secure way speaks to the desk of whoever runs the worker; files named in an address are read.
        is_inside = robot.secure_protocol is None or any(name.endswith("file") for name in asked)
        return "host_not_allowed" if is_inside else ""

    def _may_call(self, address: str, port: int) -> bool:
        return is_public(address) or any(address in self._addresses(one, port) for one in self.hosts)

    @staticmethod
    def _addresses(place: str, port: int) -> tuple[str, ...]:
        host, _, own_port = place.rpartition(":") if ":" in place else (place, "", str(port))
        if own_port != str(port):
            return ()
        with suppress(Transient):
            return resolved(host.strip("[]"), port)
        return ()


@dataclass(slots=True)
class ChatsInMemory:
    """The twin: keeps (address, title, text), answers what `answers` says for an address."""

    posted: list[tuple[str, str, str]] = field(default_factory=list)
    answers: dict[str, SendResult | OutsideError] = field(default_factory=dict)

    def post(self, url: str, title: str, text: str) -> SendResult:
        """Keep one message and say what is to be said for its address."""
        answer = self.answers.get(url, SendResult(Said.ACCEPTED))
        if isinstance(answer, OutsideError):
            raise answer
        if answer.said is Said.ACCEPTED:
            self.posted.append((url, title, text))
        return answer
