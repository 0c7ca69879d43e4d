"""Passwords: their hash (Argon2id), whether a typed one matches, and what makes one too weak."""

import functools

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from lifecycle.errors import Unmet, unmet
from models.limits import LONGEST_PASSWORD, SHORTEST_PASSWORD

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


def weaknesses(password: str, *known: str) -> tuple[Unmet, ...]:
    """Return why a new password is not taken: length, or little left besides `known` words (login, name).

    Neither composition rules nor expiry (NIST SP 800-63B 3.1.1.2): length and not being guessable are what counts.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return (unmet("password_length", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD),)
    plain = password.casefold()
    words = [word.casefold() for word in (*known, *_COMMON) if len(word) > 2]
    rest = functools.reduce(lambda text, word: text.replace(word, ""), words, plain)
    return (unmet("password_guessable"),) if len(set(rest)) < _DIFFERENT else ()


_DIFFERENT = 5
"""Different characters that are left at least, once known words are taken out."""
_COMMON = ("password", "pilotway", "zhongshitong", "qwertyuiop", "asdfghjkl", "1234567890", "123456789", "12345678",
           "123456", "abcdef", "iloveyou", "welcome", "letmein", "admin")  # fmt: skip


@functools.cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@functools.cache
def _nobodys() -> str:
    """Return the hash of no password: an unknown account costs as much time as a known one."""
    return hashed("nobody signs in with this one")
