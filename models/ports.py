"""What the house asks of the world outside, as protocols; the adapters live in their rooms. All is synchronous."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol
from uuid import UUID


class OutsideError(Exception):
    """A bank, a mail server or a store did not do what it was asked. Every port raises this and nothing else."""


class Transient(OutsideError):
    """It did not work now and may work later: trying again is allowed."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world outside in one hand: doors build it from the settings, tests build it by hand."""

    clock: Clock
    ids: Ids
    files: FileStore
