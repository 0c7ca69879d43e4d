"""Evidence files by the SHA-256 of their content: `ab/<sha256>` over fsspec, and the in-memory twin."""

import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import BinaryIO, cast

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from models.clock import SystemClock
from models.ports import OutsideError, Stored

DEFAULT_LIMIT_BYTES = 50 * 1024 * 1024
"""The largest upload (`safety.md` 2.2)."""

_CHUNK_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class TooLarge(ValueError):
    """The file is larger than allowed; nothing of it was kept."""

    def __init__(self, limit_bytes: int) -> None:
        """Say the limit."""
        self.limit_bytes = limit_bytes
        super().__init__(f"the file is larger than {limit_bytes} bytes")


class NotStoredError(OutsideError):
    """No file with this content is stored."""


class EvidenceFiles:
    """Files in a folder or any other place that fsspec reaches.

    A file is written beside its place, flushed to the disk and renamed, so a name is either absent or whole.
    What a crash leaves lies in `incoming/` and belongs to nobody.
    """

    def __init__(self, location: str) -> None:
        """Take a folder or an address that fsspec knows; it need not exist yet."""
        filesystem, root = url_to_fs(location)
        self._fs: AbstractFileSystem = filesystem
        self._root = str(root).rstrip("/")

    def is_there(self) -> bool:
        """Return whether the place exists: the first file makes it."""
        with _outside_errors():
            return bool(self._fs.isdir(self._root))

    def put(self, stream: BinaryIO, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Stored:
        """Store the rest of the stream; TooLarge beyond the limit, OutsideError when the store does not do it."""
        incoming = f"{self._root}/incoming/{secrets.token_hex(16)}"
        with _outside_errors():
            try:
                self._fs.makedirs(f"{self._root}/incoming", exist_ok=True)
                stored = self._write(incoming, stream, limit_bytes)
                if self.exists(stored.sha256):
                    self._fs.touch(self._path(stored.sha256), truncate=False)  # young again, so that no sweep takes it
                else:
                    self._publish(incoming, self._path(stored.sha256))
                return stored
            finally:
                with suppress(FileNotFoundError):
                    self._fs.rm_file(incoming)

    def open(self, sha256: str) -> BinaryIO:
        """Open a stored file for reading; NotStoredError when it is not there."""
        path = self._path(sha256)
        with _outside_errors():
            try:
                return cast("BinaryIO", self._fs.open(path, "rb"))
            except FileNotFoundError:
                raise NotStoredError(sha256) from None

    def exists(self, sha256: str) -> bool:
        """Return whether a file with this content is stored."""
        path = self._path(sha256)
        with _outside_errors():
            return bool(self._fs.isfile(path))

    def old_files(self, age: timedelta) -> Iterator[str]:
        """Yield the hash of every stored file that nobody has put for that long, by the machine's clock."""
        with _outside_errors():
            for folder in self._children(self._root):
                for path in self._children(folder):
                    sha256 = path.rpartition("/")[2]
                    if _SHA256.fullmatch(sha256) and self._is_older(path, age):
                        yield sha256

    def remove(self, sha256: str, age: timedelta) -> bool:
        """Remove a stored file that nobody refers to; False when somebody has put it again meanwhile."""
        path = self._path(sha256)
        with _outside_errors():
            if not self._is_older(path, age):
                return False
            self._fs.rm_file(path)
            return True

    def sweep_incoming(self, age: timedelta) -> int:
        """Remove what broken-off uploads left that long ago, and return how many there were."""
        with _outside_errors():
            left = [path for path in self._children(f"{self._root}/incoming") if self._is_older(path, age)]
            for path in left:
                self._fs.rm_file(path)
        return len(left)

    def _children(self, folder: str) -> list[str]:
        if not self._fs.isdir(folder):
            return []
        return sorted(str(path).rstrip("/") for path in self._fs.ls(folder, detail=False))

    def _is_older(self, path: str, age: timedelta) -> bool:
        try:
            return bool(self._fs.modified(path) < SystemClock().now() - age)
        except FileNotFoundError:
            return False

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{_checked(sha256)[:2]}/{sha256}"

    def _write(self, path: str, stream: BinaryIO, limit_bytes: int) -> Stored:
        with self._fs.open(path, "wb") as file:
            stored = _copy(stream, file, limit_bytes)
            file.flush()
            if isinstance(self._fs, LocalFileSystem):
                os.fsync(file.fileno())
        return stored

    def _publish(self, incoming: str, path: str) -> None:
        folder = path.rpartition("/")[0]
        self._fs.makedirs(folder, exist_ok=True)
        if not isinstance(self._fs, LocalFileSystem):
            self._fs.mv(incoming, path)
            return
        os.replace(incoming, path)  # noqa: PTH105 - the paths of fsspec are text
        for changed in (folder, self._root):
            _fsync_folder(changed)


class MemoryFiles:
    """The twin that keeps files in memory: for tests and rehearsals without a disk."""

    def __init__(self) -> None:
        """Start empty."""
        self._files: dict[str, bytes] = {}

    def put(self, stream: BinaryIO, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> Stored:
        """Store the rest of the stream; TooLarge beyond the limit, OutsideError when it breaks off."""
        content = io.BytesIO()
        with _outside_errors():
            stored = _copy(stream, content, limit_bytes)
        self._files[stored.sha256] = content.getvalue()
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """Open a stored file for reading; NotStoredError when it is not there."""
        if not self.exists(sha256):
            raise NotStoredError(sha256)
        return io.BytesIO(self._files[sha256])

    def exists(self, sha256: str) -> bool:
        """Return whether a file with this content is stored."""
        return _checked(sha256) in self._files

    def old_files(self, age: timedelta) -> Iterator[str]:  # noqa: ARG002 - the form of the port
        """Yield nothing: what lies in memory ends with the process that made it."""
        yield from ()

    def remove(self, sha256: str, age: timedelta) -> bool:  # noqa: ARG002 - the form of the port
        """Keep the file: nothing in memory is ever old."""
        return False

    def sweep_incoming(self, age: timedelta) -> int:  # noqa: ARG002 - the form of the port
        """Find nothing: nothing is written beside its place in memory."""
        return 0


def _checked(sha256: str) -> str:
    """Refuse what is no digest before it becomes a path."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
    return sha256


def _copy(source: BinaryIO, target: BinaryIO, limit_bytes: int) -> Stored:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge(limit_bytes)
        digest.update(chunk)
        target.write(chunk)
    return Stored(sha256=digest.hexdigest(), size_bytes=size)


def _fsync_folder(path: str) -> None:
    """Make a rename last: the name lives in the folder, not in the file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _outside_errors() -> Iterator[None]:
    """Turn what a file system may raise into the port's own error."""
    try:
        yield
    except OSError as error:
        raise OutsideError(f"the file store did not do it: {error}") from error
