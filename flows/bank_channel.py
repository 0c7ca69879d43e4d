"""How payment files reach the bank and its answers come back: two folders, or the memory of a test.

A name is used once. A file is there whole or not at all: written beside, synced, then linked under its name, which
fails if the name exists (`safety.md` 2.5).
"""

import errno
import functools
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from models.ports import Inbound, NotPut, OutsideError, PutResult, Transient

_ENDINGS = (".xml", ".csv", ".xlsx")
_WHERE = ("done", "quarantine")


class DropFolders:
    """A folder where the bank takes files, and one where it leaves its answers."""

    def __init__(self, out: Path, inbox: Path) -> None:
        self._out, self._in = out, inbox

    def put(self, name: str, data: bytes) -> PutResult:
        """Write the file under its name unless it is there; the folder is synced before this returns."""
        target = self._out / _plain(name)
        part = self._out / f".{name}.{os.getpid()}.part"
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            is_linked = _linked(part, target)
        except OSError as error:  # up to the link the name was never there
            raise NotPut(f"{target}: {error.strerror}") from error
        except _LinkInDoubt as error:
            raise Transient(f"{target}: {error}") from error
        finally:
            with suppress(OSError):
                part.unlink()
        if not is_linked:
            same = self.find(name) == hashlib.sha256(data).hexdigest()
            return PutResult.ALREADY_THERE if same else PutResult.OTHER_CONTENT
        try:
            _sync(self._out)
        except OSError as error:
            raise Transient(f"{target}: {error.strerror}") from error
        return PutResult.DONE

    def find(self, name: str) -> str | None:
        """Return the SHA-256 of the file of this name; None when the bank took it, or it was never put."""
        try:
            with (self._out / _plain(name)).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Transient(f"{name}: {error.strerror}") from error

    def inbox(self) -> Iterator[Inbound]:
        """Yield the answers that lie there, oldest first; what still arrives (`.part`) is left alone."""
        if not self._in.is_dir():
            return
        found = [path for path in self._in.iterdir() if path.is_file() and path.suffix.lower() in _ENDINGS]
        for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name)):
            yield Inbound(path.name, functools.partial(_open, path))

    def file_away(self, name: str, where: str) -> None:
        """Move an answer below the inbox; where its name is taken there it gets a number."""
        if where not in _WHERE:
            raise ValueError(f"an answer is filed under {_WHERE}, not {where!r}")
        folder = self._in / where
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / _plain(name)
            number = 1
            while target.exists():
                number += 1
                target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
            (self._in / name).rename(target)
            _sync(folder)
        except FileNotFoundError:
            return  # somebody else filed it
        except OSError as error:
            raise Transient(f"{name}: {error.strerror}") from error

    def handed_over(self) -> dict[str, bytes]:
        """Return the payment files that lie there, by name: what the other side of the folder sees."""
        found = sorted(self._out.glob("*.xml")) if self._out.is_dir() else []
        return {path.name: path.read_bytes() for path in found}

    def leave(self, name: str, data: bytes) -> None:
        """Be the other side, and leave an answer whole."""
        self._in.mkdir(parents=True, exist_ok=True)
        part = self._in / f".{_plain(name)}.{os.getpid()}.part"
        part.write_bytes(data)
        part.replace(self._in / name)

    def has_left(self, name: str) -> bool:
        """Say whether the other side has left an answer of this name, filed away or not."""
        return any((folder / name).exists() for folder in (self._in, *(self._in / where for where in _WHERE)))

    def sweep(self) -> int:
        """Remove what broken-off puts of processes that are gone left behind; return how many."""
        if not self._out.is_dir():
            return 0
        left = [path for path in self._out.glob(".*.part") if not _is_alive(path)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


class BankInMemory:
    """The same without a disk, for tests and simulations."""

    def __init__(self) -> None:
        self.out: dict[str, bytes] = {}
        self.answers: dict[str, bytes] = {}
        self.filed: dict[str, str] = {}

    def put(self, name: str, data: bytes) -> PutResult:
        """Keep the file unless the name is taken."""
        if name in self.out:
            return PutResult.ALREADY_THERE if self.out[name] == data else PutResult.OTHER_CONTENT
        self.out[name] = data
        return PutResult.DONE

    def find(self, name: str) -> str | None:
        """Return the SHA-256 of the file of this name."""
        return hashlib.sha256(self.out[name]).hexdigest() if name in self.out else None

    def inbox(self) -> Iterator[Inbound]:
        """Yield the answers in the order they came."""
        for name, data in list(self.answers.items()):
            if name not in self.filed:
                yield Inbound(name, functools.partial(BytesIO, data))

    def file_away(self, name: str, where: str) -> None:
        """Remember where an answer went."""
        self.filed[name] = where

    def handed_over(self) -> dict[str, bytes]:
        """Return the payment files that were put, by name."""
        return dict(self.out)

    def leave(self, name: str, data: bytes) -> None:
        """Be the other side, and leave an answer."""
        self.answers[name] = data

    def has_left(self, name: str) -> bool:
        """Say whether an answer of this name was left."""
        return name in self.answers


_NO_LINK = frozenset({errno.EACCES, errno.EDQUOT, errno.ENOENT, errno.ENOSPC, errno.EPERM, errno.EROFS, errno.EXDEV})
"""Errors with which no name was made; after any other one, of a folder far away above all, nobody knows."""


class _LinkInDoubt(Exception):
    """The name may have been made."""


def _linked(part: Path, target: Path) -> bool:
    """Give a finished file its name; return whether the name was free."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _NO_LINK:
            raise
        raise _LinkInDoubt(error.strerror) from error
    return True


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise OutsideError(f"{path.name}: {error.strerror}") from error


def _plain(name: str) -> str:
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"not the name of a file: {name!r}")
    return name


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_alive(path: Path) -> bool:
    process = path.name.removesuffix(".part").rpartition(".")[2]
    return process.isdigit() and Path(f"/proc/{process}").exists()
