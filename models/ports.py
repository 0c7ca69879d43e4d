"""What the house asks of the world outside, as protocols; the adapters live in their rooms. All is synchronous."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from enum import StrEnum
from typing import BinaryIO, Protocol
from uuid import UUID


class OutsideError(Exception):
    """A bank, a mail server or a store did not do what it was asked. Every port raises this and nothing else."""


class Transient(OutsideError):
    """It did not work now and may work later: trying again is allowed."""


class NotPut(Transient):
    """A file was not handed over, and that is certain: nothing of it is there or was taken."""


class Clock(Protocol):
    """Business time; leases use the database's clock (`models.db.db_now`)."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""


class Ids(Protocol):
    """A source of keys."""

    def new(self) -> UUID:
        """Return a key that nobody had before."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it lies in the store: lower-case hexadecimal SHA-256 of its content, and its size."""

    sha256: str
    size_bytes: int


class FileStore(Protocol):
    """Evidence files by the SHA-256 of their content."""

    def put(self, stream: BinaryIO, limit_bytes: int) -> Stored:
        """Store the rest of the stream; a file that is there already is left as it is."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a stored file for reading."""

    def exists(self, sha256: str) -> bool:
        """Return whether a file with this content is stored."""


class PutResult(StrEnum):
    """What became of a file that was handed over under a name that is used once."""

    DONE = "done"
    ALREADY_THERE = "already_there"
    OTHER_CONTENT = "other_content"


@dataclass(frozen=True, slots=True)
class Inbound:
    """A file that the bank left for us; its content is read when it is asked for."""

    name: str
    open: Callable[[], BinaryIO]


class BankChannel(Protocol):
    """Payment files to the bank, its answers back; harmless to repeat."""

    def put(self, name: str, data: bytes) -> PutResult:
        """Hand a file over under a name that is never used again: whole, or not at all.

        Raises `NotPut` only where the file was never there under its name, `Transient` where nobody can say.
        """

    def find(self, name: str) -> str | None:
        """Return the SHA-256 of what lies there under this name, None if nothing does."""

    def inbox(self) -> Iterator[Inbound]:
        """Yield what the bank left, oldest first."""

    def file_away(self, name: str, where: str) -> None:
        """Move an answer to `done` or `quarantine`."""


class Said(StrEnum):
    """What became of something that was sent: taken, refused for good, or nobody can say."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class SendResult:
    """What the other side said, cut to length: never a body, never a secret."""

    said: Said
    detail: str = ""


class Mailer(Protocol):
    """Mail out. Raises `Transient` where nothing was taken and a later try may be."""

    def send(self, message: EmailMessage) -> SendResult:
        """Hand over one message to one recipient."""

    def many(self) -> "AbstractContextManager[Mailer]":
        """Give a mailer for several messages, which may keep its connection from one to the next."""


class ChatSender(Protocol):
    """A robot in a chat. Raises `Transient` where nothing was taken and a later try may be."""

    def post(self, url: str, title: str, text: str) -> SendResult:
        """Hand over one message to the robot behind this address."""


class WebhookSender(Protocol):
    """Calls to programs elsewhere. Raises `Transient` where nothing was taken and a later try may be."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult:
        """Post one body, without redirects, to a public address only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world outside in one hand: doors build it from the settings, tests build it by hand."""

    clock: Clock
    ids: Ids
    bank: BankChannel
    files: FileStore
    mailer: Mailer
    chats: ChatSender
    webhooks: WebhookSender
