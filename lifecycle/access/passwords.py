"""Passwords: their hash (Argon2id), and whether a typed one matches."""

import functools

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from models.limits import LONGEST_PASSWORD

ALGORITHM = "$argon2id$"


def hashed(password: str) -> str:
    """Return the hash to store, with a salt of its own; takes about a tenth of a second, on purpose."""
    return _hasher().hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Say whether the password is the one that was hashed; without a stored hash it takes as long, and is never so."""
    if len(password) > LONGEST_PASSWORD:
        return False
    is_hash = stored is not None and stored.startswith(ALGORITHM)
    is_right = _hasher().verify(password, stored if is_hash and stored else _nobodys())
    return is_right and is_hash


@functools.cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@functools.cache
def _nobodys() -> str:
    """Return the hash of no password: an unknown account costs as much time as a known one."""
    return hashed("nobody signs in with this one")
